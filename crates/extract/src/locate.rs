//! Where in a part a hit stands, in words: counted only for hits that become samples.

use crate::columns::shown;
use detect::Records;
use std::ops::Range;

/// Says where places of one text are; asked in rising order.
pub(crate) enum Locator<'a> {
    /// Lines, paragraphs: `line 14`.
    Lines { text: &'a [u8], unit: &'a str, counted: usize, number: u64 },
    /// Rows of a table: `row 3, column id_no`.
    Rows(Rows<'a>),
    /// One place for all: `page 2`.
    Fixed(&'a str),
}

/// Rows of one piece of a table.
pub(crate) struct Rows<'a> {
    records: Records<'a>,
    current: Vec<Range<usize>>,
    /// Records after the header that were passed, the current one included.
    next: usize,
    header_end: usize,
    names: Vec<String>,
    numbers: Numbers<'a>,
}

/// The numbers of the records of one piece; the first record is the header if there is one.
#[derive(Clone, Copy)]
pub(crate) enum Numbers<'a> {
    /// The record after the header has this number, and so on.
    From(u64),
    /// Each record after the header has its own.
    Each(&'a [u64]),
}

impl<'a> Locator<'a> {
    /// Lines; the one at `counted` has this number.
    pub(crate) const fn lines(text: &'a [u8], unit: &'a str, counted: usize, number: u64) -> Self {
        Self::Lines { text, unit, counted, number }
    }

    /// Rows of a table whose first record is the header, if it has one.
    pub(crate) fn rows(text: &'a [u8], delimiter: u8, header: bool, numbers: Numbers<'a>) -> Self {
        let mut rows = Rows {
            records: Records::new(text, delimiter),
            current: Vec::new(),
            next: 0,
            header_end: 0,
            names: Vec::new(),
            numbers,
        };
        if header {
            let cells = rows.records.next().unwrap_or_default();
            let named = cells
                .iter()
                .enumerate()
                .map(|(place, cell)| shown(text.get(cell.clone()).unwrap_or_default(), place + 1));
            rows.names = named.collect();
            rows.header_end = cells.last().map_or(0, |cell| cell.end);
        }
        Self::Rows(rows)
    }

    /// Where the byte stands.
    pub(crate) fn at(&mut self, place: usize) -> String {
        match self {
            Self::Lines { text, unit, counted, number } => {
                let passed = text.get(*counted..place).unwrap_or_default();
                *number += passed.iter().filter(|b| **b == b'\n').count() as u64;
                *counted = (*counted).max(place);
                format!("{unit} {number}")
            }
            Self::Rows(rows) => rows.at(place),
            Self::Fixed(at) => (*at).to_owned(),
        }
    }
}

impl Rows<'_> {
    fn at(&mut self, place: usize) -> String {
        if place < self.header_end {
            return "header".to_owned();
        }
        while self.current.last().is_none_or(|cell| cell.end <= place) {
            let Some(cells) = self.records.next() else { break };
            self.next += 1;
            self.current = cells;
        }
        let row = match self.numbers {
            Numbers::From(first) => first + (self.next as u64).saturating_sub(1),
            Numbers::Each(rows) => {
                rows.get(self.next.saturating_sub(1)).copied().unwrap_or_default()
            }
        };
        let column = self.current.iter().position(|cell| cell.end > place).unwrap_or_default();
        match self.names.get(column).filter(|name| !name.is_empty()) {
            Some(name) => format!("row {row}, column {name}"),
            None => format!("row {row}, column {}", column + 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_from_where_the_piece_begins() {
        let mut locator = Locator::lines(b"a\nb\nc\nd", "line", 2, 8);
        assert_eq!([2, 4, 6].map(|place| locator.at(place)), ["line 8", "line 9", "line 10"]);
    }

    #[test]
    fn rows_carry_the_names_of_their_columns() {
        let text = b"name,id_no\nx,1\n\"a\nb\",2\n";
        let mut locator = Locator::rows(text, b',', true, Numbers::From(2));
        assert_eq!(locator.at(13), "row 2, column id_no");
        assert_eq!(locator.at(16), "row 3, column name");
        assert_eq!(locator.at(21), "row 3, column id_no");
        let mut locator = Locator::rows(b"x\t1\ny\t2\n", b'\t', false, Numbers::Each(&[7, 9]));
        assert_eq!(locator.at(0), "row 7, column 1");
        assert_eq!(locator.at(6), "row 9, column 2");
    }
}
