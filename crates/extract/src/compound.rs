//! Compound files: workbooks in XLS, and office documents under a password, which hide in them.
//! Other old formats (DOC, PPT, MSG) are read by their printable runs, and reported.

use crate::obstacle::Obstacle;
use crate::session::Session;
use crate::sheet::Sheet;
use crate::{Format, binary, chains};
use calamine::{Data, Reader, Xls, XlsError};
use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Sheets of one workbook; more is no honest one.
const SHEETS_MAX: usize = 1_000;

impl From<XlsError> for Obstacle {
    fn from(error: XlsError) -> Self {
        match error {
            XlsError::Password => LOCKED,
            _ => Self::corrupt("the workbook is damaged"),
        }
    }
}

const LOCKED: Obstacle = Obstacle::protected("it is protected by a password");

/// Reads a compound file that is held in memory.
pub(crate) fn read(
    session: &mut Session<'_>,
    bytes: &[u8],
    format: &mut Format,
) -> Result<(), Obstacle> {
    *format = Format::Binary;
    // The names of its streams stand in the file in UTF-16.
    let has = |name: &str| {
        let wide: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
        bytes.windows(wide.len()).any(|window| window == wide)
    };
    if has("EncryptedPackage") {
        return Err(LOCKED);
    }
    if has("Workbook") || has("Book") {
        *format = Format::Workbook;
        if !chains::all_end(bytes) {
            return Err(Obstacle::corrupt("sectors of the file run in circles"));
        }
        // The parser is not ours; hostile bytes that make it panic are damaged ones.
        let read = catch_unwind(AssertUnwindSafe(|| workbook(session, bytes)));
        return read.unwrap_or(Err(Obstacle::corrupt("the workbook is damaged in an unusual way")));
    }
    binary::read(session, &mut Cursor::new(bytes))?;
    Err(Obstacle::unsupported("an old office format: only its printable runs were read"))
}

fn workbook(session: &mut Session<'_>, bytes: &[u8]) -> Result<(), Obstacle> {
    let mut workbook = Xls::new(Cursor::new(bytes))?;
    for name in workbook.sheet_names().into_iter().take(SHEETS_MAX) {
        session.member()?;
        let range = workbook.worksheet_range(&name)?;
        session.inside(&format!("sheet {name}"), |session| {
            let mut rows = range.rows().map(|row| row.iter().map(shown).collect::<Vec<_>>());
            let first = u64::from(range.start().map_or(0, |(row, _)| row)) + 1;
            let mut ledger = session.ledger();
            // What stands above the names is text; the names are read as values as well.
            let mut above = Sheet::new::<&[u8]>(&[], session.limits.columns_max);
            let mut number = first;
            let names = rows.by_ref().find(|row| {
                above.row(&mut ledger, number, row);
                number += 1;
                row.iter().filter(|cell| !cell.is_empty()).count() > 1 || row.len() == 1
            });
            above.finish(&mut ledger);
            ledger.next_table();
            let mut sheet = Sheet::new(&names.unwrap_or_default(), session.limits.columns_max);
            let mut result = Ok(());
            for row in rows {
                result = session.cells(row.len());
                if result.is_err() {
                    break;
                }
                sheet.row(&mut ledger, number, &row);
                number += 1;
            }
            sheet.finish(&mut ledger);
            session.keep(Format::Workbook, None, ledger);
            session.settle(result);
        });
    }
    Ok(())
}

fn shown(cell: &Data) -> Vec<u8> {
    match cell {
        Data::Empty | Data::Error(_) => Vec::new(),
        Data::String(text) | Data::DateTimeIso(text) | Data::DurationIso(text) => {
            text.clone().into_bytes()
        }
        Data::Float(number) => crate::styles::shown(number.to_string().as_bytes(), false),
        Data::DateTime(moment) => {
            crate::styles::shown(moment.as_f64().to_string().as_bytes(), true)
        }
        other => other.to_string().into_bytes(),
    }
}
