//! What starts with a digit: every number is read once and asked what it can be.

use crate::digits::{Number, Run};
use crate::text::{self, border_after, border_before, plain};
use crate::topic::Topic;
use crate::{Hit, Kind, address_en, address_zh, bank, card, date, mainland, network, phone};

/// What starts at this digit, if something does.
pub(crate) fn at(
    text: &[u8],
    start: usize,
    topic: impl Fn() -> Option<Topic> + Copy,
) -> Option<Hit> {
    // The rest of what may stand before is known.
    let before = start.checked_sub(1).and_then(|i| text.get(i)).copied().unwrap_or(b' ');
    if before >= 0x80 && !border_before(text, start) {
        return None;
    }
    let run = text::digits(text, start);
    let next = text.get(start + run).copied().unwrap_or(b' ');
    match run {
        // A full-width digit.
        0 => grouped(text, start, topic).or_else(|| date::of_birth(text, start, topic)),
        // Digits that run into letters are a hash, a code or a floor.
        1..=16 if next.is_ascii_alphabetic() => with_letter(text, start, run),
        1..=3 => short(text, start, run, topic),
        4..=12 if may_go_on(text, start, run, next) => {
            written(text, start, run, topic).or_else(|| grouped(text, start, topic))
        }
        // Alone, and without a check: a word must speak for it.
        4..=12 => match topic() {
            Some(Topic::Phone) if run == 4 && next == b'.' => phone::dotted(text, start),
            None | Some(Topic::Other | Topic::Person | Topic::Mail | Topic::Network) => {
                (run == 4).then(|| address(text, start, run)).flatten()
            }
            Some(_) => written(text, start, run, topic).or_else(|| grouped(text, start, topic)),
        },
        13..=19 if !may_go_on(text, start, run, next) => long(text, start, run, topic),
        13..=24 => grouped(text, start, topic),
        _ => None,
    }
}

/// Whether a number may be longer than its first digits, or have a form that needs no word:
/// `9123 4567`, `+852…`, `12345678(9)`.
fn may_go_on(text: &[u8], start: usize, run: usize, next: u8) -> bool {
    let more = match next {
        b' ' | b'-' => text.get(start + run + 1).is_some_and(u8::is_ascii_digit),
        b'(' => true,
        0xef => true,
        _ => false,
    };
    // `+852…`, and accounts in payment messages: `:59:/…`.
    let before = start.checked_sub(1).and_then(|i| text.get(i));
    if matches!(before, Some(b'+' | b'/' | b')')) {
        return true;
    }
    // `(852) 91234567`.
    let bracket =
        before == Some(&b' ') && start.checked_sub(2).and_then(|i| text.get(i)) == Some(&b')');
    if bracket {
        return true;
    }
    // Years before months, the most common digits of all: no number has such groups.
    more && (run != 4 || text::digits(text, start + run + 1) >= 4)
}

/// Digits alone, as long as cards, accounts and Mainland identity numbers.
#[inline(never)]
fn long(
    text: &[u8],
    start: usize,
    run: usize,
    topic: impl Fn() -> Option<Topic> + Copy,
) -> Option<Hit> {
    let mut digits = [0u8; 24];
    let token = text.get(start..start + run)?;
    let (eights, rest) = token.as_chunks::<8>();
    let (room, last) = digits.as_chunks_mut::<8>().0.split_at_mut_checked(eights.len())?;
    for (eight, bytes) in room.iter_mut().zip(eights) {
        *eight = (u64::from_le_bytes(*bytes) & 0x0f0f_0f0f_0f0f_0f0f).to_le_bytes();
    }
    for (digit, byte) in last.first_mut()?.iter_mut().zip(rest) {
        *digit = byte & 0xf;
    }
    let groups = [u8::try_from(run).ok()?];
    let number = Number { digits: digits.get(..run)?, groups: &groups, end: start + run };
    if matches!(run, 17 | 18)
        && let Some(hit) = mainland::at(text, start)
    {
        return Some(hit);
    }
    match card::of(text, start, &number, topic) {
        None => bank::account(text, start, &number, topic),
        card => card,
    }
}

/// `12A號`, `3rd Floor`, `27A Nathan Road`.
fn with_letter(text: &[u8], start: usize, run: usize) -> Option<Hit> {
    if run > 4 {
        return None;
    }
    let lone = !text.get(start + run + 1).is_some_and(u8::is_ascii_alphanumeric);
    lone.then(|| address_zh::at_number(text, start, start + run))
        .flatten()
        .or_else(|| address_en::at_number(text, start, run))
}

/// One to three digits: the beginning of something longer.
fn short(
    text: &[u8],
    start: usize,
    run: usize,
    topic: impl Fn() -> Option<Topic> + Copy,
) -> Option<Hit> {
    match (text.get(start + run)?, text.get(start + run + 1).copied().unwrap_or(b' ')) {
        (b'.', _) => {
            network::version_four(text, start).or_else(|| date::of_birth(text, start, topic))
        }
        (b',', b'0'..=b'9') => salary(text, start, topic),
        (b' ' | b'-', b'0'..=b'9') => {
            written(text, start, run, topic).or_else(|| grouped(text, start, topic))
        }
        _ => written(text, start, run, topic),
    }
}

/// Numbers within words: addresses, dates, sums.
fn written(
    text: &[u8],
    start: usize,
    run: usize,
    topic: impl Fn() -> Option<Topic> + Copy,
) -> Option<Hit> {
    if run <= 4
        && let Some(hit) = address(text, start, run)
    {
        return Some(hit);
    }
    let next = text.get(start + run).copied().unwrap_or(b' ');
    if (4..=7).contains(&run)
        && let Some(hit) = salary(text, start, topic)
    {
        return Some(hit);
    }
    let dated = matches!(run, 4 | 8) || matches!(next, b'-' | b'/' | b'.' | b' ' | 0xe5);
    (run <= 8 && dated).then(|| date::of_birth(text, start, topic)).flatten()
}

/// An address whose first number this is.
fn address(text: &[u8], start: usize, run: usize) -> Option<Hit> {
    let mut end = start + run;
    // `5-15號`: the second number has the unit.
    let second = text::digits(text, end + 1);
    if text.get(end) == Some(&b'-') && (1..=4).contains(&second) {
        end += 1 + second;
    }
    let next = text.get(end).copied().unwrap_or(b' ');
    let chinese =
        (next == b' ' || next >= 0x80).then(|| address_zh::at_number(text, start, end)).flatten();
    chinese.or_else(|| address_en::at_number(text, start, run))
}

/// All readings of digits in groups.
fn grouped(text: &[u8], start: usize, topic: impl Fn() -> Option<Topic> + Copy) -> Option<Hit> {
    let run = Run::read(text, start)?;
    let first = run.first()?;
    if matches!(first.digits.len(), 17 | 18) {
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
        if let Some(start) = phone::code_in_brackets(text, start) {
            return Some(Hit::sure(Kind::Phone, start, number.end));
        }
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
    match (topic()?, count) {
        // Mobile numbers of the Mainland.
        (Topic::Phone, 11) if phone::mainland_mobile(number) => sure(Kind::Phone),
        (Topic::Phone, 8) if phone::loose(number) => sure(Kind::Phone),
        (Topic::Fps, 7 | 9) if one => sure(Kind::FpsIdentifier),
        (Topic::Business, 7 | 8) if one => sure(Kind::BusinessRegistration),
        // With its branch: `12345678-000`.
        (Topic::Business, 11) if number.groups == [8, 3] => sure(Kind::BusinessRegistration),
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
    if let (Kind::Phone, [first, ..]) = (kind, cell)
        && cell.len() == 8
        && text::digits(cell, 0) == 8
    {
        return matches!(first, b'2' | b'3' | b'5'..=b'9');
    }
    let international = cell.strip_prefix(b"+");
    let cell = international.unwrap_or(cell);
    let Some(run) = Run::read(cell, 0) else { return false };
    let Some(number) = run.whole().filter(|n| n.end == cell.len()) else {
        let found = match kind {
            Kind::BusinessRegistration => bank::business_registration(cell, 0, &run),
            _ => run.first().and_then(|n| bracketed(cell, 0, &n, || None)),
        };
        return found.is_some_and(|h| h.kind == kind && h.end == cell.len());
    };
    let (count, one) = (number.digits.len(), number.groups.len() == 1);
    let international = international.is_some() && (8..=15).contains(&count);
    let macau = matches!(number.digits.first(), Some(1 | 5 | 7));
    match kind {
        Kind::Phone => {
            phone::local(&number)
                || phone::with_code(&number)
                || phone::mainland_mobile(&number)
                || international
        }
        Kind::BankAccount => bank::account(cell, 0, &number, || Some(Topic::Bank)).is_some(),
        Kind::FpsIdentifier => matches!(count, 7 | 9) && one,
        Kind::BusinessRegistration => {
            let certificate = bank::business_registration(cell, 0, &run);
            let branch = number.groups == [8, 3];
            let certified = certificate.is_some_and(|h| h.end == cell.len());
            matches!(count, 7 | 8) && one || branch || certified
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

/// Whether the whole of a cell of a column for telephone numbers is one, in whatever groups.
pub(crate) fn phone_cell(cell: &[u8]) -> bool {
    let (digits, joints): (Vec<u8>, Vec<u8>) = cell.iter().partition(|b| b.is_ascii_digit());
    let national = digits.strip_prefix(b"00").unwrap_or(&digits);
    let local = national.strip_prefix(b"852").filter(|rest| rest.len() == 8).unwrap_or(&digits);
    let plan = local.len() == 8 && matches!(local.first(), Some(b'2' | b'3' | b'5'..=b'9'));
    plan && joints.len() <= 5 && joints.iter().all(|b| b" -.()+".contains(b))
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
    use crate::topic::{self, Near};

    fn found(text: &str) -> Option<(Kind, &str, Confidence)> {
        (0..text.len()).find_map(|i| {
            text.as_bytes().get(i).filter(|b| b.is_ascii_digit())?;
            let near = Near::read(text.as_bytes(), i);
            let hit = at(text.as_bytes(), i, || topic::before(text.as_bytes(), i, &near))?;
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
            ("BR No. 12345678-000", (Kind::BusinessRegistration, "12345678-000", Sure)),
            (
                "地址：尖沙咀漢口道5-15號漢口中心",
                (Kind::Address, "尖沙咀漢口道5-15號漢口中心", Sure),
            ),
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
