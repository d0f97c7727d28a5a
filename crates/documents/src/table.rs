//! A table of typed cells: the common ground of HTML, CSV and XLSX.

use kernel::Timestamp;

/// One cell.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Text as people wrote it.
    Text(String),
    /// A number, shown with tabular figures.
    Number(f64),
    /// An instant, shown in Hong Kong time.
    Time(Timestamp),
    /// Nothing is known; shown empty, never as zero.
    Empty,
}

impl Cell {
    /// A cell of text.
    #[must_use]
    pub fn text(value: impl Into<String>) -> Self {
        Self::Text(value.into())
    }

    /// A cell of a whole number.
    #[must_use]
    pub fn count(value: usize) -> Self {
        u32::try_from(value)
            .map_or_else(|_| Self::Text(value.to_string()), |n| Self::Number(n.into()))
    }

    /// The cell as plain text, for CSV and HTML.
    #[must_use]
    pub fn plain(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(number) => number.to_string(),
            Self::Time(at) => at.hong_kong(),
            Self::Empty => String::new(),
        }
    }
}

/// A titled table. Rows shorter than the header are filled with empty cells by the writers.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    /// What the rows are; also the name of the sheet.
    pub title: String,
    /// The columns.
    pub columns: Vec<String>,
    /// The rows.
    pub rows: Vec<Vec<Cell>>,
}

impl Table {
    /// An empty table with these columns.
    #[must_use]
    pub fn new(title: impl Into<String>, columns: &[&str]) -> Self {
        let columns = columns.iter().map(|c| (*c).to_owned()).collect();
        Self { title: title.into(), columns, rows: Vec::new() }
    }

    /// Adds a row.
    pub fn push(&mut self, row: Vec<Cell>) {
        self.rows.push(row);
    }
}

/// The text with an apostrophe before it when a spreadsheet would read it as a formula.
///
/// The characters are those of the OWASP note on CSV injection: `=`, `+`, `-`, `@`, tab and
/// carriage return at the start, also after leading white space.
#[must_use]
pub(crate) fn neutral(text: &str) -> String {
    let first = text.trim_start_matches([' ', '\u{a0}', '\u{3000}']).chars().next();
    if matches!(first, Some('=' | '+' | '-' | '@' | '\t' | '\r' | '＝' | '＋' | '－' | '＠')) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_neutralised_and_plain_text_is_not_touched() {
        for bad in ["=1+1", "+1", "-1", "@sum", "\t=1", " =1", "＝1"] {
            assert!(neutral(bad).starts_with('\''), "{bad:?}");
        }
        for good in ["", "a=b", "key-1", "密碼匙"] {
            assert_eq!(neutral(good), good);
        }
    }
}
