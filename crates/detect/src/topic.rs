//! Words that say what the value after them is: the nearest one before a value wins.

use crate::Kind;
use std::sync::LazyLock;

/// How far before a value a word may end that says what the value is, in bytes.
const REACH_BYTES: usize = 56;
/// How far before the value words are read at all.
const WINDOW_BYTES: usize = 96;
/// Between two words that together name one thing: `HKID reference`.
const ADJACENT_BYTES: usize = 2;
/// Between a word for earnings and the currency of the sum: ` of `.
const CURRENCY_BYTES: usize = 8;
const BUCKETS: usize = 4096;

/// What a word says about the value after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Topic {
    Identity,
    Mainland,
    Passport,
    Permit,
    Macau,
    Taiwan,
    Phone,
    Bank,
    Fps,
    Octopus,
    Business,
    Card,
    Bic,
    Birth,
    Address,
    Plate,
    Salary,
    Network,
    Person,
    Mail,
    Iban,
    Other,
}

impl Topic {
    fn named(word: &str) -> Option<Self> {
        Some(match word {
            "identity" => Self::Identity,
            "mainland" => Self::Mainland,
            "passport" => Self::Passport,
            "permit" => Self::Permit,
            "macau" => Self::Macau,
            "taiwan" => Self::Taiwan,
            "phone" => Self::Phone,
            "bank" => Self::Bank,
            "fps" => Self::Fps,
            "octopus" => Self::Octopus,
            "business" => Self::Business,
            "card" => Self::Card,
            "bic" => Self::Bic,
            "birth" => Self::Birth,
            "address" => Self::Address,
            "plate" => Self::Plate,
            "salary" => Self::Salary,
            "network" => Self::Network,
            "person" => Self::Person,
            "mail" => Self::Mail,
            "iban" => Self::Iban,
            "other" => Self::Other,
            _ => return None,
        })
    }

    /// The kinds that a column so named holds.
    pub(crate) const fn kinds(self) -> &'static [Kind] {
        match self {
            Self::Identity => {
                &[Kind::HongKongIdentityCard, Kind::MainlandIdentity, Kind::TaiwanIdentity]
            }
            Self::Mainland => &[Kind::MainlandIdentity],
            Self::Passport => &[Kind::HongKongPassport, Kind::TravelDocument],
            Self::Permit => &[Kind::HomeReturnPermit],
            Self::Macau => &[Kind::MacauIdentity],
            Self::Taiwan => &[Kind::TaiwanIdentity],
            Self::Phone => &[Kind::Phone],
            Self::Bank => &[Kind::BankAccount, Kind::Iban],
            Self::Fps => &[Kind::FpsIdentifier, Kind::Phone],
            Self::Octopus => &[Kind::Octopus],
            Self::Business => &[Kind::BusinessRegistration],
            Self::Card => &[Kind::PaymentCard],
            Self::Bic => &[Kind::Bic],
            Self::Birth => &[Kind::DateOfBirth],
            Self::Address => &[Kind::Address],
            Self::Plate => &[Kind::VehiclePlate],
            Self::Salary => &[Kind::Salary],
            Self::Network => &[Kind::IpAddress, Kind::MacAddress],
            Self::Person => &[Kind::PersonName],
            Self::Mail => &[Kind::Email],
            Self::Iban => &[Kind::Iban],
            Self::Other => &[],
        }
    }
}

struct Word {
    text: Vec<u8>,
    topic: Topic,
}

struct Dictionary {
    buckets: Vec<Vec<Word>>,
}

static WORDS: LazyLock<Dictionary> = LazyLock::new(|| {
    let mut buckets: Vec<Vec<Word>> = Vec::new();
    buckets.resize_with(BUCKETS, Vec::new);
    for line in include_str!("../data/keywords.tsv").lines() {
        let Some((topic, words)) = line.split_once('\t') else { continue };
        let Some(topic) = Topic::named(topic) else { continue };
        for word in words.split('|') {
            let text = word.as_bytes().to_vec();
            if let Some(bucket) = buckets.get_mut(bucket_of(&text, 0)) {
                bucket.push(Word { text, topic });
            }
        }
    }
    for bucket in &mut buckets {
        bucket.sort_by_key(|word| std::cmp::Reverse(word.text.len()));
    }
    Dictionary { buckets }
});

/// The byte with case and joints taken away.
fn fold(byte: u8) -> u8 {
    match byte {
        b'_' | b'-' => b' ',
        other => other.to_ascii_lowercase(),
    }
}

/// Words are found by their first two bytes, which every word has.
fn bucket_of(text: &[u8], at: usize) -> usize {
    let byte = |i: usize| text.get(at + i).map_or(0, |b| u32::from(fold(*b)));
    let pair = byte(0) << 8 | byte(1);
    // Words in Chinese share their first byte; a third one tells them apart.
    let triple = if byte(0) >= 0x80 { pair << 8 | byte(2) } else { pair };
    (triple.wrapping_mul(0x9e37_79b1) >> 20) as usize % BUCKETS
}

fn word_at(text: &[u8], at: usize) -> Option<(usize, Topic)> {
    let bucket = WORDS.buckets.get(bucket_of(text, at))?;
    bucket.iter().find_map(|word| {
        let end = at + word.text.len();
        let part = text.get(at..end)?;
        let same = part.iter().zip(&word.text).all(|(a, b)| fold(*a) == *b);
        (same && bordered(text, at, end)).then_some((end, word.topic))
    })
}

/// Words in Latin letters stand alone; short ones must also end.
fn bordered(text: &[u8], at: usize, end: usize) -> bool {
    let Some(first) = text.get(at).filter(|b| b.is_ascii()) else { return true };
    let before = at.checked_sub(1).and_then(|i| text.get(i)).copied().unwrap_or(b' ');
    // `userPhone`: a capital begins a word.
    let begins = !before.is_ascii_alphabetic()
        || (first.is_ascii_uppercase() && before.is_ascii_lowercase());
    let after = text.get(end).copied().unwrap_or(b' ');
    let ends = !after.is_ascii_alphabetic() || (end - at > 4 && after.is_ascii_lowercase());
    // `cardNo`: the next capital ends a word.
    begins && (ends || after.is_ascii_uppercase())
}

/// What the text right before a value says that the value is.
pub(crate) fn before(text: &[u8], at: usize) -> Option<Topic> {
    let window = text.get(at.saturating_sub(WINDOW_BYTES)..at)?;
    let line = match window.iter().rposition(|b| *b == b'\n') {
        Some(newline) if window.get(newline..)?.iter().all(|b| b" \t\r\n\"'".contains(b)) => {
            // The value stands alone on its line: the line above may name it.
            let above = window.get(..newline)?;
            let start = above.iter().rposition(|b| *b == b'\n').map_or(0, |n| n + 1);
            let above = above.get(start..)?;
            let named = above.trim_ascii_end();
            if !named.ends_with(b":") && !named.ends_with("：".as_bytes()) {
                return None;
            }
            above
        }
        Some(newline) => window.get(newline + 1..)?,
        None => window,
    };
    last_in(line, REACH_BYTES)
}

/// The last topic in a line, if it ends within `reach` bytes of the line's end.
fn last_in(line: &[u8], reach: usize) -> Option<Topic> {
    let (mut at, mut found): (usize, Option<(usize, Topic)>) = (0, None);
    while at < line.len() {
        match word_at(line, at) {
            Some((end, topic)) => {
                let joined = found.filter(|(last, t)| {
                    let near = if *t == Topic::Salary { CURRENCY_BYTES } else { ADJACENT_BYTES };
                    topic == Topic::Other && *t != Topic::Other && at <= last + near
                });
                found = Some((end, joined.map_or(topic, |(_, t)| t)));
                at = end;
            }
            None => at += 1,
        }
    }
    found.filter(|(end, _)| line.len() - end <= reach).map(|(_, topic)| topic)
}

/// What the name of a column says that its values are.
pub(crate) fn of_name(name: &[u8]) -> Option<Topic> {
    last_in(name, name.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Option<Topic> {
        before(text.as_bytes(), text.len())
    }

    #[test]
    fn the_nearest_word_wins() {
        assert_eq!(of("HKID A123456(3), mobile "), Some(Topic::Phone));
        assert_eq!(of("回鄉證號碼H12345678；特區護照號碼"), Some(Topic::Passport));
        assert_eq!(of("居民身份证号"), Some(Topic::Mainland));
        assert_eq!(of("Home Return Permit: "), Some(Topic::Permit));
        assert_eq!(of("檔案編號"), Some(Topic::Other));
        assert_eq!(of("身份證編號："), Some(Topic::Identity));
        assert_eq!(of("\"userPhone\":\""), Some(Topic::Phone));
        assert_eq!(of("a monthly salary of HK$"), Some(Topic::Salary));
        assert_eq!(of("hotel "), None);
        assert_eq!(of("phone\n"), None);
        assert_eq!(of("Telephone:\n"), Some(Topic::Phone));
    }

    #[test]
    fn names_of_columns_are_read_alike() {
        assert_eq!(of_name(b"hkid_no"), Some(Topic::Identity));
        assert_eq!(of_name(b"prc_id"), Some(Topic::Mainland));
        assert_eq!(of_name("信用卡".as_bytes()), Some(Topic::Card));
        assert_eq!(of_name("客戶編號".as_bytes()), Some(Topic::Other));
        assert_eq!(of_name(b"c3"), None);
    }
}
