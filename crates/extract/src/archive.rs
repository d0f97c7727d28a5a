//! ZIP and TAR: members come through the door again; no path of theirs is ever written to.

use crate::Format;
use crate::door::{enter, with_stream};
use crate::input::{Metered, ReadSeek, Source};
use crate::obstacle::Obstacle;
use crate::session::Session;
use crate::{encoding, office};
use std::io::Read;
use std::rc::Rc;
use zip::ZipArchive;
use zip::result::ZipError;

/// The longest name of a TAR member that is read, in bytes; more is an attack on memory.
const NAME_BYTES_MAX: u64 = 64 << 10;

impl From<ZipError> for Obstacle {
    fn from(error: ZipError) -> Self {
        match error {
            ZipError::Io(error) => error.into(),
            ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED)
            | ZipError::InvalidPassword => Self::protected("it is protected by a password"),
            ZipError::UnsupportedArchive(_) | ZipError::CompressionMethodNotSupported(_) => {
                Self::unsupported("it is compressed in a way that is not understood")
            }
            _ => Self::corrupt("the archive is damaged"),
        }
    }
}

/// Opens a ZIP archive or an office document made of one.
pub(crate) fn zip(
    session: &mut Session<'_>,
    input: &mut dyn ReadSeek,
    format: &mut Format,
) -> Result<(), Obstacle> {
    *format = Format::Zip;
    input.rewind()?;
    let mut archive = ZipArchive::new(input)?;
    if archive.has_overlapping_entries()? {
        return Err(Obstacle::corrupt("members of the archive overlap, as bombs are made"));
    }
    if let Some(kind) = office::kind(&mut archive) {
        *format = kind.format();
        return office::read(session, &mut archive, kind);
    }
    session.deeper(|session| {
        for index in 0..archive.len() {
            session.member()?;
            zip_member(session, &mut archive, index);
        }
        Ok(())
    })
}

fn zip_member(
    session: &mut Session<'_>,
    archive: &mut ZipArchive<&mut dyn ReadSeek>,
    index: usize,
) {
    let name = archive.by_index_raw(index).map(|member| name_of(member.name_raw()));
    let name = name.unwrap_or_else(|_| format!("member {}", index + 1));
    session.inside(&name, |session| match archive.by_index(index) {
        Ok(member) if member.is_dir() => {}
        Ok(member) => {
            let mut member = Metered::new(member, Rc::clone(&session.budget));
            enter(session, Source::Stream(&mut member), &name);
        }
        Err(error) => session.trouble(error.into()),
    });
}

/// A member's name, in whatever encoding its maker wrote it.
pub(crate) fn name_of(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&encoding::decode(bytes)).into_owned()
}

/// Opens a TAR archive, from front to end.
pub(crate) fn tar(
    session: &mut Session<'_>,
    source: Source<'_>,
    head: &[u8],
) -> Result<(), Obstacle> {
    with_stream(source, head, false, |stream| {
        session.deeper(|session| {
            let mut archive = tar::Archive::new(stream);
            // Raw: names of any length would otherwise be read into memory whole.
            let mut long_name: Option<String> = None;
            for entry in archive.entries()?.raw(true) {
                let mut entry = entry?;
                let kind = entry.header().entry_type();
                if kind.is_gnu_longname() || kind.is_pax_local_extensions() {
                    long_name = name_before(&mut entry, kind.is_pax_local_extensions())?;
                    continue;
                }
                if !kind.is_file() && !kind.is_gnu_sparse() && !kind.is_contiguous() {
                    continue;
                }
                session.member()?;
                let short = || name_of(&entry.path_bytes());
                let name = long_name.take().unwrap_or_else(short);
                session.inside(&name, |session| {
                    enter(session, Source::Stream(&mut entry), &name);
                });
            }
            Ok(())
        })
    })
}

/// The name that stands in an entry before its member.
fn name_before(entry: &mut dyn Read, pax: bool) -> Result<Option<String>, Obstacle> {
    let mut body = Vec::new();
    entry.take(NAME_BYTES_MAX).read_to_end(&mut body)?;
    if !pax {
        let name = body.split(|b| *b == 0).next().unwrap_or_default();
        return Ok(Some(name_of(name)));
    }
    let mut records = body.split(|b| *b == b'\n');
    let path = records.find_map(|record| {
        let start = record.iter().position(|b| *b == b' ')?;
        record.get(start + 1..)?.strip_prefix(b"path=")
    });
    Ok(path.map(name_of))
}
