//! The one door through which the object itself, members of archives and attachments come.

use crate::encoding::{Guess, SAMPLE_BYTES, guess};
use crate::input::{ReadSeek, Source, fill};
use crate::obstacle::Obstacle;
use crate::packed::Packing;
use crate::recognise::{Magic, magic};
use crate::session::Session;
use crate::{
    Format, archive, avro, binary, compound, git, mail, packed, parquet_file, pdf, sqlite,
    sqlite_log, text,
};
use std::io::{Cursor, Read};

/// Bytes that are read at once.
pub(crate) const READ_BYTES: usize = 64 * 1024;

/// Inspects one thing; gives its format. What stands in the way is reported at the session's place.
pub(crate) fn enter(session: &mut Session<'_>, source: Source<'_>, hint: &str) -> Format {
    let mut head = vec![0; SAMPLE_BYTES];
    let mut source = source;
    let filled = match &mut source {
        Source::Whole(input) => fill(*input, &mut head),
        Source::Stream(input) => fill(*input, &mut head),
    };
    let filled = match filled {
        Ok(filled) => filled,
        Err(obstacle) => {
            session.trouble(obstacle);
            return Format::Binary;
        }
    };
    head.truncate(filled);
    if head.is_empty() {
        return Format::Empty;
    }
    let (format, result) = open(session, source, &head, hint);
    session.settle(result);
    format
}

fn open(
    session: &mut Session<'_>,
    source: Source<'_>,
    head: &[u8],
    hint: &str,
) -> (Format, Result<(), Obstacle>) {
    match magic(head, hint) {
        Magic::None => plain(session, source, head),
        Magic::Zip => {
            let mut format = Format::Zip;
            let result = seekable(session, source, head, |session, input| {
                archive::zip(session, input, &mut format)
            });
            (format, result)
        }
        Magic::Tar => (Format::Tar, archive::tar(session, source, head)),
        Magic::Gzip => (Format::Gzip, packed::read(session, source, head, hint, Packing::Gzip)),
        Magic::Zstd => (Format::Zstd, packed::read(session, source, head, hint, Packing::Zstd)),
        Magic::Mail => {
            let result = held(session, source, head, mail::read);
            (Format::Mail, result)
        }
        Magic::Mbox => (Format::Mbox, mail::mbox(session, source, head)),
        Magic::Sqlite => (Format::Sqlite, seekable(session, source, head, sqlite::read)),
        Magic::SqliteLog => (Format::Sqlite, seekable(session, source, head, sqlite_log::read)),
        Magic::Parquet => (Format::Parquet, seekable(session, source, head, parquet_file::read)),
        Magic::ParquetEncrypted => {
            (Format::Parquet, Err(Obstacle::protected("the file is encrypted")))
        }
        Magic::Packed => {
            let detail = "it is compressed in a way that is not opened";
            (Format::Binary, Err(Obstacle::unsupported(detail)))
        }
        Magic::GitPack => (Format::GitPack, seekable(session, source, head, git::pack)),
        Magic::GitObject => {
            let read = |stream: &mut dyn Read| git::loose(session, stream);
            (Format::GitObject, with_stream(source, head, false, read))
        }
        Magic::Avro => {
            let read = |stream: &mut dyn Read| avro::read(session, stream);
            (Format::Avro, with_stream(source, head, false, read))
        }
        Magic::Pdf => (Format::Pdf, held(session, source, head, pdf::read)),
        Magic::Compound => {
            let mut format = Format::Binary;
            let result = held(session, source, head, |session, bytes| {
                compound::read(session, bytes, &mut format)
            });
            (format, result)
        }
    }
}

fn plain(
    session: &mut Session<'_>,
    source: Source<'_>,
    head: &[u8],
) -> (Format, Result<(), Obstacle>) {
    match guess(head, head.len() < SAMPLE_BYTES) {
        Guess::Binary => {
            let result = with_stream(source, head, true, |stream| binary::read(session, stream));
            (Format::Binary, result)
        }
        guess => {
            let mut format = Format::Text;
            let result = with_stream(source, head, true, |stream| {
                text::read(session, stream, guess, &mut format)
            });
            (format, result)
        }
    }
}

/// Gives a format that must be sought in what it needs: the object itself, or bytes held.
fn seekable(
    session: &mut Session<'_>,
    source: Source<'_>,
    head: &[u8],
    act: impl FnOnce(&mut Session<'_>, &mut dyn ReadSeek) -> Result<(), Obstacle>,
) -> Result<(), Obstacle> {
    match source {
        Source::Whole(input) => act(session, input),
        source => {
            held(session, source, head, |session, bytes| act(session, &mut Cursor::new(bytes)))
        }
    }
}

/// Gives a format that must be held its bytes.
fn held(
    session: &mut Session<'_>,
    source: Source<'_>,
    head: &[u8],
    act: impl FnOnce(&mut Session<'_>, &[u8]) -> Result<(), Obstacle>,
) -> Result<(), Obstacle> {
    let room = session.holdable();
    let mut bytes = Vec::new();
    with_stream(source, head, false, |stream| stream.take(room + 1).read_to_end(&mut bytes))?;
    if bytes.len() as u64 > room {
        return Err(Obstacle::too_large("it is larger than what may be held in memory"));
    }
    session.holding(bytes.len(), |session| act(session, &bytes))
}

/// Reads from front to end, the head again included.
pub(crate) fn with_stream<T>(
    source: Source<'_>,
    head: &[u8],
    skip_holes: bool,
    act: impl FnOnce(&mut dyn Read) -> T,
) -> T {
    let rest: &mut dyn Read = match source {
        Source::Whole(input) => {
            if skip_holes {
                input.skip_holes();
            }
            as_read(input)
        }
        Source::Stream(input) => input,
    };
    act(&mut Cursor::new(head).chain(rest))
}

fn as_read(input: &mut dyn ReadSeek) -> &mut dyn Read {
    input
}

/// Every piece of a stream in turn.
pub(crate) fn pieces(
    stream: &mut dyn Read,
    mut act: impl FnMut(&[u8]) -> Result<(), Obstacle>,
) -> Result<(), Obstacle> {
    let mut buffer = vec![0; READ_BYTES];
    loop {
        let filled = fill(stream, &mut buffer)?;
        act(buffer.get(..filled).unwrap_or_default())?;
        if filled < buffer.len() {
            return Ok(());
        }
    }
}
