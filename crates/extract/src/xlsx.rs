//! Workbooks in XLSX, read from front to end: shared texts first, then each sheet row by row.

use crate::Format;
use crate::door::pieces;
use crate::input::Metered;
use crate::ledger::Ledger;
use crate::markup::{Markup, Token, attributes};
use crate::obstacle::Obstacle;
use crate::office::Package;
use crate::session::Session;
use crate::sheet::Sheet;
use crate::styles::{Styles, shown};
use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;

/// Columns that a sheet can have: up to `XFD`.
const COLUMNS_MAX: usize = 16_384;
/// Text of one cell; the programs allow 32,767 characters.
const CELL_BYTES_MAX: usize = 128 << 10;

/// Reads every sheet.
pub(crate) fn read(session: &mut Session<'_>, archive: &mut Package<'_>) -> Result<(), Obstacle> {
    let limit = session.limits.strings_bytes_max;
    let mut strings = Strings { limit, ..Strings::default() };
    let read = each(session, archive, "xl/sharedStrings.xml", |_, token| strings.take(token));
    session.settle(read);
    let held = strings.bytes.len();
    session.holding(held, |session| {
        let mut styles = Styles::default();
        let read = each(session, archive, "xl/styles.xml", |_, token| {
            styles.take(token);
            Ok(())
        });
        session.settle(read);
        let names = sheets(session, archive)?;
        for (name, member) in names {
            session.inside(&format!("sheet {name}"), |session| {
                let read = sheet(session, archive, &member, &strings, &styles);
                session.settle(read);
            });
        }
        Ok(())
    })
}

/// Hands every token of a member on; a member that is not there has none.
fn each(
    session: &mut Session<'_>,
    archive: &mut Package<'_>,
    name: &str,
    mut act: impl FnMut(&mut Session<'_>, Token<'_>) -> Result<(), Obstacle>,
) -> Result<(), Obstacle> {
    let Some(index) = archive.index_for_name(name) else { return Ok(()) };
    let mut member = Metered::new(archive.by_index(index)?, Rc::clone(&session.budget));
    let mut markup = Markup::default();
    let mut result = Ok(());
    let read = pieces(&mut member, |piece| {
        markup.feed(piece, &mut |token| {
            if result.is_ok() {
                result = act(session, token);
            }
        });
        std::mem::replace(&mut result, Ok(()))
    });
    markup.finish(&mut |token| {
        let _ = act(session, token);
    });
    read
}

/// The texts that cells share.
#[derive(Default)]
struct Strings {
    bytes: Vec<u8>,
    places: Vec<Range<usize>>,
    start: usize,
    /// Phonetic guides are no part of the text.
    in_guide: bool,
    in_text: bool,
    limit: u64,
}

impl Strings {
    fn take(&mut self, token: Token<'_>) -> Result<(), Obstacle> {
        match token {
            Token::Open(b"si", _) => self.start = self.bytes.len(),
            Token::Open(b"t", _) => self.in_text = true,
            Token::Open(b"rPh", _) => self.in_guide = true,
            Token::Close(b"rPh") => self.in_guide = false,
            Token::Close(b"t") => self.in_text = false,
            Token::Close(b"si") => self.places.push(self.start..self.bytes.len()),
            Token::Text(text) if self.in_text && !self.in_guide => {
                self.bytes.extend_from_slice(text);
            }
            _ => {}
        }
        let held = self.bytes.len() + self.places.len() * size_of::<Range<usize>>();
        if held as u64 > self.limit {
            return Err(Obstacle::too_large("the texts that its cells share are too many"));
        }
        Ok(())
    }

    fn get(&self, index: &[u8]) -> &[u8] {
        let index = std::str::from_utf8(index).ok().and_then(|text| text.parse::<usize>().ok());
        let place = index.and_then(|index| self.places.get(index)).cloned().unwrap_or_default();
        self.bytes.get(place).unwrap_or_default()
    }
}

/// The names of the sheets and their members, in the order of the workbook.
fn sheets(
    session: &mut Session<'_>,
    archive: &mut Package<'_>,
) -> Result<Vec<(String, String)>, Obstacle> {
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    let mut targets = HashMap::new();
    each(session, archive, "xl/_rels/workbook.xml.rels", |session, token| {
        if let Token::Open(b"Relationship", rest) = token {
            session.member()?;
            let mut found: HashMap<_, _> = attributes(rest).into_iter().collect();
            if let (Some(id), Some(target)) =
                (found.remove(&b"Id"[..]), found.remove(&b"Target"[..]))
            {
                targets.insert(id, text(target));
            }
        }
        Ok(())
    })?;
    let mut names = Vec::new();
    each(session, archive, "xl/workbook.xml", |session, token| {
        if let Token::Open(b"sheet", rest) = token {
            session.member()?;
            let mut found: HashMap<_, _> = attributes(rest).into_iter().collect();
            let target = found.get(&b"id"[..]).and_then(|id| targets.get(id));
            if let (Some(name), Some(target)) = (found.remove(&b"name"[..]), target) {
                let member = match target.strip_prefix('/') {
                    Some(absolute) => absolute.to_owned(),
                    None => format!("xl/{target}"),
                };
                names.push((text(name), member));
            }
        }
        Ok(())
    })?;
    Ok(names)
}

fn sheet(
    session: &mut Session<'_>,
    archive: &mut Package<'_>,
    member: &str,
    strings: &Strings,
    styles: &Styles,
) -> Result<(), Obstacle> {
    let mut rows =
        Rows { columns_max: session.limits.columns_max.min(COLUMNS_MAX), ..Rows::default() };
    let mut ledger = session.ledger();
    let read = each(session, archive, member, |session, token| {
        if let Some(cells) = rows.take(token, strings, styles) {
            session.cells(cells)?;
            rows.end_row(&mut ledger);
        }
        Ok(())
    });
    if let Some(mut table) = rows.table.take() {
        table.finish(&mut ledger);
    }
    session.keep(Format::Workbook, None, ledger);
    read
}

/// The rows of a sheet as they come.
#[derive(Default)]
struct Rows {
    columns_max: usize,
    table: Option<Sheet>,
    /// Names in the header.
    names: usize,
    row: Vec<Vec<u8>>,
    number: u64,
    cell: Cell,
}

#[derive(Default)]
struct Cell {
    column: usize,
    kind: Vec<u8>,
    style: usize,
    value: Vec<u8>,
    in_value: bool,
}

impl Rows {
    /// Takes a token; gives the number of cells when a row has ended.
    fn take(&mut self, token: Token<'_>, strings: &Strings, styles: &Styles) -> Option<usize> {
        match token {
            Token::Open(b"row", rest) => {
                let number = number_of(rest, b"r");
                self.number = number.unwrap_or(self.number + 1);
                self.row.clear();
                self.cell.column = 0;
            }
            Token::Open(b"c", rest) => {
                let next = self.cell.column + 1;
                self.cell = Cell { column: next, ..Cell::default() };
                for (name, value) in attributes(rest) {
                    match name {
                        b"r" => self.cell.column = column(&value).unwrap_or(next),
                        b"t" => self.cell.kind = value,
                        b"s" => {
                            let style = std::str::from_utf8(&value).ok();
                            self.cell.style = style.and_then(|s| s.parse().ok()).unwrap_or(0);
                        }
                        _ => {}
                    }
                }
            }
            Token::Open(b"v" | b"t", _) => self.cell.in_value = true,
            Token::Close(b"v" | b"t") => self.cell.in_value = false,
            Token::Text(text) if self.cell.in_value && self.cell.value.len() < CELL_BYTES_MAX => {
                self.cell.value.extend_from_slice(text);
            }
            Token::Close(b"c") => self.end_cell(strings, styles),
            Token::Close(b"row") => return Some(self.row.len()),
            _ => {}
        }
        None
    }

    fn end_cell(&mut self, strings: &Strings, styles: &Styles) {
        let value = std::mem::take(&mut self.cell.value);
        let value = match self.cell.kind.as_slice() {
            b"s" => strings.get(&value).to_vec(),
            b"" | b"n" => shown(&value, styles.is_date(self.cell.style)),
            _ => value,
        };
        let place = self.cell.column.saturating_sub(1);
        if value.is_empty() || place >= self.columns_max {
            return;
        }
        if self.row.len() <= place {
            self.row.resize(place + 1, Vec::new());
        }
        if let Some(cell) = self.row.get_mut(place) {
            *cell = value;
        }
    }

    /// The first row with more than one cell names the columns; what stands above it is text. A
    /// single name names a single column, until a wider row shows that it was a title.
    fn end_row(&mut self, ledger: &mut Ledger) {
        let filled = self.row.iter().filter(|cell| !cell.is_empty()).count();
        if filled == 0 {
            return;
        }
        let titled = self.names == 1 && filled > 1;
        if let Some(table) = self.table.as_mut().filter(|_| !titled) {
            return table.row(ledger, self.number, &self.row);
        }
        if let Some(mut table) = self.table.take() {
            table.finish(ledger);
        }
        // The names are read as values as well: not every sheet has names.
        let mut above = Sheet::new::<&[u8]>(&[], self.columns_max);
        above.row(ledger, self.number, &self.row);
        above.finish(ledger);
        ledger.next_table();
        if filled > 1 || is_name(&self.row) {
            self.names = filled;
            self.table = Some(Sheet::new(&self.row, self.columns_max));
        }
    }
}

/// A single cell that can name a column: detectors know the word.
fn is_name(row: &[Vec<u8>]) -> bool {
    row.last().is_some_and(|cell| cell.len() <= 60 && !cell.iter().any(u8::is_ascii_digit))
}

fn number_of(rest: &[u8], wanted: &[u8]) -> Option<u64> {
    let (_, value) = attributes(rest).into_iter().find(|(name, _)| *name == wanted)?;
    std::str::from_utf8(&value).ok()?.parse().ok()
}

/// The column of a reference such as `AB12`, from 1.
fn column(reference: &[u8]) -> Option<usize> {
    let letters = reference.iter().take_while(|b| b.is_ascii_alphabetic()).take(4);
    let place = letters.fold(0usize, |place, letter| {
        place * 26 + usize::from(letter.to_ascii_uppercase() - b'A') + 1
    });
    (1..=COLUMNS_MAX).contains(&place).then_some(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_name_columns() {
        assert_eq!(column(b"A1"), Some(1));
        assert_eq!(column(b"xfd1048576"), Some(16_384));
        assert_eq!(column(b"XFE1"), None);
        assert_eq!(column(b"12"), None);
    }
}
