//! Apache Avro object container files: a schema, then blocks of rows.
//!
//! Format: <https://avro.apache.org/docs/1.11.1/specification/>.

use crate::Format;
use crate::avro_schema::{Decoder, Schema, long};
use crate::input::{Metered, fill};
use crate::obstacle::Obstacle;
use crate::session::Session;
use crate::sheet::Sheet;
use std::io::Read;
use std::rc::Rc;

/// Bytes of the file's head: its schema may describe a thousand fields in two languages.
const HEAD_BYTES_MAX: usize = 4 << 20;
const SYNC_BYTES: usize = 16;
/// The largest window of a Zstandard block, as in files of it.
const WINDOW_LOG_MAX: u32 = 25;

const DAMAGED: Obstacle = Obstacle::corrupt("the file is damaged");
const TOO_LONG: Obstacle = Obstacle::too_large("a block is larger than may be held");

/// How blocks are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Codec {
    Null,
    Deflate,
    Snappy,
    Zstandard,
}

/// Reads the rows from front to end.
pub(crate) fn read(session: &mut Session<'_>, stream: &mut dyn Read) -> Result<(), Obstacle> {
    let (schema, codec, sync) = head(stream)?;
    let names = schema.names();
    let mut sheet = Sheet::new(&names, session.limits.columns_max);
    let mut ledger = session.ledger();
    let mut number = 0;
    let result = loop {
        let rows = block(session, stream, codec, sync);
        let (count, bytes) = match rows {
            Ok(Some(block)) => block,
            Ok(None) => break Ok(()),
            Err(obstacle) => break Err(obstacle),
        };
        let read = session.holding(bytes.len(), |session| {
            let mut decoder = Decoder::new(&schema, &bytes);
            for _ in 0..count {
                let cells = decoder.row().ok_or(DAMAGED)?;
                number += 1;
                session.cells(cells.len().max(1))?;
                sheet.row(&mut ledger, number, &cells);
            }
            Ok(())
        });
        if read.is_err() {
            break read;
        }
    };
    sheet.finish(&mut ledger);
    session.keep(Format::Avro, None, ledger);
    result
}

fn head(stream: &mut dyn Read) -> Result<(Schema, Codec, [u8; SYNC_BYTES]), Obstacle> {
    let mut magic = [0; 4];
    stream.read_exact(&mut magic)?;
    let (mut schema, mut codec) = (None, Codec::Null);
    let mut left = HEAD_BYTES_MAX;
    loop {
        let mut entries = number(stream)?;
        if entries == 0 {
            break;
        }
        if entries < 0 {
            number(stream)?;
            entries = entries.checked_neg().ok_or(DAMAGED)?;
        }
        for _ in 0..entries {
            let key = field(stream, &mut left)?;
            let value = field(stream, &mut left)?;
            match key.as_slice() {
                b"avro.schema" => schema = Some(Schema::parse(&value).ok_or(DAMAGED)?),
                b"avro.codec" => {
                    codec = match value.as_slice() {
                        b"null" => Codec::Null,
                        b"deflate" => Codec::Deflate,
                        b"snappy" => Codec::Snappy,
                        b"zstandard" => Codec::Zstandard,
                        _ => {
                            let detail = "it is compressed in a way that is not understood";
                            return Err(Obstacle::unsupported(detail));
                        }
                    }
                }
                _ => {}
            }
        }
    }
    let mut sync = [0; SYNC_BYTES];
    stream.read_exact(&mut sync)?;
    Ok((schema.ok_or(DAMAGED)?, codec, sync))
}

/// A key or value of the head.
fn field(stream: &mut dyn Read, left: &mut usize) -> Result<Vec<u8>, Obstacle> {
    let length = usize::try_from(number(stream)?).map_err(|_| DAMAGED)?;
    // An entry costs at least its two lengths.
    *left = left.checked_sub(length.saturating_add(1)).ok_or(DAMAGED)?;
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn number(stream: &mut dyn Read) -> Result<i64, Obstacle> {
    let mut bytes = Vec::with_capacity(10);
    while bytes.len() < 10 {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        bytes.extend_from_slice(&byte);
        if byte[0] & 0x80 == 0 {
            break;
        }
    }
    long(&mut bytes.as_slice()).ok_or(DAMAGED)
}

/// The next block: how many rows, and their bytes unpacked. None at the file's end.
fn block(
    session: &Session<'_>,
    stream: &mut dyn Read,
    codec: Codec,
    sync: [u8; SYNC_BYTES],
) -> Result<Option<(u64, Vec<u8>)>, Obstacle> {
    let mut first = [0];
    if fill(stream, &mut first)? == 0 {
        return Ok(None);
    }
    let count = number(&mut first.as_slice().chain(&mut *stream))?;
    let count = u64::try_from(count).map_err(|_| DAMAGED)?;
    let length = u64::try_from(number(stream)?).map_err(|_| DAMAGED)?;
    let room = session.holdable() / 2;
    if length > room {
        return Err(TOO_LONG);
    }
    let mut packed = vec![0; usize::try_from(length).unwrap_or(0)];
    stream.read_exact(&mut packed)?;
    let mut end = [0; SYNC_BYTES];
    stream.read_exact(&mut end)?;
    if end != sync {
        return Err(DAMAGED);
    }
    let unpack = |reader: &mut dyn Read| {
        let mut bytes = Vec::new();
        let metered = Metered::new(reader, Rc::clone(&session.budget));
        metered.take(room + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > room { Err(TOO_LONG) } else { Ok(bytes) }
    };
    let bytes = match codec {
        Codec::Null => packed,
        Codec::Deflate => unpack(&mut flate2::read::DeflateDecoder::new(packed.as_slice()))?,
        Codec::Zstandard => {
            let mut decoder = zstd::Decoder::new(packed.as_slice())?;
            decoder.window_log_max(WINDOW_LOG_MAX)?;
            unpack(&mut decoder)?
        }
        Codec::Snappy => {
            // Four bytes of checksum follow.
            let body = packed.len().checked_sub(4).and_then(|end| packed.get(..end));
            let body = body.ok_or(DAMAGED)?;
            let length = snap::raw::decompress_len(body).map_err(|_| DAMAGED)?;
            if length as u64 > room {
                return Err(TOO_LONG);
            }
            session.budget.spend(length as u64)?;
            snap::raw::Decoder::new().decompress_vec(body).map_err(|_| DAMAGED)?
        }
    };
    Ok(Some((count, bytes)))
}
