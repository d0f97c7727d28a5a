//! Addresses in English as Hong Kong writes them: flat, floor, block, building, street with its
//! number, district, region; in any order that keeps the small before the large.

use crate::places;
use crate::words::{self, Roles};
use crate::{Confidence, Hit, Kind};

/// The longest address that is read, in bytes.
const ADDRESS_BYTES_MAX: usize = 240;
/// The longest name of a street or building, in words.
const NAME_WORDS_MAX: usize = 5;

const UNIT: u8 = 1;
const FLOOR: u8 = 2;
const BUILDING: u8 = 4;
const STREET: u8 = 8;
const PLACE: u8 = 16;

/// The address that starts at this word or number, if one does.
pub(crate) fn at(text: &[u8], start: usize) -> Option<Hit> {
    let view = text.get(..text.len().min(start + ADDRESS_BYTES_MAX))?;
    let (first, mut end) = element(view, start)?;
    // A place alone begins no address: the small stands before the large.
    if first == PLACE {
        return None;
    }
    let mut seen = first;
    let mut at = separated(view, end);
    while let Some(next) = at {
        let (kind, after) = match element(view, next) {
            Some(found) => found,
            // A name that no list knows may stand between commas, if the address goes on.
            None => {
                match unknown(view, next).and_then(|after| Some((after, separated(view, after)?))) {
                    Some((_, beyond)) => match element(view, beyond) {
                        Some((kind, after)) => (kind | BUILDING, after),
                        None => break,
                    },
                    None => break,
                }
            }
        };
        // The small stands before the large: a flat on a new line begins another address.
        let line = view.get(end..next).is_some_and(|gap| gap.contains(&b'\n'));
        if line && kind & (UNIT | FLOOR) != 0 && seen & (STREET | PLACE) != 0 {
            break;
        }
        seen |= kind;
        end = after;
        at = separated(view, end);
    }
    let inside = seen & (UNIT | FLOOR) != 0;
    let fits = seen & STREET != 0 && (seen & (PLACE | BUILDING) != 0 || inside)
        || inside && seen & BUILDING != 0 && seen & PLACE != 0;
    let confidence = if seen.count_ones() >= 3 { Confidence::Sure } else { Confidence::Likely };
    fits.then_some(Hit { kind: Kind::Address, start, end, confidence })
}

/// The address that starts at this number of `width` digits, if its form is a street's or a
/// floor's.
pub(crate) fn at_number(text: &[u8], start: usize, width: usize) -> Option<Hit> {
    let rest = text.get(start..)?;
    let opens = match rest.get(width..)? {
        [b' ', next, ..] => next.is_ascii_uppercase() || *next == b'F',
        [b'/', b'F' | b'f', ..] => true,
        // `1-3 Nathan Road`, but no date.
        [b'-', more @ ..] => {
            let second = more.iter().take(5).take_while(|b| b.is_ascii_digit()).count();
            more.get(second) == Some(&b' ')
        }
        [b'A'..=b'Z' | b's' | b'n' | b'r' | b't', ..] => true,
        _ => false,
    };
    if opens { at(text, start) } else { None }
}

/// The place after a comma, spaces or one new line, if something follows.
fn separated(text: &[u8], at: usize) -> Option<usize> {
    let at = if text.get(at..at + 2) == Some(b".,") { at + 1 } else { at };
    let rest = text.get(at..)?;
    let gap = rest.iter().take(4).take_while(|b| matches!(b, b' ' | b',' | b'\n' | b'\r')).count();
    let lines = rest.iter().take(gap).filter(|b| **b == b'\n').count();
    (gap > 0 && lines < 2 && gap < rest.len()).then_some(at + gap)
}

fn element(text: &[u8], at: usize) -> Option<(u8, usize)> {
    floor(text, at)
        .map(|end| (FLOOR, end))
        .or_else(|| unit(text, at).map(|end| (UNIT, end)))
        .or_else(|| street(text, at).map(|end| (STREET, end)))
        .or_else(|| {
            // `Causeway Bay` is a place, `Kowloon City Plaza` a building.
            let (building, place) = (building(text, at), places::starts(text, at));
            match (building, place) {
                (Some(building), Some(place)) if place >= building => Some((PLACE, place)),
                (Some(building), _) => Some((BUILDING, building)),
                (None, place) => place.map(|end| (PLACE, end)),
            }
        })
}

/// `27/F`, `G/F`, `3rd Floor`, `12A/F`.
fn floor(text: &[u8], at: usize) -> Option<usize> {
    let rest = text.get(at..)?;
    let token = rest.iter().take(4).take_while(|b| b.is_ascii_alphanumeric()).count();
    if token == 0 {
        return None;
    }
    let name = rest.get(..token)?;
    let numbered = name.first()?.is_ascii_digit();
    let letters = token <= 2 && name.iter().all(u8::is_ascii_uppercase);
    if !numbered && !letters {
        return None;
    }
    match rest.get(token..)? {
        [b'/', b'F' | b'f', next, ..] if !next.is_ascii_alphanumeric() => Some(at + token + 2),
        [b'/', b'F' | b'f'] => Some(at + token + 2),
        [b' ', more @ ..] if numbered && more.len() >= 5 => {
            let word = more.get(..5)?.eq_ignore_ascii_case(b"floor");
            word.then_some(at + token + 6)
        }
        _ => None,
    }
}

/// `Flat E`, `Room 1203`, `Block 5`, `Unit A1-3`.
fn unit(text: &[u8], at: usize) -> Option<usize> {
    let (length, roles) = words::at(text, at);
    if !roles.any(Roles::FLAT) && !roles.any(Roles::BLOCK) {
        return None;
    }
    let rest = text.get(at + length..)?;
    let gap = rest.iter().take(3).take_while(|b| matches!(b, b' ' | b'.')).count();
    let name = rest.get(gap..)?;
    let count = name
        .iter()
        .take(8)
        .take_while(|b| b.is_ascii_digit() || b.is_ascii_uppercase() || matches!(b, b'-' | b'&'))
        .count();
    let digits = name.iter().take(count).any(u8::is_ascii_digit);
    let word = name.get(count).is_some_and(u8::is_ascii_alphanumeric);
    (gap > 0 && count > 0 && !word && (digits || count <= 2)).then_some(at + length + gap + count)
}

/// `285 Nathan Road`, `No. 12 Queen's Road Central`, `1-3A Des Voeux Rd. W.`.
fn street(text: &[u8], at: usize) -> Option<usize> {
    let rest = text.get(at..)?;
    let named: [&[u8]; 3] = [b"No. ", b"No.", b"Nos. "];
    let start = at + named.iter().find(|n| rest.starts_with(n)).map_or(0, |n| n.len());
    let number = text.get(start..)?;
    let width = number
        .iter()
        .take(9)
        .take_while(|b| b.is_ascii_digit() || b.is_ascii_uppercase() || **b == b'-')
        .count();
    if !number.first()?.is_ascii_digit() || number.get(width) != Some(&b' ') {
        return None;
    }
    let end = named_thing(text, start + width + 1, Roles::STREET)?;
    let rest = text.get(end..)?;
    let end = if rest.first() == Some(&b'.') { end + 1 } else { end };
    let rest = text.get(end..)?;
    let sides: [&[u8]; 6] = [b" West", b" East", b" North", b" South", b" Central", b" Middle"];
    let side = sides.iter().find(|side| {
        rest.get(..side.len()).is_some_and(|part| part.eq_ignore_ascii_case(side))
            && !rest.get(side.len()).is_some_and(u8::is_ascii_alphanumeric)
    });
    Some(end + side.map_or(0, |side| side.len()))
}

/// `Seaview Mansion`, `Tai Ping House`, `Block 3 Lucky Centre`.
fn building(text: &[u8], at: usize) -> Option<usize> {
    named_thing(text, at, Roles::BUILDING)
}

/// One to five capitalised words of which the last has a role.
fn named_thing(text: &[u8], start: usize, role: Roles) -> Option<usize> {
    let (mut at, mut end) = (start, None);
    for count in 0..NAME_WORDS_MAX {
        let first = text.get(at)?;
        let digit = count > 0 && first.is_ascii_digit();
        if !first.is_ascii_uppercase() && !digit {
            break;
        }
        let (length, roles) = words::at(text, at);
        if length == 0 {
            break;
        }
        at += length;
        if text.get(at..at + 2).is_some_and(|b| b.eq_ignore_ascii_case(b"'s")) {
            at += 2;
        }
        if count > 0 && roles.any(role) {
            end = Some(at);
        }
        match text.get(at) {
            Some(b' ') => at += 1,
            Some(b'-') if text.get(at + 1).is_some_and(u8::is_ascii_alphabetic) => at += 1,
            _ => break,
        }
        if end.is_some() && !role.any(Roles::BUILDING) {
            break;
        }
    }
    end
}

/// Up to four capitalised words up to a comma.
fn unknown(text: &[u8], start: usize) -> Option<usize> {
    let rest = text.get(start..)?;
    let length = rest.iter().take(40).position(|b| matches!(b, b',' | b'\n'))?;
    let name = rest.get(..length)?;
    let capital = name
        .split(|b| *b == b' ')
        .all(|word| word.first().is_some_and(|b| b.is_ascii_uppercase() || b.is_ascii_digit()));
    (capital && name.split(|b| *b == b' ').count() <= 4).then_some(start + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<&str> {
        at(text.as_bytes(), 0).map(|hit| text.get(..hit.end).unwrap())
    }

    #[test]
    fn addresses_are_found_to_their_last_part() {
        for text in [
            "Flat E, 27/F, Seaview Mansion, 263 Des Voeux Road West, Sai Ying Pun, Hong Kong",
            "Room 1203, 12/F, Kam Fung Court, Ma On Shan, New Territories",
            "12 Hennessy Road, Wan Chai",
            "Rm. 5A 3/F 285 Nathan Road Kowloon",
            "Flat A, Block 5, Tai Wo Estate, Tai Po, NT",
            "Unit 3, 18/F\nOne Something\n99 King's Road\nNorth Point",
            "458 King's Road, North Point, Hong Kong",
            "Unit 9, 14/F, Block 9, Harbour View Court, Causeway Bay",
            "Flat B, 1/F, The Zed, 8 Oaklands Path, Mid-Levels, HK",
        ] {
            assert_eq!(found(text), Some(text), "{text}");
            let longer = format!("{text}. Thank you");
            assert_eq!(found(&longer), Some(text), "{longer}");
        }
    }

    #[test]
    fn parts_alone_are_no_address() {
        for text in
            ["Flat E", "27/F", "12 Hennessy Road", "Room 5 is free", "8 Apples", "3 May Road"]
        {
            assert_eq!(found(text), None, "{text}");
        }
    }
}
