//! XLSX workbooks, one sheet for each table, with the header frozen and a filter on it.

use crate::table::{Cell, Table, neutral};
use rust_xlsxwriter::{
    DocProperties, ExcelDateTime, Format, FormatAlign, Workbook, Worksheet, XlsxError,
};
use std::collections::BTreeSet;

/// Most rows of one sheet, a limit of the format.
pub const ROWS_MAX: usize = 1_048_575;
/// Longest text of one cell, a limit of the format, in characters.
const CELL_CHARS_MAX: usize = 32_767;
/// Longest name of a sheet, a limit of the format, in characters.
const SHEET_NAME_CHARS_MAX: usize = 31;

/// Why a workbook could not be written.
#[derive(Debug, thiserror::Error)]
pub enum WorkbookError {
    /// More rows than a sheet can hold.
    #[error("table `{0}` has more rows than a sheet can hold")]
    TooManyRows(String),
    /// The writer refused.
    #[error("the workbook could not be written")]
    Write(#[source] XlsxError),
}

/// The tables as one workbook. The same tables give the same bytes.
///
/// # Errors
/// When a table is longer than [`ROWS_MAX`] or the writer refuses.
pub fn write(title: &str, tables: &[Table]) -> Result<Vec<u8>, WorkbookError> {
    let mut book = Workbook::new();
    let created = ExcelDateTime::from_ymd(2000, 1, 1).map_err(WorkbookError::Write)?;
    book.set_properties(&DocProperties::new().set_title(title).set_creation_datetime(&created));
    let mut names = BTreeSet::new();
    for table in tables {
        if table.rows.len() > ROWS_MAX {
            return Err(WorkbookError::TooManyRows(table.title.clone()));
        }
        let name = sheet_name(&table.title, &mut names);
        sheet(book.add_worksheet(), &name, table).map_err(WorkbookError::Write)?;
    }
    book.save_to_buffer().map_err(WorkbookError::Write)
}

fn sheet(sheet: &mut Worksheet, name: &str, table: &Table) -> Result<(), XlsxError> {
    let bold = Format::new().set_bold();
    let wrapped = Format::new().set_text_wrap().set_align(FormatAlign::Top);
    let time = Format::new().set_num_format("yyyy-mm-dd hh:mm").set_align(FormatAlign::Top);
    sheet.set_name(name)?;
    for (i, column) in table.columns.iter().enumerate() {
        let i = u16::try_from(i).unwrap_or(u16::MAX);
        sheet.write_string_with_format(0, i, neutral(column), &bold)?;
        sheet.set_column_width(i, width(table, usize::from(i)))?;
    }
    for (row, cells) in (1u32..).zip(&table.rows) {
        for (column, cell) in (0u16..).zip(cells) {
            match cell {
                Cell::Text(text) => {
                    let text: String = neutral(text).chars().take(CELL_CHARS_MAX).collect();
                    sheet.write_string_with_format(row, column, text, &wrapped)?;
                }
                Cell::Number(number) => {
                    sheet.write_number(row, column, *number)?;
                }
                Cell::Time(at) => {
                    // Hong Kong time, eight hours ahead of UTC, as every page shows it.
                    let seconds = at.plus_seconds(8 * 3_600).unix_seconds();
                    let at = ExcelDateTime::from_timestamp(seconds)?;
                    sheet.write_datetime_with_format(row, column, at, &time)?;
                }
                Cell::Empty => {}
            }
        }
    }
    sheet.set_freeze_panes(1, 0)?;
    let last_row = u32::try_from(table.rows.len()).unwrap_or(u32::MAX);
    if let Some(last) = table.columns.len().checked_sub(1).and_then(|n| u16::try_from(n).ok()) {
        sheet.autofilter(0, 0, last_row, last)?;
    }
    Ok(())
}

fn width(table: &Table, column: usize) -> f64 {
    let cells = table.rows.iter().take(200).filter_map(|row| row.get(column));
    let longest = cells.map(|cell| cell.plain().chars().count()).max().unwrap_or(0);
    let header = table.columns.get(column).map_or(0, |name| name.chars().count() + 2);
    f64::from(u8::try_from(longest.max(header).clamp(8, 60)).unwrap_or(60))
}

/// A sheet's name as the format allows it: 31 characters, none of `[]:*?/\`, each name once.
fn sheet_name(title: &str, taken: &mut BTreeSet<String>) -> String {
    let plain: String = title
        .chars()
        .map(|c| if matches!(c, '[' | ']' | ':' | '*' | '?' | '/' | '\\' | '\'') { ' ' } else { c })
        .collect();
    let base = if plain.trim().is_empty() { "Sheet" } else { plain.trim() };
    let mut number = 1;
    loop {
        let tail = if number == 1 { String::new() } else { format!(" {number}") };
        let room = SHEET_NAME_CHARS_MAX - tail.chars().count();
        let name: String = base.chars().take(room).chain(tail.chars()).collect();
        if taken.insert(name.to_lowercase()) {
            return name;
        }
        number += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::Timestamp;

    #[test]
    fn the_same_tables_give_the_same_bytes() {
        let mut table = Table::new("Keys: [all]", &["name", "made"]);
        table.push(vec![Cell::text("=1"), Cell::Time(Timestamp::EPOCH)]);
        let first = write("t", &[table.clone(), table.clone()]).unwrap();
        assert_eq!(first, write("t", &[table.clone(), table]).unwrap());
        assert!(first.starts_with(b"PK"));
    }

    #[test]
    fn sheet_names_are_short_allowed_and_different() {
        let mut taken = BTreeSet::new();
        let long = "x".repeat(40);
        assert_eq!(sheet_name(&long, &mut taken).len(), 31);
        assert_eq!(sheet_name(&long, &mut taken), format!("{} 2", "x".repeat(29)));
        assert_eq!(sheet_name("a/b", &mut taken), "a b");
        assert_eq!(sheet_name("[]", &mut taken), "Sheet");
    }
}
