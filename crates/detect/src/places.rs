//! The gazetteer: regions, districts and quarters of Hong Kong in both languages.

use std::collections::HashMap;
use std::sync::LazyLock;

/// Pairs of letters, with one more for what is none.
const PAIRS: usize = 27 * 27;

/// Places by their first two letters (English, lower case) or first character (Chinese), the
/// longest first.
struct Gazetteer {
    /// Beginnings of three letters that some place has.
    begins: Vec<u64>,
    english: Vec<Vec<Place>>,
    chinese: HashMap<char, Vec<&'static str>>,
}

/// A place by its first eight letters, and its other ones.
struct Place {
    head: u64,
    mask: u64,
    rest: &'static [u8],
    length: usize,
}

impl Place {
    fn new(name: &'static str) -> Self {
        let bytes = name.as_bytes();
        let count = bytes.len().min(8);
        let mask = if count == 8 { u64::MAX } else { (1 << (8 * count)) - 1 };
        let rest = bytes.get(count..).unwrap_or_default();
        Self { head: head(bytes) & mask, mask, rest, length: bytes.len() }
    }
}

/// The first eight bytes without case; zero for those that are missing.
fn head(text: &[u8]) -> u64 {
    let mut bytes = [0u8; 8];
    match text.first_chunk::<8>() {
        Some(first) => bytes = *first,
        None => bytes.iter_mut().zip(text).for_each(|(place, byte)| *place = *byte),
    }
    u64::from_le_bytes(bytes) | 0x2020_2020_2020_2020
}

static PLACES: LazyLock<Gazetteer> = LazyLock::new(|| {
    let lines = |file: &'static str| {
        file.lines().filter(|l| !l.starts_with('#')).flat_map(|l| l.split('|'))
    };
    let mut english: Vec<Vec<Place>> = Vec::new();
    english.resize_with(PAIRS, Vec::new);
    let mut begins = vec![0; BEGINNINGS / 64];
    for place in lines(include_str!("../data/places-en.txt")) {
        if let [a, b, ..] = place.as_bytes()
            && let Some(list) = english.get_mut(pair(*a, *b))
        {
            list.push(Place::new(place));
        }
        // After two letters anything may stand.
        for third in place.as_bytes().get(2).map_or(0..=u8::MAX, |third| *third..=*third) {
            let first: Vec<u8> = place.bytes().take(2).chain([third]).collect();
            let (word, bit) = beginning(&first);
            if let Some(bits) = begins.get_mut(word) {
                *bits |= bit;
            }
        }
    }
    let mut chinese: HashMap<char, Vec<&'static str>> = HashMap::new();
    for place in lines(include_str!("../data/places-zh.txt")) {
        if let Some(first) = place.chars().next() {
            chinese.entry(first).or_default().push(place);
        }
    }
    for list in &mut english {
        list.sort_by_key(|place| std::cmp::Reverse(place.length));
    }
    for list in chinese.values_mut() {
        list.sort_by_key(|place| std::cmp::Reverse(place.len()));
    }
    Gazetteer { begins, english, chinese }
});

/// Beginnings are told apart by this many bits.
const BEGINNINGS: usize = 4_096;

/// The word and the bit for the first three letters, without case.
fn beginning(text: &[u8]) -> (usize, u64) {
    let byte = |i: usize| u32::from(text.get(i).map_or(b' ', |b| b | 0x20));
    let key = byte(0) | byte(1) << 8 | byte(2) << 16;
    let place = key.wrapping_mul(0x9e37_79b1) >> (32 - BEGINNINGS.ilog2());
    ((place / 64) as usize, 1 << (place % 64))
}

/// The list of a place's first two letters; what is no letter shares one.
fn pair(a: u8, b: u8) -> usize {
    let letter = |c: u8| usize::from(c.to_ascii_lowercase().wrapping_sub(b'a').min(26));
    letter(a) * 27 + letter(b)
}

/// Where the English place that starts here ends; it begins with a capital and ends a word.
pub(crate) fn starts(text: &[u8], start: usize) -> Option<usize> {
    let rest = text.get(start..)?;
    let (a, b) = (rest.first()?, rest.get(1)?);
    let (word, bit) = beginning(rest);
    if !a.is_ascii_uppercase() || PLACES.begins.get(word).is_none_or(|bits| bits & bit == 0) {
        return None;
    }
    let list = PLACES.english.get(pair(*a, *b))?;
    let head = head(rest);
    list.iter().filter(|place| head & place.mask == place.head).find_map(|place| {
        let tail = rest.get(place.length - place.rest.len()..place.length)?;
        let ends = !rest.get(place.length).is_some_and(u8::is_ascii_alphanumeric);
        (ends && tail.eq_ignore_ascii_case(place.rest)).then_some(start + place.length)
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
