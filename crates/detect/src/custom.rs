//! Detectors of the customer's own: words, patterns, and exact values known by their keyed hash.

use crate::{Hit, Kind};
use std::collections::{HashMap, HashSet};

/// Words in one dictionary; more belong into exact data.
pub const DICTIONARY_WORDS_MAX: usize = 100_000;
/// The shortest word of a dictionary, in bytes: single letters are everywhere.
pub const WORD_BYTES_MIN: usize = 2;
/// The longest word of a dictionary, in bytes: a word is looked for by its beginning and compared
/// whole.
pub const WORD_BYTES_MAX: usize = 256;
/// A pattern's compiled size at most, in bytes: an alternation of some thousand words fits.
pub const PATTERN_BYTES_MAX: usize = 1 << 20;
/// The longest pattern as written, in bytes.
pub const PATTERN_TEXT_MAX: usize = 4_096;
/// The shortest token that is compared with exact data, in bytes: shorter ones are everywhere.
pub const EXACT_BYTES_MIN: usize = 4;
/// The longest token that is compared with exact data, in bytes.
pub const EXACT_BYTES_MAX: usize = 64;

/// What can be wrong with a customer's detector.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CustomError {
    /// The dictionary has more words than a detector may have.
    #[error("a dictionary has at most `{DICTIONARY_WORDS_MAX}` words")]
    TooManyWords,
    /// A word is too short or too long.
    #[error("a word has `{WORD_BYTES_MIN}` to `{WORD_BYTES_MAX}` bytes")]
    Word,
    /// The pattern is too long.
    #[error("a pattern has at most `{PATTERN_TEXT_MAX}` bytes")]
    PatternLength,
    /// The pattern is not one, or compiles to too much.
    #[error("the pattern cannot be compiled")]
    Pattern(#[source] regex::Error),
    /// The pattern matches the empty text, and so everywhere.
    #[error("the pattern matches nothing at all; make it match at least one character")]
    Empty,
}

impl From<CustomError> for kernel::Problem {
    fn from(error: CustomError) -> Self {
        Self::field("/detector", error.to_string())
    }
}

/// A keyed hash of a value, as the caller makes it: the key never comes here.
pub trait KeyedHash: Send + Sync {
    /// The hash of a value; equal values have equal hashes, and only the key's holder can make one.
    fn hash(&self, value: &[u8]) -> [u8; 16];
}

/// One detector of the customer's own; its finds are [`Kind::Custom`] with its number.
pub struct Custom {
    kind: Kind,
    rule: Rule,
}

enum Rule {
    Words { words: HashMap<[u8; 2], Vec<Vec<u8>>> },
    Pattern(regex::bytes::Regex),
    Exact { hashes: HashSet<[u8; 16]>, hash: Box<dyn KeyedHash> },
}

impl std::fmt::Debug for Custom {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Custom").field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl Custom {
    /// Finds these words, letters of ASCII in any case, where no letter or digit stands beside
    /// them.
    ///
    /// # Errors
    /// [`CustomError::TooManyWords`], [`CustomError::Word`].
    pub fn dictionary<'a>(
        number: u16,
        words: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, CustomError> {
        let mut table: HashMap<[u8; 2], Vec<Vec<u8>>> = HashMap::new();
        for (count, word) in words.into_iter().enumerate() {
            if count >= DICTIONARY_WORDS_MAX {
                return Err(CustomError::TooManyWords);
            }
            let word = word.trim().to_ascii_lowercase().into_bytes();
            if !(WORD_BYTES_MIN..=WORD_BYTES_MAX).contains(&word.len()) {
                return Err(CustomError::Word);
            }
            table.entry(opening(&word, 0)).or_default().push(word);
        }
        for list in table.values_mut() {
            list.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
            list.dedup();
        }
        Ok(Self { kind: Kind::Custom(number), rule: Rule::Words { words: table } })
    }

    /// Finds what the pattern matches. The pattern is of the `regex` crate, in ASCII, and runs in
    /// time linear in the text's length.
    ///
    /// # Errors
    /// [`CustomError::PatternLength`], [`CustomError::Pattern`], [`CustomError::Empty`].
    pub fn pattern(number: u16, pattern: &str) -> Result<Self, CustomError> {
        if pattern.len() > PATTERN_TEXT_MAX {
            return Err(CustomError::PatternLength);
        }
        let pattern = regex::bytes::RegexBuilder::new(pattern)
            .unicode(false)
            .multi_line(true)
            .size_limit(PATTERN_BYTES_MAX)
            .dfa_size_limit(PATTERN_BYTES_MAX)
            .build()
            .map_err(CustomError::Pattern)?;
        if pattern.is_match(b"") {
            return Err(CustomError::Empty);
        }
        Ok(Self { kind: Kind::Custom(number), rule: Rule::Pattern(pattern) })
    }

    /// Finds the values whose keyed hashes these are, such as the bank's own customer numbers. A
    /// token of letters, digits and hyphens is compared without its hyphens and case; see
    /// [`normal`].
    #[must_use]
    pub fn exact(
        number: u16,
        hashes: impl IntoIterator<Item = [u8; 16]>,
        hash: Box<dyn KeyedHash>,
    ) -> Self {
        let hashes = hashes.into_iter().collect();
        Self { kind: Kind::Custom(number), rule: Rule::Exact { hashes, hash } }
    }

    /// Everything that this detector finds, in order, without overlaps.
    #[must_use]
    pub fn scan(&self, text: &[u8]) -> Vec<Hit> {
        match &self.rule {
            Rule::Words { words } => self.words(text, words),
            Rule::Pattern(pattern) => {
                let found = pattern.find_iter(text).filter(|m| !m.is_empty());
                found.map(|m| Hit::sure(self.kind, m.start(), m.end())).collect()
            }
            Rule::Exact { hashes, hash } => self.values(text, hashes, hash.as_ref()),
        }
    }

    fn words(&self, text: &[u8], words: &HashMap<[u8; 2], Vec<Vec<u8>>>) -> Vec<Hit> {
        let mut hits = Vec::new();
        let mut at = 0;
        while at < text.len() {
            let found = words.get(&opening(text, at));
            let end = found.and_then(|list| {
                list.iter().find_map(|word| {
                    let end = at + word.len();
                    let same = text.get(at..end)?.eq_ignore_ascii_case(word);
                    (same && alone(text, at, end)).then_some(end)
                })
            });
            if let Some(end) = end {
                hits.push(Hit::sure(self.kind, at, end));
            }
            at = end.unwrap_or(at + 1);
        }
        hits
    }

    fn values(&self, text: &[u8], hashes: &HashSet<[u8; 16]>, hash: &dyn KeyedHash) -> Vec<Hit> {
        let mut hits = Vec::new();
        let mut at = 0;
        while at < text.len() {
            let rest = text.get(at..).unwrap_or_default();
            let run = rest.iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'-').count();
            let token = rest.get(..run).unwrap_or_default();
            if (EXACT_BYTES_MIN..=EXACT_BYTES_MAX).contains(&run)
                && hashes.contains(&hash.hash(&normal(token)))
            {
                hits.push(Hit::sure(self.kind, at, at + run));
            }
            at += run.max(1);
        }
        hits
    }
}

/// A value as it is hashed for exact data: without spaces and hyphens, letters in upper case.
#[must_use]
pub fn normal(value: &[u8]) -> Vec<u8> {
    let kept = value.iter().filter(|b| !matches!(b, b' ' | b'-'));
    kept.map(u8::to_ascii_uppercase).collect()
}

fn lower(text: &[u8], at: usize) -> u8 {
    text.get(at).map_or(0, u8::to_ascii_lowercase)
}

/// The first two bytes of a word.
fn opening(text: &[u8], at: usize) -> [u8; 2] {
    [lower(text, at), lower(text, at + 1)]
}

/// A word of Latin letters or digits stands alone; Chinese has no borders between words.
fn alone(text: &[u8], start: usize, end: usize) -> bool {
    let word = |i: Option<usize>| {
        i.and_then(|i| text.get(i)).is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_')
    };
    let first = word(Some(start)) && word(start.checked_sub(1));
    let last = word(end.checked_sub(1)) && word(Some(end));
    !first && !last
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found<'a>(custom: &Custom, text: &'a str) -> Vec<&'a str> {
        let hits = custom.scan(text.as_bytes());
        hits.iter().map(|h| text.get(h.start..h.end).unwrap()).collect()
    }

    #[test]
    fn words_are_found_whole_and_in_any_case() {
        let custom = Custom::dictionary(1, ["Project Lion", "Lion", "獅子山"]).unwrap();
        let text = "project lion, LION; lioness 在獅子山下";
        assert_eq!(found(&custom, text), ["project lion", "LION", "獅子山"]);
        assert_eq!(custom.scan(b"lion")[0].kind, Kind::Custom(1));
    }

    #[test]
    fn dictionaries_have_limits() {
        let many = vec!["ab"; DICTIONARY_WORDS_MAX + 1];
        assert!(matches!(Custom::dictionary(1, many), Err(CustomError::TooManyWords)));
        let long = "a".repeat(WORD_BYTES_MAX + 1);
        assert!(matches!(Custom::dictionary(1, [long.as_str()]), Err(CustomError::Word)));
        assert!(matches!(Custom::dictionary(1, [" a"]), Err(CustomError::Word)));
    }

    #[test]
    fn patterns_are_found_and_bounded() {
        let custom = Custom::pattern(2, r"\bLR-\d{6}\b").unwrap();
        assert_eq!(found(&custom, "ref LR-123456, LR-1234567"), ["LR-123456"]);
        assert!(matches!(Custom::pattern(2, "a*"), Err(CustomError::Empty)));
        assert!(matches!(Custom::pattern(2, "("), Err(CustomError::Pattern(_))));
        assert!(matches!(Custom::pattern(2, "(a{1000}){1000}"), Err(CustomError::Pattern(_))));
        let long = "a".repeat(PATTERN_TEXT_MAX + 1);
        assert!(matches!(Custom::pattern(2, &long), Err(CustomError::PatternLength)));
    }

    struct Sum(u8);

    impl KeyedHash for Sum {
        fn hash(&self, value: &[u8]) -> [u8; 16] {
            let mut hash = [self.0; 16];
            for (i, b) in value.iter().enumerate() {
                hash[i % 16] = hash[i % 16].wrapping_mul(31).wrapping_add(*b);
            }
            hash
        }
    }

    #[test]
    fn exact_values_are_found_by_their_hash() {
        let key = Sum(7);
        let known = ["C0012345", "998877"].map(|v| key.hash(&normal(v.as_bytes())));
        let custom = Custom::exact(3, known, Box::new(Sum(7)));
        assert_eq!(found(&custom, "c-001-2345, 998877 and 998878"), ["c-001-2345", "998877"]);
        let other = Custom::exact(3, known, Box::new(Sum(8)));
        assert!(found(&other, "998877").is_empty());
    }
}
