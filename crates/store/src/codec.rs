//! The byte forms of what is sealed: records with their terms, the state, blocks of names.
//!
//! Numbers are big-endian, lengths come first, and a reader never trusts a length.

use crate::Damage;

#[derive(Default)]
pub(crate) struct Writer(pub(crate) Vec<u8>);

impl Writer {
    pub(crate) fn u8(&mut self, value: u8) {
        self.0.push(value);
    }
    pub(crate) fn u16(&mut self, value: u16) {
        self.0.extend_from_slice(&value.to_be_bytes());
    }
    pub(crate) fn u32(&mut self, value: u32) {
        self.0.extend_from_slice(&value.to_be_bytes());
    }
    pub(crate) fn u64(&mut self, value: u64) {
        self.0.extend_from_slice(&value.to_be_bytes());
    }
    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }
    /// Bytes with a 32-bit length; what the store writes is bounded far below it.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.u32(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
        self.raw(bytes);
    }
}

/// What was sealed does not read: it was written by another program under our key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unreadable;

pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn raw(&mut self, len: usize) -> Result<&'a [u8], Unreadable> {
        let (head, rest) = self.0.split_at_checked(len).ok_or(Unreadable)?;
        self.0 = rest;
        Ok(head)
    }
    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], Unreadable> {
        self.raw(N)?.try_into().map_err(|_| Unreadable)
    }
    pub(crate) fn u8(&mut self) -> Result<u8, Unreadable> {
        self.array().map(u8::from_be_bytes)
    }
    pub(crate) fn u16(&mut self) -> Result<u16, Unreadable> {
        self.array().map(u16::from_be_bytes)
    }
    pub(crate) fn u32(&mut self) -> Result<u32, Unreadable> {
        self.array().map(u32::from_be_bytes)
    }
    pub(crate) fn u64(&mut self) -> Result<u64, Unreadable> {
        self.array().map(u64::from_be_bytes)
    }
    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], Unreadable> {
        let len = self.u32()?;
        self.raw(usize::try_from(len).map_err(|_| Unreadable)?)
    }
    pub(crate) fn text(&mut self) -> Result<&'a str, Unreadable> {
        std::str::from_utf8(self.bytes()?).map_err(|_| Unreadable)
    }
}

/// A keyed hash of one index term.
pub(crate) type TermHash = [u8; 16];

/// The front of a sealed record: all that the engine must know of it without its type.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Header {
    pub(crate) domain: [u8; 16],
    pub(crate) terms: Vec<TermHash>,
    pub(crate) sort: Option<String>,
}

const RECORD_FORM: u8 = 1;

impl Header {
    /// Header and value in one buffer, ready to be sealed.
    pub(crate) fn with_value(&self, value: &[u8]) -> Vec<u8> {
        let sort = self.sort.as_deref().unwrap_or_default();
        let room = 1 + 16 + 2 + self.terms.len() * 16 + 1 + 4 + sort.len() + value.len();
        let mut to = Writer(Vec::with_capacity(room));
        to.u8(RECORD_FORM);
        to.raw(&self.domain);
        // At most `TERMS_MAX`, which a batch checks.
        to.u16(u16::try_from(self.terms.len()).unwrap_or(u16::MAX));
        for term in &self.terms {
            to.raw(term);
        }
        to.u8(u8::from(self.sort.is_some()));
        to.bytes(sort.as_bytes());
        to.raw(value);
        to.0
    }

    /// The header and the value behind it.
    pub(crate) fn split(plain: &[u8]) -> Result<(Self, &[u8]), Unreadable> {
        let mut from = Reader(plain);
        if from.u8()? != RECORD_FORM {
            return Err(Unreadable);
        }
        let domain = from.array()?;
        let terms = (0..from.u16()?).map(|_| from.array()).collect::<Result<_, _>>()?;
        let sorted = from.u8()? == 1;
        let text = from.text()?;
        let sort = sorted.then(|| text.to_owned());
        Ok((Self { domain, terms, sort }, from.0))
    }
}

/// Hexadecimal, for keys in reports of damage and in page cursors.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Reads [`hex`].
pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    digits
        .chunks_exact(2)
        .map(|pair| match pair {
            [high, low] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                let digit = |d: u8| char::from(d).to_digit(16);
                u8::try_from(digit(*high)? * 16 + digit(*low)?).ok()
            }
            _ => None,
        })
        .collect()
}

pub(crate) fn damaged_record(collection: &str, key: &[u8]) -> Damage {
    Damage::Record { collection: collection.to_owned(), key: hex(key) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_header_reads_back(
            domain: [u8; 16], terms: Vec<[u8; 16]>, sort: Option<String>, value: Vec<u8>,
        ) {
            let header = Header { domain, terms, sort };
            let bytes = header.with_value(&value);
            prop_assert_eq!(Header::split(&bytes), Ok((header, value.as_slice())));
        }

        #[test]
        fn no_bytes_make_a_header_panic(bytes: Vec<u8>) {
            let _ = Header::split(&bytes);
        }

        #[test]
        fn hexadecimal_reads_back(bytes: Vec<u8>) {
            prop_assert_eq!(unhex(&hex(&bytes)), Some(bytes));
        }
    }

    #[test]
    fn nonsense_is_not_hexadecimal() {
        for text in ["0", "0g", "é", "+1"] {
            assert_eq!(unhex(text), None, "{text}");
        }
    }
}
