//! The detectors: wherever a text is cut and however its blocks are read, they find the same.

use detect::{Columns, Custom, Kind, Scanner};
use std::sync::OnceLock;

/// Longest pieces into which a text is cut, in bytes.
const PIECE_BYTES_MAX: usize = 97;

pub(crate) fn pieces(bytes: &[u8]) {
    let (cut, text) = bytes
        .split_first()
        .map_or((1, bytes), |(first, rest)| (usize::from(*first) % PIECE_BYTES_MAX + 1, rest));
    let whole = detect::scan(text);
    let mut end = 0;
    for hit in &whole {
        assert!(hit.start >= end && hit.start < hit.end && hit.end <= text.len(), "{hit:?}");
        end = hit.end;
        if let Some(value) = text.get(hit.start..hit.end) {
            let value = String::from_utf8_lossy(value);
            let masked = detect::mask(hit.kind, &value);
            assert!(masked != value || value.len() < 2, "{:?} is shown", hit.kind);
        }
    }
    let mut scanner = Scanner::default();
    let mut found: Vec<_> = text.chunks(cut).flat_map(|piece| scanner.feed(piece)).collect();
    found.extend(scanner.finish());
    assert!(found == whole, "cut every {cut} bytes: {found:?}, whole: {whole:?}");
}

pub(crate) fn layout(bytes: &[u8]) {
    let layout = detect::sniff(bytes);
    let found = detect::document_as(bytes, layout);
    for hit in &found.hits {
        assert!(hit.start < hit.end && hit.end <= bytes.len(), "{hit:?}");
    }
    let _ = detect::document_piece(bytes, layout, &mut Columns::default());
}

/// Patterns and dictionaries that a person types, over a text that a stranger wrote.
pub(crate) fn own(bytes: &[u8]) {
    static PLAIN: OnceLock<Option<Custom>> = OnceLock::new();
    let (pattern, text) = match bytes.iter().position(|byte| *byte == 0) {
        Some(place) => (bytes.get(..place), bytes.get(place..)),
        None => (Some(bytes), None),
    };
    let (pattern, text) = (pattern.unwrap_or_default(), text.unwrap_or_default());
    let pattern = String::from_utf8_lossy(pattern);
    let made = [Custom::pattern(1, &pattern), Custom::dictionary(2, pattern.split('\n'))];
    for custom in made.into_iter().flatten() {
        let mut end = 0;
        for hit in custom.scan(text) {
            assert!(matches!(hit.kind, Kind::Custom(1 | 2)));
            assert!(hit.start >= end && hit.start < hit.end && hit.end <= text.len(), "{hit:?}");
            end = hit.end;
        }
    }
    let plain = PLAIN.get_or_init(|| Custom::pattern(3, "[0-9]{6,}").ok());
    if let Some(custom) = plain {
        let _ = custom.scan(text);
    }
}
