//! Detectors for sensitive data: bytes in, validated spans out.
//!
//! **For:** finding identity card numbers, payment cards, Mainland identity numbers, IBANs and
//! e-mail addresses in UTF-8 text (or any encoding that leaves ASCII alone), with their check
//! digits. **Not for:** reading files, decoding, deciding what a finding means.
//!
//! **Way of a scan:** one pass over the bytes; at each border between tokens the detectors that
//! could start there parse once. The result does not depend on how often a text is scanned or what
//! stands far away from it.
//!
//! **Invariants:** no allocation but the result, no panic on any bytes, time linear in the length:
//! every parser looks at most at [`TOKEN_BYTES_MAX`] bytes. A hit never shows its value: showing is
//! [`mask`]'s business, and the PCPD's code of practice on the identity card number sets the
//! default.

mod card;
mod email;
mod hkid;
mod iban;
mod mainland;
mod mask;
mod text;

pub use mask::mask;

/// The longest stretch that one parser looks at.
pub const TOKEN_BYTES_MAX: usize = 320;

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A Hong Kong identity card number with its check digit.
    HongKongIdentityCard,
    /// A payment card number: issuer range, length and Luhn (ISO/IEC 7812).
    PaymentCard,
    /// A Mainland resident identity number (GB 11643).
    MainlandIdentity,
    /// An international bank account number (ISO 13616).
    Iban,
    /// An e-mail address.
    Email,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 5] = [
        Self::HongKongIdentityCard,
        Self::PaymentCard,
        Self::MainlandIdentity,
        Self::Iban,
        Self::Email,
    ];

    /// The word used in findings and labels.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::HongKongIdentityCard => "hk-identity-card",
            Self::PaymentCard => "payment-card",
            Self::MainlandIdentity => "mainland-identity",
            Self::Iban => "iban",
            Self::Email => "email",
        }
    }
}

/// How sure a hit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confidence {
    /// Right form and check digit, but chance alone would give such tokens now and then.
    Possible,
    /// Right form and check digit, and a form or a word nearby that says so.
    Sure,
}

/// One hit: the bytes from `start` up to, not including, `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hit {
    /// What.
    pub kind: Kind,
    /// First byte.
    pub start: usize,
    /// Byte after the last.
    pub end: usize,
    /// How sure.
    pub confidence: Confidence,
}

/// Finds everything in the text, in order, without overlaps.
#[must_use]
pub fn scan(text: &[u8]) -> Vec<Hit> {
    let mut hits = Vec::new();
    let mut at = 0;
    while at < text.len() {
        match hit_at(text, at) {
            Some(hit) => {
                at = hit.end.max(at + 1);
                hits.push(hit);
            }
            None => at += 1,
        }
    }
    hits
}

fn hit_at(text: &[u8], at: usize) -> Option<Hit> {
    let first = text::plain(text, at)?.0;
    if !first.is_ascii_alphanumeric() || !text::border_before(text, at) {
        return None;
    }
    if first.is_ascii_digit() {
        mainland::at(text, at).or_else(|| card::at(text, at)).or_else(|| email::at(text, at))
    } else {
        hkid::at(text, at).or_else(|| iban::at(text, at)).or_else(|| email::at(text, at))
    }
}
