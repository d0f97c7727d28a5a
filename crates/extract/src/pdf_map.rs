//! The map of a PDF's font from signs to letters (`ToUnicode`), read leniently: many programs write
//! what their readers happen to accept.

use std::collections::HashMap;

/// Signs of one font: all of Unicode's first plane.
const SIGNS_MAX: usize = 65_536;
/// Letters that one sign may stand for.
const LETTERS_MAX: usize = 16;

/// A font's map.
#[derive(Debug, Default)]
pub(crate) struct Map {
    /// Signs by their number of bytes and their number.
    letters: HashMap<(usize, u32), String>,
    /// Runs of signs: bytes, first, last, and the number of the first one's letter.
    ranges: Vec<(usize, u32, u32, u32)>,
    /// Bytes that a sign has: one or two.
    width: usize,
}

enum Word<'a> {
    Hex(usize, u32, &'a [u8]),
    Open,
    Close,
    Name(&'a [u8]),
}

impl Map {
    /// Reads a map; what it does not say is left out.
    pub(crate) fn read(text: &[u8]) -> Self {
        let mut map = Self::default();
        let mut words = Words { rest: text };
        let (mut section, mut held): (&[u8], Vec<Word<'_>>) = (b"", Vec::new());
        while let Some(word) = words.next() {
            match word {
                Word::Name(name) => {
                    section = name;
                    held.clear();
                }
                word => held.push(word),
            }
            match (section, held.as_slice()) {
                (b"begincodespacerange", [Word::Hex(width, ..), Word::Hex(..)]) => {
                    map.width = map.width.max(*width);
                }
                (b"beginbfchar", [Word::Hex(width, sign, _), Word::Hex(_, _, letters)]) => {
                    map.put(*width, *sign, letters);
                }
                (b"beginbfrange", [Word::Hex(width, low, _), Word::Hex(_, high, _), last]) => {
                    match last {
                        Word::Hex(_, first, letters) if letters.len() <= 4 => {
                            if map.ranges.len() < SIGNS_MAX {
                                map.ranges.push((*width, *low, *high, *first));
                            }
                        }
                        Word::Hex(_, _, letters) => map.put(*width, *low, letters),
                        _ => continue,
                    }
                }
                (b"beginbfrange", [Word::Hex(width, low, _), Word::Hex(..), .., Word::Close]) => {
                    let listed = held.iter().skip(2).filter_map(|word| match word {
                        Word::Hex(_, _, letters) => Some(*letters),
                        _ => None,
                    });
                    for (sign, letters) in (*low..).zip(listed) {
                        map.put(*width, sign, letters);
                    }
                }
                _ => {
                    if held.len() > SIGNS_MAX {
                        held.clear();
                    }
                    continue;
                }
            }
            held.clear();
        }
        if map.width == 0 {
            let widths = map.letters.keys().map(|(width, _)| *width);
            map.width = widths.chain(map.ranges.iter().map(|r| r.0)).max().unwrap_or(2);
        }
        map
    }

    /// Whether it says anything.
    pub(crate) fn is_empty(&self) -> bool {
        self.letters.is_empty() && self.ranges.is_empty()
    }

    fn put(&mut self, width: usize, sign: u32, hex: &[u8]) {
        if self.letters.len() >= SIGNS_MAX {
            return;
        }
        let units: Vec<u16> = hex
            .chunks(4)
            .take(LETTERS_MAX)
            .filter_map(|four| u16::from_str_radix(std::str::from_utf8(four).ok()?, 16).ok())
            .collect();
        self.letters.insert((width, sign), String::from_utf16_lossy(&units));
    }

    /// The letters of a text of signs; a sign without one is left out.
    pub(crate) fn write(&self, bytes: &[u8], out: &mut String) {
        let mut rest = bytes;
        while !rest.is_empty() {
            // A map of two bytes may have signs of one among them.
            let found = (1..=self.width.clamp(1, 4)).find_map(|width| {
                let sign = rest.get(..width)?;
                let sign = sign.iter().fold(0u32, |sum, byte| sum << 8 | u32::from(*byte));
                self.letter(width, sign, out).then_some(width)
            });
            rest = rest.get(found.unwrap_or(self.width).max(1)..).unwrap_or_default();
        }
    }

    fn letter(&self, width: usize, sign: u32, out: &mut String) -> bool {
        if let Some(letters) = self.letters.get(&(width, sign)) {
            out.push_str(letters);
            return true;
        }
        let range = self
            .ranges
            .iter()
            .find(|(bytes, low, high, _)| *bytes == width && (*low..=*high).contains(&sign));
        let Some((_, low, _, first)) = range else { return false };
        out.extend(first.checked_add(sign - low).and_then(char::from_u32));
        true
    }
}

struct Words<'a> {
    rest: &'a [u8],
}

impl<'a> Words<'a> {
    fn next(&mut self) -> Option<Word<'a>> {
        loop {
            let (first, rest) = self.rest.split_first()?;
            match first {
                b'<' if rest.first() != Some(&b'<') => {
                    let end = rest.iter().position(|b| *b == b'>').unwrap_or(rest.len());
                    let (hex, after) = rest.split_at_checked(end)?;
                    self.rest = after.get(1..).unwrap_or_default();
                    let text = std::str::from_utf8(hex.get(..hex.len().min(8))?).ok();
                    let Some(number) = text.and_then(|t| u32::from_str_radix(t, 16).ok()) else {
                        continue;
                    };
                    return Some(Word::Hex(hex.len().div_ceil(2), number, hex));
                }
                b'[' | b']' => {
                    self.rest = rest;
                    return Some(if *first == b'[' { Word::Open } else { Word::Close });
                }
                first if first.is_ascii_alphabetic() => {
                    let end = self.rest.iter().position(|b| !b.is_ascii_alphanumeric());
                    let (name, after) =
                        self.rest.split_at_checked(end.unwrap_or(self.rest.len()))?;
                    self.rest = after;
                    return Some(Word::Name(name));
                }
                _ => self.rest = rest,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_are_read_as_they_come() {
        let text = b"1 begincodespacerange<0000><FFFF>endcodespacerange 2 beginbfchar\n\
            <0001> <9673> <0002><d842dfb7>\nendbfchar 3 beginbfrange <0010> <0012> <0041>\n\
            <0020> <0021> [<0058> <0059005a>] endbfrange";
        let map = Map::read(text);
        let mut out = String::new();
        map.write(&[0, 1, 0, 2, 0, 0x11, 0, 0x21, 0, 0x99, 0, 0x20], &mut out);
        assert_eq!(out, "陳𠮷BYZX");
        assert!(Map::read(b"nothing <zz> here").is_empty());
        let one = Map::read(b"beginbfchar <41> <0042> endbfchar");
        out.clear();
        one.write(b"AxA", &mut out);
        assert_eq!(out, "BB");
    }
}
