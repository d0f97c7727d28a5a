//! Words that speak of someone's health. They mark a document rather than a place in it, so only
//! its beginning is read, word by word.

use crate::{Hit, Kind};
use std::sync::LazyLock;

/// How much of a document is read, in bytes.
const READ_BYTES: usize = 64 * 1024;
/// Beginnings of words are told apart by this many bits.
const MARKS: usize = 16_384;

/// Words by their first three bytes; most places of a text begin none, which one bit says.
struct Words {
    marks: Box<[u64; MARKS / 64]>,
    /// In order of their beginnings, and of those alike the longest first.
    words: Vec<([u8; 3], &'static [u8])>,
}

static HEALTH: LazyLock<Words> = LazyLock::new(|| {
    let mut health = Words { marks: Box::new([0; MARKS / 64]), words: Vec::new() };
    let lines = include_str!("../data/health-terms.txt").lines().filter(|l| !l.starts_with('#'));
    for word in lines.flat_map(|line| line.split('|')) {
        if let Some(first) = word.as_bytes().first_chunk::<3>() {
            let place = place_of(*first);
            if let Some(marks) = health.marks.get_mut(place / 64) {
                *marks |= 1 << (place % 64);
            }
            health.words.push((*first, word.as_bytes()));
        }
    }
    health.words.sort_by_key(|(first, word)| (*first, std::cmp::Reverse(word.len())));
    health
});

#[inline]
const fn place_of([a, b, c]: [u8; 3]) -> usize {
    let key = u32::from_le_bytes([a, b, c, 0]).wrapping_mul(0x9e37_79b1);
    (key >> (32 - MARKS.ilog2())) as usize
}

/// The words of health at the beginning of a document, in order.
pub(crate) fn health(text: &[u8]) -> Vec<Hit> {
    let head = text.get(..text.len().min(READ_BYTES)).unwrap_or_default();
    let lower = head.to_ascii_lowercase();
    let known = &*HEALTH;
    let mut hits = Vec::new();
    let mut next = 0;
    for (at, bytes) in lower.windows(3).enumerate() {
        let [a, b, c] = *bytes else { continue };
        let place = place_of([a, b, c]);
        let marks = known.marks.get(place / 64 % (MARKS / 64));
        if marks.is_none_or(|marks| marks >> (place % 64) & 1 == 0) || at < next {
            continue;
        }
        if let Some(end) = known.longest(&lower, at, [a, b, c]) {
            hits.push(Hit::likely(Kind::Health, at, end));
            next = end;
        }
    }
    hits
}

impl Words {
    /// Where the longest word ends that starts here.
    fn longest(&self, lower: &[u8], at: usize, first: [u8; 3]) -> Option<usize> {
        let from = self.words.partition_point(|(known, _)| *known < first);
        let alike = self.words.get(from..)?.iter().take_while(|(known, _)| *known == first);
        let letter =
            |i: Option<usize>| i.and_then(|i| lower.get(i)).is_some_and(u8::is_ascii_alphabetic);
        alike.map(|(_, word)| (at + word.len(), word)).find_map(|(end, word)| {
            let same = lower.get(at..end)? == *word;
            let ascii = first.first().is_some_and(u8::is_ascii);
            let alone = !letter(at.checked_sub(1)) && !letter(Some(end)) || !ascii;
            (same && alone).then_some(end)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_health_are_found_in_both_languages() {
        let found = |text: &str| health(text.as_bytes()).len();
        assert_eq!(found("Diagnosis: Type 2 diabetes."), 2);
        assert_eq!(found("診斷：糖尿病及高血壓"), 3);
        assert_eq!(found("a healthy balance sheet, cancerous? prediabetes"), 0);
    }
}
