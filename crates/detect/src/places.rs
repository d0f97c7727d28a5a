//! The gazetteer: regions, districts and quarters of Hong Kong in both languages.

use std::collections::HashMap;
use std::sync::LazyLock;

/// Pairs of letters, with one more for what is none.
const PAIRS: usize = 27 * 27;

/// Places by their first two letters (English, lower case) or first character (Chinese), the
/// longest first.
struct Gazetteer {
    english: Vec<Vec<&'static str>>,
    chinese: HashMap<char, Vec<&'static str>>,
}

static PLACES: LazyLock<Gazetteer> = LazyLock::new(|| {
    let lines = |file: &'static str| {
        file.lines().filter(|l| !l.starts_with('#')).flat_map(|l| l.split('|'))
    };
    let mut english: Vec<Vec<&'static str>> = Vec::new();
    english.resize_with(PAIRS, Vec::new);
    for place in lines(include_str!("../data/places-en.txt")) {
        if let [a, b, ..] = place.as_bytes()
            && let Some(list) = english.get_mut(pair(*a, *b))
        {
            list.push(place);
        }
    }
    let mut chinese: HashMap<char, Vec<&'static str>> = HashMap::new();
    for place in lines(include_str!("../data/places-zh.txt")) {
        if let Some(first) = place.chars().next() {
            chinese.entry(first).or_default().push(place);
        }
    }
    for list in english.iter_mut().chain(chinese.values_mut()) {
        list.sort_by_key(|place| std::cmp::Reverse(place.len()));
    }
    Gazetteer { english, chinese }
});

/// The list of a place's first two letters; what is no letter shares one.
fn pair(a: u8, b: u8) -> usize {
    let letter = |c: u8| usize::from(c.to_ascii_lowercase().wrapping_sub(b'a').min(26));
    letter(a) * 27 + letter(b)
}

/// Where the English place that starts here ends; it begins with a capital and ends a word.
pub(crate) fn starts(text: &[u8], start: usize) -> Option<usize> {
    let rest = text.get(start..)?;
    let (a, b) = (rest.first()?, rest.get(1)?);
    if !a.is_ascii_uppercase() {
        return None;
    }
    let list = PLACES.english.get(pair(*a, *b))?;
    list.iter().find_map(|place| {
        let same = rest.get(..place.len())?.eq_ignore_ascii_case(place.as_bytes());
        let ends = !rest.get(place.len()).is_some_and(u8::is_ascii_alphanumeric);
        (same && ends).then_some(start + place.len())
    })
}

/// How many bytes the Chinese place takes that these characters start with.
pub(crate) fn starts_chinese(text: &str) -> Option<usize> {
    let list = PLACES.chinese.get(&text.chars().next()?)?;
    list.iter().find(|place| text.starts_with(**place)).map(|place| place.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_place_is_found() {
        assert_eq!(starts(b"Wan Chai, Hong Kong", 0), Some(8));
        assert_eq!(starts(b"KOWLOON BAY", 0), Some(11));
        assert_eq!(starts(b"Centralised", 0), None);
        assert_eq!(starts_chinese("香港仔大道"), Some(9));
        assert_eq!(starts_chinese("北京"), None);
    }
}
