//! A dictionary of capitalised words: parts of names, titles, words of addresses and companies.

use std::sync::LazyLock;

/// What a word can be; several at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Roles(u16);

impl Roles {
    pub(crate) const SURNAME: Self = Self(1);
    pub(crate) const SYLLABLE: Self = Self(2);
    pub(crate) const GIVEN: Self = Self(4);
    pub(crate) const TITLE: Self = Self(8);
    pub(crate) const BEFORE: Self = Self(16);
    pub(crate) const COMPANY: Self = Self(32);
    pub(crate) const FLAT: Self = Self(64);
    pub(crate) const BLOCK: Self = Self(128);
    pub(crate) const STREET: Self = Self(256);
    pub(crate) const BUILDING: Self = Self(512);
    pub(crate) const BEGIN: Self = Self(1024);
    /// A word that may start a name or an address, or a private key.
    pub(crate) const STARTS: Self =
        Self(Self::SURNAME.0 | Self::GIVEN.0 | Self::FLAT.0 | Self::BLOCK.0 | Self::BEGIN.0);
    /// A word after which what stood before was no person.
    pub(crate) const THINGS: Self =
        Self(Self::COMPANY.0 | Self::STREET.0 | Self::BUILDING.0 | Self::BLOCK.0);

    pub(crate) const fn any(self, wanted: Self) -> bool {
        self.0 & wanted.0 != 0
    }

    fn named(word: &str) -> Self {
        match word {
            "surname" => Self::SURNAME,
            "syllable" => Self::SYLLABLE,
            "given" => Self::GIVEN,
            "title" => Self::TITLE,
            "before" => Self::BEFORE,
            "company" => Self::COMPANY,
            "flat" => Self::FLAT,
            "block" => Self::BLOCK,
            "street" => Self::STREET,
            "building" => Self::BUILDING,
            _ => Self(0),
        }
    }
}

/// Longer words are in no list.
const LETTERS_MAX: usize = 16;
const PLACES: usize = 4096;
/// Words are told apart from those in no list by this many bits.
const MARKS: usize = 65_536;

/// A word in small letters, its first letter in the lowest byte.
type Key = [u64; 2];

struct Table {
    marks: Box<[u64; MARKS / 64]>,
    places: Box<[(Key, Roles); PLACES]>,
}

impl Table {
    fn add(&mut self, word: &str, roles: Roles) {
        let key = pack(word.as_bytes());
        let hash = hash_of(key);
        if let Some(marks) = self.marks.get_mut(hash / 64) {
            *marks |= 1 << (hash % 64);
        }
        let mut place = hash;
        while let Some(entry) = self.places.get_mut(place % PLACES) {
            if entry.0 == [0, 0] || entry.0 == key {
                *entry = (key, Roles(entry.1.0 | roles.0));
                return;
            }
            place += 1;
        }
    }

    #[inline]
    fn get(&self, key: Key) -> Roles {
        let hash = hash_of(key);
        let marks = self.marks.get(hash / 64 % (MARKS / 64));
        if marks.is_none_or(|marks| marks >> (hash % 64) & 1 == 0) {
            return Roles::default();
        }
        let mut place = hash;
        loop {
            match self.places.get(place % PLACES) {
                Some((found, roles)) if *found == key => return *roles,
                Some(([0, 0], _)) | None => return Roles::default(),
                Some(_) => place += 1,
            }
        }
    }
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let places = Box::new([([0, 0], Roles::default()); PLACES]);
    let mut table = Table { marks: Box::new([0; MARKS / 64]), places };
    let names = include_str!("../data/names-en.tsv");
    for line in names.lines().chain(include_str!("../data/address-words.tsv").lines()) {
        let Some((role, words)) = line.split_once('\t') else { continue };
        for word in words.split_ascii_whitespace() {
            table.add(word, Roles::named(role));
        }
    }
    table.add("begin", Roles::BEGIN);
    table
});

fn pack(word: &[u8]) -> Key {
    let mut key = [0u8; LETTERS_MAX];
    key.iter_mut().zip(word).for_each(|(place, byte)| *place = byte | 0x20);
    let half = |bytes: &[u8]| bytes.iter().rev().fold(0, |key, b| key << 8 | u64::from(*b));
    let (low, high) = key.split_at(8);
    [half(low), half(high)]
}

#[inline]
fn hash_of([low, high]: Key) -> usize {
    let mixed = (low ^ high.rotate_left(29)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    usize::try_from(mixed >> (64 - MARKS.ilog2())).unwrap_or_default()
}

/// Eight bytes each of the same value.
const fn each(byte: u8) -> u64 {
    u64::from_le_bytes([byte; 8])
}

/// In each byte's highest bit: whether it is no letter, case put aside.
#[inline]
const fn others(folded: u64) -> u64 {
    let seven = folded & each(0x7f);
    let letter = (seven + each(0x80 - b'a')) & !(seven + each(0x7f - b'z'));
    !(letter & !folded) & each(0x80)
}

/// The letters that start here: how many, and what the word can be.
#[inline]
pub(crate) fn at(text: &[u8], start: usize) -> (usize, Roles) {
    let rest = text.get(start..).unwrap_or_default();
    match rest.first_chunk::<LETTERS_MAX>() {
        Some(bytes) => among(bytes, rest),
        None => at_end(rest),
    }
}

/// The same near the end of the text, behind which no letter stands.
fn at_end(rest: &[u8]) -> (usize, Roles) {
    let mut bytes = [0; LETTERS_MAX];
    bytes.iter_mut().zip(rest).for_each(|(place, byte)| *place = *byte);
    among(&bytes, rest)
}

#[inline]
fn among(bytes: &[u8; LETTERS_MAX], rest: &[u8]) -> (usize, Roles) {
    let ([low, high], _) = bytes.as_chunks::<8>() else { return long(rest) };
    let low = u64::from_le_bytes(*low) | each(0x20);
    let other = others(low);
    if other != 0 {
        let bits = other.trailing_zeros() / 8 * 8;
        return ((bits / 8) as usize, TABLE.get([low & !(u64::MAX << bits), 0]));
    }
    let high = u64::from_le_bytes(*high) | each(0x20);
    let other = others(high);
    if other == 0 {
        return long(rest);
    }
    let bits = other.trailing_zeros() / 8 * 8;
    (8 + (bits / 8) as usize, TABLE.get([low, high & !(u64::MAX << bits)]))
}

/// The same for sixteen letters and more.
#[cold]
fn long(rest: &[u8]) -> (usize, Roles) {
    let length = rest.iter().take(64).take_while(|b| b.is_ascii_alphabetic()).count();
    let word = rest.get(..length).filter(|word| word.len() <= LETTERS_MAX);
    (length, word.map_or_else(Roles::default, |word| TABLE.get(pack(word))))
}

/// The word that ends right before this place: its start and what it can be.
pub(crate) fn before(text: &[u8], end: usize) -> Option<(usize, Roles)> {
    let head = text.get(..end)?;
    let length =
        head.iter().rev().take(LETTERS_MAX + 1).take_while(|b| b.is_ascii_alphabetic()).count();
    let start = end - length;
    (1..=LETTERS_MAX).contains(&length).then(|| (start, at(text, start).1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_long_texts_give_the_same_word() {
        for word in ["", "a", "Chan", "abcdefghijklmno", "abcdefghijklmnop", "Zz", "Lee[", "Lee{"] {
            let long = format!("{word}@ and what follows it");
            let alone = at(word.as_bytes(), 0);
            assert_eq!(at(long.as_bytes(), 0), alone, "{word}");
            assert_eq!(alone.0, word.trim_end_matches(['[', '{']).len());
        }
    }

    #[test]
    fn words_have_their_roles_in_any_case() {
        assert!(at(b"Chan", 0).1.any(Roles::SURNAME));
        assert!(at(b"CHAN ", 0).1.any(Roles::SURNAME));
        assert_eq!(at(b"Chan-x", 0).0, 4);
        assert!(at(b"Road,", 0).1.any(Roles::STREET));
        assert_eq!(at(b"Qwertyuiop", 0), (10, Roles::default()));
        assert_eq!(at(b"Abcdefghijklmnopqrst", 0), (20, Roles::default()));
        assert!(before(b"Dear", 4).is_some_and(|(s, r)| s == 0 && r.any(Roles::TITLE)));
    }
}
