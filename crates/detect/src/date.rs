//! Dates of birth: a date as people and machines write it, and a word that says whose it is.

use crate::text::{border_after, plain};
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
    let (start, end) = match end_of(text, start) {
        Some(end) => (start, end),
        None => month_before(text, start)?,
    };
    (topic() == Some(Topic::Birth)).then_some(Hit::sure(Kind::DateOfBirth, start, end))
}

/// The date that ends with the year here: `May 6, 1980`.
fn month_before(text: &[u8], start: usize) -> Option<(usize, usize)> {
    let mut reader = Reader { text, at: start };
    let (year, width) = reader.number()?;
    let head = text.get(..start)?.strip_suffix(b" ")?;
    let head = head.strip_suffix(b",").unwrap_or(head);
    let digits = head.iter().rev().take(3).take_while(|b| b.is_ascii_digit()).count();
    let (head, day) = head.split_at_checked(head.len() - digits)?;
    let day = day.iter().fold(0, |n, d| n * 10 + u32::from(d - b'0'));
    let head = head.strip_suffix(b" ")?;
    let head = head.strip_suffix(b".").unwrap_or(head);
    let letters = head.iter().rev().take(10).take_while(|b| b.is_ascii_alphabetic()).count();
    let first = head.len() - letters;
    let month = Reader { text, at: first }.month().filter(|_| (3..=9).contains(&letters))?;
    let date = width == 4 && digits <= 2 && is_date(year, month, day);
    (date && border_after(text, reader.at)).then_some((first, reader.at))
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
    if width == 4 && reader.unit("年") {
        let (month, _) = reader.number()?;
        reader.unit("月").then_some(())?;
        let (day, _) = reader.number()?;
        let ends = reader.unit("日") || reader.unit("號") || reader.unit("号");
        return (ends && is_date(first, month, day)).then_some(reader.at);
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
        let (mut value, mut width, mut at) = (0, 0, self.at);
        while let Some((digit, size)) = plain(self.text, at).filter(|(c, _)| c.is_ascii_digit()) {
            if width == 8 {
                return None;
            }
            value = value * 10 + u32::from(digit - b'0');
            (width, at) = (width + 1, at + size);
        }
        if width == 0 {
            return None;
        }
        self.at = at;
        Some((value, width))
    }

    /// A word with perhaps a space on either side.
    fn unit(&mut self, word: &str) -> bool {
        let before = self.at;
        self.word(" ");
        let found = self.word(word);
        if !found {
            self.at = before;
        } else if self.text.get(self.at + 1).is_some_and(u8::is_ascii_digit) {
            self.word(" ");
        }
        found
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
            "1980 年 5 月 6 日",
            "１９８０年５月６日",
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
        for (text, start) in [("May 6, 1980", 0), ("dob: Sept. 16 1980", 5)] {
            let hit = of_birth(text.as_bytes(), text.len() - 4, || Some(Topic::Birth)).unwrap();
            assert_eq!((hit.start, hit.end), (start, text.len()), "{text}");
        }
        assert!(of_birth(b"Room 6, 1980", 8, || Some(Topic::Birth)).is_none());
    }
}
