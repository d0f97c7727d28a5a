//! Columns over a whole part: verdicts of its pieces added up.

use crate::{ColumnFinding, KindName};
use detect::{Document, Kind, Layout};
use std::collections::{BTreeMap, HashMap};

/// Characters of a column's name that are told.
const NAME_CHARS_MAX: usize = 60;
/// Digits in a row that make a name a value.
const NAME_DIGITS_MAX: usize = 4;
/// The normal distribution's value for 95 % on both sides, for Wilson's interval.
const NORMAL_95: f64 = 1.96;

/// The columns of one part.
pub(crate) struct Columns {
    pub(crate) columns_max: usize,
    columns: Vec<Sum>,
    /// Columns of earlier tables of the part.
    base: usize,
    /// Columns of JSON and XML are known by name, those of tables by place.
    by_name: HashMap<Vec<u8>, usize>,
}

struct Sum {
    name: String,
    cells: u64,
    matching: BTreeMap<Kind, u64>,
}

impl Columns {
    pub(crate) fn new(columns_max: usize) -> Self {
        Self { columns_max, columns: Vec::new(), base: 0, by_name: HashMap::new() }
    }

    /// From here on columns are those of another table.
    pub(crate) const fn next_table(&mut self) {
        self.base = self.columns.len();
    }

    /// Adds the verdicts of one piece.
    pub(crate) fn add(&mut self, found: &Document, wanted: impl Fn(Kind) -> bool) {
        let named = found.layout == Layout::JsonLines;
        for (place, column) in found.columns.iter().enumerate() {
            let index = if named {
                self.by_name.get(&column.name).copied()
            } else {
                Some(self.base + place)
            };
            let index = index.unwrap_or(self.columns.len());
            if index >= self.columns_max {
                continue;
            }
            while self.columns.len() <= index {
                let number = self.columns.len() - self.base + 1;
                let sum = Sum { name: String::new(), cells: 0, matching: BTreeMap::new() };
                self.columns.push(sum);
                if let Some(sum) = self.columns.last_mut() {
                    sum.name = shown(&column.name, number);
                }
                if named {
                    self.by_name.insert(column.name.clone(), index);
                }
            }
            let Some(sum) = self.columns.get_mut(index) else { continue };
            sum.cells += u64::from(column.verdict.cells);
            if let Some(kind) = column.verdict.kind.filter(|kind| wanted(*kind)) {
                *sum.matching.entry(kind).or_default() += u64::from(column.verdict.matching);
            }
        }
    }

    /// The columns that hold something: at least half of their cells are of one kind.
    pub(crate) fn finish(self) -> Vec<ColumnFinding> {
        let held = self.columns.into_iter().filter_map(|sum| {
            let (kind, matching) = sum.matching.into_iter().max_by_key(|(_, count)| *count)?;
            (matching > 0 && matching * 2 >= sum.cells).then(|| ColumnFinding {
                name: sum.name,
                kind: KindName(kind),
                cells: sum.cells,
                matching,
                share_at_least: wilson(matching, sum.cells),
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

/// The lower end of Wilson's interval for a share, with 95 % confidence.
#[expect(clippy::cast_precision_loss, reason = "counts of cells stay far below 2^53")]
fn wilson(matching: u64, cells: u64) -> f64 {
    if cells == 0 {
        return 0.0;
    }
    let (n, z) = (cells as f64, NORMAL_95);
    let share = matching as f64 / n;
    let centre = share + z * z / (2.0 * n);
    let spread = z * (share * (1.0 - share) / n + z * z / (4.0 * n * n)).sqrt();
    let share = ((centre - spread) / (1.0 + z * z / n)).max(0.0);
    // Rounded down: four digits are more than a sample can tell, and survive any transport.
    (share * 10_000.0).floor() / 10_000.0
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
