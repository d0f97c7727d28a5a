//! SQLite database files, read page by page without SQLite: no SQL of the file is ever run, and
//! a file of any size needs the memory of a few pages. A write-ahead log beside the file is an
//! object of its own (`sqlite_log`).
//!
//! Format: <https://www.sqlite.org/fileformat2.html>.

use crate::Format;
use crate::input::ReadSeek;
use crate::obstacle::Obstacle;
use crate::record::{Record, varint};
use crate::schema::{self, Table};
use crate::session::Session;
use crate::sheet::Sheet;
use std::collections::BTreeMap;
use std::io::SeekFrom;

/// The header of the file, before the first page's own.
const HEADER_BYTES: usize = 100;
/// The longest row that is read whole; of a longer one the beginning is.
const ROW_BYTES_MAX: usize = 4 << 20;
/// Pages that wait to be read; a tree of honest shape needs a few hundred.
const WAITING_MAX: usize = 1 << 18;
/// Tables of one database.
const TABLES_MAX: usize = 2_000;

pub(crate) const LEAF_TABLE: u8 = 0x0d;
const INNER_TABLE: u8 = 0x05;
pub(crate) const LEAF_INDEX: u8 = 0x0a;
const INNER_INDEX: u8 = 0x02;

const DAMAGED: Obstacle = Obstacle::corrupt("the database is damaged");

/// Reads every table.
pub(crate) fn read(session: &mut Session<'_>, input: &mut dyn ReadSeek) -> Result<(), Obstacle> {
    let mut file = File::open(input)?;
    let mut tables = Vec::new();
    file.rows(1, &mut |_, record| {
        if tables.len() >= TABLES_MAX {
            return Err(Obstacle::too_many("the database has more tables than the limits allow"));
        }
        tables.extend(schema::table(&record));
        Ok(())
    })?;
    for table in tables {
        session.member()?;
        session.inside(&format!("table {}", table.name), |session| {
            let result = rows(session, &mut file, &table);
            session.settle(result);
        });
    }
    Ok(())
}

fn rows(session: &mut Session<'_>, file: &mut File<'_>, table: &Table) -> Result<(), Obstacle> {
    let mut ledger = session.ledger();
    let mut sheet = Sheet::new(&table.columns, session.limits.columns_max);
    let mut number = 0;
    let read = file.rows(table.root, &mut |row, record| {
        session.cells(record.values.len())?;
        number += 1;
        let row = row.and_then(|row| u64::try_from(row).ok()).unwrap_or(number);
        sheet.row(&mut ledger, row, &record.values);
        Ok(())
    });
    sheet.finish(&mut ledger);
    session.keep(Format::Sqlite, None, ledger);
    read
}

/// What is done with a row: its number, if the table has numbers, and its values.
pub(crate) type Act<'a> = dyn FnMut(Option<i64>, Record) -> Result<(), Obstacle> + 'a;

/// A database file.
pub(crate) struct File<'a> {
    input: &'a mut dyn ReadSeek,
    /// Where the pages of a log stand; those of a database stand one after the other.
    logged: Option<BTreeMap<u32, u64>>,
    page_bytes: usize,
    /// Bytes of a page that are used.
    usable: usize,
    pages: u64,
    /// Pages read so far: more than there are means that trees share pages or run in circles.
    visited: u64,
    /// Bytes of the cells of one page: more than it has mean that cells overlap.
    cell_bytes: usize,
    encoding: u8,
}

impl<'a> File<'a> {
    fn open(input: &'a mut dyn ReadSeek) -> Result<Self, Obstacle> {
        let size = input.seek(SeekFrom::End(0))?;
        input.rewind()?;
        let mut header = [0; HEADER_BYTES];
        input.read_exact(&mut header)?;
        let page_bytes = match u16_at(&header, 16)? {
            1 => 65_536,
            bytes if bytes.is_power_of_two() && bytes >= 512 => usize::from(bytes),
            _ => return Err(DAMAGED),
        };
        let reserved = usize::from(header.get(20).copied().unwrap_or(0));
        let usable = page_bytes - reserved;
        if usable < 480 {
            return Err(DAMAGED);
        }
        let encoding = header.get(59).copied().unwrap_or(1);
        Ok(Self {
            input,
            logged: None,
            page_bytes,
            usable,
            pages: size / page_bytes as u64,
            visited: 0,
            cell_bytes: 0,
            encoding,
        })
    }

    /// The pages of a log, wherever they stand in it.
    pub(crate) fn logged(
        input: &'a mut dyn ReadSeek,
        page_bytes: usize,
        logged: BTreeMap<u32, u64>,
        encoding: u8,
    ) -> Self {
        let pages = logged.len() as u64;
        let logged = Some(logged);
        let (usable, visited, cell_bytes) = (page_bytes, 0, 0);
        Self { input, logged, page_bytes, usable, pages, visited, cell_bytes, encoding }
    }

    /// The kind of a page.
    pub(crate) fn kind(&mut self, number: u32) -> Result<u8, Obstacle> {
        let start = if number == 1 { HEADER_BYTES } else { 0 };
        Ok(self.page(number)?.get(start).copied().unwrap_or(0))
    }

    fn place(&self, number: u32) -> Result<u64, Obstacle> {
        if let Some(logged) = &self.logged {
            return logged.get(&number).copied().ok_or(DAMAGED);
        }
        let index = u64::from(number).checked_sub(1).filter(|i| *i < self.pages).ok_or(DAMAGED)?;
        Ok(index * self.page_bytes as u64)
    }

    fn page(&mut self, number: u32) -> Result<Vec<u8>, Obstacle> {
        let place = self.place(number)?;
        self.visited += 1;
        // Schema pages are read once more than others, pages of a log twice before their overflow.
        let most = if self.logged.is_some() { self.pages * 3 } else { self.pages * 2 };
        if self.visited > most {
            return Err(Obstacle::corrupt("pages of the database run in circles"));
        }
        self.input.seek(SeekFrom::Start(place))?;
        let mut page = vec![0; self.page_bytes];
        self.input.read_exact(&mut page)?;
        Ok(page)
    }

    /// Every row of the tree that begins at this page. A damaged page is reported at the end.
    pub(crate) fn rows(&mut self, root: u32, act: &mut Act<'_>) -> Result<(), Obstacle> {
        let mut waiting = vec![root];
        let mut damaged = Ok(());
        while let Some(number) = waiting.pop() {
            let page = match self.page(number) {
                Ok(page) => page,
                Err(obstacle) => {
                    damaged = Err(obstacle);
                    continue;
                }
            };
            let start = if number == 1 { HEADER_BYTES } else { 0 };
            let kind = page.get(start).copied().unwrap_or(0);
            let inner = matches!(kind, INNER_TABLE | INNER_INDEX);
            if !inner && !matches!(kind, LEAF_TABLE | LEAF_INDEX) {
                damaged = Err(DAMAGED);
                continue;
            }
            let count = usize::from(u16_at(&page, start + 3)?);
            let cells = start + if inner { 12 } else { 8 };
            if waiting.len() + count > WAITING_MAX {
                return Err(DAMAGED);
            }
            if inner {
                waiting.push(u32_at(&page, start + 8)?);
            }
            // Children wait in reverse, so that rows come in order.
            let children = waiting.len();
            self.cell_bytes = 0;
            for cell in 0..count {
                let Ok(place) = u16_at(&page, cells + cell * 2) else { break };
                let cell = page.get(usize::from(place)..self.usable).unwrap_or_default();
                match self.cell(kind, cell, &mut waiting) {
                    Ok(Some((row, payload))) => {
                        act(row, Record::read(&payload, self.encoding))?;
                    }
                    Ok(None) => {}
                    Err(obstacle) => damaged = Err(obstacle),
                }
            }
            if let Some(new) = waiting.get_mut(children..) {
                new.reverse();
            }
        }
        damaged
    }

    /// What a cell holds: a child that waits from now on, a row, or both.
    #[expect(clippy::type_complexity, reason = "a row's number and its bytes, if there is a row")]
    fn cell(
        &mut self,
        kind: u8,
        cell: &[u8],
        waiting: &mut Vec<u32>,
    ) -> Result<Option<(Option<i64>, Vec<u8>)>, Obstacle> {
        let mut rest = cell;
        if matches!(kind, INNER_TABLE | INNER_INDEX) {
            waiting.push(u32_at(cell, 0)?);
            rest = cell.get(4..).unwrap_or_default();
        }
        if kind == INNER_TABLE {
            return Ok(None);
        }
        let (length, rest) = varint(rest).ok_or(DAMAGED)?;
        let length = usize::try_from(length).map_err(|_| DAMAGED)?;
        let (row, rest) = if kind == LEAF_TABLE {
            let (row, rest) = varint(rest).ok_or(DAMAGED)?;
            (Some(row), rest)
        } else {
            (None, rest)
        };
        Ok(Some((row, self.payload(kind, length, rest)?)))
    }

    /// The bytes of a row: those in its cell, and those in the pages that it flows over to.
    fn payload(&mut self, kind: u8, length: usize, rest: &[u8]) -> Result<Vec<u8>, Obstacle> {
        let most =
            if kind == LEAF_TABLE { self.usable - 35 } else { (self.usable - 12) * 64 / 255 - 23 };
        let local = if length <= most {
            length
        } else {
            let least = (self.usable - 12) * 32 / 255 - 23;
            let spread = least + (length - least) % (self.usable - 4);
            if spread <= most { spread } else { least }
        };
        self.cell_bytes = self.cell_bytes.saturating_add(local);
        if self.cell_bytes > self.usable {
            return Err(DAMAGED);
        }
        let mut payload = rest.get(..local).ok_or(DAMAGED)?.to_vec();
        if local == length {
            return Ok(payload);
        }
        let mut next = u32_at(rest, local)?;
        while next != 0 && payload.len() < length.min(ROW_BYTES_MAX) {
            let page = match self.page(next) {
                // What stands in the database alone is read there.
                Err(_) if self.logged.is_some() => break,
                page => page?,
            };
            next = u32_at(&page, 0)?;
            let body = page.get(4..self.usable).unwrap_or_default();
            let wanted = body.len().min(length - payload.len());
            payload.extend_from_slice(body.get(..wanted).unwrap_or_default());
        }
        Ok(payload)
    }
}

fn u16_at(bytes: &[u8], place: usize) -> Result<u16, Obstacle> {
    let found = bytes.get(place..).and_then(|rest| rest.first_chunk());
    found.map(|two| u16::from_be_bytes(*two)).ok_or(DAMAGED)
}

fn u32_at(bytes: &[u8], place: usize) -> Result<u32, Obstacle> {
    let found = bytes.get(place..).and_then(|rest| rest.first_chunk());
    found.map(|four| u32::from_be_bytes(*four)).ok_or(DAMAGED)
}
