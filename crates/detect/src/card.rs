//! Payment card numbers: issuer range and length, Luhn (ISO/IEC 7812-1, annex B).

use crate::digits::Number;
use crate::text::border_after;
use crate::topic::Topic;
use crate::{Hit, Kind};

/// Issuer ranges by their first six digits, and the lengths that they are issued in: bit n for n.
/// The most common first.
const RANGES: &[(u32, u32, u32)] = &[
    (400_000, 499_999, 1 << 13 | 1 << 16 | 1 << 19),
    (510_000, 559_999, 1 << 16),
    (340_000, 349_999, 1 << 15),
    (370_000, 379_999, 1 << 15),
    (222_100, 272_099, 1 << 16),
    (620_000, 629_999, 1 << 16 | 1 << 17 | 1 << 18 | 1 << 19),
    (300_000, 305_999, 1 << 14),
    (352_800, 358_999, 1 << 16 | 1 << 17 | 1 << 18 | 1 << 19),
    (360_000, 369_999, 1 << 14),
    (380_000, 399_999, 1 << 14),
    (810_000, 817_199, 1 << 16 | 1 << 17 | 1 << 18 | 1 << 19),
    (601_100, 601_199, 1 << 16 | 1 << 19),
    (644_000, 659_999, 1 << 16 | 1 << 19),
];

/// The card number that these digits are, if they are one.
pub(crate) fn of(
    text: &[u8],
    start: usize,
    number: &Number<'_>,
    topic: impl FnOnce() -> Option<Topic>,
) -> Option<Hit> {
    let digits = number.digits;
    if !(13..=19).contains(&digits.len())
        || !luhn(digits)
        || !issued(number)
        || !grouped(number.groups)
        || !border_after(text, number.end)
    {
        return None;
    }
    // Lengths that networks no longer or hardly issue, where counters and times of 13 and 14 digits
    // are common: a word must speak for them.
    let rare = matches!((digits.first(), digits.len()), (Some(4), 13 | 19) | (_, 14 | 17 | 18));
    let topic = if rare || counted(text, start) { topic() } else { Some(Topic::Card) };
    if topic == Some(Topic::Card) || !rare && topic != Some(Topic::Other) {
        return Some(Hit::sure(Kind::PaymentCard, start, number.end));
    }
    Some(Hit::possible(Kind::PaymentCard, start, number.end))
}

/// Whether a name stands right before, which may be a counter's: `trace=`, `seq: `, `order #`.
fn counted(text: &[u8], start: usize) -> bool {
    let head = text.get(start.saturating_sub(3)..start).unwrap_or_default();
    let head = head.strip_suffix(b" ").unwrap_or(head);
    let head = head.strip_suffix(b"\"").unwrap_or(head);
    matches!(head.last(), Some(b'=' | b':' | b'#'))
}

/// Groups as people write them: all in one, fours with a rest, or 4-6-5 and 4-6-4.
fn grouped(groups: &[u8]) -> bool {
    match groups {
        [_] | [4, 6, 4 | 5] => true,
        [fours @ .., last] => fours.iter().all(|n| *n == 4) && (1..=7).contains(last),
        [] => false,
    }
}

fn issued(number: &Number<'_>) -> bool {
    if !matches!(number.digits.first(), Some(2..=6 | 8)) {
        return false;
    }
    let Some(prefix) = number.value(0, 6) else { return false };
    let lengths = RANGES.iter().find(|(from, to, _)| (*from..=*to).contains(&prefix));
    lengths.is_some_and(|(_, _, lengths)| lengths >> number.digits.len() & 1 == 1)
}

/// Eight digits at a time, from the right: every second one is doubled, and the digits of the
/// products are added.
fn luhn(digits: &[u8]) -> bool {
    let (first, whole) = digits.as_rchunks::<8>();
    let mut start = [0u8; 8];
    start.iter_mut().rev().zip(first.iter().rev()).for_each(|(place, digit)| *place = *digit);
    let sum = whole.iter().fold(part(start), |sum, digits| sum + part(*digits));
    sum.is_multiple_of(10) && sum > 0
}

fn part(digits: [u8; 8]) -> u64 {
    let digits = u64::from_le_bytes(digits);
    let twice = (digits & 0x000f_000f_000f_000f) << 1;
    // Ten and more show in the fifth bit when six is added: nine is taken away.
    let tens = (twice + 0x0006_0006_0006_0006) >> 4 & 0x0001_0001_0001_0001;
    let sums = twice + (digits >> 8 & 0x000f_000f_000f_000f) - tens * 9;
    sums.wrapping_mul(0x0001_0001_0001_0001) >> 48
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Confidence;
    use crate::digits::Run;

    fn end(text: &str) -> Option<usize> {
        let run = Run::read(text.as_bytes(), 0)?;
        run.numbers()
            .find_map(|n| of(text.as_bytes(), 0, &n, || Some(Topic::Card)))
            .map(|hit| hit.end)
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
        assert_eq!(end("4111 1111 1111 1111 25"), Some(19));
    }

    #[test]
    fn a_length_that_counters_share_needs_a_word() {
        let run = Run::read(b"30569309025904", 0).unwrap();
        let hit = of(b"30569309025904", 0, &run.whole().unwrap(), || None).unwrap();
        assert_eq!(hit.confidence, Confidence::Possible);
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
