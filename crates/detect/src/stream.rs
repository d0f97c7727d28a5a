//! Scanning a text that comes in pieces, in bounded memory.

use crate::Hit;
use crate::engine::{AHEAD, BACK, Pass};

/// Finds in a text that is fed piece by piece what [`crate::scan`] finds in the whole; where it is
/// cut makes no difference. Holds the last piece and at most some kilobytes before it.
///
/// ```
/// let mut scanner = detect::Scanner::default();
/// let mut hits = scanner.feed(b"HKID A1234");
/// hits.extend(scanner.feed(b"56(3)"));
/// hits.extend(scanner.finish());
/// assert_eq!((hits[0].start, hits[0].end), (5, 15));
/// ```
#[derive(Debug, Default)]
pub struct Scanner {
    buffer: Vec<u8>,
    /// Where the buffer begins in the text.
    base: usize,
    /// Up to where the buffer has been parsed.
    parsed: usize,
    pass: Pass,
}

impl Scanner {
    /// Takes the next piece; gives the hits that no later piece can change, in order. Their places
    /// are those in the whole text.
    pub fn feed(&mut self, piece: &[u8]) -> Vec<Hit> {
        self.buffer.extend_from_slice(piece);
        self.advance(self.buffer.len().saturating_sub(AHEAD));
        let settled = self.parsed.saturating_sub(BACK);
        let count = self.pass.hits.iter().take_while(|hit| hit.end <= settled).count();
        let hits = self.settle(count);
        // A hit that is not settled keeps its bytes.
        let kept = self.pass.hits.first().map_or(settled, |hit| hit.start.min(settled));
        self.forget(kept);
        hits
    }

    /// Ends the text; gives the hits that remain.
    pub fn finish(mut self) -> Vec<Hit> {
        self.advance(self.buffer.len());
        self.settle(self.pass.hits.len())
    }

    fn advance(&mut self, to: usize) {
        if to > self.parsed {
            self.pass.sweep(&self.buffer, self.parsed, to);
            self.parsed = to;
        }
    }

    fn settle(&mut self, count: usize) -> Vec<Hit> {
        let base = self.base;
        let place = |hit: Hit| Hit { start: hit.start + base, end: hit.end + base, ..hit };
        self.pass.hits.drain(..count).map(place).collect()
    }

    /// Drops what no parser can see any more.
    fn forget(&mut self, count: usize) {
        self.buffer.drain(..count.min(self.buffer.len()));
        self.base += count;
        self.parsed -= count;
        self.pass.resume = self.pass.resume.saturating_sub(count);
        for hit in &mut self.pass.hits {
            hit.start -= count;
            hit.end -= count;
        }
    }
}
