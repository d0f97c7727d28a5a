//! Apache Parquet: the footer, then row groups spread over the file, up to a number of rows.

use crate::input::ReadSeek;
use crate::ledger::Ledger;
use crate::obstacle::Obstacle;
use crate::session::Session;
use crate::sheet::Sheet;
use crate::{Format, styles};
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader, RowGroupMetaData};
use parquet::file::properties::ReaderProperties;
use parquet::file::reader::{ChunkReader, Length, RowGroupReader};
use parquet::file::serialized_reader::SerializedRowGroupReader;
use parquet::record::Field;
use std::io::{Cursor, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// The longest footer; one of a thousand columns and ten thousand row groups is shorter.
const FOOTER_BYTES_MAX: u64 = 16 << 20;
/// The footer's length and the signature.
const TAIL_BYTES: u64 = 8;

impl From<ParquetError> for Obstacle {
    fn from(error: ParquetError) -> Self {
        match error {
            ParquetError::NYI(_) => Self::unsupported("a feature of the file is not understood"),
            _ => Self::corrupt("the file is damaged"),
        }
    }
}

/// Reads what the rows allow.
pub(crate) fn read(session: &mut Session<'_>, input: &mut dyn ReadSeek) -> Result<(), Obstacle> {
    let metadata = footer(input)?;
    let groups = metadata.num_row_groups();
    let total: u64 = metadata.row_groups().iter().map(|g| g.num_rows().unsigned_abs()).sum();
    let names: Vec<Vec<u8>> = {
        let fields = metadata.file_metadata().schema().get_fields();
        fields.iter().map(|field| field.name().as_bytes().to_vec()).collect()
    };
    let mut sheet = Sheet::new(&names, session.limits.columns_max);
    let mut ledger = session.ledger();
    let mut result = Ok(());
    // Every second, third… group, when all would be too many.
    let step = total.div_ceil(session.limits.parquet_rows_max.max(1)).max(1);
    let mut first = 1;
    for (index, group) in metadata.row_groups().iter().enumerate() {
        let rows = group.num_rows().unsigned_abs();
        if (index as u64).is_multiple_of(step) {
            let reading = Reading { sheet: &mut sheet, ledger: &mut ledger, first };
            let read = group_bytes(session, input, group).and_then(|bytes| {
                let held = bytes.bytes.len();
                session.holding(held, |session| reading.read(session, bytes, &metadata, index))
            });
            result = result.and(read);
        }
        first += rows;
    }
    if step > 1 && groups > 1 {
        session.sampled();
    }
    sheet.finish(&mut ledger);
    session.keep(Format::Parquet, None, ledger);
    result
}

fn footer(input: &mut dyn ReadSeek) -> Result<ParquetMetaData, Obstacle> {
    let size = input.seek(SeekFrom::End(0))?;
    let tail = size.checked_sub(TAIL_BYTES).ok_or(Obstacle::corrupt("the file is too short"))?;
    input.seek(SeekFrom::Start(tail))?;
    let mut bytes = [0; 8];
    input.read_exact(&mut bytes)?;
    let [a, b, c, d, signature @ ..] = bytes;
    match &signature {
        b"PAR1" => {}
        b"PARE" => return Err(Obstacle::protected("the footer is encrypted")),
        _ => return Err(Obstacle::corrupt("the file has no footer")),
    }
    let length = u64::from(u32::from_le_bytes([a, b, c, d]));
    let start = tail.checked_sub(length).filter(|_| length <= FOOTER_BYTES_MAX);
    let start = start.ok_or(Obstacle::corrupt("the footer is longer than it can be"))?;
    input.seek(SeekFrom::Start(start))?;
    let mut footer = vec![0; usize::try_from(length).unwrap_or(0)];
    input.read_exact(&mut footer)?;
    unwound(|| Ok(ParquetMetaDataReader::decode_metadata(&footer)?))
}

/// What the parser says; hostile bytes that make it panic are damaged ones.
fn unwound<T>(act: impl FnOnce() -> Result<T, Obstacle>) -> Result<T, Obstacle> {
    let done = catch_unwind(AssertUnwindSafe(act));
    done.unwrap_or(Err(Obstacle::corrupt("the file is damaged in an unusual way")))
}

/// The bytes of one row group, at their places in the file.
struct Section {
    start: u64,
    size: u64,
    bytes: bytes::Bytes,
}

impl Length for Section {
    fn len(&self) -> u64 {
        self.size
    }
}

impl ChunkReader for Section {
    type T = Cursor<bytes::Bytes>;

    fn get_read(&self, start: u64) -> ParquetResult<Self::T> {
        self.slice(start, None).map(Cursor::new)
    }

    fn get_bytes(&self, start: u64, length: usize) -> ParquetResult<bytes::Bytes> {
        self.slice(start, Some(length))
    }
}

impl Section {
    fn slice(&self, start: u64, length: Option<usize>) -> ParquetResult<bytes::Bytes> {
        let outside = || ParquetError::EOF("a page lies outside of its row group".to_owned());
        let from = start.checked_sub(self.start).and_then(|from| usize::try_from(from).ok());
        let from = from.filter(|from| *from <= self.bytes.len()).ok_or_else(outside)?;
        let end = length.map_or(Some(self.bytes.len()), |length| from.checked_add(length));
        let end = end.filter(|end| *end <= self.bytes.len()).ok_or_else(outside)?;
        Ok(self.bytes.slice(from..end))
    }
}

fn group_bytes(
    session: &Session<'_>,
    input: &mut dyn ReadSeek,
    group: &RowGroupMetaData,
) -> Result<Section, Obstacle> {
    let size = input.seek(SeekFrom::End(0))?;
    let (mut start, mut end) = (u64::MAX, 0);
    for column in group.columns() {
        let (from, length) = unwound(|| Ok(column.byte_range()))?;
        start = start.min(from);
        end = end.max(from.saturating_add(length));
    }
    if start > end || end > size {
        return Err(Obstacle::corrupt("a row group lies outside of the file"));
    }
    // Packed and unpacked bytes are in memory together, a page at a time.
    if end - start > session.holdable() / 2 {
        return Err(Obstacle::too_large("a row group is larger than may be held"));
    }
    input.seek(SeekFrom::Start(start))?;
    let mut bytes = vec![0; usize::try_from(end - start).unwrap_or(0)];
    input.read_exact(&mut bytes)?;
    Ok(Section { start, size, bytes: bytes.into() })
}

/// Rows on their way into a ledger.
struct Reading<'a> {
    sheet: &'a mut Sheet,
    ledger: &'a mut Ledger,
    /// The number of the group's first row.
    first: u64,
}

impl Reading<'_> {
    fn read(
        self,
        session: &mut Session<'_>,
        section: Section,
        metadata: &ParquetMetaData,
        index: usize,
    ) -> Result<(), Obstacle> {
        let properties = Arc::new(ReaderProperties::builder().build());
        unwound(|| {
            let group = metadata.row_group(index);
            let pages = metadata.page_index_for_row_group(index);
            let reader =
                SerializedRowGroupReader::new(Arc::new(section), group, pages, properties)?;
            for (number, row) in (self.first..).zip(reader.get_row_iter(None)?) {
                let row = row?;
                let cells: Vec<Vec<u8>> =
                    row.get_column_iter().map(|(_, field)| shown(field)).collect();
                session.cells(cells.len())?;
                session.budget.spend(cells.iter().map(|cell| cell.len() as u64).sum())?;
                self.sheet.row(self.ledger, number, &cells);
            }
            Ok(())
        })
    }
}

/// A value as text; nested ones as their parts.
fn shown(field: &Field) -> Vec<u8> {
    match field {
        Field::Null => Vec::new(),
        Field::Str(text) => text.clone().into_bytes(),
        Field::Bytes(bytes) => {
            let bytes = bytes.data();
            let text = std::str::from_utf8(bytes).is_ok_and(|text| !text.contains('\0'));
            if text { bytes.to_vec() } else { Vec::new() }
        }
        Field::Date(days) => styles::day(i64::from(*days)).into_bytes(),
        field => format!("{field}").into_bytes(),
    }
}
