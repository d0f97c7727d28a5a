//! A text of any length, looked at in windows: bounded memory, linear time, and the same counts
//! wherever the bytes were cut on their way here.
//!
//! Tables are cut between records, and each window has the header before it; prose is cut
//! anywhere, and each window overlaps its neighbours by more than a detector can see.

use crate::ledger::Ledger;
use crate::locate::{Locator, Numbers};
use detect::{Columns, Layout};

/// Bytes that are looked at together: columns are judged by what a window holds.
pub(crate) const WINDOW_BYTES: usize = 1 << 20;
/// What detectors see before and after a place fits into this many bytes.
const OVERLAP_BYTES: usize = 8 << 10;
/// The longest header that is set before each window of a table.
const HEADER_BYTES_MAX: usize = 64 << 10;

/// A text on its way into a ledger.
pub(crate) struct Flow {
    /// What its places are called: `line`, `paragraph`.
    unit: &'static str,
    layout: Option<Layout>,
    /// The header of a table or what prose overlaps with, then what was not looked at yet.
    buffer: Vec<u8>,
    seen: usize,
    /// Lines or records before what was not looked at yet.
    passed: u64,
    started: bool,
    columns: Columns,
}

impl Flow {
    /// A text whose layout its first window tells.
    pub(crate) fn new(unit: &'static str) -> Self {
        Self {
            unit,
            layout: None,
            buffer: Vec::new(),
            seen: 0,
            passed: 0,
            started: false,
            columns: Columns::default(),
        }
    }

    /// A text of known layout.
    pub(crate) fn laid_out(unit: &'static str, layout: Layout) -> Self {
        Self { layout: Some(layout), ..Self::new(unit) }
    }

    /// How the text turned out to be laid out.
    pub(crate) fn layout(&self) -> Layout {
        self.layout.unwrap_or(Layout::Prose)
    }

    /// Takes the next piece.
    pub(crate) fn feed(&mut self, ledger: &mut Ledger, text: &[u8]) {
        let mut rest = text;
        while !rest.is_empty() {
            let full = self.seen + WINDOW_BYTES + OVERLAP_BYTES;
            let room = full.saturating_sub(self.buffer.len());
            let (piece, more) = rest.split_at_checked(room).unwrap_or((rest, &[]));
            self.buffer.extend_from_slice(piece);
            rest = more;
            if self.buffer.len() >= full {
                self.window(ledger, self.seen + WINDOW_BYTES);
            }
        }
    }

    /// Ends the text.
    pub(crate) fn finish(&mut self, ledger: &mut Ledger) {
        if self.buffer.len() > self.seen {
            let layout = *self.layout.get_or_insert_with(|| detect::sniff(&self.buffer));
            self.look(ledger, layout, self.buffer.len(), self.buffer.len());
        }
        self.buffer.clear();
        self.seen = 0;
    }

    /// Looks at what stands before `cut`, or before the last record that ends there.
    fn window(&mut self, ledger: &mut Ledger, cut: usize) {
        let layout = *self.layout.get_or_insert_with(|| detect::sniff(&self.buffer));
        let fresh = self.buffer.get(self.seen..cut).unwrap_or_default();
        let end = match layout {
            Layout::Prose => None,
            Layout::JsonLines => fresh.iter().rposition(|b| *b == b'\n').map(|end| end + 1),
            Layout::Delimited { delimiter, .. } => records_end(fresh, delimiter),
        };
        match end.map(|end| self.seen + end) {
            Some(end) => {
                self.look(ledger, layout, end, end);
                self.next_records(layout, end);
            }
            None => {
                // A record longer than a window: from here on the text is read as prose.
                self.layout = Some(Layout::Prose);
                self.look(ledger, Layout::Prose, cut, self.buffer.len());
                let fresh = self.buffer.get(self.seen..cut).unwrap_or_default();
                self.passed += fresh.iter().filter(|b| **b == b'\n').count() as u64;
                self.buffer.drain(..cut.saturating_sub(OVERLAP_BYTES));
                self.seen = OVERLAP_BYTES.min(cut);
                self.started = true;
            }
        }
    }

    /// Scans the buffer up to `visible`; what begins between `seen` and `cut` counts.
    fn look(&mut self, ledger: &mut Ledger, layout: Layout, cut: usize, visible: usize) {
        let text = self.buffer.get(..visible).unwrap_or_default();
        let locator = match layout {
            Layout::Delimited { delimiter, header } => {
                let header_row = u64::from(header && !self.started);
                let first = Numbers::From(self.passed + header_row + 1);
                Locator::rows(text, delimiter, header, first)
            }
            _ => Locator::lines(text, self.unit, self.seen, self.passed + 1),
        };
        ledger.look(text, layout, self.seen..cut, locator, &mut self.columns);
    }

    /// Keeps the header and what follows the window.
    fn next_records(&mut self, layout: Layout, end: usize) {
        let fresh = self.buffer.get(self.seen..end).unwrap_or_default();
        if let Layout::Delimited { delimiter, header } = layout {
            self.passed += records(fresh, delimiter);
            if header && !self.started {
                self.seen = header_end(&self.buffer, delimiter);
                if self.seen > HEADER_BYTES_MAX {
                    self.seen = 0;
                    self.layout = Some(Layout::Delimited { delimiter, header: false });
                }
            }
        } else {
            self.passed += fresh.iter().filter(|b| **b == b'\n').count() as u64;
        }
        self.started = true;
        self.buffer.drain(self.seen..end);
    }
}

/// The byte after the first record.
fn header_end(text: &[u8], delimiter: u8) -> usize {
    let mut ends = RecordEnds::new(text, delimiter);
    ends.next().unwrap_or(text.len())
}

/// The byte after the last record that ends in the text; none if none does.
fn records_end(text: &[u8], delimiter: u8) -> Option<usize> {
    if text.contains(&b'"') {
        return RecordEnds::new(text, delimiter).last();
    }
    text.iter().rposition(|b| *b == b'\n').map(|end| end + 1)
}

/// How many records a text has that ends with one.
fn records(text: &[u8], delimiter: u8) -> u64 {
    if text.contains(&b'"') {
        return detect::Records::new(text, delimiter).count() as u64;
    }
    let ends = text.iter().filter(|b| **b == b'\n').count();
    ends as u64 + u64::from(text.last().is_some_and(|last| *last != b'\n'))
}

/// The bytes after the ends of records: line ends outside of quotes, as [`detect::Records`] reads
/// them.
struct RecordEnds<'a> {
    text: &'a [u8],
    delimiter: u8,
    at: usize,
}

impl<'a> RecordEnds<'a> {
    const fn new(text: &'a [u8], delimiter: u8) -> Self {
        Self { text, delimiter, at: 0 }
    }
}

impl Iterator for RecordEnds<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        loop {
            let rest = self.text.get(self.at..)?;
            if rest.first() == Some(&b'"') {
                let mut inside = 1;
                loop {
                    let quote = rest.get(inside..)?.iter().position(|b| *b == b'"')?;
                    inside += quote + 1;
                    if rest.get(inside) != Some(&b'"') {
                        break;
                    }
                    inside += 1;
                }
                self.at += inside;
            }
            let rest = self.text.get(self.at..)?;
            let stop = rest.iter().position(|b| *b == self.delimiter || *b == b'\n')?;
            self.at += stop + 1;
            if rest.get(stop) == Some(&b'\n') {
                return Some(self.at);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_end_at_line_ends_outside_of_quotes() {
        let ends = |text: &str| RecordEnds::new(text.as_bytes(), b',').collect::<Vec<_>>();
        assert_eq!(ends("a,b\nc\n"), [4, 6]);
        assert_eq!(ends("\"a\nb\",c\nd"), [8]);
        assert_eq!(ends("\"a\"\"\n\",c\n"), [9]);
        assert_eq!(ends("\"open\n"), [0; 0]);
        assert_eq!(records_end(b"no end", b','), None);
        for text in ["", "a", "a\n", "a,b\n\nc", "\"a\nb\"\nc\n", "\n"] {
            let counted = detect::Records::new(text.as_bytes(), b',').count() as u64;
            assert_eq!(records(text.as_bytes(), b','), counted, "{text:?}");
        }
    }

    fn counts(text: &[u8], piece: usize) -> impl PartialEq + std::fmt::Debug {
        let settings = crate::Settings::everything([3; 32]);
        let detectors = std::sync::Arc::new(crate::Detectors::new(&settings).unwrap());
        let mut ledger = Ledger::new(&detectors, 100);
        let mut flow = Flow::new("line");
        text.chunks(piece).for_each(|piece| flow.feed(&mut ledger, piece));
        flow.finish(&mut ledger);
        ledger.finish()
    }

    #[test]
    fn where_a_text_is_cut_on_its_way_changes_nothing() {
        let card = |i: usize| ["A123456(3)", "E364912(5)", "D288754(2)"][i % 3];
        let rows: String =
            (0..60_000).map(|i| format!("{i},\"a\nb\",{},陳大文\n", card(i))).collect();
        let prose: String =
            (0..40_000).map(|i| format!("{i} our client HKID {} wrote\n", card(i))).collect();
        for text in [format!("no,remark,id_no,name\n{rows}"), prose] {
            assert!(text.len() > WINDOW_BYTES);
            let whole = counts(text.as_bytes(), text.len());
            for piece in [13, 4_099, WINDOW_BYTES + 1] {
                assert_eq!(counts(text.as_bytes(), piece), whole);
            }
        }
    }
}
