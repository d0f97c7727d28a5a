//! What starts with a digit: every number is read once and asked what it can be.

use crate::digits::{Number, Run};
use crate::text::{border_after, border_before, plain};
use crate::topic::{self, Topic};
use crate::{Hit, Kind, address_zh, bank, card, date, mainland, network, phone};
use std::cell::OnceCell;

/// What starts at this digit, if something does.
pub(crate) fn at(text: &[u8], start: usize) -> Option<Hit> {
    if !border_before(text, start) {
        return None;
    }
    // Digits that run into letters are a hash or a code, in which no number starts.
    let run = text.get(start..)?.iter().take_while(|b| b.is_ascii_digit()).take(18).count();
    let joined = text.get(start + run).copied().unwrap_or(b' ');
    if joined.is_ascii_alphabetic() && run < 17 {
        let unit = run <= 4 && !text.get(start + run + 1).is_some_and(u8::is_ascii_alphanumeric);
        return network::hexadecimal(text, start)
            .or_else(|| unit.then(|| address_zh::at_number(text, start, start + run)).flatten());
    }
    // Digits that stand alone are too few or too many for any number, or go on to the readings
    // below.
    let opens = matches!(joined, b' ' | b'-' | b'(' | b'.' | b'/' | b':') || joined >= 0x80;
    let thousands = joined == b',' && text.get(start + run + 1).is_some_and(u8::is_ascii_digit);
    if !opens && !thousands && run < 4 {
        return None;
    }
    if joined == b':' && run < 4 {
        return network::hexadecimal(text, start);
    }
    let known = OnceCell::new();
    let topic = || *known.get_or_init(|| topic::before(text, start));
    let run = Run::read(text, start)?;
    let first = run.first()?;
    if first.digits.len() <= 4
        && let Some(hit) = address_zh::at_number(text, start, first.end)
    {
        return Some(hit);
    }
    let after = plain(text, first.end).map_or(0, |(c, _)| c);
    if (after == b',' || matches!(first.digits.len(), 4..=7))
        && let Some(hit) = salary(text, start, topic)
    {
        return Some(hit);
    }
    if first.digits.len() <= 3 && after == b'.' {
        return network::version_four(text, start);
    }
    if matches!(after, b':' | b'-' | b'a'..=b'f' | b'A'..=b'F')
        && let Some(hit) = network::hexadecimal(text, start)
    {
        return Some(hit);
    }
    if first.digits.len() <= 8
        && let Some(hit) = date::of_birth(text, start, topic)
    {
        return Some(hit);
    }
    if first.digits.len() == 17 || first.digits.len() == 18 {
        return mainland::at(text, start)
            .or_else(|| run.numbers().find_map(|n| card::of(text, start, &n, topic)));
    }
    run.numbers()
        .find_map(|n| card::of(text, start, &n, topic))
        .or_else(|| phone::international(text, start, &run))
        .or_else(|| bank::business_registration(text, start, &run))
        .or_else(|| run.numbers().find_map(|n| bank::account(text, start, &n, topic)))
        .or_else(|| bracketed(text, start, &first, topic))
        .or_else(|| run.numbers().find_map(|n| named(text, start, &n, topic)))
}

/// A sum of four digits or more after a word for what someone earns.
fn salary(text: &[u8], start: usize, topic: impl Fn() -> Option<Topic>) -> Option<Hit> {
    let rest = text.get(start..)?;
    let is_sum = |b: &u8| b.is_ascii_digit() || matches!(b, b',' | b'.');
    let run = rest.iter().take(18).take_while(|b| is_sum(b)).count();
    let sum = rest.get(..run)?;
    let sum = sum.strip_suffix(b".").or_else(|| sum.strip_suffix(b",")).unwrap_or(sum);
    let digits = sum.iter().filter(|b| b.is_ascii_digit()).count();
    let end = start + sum.len();
    // A year is no sum.
    let year = sum.len() == 4 && matches!(sum, [b'1', b'9', ..] | [b'2', b'0', ..]);
    let fits = (4..=12).contains(&digits) && !year && border_after(text, end);
    (fits && topic() == Some(Topic::Salary)).then_some(Hit::sure(Kind::Salary, start, end))
}

/// Digits with a check digit in brackets: Octopus cards and Macau identity cards.
fn bracketed(
    text: &[u8],
    start: usize,
    number: &Number<'_>,
    topic: impl Fn() -> Option<Topic>,
) -> Option<Hit> {
    let (check, end) = bracket_digit(text, number.end)?;
    let octopus = matches!(number.digits.len(), 8 | 9) && octopus_check(number.digits) == check;
    if octopus {
        let hit = match topic() {
            Some(Topic::Octopus) => Hit::sure(Kind::Octopus, start, end),
            _ => Hit::possible(Kind::Octopus, start, end),
        };
        return Some(hit);
    }
    // Macau: first digit 1, 5 or 7; the check digit's rule is not public.
    let macau = number.digits.len() == 7 && matches!(number.digits.first(), Some(1 | 5 | 7));
    macau.then(|| match topic() {
        Some(Topic::Macau) => Hit::sure(Kind::MacauIdentity, start, end),
        Some(Topic::Identity) => Hit::likely(Kind::MacauIdentity, start, end),
        _ => Hit::possible(Kind::MacauIdentity, start, end),
    })
}

fn bracket_digit(text: &[u8], at: usize) -> Option<(u8, usize)> {
    let (_, open) = plain(text, at).filter(|(c, _)| *c == b'(')?;
    let (digit, size) = plain(text, at + open).filter(|(c, _)| c.is_ascii_digit())?;
    let (_, close) = plain(text, at + open + size).filter(|(c, _)| *c == b')')?;
    Some((digit - b'0', at + open + size + close))
}

/// Octopus: from the right weights 1, 2, 1, 2…, the digits of the products added; the sum and the
/// check digit make a multiple of ten. The rule is unofficial, so a word must confirm it.
fn octopus_check(digits: &[u8]) -> u8 {
    let sum: u8 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(i, d)| {
            let d = if i % 2 == 1 { d * 2 } else { *d };
            if d > 9 { d - 9 } else { d }
        })
        .sum();
    (10 - sum % 10) % 10
}

/// Numbers without a check that only a word nearby can name.
fn named(
    text: &[u8],
    start: usize,
    number: &Number<'_>,
    topic: impl Fn() -> Option<Topic>,
) -> Option<Hit> {
    let count = number.digits.len();
    if !(7..=12).contains(&count) || !border_after(text, number.end) {
        return None;
    }
    let sure = |kind| Some(Hit::sure(kind, start, number.end));
    let likely = |kind| Some(Hit::likely(kind, start, number.end));
    let one = number.groups.len() == 1;
    if phone::local(number) {
        match topic() {
            Some(Topic::Phone | Topic::Fps) => return sure(Kind::Phone),
            Some(Topic::Business | Topic::Octopus | Topic::Macau) => {}
            Some(_) => return None,
            None if number.groups == [4, 4] => {
                return Some(Hit::possible(Kind::Phone, start, number.end));
            }
            None => return None,
        }
    }
    let mobile = number.digits.first() == Some(&1)
        && matches!(number.digits.get(1), Some(3..=9))
        && matches!(number.groups, [11] | [3, 4, 4]);
    match (topic()?, count) {
        // Mobile numbers of the Mainland.
        (Topic::Phone, 11) if mobile => sure(Kind::Phone),
        (Topic::Fps, 7 | 9) if one => sure(Kind::FpsIdentifier),
        (Topic::Business, 7 | 8) if one => sure(Kind::BusinessRegistration),
        (Topic::Macau, 8) if one => sure(Kind::MacauIdentity),
        (Topic::Octopus, 9 | 10) if one => {
            let (check, digits) = number.digits.split_last()?;
            if octopus_check(digits) == *check { sure(Kind::Octopus) } else { None }
        }
        (Topic::Octopus, 8) if one && bracket_digit(text, number.end).is_none() => {
            likely(Kind::Octopus)
        }
        (Topic::Bank, 9..=12) => likely(Kind::BankAccount),
        _ => None,
    }
}

/// Whether the whole of a cell is a number of this kind, its column being named so or so filled.
pub(crate) fn cell(kind: Kind, cell: &[u8]) -> bool {
    let cell = cell.strip_prefix(b"+").unwrap_or(cell);
    let Some(run) = Run::read(cell, 0) else { return false };
    let Some(number) = run.whole().filter(|n| n.end == cell.len()) else {
        let found = match kind {
            Kind::BusinessRegistration => bank::business_registration(cell, 0, &run),
            _ => run.first().and_then(|n| bracketed(cell, 0, &n, || None)),
        };
        return found.is_some_and(|h| h.kind == kind && h.end == cell.len());
    };
    let (count, one) = (number.digits.len(), number.groups.len() == 1);
    let macau = matches!(number.digits.first(), Some(1 | 5 | 7));
    match kind {
        Kind::Phone => phone::local(&number) || phone::with_code(&number),
        Kind::BankAccount => bank::account(cell, 0, &number, || Some(Topic::Bank)).is_some(),
        Kind::FpsIdentifier => matches!(count, 7 | 9) && one,
        Kind::BusinessRegistration => {
            let certificate = bank::business_registration(cell, 0, &run);
            matches!(count, 7 | 8) && one || certificate.is_some_and(|h| h.end == cell.len())
        }
        Kind::MacauIdentity => count == 8 && one && macau,
        Kind::Octopus => number
            .digits
            .split_last()
            .is_some_and(|(check, digits)| octopus_check(digits) == *check && count >= 9),
        Kind::PaymentCard => card::of(cell, 0, &number, || Some(Topic::Card)).is_some(),
        _ => false,
    }
}

/// Whether a cell has as many digits as a payment card and nothing else.
pub(crate) fn card_shaped(cell: &[u8]) -> bool {
    let number = Run::read(cell, 0);
    let number = number.as_ref().and_then(Run::whole).filter(|n| n.end == cell.len());
    number.is_some_and(|n| (13..=19).contains(&n.digits.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Confidence;

    fn found(text: &str) -> Option<(Kind, &str, Confidence)> {
        (0..text.len()).find_map(|i| {
            text.as_bytes().get(i).filter(|b| b.is_ascii_digit())?;
            let hit = at(text.as_bytes(), i)?;
            Some((hit.kind, text.get(hit.start..hit.end)?, hit.confidence))
        })
    }

    #[test]
    fn words_name_numbers_that_have_no_check() {
        use Confidence::{Likely, Sure};
        for (text, expected) in [
            ("FPS ID: 1234567", (Kind::FpsIdentifier, "1234567", Sure)),
            ("轉數快識別碼 123456789", (Kind::FpsIdentifier, "123456789", Sure)),
            ("BR No. 12345678", (Kind::BusinessRegistration, "12345678", Sure)),
            ("公司註冊編號 1234567", (Kind::BusinessRegistration, "1234567", Sure)),
            ("澳門身份證 1234567(8)", (Kind::MacauIdentity, "1234567(8)", Sure)),
            ("请联系 13800138000", (Kind::Phone, "13800138000", Sure)),
            ("account no. 123-456789-838", (Kind::BankAccount, "123-456789-838", Likely)),
        ] {
            assert_eq!(found(text), Some(expected), "{text}");
        }
        for text in ["檔案編號 1234567", "ticket 23456789", "seq 123456789", "BR 123"] {
            assert_eq!(found(text), None, "{text}");
        }
    }

    #[test]
    fn an_octopus_number_counts_from_the_right() {
        // 1 2 3 4 5 6 7 8 with weights 2 1 2 1 2 1 2 1: 2+2+6+4+1+6+5+8 = 34, so the check is 6.
        assert_eq!(octopus_check(&[1, 2, 3, 4, 5, 6, 7, 8]), 6);
        let sure = Some((Kind::Octopus, "12345678(6)", Confidence::Sure));
        assert_eq!(found("八達通號碼 12345678(6)"), sure);
        assert_eq!(found("Octopus card 12345678(5)"), None);
    }
}
