//! Texts: decoded piece by piece, told apart by their first kilobytes, and looked at.

use crate::Format;
use crate::door::pieces;
use crate::encoding::{Guess, SAMPLE_BYTES, ToUtf8};
use crate::flow::Flow;
use crate::json::{self, Shaper};
use crate::ledger::Ledger;
use crate::obstacle::Obstacle;
use crate::page::{Dialect, Page};
use crate::session::Session;
use detect::Layout;
use std::io::Read;

/// Reads a text from front to end.
pub(crate) fn read(
    session: &mut Session<'_>,
    stream: &mut dyn Read,
    guess: Guess,
    format: &mut Format,
) -> Result<(), Obstacle> {
    let mut ledger = session.ledger();
    let mut decoder = ToUtf8::new(guess);
    let mut reading = Reading::Unknown(Vec::new());
    let mut mark = if let Guess::Text(_, mark) = guess { mark } else { 0 };
    let result = pieces(stream, |piece| {
        let piece = piece.get(std::mem::take(&mut mark)..).unwrap_or_default();
        decoder.feed(piece, false, &mut |text| reading.feed(&mut ledger, text));
        Ok(())
    });
    decoder.finish(&mut |text| reading.feed(&mut ledger, text));
    let (found, ended) = reading.finish(&mut ledger);
    *format = found;
    session.keep(found, Some(decoder.name().to_owned()), ledger);
    result.and(ended)
}

/// A text as it is being read.
enum Reading {
    /// Too little was seen to tell.
    Unknown(Vec<u8>),
    Plain(Flow),
    Json(Shaper, Flow),
    Marked(Dialect, Box<Page>),
}

impl Reading {
    fn feed(&mut self, ledger: &mut Ledger, text: &[u8]) {
        match self {
            Self::Unknown(head) => {
                head.extend_from_slice(text);
                if head.len() >= SAMPLE_BYTES {
                    self.decide(ledger);
                }
            }
            Self::Plain(flow) => flow.feed(ledger, text),
            Self::Marked(_, page) => page.feed(ledger, text),
            Self::Json(shaper, flow) => shaper.feed(text, &mut |line| flow.feed(ledger, line)),
        }
    }

    fn decide(&mut self, ledger: &mut Ledger) {
        let columns_max = ledger.columns_max();
        let Self::Unknown(head) = self else { return };
        let head = std::mem::take(head);
        *self = if let Some(dialect) = Dialect::of(&head) {
            Self::Marked(dialect, Box::new(Page::new(dialect, columns_max)))
        } else if json::is_json(&head) {
            Self::Json(Shaper::default(), Flow::laid_out("line", Layout::JsonLines))
        } else {
            Self::Plain(Flow::new("line"))
        };
        self.feed(ledger, &head);
    }

    fn finish(mut self, ledger: &mut Ledger) -> (Format, Result<(), Obstacle>) {
        self.decide(ledger);
        match self {
            Self::Unknown(_) => (Format::Text, Ok(())),
            Self::Marked(dialect, mut page) => (dialect.format(), page.finish(ledger)),
            Self::Plain(mut flow) => {
                flow.finish(ledger);
                let format = match flow.layout() {
                    Layout::Delimited { .. } => Format::Csv,
                    Layout::JsonLines => Format::Json,
                    Layout::Prose => Format::Text,
                };
                (format, Ok(()))
            }
            Self::Json(mut shaper, mut flow) => {
                shaper.finish(&mut |line| flow.feed(ledger, line));
                flow.finish(ledger);
                (Format::Json, Ok(()))
            }
        }
    }
}
