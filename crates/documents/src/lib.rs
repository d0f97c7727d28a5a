//! Writers for what people and other programs take away: printable HTML, XLSX, CSV, OSCAL, packs.
//!
//! **For:** turning plain values into documents, the same bytes for the same values.
//! **Not for:** deciding what is in a report (that is `comply`), reading strangers' documents with
//! macros or pictures, cryptography (a caller passes its digest function in).
//!
//! **Way of a report:** `comply` builds [`Page`]s, [`Table`]s and an [`oscal::Assessment`]; the
//! writers here turn them into bytes; [`pack`] puts the files into one archive with a manifest.
//!
//! **Invariants:** every text is escaped where it is written; a cell that a spreadsheet would take
//! for a formula is neutralised in CSV and XLSX; no document refers to anything outside itself.

pub mod csv;
pub mod html;
pub mod oscal;
pub mod pack;
mod table;
pub mod xlsx;

pub use html::{Block, Page, State};
pub use table::{Cell, Table};

/// A digest that the caller provides (SHA-256): this room has no cryptography of its own.
pub type Digest<'a> = &'a dyn Fn(&[u8]) -> [u8; 32];

/// Lower-case hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        for nibble in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
        }
        text
    })
}
