//! Words that say what the value after them is: the nearest one before a value wins.

use crate::Kind;
use std::sync::LazyLock;

/// How far before a value a word may end that says what the value is, in bytes.
const REACH_BYTES: usize = 56;
/// The same for a field of a record: only the field before it may name it (`phone,2345 6789`).
const FIELD_REACH_BYTES: usize = 16;
/// How far before the value words are read at all.
const WINDOW_BYTES: usize = 96;
/// What stands before a speaker's words at most, in bytes.
const SPEAKER_BYTES: usize = 40;
/// How far before a value the question may stand that it answers, in bytes.
const QUESTION_BYTES: usize = 120;
/// How near its end a line names what it asks for without a question mark: `請提供身份證號碼`.
const ASKED_BYTES: usize = 8;
/// Between two words that together name one thing: `HKID reference`.
const ADJACENT_BYTES: usize = 2;
/// Between a word for earnings and the currency of the sum: ` of `.
const CURRENCY_BYTES: usize = 8;
/// The longest word that a field before another is looked through for, in bytes.
const FIELD_WORD_BYTES: usize = 20;
/// The longest word, in bytes; a test looks.
const WORD_BYTES_MAX: usize = 32;
/// Beginnings of words are told apart by this many bits.
const BEGINNINGS: usize = 65_536;

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

/// Words by how they begin; most words of a text begin none, which one bit says.
pub(crate) struct Dictionary {
    begins: Box<[u64; BEGINNINGS / 64]>,
    /// For each beginning its bucket.
    buckets: Vec<u16>,
    words: Vec<Vec<Word>>,
}

/// A word by its first eight bytes, which tell most apart, and whole.
struct Word {
    /// The bytes as [`loose`] has them, and the bits of them that count: joints do not.
    head: u64,
    mask: u64,
    /// The bytes of which the first eight say all, if they are letters.
    said: usize,
    whole: &'static [u8],
    topic: Topic,
}

impl Word {
    fn new(whole: &'static [u8], topic: Topic) -> Self {
        let mut mask = [0u8; 8];
        mask.iter_mut().zip(whole).for_each(|(m, b)| *m = if *b == b' ' { 0 } else { u8::MAX });
        let mask = u64::from_le_bytes(mask);
        let letters = whole.iter().take(8).all(u8::is_ascii_alphabetic);
        let said = if letters { whole.len().min(8) } else { 0 };
        Self { head: loose(whole) & mask, mask, said, whole, topic }
    }
}

/// The first eight bytes, letters without case; zero for those that are missing.
#[inline]
fn loose(text: &[u8]) -> u64 {
    let bytes = match text.first_chunk::<8>() {
        Some(bytes) => *bytes,
        None => std::array::from_fn(|i| text.get(i).copied().unwrap_or(0)),
    };
    u64::from_le_bytes(bytes) | 0x2020_2020_2020_2020
}

pub(crate) static WORDS: LazyLock<Dictionary> = LazyLock::new(|| {
    let mut words = Dictionary {
        begins: Box::new([0; BEGINNINGS / 64]),
        buckets: vec![0; BEGINNINGS],
        words: vec![Vec::new()],
    };
    for line in include_str!("../data/keywords.tsv").lines() {
        let Some((topic, list)) = line.split_once('\t') else { continue };
        let Some(topic) = Topic::named(topic) else { continue };
        for word in list.split('|').map(str::as_bytes) {
            for key in keys(word) {
                words.add(key, word, topic);
            }
        }
    }
    for bucket in &mut words.words {
        bucket.sort_by_key(|word| std::cmp::Reverse(word.whole.len()));
    }
    words
});

impl Dictionary {
    fn add(&mut self, key: u32, word: &'static [u8], topic: Topic) {
        let place = place_of(key);
        if let Some(bits) = self.begins.get_mut(place / 64) {
            *bits |= 1 << (place % 64);
        }
        let Some(number) = self.buckets.get_mut(place) else { return };
        if *number == 0 {
            *number = u16::try_from(self.words.len()).unwrap_or_default();
            self.words.push(Vec::new());
        }
        let Some(bucket) = self.words.get_mut(usize::from(*number)) else { return };
        if !bucket.iter().any(|known| known.whole == word) {
            bucket.push(Word::new(word, topic));
        }
    }

    /// The longest word that starts here and ends by `limit`: where it ends, and its topic.
    fn starting(&self, text: &[u8], start: usize, limit: usize) -> Option<(usize, Topic)> {
        self.longest(place_of(key_of(text, start)), text, start, limit)
    }

    /// Whether some word starts here.
    #[inline]
    pub(crate) fn has(&self, text: &[u8], start: usize) -> bool {
        let place = place_of(key_of(text, start));
        let bits = self.begins.get(place / 64 % (BEGINNINGS / 64));
        let begins = bits.is_some_and(|bits| bits >> (place % 64) & 1 == 1);
        begins && self.longest(place, text, start, usize::MAX).is_some()
    }

    fn longest(
        &self,
        place: usize,
        text: &[u8],
        start: usize,
        limit: usize,
    ) -> Option<(usize, Topic)> {
        let bucket = self.words.get(usize::from(*self.buckets.get(place)?))?;
        let head = loose(text.get(start..)?);
        bucket.iter().filter(|word| head & word.mask == word.head).find_map(|word| {
            let end = start + word.whole.len();
            if end > limit {
                return None;
            }
            let (part, rest) = (text.get(start + word.said..end)?, word.whole.get(word.said..)?);
            let same = part.iter().zip(rest).all(|(a, b)| fold(*a) == *b);
            (same && ends_word(text, start, end)).then_some((end, word.topic))
        })
    }
}

/// The byte with case and joints taken away.
const fn fold(byte: u8) -> u8 {
    match byte {
        b'_' | b'-' => b' ',
        other => other.to_ascii_lowercase(),
    }
}

/// How a word begins: three bytes without case; of other scripts four bytes, the first character
/// and a part of the second.
#[inline]
fn key_of(text: &[u8], at: usize) -> u32 {
    let rest = text.get(at..).unwrap_or_default();
    let bytes = match rest.first_chunk::<4>() {
        Some(bytes) => u32::from_le_bytes(*bytes),
        None => {
            let byte = |i: usize| rest.get(i).copied().unwrap_or(b' ');
            u32::from_le_bytes([byte(0), byte(1), byte(2), b' '])
        }
    };
    if bytes & 0x80 != 0 { bytes } else { bytes & 0x00ff_ffff | 0x0020_2020 }
}

/// All keys that a place may have where this word starts: a space may be a joint, and after a word
/// of two letters anything may stand that is no letter.
fn keys(word: &[u8]) -> Vec<u32> {
    let mut texts: Vec<Vec<u8>> = vec![Vec::new()];
    for place in 0..4 {
        let choices: Vec<u8> = match word.get(place) {
            Some(b' ') => b" _-".to_vec(),
            Some(byte) => vec![*byte],
            None if place < 3 => (0..=255u8).filter(|b| !b.is_ascii_lowercase()).collect(),
            None => vec![b' '],
        };
        let longer = |text: &Vec<u8>, c: &u8| text.iter().copied().chain([*c]).collect();
        texts = texts.iter().flat_map(|t| choices.iter().map(move |c| longer(t, c))).collect();
    }
    texts.iter().map(|text| key_of(text, 0)).collect()
}

#[inline]
const fn place_of(key: u32) -> usize {
    (key.wrapping_mul(0x9e37_79b1) >> (32 - BEGINNINGS.ilog2())) as usize
}

fn is_ascii(text: &[u8], at: usize) -> bool {
    text.get(at).is_some_and(u8::is_ascii)
}

/// Words in Latin letters stand alone; long ones may take an ending, short ones must end.
fn ends_word(text: &[u8], at: usize, end: usize) -> bool {
    if !text.get(at).is_some_and(u8::is_ascii) {
        return true;
    }
    let after = text.get(end).copied().unwrap_or(b' ');
    let ends = !after.is_ascii_alphabetic() || (end - at > 4 && after.is_ascii_lowercase());
    // `cardNo`: the next capital ends a word.
    ends || after.is_ascii_uppercase()
}

/// Where words begin and lines end before a place: bit 127 is the byte right before it, bit 0 the
/// byte 128 before. Words begin at a letter after no letter and no digit, at a capital after a
/// small letter, and at each character of other scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Near {
    pub(crate) words: u128,
    pub(crate) lines: u128,
}

impl Near {
    /// The same read from the text, byte by byte.
    pub(crate) fn read(text: &[u8], at: usize) -> Self {
        let mut near = Self { words: 0, lines: 0 };
        for by in 1..=at.min(128) {
            let here = text.get(at - by).copied().unwrap_or(0);
            let before = (at - by).checked_sub(1).and_then(|i| text.get(i)).copied().unwrap_or(0);
            let begins = here.is_ascii_alphabetic() && !before.is_ascii_alphanumeric()
                || here.is_ascii_uppercase() && before.is_ascii_lowercase()
                || here >= 0xe0;
            near.words |= u128::from(begins) << (128 - by);
            near.lines |= u128::from(here == b'\n') << (128 - by);
        }
        near
    }
}

/// The part of a text that may name the value at a place.
struct Line<'a> {
    text: &'a [u8],
    near: &'a Near,
    at: usize,
    start: usize,
    end: usize,
}

/// How far before a field the word may start that names it.
pub(crate) const FIELD_BYTES: u32 = 36;
const _: () = assert!(FIELD_BYTES as usize == FIELD_REACH_BYTES + FIELD_WORD_BYTES);

/// What the text right before a value says that the value is.
pub(crate) fn before(text: &[u8], at: usize, near: &Near) -> Option<Topic> {
    let line = Line::before(text, at, near)?;
    let own = text.get(line.start..line.end)?;
    let found = line.last(if is_field(own) { FIELD_REACH_BYTES } else { REACH_BYTES });
    if found.is_some() || line.end != at || line.start == 0 || !answers(own) {
        return found;
    }
    let (line, asks) = line.question()?;
    line.last(if asks { REACH_BYTES } else { ASKED_BYTES })
}

/// Whether a line up to a value is only what a speaker's name and the time take: `[10:05] Peter: `.
fn answers(own: &[u8]) -> bool {
    let own = own.trim_ascii_end();
    own.len() <= SPEAKER_BYTES && (own.ends_with(b":") || own.ends_with("：".as_bytes()))
}

/// What the name of a column says that its values are.
pub(crate) fn of_name(name: &[u8]) -> Option<Topic> {
    let near = Near::read(name, name.len());
    let line = Line { text: name, near: &near, at: name.len(), start: 0, end: name.len() };
    line.last(WINDOW_BYTES)
}

/// Whether the value begins a field of a record: its column names it, not what stands far before.
fn is_field(line: &[u8]) -> bool {
    let line = line.strip_suffix(b"\"").unwrap_or(line);
    matches!(line.last(), Some(b',' | b'\t' | b'|' | b';'))
}

/// Whether a line that ends with this byte may announce the next one's value: with a colon, perhaps
/// a full-width one, before spaces.
pub(crate) const fn announces(last: u8) -> bool {
    matches!(last, b':' | b' ' | b'\r' | 0x9a)
}

impl<'a> Line<'a> {
    fn before(text: &'a [u8], at: usize, near: &'a Near) -> Option<Self> {
        let least = at.saturating_sub(WINDOW_BYTES);
        let line = |start, end| Self { text, near, at, start, end };
        let ends = near.lines >> (128 - WINDOW_BYTES) << (128 - WINDOW_BYTES);
        if ends == 0 {
            return Some(line(least, at));
        }
        let newline = at.checked_sub(ends.leading_zeros() as usize + 1)?;
        if !text.get(newline..at)?.iter().all(|b| b" \t\r\n\"'".contains(b)) {
            return Some(line(newline + 1, at));
        }
        // The value stands alone on its line: the line above may name it.
        if !announces(*text.get(newline.checked_sub(1)?)?) {
            return None;
        }
        let above = text.get(least..newline)?;
        let start = above.iter().rposition(|b| *b == b'\n').map_or(0, |n| n + 1);
        let named = above.get(start..)?.trim_ascii_end();
        let names = named.ends_with(b":") || named.ends_with("：".as_bytes());
        names.then(|| line(least + start, newline))
    }

    /// The line above, and whether it ends with a question mark.
    fn question(&self) -> Option<(Self, bool)> {
        let newline = self.start.checked_sub(1)?;
        let least = self.at.saturating_sub(QUESTION_BYTES);
        let above = self.text.get(least..newline)?;
        let start = above.iter().rposition(|b| *b == b'\n').map_or(0, |n| n + 1);
        let asks = above.trim_ascii_end();
        let asks = asks.ends_with(b"?") || asks.ends_with("？".as_bytes());
        let (text, near, at, start) = (self.text, self.near, self.at, least + start);
        Some((Self { text, near, at, start, end: newline }, asks))
    }

    /// The topic of the last word, if it ends at most `reach` bytes before the end.
    fn last(&self, reach: usize) -> Option<Topic> {
        let (first, topic) = self.nearest(self.end, reach)?;
        if topic != Topic::Other {
            return Some(topic);
        }
        // `HKID reference`, `salary of HK$`: the word before says more.
        let close = self.nearest(first, CURRENCY_BYTES).filter(|(_, before)| {
            *before == Topic::Salary
                || self.nearest(first, ADJACENT_BYTES).is_some_and(|(_, near)| near == *before)
        });
        Some(close.map_or(topic, |(_, before)| before))
    }

    /// The word that ends nearest before a place, and of those that overlap it the one that starts
    /// first: `octopus card` before `card no`.
    fn nearest(&self, from: usize, reach: usize) -> Option<(usize, Topic)> {
        let least = from.saturating_sub(reach);
        // A word that ends within reach starts at most its own length before; next to a field
        // stands no long one.
        let longest = if reach == FIELD_REACH_BYTES { FIELD_WORD_BYTES } else { WORD_BYTES_MAX };
        let lowest = least.saturating_sub(longest).max(self.start);
        let mut found: Option<(usize, Topic)> = None;
        let words = &*WORDS;
        // Bit 127 is the byte before `from`.
        let shift = u32::try_from(self.at - from).ok()?;
        let begins = self.near.words.checked_shl(shift).unwrap_or(0);
        let mut bits = begins;
        while bits != 0 {
            let back = bits.leading_zeros();
            bits ^= 1 << (127 - back);
            let at = from.wrapping_sub(back as usize + 1);
            // Wrapped around, it is far beyond `from`.
            if at < lowest || at > from {
                return found;
            }
            if found.is_some_and(|(first, _)| first > at + WORD_BYTES_MAX) {
                return found;
            }
            let Some((end, topic)) = words.starting(self.text, at, from) else { continue };
            match found {
                None if end >= least => found = Some((at, topic)),
                // Words of other scripts make one name: `八達通` and `卡號`.
                Some((first, _)) if end > first || end == first && !is_ascii(self.text, at) => {
                    found = Some((at, topic));
                }
                _ => {}
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Option<Topic> {
        before(text.as_bytes(), text.len(), &Near::read(text.as_bytes(), text.len()))
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
        assert_eq!(of("八達通卡號碼："), Some(Topic::Octopus));
        assert_eq!(of("[1] A: Your phone?\n[2] B: "), Some(Topic::Phone));
        assert_eq!(of("[1] A: Your phone\n[2] B: "), Some(Topic::Phone));
        assert_eq!(of("[1] A: Your phone is not in our books\n[2] B: "), None);
        assert_eq!(of("phone\n"), None);
        assert_eq!(of("Telephone:\n"), Some(Topic::Phone));
    }

    #[test]
    fn no_word_is_longer_than_a_reader_looks_back() {
        let longest = WORDS.words.iter().flatten().map(|word| word.whole.len()).max();
        assert!(longest.is_some_and(|length| length <= WORD_BYTES_MAX), "{longest:?}");
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
