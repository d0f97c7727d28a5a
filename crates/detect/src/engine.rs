//! The pass over a text: blocks to classes, classes to places, one reading of each place.

use crate::candidates::{Places, Stretch};
use crate::masks::{BLOCK, Classes, Row, STRETCH};
use crate::text::border_before;
use crate::told::{Stand, Told};
use crate::topic::Topic;
use crate::words::{self, Roles};
use crate::{
    Confidence, Hit, address_en, assigned, bank, email, hkid, iban, name_en, name_zh, network,
    numbers, secret, travel,
};
use std::cell::OnceCell;

/// How far before a candidate a parser may look, in bytes.
pub(crate) const BACK: usize = 256;
/// How far after a candidate a parser may look, in bytes: a private key block's length.
pub(crate) const AHEAD: usize = 4096;

/// What a pass has found so far. Positions are those of the text that [`Pass::sweep`] is given.
#[derive(Debug, Default)]
pub(crate) struct Pass {
    pub(crate) hits: Vec<Hit>,
    /// Candidates before this place belong to the last hit.
    pub(crate) resume: usize,
}

impl Pass {
    /// Parses every candidate between `from` and `to`, block by block.
    pub(crate) fn sweep(&mut self, text: &[u8], from: usize, to: usize) {
        let mut base = from;
        let mut told = Told::before(text, from);
        let mut stretch = Stretch::empty();
        while base < to {
            if base == from {
                stretch.read(text, base);
            } else {
                stretch.read_on(text, base);
            }
            told.follow(&stretch.places.word, &stretch.places.line);
            for (number, any) in stretch.any.iter().copied().enumerate() {
                let start = base + number * BLOCK;
                if start >= to {
                    break;
                }
                let kept = if to - start < BLOCK { (1u64 << (to - start)) - 1 } else { u64::MAX };
                if any & kept != 0 {
                    let word = |row: &[u64; STRETCH]| row.get(number).copied().unwrap_or(0);
                    let places = stretch.places.map(word);
                    let classes = Some(&stretch.classes);
                    let seen = Seen { text, start, places, told: &told, classes, number };
                    self.block(text, start, any & kept, &seen);
                }
            }
            base += STRETCH * BLOCK;
        }
    }

    /// Reads the places of one block.
    fn block(&mut self, text: &[u8], start: usize, mut bits: u64, seen: &Seen<'_>) {
        while bits != 0 {
            let bit = bits.trailing_zeros();
            bits &= bits - 1;
            let at = start + bit as usize;
            if at >= self.resume && may_start(text, at) {
                self.parse(text, at, seen, bit);
            }
        }
    }

    /// The same as [`Self::sweep`], byte by byte: what the fast way must agree with.
    #[cfg(test)]
    pub(crate) fn sweep_slowly(&mut self, text: &[u8], from: usize, to: usize) {
        for at in from..to {
            let places = crate::slow::at(text, at);
            if at >= self.resume && places.any() != 0 && may_start(text, at) {
                let mut told = Told::before(text, at);
                told.follow(&[0; STRETCH], &[0; STRETCH]);
                self.parse(
                    text,
                    at,
                    &Seen { text, start: at, places, told: &told, classes: None, number: 0 },
                    0,
                );
            }
        }
    }

    fn parse(&mut self, text: &[u8], at: usize, seen: &Seen<'_>, bit: u32) {
        // A parser sees this much and no more, wherever the text was cut.
        let start = at.saturating_sub(BACK);
        let view = text.get(start..text.len().min(at + AHEAD)).unwrap_or_default();
        let place = Place { text: view, at: at - start, seen, bit };
        if let Some(hit) = place.parse() {
            self.push(Hit { start: hit.start + start, end: hit.end + start, ..hit });
        }
    }

    /// Keeps hits apart: of two that overlap the surer stays, then the longer.
    fn push(&mut self, hit: Hit) {
        while let Some(last) = self.hits.last().filter(|last| last.end > hit.start) {
            let rank = |h: &Hit| (h.confidence, h.end - h.start);
            if rank(last) >= rank(&hit) {
                return;
            }
            self.hits.pop();
        }
        self.resume = hit.end;
        self.hits.push(hit);
    }
}

/// Whether something may start here; of Chinese characters few start a name.
#[inline]
fn may_start(text: &[u8], at: usize) -> bool {
    !matches!(text.get(at), Some(0xe0..=0xee | 0xf0..)) || name_zh::may_start(text, at)
}

/// What is known of a block before its places are read.
struct Seen<'a> {
    /// The whole text, and where the block starts in it.
    text: &'a [u8],
    start: usize,
    places: Places<u64>,
    /// The words around, and the block's number among them.
    told: &'a Told,
    /// The classes of the bytes of the stretch, if it has been read as one.
    classes: Option<&'a Classes<Row>>,
    number: usize,
}

/// One place of a text.
struct Place<'a> {
    text: &'a [u8],
    at: usize,
    seen: &'a Seen<'a>,
    /// The place in its block.
    bit: u32,
}

impl Place<'_> {
    #[inline]
    fn is(&self, kind: impl Fn(&Places<u64>) -> u64) -> bool {
        kind(&self.seen.places) >> self.bit & 1 == 1
    }

    /// What the words before say.
    fn topic(&self) -> Option<Topic> {
        let Seen { text, start, told, number, .. } = *self.seen;
        told.topic(&Stand { whole: text, start, number, bit: self.bit }, self.text, self.at)
    }

    /// What is here.
    fn parse(&self) -> Option<Hit> {
        let (text, at) = (self.text, self.at);
        match text.get(at)? {
            b'0'..=b'9' => {
                if self.is(|p| p.hexadecimal)
                    && let Some(hit) = network::hexadecimal(text, at)
                {
                    return Some(hit);
                }
                if !self.is(|p| p.number) {
                    return None;
                }
                let known = OnceCell::new();
                numbers::at(text, at, || *known.get_or_init(|| self.topic()))
            }
            b'A'..=b'Z' | b'a'..=b'z' => self.letters(),
            b'@' => match self.seen.classes {
                Some(classes) => {
                    email::between(text, at, &classes.sides(self.seen.number, self.bit))
                }
                None => email::around(text, at),
            },
            b':' | b'=' | b'>' | b' ' => {
                if self.is(|p| p.scheme) {
                    return assigned::connection(text, at).or_else(|| network::url(text, at));
                }
                assigned::assigned(text, at)
            }
            b'$' => secret::password_hash(text, at),
            b'<' => travel::machine_readable_around(text, at),
            0xef => self.full_width(),
            0xe0.. => name_zh::at(text, at, || self.topic()),
            _ => None,
        }
    }

    /// What starts at a letter.
    fn letters(&self) -> Option<Hit> {
        let (text, at) = (self.text, self.at);
        if self.is(|p| p.token)
            && let Some(hit) = secret::at(text, at)
        {
            return Some(hit);
        }
        if self.is(|p| p.name) {
            let word = words::at(text, at);
            if word.1.any(Roles::STARTS) {
                let named = name_en::at(text, at, word, || self.topic());
                if let Some(hit) = named.or_else(|| address_en::at(text, at)) {
                    return Some(hit);
                }
            }
        }
        if self.is(|p| p.code | p.bank)
            && let Some(hit) = self.codes()
        {
            return Some(hit);
        }
        if self.is(|p| p.block)
            && let Some(hit) = secret::private_key(text, at)
        {
            return Some(hit);
        }
        self.is(|p| p.hexadecimal).then(|| network::hexadecimal(text, at)).flatten()
    }

    /// Letters and digits: the numbers of documents, of accounts, of banks, of vehicles.
    fn codes(&self) -> Option<Hit> {
        let (text, at) = (self.text, self.at);
        // The rest of what may stand before is known.
        let before = at.checked_sub(1).and_then(|i| text.get(i)).copied().unwrap_or(b' ');
        if before >= 0x80 && !border_before(text, at) {
            return None;
        }
        let known = OnceCell::new();
        let topic = || *known.get_or_init(|| self.topic());
        let found = hkid::at(text, at, topic).or_else(|| iban::at(text, at));
        if found.is_some_and(|hit| hit.confidence == Confidence::Sure) {
            return found;
        }
        let other = travel::at(text, at, topic);
        match (found, other) {
            (Some(a), Some(b)) if b.confidence > a.confidence => Some(b),
            (Some(a), _) => Some(a),
            (None, Some(b)) => Some(b),
            (None, None) => {
                let bank = self.is(|p| p.bank).then(|| bank::bic(text, at, topic)).flatten();
                bank.or_else(|| travel::plate(text, at, topic))
            }
        }
    }

    /// What starts at a full-width letter or digit.
    fn full_width(&self) -> Option<Hit> {
        let (text, at) = (self.text, self.at);
        let (c, _) = crate::text::plain(text, at)?;
        if c == b':' {
            return assigned::assigned(text, at);
        }
        if !c.is_ascii_alphanumeric() || !border_before(text, at) {
            return None;
        }
        let known = OnceCell::new();
        let topic = || *known.get_or_init(|| self.topic());
        if c.is_ascii_digit() { numbers::at(text, at, topic) } else { hkid::at(text, at, topic) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn both(text: &[u8], from: usize) -> (Vec<Hit>, Vec<Hit>) {
        let (mut fast, mut slow) = (Pass::default(), Pass::default());
        fast.sweep(text, from.min(text.len()), text.len());
        slow.sweep_slowly(text, from.min(text.len()), text.len());
        (fast.hits, slow.hits)
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            failure_persistence: None, ..ProptestConfig::default()
        })]
        #[test]
        fn both_ways_find_the_same(
            parts in proptest::collection::vec(prop_oneof![
                Just("HKID A123456(3) "), Just("4111111111111111,"), Just("申請人何麗華（"), Just("\n"),
                Just("Dear Chan Tai Man,"), Just("a@example.com "), Just("Tel: 2345 6789;"),
                Just("Flat E, 27/F, Seaview Mansion, 263 Des Voeux Road West, "), Just("abc"),
                Just("香港西營盤德輔道西718號太平樓36樓D室"), Just("192.0.2.1"), Just("password=Ab3$xyz "),
                Just("https://example.com/x "), Just("00:00:5e:00:53:af "), Just("-"),
            ], 0..40),
            from in 0usize..9,
        ) {
            let text = parts.concat();
            let (fast, slow) = both(text.as_bytes(), from);
            prop_assert_eq!(fast, slow);
        }
    }
}
