//! Detectors for sensitive data: bytes in, validated spans out.
//!
//! **For:** finding identity, travel and account numbers, cards, names, addresses, ways to reach a
//! person and secrets in UTF-8 text (numbers also in any encoding that leaves ASCII alone), as Hong
//! Kong, Macau, Taiwan and the Mainland write them, in English and in Traditional and Simplified
//! Chinese. **Not for:** reading files, decoding, deciding what a finding means.
//!
//! **Way of a scan:** one pass over the bytes. Blocks of sixty-four bytes become bit masks of
//! character classes (`masks`), masks become places where something may start (`candidates`), and
//! each place is parsed once (`engine`); digits are read once for every kind of number (`numbers`).
//! Where form and check digit do not suffice, the nearest word before decides (`topic`); where no
//! word stands, the column does ([`Column`], [`document`]). [`Scanner`] does the same in pieces.
//!
//! **Invariants:** no panic on any bytes; time linear in the length, for a parser sees 256 bytes
//! before its place and 4,096 after; hits in order, without overlaps, the same wherever a text is
//! cut. A hit never shows its value: showing is [`mask`]'s business, and the PCPD's code of
//! practice on the identity card number sets the default. A number and a name never stand together
//! in what we show.
//!
//! **Scores:** `cargo run --release -p detect --example predict ROOT FILE… > hits.jsonl` prints
//! hits for a score script; `--example speed` prints the rates
//! over the parts of what `--example corpus` writes, `--example stream` that over all of it, long.

mod address_en;
mod address_zh;
mod assigned;
mod bank;
mod bits;
mod candidates;
mod card;
mod cell;
mod custom;
mod date;
mod digits;
mod document;
mod email;
mod engine;
mod han;
mod hkid;
mod iban;
mod kind;
mod layout;
mod mainland;
mod mask;
mod masks;
mod name_en;
mod name_zh;
mod network;
mod numbers;
mod phone;
mod places;
mod secret;
#[cfg(test)]
mod slow;
mod stream;
mod table;
mod terms;
mod text;
mod told;
mod topic;
mod travel;
mod words;

pub use custom::{
    Custom, CustomError, DICTIONARY_WORDS_MAX, EXACT_BYTES_MAX, EXACT_BYTES_MIN, KeyedHash,
    PATTERN_BYTES_MAX, PATTERN_TEXT_MAX, WORD_BYTES_MAX, WORD_BYTES_MIN, normal,
};
pub use document::{Columns, Document, NamedColumn, document, document_as, document_piece};
pub use kind::{Confidence, Hit, Kind};
pub use layout::{Layout, Records, sniff};
pub use mask::mask;
pub use stream::Scanner;
pub use table::{Column, Verdict};

/// Finds everything in the text, in order, without overlaps.
#[must_use]
pub fn scan(text: &[u8]) -> Vec<Hit> {
    let mut pass = engine::Pass::default();
    pass.sweep(text, 0, text.len());
    pass.hits
}
