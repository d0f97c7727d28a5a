//! Which value it is, without telling it: HMAC-SHA-256 over the kind and the normalised value.

use crate::{Fingerprint, KindName};
use aws_lc_rs::hmac;
use detect::Kind;
use serde::{Deserialize, Serialize};

/// A key of keyed hashes; it cannot be printed.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Key([u8; 32]);

impl Key {
    /// A key of these bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(…)")
    }
}

/// A key made ready.
#[derive(Debug)]
pub(crate) struct Keyed(hmac::Key);

impl Keyed {
    pub(crate) fn new(key: &Key) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, &key.0))
    }

    /// The fingerprint of a value as it was found.
    pub(crate) fn fingerprint(&self, kind: Kind, value: &[u8]) -> Fingerprint {
        let mut message = String::from(KindName(kind)).into_bytes();
        message.push(0);
        message.extend_from_slice(normal(kind, value).as_bytes());
        Fingerprint(self.truncated(&message))
    }

    fn truncated(&self, message: &[u8]) -> [u8; 16] {
        let tag = hmac::sign(&self.0, message);
        tag.as_ref().first_chunk().copied().unwrap_or_default()
    }
}

impl detect::KeyedHash for Keyed {
    fn hash(&self, value: &[u8]) -> [u8; 16] {
        self.truncated(value)
    }
}

/// A value without what people write differently: full-width forms, spaces, hyphens, brackets and
/// case; of names and addresses only the spaces and the case.
pub(crate) fn normal(kind: Kind, value: &[u8]) -> String {
    if value.is_ascii() {
        return normal_ascii(kind, value);
    }
    let text = String::from_utf8_lossy(value);
    // Chinese characters alone, as most names are: nothing is written in two ways.
    if text.chars().all(|c| matches!(c, '\u{4e00}'..='\u{9fff}')) {
        return text.into_owned();
    }
    let narrow = text.chars().map(|c| match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xff01 + 0x21).unwrap_or(c),
        '\u{3000}' => ' ',
        c => c,
    });
    if !is_words(kind) {
        return narrow.filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect();
    }
    let spaced: String = narrow.collect();
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let joined = words.join(" ");
    if kind == Kind::Secret { joined } else { joined.to_lowercase() }
}

/// The same for the values that most tables hold, without a detour over wider characters.
fn normal_ascii(kind: Kind, value: &[u8]) -> String {
    let mut normal = String::with_capacity(value.len());
    if !is_words(kind) {
        let letters = value.iter().filter(|b| b.is_ascii_alphanumeric());
        normal.extend(letters.map(|b| char::from(b.to_ascii_uppercase())));
        return normal;
    }
    let space = |b: &u8| char::from(*b).is_whitespace();
    for word in value.split(space).filter(|word| !word.is_empty()) {
        if !normal.is_empty() {
            normal.push(' ');
        }
        normal.extend(word.iter().map(|b| char::from(*b)));
    }
    if kind != Kind::Secret {
        normal.make_ascii_lowercase();
    }
    normal
}

/// Kinds of which the spaces count, but not how many.
const fn is_words(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Email | Kind::Url | Kind::PersonName | Kind::Address | Kind::Secret | Kind::IpAddress
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_value_written_differently_has_one_fingerprint() {
        let keyed = Keyed::new(&Key::new([7; 32]));
        let print = |kind, value: &str| keyed.fingerprint(kind, value.as_bytes());
        let card = Kind::HongKongIdentityCard;
        assert_eq!(print(card, "A123456(3)"), print(card, "Ａ１２３４５６（３）"));
        assert_eq!(print(card, "A123456(3)"), print(card, "a1234563"));
        assert_ne!(print(card, "A1234563"), print(Kind::HongKongPassport, "A1234563"));
        assert_eq!(print(Kind::PaymentCard, "4111-1111"), print(Kind::PaymentCard, "4111 1111"));
        let other = Keyed::new(&Key::new([8; 32]));
        assert_ne!(print(card, "A1234563"), other.fingerprint(card, b"A1234563"));
    }

    #[test]
    fn plain_and_wide_characters_are_made_alike() {
        for (kind, plain, wide) in [
            (Kind::PersonName, " Chan  Tai\tMan ", "ＣＨＡＮ　Tai Man"),
            (Kind::Email, "A@B.example", "ａ@b.ｅxample"),
            (Kind::Secret, "Ab  c", "Ａb c"),
            (Kind::PaymentCard, "4111-1111 x", "４111 1111X"),
        ] {
            assert_eq!(normal(kind, plain.as_bytes()), normal(kind, wide.as_bytes()), "{plain}");
        }
    }

    #[test]
    fn a_key_is_never_printed() {
        assert_eq!(format!("{:?}", Key::new([65; 32])), "Key(…)");
    }
}
