//! The pass over a text: blocks to classes, classes to candidates, one parse for each candidate.

use crate::masks::{BLOCK, Classes};
use crate::topic;
use crate::words::{self, Roles};
use crate::{
    Hit, address_en, bank, email, hkid, iban, name_en, name_zh, network, numbers, secret, travel,
};
use std::cell::OnceCell;

/// How far before a candidate a parser may look, in bytes.
pub(crate) const BACK: usize = 256;
/// How far after a candidate a parser may look, in bytes: a private key block's length.
pub(crate) const AHEAD: usize = 4096;
/// A token of this many characters may be a secret.
#[cfg(test)]
const LONG_TOKEN: usize = 16;

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
        let mut carry = Carry::at(text, from);
        let mut base = from;
        let mut here = block(text, base);
        while base < to {
            let next = block(text, base + BLOCK);
            let mut bits = candidates(&here, &next, &mut carry);
            if to - base < BLOCK {
                bits &= (1u64 << (to - base)) - 1;
            }
            while bits != 0 {
                let at = base + bits.trailing_zeros() as usize;
                bits &= bits - 1;
                if at >= self.resume {
                    self.parse(text, at);
                }
            }
            here = next;
            base += BLOCK;
        }
    }

    /// The same as [`Self::sweep`], byte by byte: what the fast way must agree with.
    #[cfg(test)]
    pub(crate) fn sweep_slowly(&mut self, text: &[u8], from: usize, to: usize) {
        for at in from..to {
            if at >= self.resume && is_candidate(text, at) {
                self.parse(text, at);
            }
        }
    }

    fn parse(&mut self, text: &[u8], at: usize) {
        // A parser sees this much and no more, wherever the text was cut.
        let start = at.saturating_sub(BACK);
        let view = text.get(start..text.len().min(at + AHEAD)).unwrap_or_default();
        if let Some(hit) = parse(view, at - start) {
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

fn block(text: &[u8], at: usize) -> Classes {
    match text.get(at..).and_then(|rest| rest.first_chunk::<BLOCK>()) {
        Some(block) => Classes::of(block),
        None => {
            let mut padded = [0u8; BLOCK];
            for (place, byte) in padded.iter_mut().zip(text.get(at..).unwrap_or_default()) {
                *place = *byte;
            }
            Classes::of(&padded)
        }
    }
}

/// The classes of the byte before a block.
struct Carry {
    word: u64,
    token: u64,
}

impl Carry {
    fn at(text: &[u8], from: usize) -> Self {
        let before = from.checked_sub(1).and_then(|i| text.get(i)).copied().unwrap_or(b' ');
        Self { word: is_word(before).into(), token: is_token(before).into() }
    }
}

/// Where something may start: bit n for byte n of the block.
fn candidates(here: &Classes, next: &Classes, carry: &mut Carry) -> u64 {
    let letter = here.upper | here.lower;
    let word = letter | here.digit;
    let token = word | here.joint;
    let fresh = word & !(word << 1 | carry.word);
    let fresh_token = token & !(token << 1 | carry.token);
    carry.word = word >> 63;
    carry.token = token >> 63;
    let ahead = |this: u64, that: u64, n: u32| this >> n | that << (64 - n);
    let digit = |n| ahead(here.digit, next.digit, n);
    let near_digit = digit(1) | digit(2) | digit(3);
    let colon = |n| ahead(here.colon, next.colon, n);
    let hexadecimal = colon(2) | colon(4) | ahead(here.joint, next.joint, 2);
    // Sixteen token characters in a row: doubled four times.
    let token_next = next.upper | next.lower | next.digit | next.joint;
    let mut run = u128::from(token) | u128::from(token_next) << 64;
    for step in [1, 2, 4, 8] {
        run &= run >> step;
    }
    let long = u64::try_from(run & u128::from(u64::MAX)).unwrap_or_default();
    fresh & (here.digit | here.upper | near_digit | hexadecimal)
        | fresh_token & long & letter
        | here.sign
        | here.colon
        | here.wide
}

/// The same for one byte.
#[cfg(test)]
fn is_candidate(text: &[u8], at: usize) -> bool {
    let byte = |i: usize| text.get(i).copied().unwrap_or(0);
    let here = byte(at);
    let before = at.checked_sub(1).map_or(b' ', byte);
    let near_digit = (1..=3).any(|n| byte(at + n).is_ascii_digit());
    let hexadecimal =
        matches!(byte(at + 2), b':' | b'=' | b'-' | b'_') || matches!(byte(at + 4), b':' | b'=');
    let long = (0..LONG_TOKEN).all(|n| is_token(byte(at + n)));
    is_word(here)
        && !is_word(before)
        && (here.is_ascii_digit() || here.is_ascii_uppercase() || near_digit || hexadecimal)
        || here.is_ascii_alphabetic() && !is_token(before) && long
        || matches!(here, b'@' | b':' | b'=' | 0xe0..)
}

const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

const fn is_token(byte: u8) -> bool {
    is_word(byte) || matches!(byte, b'_' | b'-')
}

/// What is at this candidate.
fn parse(text: &[u8], at: usize) -> Option<Hit> {
    match text.get(at)? {
        b'0'..=b'9' => numbers::at(text, at)
            .or_else(|| address_en::at_number(text, at))
            .or_else(|| travel::machine_readable(text, at)),
        b'A'..=b'Z' | b'a'..=b'z' => letters(text, at),
        b'@' => email::around(text, at),
        b':' | b'=' => network::url(text, at).or_else(|| secret::assigned(text, at)),
        0xef => wide(text, at),
        0xe0.. => name_zh::at(text, at),
        _ => None,
    }
}

/// What starts at a letter.
fn letters(text: &[u8], at: usize) -> Option<Hit> {
    if let Some(hit) = secret::at(text, at) {
        return Some(hit);
    }
    let (length, roles) = words::at(text, at);
    let next = text.get(at + length).copied().unwrap_or(b' ');
    // A word of prose that opens nothing: the common case ends here.
    let upper = text.get(at).is_some_and(u8::is_ascii_uppercase);
    if roles.any(Roles::STARTS) && upper {
        let named = name_en::at(text, at)
            .or_else(|| address_en::at(text, at))
            .or_else(|| secret::private_key(text, at));
        if named.is_some() {
            return named;
        }
    }
    let numbered = length <= 4 || next == b'<' || next.is_ascii_digit();
    let code = upper && matches!(length, 8 | 11);
    if !(numbered || code) || !crate::text::border_before(text, at) {
        return None;
    }
    let known = OnceCell::new();
    let topic = || *known.get_or_init(|| topic::before(text, at));
    if length <= 4 {
        let found = hkid::at(text, at, topic).or_else(|| iban::at(text, at));
        let other = travel::at(text, at, topic);
        match (found, other) {
            (Some(a), Some(b)) if b.confidence > a.confidence => return Some(b),
            (Some(a), _) => return Some(a),
            (None, Some(b)) => return Some(b),
            (None, None) => {}
        }
    }
    if upper {
        let found = bank::bic(text, at, topic)
            .or_else(|| travel::machine_readable(text, at))
            .or_else(|| travel::plate(text, at, topic));
        if found.is_some() {
            return found;
        }
    }
    network::hexadecimal(text, at)
}

/// What starts at a full-width letter or digit.
fn wide(text: &[u8], at: usize) -> Option<Hit> {
    let (c, _) = crate::text::plain(text, at)?;
    if !crate::text::border_before(text, at) {
        return None;
    }
    match c {
        b'0'..=b'9' => numbers::at(text, at),
        b'A'..=b'Z' | b'a'..=b'z' => hkid::at(text, at, || topic::before(text, at)),
        _ => None,
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
        fn blocks_and_bytes_give_the_same_candidates(
            bytes in proptest::collection::vec(
                prop_oneof![any::<u8>(), b'0'..=b'9', b'A'..=b'Z', Just(b'-'), Just(b':')], 0..400),
            from in 0usize..70,
        ) {
            let from = from.min(bytes.len());
            let mut carry = Carry::at(&bytes, from);
            let mut base = from;
            while base < bytes.len() {
                let (here, next) = (block(&bytes, base), block(&bytes, base + BLOCK));
                let bits = candidates(&here, &next, &mut carry);
                for i in 0..BLOCK.min(bytes.len() - base) {
                    let at = base + i;
                    prop_assert_eq!(bits >> i & 1 == 1, is_candidate(&bytes, at), "{}", at);
                }
                base += BLOCK;
            }
        }

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
