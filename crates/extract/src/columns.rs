//! Columns over a whole part.

use crate::{ColumnFinding, KindName};
use detect::{Document, Kind, Verdict};

/// Characters of a column's name that are told.
const NAME_CHARS_MAX: usize = 60;
/// Digits in a row that make a name a value.
const NAME_DIGITS_MAX: usize = 4;
/// The columns of one part.
pub(crate) struct Columns {
    pub(crate) columns_max: usize,
    columns: Vec<(String, Verdict)>,
    /// Columns of earlier tables of the part.
    base: usize,
}

impl Columns {
    pub(crate) const fn new(columns_max: usize) -> Self {
        Self { columns_max, columns: Vec::new(), base: 0 }
    }

    /// From here on columns are those of another table.
    pub(crate) const fn next_table(&mut self) {
        self.base = self.columns.len();
    }

    /// Takes the verdicts as they are after one more piece.
    pub(crate) fn judge(&mut self, found: &Document, wanted: impl Fn(Kind) -> bool) {
        for (place, column) in found.columns.iter().enumerate() {
            let mut verdict = column.verdict;
            verdict.kind = verdict.kind.filter(|kind| wanted(*kind));
            if let Some((_, known)) = self.columns.get_mut(self.base + place) {
                *known = verdict;
            } else if self.columns.len() < self.columns_max {
                self.columns.push((shown(&column.name, place + 1), verdict));
            }
        }
    }

    /// The columns that hold something.
    pub(crate) fn finish(self) -> Vec<ColumnFinding> {
        let held = self.columns.into_iter().filter_map(|(name, verdict)| {
            Some(ColumnFinding {
                name,
                kind: KindName(verdict.kind?),
                cells: u64::from(verdict.cells),
                matching: u64::from(verdict.matching),
                // Rounded down: four digits are more than a sample can tell, and survive any
                // transport.
                share_at_least: (verdict.share_at_least * 10_000.0).floor() / 10_000.0,
            })
        });
        held.collect()
    }
}

/// A column's name as it may be told: a first row that turned out to be values is not shown.
pub(crate) fn shown(name: &[u8], number: usize) -> String {
    if name.is_empty() {
        return String::new();
    }
    let text = String::from_utf8_lossy(name);
    let clean = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let clean: String = clean.take(NAME_CHARS_MAX).collect();
    if is_value(name) { format!("column {number}") } else { clean.trim().to_owned() }
}

fn is_value(name: &[u8]) -> bool {
    let digits = name.split(|b| !b.is_ascii_digit()).map(<[u8]>::len).max().unwrap_or(0);
    let mut column = detect::Column::named(b"");
    // A verdict takes three cells.
    (0..3).for_each(|_| column.see(name));
    digits >= NAME_DIGITS_MAX || column.verdict().kind.is_some() || !detect::scan(name).is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_first_row_of_values_is_not_told_as_names() {
        assert_eq!(shown("客戶姓名".as_bytes(), 1), "客戶姓名");
        assert_eq!(shown(b"id_no", 2), "id_no");
        assert_eq!(shown("陳大文".as_bytes(), 1), "column 1");
        assert_eq!(shown(b"A123456(3)", 2), "column 2");
        assert_eq!(shown(b"someone@example.com", 3), "column 3");
        assert_eq!(shown(b"", 4), "");
    }
}
