//! Messages (RFC 5322 with MIME) and mailboxes of them (RFC 4155).

use crate::door::{enter, pieces, with_stream};
use crate::flow::Flow;
use crate::input::Source;
use crate::ledger::Ledger;
use crate::obstacle::Obstacle;
use crate::page::{Dialect, Page};
use crate::session::Session;
use crate::{Format, binary, encoding};
use detect::Layout;
use mail_parser::{
    Encoding, HeaderValue, Message, MessageParser, MessagePart, MimeHeaders, PartType,
};
use std::io::Cursor;
use std::panic::catch_unwind;

/// Where a mailbox is cut: a line that begins so, after an empty one.
const SEPARATOR: &[u8] = b"\nFrom ";
/// Bytes that may be the beginning of a separator, with the empty line before.
const SEPARATOR_SPAN: usize = 10;

/// Reads one message that is held in memory.
pub(crate) fn read(session: &mut Session<'_>, bytes: &[u8]) -> Result<(), Obstacle> {
    // The parser is not ours; a message that makes it panic is read by its printable runs.
    let Ok(message) = catch_unwind(|| MessageParser::default().parse(bytes)) else {
        binary::read(session, &mut Cursor::new(bytes))?;
        return Err(Obstacle::corrupt("the message is damaged in an unusual way"));
    };
    let message = message.ok_or(Obstacle::corrupt("the message has no head"))?;
    session.deeper(|session| look(session, &message))
}

fn look(session: &mut Session<'_>, message: &Message<'_>) -> Result<(), Obstacle> {
    let mut ledger = session.ledger();
    head(&mut ledger, message);
    let mut attached = Vec::new();
    let mut result = Ok(());
    for part in &message.parts {
        if is_sealed(part) {
            result = Err(Obstacle::protected("the message is encrypted"));
        }
        let inline = part.attachment_name().is_none();
        match &part.body {
            PartType::Text(text) if inline => {
                let raw = raw_text(message, part);
                let text = raw.as_deref().unwrap_or(text.as_bytes());
                let mut flow = Flow::laid_out("line", Layout::Prose);
                flow.feed(&mut ledger, text);
                flow.finish(&mut ledger);
            }
            PartType::Html(text) if inline => {
                let mut page = Page::new(Dialect::Html, session.limits.columns_max);
                page.feed(&mut ledger, text.as_bytes());
                let ended = page.finish(&mut ledger);
                result = result.and(ended);
            }
            PartType::Multipart(_) => {}
            _ => attached.push(part),
        }
    }
    session.keep(Format::Mail, None, ledger);
    for (number, part) in attached.into_iter().enumerate() {
        session.member()?;
        attachment(session, part, number + 1);
    }
    result
}

/// A text without a transfer encoding whose letters may be of any encoding.
fn raw_text(message: &Message<'_>, part: &MessagePart<'_>) -> Option<Vec<u8>> {
    if part.encoding != Encoding::None {
        return None;
    }
    let (start, end) = (part.offset_body as usize, part.offset_end as usize);
    let raw = message.raw_message.get(start..end)?;
    (!raw.is_ascii()).then(|| encoding::decode(raw))
}

/// The fields of the head that people and servers wrote, decoded.
fn head(ledger: &mut Ledger, message: &Message<'_>) {
    let mut flow = Flow::laid_out("head, line", Layout::Prose);
    for header in message.headers() {
        let value = match &header.value {
            HeaderValue::Text(text) => text.to_string(),
            HeaderValue::TextList(list) => list.join(", "),
            HeaderValue::Address(address) => {
                let written = address.iter().map(|one| {
                    let (name, address) = (one.name.as_deref(), one.address.as_deref());
                    format!("{} <{}>", name.unwrap_or_default(), address.unwrap_or_default())
                });
                written.collect::<Vec<_>>().join(", ")
            }
            HeaderValue::Received(_) => {
                let (start, end) = (header.offset_start as usize, header.offset_end as usize);
                let raw = message.raw_message.get(start..end).unwrap_or_default();
                String::from_utf8_lossy(raw).into_owned()
            }
            _ => continue,
        };
        let line = format!("{}: {value}\n", header.name.as_str());
        flow.feed(ledger, line.as_bytes());
    }
    flow.finish(ledger);
}

/// S/MIME and OpenPGP.
fn is_sealed(part: &MessagePart<'_>) -> bool {
    part.content_type().is_some_and(|kind| {
        let sub = kind.c_subtype.as_deref().unwrap_or_default().to_ascii_lowercase();
        let signed = kind.attributes.as_deref().unwrap_or_default();
        let signed = signed.iter().any(|a| a.value.eq_ignore_ascii_case("signed-data"));
        sub == "encrypted" || (sub.ends_with("pkcs7-mime") && !signed)
    })
}

fn attachment(session: &mut Session<'_>, part: &MessagePart<'_>, number: usize) {
    let name = part.attachment_name().map_or_else(|| format!("attachment {number}"), str::to_owned);
    session.inside(&name, |session| match &part.body {
        PartType::Message(message) => {
            let result = session.deeper(|session| look(session, message));
            session.settle(result);
        }
        _ => {
            let bytes = part.contents();
            session.holding(bytes.len(), |session| {
                enter(session, Source::Whole(&mut Cursor::new(bytes)), &name);
            });
        }
    });
}

/// Reads a mailbox from front to end, one message held at a time.
pub(crate) fn mbox(
    session: &mut Session<'_>,
    source: Source<'_>,
    head: &[u8],
) -> Result<(), Obstacle> {
    let mut mailbox = Mailbox { limit: session.holdable(), ..Mailbox::default() };
    session.deeper(|session| {
        with_stream(source, head, false, |stream| {
            pieces(stream, |piece| mailbox.feed(session, piece))
        })?;
        mailbox.message(session)
    })
}

/// The messages of a mailbox as they come.
#[derive(Default)]
struct Mailbox {
    /// The message so far, its separator line included.
    buffer: Vec<u8>,
    searched: usize,
    limit: u64,
    number: u64,
    /// The message is longer than may be held: the rest of it is passed over.
    passing: bool,
}

impl Mailbox {
    fn feed(&mut self, session: &mut Session<'_>, piece: &[u8]) -> Result<(), Obstacle> {
        self.buffer.extend_from_slice(piece);
        while let Some(end) = self.boundary() {
            let rest = self.buffer.split_off(end);
            self.message(session)?;
            self.buffer = rest;
            self.searched = 0;
        }
        self.searched = self.buffer.len().saturating_sub(SEPARATOR_SPAN);
        if self.buffer.len() as u64 > self.limit {
            self.passing = true;
        }
        if self.passing {
            self.buffer.drain(..self.searched);
            self.searched = 0;
        }
        Ok(())
    }

    /// Where the next message begins.
    fn boundary(&self) -> Option<usize> {
        let mut from = self.searched;
        loop {
            let rest = self.buffer.get(from..)?;
            let found = from + rest.windows(SEPARATOR.len()).position(|w| w == SEPARATOR)?;
            let before = self.buffer.get(..found).unwrap_or_default();
            if before.ends_with(b"\n") || before.ends_with(b"\n\r") {
                return Some(found + 1);
            }
            from = found + 1;
        }
    }

    fn message(&mut self, session: &mut Session<'_>) -> Result<(), Obstacle> {
        self.number += 1;
        let bytes = std::mem::take(&mut self.buffer);
        let passed = std::mem::take(&mut self.passing);
        session.member()?;
        session.inside(&format!("message {}", self.number), |session| {
            if passed {
                session.trouble(Obstacle::too_large("the message is larger than may be held"));
                return;
            }
            let line = bytes.iter().position(|b| *b == b'\n').map_or(0, |end| end + 1);
            let skip = if bytes.starts_with(b"From ") { line } else { 0 };
            let bytes = bytes.get(skip..).unwrap_or_default();
            let result = session.holding(bytes.len(), |session| read(session, bytes));
            session.settle(result);
        });
        Ok(())
    }
}
