//! International bank account numbers (ISO 13616): country, length, remainder modulo 97.

use crate::text::border_after;
use crate::{Confidence, Hit, Kind};

const LENGTH_MAX: usize = 34;

/// Lengths by country, from the registry of ISO 13616, in order.
const LENGTHS: &[(&[u8; 2], usize)] = &[
    (b"AD", 24),
    (b"AE", 23),
    (b"AL", 28),
    (b"AT", 20),
    (b"AZ", 28),
    (b"BA", 20),
    (b"BE", 16),
    (b"BG", 22),
    (b"BH", 22),
    (b"BI", 27),
    (b"BR", 29),
    (b"BY", 28),
    (b"CH", 21),
    (b"CR", 22),
    (b"CY", 28),
    (b"CZ", 24),
    (b"DE", 22),
    (b"DJ", 27),
    (b"DK", 18),
    (b"DO", 28),
    (b"EE", 20),
    (b"EG", 29),
    (b"ES", 24),
    (b"FI", 18),
    (b"FK", 18),
    (b"FO", 18),
    (b"FR", 27),
    (b"GB", 22),
    (b"GE", 22),
    (b"GI", 23),
    (b"GL", 18),
    (b"GR", 27),
    (b"GT", 28),
    (b"HR", 21),
    (b"HU", 28),
    (b"IE", 22),
    (b"IL", 23),
    (b"IQ", 23),
    (b"IS", 26),
    (b"IT", 27),
    (b"JO", 30),
    (b"KW", 30),
    (b"KZ", 20),
    (b"LB", 28),
    (b"LC", 32),
    (b"LI", 21),
    (b"LT", 20),
    (b"LU", 20),
    (b"LV", 21),
    (b"LY", 25),
    (b"MC", 27),
    (b"MD", 24),
    (b"ME", 22),
    (b"MK", 19),
    (b"MN", 20),
    (b"MR", 27),
    (b"MT", 31),
    (b"MU", 30),
    (b"NI", 28),
    (b"NL", 18),
    (b"NO", 15),
    (b"OM", 23),
    (b"PK", 24),
    (b"PL", 28),
    (b"PS", 29),
    (b"PT", 25),
    (b"QA", 29),
    (b"RO", 24),
    (b"RS", 22),
    (b"RU", 33),
    (b"SA", 24),
    (b"SC", 31),
    (b"SD", 18),
    (b"SE", 24),
    (b"SI", 19),
    (b"SK", 24),
    (b"SM", 27),
    (b"SO", 23),
    (b"ST", 25),
    (b"SV", 28),
    (b"TL", 23),
    (b"TN", 24),
    (b"TR", 26),
    (b"UA", 29),
    (b"VA", 22),
    (b"VG", 24),
    (b"XK", 20),
    (b"YE", 30),
];

/// The account number that starts here, if one does; groups of four may be parted by one space.
pub(crate) fn at(text: &[u8], start: usize) -> Option<Hit> {
    let [first, second, tens, ones] = text.get(start..)?.first_chunk::<4>()?;
    let country = first.is_ascii_uppercase() && second.is_ascii_uppercase();
    if !country || !tens.is_ascii_digit() || !ones.is_ascii_digit() {
        return None;
    }
    let country = text.get(start..start + 2)?;
    let place = LENGTHS.binary_search_by(|(code, _)| code.as_slice().cmp(country)).ok()?;
    let (_, length) = LENGTHS.get(place)?;
    let mut token = [0u8; LENGTH_MAX];
    let (mut count, mut end) = (0usize, start);
    for (offset, byte) in text.get(start..)?.iter().enumerate() {
        match byte {
            b'0'..=b'9' | b'A'..=b'Z' => {
                *token.get_mut(count)? = *byte;
                count += 1;
                end = start + offset + 1;
            }
            b' ' if count % 4 == 0 && end == start + offset => {}
            _ => break,
        }
        if count == *length {
            break;
        }
    }
    let fits = count == *length && remainder(token.get(..count)?) == Some(1);
    (fits && border_after(text, end)).then_some(Hit {
        kind: Kind::Iban,
        start,
        end,
        confidence: Confidence::Sure,
    })
}

/// The first four characters moved to the end, letters as 10 to 35, modulo 97.
fn remainder(token: &[u8]) -> Option<u32> {
    let (head, tail) = token.split_at_checked(4)?;
    if !head.get(2..)?.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(tail.iter().chain(head).fold(0u32, |rest, byte| match byte {
        b'0'..=b'9' => (rest * 10 + u32::from(byte - b'0')) % 97,
        letter => (rest * 100 + u32::from(letter - b'A') + 10) % 97,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_of_the_registry_are_found() {
        for text in [
            "GB29NWBK60161331926819",
            "GB29 NWBK 6016 1331 9268 19",
            "DE89370400440532013000",
            "NL91ABNA0417164300",
            "NO9386011117947",
            "CH9300762011623852957",
            "MT84MALT011000012345MTLCAST001S",
        ] {
            assert_eq!(at(text.as_bytes(), 0).map(|h| h.end), Some(text.len()), "{text}");
        }
    }

    #[test]
    fn countries_are_in_order() {
        assert!(LENGTHS.is_sorted());
    }

    #[test]
    fn wrong_checks_lengths_and_countries_are_not() {
        for text in [
            "GB28NWBK60161331926819",
            "GB29NWBK6016133192681",
            "ZZ29NWBK60161331926819",
            "GB29NWBK60161331926819X",
            "GB",
        ] {
            assert!(at(text.as_bytes(), 0).is_none(), "{text}");
        }
    }
}
