//! Office documents made of a ZIP archive: DOCX, PPTX, XLSX and OpenDocument.

use crate::door::{enter, pieces};
use crate::input::{Metered, ReadSeek, Source};
use crate::ledger::Ledger;
use crate::obstacle::Obstacle;
use crate::page::{Dialect, Page};
use crate::session::Session;
use crate::{Format, xlsx};
use std::io::Read;
use std::rc::Rc;
use zip::ZipArchive;

/// An archive of an office program.
pub(crate) type Package<'a> = ZipArchive<&'a mut dyn ReadSeek>;

/// What stands in the first member of an OpenDocument is short.
const MIME_BYTES_MAX: u64 = 100;

/// What kind of document an archive is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Word,
    Slides,
    Workbook,
    OpenText,
    OpenSlides,
    OpenWorkbook,
}

impl Kind {
    pub(crate) const fn format(self) -> Format {
        match self {
            Self::Word | Self::OpenText => Format::Docx,
            Self::Slides | Self::OpenSlides => Format::Pptx,
            Self::Workbook | Self::OpenWorkbook => Format::Workbook,
        }
    }
}

/// Tells an office document by its members.
pub(crate) fn kind(archive: &mut Package<'_>) -> Option<Kind> {
    let has = |name: &str| archive.index_for_name(name).is_some();
    if has("[Content_Types].xml") {
        return archive.file_names_raw().find_map(|name| match name {
            b"word/document.xml" => Some(Kind::Word),
            b"ppt/presentation.xml" => Some(Kind::Slides),
            b"xl/workbook.xml" => Some(Kind::Workbook),
            _ => None,
        });
    }
    if !has("content.xml") {
        return None;
    }
    let mut kind = Vec::new();
    let member = archive.by_name("mimetype").ok()?;
    member.take(MIME_BYTES_MAX).read_to_end(&mut kind).ok()?;
    match kind.strip_prefix(b"application/vnd.oasis.opendocument.")?.trim_ascii() {
        b"spreadsheet" => Some(Kind::OpenWorkbook),
        b"presentation" => Some(Kind::OpenSlides),
        _ => Some(Kind::OpenText),
    }
}

/// Reads an office document.
pub(crate) fn read(
    session: &mut Session<'_>,
    archive: &mut Package<'_>,
    kind: Kind,
) -> Result<(), Obstacle> {
    session.deeper(|session| {
        if kind == Kind::Workbook {
            xlsx::read(session, archive)?;
        }
        for index in 0..archive.len() {
            session.member()?;
            let name = archive.name_for_index(index).and_then(Result::ok);
            let name = name.map(|name| name.into_owned()).unwrap_or_default();
            let result = match place(kind, &name) {
                Place::Text(step) => text(session, archive, index, kind, &step),
                Place::Inside => embedded(session, archive, index, &name),
                Place::Skipped => Ok(()),
            };
            if let Err(obstacle) = result {
                session.inside(&name, |session| session.trouble(obstacle));
            }
        }
        Ok(())
    })
}

const fn is_open(kind: Kind) -> bool {
    matches!(kind, Kind::OpenText | Kind::OpenSlides | Kind::OpenWorkbook)
}

/// What a member of a document is.
#[derive(Debug, PartialEq, Eq)]
enum Place {
    /// Text that people wrote, at this step of the path; empty for the document's own.
    Text(String),
    /// A file of its own.
    Inside,
    Skipped,
}

fn place(kind: Kind, name: &str) -> Place {
    let (folder, file) = name.rsplit_once('/').unwrap_or(("", name));
    let stem = file.strip_suffix(".xml");
    let top = folder.split('/').nth(1).unwrap_or_default();
    if top == "embeddings" || (is_open(kind) && folder.starts_with("Object")) {
        return if file.is_empty() { Place::Skipped } else { Place::Inside };
    }
    match (kind, folder, stem) {
        (_, "docProps", Some("core" | "custom" | "app")) => Place::Text("properties".to_owned()),
        (Kind::Word, "word", Some("document")) => Place::Text(String::new()),
        (Kind::Word, "word", Some(stem))
            if ["header", "footer", "comments", "footnotes", "endnotes", "glossary"]
                .iter()
                .any(|start| stem.starts_with(start)) =>
        {
            Place::Text(stem.to_owned())
        }
        (Kind::Slides, "ppt/slides", Some(stem)) => {
            Place::Text(stem.replacen("slide", "slide ", 1))
        }
        (Kind::Slides, "ppt/notesSlides", Some(stem)) => {
            Place::Text(stem.replacen("notesSlide", "notes of slide ", 1))
        }
        (Kind::Slides, "ppt/comments", Some(stem)) => Place::Text(stem.to_owned()),
        (Kind::Workbook, "xl", Some(stem)) if stem.starts_with("comments") => {
            Place::Text(stem.to_owned())
        }
        (Kind::Workbook, "xl/threadedComments" | "xl/comments" | "xl/persons", Some(stem)) => {
            Place::Text(stem.to_owned())
        }
        (kind, "", Some("content")) if is_open(kind) => Place::Text(String::new()),
        (kind, "", Some("meta" | "styles")) if is_open(kind) => {
            Place::Text(stem.unwrap_or_default().to_owned())
        }
        (_, folder, Some(stem)) if folder.ends_with("/charts") || folder.ends_with("/diagrams") => {
            Place::Text(stem.to_owned())
        }
        _ => Place::Skipped,
    }
}

fn text(
    session: &mut Session<'_>,
    archive: &mut Package<'_>,
    index: usize,
    kind: Kind,
    step: &str,
) -> Result<(), Obstacle> {
    let dialect = match kind {
        _ if step == "properties" => Dialect::Xml,
        kind if is_open(kind) => Dialect::OpenDocument,
        _ => Dialect::Office,
    };
    let member = Metered::new(archive.by_index(index)?, Rc::clone(&session.budget));
    let read = |session: &mut Session<'_>| {
        let mut ledger = session.ledger();
        let result = page(&mut ledger, member, dialect, session.limits.columns_max);
        session.keep(kind.format(), None, ledger);
        result
    };
    if step.is_empty() { read(session) } else { session.inside(step, read) }
}

fn page(
    ledger: &mut Ledger,
    mut member: impl Read,
    dialect: Dialect,
    columns_max: usize,
) -> Result<(), Obstacle> {
    let mut page = Page::new(dialect, columns_max);
    let result = pieces(&mut member, |piece| {
        page.feed(ledger, piece);
        Ok(())
    });
    let ended = page.finish(ledger);
    result.and(ended)
}

fn embedded(
    session: &mut Session<'_>,
    archive: &mut Package<'_>,
    index: usize,
    name: &str,
) -> Result<(), Obstacle> {
    let mut member = Metered::new(archive.by_index(index)?, Rc::clone(&session.budget));
    session.inside(name, |session| {
        enter(session, Source::Stream(&mut member), name);
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_read_by_what_they_are() {
        let text = |step: &str| Place::Text(step.to_owned());
        assert_eq!(place(Kind::Word, "word/document.xml"), text(""));
        assert_eq!(place(Kind::Word, "word/header2.xml"), text("header2"));
        assert_eq!(place(Kind::Word, "word/styles.xml"), Place::Skipped);
        assert_eq!(place(Kind::Word, "word/embeddings/a.xlsx"), Place::Inside);
        assert_eq!(place(Kind::Slides, "ppt/slides/slide3.xml"), text("slide 3"));
        assert_eq!(place(Kind::OpenText, "content.xml"), text(""));
    }
}
