//! Passwords, keys and tokens: issuers' own prefixes, private key blocks, signed tokens, connection
//! strings, and random values that a word calls secret.

use crate::text::border_before;
use crate::{Hit, Kind};
use std::sync::LazyLock;

/// How much of a private key block is read, in bytes: an RSA key of 4,096 bits takes 3.3 kB.
const BLOCK_BYTES_MAX: usize = 4000;
/// The longest single token that is read, in bytes.
const TOKEN_BYTES_MAX: usize = 1024;
/// How far before a value the word that calls it secret is read, in bytes.
const NAME_BYTES: usize = 48;

/// Every token of an issuer begins with this many characters without a full stop, but Google's.
const LONG_TOKEN: usize = 16;

/// Prefixes that issuers document, how many characters follow at least and at most, and which.
const PREFIXES: &[(&str, usize, usize, Alphabet)] = &[
    ("AKIA", 16, 16, Alphabet::Upper),
    ("ASIA", 16, 16, Alphabet::Upper),
    ("AIza", 35, 35, Alphabet::Url),
    ("ya29.", 20, 400, Alphabet::Url),
    ("GOCSPX-", 28, 28, Alphabet::Url),
    ("LTAI", 12, 24, Alphabet::Letters),
    ("ghp_", 36, 36, Alphabet::Letters),
    ("gho_", 36, 36, Alphabet::Letters),
    ("ghu_", 36, 36, Alphabet::Letters),
    ("ghs_", 36, 36, Alphabet::Letters),
    ("ghr_", 36, 76, Alphabet::Letters),
    ("github_pat_", 22, 100, Alphabet::Url),
    ("glpat-", 20, 40, Alphabet::Url),
    ("xoxb-", 20, 200, Alphabet::Url),
    ("xoxp-", 20, 200, Alphabet::Url),
    ("xoxa-", 20, 200, Alphabet::Url),
    ("xoxr-", 20, 200, Alphabet::Url),
    ("xoxs-", 20, 200, Alphabet::Url),
    ("xapp-", 20, 200, Alphabet::Url),
    ("sk_live_", 16, 120, Alphabet::Letters),
    ("rk_live_", 16, 120, Alphabet::Letters),
    ("sk_test_", 16, 120, Alphabet::Letters),
    ("rk_test_", 16, 120, Alphabet::Letters),
    ("whsec_", 24, 64, Alphabet::Letters),
    ("npm_", 36, 36, Alphabet::Letters),
    ("pypi-AgEIcHlwaS5vcmc", 50, 200, Alphabet::Url),
    ("sk-ant-", 32, 120, Alphabet::Url),
    ("sk-proj-", 32, 200, Alphabet::Url),
    ("dop_v1_", 64, 64, Alphabet::Letters),
    ("shpat_", 32, 32, Alphabet::Letters),
];

/// Names whose values are secret, by their last word; the text is compared without joints.
static NAMES: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let lines = include_str!("../data/secret-names.txt").lines();
    lines.filter(|line| !line.starts_with('#')).flat_map(str::split_whitespace).collect()
});
/// Values that stand where a secret would and are none.
const PLACEHOLDERS: &[&str] = &[
    "password",
    "changeme",
    "example",
    "placeholder",
    "secret",
    "your",
    "xxxx",
    "****",
    "<",
    "${",
    "{{",
    "null",
    "none",
    "true",
    "false",
    "undefined",
    "redacted",
    "env",
    "os.",
    "process.",
    "string",
    "required",
    "optional",
    "invalid",
    "expired",
    "missing",
    "reset",
    "token",
];

#[derive(Debug, Clone, Copy)]
enum Alphabet {
    Upper,
    Letters,
    Url,
}

impl Alphabet {
    const fn has(self, byte: u8) -> bool {
        match self {
            Self::Upper => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
            Self::Letters => byte.is_ascii_alphanumeric(),
            Self::Url => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'),
        }
    }
}

/// The token with an issuer's prefix, or the signed token, that starts here.
pub(crate) fn at(text: &[u8], start: usize) -> Option<Hit> {
    let rest = text.get(start..)?;
    let first = rest.first()?;
    let long = || rest.len() >= LONG_TOKEN && rest.iter().take(LONG_TOKEN).all(|b| is_token(*b));
    if !b"AGLdeghnprswxy".contains(first) || !(long() || rest.starts_with(b"ya29.")) {
        return None;
    }
    for (prefix, least, most, alphabet) in PREFIXES {
        let Some(tail) = rest.strip_prefix(prefix.as_bytes()) else { continue };
        let run = tail.iter().take(most + 1).take_while(|b| alphabet.has(**b)).count();
        let body = tail.get(..run.min(*most))?;
        let body = trimmed(body);
        if run > *most || body.len() < *least || !varied(body) {
            continue;
        }
        return Some(Hit::sure(Kind::Secret, start, start + prefix.len() + body.len()));
    }
    signed_token(rest).map(|length| Hit::sure(Kind::Secret, start, start + length))
}

const fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
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

/// The value after the `=` or `:` that stands here, if the name before calls it secret, or the
/// connection string with a password whose `://` begins here.
pub(crate) fn assigned(text: &[u8], sign: usize) -> Option<Hit> {
    if text.get(sign..)?.starts_with(b"://") {
        return connection(text, sign);
    }
    let window = text.get(sign.saturating_sub(NAME_BYTES)..sign)?;
    let name = window.trim_ascii_end();
    let name = name.strip_suffix(b"\"").or_else(|| name.strip_suffix(b"'")).unwrap_or(name);
    // Cheap and common: most words before a sign end in other letters.
    if !matches!(
        name.last()?,
        b'd' | b'D' | b't' | b'T' | b'n' | b'N' | b'y' | b'Y' | b'e' | b'E' | 0x80..
    ) {
        return None;
    }
    is_secret_name(name).then_some(())?;
    let rest = text.get(sign + 1..)?;
    let rest = rest.strip_prefix(b"=").or_else(|| rest.strip_prefix(b">")).unwrap_or(rest);
    let gap = rest.iter().take(4).take_while(|b| matches!(b, b' ' | b'"' | b'\'' | b'\t')).count();
    let value = rest.get(gap..)?;
    let start = text.len() - value.len();
    let run = value.iter().take(TOKEN_BYTES_MAX).take_while(|b| is_value(**b)).count();
    let value = value.get(..run)?;
    let value = value.strip_suffix(b".").or_else(|| value.strip_suffix(b",")).unwrap_or(value);
    (value.len() >= 6 && !is_placeholder(value) && surprising(value)).then_some(Hit::likely(
        Kind::Secret,
        start,
        start + value.len(),
    ))
}

const fn is_value(byte: u8) -> bool {
    byte.is_ascii_graphic()
        && !matches!(byte, b'"' | b'\'' | b';' | b'`' | b',' | b')' | b'}' | b'&')
}

/// `scheme://user:password@host`: the whole string opens the store.
fn connection(text: &[u8], sign: usize) -> Option<Hit> {
    let window = text.get(sign.saturating_sub(20)..sign)?;
    let scheme = window
        .iter()
        .rev()
        .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-'))
        .count();
    let start = sign - scheme;
    if scheme < 2 || !border_before(text, start) {
        return None;
    }
    let rest = text.get(sign + 3..)?;
    let run = rest.iter().take(TOKEN_BYTES_MAX).take_while(|b| is_value(**b)).count();
    let rest = rest.get(..run)?;
    let authority = rest.split(|b| matches!(b, b'/' | b'?')).next()?;
    let at = authority.iter().rposition(|b| *b == b'@')?;
    let user = authority.get(..at)?;
    let colon = user.iter().position(|b| *b == b':')?;
    let password = user.get(colon + 1..)?;
    (!password.is_empty() && at + 1 < authority.len() && !is_placeholder(password))
        .then_some(Hit::sure(Kind::Secret, start, sign + 3 + run))
}

fn is_secret_name(name: &[u8]) -> bool {
    // The last word with its joints: `DB_PASSWORD`, `api-key`, `AccountKey`.
    let word: Vec<u8> = name
        .iter()
        .rev()
        .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.') || **b >= 0x80)
        .filter(|b| !matches!(b, b'_' | b'-' | b'.'))
        .map(u8::to_ascii_lowercase)
        .collect();
    let ends_with = |n: &&str| {
        let reversed = n.as_bytes().iter().rev();
        word.len() >= n.len() && word.iter().zip(reversed).all(|(a, b)| a == b)
    };
    NAMES.iter().any(ends_with)
}

fn is_placeholder(value: &[u8]) -> bool {
    let lower = value.to_ascii_lowercase();
    PLACEHOLDERS.iter().any(|p| lower.starts_with(p.as_bytes()))
        || value.iter().all(|b| Some(b) == value.first())
}

/// Whether a value looks chosen or random, not like a word of the text: two classes of characters
/// at least, or long and varied.
fn surprising(value: &[u8]) -> bool {
    let classes = [
        value.iter().any(u8::is_ascii_lowercase),
        value.iter().any(u8::is_ascii_uppercase),
        value.iter().any(u8::is_ascii_digit),
        value.iter().any(u8::is_ascii_punctuation),
    ];
    let count = classes.iter().filter(|c| **c).count();
    (count >= 2 && classes.get(2) == Some(&true)) || count >= 3 || entropy(value) >= 3.5
}

/// A key repeats no short pattern: at least 2.5 bits in each character.
fn varied(value: &[u8]) -> bool {
    entropy(value) >= 2.5
}

/// Shannon's entropy of the characters, in bits for each.
fn entropy(value: &[u8]) -> f64 {
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
        let key = format!("AKIA{}", "IOSFODNN7EXAMPLE");
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

    fn value(text: &str) -> Option<&str> {
        text.bytes().enumerate().filter(|(_, b)| matches!(b, b'=' | b':')).find_map(|(i, _)| {
            let hit = assigned(text.as_bytes(), i)?;
            text.get(hit.start..hit.end)
        })
    }

    #[test]
    fn values_that_a_name_calls_secret_are_found() {
        assert_eq!(value("DB_PASSWORD=Tr0ub4dor&3"), Some("Tr0ub4dor"));
        assert_eq!(value("\"api-key\": \"f3b1c9d27a\""), Some("f3b1c9d27a"));
        assert_eq!(value("AccountKey=Zm9vYmFyMTIz+/=="), Some("Zm9vYmFyMTIz+/=="));
        assert_eq!(
            value("postgres://app:s3cr3t@db.example:5432/x "),
            Some("postgres://app:s3cr3t@db.example:5432/x")
        );
        for text in ["password: required", "token = null", "password=${PASSWORD}", "key: abc123def"]
        {
            assert_eq!(value(text), None, "{text}");
        }
        assert_eq!(value("https://example.com/a:b@c"), None);
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
