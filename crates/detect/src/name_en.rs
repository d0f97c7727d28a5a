//! Names in Latin letters: a family name of Hong Kong with its syllables, or an English given name
//! with a family name; a title or a word like `Customer` before makes them sure.

use crate::places;
use crate::topic::Topic;
use crate::words::{self, Roles};
use crate::{Confidence, Hit, Kind};

const WORDS_MAX: usize = 6;
/// Between the word that announces a name and the name, in bytes: `: "`.
const GAP_BYTES: usize = 4;

#[derive(Debug, Clone, Copy, Default)]
struct Part {
    end: usize,
    roles: Roles,
    /// Parts joined by a hyphen: `Tai-man`.
    joined: bool,
    comma: bool,
    /// A single letter, as of a middle name.
    initial: bool,
}

/// The name that starts at this capital letter, if one does.
/// `first` is the word that starts here: its letters, and what it can be.
pub(crate) fn at(
    text: &[u8],
    start: usize,
    first: (usize, Roles),
    topic: impl FnOnce() -> Option<Topic>,
) -> Option<Hit> {
    let mut room = [Part::default(); WORDS_MAX];
    let parts = parts(text, start, first, &mut room);
    let context = Announced::before(text, start, topic);
    let (taken, complete) = longest(parts, context)?;
    let end = parts.get(taken - 1)?.end;
    if is_thing(text, start, end, parts.get(taken)) && !context.title {
        return None;
    }
    let confidence = match (context.any, complete) {
        (true, true) => Confidence::Sure,
        (true, false) | (false, true) => Confidence::Likely,
        (false, false) => return None,
    };
    Some(Hit { kind: Kind::PersonName, start, end, confidence })
}

/// Whether a whole cell is a name.
pub(crate) fn cell(cell: &[u8]) -> bool {
    if places::starts(cell, 0).is_some_and(|end| end == cell.len()) {
        return false;
    }
    let mut room = [Part::default(); WORDS_MAX];
    let parts = parts(cell, 0, words::at(cell, 0), &mut room);
    let context = Announced { any: true, title: false, strong: false };
    longest(parts, context)
        .and_then(|(taken, _)| parts.get(taken - 1))
        .is_some_and(|last| last.end == cell.len())
}

/// Words that are capitalised, one space or one comma apart.
fn parts<'a>(
    text: &[u8],
    start: usize,
    first: (usize, Roles),
    parts: &'a mut [Part; WORDS_MAX],
) -> &'a [Part] {
    let (mut at, mut count) = (start, 0usize);
    while let Some(place) = parts.get_mut(count) {
        if !text.get(at).is_some_and(u8::is_ascii_uppercase) {
            break;
        }
        let (length, roles) = if count == 0 { first } else { words::at(text, at) };
        let mut part = Part { end: at + length, roles, initial: length == 1, ..Part::default() };
        if part.initial
            && let Some(end) = after_apostrophe(text, part.end)
        {
            part = Part { end, roles: Roles::SURNAME, ..Part::default() };
        }
        if text.get(part.end) == Some(&b'-') {
            let (second, more) = words::at(text, part.end + 1);
            if second > 0 && roles.any(Roles::SYLLABLE) && more.any(Roles::SYLLABLE) {
                part.end += 1 + second;
                part.joined = true;
            }
        }
        if text.get(part.end).is_some_and(|b| b.is_ascii_digit() || matches!(b, b'_' | b'@')) {
            break;
        }
        at = part.end;
        if part.initial {
            at = after_initials(text, at);
        }
        if text.get(at) == Some(&b',') && count == 0 {
            part.comma = true;
            at += 1;
        }
        *place = part;
        count += 1;
        if text.get(at) != Some(&b' ') {
            break;
        }
        at += 1;
    }
    parts.get(..count).unwrap_or_default()
}

/// The place behind the full stop of an initial and of those that follow without a space: `T.M.`.
fn after_initials(text: &[u8], end: usize) -> usize {
    let mut at = end;
    while let Some([b'.', b'A'..=b'Z', b'.']) = text.get(at..at + 3) {
        at += 2;
    }
    if text.get(at) == Some(&b'.') { at + 1 } else { end }
}

/// Where a family name like `O'Connor` or `D'Souza` ends, whose apostrophe stands here.
fn after_apostrophe(text: &[u8], at: usize) -> Option<usize> {
    let rest = text.get(at..)?.strip_prefix(b"'")?;
    let capital = rest.first().is_some_and(u8::is_ascii_uppercase);
    let length = words::at(rest, 0).0;
    (capital && length > 2).then_some(at + 1 + length)
}

/// How many words make the longest name, and whether they would do without an announcement.
fn longest(parts: &[Part], context: Announced) -> Option<(usize, bool)> {
    let role = |i: usize, wanted| parts.get(i).is_some_and(|p: &Part| p.roles.any(wanted));
    let family = |i: usize| match () {
        () if compound(parts, i) => 2,
        () if role(i, Roles::SURNAME) => 1,
        () => 0,
    };
    let syllables = |from: usize| -> (usize, usize) {
        let mut words = 0;
        let mut heard = 0;
        while heard < 2 && role(from + words, Roles::SYLLABLE) {
            heard += if parts.get(from + words).is_some_and(|p| p.joined) { 2 } else { 1 };
            words += 1;
        }
        (words, heard)
    };
    // Western order first, if the first word is a given name and a family name follows.
    let mut given = 0;
    while given < 2 && role(given, Roles::GIVEN) {
        given += 1;
    }
    let comma = parts.first()?.comma;
    if given > 0 && !comma {
        let mut at = given;
        while parts.get(at).is_some_and(|p| p.initial) {
            at += 1;
        }
        // The last of two given names may be the family name.
        let options = [at, at.saturating_sub(1).max(1)];
        if let Some(at) = options.into_iter().find(|at| family(*at) > 0) {
            let surname = family(at);
            let (words, heard) = syllables(at + surname);
            let more = if heard == 2 { words } else { 0 };
            let plain = !role(at, Roles::THINGS);
            return (plain || context.any).then_some((at + surname + more, plain));
        }
        let unknown = parts.get(at).is_some_and(|p| p.roles == Roles::default() && !p.initial);
        if unknown && context.strong {
            return Some((at + 1, false));
        }
    }
    let surname = family(0);
    if surname == 0 || parts.first()?.initial {
        return None;
    }
    let (words, heard) = syllables(surname);
    let mut taken = surname + words;
    if heard == 2 && role(taken, Roles::GIVEN) {
        taken += 1;
    }
    match heard {
        2 => Some((taken, true)),
        1 if context.any => Some((taken, false)),
        0 if role(surname, Roles::GIVEN) && (context.any || comma) => Some((surname + 1, comma)),
        0 if context.strong
            && parts.get(surname).is_some_and(|p| p.roles == Roles::default() && !p.initial) =>
        {
            Some((surname + 1, false))
        }
        _ => None,
    }
}

/// Family names of two words: Au Yeung, Sze To.
fn compound(parts: &[Part], at: usize) -> bool {
    const PAIRS: [(usize, usize); 3] = [(2, 5), (3, 2), (2, 4)];
    let length = |i: usize| -> Option<usize> {
        let part = parts.get(i)?;
        let before = if i == 0 { None } else { parts.get(i - 1) };
        before.map(|b| part.end - b.end - 1)
    };
    // Only the shape is known here: both words are family names, the first of two or three letters,
    // the second as long as Yeung, Yang or To; a third word must follow or a given name precede.
    let both = [at, at + 1]
        .iter()
        .all(|i| parts.get(*i).is_some_and(|p| p.roles.any(Roles::SURNAME) && !p.joined));
    let second = length(at + 1);
    both && match length(at) {
        Some(first) => second.is_some_and(|second| PAIRS.contains(&(first, second))),
        None => {
            let three = parts.get(at + 3).is_some_and(|p| p.roles.any(Roles::SYLLABLE));
            three && second.is_some_and(|second| matches!(second, 2 | 4 | 5))
        }
    }
}

/// Whether the words name a place, a street, a house or a company rather than a person.
fn is_thing(text: &[u8], start: usize, end: usize, next: Option<&Part>) -> bool {
    if next.is_some_and(|part| part.roles.any(Roles::THINGS)) {
        return true;
    }
    let gap = text.get(end..end + 2).is_some_and(|b| b == b"'s");
    let gap = if gap { 3 } else { 1 };
    text.get(end + gap).is_some_and(u8::is_ascii_uppercase)
        && words::at(text, end + gap).1.any(Roles::THINGS)
        || places::starts(text, start).is_some_and(|place| place >= end || place > start + 8)
        || is_place_after_one(text, start, end)
        || is_inside_place(text, start)
}

/// Whether a place begins with the word before: `Mei Foo Sun Chuen`.
fn is_inside_place(text: &[u8], start: usize) -> bool {
    let before = start.checked_sub(1).filter(|at| text.get(*at) == Some(&b' '));
    before
        .and_then(|end| words::before(text, end))
        .and_then(|(first, _)| places::starts(text, first))
        .is_some_and(|end| end > start)
}

/// One word and a place: `Bo Hong Kong`.
fn is_place_after_one(text: &[u8], start: usize, end: usize) -> bool {
    let name = text.get(start..end).unwrap_or_default();
    let second = name.iter().position(|b| *b == b' ').map(|at| start + at + 1);
    second.and_then(|at| places::starts(text, at)).is_some_and(|place| place >= end)
        && name.iter().filter(|b| **b == b' ').count() > 1
}

/// What stands before a name.
#[derive(Debug, Clone, Copy)]
struct Announced {
    /// A word that announces a person.
    any: bool,
    /// A form of address.
    title: bool,
    /// So clear that unknown words may be a name.
    strong: bool,
}

impl Announced {
    fn before(text: &[u8], start: usize, topic: impl FnOnce() -> Option<Topic>) -> Self {
        let head = text.get(..start).unwrap_or_default();
        let gap = head
            .iter()
            .rev()
            .take(GAP_BYTES)
            .take_while(|b| matches!(b, b' ' | b':' | b'.' | b'"' | b',' | b'\n' | b'\t'))
            .count();
        let between = head.get(start - gap..).unwrap_or_default();
        let colon = between.contains(&b':');
        let (mut any, mut title) = (false, false);
        if gap > 0
            && let Some((_, roles)) = words::before(text, start - gap)
        {
            title = roles.any(Roles::TITLE) && !between.contains(&b'\n');
            let stop = between.contains(&b',') || between.contains(&b'\n');
            let announces = roles.any(Roles::BEFORE) && (!stop || between == b",\n");
            any = title || announces;
        }
        let named = !any && topic() == Some(Topic::Person);
        Self { any: any || named, title, strong: title || named || (any && colon) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topic::{self, Near};

    fn found(text: &str) -> Option<(&str, Confidence)> {
        let starts = text.bytes().enumerate().filter(|(_, b)| b.is_ascii_uppercase());
        starts
            .filter(|(i, _)| words::at(text.as_bytes(), *i).1.any(Roles::STARTS))
            .find_map(|(i, _)| {
                let near = Near::read(text.as_bytes(), i);
                let word = words::at(text.as_bytes(), i);
                at(text.as_bytes(), i, word, || topic::before(text.as_bytes(), i, &near))
            })
            .map(|hit| (text.get(hit.start..hit.end).unwrap(), hit.confidence))
    }

    #[test]
    fn names_in_both_orders_are_found() {
        use Confidence::{Likely, Sure};
        for (text, expected) in [
            ("Dear Chan Tai Man,", ("Chan Tai Man", Sure)),
            ("Customer Alan Lau (HKID", ("Alan Lau", Sure)),
            ("met with Carmen Au Yeung today", ("Carmen Au Yeung", Likely)),
            ("Beneficiary Au Yeung Hiu Tung, IBAN", ("Au Yeung Hiu Tung", Sure)),
            ("Name: CHAN, Tai Man", ("CHAN, Tai Man", Sure)),
            ("Mr. Wong Chi-ming", ("Wong Chi-ming", Sure)),
            ("Peter Chan Tai Man signed", ("Peter Chan Tai Man", Likely)),
            ("Chan Tai Man Peter signed", ("Chan Tai Man Peter", Likely)),
            ("Ms Ho Lai", ("Ho Lai", Likely)),
            ("called Patrick O'Connor twice", ("Patrick O'Connor", Likely)),
            ("signed by Maria Fernandes", ("Maria Fernandes", Sure)),
            ("Cc: Tommy M.L. Lau", ("Tommy M.L. Lau", Likely)),
            ("with Peter T. Chan", ("Peter T. Chan", Likely)),
        ] {
            assert_eq!(found(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn places_companies_and_words_are_not_names() {
        for text in [
            "Wong Tai Sin",
            "Ho Man Tin Estate",
            "Tai Ping House",
            "Lee Tung Avenue",
            "Peter Wong Limited",
            "King's Road",
            "Dear Customer,",
            "May Statement",
            "Customer Service",
            "Victoria Park",
            "Blk 4 Mei Foo Sun Chuen",
            "P.O., Hong Kong",
            "On Hong Kong",
            "Chan",
        ] {
            assert_eq!(found(text), None, "{text}");
        }
    }

    #[test]
    fn a_cell_is_a_name_or_not() {
        for text in
            ["Carmen Lam", "Ho Lai Wah", "Szeto Wai Keung", "Au Yeung Hiu Tung", "LEE Ka Yan"]
        {
            assert!(cell(text.as_bytes()), "{text}");
        }
        for text in ["Carmen", "INV-743793", "Lai Wah Street 5", ""] {
            assert!(!cell(text.as_bytes()), "{text}");
        }
    }
}
