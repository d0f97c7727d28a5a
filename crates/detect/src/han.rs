//! Chinese characters: what one can be in a name, and reading text around a place as characters.

use std::sync::LazyLock;

const FIRST: u32 = 0x4e00;
const LAST: u32 = 0x9fff;
/// What three bytes can number.
const NUMBERS: usize = 0x1_0000;

/// A family name of one character.
pub(crate) const SURNAME: u8 = 1;
/// A character of given names.
pub(crate) const GIVEN: u8 = 2;
/// The first character of a family name of two.
pub(crate) const COMPOUND: u8 = 4;

/// The first character of a word that looks like a name and is none.
pub(crate) const NEVER: u8 = 8;
/// The last character of a word that announces a person, or of what may stand after one.
pub(crate) const ANNOUNCES: u8 = 16;
/// The first character of a title.
pub(crate) const TITLE: u8 = 32;
/// The first character of another word that may follow a name.
pub(crate) const AFTER: u8 = 64;
/// The first character of a place's name.
pub(crate) const PLACE: u8 = 128;

struct Table {
    /// By the character's number.
    roles: Box<[u8; NUMBERS]>,
    compounds: Vec<&'static str>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut table = Table { roles: Box::new([0; NUMBERS]), compounds: Vec::new() };
    let mut add = |c: char, role: u8| {
        if let Some(roles) = place(c).and_then(|i| table.roles.get_mut(i)) {
            *roles |= role;
        }
    };
    let lines = |file: &'static str| file.lines().filter(|l| !l.starts_with('#'));
    for name in lines(include_str!("../data/surnames-zh.txt")).flat_map(str::split_whitespace) {
        let mut chars = name.chars();
        match (chars.next(), chars.next()) {
            (Some(c), None) => add(c, SURNAME),
            (Some(c), Some(_)) => {
                add(c, COMPOUND);
                table.compounds.push(name);
            }
            (None, _) => {}
        }
    }
    for line in lines(include_str!("../data/context-zh.tsv")) {
        let Some((role, words)) = line.split_once('\t') else { continue };
        for word in words.split('|') {
            let mut chars = word.chars();
            let (c, role) = match role {
                "before" => (chars.next_back(), ANNOUNCES),
                "title" => (chars.next(), TITLE),
                "after" => (chars.next(), AFTER),
                "never" => (chars.next(), NEVER),
                _ => continue,
            };
            if let Some(roles) = c.and_then(place).and_then(|i| table.roles.get_mut(i)) {
                *roles |= role;
            }
        }
    }
    for c in "為是为".chars() {
        if let Some(roles) = place(c).and_then(|i| table.roles.get_mut(i)) {
            *roles |= ANNOUNCES;
        }
    }
    let places = lines(include_str!("../data/places-zh.txt")).flat_map(|l| l.split('|'));
    for c in places.filter_map(|place| place.chars().next()) {
        if let Some(roles) = place(c).and_then(|i| table.roles.get_mut(i)) {
            *roles |= PLACE;
        }
    }
    for c in lines(include_str!("../data/given-zh.txt")).flat_map(str::chars) {
        if let Some(roles) = place(c).and_then(|i| table.roles.get_mut(i)) {
            *roles |= GIVEN;
        }
    }
    table
});

fn place(c: char) -> Option<usize> {
    (FIRST..=LAST).contains(&u32::from(c)).then_some(c as usize)
}

/// What this character can be in a name.
pub(crate) fn roles(c: char) -> u8 {
    place(c).and_then(|i| TABLE.roles.get(i)).copied().unwrap_or(0)
}

/// What the character can be in a name that starts here, if one of three bytes does: where none
/// does, anything.
#[inline]
pub(crate) fn roles_here(text: &[u8], at: usize) -> u8 {
    let Some([a, b, c]) = text.get(at..).and_then(|rest| rest.first_chunk()) else { return 0 };
    let number = u16::from(a & 0xf) << 12 | u16::from(b & 0x3f) << 6 | u16::from(c & 0x3f);
    TABLE.roles.get(usize::from(number)).copied().unwrap_or(0)
}

/// Whether the text starts with a family name of two characters.
pub(crate) fn compound(text: &[u8]) -> bool {
    TABLE.compounds.iter().any(|name| text.starts_with(name.as_bytes()))
}

/// Lists of words by their first or last character, in order of it.
#[derive(Debug, Default)]
pub(crate) struct Lists(Vec<(char, Vec<&'static str>)>);

impl Lists {
    pub(crate) fn add(&mut self, key: char, word: &'static str) {
        match self.0.binary_search_by_key(&key, |(known, _)| *known) {
            Ok(place) => {
                if let Some((_, words)) = self.0.get_mut(place) {
                    words.push(word);
                }
            }
            Err(place) => self.0.insert(place, (key, vec![word])),
        }
    }

    /// The words of a character.
    pub(crate) fn of(&self, key: char) -> &[&'static str] {
        let place = self.0.binary_search_by_key(&key, |(known, _)| *known);
        place.ok().and_then(|place| self.0.get(place)).map_or(&[], |(_, words)| words.as_slice())
    }
}

/// Whether this is a Chinese character, not punctuation and not another script.
pub(crate) const fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

/// The three-byte character that starts here, as most Chinese ones do.
pub(crate) fn at(text: &[u8], at: usize) -> Option<char> {
    match text.get(at..at + 3)? {
        [a @ 0xe0..=0xef, b @ 0x80..=0xbf, c @ 0x80..=0xbf] => char::from_u32(
            u32::from(a & 0xf) << 12 | u32::from(b & 0x3f) << 6 | u32::from(c & 0x3f),
        ),
        _ => None,
    }
}

/// The character that starts here and its length in bytes; `None` if none does.
pub(crate) fn char_at(text: &[u8], at: usize) -> Option<(char, usize)> {
    let rest = text.get(at..)?;
    match rest.first()? {
        ascii @ 0..=0x7f => Some((char::from(*ascii), 1)),
        0xe0..=0xef => self::at(text, at).map(|c| (c, 3)),
        _ => {
            let c = after(text, at, 4).chars().next()?;
            Some((c, c.len_utf8()))
        }
    }
}

/// The text from a place on as characters, up to the first byte that is none, at most `most` bytes.
pub(crate) fn after(text: &[u8], at: usize, most: usize) -> &str {
    let part = text.get(at..text.len().min(at + most)).unwrap_or_default();
    match std::str::from_utf8(part) {
        Ok(part) => part,
        Err(error) => part
            .get(..error.valid_up_to())
            .and_then(|valid| std::str::from_utf8(valid).ok())
            .unwrap_or_default(),
    }
}

/// The text up to a place as characters, from the last byte that is none on, at most `most` bytes.
pub(crate) fn before(text: &[u8], at: usize, most: usize) -> &str {
    let mut part = text.get(at.saturating_sub(most)..at).unwrap_or_default();
    // The rest of a character that began before.
    while let Some((0x80..=0xbf, rest)) = part.split_first() {
        part = rest;
    }
    loop {
        match std::str::from_utf8(part) {
            Ok(part) => return part,
            Err(error) => {
                let skip = error.valid_up_to() + error.error_len().unwrap_or(part.len());
                part = part.get(skip..).unwrap_or_default();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_have_roles() {
        assert_eq!(roles('陳') & SURNAME, SURNAME);
        assert_eq!(roles('家') & GIVEN, GIVEN);
        assert_eq!(roles('歐') & COMPOUND, COMPOUND);
        assert_eq!(roles('a'), 0);
        assert!(compound("歐陽明".as_bytes()) && !compound("歐明".as_bytes()));
    }

    #[test]
    fn text_is_read_up_to_broken_characters() {
        let text = "陳大文".as_bytes();
        assert_eq!(after(text, 0, 8), "陳大");
        assert_eq!(before(text, 9, 5), "文");
        assert_eq!(before(b"\xffab", 3, 9), "ab");
        assert_eq!(after(b"\xff", 0, 9), "");
    }
}
