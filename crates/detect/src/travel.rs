//! Documents to travel with, and others that are letters and digits: passports of Hong Kong, Home
//! Return Permits, identity numbers of Taiwan, machine-readable lines, vehicle marks.

use crate::text::{self, border_after};
use crate::topic::Topic;
use crate::{Hit, Kind};

/// Lines of machine-readable documents (ICAO 9303): cards, visas of size B, passports.
const LINES: [usize; 3] = [30, 36, 44];
const LINE_MAX: usize = 44;

/// The document number that starts here, if its form and the nearest word say so.
pub(crate) fn at(text: &[u8], start: usize, topic: impl FnOnce() -> Option<Topic>) -> Option<Hit> {
    let (letters, digits, end) = form(text, start)?;
    if !border_after(text, end) {
        return None;
    }
    if digits == 9 && letters.len() == 1 && taiwan_check(text.get(start..end)?) {
        return Some(match topic() {
            Some(Topic::Taiwan | Topic::Identity) => Hit::sure(Kind::TaiwanIdentity, start, end),
            _ => Hit::possible(Kind::TaiwanIdentity, start, end),
        });
    }
    let (passport, permit) = (is_passport(letters, digits), is_permit(letters, digits));
    if !passport && !permit {
        return None;
    }
    match topic() {
        Some(Topic::Passport) if passport => Some(Hit::sure(Kind::HongKongPassport, start, end)),
        Some(Topic::Permit) if permit => Some(Hit::sure(Kind::HomeReturnPermit, start, end)),
        // Both forms are alike: without a word it is a travel document of one of the two.
        None if passport && digits == 8 => Some(Hit::possible(Kind::HongKongPassport, start, end)),
        None if permit && digits == 8 => Some(Hit::possible(Kind::HomeReturnPermit, start, end)),
        _ => None,
    }
}

/// Whether a cell has the form of a document of this kind.
pub(crate) fn cell(kind: Kind, cell: &[u8]) -> bool {
    let mark = || plate(cell, 0, || Some(Topic::Plate)).is_some_and(|h| h.end == cell.len());
    let Some((letters, digits, end)) = form(cell, 0).filter(|(_, _, end)| *end == cell.len())
    else {
        return kind == Kind::VehiclePlate && mark();
    };
    match kind {
        Kind::HongKongPassport => is_passport(letters, digits),
        Kind::HomeReturnPermit => is_permit(letters, digits),
        Kind::TaiwanIdentity => cell.get(..end).is_some_and(taiwan_check),
        Kind::VehiclePlate => mark(),
        _ => false,
    }
}

/// One or two capitals, an optional space, and digits: the letters, the number of digits, the end.
fn form(text: &[u8], start: usize) -> Option<(&[u8], usize, usize)> {
    let rest = text.get(start..)?;
    let letter = |i: usize| rest.get(i).is_some_and(u8::is_ascii_alphabetic);
    let letters = if !letter(1) { 1 } else { 2 };
    let space = usize::from(rest.get(letters) == Some(&b' '));
    let digits = text::digits(rest, letters + space);
    let fits = letter(0) && (7..=11).contains(&digits);
    fits.then_some((rest.get(..letters)?, digits, start + letters + space + digits))
}

/// H and K for the passports in circulation, HJ and KJ for the newest.
fn is_passport(letters: &[u8], digits: usize) -> bool {
    let [first, second] = capitals(letters);
    digits == 8 && matches!(first, b'H' | b'K') && matches!(second, b'J' | 0)
}

/// H for Hong Kong, M for Macau, eight digits for life and two for the issue; HA and MA with seven
/// for residents who are not Chinese nationals.
fn is_permit(letters: &[u8], digits: usize) -> bool {
    match capitals(letters) {
        [b'H' | b'M', 0] => matches!(digits, 8 | 10),
        [b'H' | b'M', b'A'] => matches!(digits, 7 | 9),
        _ => false,
    }
}

/// One or two letters as capitals; zero for a second one that is not there.
fn capitals(letters: &[u8]) -> [u8; 2] {
    let capital = |i: usize| letters.get(i).map_or(0, u8::to_ascii_uppercase);
    [capital(0), capital(1)]
}

/// Taiwan: the letter stands for a two-digit region; weights 1, 9, 8, 7, 6, 5, 4, 3, 2, 1, 1; the
/// sum is a multiple of ten. The second character is 1 or 2 for citizens, 8 or 9 for residents.
fn taiwan_check(token: &[u8]) -> bool {
    const ORDER: &[u8; 26] = b"ABCDEFGHJKLMNPQRSTUVXYWZIO";
    let Some((letter, digits)) = token.split_first() else { return false };
    let letter = letter.to_ascii_uppercase();
    let Some(place) = ORDER.iter().position(|c| *c == letter) else { return false };
    let region = u32::try_from(place).unwrap_or_default() + 10;
    let weights = [8u32, 7, 6, 5, 4, 3, 2, 1, 1];
    let sum = region / 10
        + region % 10 * 9
        + digits.iter().zip(weights).map(|(d, w)| u32::from(d.wrapping_sub(b'0')) * w).sum::<u32>();
    matches!(digits.first(), Some(b'1' | b'2' | b'8' | b'9'))
        && digits.len() == 9
        && sum.is_multiple_of(10)
}

/// The machine-readable line around this filler, the first on its line.
pub(crate) fn machine_readable_around(text: &[u8], filler: usize) -> Option<Hit> {
    let head = text.get(..filler)?.iter().rev().take(LINE_MAX + 1);
    let start = filler - head.take_while(|b| is_mrz(**b)).count();
    machine_readable(text, start)
}

/// A line of a machine-readable document that starts here: one with its check digits right, or the
/// first line of a passport.
pub(crate) fn machine_readable(text: &[u8], start: usize) -> Option<Hit> {
    // The shortest line has thirty characters: most tokens end before.
    let shortest = LINES.first().copied().unwrap_or_default();
    if !text.get(start + shortest - 1).is_some_and(|b| is_mrz(*b)) {
        return None;
    }
    let before = start.checked_sub(1).and_then(|i| text.get(i));
    if before.is_some_and(|b| is_mrz(*b)) {
        return None;
    }
    let run = text.get(start..)?.iter().take(45).take_while(|b| is_mrz(**b)).count();
    let line = text.get(start..start + run)?;
    if !LINES.contains(&run) || !line.contains(&b'<') {
        return None;
    }
    let found = match run {
        30 => is_card_line(line),
        _ => is_second_line(line) || is_first_line(line),
    };
    found.then_some(Hit::sure(Kind::TravelDocument, start, start + run))
}

/// The first or the second of the three lines of a card.
fn is_card_line(line: &[u8]) -> bool {
    let number = matches!(line.first(), Some(b'A' | b'C' | b'I'))
        && line.get(2..5).is_some_and(|state| state.iter().all(|b| !b.is_ascii_digit()))
        && checks(line, 5, 14);
    number
        || checks(line, 0, 6)
            && checks(line, 8, 14)
            && matches!(line.get(7), Some(b'F' | b'M' | b'<'))
}

/// The second line of a passport, a visa or a card of two lines.
fn is_second_line(line: &[u8]) -> bool {
    checks(line, 0, 9) && checks(line, 13, 19) && checks(line, 21, 27)
}

/// The first: what it is, who issued it, and a name.
fn is_first_line(line: &[u8]) -> bool {
    let kinds: &[u8] = if line.len() == 44 { b"PV" } else { b"ACIV" };
    let letters = line.iter().all(|b| !b.is_ascii_digit());
    let filled = line.windows(2).any(|pair| pair == b"<<");
    letters && filled && line.first().is_some_and(|kind| kinds.contains(kind))
}

/// Whether the digit after these bytes is their check digit.
fn checks(line: &[u8], from: usize, to: usize) -> bool {
    line.get(from..to).zip(line.get(to)).is_some_and(|(field, digit)| check(field) == *digit)
}

const fn is_mrz(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'<'
}

/// ICAO 9303: weights 7, 3, 1 in turn; letters count from 10, the filler 0; modulo 10.
fn check(field: &[u8]) -> u8 {
    let sum: u32 = field
        .iter()
        .zip([7u32, 3, 1].into_iter().cycle())
        .map(|(b, weight)| weight * (*b as char).to_digit(36).unwrap_or(0))
        .sum();
    u8::try_from(sum % 10).map_or(b'?', |digit| b'0' + digit)
}

/// A registration mark of Hong Kong: two letters and up to four digits; a word must name it.
pub(crate) fn plate(
    text: &[u8],
    start: usize,
    topic: impl FnOnce() -> Option<Topic>,
) -> Option<Hit> {
    let rest = text.get(start..)?;
    if !rest.get(1)?.is_ascii_uppercase() {
        return None;
    }
    let letters = rest.iter().take(3).take_while(|b| b.is_ascii_uppercase()).count();
    let space = usize::from(rest.get(letters) == Some(&b' '));
    let digits = rest.get(letters + space..)?;
    let count = digits.iter().take(5).take_while(|b| b.is_ascii_digit()).count();
    let end = start + letters + space + count;
    let fits = letters == 2 && (1..=4).contains(&count) && digits.first() != Some(&b'0');
    let ends = fits && border_after(text, end);
    (ends && topic() == Some(Topic::Plate)).then_some(Hit::sure(Kind::VehiclePlate, start, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(text: &str, topic: Option<Topic>) -> Option<Kind> {
        at(text.as_bytes(), 0, || topic).map(|hit| hit.kind)
    }

    #[test]
    fn one_form_is_named_by_the_word_before() {
        assert_eq!(kind("H12345678", Some(Topic::Passport)), Some(Kind::HongKongPassport));
        assert_eq!(kind("H12345678", Some(Topic::Permit)), Some(Kind::HomeReturnPermit));
        assert_eq!(kind("KJ0123456", Some(Topic::Passport)), None);
        assert_eq!(kind("KJ01234567", Some(Topic::Passport)), Some(Kind::HongKongPassport));
        assert_eq!(kind("M1234567890", Some(Topic::Permit)), Some(Kind::HomeReturnPermit));
        assert_eq!(kind("HA1234567", Some(Topic::Permit)), Some(Kind::HomeReturnPermit));
        assert_eq!(kind("H12345678", Some(Topic::Other)), None);
        assert_eq!(kind("M1234567890", None), None);
    }

    #[test]
    fn the_specimen_of_taiwan_checks() {
        // A123456789 is the specimen that forms print.
        assert_eq!(kind("A123456789", Some(Topic::Taiwan)), Some(Kind::TaiwanIdentity));
        assert_eq!(kind("A123456788", Some(Topic::Taiwan)), None);
        assert_eq!(kind("A323456789", Some(Topic::Taiwan)), None);
    }

    #[test]
    fn the_specimen_of_icao_checks() {
        // ICAO 9303 part 4, appendix B.
        let lines = [
            "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<",
            "L898902C36UTO7408122F1204159ZE184226B<<<<<10",
        ];
        for line in lines {
            let hit = machine_readable(line.as_bytes(), 0).unwrap();
            assert_eq!(hit.end, 44, "{line}");
        }
        let wrong = lines[1].replacen('3', "4", 1);
        assert!(machine_readable(wrong.as_bytes(), 0).is_none());
    }

    #[test]
    fn a_vehicle_mark_needs_its_word() {
        assert!(plate(b"AB 1234", 0, || Some(Topic::Plate)).is_some());
        assert!(plate(b"AB 1234", 0, || None).is_none());
        assert!(plate(b"AB 12345", 0, || Some(Topic::Plate)).is_none());
        assert!(cell(Kind::VehiclePlate, b"AB1234") && !cell(Kind::VehiclePlate, b"ABC"));
    }
}
