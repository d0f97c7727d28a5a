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
const PLACES: usize = 8192;

struct Table {
    places: Vec<(u128, Roles)>,
}

impl Table {
    fn add(&mut self, word: &str, roles: Roles) {
        let key = pack(word.as_bytes());
        let mut place = place_of(key);
        while let Some(entry) = self.places.get_mut(place) {
            if entry.0 == 0 || entry.0 == key {
                *entry = (key, Roles(entry.1.0 | roles.0));
                return;
            }
            place = (place + 1) % PLACES;
        }
    }

    fn get(&self, key: u128) -> Roles {
        let mut place = place_of(key);
        loop {
            match self.places.get(place) {
                Some((found, roles)) if *found == key => return *roles,
                Some((0, _)) | None => return Roles::default(),
                Some(_) => place = (place + 1) % PLACES,
            }
        }
    }
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut table = Table { places: vec![(0, Roles::default()); PLACES] };
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

/// The word in small letters, its first letter in the lowest byte.
fn pack(word: &[u8]) -> u128 {
    word.iter().rev().fold(0, |key, b| key << 8 | u128::from(b.to_ascii_lowercase()))
}

#[inline]
fn place_of(key: u128) -> usize {
    let halves = key & u128::from(u64::MAX) ^ (key >> 64);
    let mixed = halves.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 51;
    usize::try_from(mixed % PLACES as u128).unwrap_or_default()
}

/// Sixteen bytes each of the same value.
const fn each(byte: u8) -> u128 {
    u128::from_le_bytes([byte; 16])
}

/// The letters that start here: how many, and what the word can be.
pub(crate) fn at(text: &[u8], start: usize) -> (usize, Roles) {
    let rest = text.get(start..).unwrap_or_default();
    if let Some(bytes) = rest.first_chunk::<16>() {
        // In each byte's highest bit: whether it is no letter.
        let folded = u128::from_le_bytes(*bytes) | each(0x20);
        let seven = folded & each(0x7f);
        let letter = (seven + each(0x80 - b'a')) & !(seven + each(0x7f - b'z'));
        let other = !(letter & !folded) & each(0x80);
        if other != 0 {
            let bits = other.trailing_zeros() / 8 * 8;
            let key = folded & !(u128::MAX << bits);
            return ((bits / 8) as usize, TABLE.get(key));
        }
    }
    let mut key = 0u128;
    for (length, byte) in rest.iter().take(LETTERS_MAX + 1).enumerate() {
        if !byte.is_ascii_alphabetic() {
            return (length, TABLE.get(key));
        }
        let shift = u32::try_from(8 * length).unwrap_or(u32::MAX);
        key |= u128::from(byte | 0x20).checked_shl(shift).unwrap_or(0);
    }
    if rest.len() <= LETTERS_MAX {
        return (rest.len(), TABLE.get(key));
    }
    (rest.iter().take(64).take_while(|b| b.is_ascii_alphabetic()).count(), Roles::default())
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
