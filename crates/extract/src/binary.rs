//! Bytes of no known format: runs of printable characters, in ASCII and in UTF-16, are looked at,
//! and only what a check digit and a word or shape confirm counts.

use crate::Format;
use crate::door::pieces;
use crate::flow::Flow;
use crate::ledger::Ledger;
use crate::obstacle::Obstacle;
use crate::session::Session;
use detect::Layout;
use std::io::Read;

/// The shortest run that is looked at; shorter ones are chance.
const RUN_CHARS_MIN: usize = 8;
/// A longer run is looked at in pieces.
const RUN_BYTES_HELD: usize = 4_096;

/// Looks at the printable runs of a stream.
pub(crate) fn read(session: &mut Session<'_>, stream: &mut dyn Read) -> Result<(), Obstacle> {
    let mut ledger = session.ledger().conservative();
    let mut narrow = Runs::new();
    let mut wide = [Runs::new(), Runs::new()];
    let mut fresh = true;
    let result = pieces(stream, |piece| {
        // Of zeros two are as good as all: pieces have an even length but for the last.
        let zeros = piece.len() > 2 && piece.iter().all(|b| *b == 0);
        let piece = if zeros { &[0, 0] } else { piece };
        for byte in piece {
            narrow.take(&mut ledger, *byte, 0);
        }
        let [even, odd] = &mut wide;
        even.pairs(&mut ledger, piece);
        // The other way to pair bytes begins with the second of all.
        odd.pairs(&mut ledger, piece.get(usize::from(fresh)..).unwrap_or_default());
        fresh = false;
        Ok(())
    });
    narrow.finish(&mut ledger);
    wide.iter_mut().for_each(|runs| runs.finish(&mut ledger));
    session.keep(Format::Binary, None, ledger);
    result
}

/// Printable characters of one byte, or of two with a zero behind.
struct Runs {
    flow: Flow,
    run: Vec<u8>,
    /// The run's beginning was looked at already.
    begun: bool,
    /// The first byte of a pair that was cut.
    half: Option<u8>,
}

impl Runs {
    fn new() -> Self {
        let flow = Flow::laid_out("run", Layout::Prose);
        Self { flow, run: Vec::new(), begun: false, half: None }
    }

    fn pairs(&mut self, ledger: &mut Ledger, piece: &[u8]) {
        let mut bytes = self.half.take().into_iter().chain(piece.iter().copied());
        while let Some(first) = bytes.next() {
            match bytes.next() {
                Some(second) => self.take(ledger, first, second),
                None => self.half = Some(first),
            }
        }
    }

    fn take(&mut self, ledger: &mut Ledger, byte: u8, above: u8) {
        if above == 0 && (byte == b'\t' || (0x20..0x7f).contains(&byte)) {
            self.run.push(byte);
            if self.run.len() >= RUN_BYTES_HELD {
                self.flow.feed(ledger, &self.run);
                self.run.clear();
                self.begun = true;
            }
        } else if self.begun || !self.run.is_empty() {
            self.end(ledger);
        }
    }

    fn end(&mut self, ledger: &mut Ledger) {
        if self.begun || self.run.len() >= RUN_CHARS_MIN {
            self.run.push(b'\n');
            self.flow.feed(ledger, &self.run);
        }
        self.run.clear();
        self.begun = false;
    }

    fn finish(&mut self, ledger: &mut Ledger) {
        self.end(ledger);
        self.flow.finish(ledger);
    }
}
