//! Payment card numbers: issuer range and length, Luhn (ISO/IEC 7812-1, annex B).

use crate::text::border_after;
use crate::{Confidence, Hit, Kind};

const DIGITS_MAX: usize = 19;

/// Issuer ranges by their first six digits, and the lengths that they are issued in.
const RANGES: &[(u32, u32, &[usize])] = &[
    (222_100, 272_099, &[16]),
    (300_000, 305_999, &[14]),
    (340_000, 349_999, &[15]),
    (352_800, 358_999, &[16, 17, 18, 19]),
    (360_000, 369_999, &[14]),
    (370_000, 379_999, &[15]),
    (380_000, 399_999, &[14]),
    (400_000, 499_999, &[13, 16, 19]),
    (510_000, 559_999, &[16]),
    (620_000, 629_999, &[16, 17, 18, 19]),
    (810_000, 817_199, &[16, 17, 18, 19]),
    (601_100, 601_199, &[16, 19]),
    (644_000, 659_999, &[16, 19]),
];

/// The card number that starts here, if one does.
pub(crate) fn at(text: &[u8], start: usize) -> Option<Hit> {
    let mut digits = [0u8; DIGITS_MAX];
    let mut groups = [0usize; DIGITS_MAX];
    let (mut count, mut group, mut end, mut joint) = (0usize, 0usize, start, None);
    for (offset, byte) in text.get(start..)?.iter().enumerate() {
        match byte {
            b'0'..=b'9' => {
                *digits.get_mut(count)? = byte - b'0';
                *groups.get_mut(group)? += 1;
                count += 1;
                end = start + offset + 1;
            }
            b' ' | b'-' if joint.is_none_or(|j| j == *byte) => {
                // One joint between two digits; two in a row end the number.
                if end != start + offset {
                    break;
                }
                joint = Some(*byte);
                group += 1;
            }
            _ => break,
        }
    }
    let groups = groups.get(..=group)?;
    // A joint after the last digit belongs to the text that follows.
    let groups = groups.strip_suffix(&[0]).unwrap_or(groups);
    let digits = digits.get(..count)?;
    let fits = issued(digits) && luhn(digits) && grouped(groups) && border_after(text, end);
    fits.then_some(Hit { kind: Kind::PaymentCard, start, end, confidence: Confidence::Sure })
}

/// Groups as people write them: all in one, fours with a rest, or 4-6-5 and 4-6-4.
fn grouped(groups: &[usize]) -> bool {
    match groups {
        [_] | [4, 6, 4 | 5] => true,
        [fours @ .., last] => fours.iter().all(|n| *n == 4) && (1..=7).contains(last),
        [] => false,
    }
}

fn issued(digits: &[u8]) -> bool {
    let Some(six) = digits.get(..6) else { return false };
    let prefix = six.iter().fold(0u32, |acc, d| acc * 10 + u32::from(*d));
    RANGES.iter().any(|(from, to, lengths)| {
        (*from..=*to).contains(&prefix) && lengths.contains(&digits.len())
    })
}

fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(i, d)| {
            let d = u32::from(*d) << (i % 2);
            if d > 9 { d - 9 } else { d }
        })
        .sum();
    sum.is_multiple_of(10) && digits.iter().any(|d| *d != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(text: &str) -> Option<usize> {
        at(text.as_bytes(), 0).map(|hit| hit.end)
    }

    #[test]
    fn test_numbers_that_networks_publish_are_found() {
        for text in [
            "4111111111111111",
            "4111 1111 1111 1111",
            "4111-1111-1111-1111",
            "5555555555554444",
            "2223003122003222",
            "378282246310005",
            "3782 822463 10005",
            "3566002020360505",
            "6200000000000005",
            "30569309025904",
            "6011111111111117",
        ] {
            assert_eq!(end(text), Some(text.len()), "{text}");
        }
        assert_eq!(end("4111111111111111 and more"), Some(16));
    }

    #[test]
    fn other_digits_are_not_cards() {
        for text in [
            "4111111111111112",
            "1234567890123452",
            "411111111111111",
            "4111  1111 1111 1111",
            "4111 1111-1111 1111",
            "0000000000000000",
            "41111111111111110000000",
            "4111",
            "41 11 11 11 11 11 11 11",
        ] {
            assert_eq!(end(text), None, "{text}");
        }
    }
}
