//! The stream of a workbook in XLS (BIFF5 and BIFF8), read record by record and row by row: shared
//! texts are held within a limit, cells only as long as their row.
//!
//! Format: [MS-XLS], <https://learn.microsoft.com/openspecs/office_file_formats/ms-xls/>.

use crate::Format;
use crate::biff_text::{Pieces, Strings, encoding};
use crate::ledger::Ledger;
use crate::obstacle::Obstacle;
use crate::session::Session;
use crate::sheet::Sheet;
use crate::styles::{Styles, shown};
use encoding_rs::Encoding;

/// Sheets of one workbook; more is no honest one.
const SHEETS_MAX: usize = 1_000;
/// Columns that a sheet can have: up to `IV`; a cell further right is damage.
const COLUMNS_MAX: usize = 256;
/// The version of BIFF8 in the record that begins a stream.
const BIFF8: u16 = 0x0600;
/// Days between the two counts of days that workbooks know, from 1900 and from 1904.
const DAYS_FROM_1904: f64 = 1_462.0;

const DAMAGED: Obstacle = Obstacle::corrupt("the workbook is damaged");
/// What stands under a password.
pub(crate) const LOCKED: Obstacle = Obstacle::protected("it is protected by a password");

/// Numbers of records.
mod kind {
    pub(super) const FORMULA: u16 = 0x0006;
    pub(super) const END: u16 = 0x000a;
    pub(super) const DATES: u16 = 0x0022;
    pub(super) const PASSWORD: u16 = 0x002f;
    pub(super) const MORE: u16 = 0x003c;
    pub(super) const CODE_PAGE: u16 = 0x0042;
    pub(super) const SHEET: u16 = 0x0085;
    pub(super) const NUMBERS: u16 = 0x00bd;
    pub(super) const RICH_TEXT: u16 = 0x00d6;
    pub(super) const STYLE: u16 = 0x00e0;
    pub(super) const STRINGS: u16 = 0x00fc;
    pub(super) const SHARED_TEXT: u16 = 0x00fd;
    pub(super) const BORDERS: u16 = 0x0200;
    pub(super) const NUMBER: u16 = 0x0203;
    pub(super) const TEXT: u16 = 0x0204;
    pub(super) const BOOLEAN: u16 = 0x0205;
    pub(super) const RESULT: u16 = 0x0207;
    pub(super) const SHORT_NUMBER: u16 = 0x027e;
    pub(super) const FORMAT: u16 = 0x041e;
    pub(super) const BEGIN: u16 = 0x0809;
}

/// Reads every sheet of a workbook's stream.
pub(crate) fn read(session: &mut Session<'_>, stream: &[u8]) -> Result<(), Obstacle> {
    let mut book = Book::new(session.limits.strings_bytes_max);
    let read = book.globals(stream);
    if read == Err(LOCKED) {
        return read;
    }
    session.settle(read);
    let held = book.strings.held();
    let sheets = std::mem::take(&mut book.sheets);
    session.holding(held, |session| {
        for (place, name) in sheets {
            session.member()?;
            session.inside(&format!("sheet {name}"), |session| {
                let mut ledger = session.ledger();
                let mut rows = Rows::new(session.limits.columns_max);
                let read = book.sheet(session, &mut ledger, &mut rows, stream, place);
                let last = rows.end_row(session, &mut ledger);
                rows.finish(&mut ledger);
                session.keep(Format::Workbook, None, ledger);
                session.settle(read.and(last));
            });
        }
        Ok(())
    })
}

/// A record with those that go on with it.
struct Record<'a> {
    kind: u16,
    data: &'a [u8],
    more: Vec<&'a [u8]>,
}

impl<'a> Record<'a> {
    /// The next record; none at the end of the stream.
    fn next(stream: &mut &'a [u8]) -> Result<Option<Self>, Obstacle> {
        let Some((kind, data)) = one(stream)? else { return Ok(None) };
        let mut more = Vec::new();
        while stream.first_chunk() == Some(&kind::MORE.to_le_bytes()) {
            let Some((_, data)) = one(stream)? else { break };
            more.push(data);
        }
        Ok(Some(Self { kind, data, more }))
    }

    fn u16(&self, place: usize) -> Option<u16> {
        let bytes = self.data.get(place..)?.first_chunk()?;
        Some(u16::from_le_bytes(*bytes))
    }

    fn u32(&self, place: usize) -> Option<u32> {
        let bytes = self.data.get(place..)?.first_chunk()?;
        Some(u32::from_le_bytes(*bytes))
    }

    fn f64(&self, place: usize) -> Option<f64> {
        let bytes = self.data.get(place..)?.first_chunk()?;
        Some(f64::from_le_bytes(*bytes))
    }

    /// What stands from a place on, and in the records that go on.
    fn pieces(&self, place: usize) -> Pieces<'a> {
        let first = self.data.get(place..).unwrap_or_default();
        Pieces::new(first, self.more.clone())
    }

    fn bytes(&self) -> u64 {
        let more: usize = self.more.iter().map(|piece| piece.len() + 4).sum();
        (self.data.len() + 4 + more) as u64
    }
}

fn one<'a>(stream: &mut &'a [u8]) -> Result<Option<(u16, &'a [u8])>, Obstacle> {
    if stream.is_empty() {
        return Ok(None);
    }
    let ([a, b, c, d], rest) = stream.split_first_chunk::<4>().ok_or(DAMAGED)?;
    let length = usize::from(u16::from_le_bytes([*c, *d]));
    let (data, rest) = rest.split_at_checked(length).ok_or(DAMAGED)?;
    *stream = rest;
    Ok(Some((u16::from_le_bytes([*a, *b]), data)))
}

/// What the sheets of a workbook share.
struct Book {
    wide: bool,
    encoding: &'static Encoding,
    from_1904: bool,
    styles: Styles,
    strings: Strings,
    sheets: Vec<(usize, String)>,
}

impl Book {
    fn new(strings_bytes_max: u64) -> Self {
        Self {
            wide: true,
            encoding: encoding_rs::WINDOWS_1252,
            from_1904: false,
            styles: Styles::default(),
            strings: Strings::new(strings_bytes_max),
            sheets: Vec::new(),
        }
    }

    fn globals(&mut self, stream: &[u8]) -> Result<(), Obstacle> {
        let mut rest = stream;
        while let Some(record) = Record::next(&mut rest)? {
            match record.kind {
                kind::PASSWORD => return Err(LOCKED),
                kind::BEGIN => self.wide = record.u16(0) == Some(BIFF8),
                kind::CODE_PAGE => self.encoding = encoding(record.u16(0).unwrap_or(0)),
                kind::DATES => self.from_1904 = record.u16(0) == Some(1),
                kind::FORMAT => {
                    let code = self.text(&record, 2, !self.wide).into_bytes();
                    self.styles.format(record.u16(0).unwrap_or(0).into(), &code);
                }
                kind::STYLE => self.styles.style(record.u16(2).unwrap_or(0).into()),
                kind::SHEET if self.sheets.len() < SHEETS_MAX => {
                    let place = record.u32(0).and_then(|place| usize::try_from(place).ok());
                    let name = self.text(&record, 6, true);
                    self.sheets.push((place.ok_or(DAMAGED)?, name));
                }
                kind::STRINGS => self.strings.read(record.pieces(8))?,
                kind::END => break,
                _ => {}
            }
        }
        Ok(())
    }

    /// A text with its length before it, in one byte or two.
    fn text(&self, record: &Record<'_>, place: usize, short: bool) -> String {
        let mut pieces = record.pieces(place);
        let length = if short { pieces.u8().map(u16::from) } else { pieces.u16() };
        let length = usize::from(length.unwrap_or(0));
        let mut text = String::new();
        if self.wide {
            pieces.wide_text(length, &mut text);
        } else {
            let bytes = pieces.bytes(length);
            text.push_str(&self.encoding.decode_without_bom_handling(&bytes).0);
        }
        text.retain(|c| c != '\0');
        text
    }

    /// A number as its cell shows it.
    fn number(&self, number: f64, style: u16) -> Vec<u8> {
        let date = self.styles.is_date(style.into());
        let shift = if date && self.from_1904 { DAYS_FROM_1904 } else { 0.0 };
        shown((number + shift).to_string().as_bytes(), date)
    }

    fn sheet(
        &self,
        session: &mut Session<'_>,
        ledger: &mut Ledger,
        rows: &mut Rows,
        stream: &[u8],
        place: usize,
    ) -> Result<(), Obstacle> {
        let mut rest = stream.get(place..).ok_or(DAMAGED)?;
        // Charts inside a sheet have records of their own, which only repeat its cells.
        let (mut depth, mut formula) = (0u32, None);
        while let Some(record) = Record::next(&mut rest)? {
            // Sheets that claim the same bytes are read as often as they say, up to the limit.
            session.budget.spend(record.bytes())?;
            match record.kind {
                kind::BEGIN => depth += 1,
                kind::END if depth <= 1 => break,
                kind::END => depth -= 1,
                _ if depth > 1 => {}
                kind::BORDERS => rows.single = record.data.len() >= 14 && record.u16(10) == Some(1),
                kind::FORMULA => {
                    formula = at(&record);
                    if let Some(value) = self.result(&record) {
                        rows.put(session, ledger, formula, value)?;
                    }
                }
                kind::RESULT => {
                    let text = self.text(&record, 0, false);
                    rows.put(session, ledger, formula, text.into_bytes())?;
                }
                kind::NUMBERS => self.numbers(session, ledger, rows, &record)?,
                _ => {
                    if let Some(value) = self.value(&record) {
                        rows.put(session, ledger, at(&record), value)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// What a cell's own record holds; none when the record is no cell.
    fn value(&self, record: &Record<'_>) -> Option<Vec<u8>> {
        let style = record.u16(4).unwrap_or(0);
        match record.kind {
            kind::NUMBER => Some(self.number(record.f64(6)?, style)),
            kind::SHORT_NUMBER => Some(self.number(short(record.u32(6)?), style)),
            kind::TEXT | kind::RICH_TEXT => Some(self.text(record, 6, false).into_bytes()),
            kind::SHARED_TEXT => Some(self.strings.get(record.u32(6)?).to_vec()),
            kind::BOOLEAN if record.data.get(7) == Some(&0) => {
                let yes = record.data.get(6) != Some(&0);
                Some(if yes { b"true".to_vec() } else { b"false".to_vec() })
            }
            _ => None,
        }
    }

    /// The number that a formula gave; its text comes in a record of its own.
    fn result(&self, record: &Record<'_>) -> Option<Vec<u8>> {
        if record.u16(12) == Some(0xffff) {
            return None;
        }
        Some(self.number(record.f64(6)?, record.u16(4).unwrap_or(0)))
    }

    /// Numbers that stand beside each other.
    fn numbers(
        &self,
        session: &mut Session<'_>,
        ledger: &mut Ledger,
        rows: &mut Rows,
        record: &Record<'_>,
    ) -> Result<(), Obstacle> {
        let Some((row, first)) = at(record) else { return Err(DAMAGED) };
        let cells = record.data.get(4..).unwrap_or_default().chunks_exact(6);
        for (place, cell) in cells.enumerate() {
            if let [s0, s1, a, b, c, d] = cell {
                let number = short(u32::from_le_bytes([*a, *b, *c, *d]));
                let value = self.number(number, u16::from_le_bytes([*s0, *s1]));
                rows.put(session, ledger, Some((row, first.saturating_add(place))), value)?;
            }
        }
        Ok(())
    }
}

/// The row and the column of a cell, from 0.
fn at(record: &Record<'_>) -> Option<(u64, usize)> {
    Some((record.u16(0)?.into(), record.u16(2)?.into()))
}

/// A number of thirty bits: the upper part of a double or a whole number, perhaps in hundredths.
fn short(bits: u32) -> f64 {
    let number = if bits & 2 == 0 {
        f64::from_bits(u64::from(bits & !3) << 32)
    } else {
        f64::from(i32::from_le_bytes(bits.to_le_bytes()) >> 2)
    };
    if bits & 1 == 0 { number } else { number / 100.0 }
}

/// The rows of a sheet as they come.
struct Rows {
    columns_max: usize,
    /// The sheet has one column: its first row names it.
    single: bool,
    row: Vec<Vec<u8>>,
    number: Option<u64>,
    above: Sheet,
    table: Option<Sheet>,
}

impl Rows {
    fn new(columns_max: usize) -> Self {
        // What stands above the names is text; the names are read as values as well.
        let above = Sheet::new::<&[u8]>(&[], columns_max);
        Self { columns_max, single: false, row: Vec::new(), number: None, above, table: None }
    }

    fn put(
        &mut self,
        session: &mut Session<'_>,
        ledger: &mut Ledger,
        at: Option<(u64, usize)>,
        value: Vec<u8>,
    ) -> Result<(), Obstacle> {
        let (row, column) = at.filter(|(_, column)| *column < COLUMNS_MAX).ok_or(DAMAGED)?;
        // One shared text may stand in a million cells.
        session.budget.spend(value.len() as u64)?;
        if self.number != Some(row) {
            self.end_row(session, ledger)?;
            self.number = Some(row);
        }
        if self.row.len() <= column {
            self.row.resize(column + 1, Vec::new());
        }
        match self.row.get_mut(column) {
            Some(cell) if cell.is_empty() => *cell = value,
            // A cell that stands twice: both are read.
            Some(cell) if cell.len() + value.len() < CELL_BYTES_MAX => {
                cell.push(b' ');
                cell.extend_from_slice(&value);
            }
            _ => {}
        }
        Ok(())
    }

    fn end_row(&mut self, session: &mut Session<'_>, ledger: &mut Ledger) -> Result<(), Obstacle> {
        let Some(number) = self.number.take() else { return Ok(()) };
        let row = std::mem::take(&mut self.row);
        session.cells(row.len())?;
        if let Some(table) = &mut self.table {
            table.row(ledger, number + 1, &row);
            return Ok(());
        }
        self.above.row(ledger, number + 1, &row);
        let filled = row.iter().filter(|cell| !cell.is_empty()).count();
        if filled > 1 || self.single {
            self.above.finish(ledger);
            ledger.next_table();
            self.table = Some(Sheet::new(&row, self.columns_max));
        }
        Ok(())
    }

    fn finish(&mut self, ledger: &mut Ledger) {
        match &mut self.table {
            Some(table) => table.finish(ledger),
            None => self.above.finish(ledger),
        }
    }
}

/// Bytes of what stands in one cell, where a hostile sheet names it again and again.
const CELL_BYTES_MAX: usize = 128 << 10;
