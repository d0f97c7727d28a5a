//! Where the cells of a plain text are: fields parted by a delimiter (RFC 4180), or objects of
//! JSON, one to a line.

use std::ops::Range;

/// How much of a text is read to learn its layout, in bytes.
const SNIFF_BYTES: usize = 64 * 1024;
const SNIFF_RECORDS: usize = 50;
/// Of the records this share must have the usual number of fields, in percent.
const ALIKE_PERCENT: usize = 90;
/// Fields of one record; what follows is part of the last one.
const FIELDS_MAX: usize = 1_024;
/// The longest name of a column, in bytes.
const NAME_BYTES_MAX: usize = 60;

/// How a text is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// No table.
    Prose,
    /// Records of fields.
    Delimited {
        /// The byte between fields.
        delimiter: u8,
        /// The first record holds the names of the columns.
        header: bool,
    },
    /// One JSON object on each line.
    JsonLines,
}

/// Guesses a text's layout from its beginning.
#[must_use]
pub fn sniff(text: &[u8]) -> Layout {
    let head = text.get(..text.len().min(SNIFF_BYTES)).unwrap_or_default();
    let lines = head.split(|b| *b == b'\n').map(<[u8]>::trim_ascii);
    let mut objects = lines.filter(|l| !l.is_empty()).take(SNIFF_RECORDS).peekable();
    if objects.peek().is_some_and(|line| line.starts_with(b"{\""))
        && objects.filter(|l| !l.starts_with(b"{")).count() == 0
    {
        return Layout::JsonLines;
    }
    let best = [b',', b'\t', b';', b'|'].into_iter().filter_map(|d| Some((width(head, d)?, d)));
    let Some((_, delimiter)) = best.max_by_key(|(width, _)| *width) else { return Layout::Prose };
    let first = Records::new(head, delimiter).next().unwrap_or_default();
    // The edges of a drawn table are empty cells.
    let names = first.iter().map(|cell| head.get(cell.clone()).unwrap_or_default());
    let header = names.clone().all(|cell| cell.is_empty() || is_name(cell))
        && names.filter(|cell| !cell.is_empty()).count() > 1;
    Layout::Delimited { delimiter, header }
}

/// How many fields most records have, if most have the same and more than one.
fn width(head: &[u8], delimiter: u8) -> Option<usize> {
    // The last record may be cut.
    let mut widths: Vec<usize> = Records::new(head, delimiter)
        .take(SNIFF_RECORDS)
        .filter(|cells| cells.iter().any(|c| !c.is_empty()))
        .map(|cells| cells.len())
        .collect();
    let count = widths.len();
    let all = widths.clone();
    widths.sort_unstable();
    let usual = *widths.get(count / 2)?;
    let alike = all.iter().filter(|w| **w == usual).count();
    (count >= 3 && usual > 1 && alike * 100 >= count * ALIKE_PERCENT).then_some(usual)
}

/// Whether a cell of the first record can name a column: short, with a letter, without a value's
/// digits.
fn is_name(cell: &[u8]) -> bool {
    let digits = cell.split(|b| !b.is_ascii_digit()).map(<[u8]>::len).max().unwrap_or(0);
    let letter = cell.iter().any(|b| b.is_ascii_alphabetic() || *b >= 0x80);
    letter && digits < 4 && cell.len() <= NAME_BYTES_MAX && !cell.contains(&b'@')
}

/// The records of a delimited text; each is the places of its fields, quotes and spaces left out.
#[derive(Debug, Clone)]
pub struct Records<'a> {
    text: &'a [u8],
    delimiter: u8,
    at: usize,
}

impl<'a> Records<'a> {
    /// The records of a text with this delimiter.
    #[must_use]
    pub const fn new(text: &'a [u8], delimiter: u8) -> Self {
        Self { text, delimiter, at: 0 }
    }

    /// The field that starts here: its place, and the place of the byte that ends it.
    fn field(&self, start: usize) -> (Range<usize>, usize) {
        let rest = self.text.get(start..).unwrap_or_default();
        if rest.first() == Some(&b'"') {
            let mut at = 1;
            while let Some(byte) = rest.get(at) {
                match (byte, rest.get(at + 1)) {
                    (b'"', Some(b'"')) => at += 2,
                    (b'"', _) => break,
                    _ => at += 1,
                }
            }
            let after = rest.get(at + 1..).unwrap_or_default();
            let gap = after.iter().position(|b| *b == self.delimiter || *b == b'\n');
            return (start + 1..start + at, start + at + 1 + gap.unwrap_or(after.len()));
        }
        let length = stop(rest, self.delimiter);
        let field = rest.get(..length).unwrap_or_default();
        let trimmed = field.trim_ascii_start();
        let lead = field.len() - trimmed.len();
        (start + lead..start + lead + trimmed.trim_ascii_end().len(), start + length)
    }

    /// Reads the next record's fields into a vector that is emptied first: `None` after the last
    /// record.
    pub(crate) fn read(&mut self, cells: &mut Vec<Range<usize>>) -> Option<()> {
        cells.clear();
        if self.at >= self.text.len() {
            return None;
        }
        loop {
            let (cell, stop) = self.field(self.at);
            if cells.len() < FIELDS_MAX {
                cells.push(cell);
            }
            self.at = stop.saturating_add(1);
            if self.text.get(stop) != Some(&self.delimiter) {
                return Some(());
            }
        }
    }
}

/// How many bytes stand before the next delimiter or line feed, eight at a time.
fn stop(rest: &[u8], delimiter: u8) -> usize {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const HIGH: u64 = ONES << 7;
    // The highest bit of each byte that is zero, and perhaps of some behind it.
    let zero = |word: u64| word.wrapping_sub(ONES) & !word & HIGH;
    let (marks, feeds) = (ONES * u64::from(delimiter), ONES * u64::from(b'\n'));
    let (eights, tail) = rest.as_chunks::<8>();
    for (number, eight) in eights.iter().enumerate() {
        let word = u64::from_le_bytes(*eight);
        let found = zero(word ^ marks) | zero(word ^ feeds);
        if found != 0 {
            return number * 8 + (found.trailing_zeros() / 8) as usize;
        }
    }
    let last = tail.iter().position(|b| *b == delimiter || *b == b'\n');
    rest.len() - tail.len() + last.unwrap_or(tail.len())
}

impl Iterator for Records<'_> {
    type Item = Vec<Range<usize>>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut cells = Vec::new();
        self.read(&mut cells).map(|()| cells)
    }

    fn count(mut self) -> usize {
        let mut cells = Vec::new();
        std::iter::from_fn(|| self.read(&mut cells)).count()
    }
}

/// The keys and values of one line of JSON, at any depth: places of the names and of the values
/// that are text or numbers, without their quotes.
pub(crate) fn members(text: &[u8], line: Range<usize>) -> Vec<(Range<usize>, Range<usize>)> {
    let mut found = Vec::new();
    let mut at = line.start;
    let mut name: Option<Range<usize>> = None;
    while at < line.end && found.len() < FIELDS_MAX {
        let Some(byte) = text.get(at) else { break };
        match byte {
            b'"' => {
                let end = string_end(text, at + 1, line.end);
                let value = at + 1..end;
                at = end + 1;
                match (name.take(), text.get(at)) {
                    (None, Some(b':')) => {
                        name = Some(value);
                        at += 1;
                    }
                    (Some(key), _) => found.push((key, value)),
                    (None, _) => {}
                }
            }
            b'0'..=b'9' | b'-' => {
                let rest = text.get(at..line.end).unwrap_or_default();
                let length = rest.iter().position(|b| matches!(b, b',' | b'}' | b']' | b' '));
                let end = at + length.unwrap_or(rest.len());
                if let Some(key) = name.take() {
                    found.push((key, at..end));
                }
                at = end.max(at + 1);
            }
            b' ' | b'\t' => at += 1,
            _ => {
                if matches!(byte, b'{' | b'}' | b',') {
                    name = None;
                }
                at += 1;
            }
        }
    }
    found
}

fn string_end(text: &[u8], start: usize, stop: usize) -> usize {
    let mut at = start;
    while at < stop {
        match text.get(at) {
            Some(b'\\') => at += 2,
            Some(b'"') => return at,
            _ => at += 1,
        }
    }
    stop
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(text: &str) -> Vec<Vec<&str>> {
        Records::new(text.as_bytes(), b',')
            .map(|r| r.into_iter().map(|c| text.get(c).unwrap()).collect())
            .collect()
    }

    #[test]
    fn records_follow_rfc_4180() {
        assert_eq!(cells("a, b ,c\r\n1,,3"), [vec!["a", "b", "c"], vec!["1", "", "3"]]);
        assert_eq!(cells("\"x, y\",\"a\"\"b\"\n"), [vec!["x, y", "a\"\"b"]]);
        assert_eq!(cells("\"open"), [vec!["open"]]);
    }

    #[test]
    fn layouts_are_told_apart() {
        assert_eq!(sniff(b"a,b\n1,2\n3,4\n"), Layout::Delimited { delimiter: b',', header: true });
        assert_eq!(
            sniff(b"1;22222\n3;44444\n5;66666"),
            Layout::Delimited { delimiter: b';', header: false }
        );
        assert_eq!(sniff(b"{\"a\":1}\n{\"a\":2}\n"), Layout::JsonLines);
        assert_eq!(sniff(b"Dear Sir,\n\nWe refer to your letter, thanks.\nYours"), Layout::Prose);
        let drawn = "| 客戶 | 電話 |\n| --- | --- |\n| 甲 | 1 |\n";
        assert_eq!(sniff(drawn.as_bytes()), Layout::Delimited { delimiter: b'|', header: true });
        assert_eq!(sniff(b""), Layout::Prose);
    }

    #[test]
    fn members_are_found_at_any_depth() {
        let text = br#"{"a":"x","b":{"c":12,"d":"q\"r"},"e":[1,"z"],"f":null}"#;
        let found: Vec<_> = members(text, 0..text.len())
            .into_iter()
            .map(|(k, v)| (text[k].escape_ascii().to_string(), text[v].len()))
            .collect();
        let expected = [("a", 1), ("c", 2), ("d", 4), ("e", 1)];
        assert_eq!(found, expected.map(|(k, n)| (k.to_owned(), n)));
    }
}
