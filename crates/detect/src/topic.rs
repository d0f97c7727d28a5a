//! Words that say what the value after them is: the nearest one before a value wins.

use crate::Kind;
use std::sync::LazyLock;

/// How far before a value a word may end that says what the value is, in bytes.
const REACH_BYTES: usize = 56;
/// The same for a field of a record: only the field before it may name it (`phone,2345 6789`).
const FIELD_REACH_BYTES: usize = 16;
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

/// Words by their last three bytes; most places in a text end none, which one bit says.
struct Dictionary {
    ends: Vec<bool>,
    buckets: Vec<Vec<Word>>,
}

static WORDS: LazyLock<Dictionary> = LazyLock::new(|| {
    let mut buckets: Vec<Vec<Word>> = Vec::new();
    buckets.resize_with(BUCKETS, Vec::new);
    let mut ends = vec![false; BUCKETS];
    for line in include_str!("../data/keywords.tsv").lines() {
        let Some((topic, words)) = line.split_once('\t') else { continue };
        let Some(topic) = Topic::named(topic) else { continue };
        for word in words.split('|') {
            // A word of two letters ends after any byte that is no letter.
            let before = if word.len() == 2 { 0..=255u8 } else { b' '..=b' ' };
            for byte in before.filter(|b| !b.is_ascii_alphabetic()) {
                let padded = [&[byte], word.as_bytes()].concat();
                let place = bucket_of(&padded, padded.len());
                if let (Some(bucket), Some(end)) = (buckets.get_mut(place), ends.get_mut(place)) {
                    *end = true;
                    let text = word.as_bytes().to_vec();
                    if !bucket.iter().any(|w| w.text == text) {
                        bucket.push(Word { text, topic });
                    }
                }
            }
        }
    }
    for bucket in &mut buckets {
        bucket.sort_by_key(|word| std::cmp::Reverse(word.text.len()));
    }
    Dictionary { ends, buckets }
});

/// The byte with case and joints taken away.
const fn fold(byte: u8) -> u8 {
    match byte {
        b'_' | b'-' => b' ',
        other => other.to_ascii_lowercase(),
    }
}

/// The last three bytes before a place, folded; a space for each that is missing.
fn key_of(text: &[u8], end: usize) -> u32 {
    let byte = |back: usize| {
        let byte = end.checked_sub(back).and_then(|i| text.get(i)).copied().unwrap_or(b' ');
        u32::from(fold(byte))
    };
    byte(3) << 16 | byte(2) << 8 | byte(1)
}

fn place_of(key: u32) -> usize {
    (key.wrapping_mul(0x9e37_79b1) >> 20) as usize % BUCKETS
}

/// The bucket of the words that end as the text does before this place.
fn bucket_of(text: &[u8], end: usize) -> usize {
    place_of(key_of(text, end))
}

/// The longest word that ends here: where it starts, and its topic.
fn word_ending(text: &[u8], end: usize) -> Option<(usize, Topic)> {
    let place = bucket_of(text, end);
    if WORDS.ends.get(place) != Some(&true) {
        return None;
    }
    WORDS.buckets.get(place)?.iter().find_map(|word| {
        let start = end.checked_sub(word.text.len())?;
        let part = text.get(start..end)?;
        let same = part.iter().zip(&word.text).all(|(a, b)| fold(*a) == *b);
        (same && bordered(text, start, end)).then_some((start, word.topic))
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
    last_in(line, if is_field(line) { FIELD_REACH_BYTES } else { REACH_BYTES })
}

/// Whether the value begins a field of a record: its column names it, not what stands far before.
fn is_field(line: &[u8]) -> bool {
    let line = line.strip_suffix(b"\"").unwrap_or(line);
    matches!(line.last(), Some(b',' | b'\t' | b'|' | b';'))
}

/// The topic of the last word in a line that ends within `reach` bytes of the line's end.
fn last_in(line: &[u8], reach: usize) -> Option<Topic> {
    let (start, topic) = nearest(line, line.len(), reach)?;
    if topic != Topic::Other {
        return Some(topic);
    }
    // `HKID reference`, `salary of HK$`: the word before says more.
    let close = nearest(line, start, CURRENCY_BYTES).filter(|(_, before)| {
        *before == Topic::Salary
            || nearest(line, start, ADJACENT_BYTES).is_some_and(|(_, near)| near == *before)
    });
    Some(close.map_or(topic, |(_, before)| before))
}

/// The word that ends nearest before a place, and of those that overlap it the one that starts
/// first: `octopus card` before `card no`.
fn nearest(line: &[u8], from: usize, reach: usize) -> Option<(usize, Topic)> {
    let words = &*WORDS;
    let least = from.saturating_sub(reach);
    let (mut end, mut found) = (from, None);
    // The last three bytes, folded; each step back brings one more and drops one.
    let mut key = key_of(line, from);
    while end >= least.max(1) {
        let last = line.get(end - 1).copied().unwrap_or(b' ');
        // Values and what parts them end no word.
        let may_end = last.is_ascii_alphabetic() || last >= 0x80 || last == b'$';
        if may_end && words.ends.get(place_of(key)) == Some(&true) {
            found = word_ending(line, end);
            if found.is_some() {
                break;
            }
        }
        end -= 1;
        let next = end.checked_sub(3).and_then(|i| line.get(i)).copied().unwrap_or(b' ');
        key = key >> 8 | u32::from(fold(next)) << 16;
    }
    let (start, topic) = found?;
    let earlier = (start + 1..end)
        .rev()
        .find_map(|end| word_ending(line, end).filter(|(first, _)| *first < start));
    Some(earlier.unwrap_or((start, topic)))
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
        assert_eq!(of("phone,"), Some(Topic::Phone));
        assert_eq!(of("phone call with the customer,"), None);
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
