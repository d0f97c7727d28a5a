//! Where in a text something stands: for test boxes and scores, not for findings.

use crate::settings::Detectors;
use crate::{KindName, encoding, json};
use detect::{Columns, Confidence, Layout};

/// One hit in a text: its bytes in the text decoded to UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// What.
    pub kind: KindName,
    /// First byte.
    pub start: usize,
    /// Byte after the last.
    pub end: usize,
    /// How sure; at least likely.
    pub confidence: Confidence,
}

/// The hits in a text of any encoding, in order, and the text as UTF-8 without byte order mark;
/// bytes that are no text in any encoding come as they are.
#[must_use]
pub fn spans(bytes: &[u8], detectors: &Detectors) -> (Vec<u8>, Vec<Span>) {
    let text = encoding::decode(bytes);
    let layout = if json::is_json(&text) { Layout::JsonLines } else { detect::sniff(&text) };
    let found =
        detectors.scan(&text, layout, &mut Columns::default()).hits.into_iter().map(|hit| Span {
            kind: KindName(hit.kind),
            start: hit.start,
            end: hit.end,
            confidence: hit.confidence,
        });
    let found = found.collect();
    (text, found)
}
