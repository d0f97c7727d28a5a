//! Bank accounts by the clearing code of their bank, BICs, and business registration numbers.

use crate::digits::{Number, Run};
use crate::text::border_after;
use crate::topic::Topic;
use crate::{Hit, Kind};
use std::sync::LazyLock;

static CODES: LazyLock<Vec<u32>> = LazyLock::new(|| {
    include_str!("../data/bank-codes.tsv")
        .lines()
        .filter_map(|line| line.split_once('\t')?.0.parse().ok())
        .collect()
});

/// Countries in which banks have a BIC: the codes of ISO 3166-1 that banks of Hong Kong deal with.
const COUNTRIES: &[u8] =
    b"AD AE AF AG AI AL AM AO AR AT AU AW AZ BA BB BD BE BF BG BH BI BJ BM BN \
BO BR BS BT BW BY BZ CA CD CG CH CI CL CM CN CO CR CU CV CW CY CZ DE DJ DK DM DO DZ EC EE EG ES ET \
FI FJ FO FR GA GB GD GE GG GH GI GL GM GN GR GT GU GY HK HN HR HT HU ID IE IL IM IN IQ IR IS IT JE \
JM JO JP KE KG KH KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MG MK ML MM MN MO MR MT \
MU MV MW MX MY MZ NA NC NE NG NI NL NO NP NZ OM PA PE PF PG PH PK PL PR PS PT PY QA RO RS RU RW SA \
SC SD SE SG SI SK SL SM SN SR SV SY SZ TG TH TJ TM TN TO TR TT TW TZ UA UG US UY UZ VA VC VE VG VN \
VU WS XK YE ZA ZM ZW";

/// Bank, branch and account: three digits, three digits, six to nine; the bank's code is known.
pub(crate) fn account(
    text: &[u8],
    start: usize,
    number: &Number<'_>,
    topic: impl FnOnce() -> Option<Topic>,
) -> Option<Hit> {
    let grouped = match number.groups {
        [3, 3, 6..=9] | [3, 9..=12] | [3, 3, 6, 3] | [3, 3, 5, 1..=3] => true,
        // Other ways to part what follows the bank and the branch: `012-345-6-789012-3`.
        [3, 3, _, ..] => (12..=15).contains(&number.digits.len()),
        [12..=15] => number.digits.first() == Some(&0),
        _ => false,
    };
    if !grouped || !border_after(text, number.end) || !CODES.contains(&number.value(0, 3)?) {
        return None;
    }
    if tagged(text, start) {
        return Some(Hit::sure(Kind::BankAccount, start, number.end));
    }
    let hit = match (topic(), number.groups) {
        (Some(Topic::Bank | Topic::Fps), _) => Hit::sure(Kind::BankAccount, start, number.end),
        (Some(_), _) | (None, [_]) => return None,
        (None, [3, 3, 9]) => Hit::likely(Kind::BankAccount, start, number.end),
        (None, _) => Hit::possible(Kind::BankAccount, start, number.end),
    };
    Some(hit)
}

/// Whether a field of a payment message names a party right before: `:50K:/`, `:57A:`, `:59:/`.
fn tagged(text: &[u8], start: usize) -> bool {
    let head = text.get(start.saturating_sub(6)..start).unwrap_or_default();
    let head = head.strip_suffix(b"/").unwrap_or(head);
    let Some(head) = head.strip_suffix(b":") else { return false };
    let head = match head.split_last() {
        Some((b'A'..=b'Z', shorter)) => shorter,
        _ => head,
    };
    matches!(head.last_chunk::<3>(), Some([b':', b'5', b'0'..=b'9']))
}

/// A business registration certificate's number: eight digits, branch, month, year, and the last
/// character, as printed on the certificate (`12345678-000-01-24-5`).
pub(crate) fn business_registration(text: &[u8], start: usize, run: &Run) -> Option<Hit> {
    let number = run.numbers().find(|n| matches!(n.groups, [8, 3, 2, 2] | [8, 3, 2, 2, 1]))?;
    let month = number.value(11, 13)?;
    if !(1..=12).contains(&month) {
        return None;
    }
    let end = match (number.groups.len(), text.get(number.end..)?) {
        (4, [b'-', c, ..]) if c.is_ascii_alphanumeric() => number.end + 2,
        _ => number.end,
    };
    border_after(text, end).then_some(Hit::sure(Kind::BusinessRegistration, start, end))
}

/// A bank's BIC (ISO 9362): four letters, a country, two characters, and three more or none.
/// Capitals of that length are common in shouted text, so Hong Kong's own, a final `XXX` or a word
/// must speak for it.
pub(crate) fn bic(text: &[u8], start: usize, topic: impl FnOnce() -> Option<Topic>) -> Option<Hit> {
    let token = text.get(start..)?.iter().take(12);
    let length = token.take_while(|b| b.is_ascii_uppercase() || b.is_ascii_digit()).count();
    let code = text.get(start..start + length)?;
    if !matches!(length, 8 | 11) || !code.iter().take(6).all(u8::is_ascii_uppercase) {
        return None;
    }
    let country = code.get(4..6)?;
    let end = start + length;
    if !COUNTRIES.chunks(3).any(|c| c.starts_with(country)) || !border_after(text, end) {
        return None;
    }
    if topic() == Some(Topic::Bic) || tagged(text, start) {
        return Some(Hit::sure(Kind::Bic, start, end));
    }
    let own = country == b"HK" && code.get(6..8).is_some_and(|place| place == b"HH");
    let head_office = code.get(8..11).is_some_and(|branch| branch == b"XXX");
    (own || head_office).then_some(Hit::likely(Kind::Bic, start, end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Confidence;

    fn account_in(text: &str, topic: Option<Topic>) -> Option<Confidence> {
        let run = Run::read(text.as_bytes(), 0)?;
        account(text.as_bytes(), 0, &run.whole()?, || topic).map(|hit| hit.confidence)
    }

    #[test]
    fn an_account_begins_with_a_known_bank() {
        assert_eq!(account_in("004-123-456789", Some(Topic::Bank)), Some(Confidence::Sure));
        assert_eq!(account_in("012-874-497188250", None), Some(Confidence::Likely));
        assert_eq!(account_in("012-345-6-789012-3", Some(Topic::Bank)), Some(Confidence::Sure));
        let run = Run::read(b":50K:/012345678901", 6).unwrap();
        assert!(account(b":50K:/012345678901", 6, &run.whole().unwrap(), || None).is_some());
        assert_eq!(account_in("001-123-456789", Some(Topic::Bank)), None);
        assert_eq!(account_in("012-874-497188250", Some(Topic::Other)), None);
    }

    fn registration(text: &str) -> Option<Hit> {
        business_registration(text.as_bytes(), 0, &Run::read(text.as_bytes(), 0)?)
    }

    #[test]
    fn a_certificate_number_has_a_month() {
        for text in ["12345678-000-01-24-5", "12345678-000-12-24-A", "12345678-000-12-24"] {
            let hit = registration(text).unwrap();
            assert_eq!(hit.end, text.len(), "{text}");
        }
        assert!(registration("12345678-000-13-24-5").is_none());
        assert!(registration("12345678-000").is_none());
    }

    #[test]
    fn shouted_words_are_no_codes() {
        let found = |text: &str, topic| bic(text.as_bytes(), 0, || topic).map(|h| h.confidence);
        assert_eq!(found("HSBCHKHH", None), Some(Confidence::Likely));
        assert_eq!(found("DEUTDEFF", Some(Topic::Bic)), Some(Confidence::Sure));
        assert_eq!(found("DEUTDEFF", None), None);
        assert_eq!(found("WARRANTY", Some(Topic::Bic)), None);
        assert_eq!(found("HSBCHKHHX", Some(Topic::Bic)), None);
    }
}
