//! How wide the signs of a PDF's font are: what tells a gap between words from one between letters.

use lopdf::{Dictionary, Document, Object};
use std::collections::HashMap;

/// Signs whose widths are kept.
const SIGNS_MAX: usize = 65_536;
/// A composite font's signs have this width unless it says otherwise.
const COMPOSITE_WIDTH: f32 = 1_000.0;

/// Widths in thousandths of the font's height.
#[derive(Debug, Default)]
pub(crate) struct Widths {
    signs: HashMap<u32, f32>,
    /// For signs that are not listed; none when the font lists nothing at all.
    others: Option<f32>,
    /// Bytes of a sign.
    bytes: usize,
}

impl Widths {
    pub(crate) fn of(document: &Document, font: &Dictionary, composite: bool) -> Self {
        if composite {
            let inner = font.get_deref(b"DescendantFonts", document).and_then(Object::as_array);
            let inner = inner.ok().and_then(|list| list.first());
            let inner = inner.and_then(|o| document.dereference(o).ok()?.1.as_dict().ok());
            let others = inner.and_then(|f| f.get(b"DW").ok()?.as_float().ok());
            let mut widths = Self {
                others: Some(others.unwrap_or(COMPOSITE_WIDTH)),
                bytes: 2,
                ..Self::default()
            };
            let list = inner.and_then(|f| f.get_deref(b"W", document).ok()?.as_array().ok());
            widths.listed(document, list.map_or(&[], Vec::as_slice));
            return widths;
        }
        let first = font.get_deref(b"FirstChar", document).and_then(Object::as_i64);
        let list = font.get_deref(b"Widths", document).and_then(Object::as_array);
        let (Ok(first), Ok(list)) = (first, list) else { return Self::default() };
        let first = u32::try_from(first).unwrap_or(0);
        let signs = (first..).zip(list.iter().take(SIGNS_MAX));
        // Fonts made of drawings have a scale of their own.
        let scale = font.get_deref(b"FontMatrix", document).and_then(Object::as_array);
        let scale = scale.ok().and_then(|matrix| matrix.first()?.as_float().ok());
        let scale = scale.map_or(1.0, |scale| scale * 1_000.0);
        let signs = signs.filter_map(|(sign, width)| Some((sign, width.as_float().ok()? * scale)));
        Self { signs: signs.collect(), others: Some(COMPOSITE_WIDTH / 2.0), bytes: 1 }
    }

    /// `first [w w …]`, or `first last w`.
    fn listed(&mut self, document: &Document, list: &[Object]) {
        let mut rest = list;
        while let [first, second, more @ ..] = rest {
            let Some(first) = first.as_i64().ok().and_then(|n| u32::try_from(n).ok()) else {
                return;
            };
            let second = document.dereference(second).map_or(second, |(_, object)| object);
            if let Ok(widths) = second.as_array() {
                for (sign, width) in (first..).zip(widths) {
                    self.put(sign, width);
                }
                rest = more;
            } else {
                let [width, more @ ..] = more else { return };
                let last =
                    second.as_i64().ok().and_then(|n| u32::try_from(n).ok()).unwrap_or(first);
                for sign in (first..=last).take(SIGNS_MAX) {
                    self.put(sign, width);
                }
                rest = more;
            }
        }
    }

    fn put(&mut self, sign: u32, width: &Object) {
        if let Some(width) = width.as_float().ok().filter(|_| self.signs.len() < SIGNS_MAX) {
            self.signs.insert(sign, width);
        }
    }

    /// How far these signs move the pen, as a share of the font's height; none if nobody knows.
    pub(crate) fn advance(&self, bytes: &[u8]) -> Option<f32> {
        let others = self.others?;
        let signs = bytes.chunks(self.bytes.max(1));
        let numbers =
            signs.map(|sign| sign.iter().fold(0u32, |sum, byte| sum << 8 | u32::from(*byte)));
        let sum: f32 = numbers.map(|n| self.signs.get(&n).copied().unwrap_or(others)).sum();
        Some(sum / 1_000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lopdf::dictionary;

    #[test]
    fn widths_are_listed_one_by_one_or_for_many() {
        let document = Document::new();
        let simple = dictionary! { "FirstChar" => 65, "Widths" => vec![700.into(), 300.into()] };
        let widths = Widths::of(&document, &simple, false);
        assert_eq!(widths.advance(b"AB"), Some(1.0));
        let list: Vec<Object> =
            vec![1.into(), vec![500.into(), 250.into()].into(), 8.into(), 9.into(), 100.into()];
        let inner = dictionary! { "DW" => 900, "W" => list };
        let composite = dictionary! { "DescendantFonts" => vec![inner.into()] };
        let widths = Widths::of(&document, &composite, true);
        assert_eq!(widths.advance(&[0, 1, 0, 2, 0, 9, 0, 7]), Some(1.75));
        assert_eq!(Widths::of(&document, &Dictionary::new(), false).advance(b"A"), None);
    }
}
