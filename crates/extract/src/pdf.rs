//! PDF: the text of its pages, forms, notes and properties, and the files attached to it.
//!
//! The parser is not ours and has panicked on hostile files before: what it does is caught here,
//! and the process that calls us is expendable.

use crate::door::enter;
use crate::input::Source;
use crate::ledger::Ledger;
use crate::obstacle::Obstacle;
use crate::pdf_text::Writer;
use crate::session::Session;
use crate::{Format, TroubleKind};
use lopdf::{Dictionary, Document, Error, LoadOptions, Object, decode_text_string};
use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What one stream of the file's structure or one page may unpack to: a page of dense text has
/// some hundred kilobytes.
pub(crate) const STREAM_BYTES_MAX: usize = 16 << 20;

impl From<Error> for Obstacle {
    fn from(error: Error) -> Self {
        match error {
            Error::InvalidPassword | Error::Decryption(_) => LOCKED,
            Error::Decompress(lopdf::DecompressError::MemoryLimitExceeded { .. }) => {
                Self::too_large("a stream of the file unpacks to more than the limits allow")
            }
            Error::Unimplemented(_) => Self::unsupported("a feature of the file is not understood"),
            _ => Self::corrupt("the file is damaged"),
        }
    }
}

const LOCKED: Obstacle = Obstacle::protected("it is protected by a password");
const PANICKED: Obstacle = Obstacle::corrupt("the file is damaged in an unusual way");

/// Reads a file that is held in memory.
pub(crate) fn read(session: &mut Session<'_>, bytes: &[u8]) -> Result<(), Obstacle> {
    let options = LoadOptions::with_max_decompressed_size(STREAM_BYTES_MAX);
    let loaded = catch_unwind(|| Document::load_mem_with_options(bytes, options));
    let document = loaded.map_err(|_| PANICKED)??;
    if document.is_encrypted() {
        return Err(LOCKED);
    }
    let mut ledger = session.ledger();
    let read = catch_unwind(AssertUnwindSafe(|| pages(session, &document, &mut ledger)));
    let read = read.unwrap_or(Err(PANICKED));
    let aside = catch_unwind(AssertUnwindSafe(|| aside(&document, &mut ledger)));
    session.keep(Format::Pdf, None, ledger);
    let aside = aside.map_err(|_| PANICKED);
    let attached = attached(session, &document);
    read.and(aside).and(attached)
}

fn pages(session: &Session<'_>, document: &Document, ledger: &mut Ledger) -> Result<(), Obstacle> {
    let mut result = Ok(());
    let (mut count, mut written) = (0u64, 0);
    let mut writer = Writer::new(document, &session.budget);
    for page in document.page_iter() {
        count += 1;
        let read = document
            .get_page_content_with_limit(page, STREAM_BYTES_MAX)
            .map_err(Obstacle::from)
            .and_then(|content| {
                session.budget.spend(content.len() as u64)?;
                let resources = resources(document, page);
                writer.run(&content, &resources, 0)
            });
        if read.is_err() {
            result = read;
        }
        let text = writer.end_page();
        written += text.trim_ascii().len();
        let at = format!("page {count}");
        ledger.look_at_passage(&text, &at);
        if let Err(Obstacle { kind: TroubleKind::TooLarge, .. }) = result {
            return result;
        }
    }
    if count == 0 && result.is_ok() {
        return Err(Obstacle::corrupt("the file has no pages"));
    }
    if written == 0 && result.is_ok() {
        return Err(Obstacle::unsupported("its pages hold no text: pictures are not read"));
    }
    result
}

/// Where a page's fonts and drawings are described: by itself and by what it belongs to.
fn resources(document: &Document, page: lopdf::ObjectId) -> Vec<&Dictionary> {
    let Ok((own, inherited)) = document.get_page_resources(page) else { return Vec::new() };
    let inherited = inherited.into_iter().filter_map(|id| document.get_dictionary(id).ok());
    own.into_iter().chain(inherited).collect()
}

/// Form fields, notes on pages, and what the file says of itself.
fn aside(document: &Document, ledger: &mut Ledger) {
    let info = document.trailer.get(b"Info").and_then(Object::as_reference).ok();
    for (id, object) in &document.objects {
        let Ok(dictionary) = object.as_dict() else { continue };
        let (keys, at): (&[&[u8]], _) = if Some(*id) == info {
            (&[b"Title", b"Author", b"Subject", b"Keywords"], "properties")
        } else if dictionary.has(b"FT") || dictionary.has(b"T") && dictionary.has(b"V") {
            (&[b"T", b"V"], "form field")
        } else if dictionary.has(b"Subtype") && dictionary.has(b"Contents") {
            (&[b"Contents"], "note")
        } else {
            continue;
        };
        let texts = keys.iter().filter_map(|key| {
            let (_, value) = document.dereference(dictionary.get(key).ok()?).ok()?;
            decode_text_string(value).ok()
        });
        // A field's name stands before its value like a word before a number.
        let text = texts.collect::<Vec<_>>().join(": ");
        ledger.look_at_passage(text.as_bytes(), at);
    }
}

/// Files inside of the file come through the door.
fn attached(session: &mut Session<'_>, document: &Document) -> Result<(), Obstacle> {
    let mut number = 0;
    for object in document.objects.values() {
        let Ok(stream) = object.as_stream() else { continue };
        if !stream.dict.has_type(b"EmbeddedFile") {
            continue;
        }
        number += 1;
        session.member()?;
        let limit = usize::try_from(session.holdable()).unwrap_or(usize::MAX);
        let bytes = catch_unwind(|| stream.get_plain_content_with_limit(limit));
        let bytes = bytes.map_err(|_| PANICKED)??;
        session.budget.spend(bytes.len() as u64)?;
        let name = format!("attachment {number}");
        session.deeper(|session| {
            session.inside(&name, |session| {
                session.holding(bytes.len(), |session| {
                    enter(session, Source::Whole(&mut Cursor::new(bytes)), &name);
                });
            });
            Ok(())
        })?;
    }
    Ok(())
}
