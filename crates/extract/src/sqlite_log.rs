//! Write-ahead logs of SQLite, which lie beside their database as `NAME-wal`: the newest committed
//! version of each page in them, frame by frame and with their checksums. Rows stand in their pages
//! without the names of their columns, unless the schema was written too.
//!
//! Format: <https://www.sqlite.org/fileformat2.html#the_write_ahead_log>.

use crate::Format;
use crate::input::{ReadSeek, fill};
use crate::obstacle::Obstacle;
use crate::session::Session;
use crate::sheet::Sheet;
use crate::sqlite::{File, LEAF_INDEX, LEAF_TABLE};
use std::collections::BTreeMap;
use std::io::SeekFrom;

/// What a log begins with: checksums over words with the low end first, or with the high one.
pub(crate) const MAGIC_LOW: &[u8] = b"\x37\x7f\x06\x82";
pub(crate) const MAGIC_HIGH: &[u8] = b"\x37\x7f\x06\x83";

const HEADER_BYTES: usize = 32;
const FRAME_HEADER_BYTES: usize = 24;
/// Pages of one log that are told apart; SQLite writes them back after a thousand.
const PAGES_MAX: usize = 1 << 20;

const DAMAGED: Obstacle = Obstacle::corrupt("the write-ahead log is damaged");

/// Reads the rows of every page that was committed.
pub(crate) fn read(session: &mut Session<'_>, input: &mut dyn ReadSeek) -> Result<(), Obstacle> {
    let (log, mut pages) = Log::open(input)?;
    let whole = log.committed(input, &mut pages);
    let encoding = log.encoding(input, &pages);
    let numbers: Vec<u32> = pages.keys().copied().collect();
    let mut file = File::logged(input, log.page_bytes, pages, encoding);
    let mut ledger = session.ledger();
    let mut sheet = Sheet::new::<&[u8]>(&[], session.limits.columns_max);
    let mut read = Ok(());
    for number in numbers {
        if !matches!(file.kind(number), Ok(LEAF_TABLE | LEAF_INDEX)) {
            continue;
        }
        let rows = file.rows(number, &mut |row, record| {
            session.cells(record.values.len())?;
            let row = row.and_then(|row| u64::try_from(row).ok()).unwrap_or(0);
            sheet.row(&mut ledger, row, &record.values);
            Ok(())
        });
        // A row may go on in a page that only the database has; its beginning was read.
        if let Err(obstacle) = rows
            && obstacle.kind != crate::TroubleKind::Corrupt
        {
            read = Err(obstacle);
            break;
        }
    }
    sheet.finish(&mut ledger);
    session.inside("write-ahead log", |session| session.keep(Format::Sqlite, None, ledger));
    whole.and(read)
}

/// The head of a log.
struct Log {
    page_bytes: usize,
    high_first: bool,
    salt: [u8; 8],
    sum: Sum,
}

impl Log {
    fn open(input: &mut dyn ReadSeek) -> Result<(Self, BTreeMap<u32, u64>), Obstacle> {
        input.rewind()?;
        let mut header = [0; HEADER_BYTES];
        if fill(input, &mut header)? < HEADER_BYTES {
            return Err(DAMAGED);
        }
        let high_first = header.starts_with(MAGIC_HIGH);
        let page_bytes = usize::try_from(word(&header, 8)?).map_err(|_| DAMAGED)?;
        if !page_bytes.is_power_of_two() || !(512..=65_536).contains(&page_bytes) {
            return Err(DAMAGED);
        }
        let mut sum = Sum(0, 0);
        sum.add(header.get(..24).unwrap_or_default(), high_first);
        if [sum.0, sum.1] != [word(&header, 24)?, word(&header, 28)?] {
            return Err(DAMAGED);
        }
        let salt = *header.get(16..).and_then(|rest| rest.first_chunk()).ok_or(DAMAGED)?;
        Ok((Self { page_bytes, high_first, salt, sum }, BTreeMap::new()))
    }

    /// Where the newest committed version of each page stands. What comes after the last commit, or
    /// after a frame of an older round, was never part of the database.
    fn committed(
        &self,
        input: &mut dyn ReadSeek,
        pages: &mut BTreeMap<u32, u64>,
    ) -> Result<(), Obstacle> {
        let mut sum = self.sum;
        let mut open: Vec<(u32, u64)> = Vec::new();
        let mut place = HEADER_BYTES as u64;
        let mut frame = vec![0; FRAME_HEADER_BYTES + self.page_bytes];
        while fill(input, &mut frame)? == frame.len() {
            let (head, page) = frame.split_at_checked(FRAME_HEADER_BYTES).ok_or(DAMAGED)?;
            sum.add(head.get(..8).unwrap_or_default(), self.high_first);
            sum.add(page, self.high_first);
            let sound = head.get(8..16) == Some(&self.salt)
                && [sum.0, sum.1] == [word(head, 16)?, word(head, 20)?];
            if !sound {
                break;
            }
            open.push((word(head, 0)?, place + FRAME_HEADER_BYTES as u64));
            if word(head, 4)? != 0 {
                pages.extend(open.drain(..));
            }
            if pages.len() + open.len() > PAGES_MAX {
                return Err(Obstacle::too_many("the log has more pages than the limits allow"));
            }
            place += frame.len() as u64;
        }
        Ok(())
    }

    /// The encoding of texts, if the first page is in the log; UTF-8 otherwise.
    fn encoding(&self, input: &mut dyn ReadSeek, pages: &BTreeMap<u32, u64>) -> u8 {
        let mut header = [0; 100];
        let first = pages.get(&1).and_then(|place| input.seek(SeekFrom::Start(*place)).ok());
        let read = first.is_some() && fill(input, &mut header).is_ok();
        header.get(59).copied().filter(|code| read && (1..=3).contains(code)).unwrap_or(1)
    }
}

/// The running checksum of a log.
#[derive(Clone, Copy)]
struct Sum(u32, u32);

impl Sum {
    fn add(&mut self, bytes: &[u8], high_first: bool) {
        let read = |four: [u8; 4]| {
            if high_first { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) }
        };
        for pair in bytes.chunks_exact(8) {
            let [a, b, c, d, e, f, g, h] = pair else { continue };
            self.0 = self.0.wrapping_add(read([*a, *b, *c, *d])).wrapping_add(self.1);
            self.1 = self.1.wrapping_add(read([*e, *f, *g, *h])).wrapping_add(self.0);
        }
    }
}

fn word(bytes: &[u8], place: usize) -> Result<u32, Obstacle> {
    let found = bytes.get(place..).and_then(|rest| rest.first_chunk());
    found.map(|four| u32::from_be_bytes(*four)).ok_or(DAMAGED)
}
