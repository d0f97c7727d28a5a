//! Dates of birth: a date as people and machines write it, and a word that says whose it is.

use crate::text::border_after;
use crate::topic::Topic;
use crate::{Hit, Kind};

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// A date at this digit which a word before calls a date of birth.
pub(crate) fn of_birth(
    text: &[u8],
    start: usize,
    topic: impl FnOnce() -> Option<Topic>,
) -> Option<Hit> {
    let end = end_of(text, start)?;
    (topic() == Some(Topic::Birth)).then_some(Hit::sure(Kind::DateOfBirth, start, end))
}

/// Whether a cell is a date that someone alive can be born on.
pub(crate) fn cell(cell: &[u8]) -> bool {
    end_of(cell, 0) == Some(cell.len())
}

/// Where the date that starts here ends: `1980-05-06`, `06/05/1980`, `19800506`, `1980年5月6日`,
/// `6 May 1980`. Day and month are both read either way round.
fn end_of(text: &[u8], start: usize) -> Option<usize> {
    let mut reader = Reader { text, at: start };
    let (first, width) = reader.number()?;
    if width == 8 {
        let (year, month, day) = (first / 10_000, first / 100 % 100, first % 100);
        return (is_date(year, month, day) && border_after(text, reader.at)).then_some(reader.at);
    }
    if width > 4 {
        return None;
    }
    if width == 4 && reader.word("年") {
        let (month, _) = reader.number()?;
        reader.word("月").then_some(())?;
        let (day, _) = reader.number()?;
        return (reader.word("日") && is_date(first, month, day)).then_some(reader.at);
    }
    if width <= 2 && (reader.word(" ") || reader.word("-")) && !reader.at_digit() {
        let month = reader.month()?;
        reader.skip(b" -,");
        let (year, _) = reader.number()?;
        return is_date(year, month, first).then_some(reader.at);
    }
    reader.at = start;
    reader.number()?;
    let joint = *text.get(reader.at).filter(|b| matches!(b, b'-' | b'/' | b'.'))?;
    reader.at += 1;
    let (second, _) = reader.number()?;
    (text.get(reader.at) == Some(&joint)).then_some(())?;
    reader.at += 1;
    let (third, width_third) = reader.number()?;
    let date = match (width, width_third) {
        (4, 1 | 2) => is_date(first, second, third),
        (1 | 2, 4) => is_date(third, second, first) || is_date(third, first, second),
        _ => false,
    };
    (date && border_after(text, reader.at)).then_some(reader.at)
}

/// Years in which someone now living may be born.
fn is_date(year: u32, month: u32, day: u32) -> bool {
    (1900..=2035).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day)
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn number(&mut self) -> Option<(u32, usize)> {
        let rest = self.text.get(self.at..)?;
        let width = rest.iter().take(9).take_while(|b| b.is_ascii_digit()).count();
        if !(1..=8).contains(&width) {
            return None;
        }
        let value = rest.get(..width)?.iter().fold(0, |n, d| n * 10 + u32::from(d - b'0'));
        self.at += width;
        Some((value, width))
    }

    fn word(&mut self, word: &str) -> bool {
        let found = self.text.get(self.at..).is_some_and(|rest| rest.starts_with(word.as_bytes()));
        self.at += if found { word.len() } else { 0 };
        found
    }

    fn at_digit(&self) -> bool {
        self.text.get(self.at).is_some_and(u8::is_ascii_digit)
    }

    fn skip(&mut self, bytes: &[u8]) {
        while self.text.get(self.at).is_some_and(|b| bytes.contains(b)) {
            self.at += 1;
        }
    }

    /// A month's English name, whole or its first three letters.
    fn month(&mut self) -> Option<u32> {
        let rest = self.text.get(self.at..)?;
        let name = rest.get(..3)?;
        let place = MONTHS.iter().position(|m| name.eq_ignore_ascii_case(m.as_bytes()))?;
        self.at += rest.iter().take(9).take_while(|b| b.is_ascii_alphabetic()).count();
        u32::try_from(place + 1).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_in_every_way_of_writing_are_read() {
        for text in [
            "1980-05-06",
            "06/05/1980",
            "19800506",
            "1980年5月6日",
            "6 May 1980",
            "06-May-1980",
            "6 September 1980",
            "12.31.1999",
        ] {
            assert!(cell(text.as_bytes()), "{text}");
        }
        for text in ["1980-13-06", "5/6", "18000506", "1980-05", "40/40/1980", "1.2.3"] {
            assert!(!cell(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn a_date_alone_is_no_birthday() {
        assert!(of_birth(b"1980-05-06", 0, || None).is_none());
        assert!(of_birth(b"1980-05-06", 0, || Some(Topic::Birth)).is_some());
    }
}
