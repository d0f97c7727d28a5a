//! Words that speak of someone's health. They mark a document rather than a place in it, so only
//! its beginning is read, word by word.

use crate::{Hit, Kind};
use std::collections::HashMap;
use std::sync::LazyLock;

/// How much of a document is read, in bytes.
const READ_BYTES: usize = 64 * 1024;

static HEALTH: LazyLock<HashMap<[u8; 3], Vec<&'static [u8]>>> = LazyLock::new(|| {
    let mut words: HashMap<[u8; 3], Vec<&'static [u8]>> = HashMap::new();
    let lines = include_str!("../data/health-terms.txt").lines().filter(|l| !l.starts_with('#'));
    for word in lines.flat_map(|line| line.split('|')) {
        if let Some(first) = word.as_bytes().first_chunk::<3>() {
            words.entry(*first).or_default().push(word.as_bytes());
        }
    }
    for list in words.values_mut() {
        list.sort_by_key(|word| std::cmp::Reverse(word.len()));
    }
    words
});

/// The words of health at the beginning of a document, in order.
pub(crate) fn health(text: &[u8]) -> Vec<Hit> {
    let head = text.get(..text.len().min(READ_BYTES)).unwrap_or_default();
    let lower = head.to_ascii_lowercase();
    let mut hits = Vec::new();
    let mut at = 0;
    while let Some(first) = lower.get(at..).and_then(|rest| rest.first_chunk::<3>()) {
        let found = HEALTH.get(first).and_then(|list| {
            list.iter().map(|word| at + word.len()).zip(list).find_map(|(end, word)| {
                let same = lower.get(at..end)? == *word;
                let letter = |i: Option<usize>| {
                    i.and_then(|i| lower.get(i)).is_some_and(u8::is_ascii_alphabetic)
                };
                let alone = !letter(at.checked_sub(1)) && !letter(Some(end)) || !first.is_ascii();
                (same && alone).then_some(end)
            })
        });
        match found {
            Some(end) => {
                hits.push(Hit::likely(Kind::Health, at, end));
                at = end;
            }
            None => at += 1,
        }
    }
    hits
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
