//! Texts of workbooks in XLS: lengths before them, one byte or two a character, cut by records that
//! go on with the one before.

use crate::obstacle::Obstacle;
use encoding_rs::Encoding;
use std::ops::Range;

/// Flags before the characters of a text.
const TWO_BYTES: u8 = 0x01;
const ASIAN: u8 = 0x04;
const RICH: u8 = 0x08;

/// The encoding of a code page; Windows' Western one for those that nobody knows.
pub(crate) fn encoding(code_page: u16) -> &'static Encoding {
    let label = match code_page {
        936 => "gb18030".to_owned(),
        950 => "big5".to_owned(),
        932 => "shift_jis".to_owned(),
        949 => "euc-kr".to_owned(),
        10_000 => "macintosh".to_owned(),
        page => format!("windows-{page}"),
    };
    Encoding::for_label(label.as_bytes()).unwrap_or(encoding_rs::WINDOWS_1252)
}

/// Bytes that several records hold.
pub(crate) struct Pieces<'a> {
    now: &'a [u8],
    more: std::vec::IntoIter<&'a [u8]>,
}

impl<'a> Pieces<'a> {
    pub(crate) fn new(first: &'a [u8], more: Vec<&'a [u8]>) -> Self {
        Self { now: first, more: more.into_iter() }
    }

    /// Goes on to the next record when this one is used up; false when there is none.
    fn go_on(&mut self) -> bool {
        while self.now.is_empty() {
            match self.more.next() {
                Some(next) => self.now = next,
                None => return false,
            }
        }
        true
    }

    /// The next byte.
    pub(crate) fn u8(&mut self) -> Option<u8> {
        if !self.go_on() {
            return None;
        }
        let (first, rest) = self.now.split_first()?;
        self.now = rest;
        Some(*first)
    }

    /// The next two bytes.
    pub(crate) fn u16(&mut self) -> Option<u16> {
        Some(u16::from_le_bytes([self.u8()?, self.u8()?]))
    }

    fn u32(&mut self) -> Option<u32> {
        Some(u32::from(self.u16()?) | (u32::from(self.u16()?) << 16))
    }

    fn skip(&mut self, mut count: usize) {
        while count > 0 && self.go_on() {
            let step = count.min(self.now.len());
            self.now = self.now.get(step..).unwrap_or_default();
            count -= step;
        }
    }

    /// So many bytes, or as many as there are.
    pub(crate) fn bytes(&mut self, count: usize) -> Vec<u8> {
        let mut found = Vec::new();
        while found.len() < count && self.go_on() {
            let step = (count - found.len()).min(self.now.len());
            let (taken, rest) = self.now.split_at_checked(step).unwrap_or((self.now, &[]));
            found.extend_from_slice(taken);
            self.now = rest;
        }
        found
    }

    /// A text of so many characters with its flags before it.
    pub(crate) fn wide_text(&mut self, count: usize, text: &mut String) {
        let Some(flags) = self.u8() else { return };
        let runs = if flags & RICH == 0 { 0 } else { usize::from(self.u16().unwrap_or(0)) };
        let asian = if flags & ASIAN == 0 { 0 } else { self.u32().unwrap_or(0) };
        self.characters(count, flags & TWO_BYTES != 0, text);
        self.skip(runs * 4);
        self.skip(usize::try_from(asian).unwrap_or(usize::MAX));
    }

    /// Characters; where a record ends among them, the next begins with a flag of its own.
    fn characters(&mut self, count: usize, two_bytes: bool, text: &mut String) {
        let (mut left, mut two_bytes) = (count, two_bytes);
        let mut units: Vec<u16> = Vec::new();
        while left > 0 {
            if self.now.is_empty() {
                let Some(flags) = self.u8() else { break };
                two_bytes = flags & TWO_BYTES != 0;
                continue;
            }
            let unit = match (two_bytes, self.now) {
                (true, [low, high, rest @ ..]) => {
                    self.now = rest;
                    u16::from_le_bytes([*low, *high])
                }
                (false, [low, rest @ ..]) => {
                    self.now = rest;
                    u16::from(*low)
                }
                _ => {
                    self.now = &[];
                    continue;
                }
            };
            units.push(unit);
            left -= 1;
        }
        text.push_str(&String::from_utf16_lossy(&units));
    }
}

/// The texts that cells share.
pub(crate) struct Strings {
    text: String,
    places: Vec<Range<usize>>,
    limit: u64,
}

impl Strings {
    pub(crate) const fn new(limit: u64) -> Self {
        Self { text: String::new(), places: Vec::new(), limit }
    }

    /// Bytes that are held.
    pub(crate) fn held(&self) -> usize {
        self.text.len() + self.places.len() * size_of::<Range<usize>>()
    }

    /// Reads the table of shared texts.
    pub(crate) fn read(&mut self, mut pieces: Pieces<'_>) -> Result<(), Obstacle> {
        while let Some(count) = pieces.u16() {
            let start = self.text.len();
            pieces.wide_text(usize::from(count), &mut self.text);
            self.places.push(start..self.text.len());
            if self.held() as u64 > self.limit {
                return Err(Obstacle::too_large("the texts that its cells share are too many"));
            }
        }
        Ok(())
    }

    /// The text of this number; empty when there is none.
    pub(crate) fn get(&self, number: u32) -> &[u8] {
        let place = usize::try_from(number).ok().and_then(|at| self.places.get(at).cloned());
        place.and_then(|place| self.text.as_bytes().get(place)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_goes_on_in_the_next_record_with_a_flag_of_its_own() {
        let wide = [&[5, 0, 1][..], &[0x73, 0x96], &[0x27, 0x59]].concat();
        let mut pieces = Pieces::new(&wide, vec![b"\x00abc", b"\x02\x00\x00xy"]);
        let mut strings = Strings::new(1_000);
        let mut text = String::new();
        let count = pieces.u16().unwrap();
        pieces.wide_text(usize::from(count), &mut text);
        assert_eq!(text, "陳大abc");
        strings.read(pieces).unwrap();
        assert_eq!(strings.get(0), b"xy");
        assert_eq!(strings.get(7), b"");
    }

    #[test]
    fn shared_texts_have_their_limit() {
        let one = [&[200, 0, 0][..], &[b'x'; 200]].concat();
        let read = Strings::new(1_000).read(Pieces::new(&one.repeat(10), Vec::new()));
        assert!(read.is_err());
        assert!(Strings::new(10_000).read(Pieces::new(&one.repeat(10), Vec::new())).is_ok());
    }

    #[test]
    fn runs_and_guides_are_passed_over() {
        let rich = [&[2, 0, RICH | ASIAN, 1, 0, 3, 0, 0, 0][..], b"ab", &[9; 7], &[1, 0, 0], b"c"];
        let mut strings = Strings::new(1_000);
        strings.read(Pieces::new(&rich.concat(), Vec::new())).unwrap();
        assert_eq!((strings.get(0), strings.get(1)), (&b"ab"[..], &b"c"[..]));
        assert_eq!(encoding(950), encoding_rs::BIG5);
        assert_eq!(encoding(1_252), encoding(1));
    }
}
