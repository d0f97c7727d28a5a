//! The record format of SQLite: types first, then values.

use encoding_rs::{Encoding, UTF_16BE, UTF_16LE};

/// Columns of one row; SQLite's own limit is 32,767.
const VALUES_MAX: usize = 32_767;

/// One row's values as text; what is no text is empty.
#[derive(Debug, Default)]
pub(crate) struct Record {
    pub(crate) values: Vec<Vec<u8>>,
}

impl Record {
    /// Reads a record in the database's text encoding (1 UTF-8, 2 UTF-16LE, 3 UTF-16BE). Values
    /// that a damaged record lacks are missing.
    pub(crate) fn read(payload: &[u8], encoding: u8) -> Self {
        let mut record = Self::default();
        let Some((head_bytes, mut types)) = varint(payload) else { return record };
        let head = usize::try_from(head_bytes).unwrap_or(0);
        let head_left = head.saturating_sub(payload.len() - types.len());
        types = types.get(..head_left).unwrap_or_default();
        let mut body = payload.get(head..).unwrap_or_default();
        while let Some((kind, rest)) = varint(types) {
            types = rest;
            let length = usize::try_from(match kind {
                0 | 8 | 9 => 0,
                1..=4 => kind,
                5 => 6,
                6 | 7 => 8,
                kind if kind >= 12 => (kind - 12) / 2,
                _ => break,
            });
            let length = length.unwrap_or(usize::MAX).min(body.len());
            let (value, rest) = body.split_at_checked(length).unwrap_or((body, &[]));
            body = rest;
            record.values.push(shown(kind, value, encoding));
            if record.values.len() >= VALUES_MAX {
                break;
            }
        }
        record
    }

    /// A value as text.
    pub(crate) fn text(&self, place: usize) -> &[u8] {
        self.values.get(place).map_or(&[], Vec::as_slice)
    }
}

fn shown(kind: i64, value: &[u8], encoding: u8) -> Vec<u8> {
    match kind {
        1..=6 => {
            let negative = value.first().is_some_and(|byte| *byte >= 0x80);
            let start = if negative { -1i64 } else { 0 };
            let number = value.iter().fold(start, |sum, byte| sum << 8 | i64::from(*byte));
            number.to_string().into_bytes()
        }
        7 => {
            let number = value.first_chunk().map_or(0.0, |eight| f64::from_be_bytes(*eight));
            number.to_string().into_bytes()
        }
        8 => b"0".to_vec(),
        9 => b"1".to_vec(),
        kind if kind >= 13 && kind % 2 == 1 => text(value, encoding),
        // A blob that is text by its bytes.
        kind if kind >= 12 && std::str::from_utf8(value).is_ok() && !value.contains(&0) => {
            value.to_vec()
        }
        _ => Vec::new(),
    }
}

fn text(value: &[u8], encoding: u8) -> Vec<u8> {
    let wide: &'static Encoding = match encoding {
        2 => UTF_16LE,
        3 => UTF_16BE,
        _ => return value.to_vec(),
    };
    wide.decode_without_bom_handling(value).0.into_owned().into_bytes()
}

/// A number of one to nine bytes, and what follows it.
pub(crate) fn varint(bytes: &[u8]) -> Option<(i64, &[u8])> {
    let mut value = 0i64;
    for (place, byte) in bytes.iter().take(9).enumerate() {
        if place == 8 {
            return Some((value << 8 | i64::from(*byte), bytes.get(9..)?));
        }
        value = value << 7 | i64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((value, bytes.get(place + 1..)?));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_one_to_nine_bytes() {
        assert_eq!(varint(&[0x7f, 9]), Some((127, &[9][..])));
        assert_eq!(varint(&[0x81, 0x00]), Some((128, &[][..])));
        assert_eq!(varint(&[0xff; 9]), Some((-1, &[][..])));
        assert_eq!(varint(&[0x80]), None);
    }

    #[test]
    fn values_of_every_type_become_text() {
        let payload = [6, 0, 1, 9, 19, 16, 0xfe, b'a', b'b', b'c', 0, 1];
        let record = Record::read(&payload, 1);
        assert_eq!(record.values, [&b""[..], b"-2", b"1", b"abc", b""]);
    }
}
