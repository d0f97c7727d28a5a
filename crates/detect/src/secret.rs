//! Keys and tokens that say themselves what they are: issuers' own prefixes, private key blocks,
//! signed tokens, hashes of passwords.

use crate::{Hit, Kind};
use std::sync::LazyLock;

/// How much of a private key block is read, in bytes: an RSA key of 4,096 bits takes 3.3 kB.
const BLOCK_BYTES_MAX: usize = 4000;
/// The longest single token that is read, in bytes.
const TOKEN_BYTES_MAX: usize = 1024;

/// A prefix that an issuer documents, how many characters follow at least and at most, and which.
struct Prefix {
    text: &'static str,
    least: usize,
    most: usize,
    alphabet: Alphabet,
}

static PREFIXES: LazyLock<Vec<Prefix>> = LazyLock::new(|| {
    let lines = include_str!("../data/secret-prefixes.tsv").lines().filter(|l| !l.starts_with('#'));
    let prefix = |line: &'static str| {
        let mut fields = line.split('\t');
        Some(Prefix {
            text: fields.next()?,
            least: fields.next()?.parse().ok()?,
            most: fields.next()?.parse().ok()?,
            alphabet: Alphabet::named(fields.next()?)?,
        })
    };
    lines.filter_map(prefix).collect()
});

/// The first two characters that some prefix has, as bits; most long tokens have others.
static BEGINS: LazyLock<Vec<u64>> = LazyLock::new(|| {
    let mut begins = vec![0u64; 1024];
    for start in PREFIXES.iter().map(|p| p.text.as_bytes()).chain([b"eyJ".as_slice()]) {
        let place = start.first_chunk::<2>().map_or(0, |two| usize::from(u16::from_le_bytes(*two)));
        if let Some(bits) = begins.get_mut(place / 64) {
            *bits |= 1 << (place % 64);
        }
    }
    begins
});

#[derive(Debug, Clone, Copy)]
enum Alphabet {
    Hex,
    Upper,
    Letters,
    Url,
}

impl Alphabet {
    fn named(word: &str) -> Option<Self> {
        Some(match word {
            "hex" => Self::Hex,
            "upper" => Self::Upper,
            "letters" => Self::Letters,
            "url" => Self::Url,
            _ => return None,
        })
    }

    const fn has(self, byte: u8) -> bool {
        match self {
            Self::Hex => byte.is_ascii_digit() || matches!(byte, b'a'..=b'f'),
            Self::Upper => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
            Self::Letters => byte.is_ascii_alphanumeric(),
            Self::Url => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'),
        }
    }
}

/// The token with an issuer's prefix, or the signed token, that starts here.
pub(crate) fn at(text: &[u8], start: usize) -> Option<Hit> {
    let rest = text.get(start..)?;
    let place = usize::from(u16::from_le_bytes(*rest.first_chunk::<2>()?));
    if BEGINS.get(place / 64)? >> (place % 64) & 1 == 0 {
        return None;
    }
    for Prefix { text: prefix, least, most, alphabet } in PREFIXES.iter() {
        let Some(tail) = rest.strip_prefix(prefix.as_bytes()) else { continue };
        let run = tail.iter().take(most + 1).take_while(|b| alphabet.has(**b)).count();
        let body = tail.get(..run.min(*most))?;
        let body = trimmed(body);
        // Issuers' own examples end in this word.
        if run > *most || body.len() < *least || !varied(body) || body.ends_with(b"EXAMPLE") {
            continue;
        }
        return Some(Hit::sure(Kind::Secret, start, start + prefix.len() + body.len()));
    }
    signed_token(rest).map(|length| Hit::sure(Kind::Secret, start, start + length))
}

/// A JSON Web Token (RFC 7519): three parts, the first two JSON objects in base64url.
fn signed_token(rest: &[u8]) -> Option<usize> {
    if !rest.starts_with(b"eyJ") {
        return None;
    }
    let run = rest.iter().take(TOKEN_BYTES_MAX * 3).take_while(|b| Alphabet::Url.has(**b)).count();
    let token = trimmed(rest.get(..run)?);
    let mut parts = token.split(|b| *b == b'.');
    let (header, claims, signature) = (parts.next()?, parts.next()?, parts.next()?);
    let fits = header.len() >= 12 && claims.starts_with(b"eyJ") && !signature.is_empty();
    fits.then_some(token.len())
}

fn trimmed(mut token: &[u8]) -> &[u8] {
    while let Some((b'.' | b'-', shorter)) = token.split_last() {
        token = shorter;
    }
    token
}

/// The private key block whose word `BEGIN` starts here.
pub(crate) fn private_key(text: &[u8], begin: usize) -> Option<Hit> {
    let start = begin.checked_sub(5)?;
    let rest = text.get(start..)?;
    let rest = rest.get(..rest.len().min(BLOCK_BYTES_MAX))?;
    let tail = rest.strip_prefix(b"-----BEGIN ")?;
    let label = tail.iter().take(40).position(|b| *b == b'-')?;
    let label = tail.get(..label)?;
    if !label.ends_with(b"PRIVATE KEY") && !label.ends_with(b"PRIVATE KEY BLOCK") {
        return None;
    }
    let end_mark = [b"-----END ".as_slice(), label, b"-----"].concat();
    let end = rest.windows(end_mark.len()).position(|w| w == end_mark.as_slice());
    let length = end.map_or(11 + label.len() + 5, |at| at + end_mark.len());
    Some(Hit::sure(Kind::Secret, start, start + length.min(rest.len())))
}

/// The hash of a password whose first `$` stands here, as files of passwords hold them: crypt's
/// `$1$` to `$6$`, `$y$`, bcrypt, Apache's and Argon2.
pub(crate) fn password_hash(text: &[u8], start: usize) -> Option<Hit> {
    let rest = text.get(start..)?;
    let known = [
        b"$1$".as_slice(),
        b"$5$",
        b"$6$",
        b"$y$",
        b"$7$",
        b"$2a$",
        b"$2b$",
        b"$2y$",
        b"$apr1$",
        b"$argon2id$",
        b"$argon2i$",
    ];
    known.iter().find(|mark| rest.starts_with(mark))?;
    let is =
        |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'$' | b'.' | b'/' | b'+' | b'=' | b',');
    let run = rest.iter().take(TOKEN_BYTES_MAX).take_while(|b| is(b)).count();
    let hash = trimmed(rest.get(..run)?);
    let parts = hash.iter().filter(|b| **b == b'$').count();
    let last = hash.rsplit(|b| *b == b'$').next()?;
    (parts >= 3 && last.len() >= 22 && varied(last)).then_some(Hit::sure(
        Kind::Secret,
        start,
        start + hash.len(),
    ))
}

/// A key repeats no short pattern: at least 2.5 bits in each character.
fn varied(value: &[u8]) -> bool {
    entropy(value) >= 2.5
}

/// Shannon's entropy of the characters, in bits for each.
pub(crate) fn entropy(value: &[u8]) -> f64 {
    let mut counts = [0u32; 256];
    for byte in value {
        if let Some(count) = counts.get_mut(usize::from(*byte)) {
            *count += 1;
        }
    }
    let total = f64::from(u32::try_from(value.len()).unwrap_or(u32::MAX));
    counts
        .iter()
        .filter(|c| **c > 0)
        .map(|c| {
            let share = f64::from(*c) / total;
            -share * share.log2()
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(text: &str) -> Option<usize> {
        at(text.as_bytes(), 0).map(|hit| hit.end)
    }

    #[test]
    fn every_line_of_the_table_is_a_prefix() {
        let lines = include_str!("../data/secret-prefixes.tsv").lines();
        assert_eq!(PREFIXES.len(), lines.filter(|l| !l.starts_with('#')).count());
        assert!(PREFIXES.iter().all(|p| p.text.len() > 1 && p.least <= p.most));
    }

    #[test]
    fn tokens_with_an_issuers_prefix_are_found() {
        // Built here, so that no file holds a whole token.
        let body = "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0";
        for (prefix, length) in [
            ("ghp_", 36),
            ("sk_live_", 24),
            ("xoxb-", 40),
            ("AIza", 35),
            ("LTAI", 20),
            ("npm_", 36),
        ] {
            let token = format!("{prefix}{}", body.get(..length).unwrap());
            assert_eq!(end(&token), Some(token.len()), "{token}");
        }
        assert_eq!(end(&format!("AKIA{}", "IOSFODNN7EXAMPLE")), None);
        let key = format!("AKIA{}", "IOSFODNN7QWERTYU");
        assert_eq!(end(&key), Some(20));
        assert_eq!(end(&format!("{key}X")), None);
        assert_eq!(end("ghp_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), None);
    }

    #[test]
    fn the_token_of_rfc_7519_is_found() {
        let token = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4\
            MTkzODB9.dBjftJeZ4CVPmB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        assert_eq!(end(&format!("{token}.")), Some(token.len()));
        assert_eq!(end("eyJhbGciOiJIUzI1NiJ9"), None);
    }

    #[test]
    fn hashes_of_passwords_are_found_whole() {
        let body = "N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy";
        for mark in ["$2b$12$", "$6$rounds$", "$apr1$salt$"] {
            let hash = [mark, body].concat();
            let found = password_hash(hash.as_bytes(), 0).map(|hit| hit.end);
            assert_eq!(found, Some(hash.len()), "{hash}");
        }
        assert!(password_hash(b"$1$ and $5", 0).is_none());
    }

    #[test]
    fn a_private_key_is_found_whole() {
        let block =
            ["-----BEGIN RSA PRIVATE", " KEY-----\nMIIE\n-----END RSA PRIVATE", " KEY-----"];
        let text = block.concat();
        let hit = private_key(text.as_bytes(), 5).unwrap();
        assert_eq!((hit.start, hit.end), (0, text.len()));
        assert!(private_key(b"-----BEGIN CERTIFICATE-----", 5).is_none());
    }
}
