//! Secrets that a name or a place gives away: the value of a variable called `password`, the
//! password in a connection string, the token after `Bearer`.

use crate::secret::entropy;
use crate::text::border_before;
use crate::{Hit, Kind};
use std::sync::LazyLock;

/// The longest value that is read, in bytes.
const VALUE_BYTES_MAX: usize = 512;
/// How far before a value the word that calls it secret is read, in bytes.
const NAME_BYTES: usize = 48;
/// The shortest value that is a secret, in bytes, and the shortest that is a key.
const VALUE_BYTES_MIN: usize = 6;
const KEY_BYTES_MIN: usize = 20;
/// Random letters and digits have more bits than this in each.
const RANDOM_BITS: f64 = 3.5;

/// Words that end a name for a secret; those after `=` must be a word of their own.
struct Names {
    endings: Vec<&'static [u8]>,
    words: Vec<&'static [u8]>,
    /// The last characters of names in Chinese.
    chinese: Vec<&'static [u8]>,
    /// The last three letters that some name has, as bits.
    ends: Vec<u64>,
}

static NAMES: LazyLock<Names> = LazyLock::new(|| {
    let mut names =
        Names { endings: Vec::new(), words: Vec::new(), chinese: Vec::new(), ends: vec![0; 512] };
    let lines = include_str!("../data/secret-names.txt").lines().filter(|l| !l.starts_with('#'));
    for name in lines.flat_map(str::split_whitespace) {
        match name.strip_prefix('=') {
            Some(word) => names.words.push(word.as_bytes()),
            None => names.endings.push(name.as_bytes()),
        }
    }
    for name in names.endings.iter().filter(|name| !name.is_ascii()) {
        if let Some(last) =
            name.last_chunk::<3>().filter(|last| !names.chinese.contains(&last.as_slice()))
        {
            names.chinese.push(last);
        }
    }
    let more = [b"authorization".as_slice(), b"key"];
    for name in names.endings.iter().chain(&names.words).chain(&more) {
        // Before a word of two letters anything may stand.
        let before = if name.len() == 2 { 0..=u8::MAX } else { 0..=0 };
        for byte in before {
            let place = ending(&[&[byte], *name].concat());
            if let Some(bits) = names.ends.get_mut(place / 64) {
                *bits |= 1 << (place % 64);
            }
        }
    }
    names
});

/// The last three letters of a name as a number; what is no letter counts as zero.
fn ending(name: &[u8]) -> usize {
    let letter = |byte: &u8| match byte | 0x20 {
        folded @ b'a'..=b'z' => usize::from(folded - b'a') + 1,
        _ => 0,
    };
    match name {
        [.., a, b, c] => letter(a) << 10 | letter(b) << 5 | letter(c),
        [a, b] => letter(a) << 5 | letter(b),
        _ => 0,
    }
}

/// Values that stand where a secret would and are none, wherever in the value they stand.
const PLACEHOLDERS: [&str; 18] = [
    "example",
    "changeme",
    "change_me",
    "change-me",
    "placeholder",
    "your",
    "xxxx",
    "****",
    "dummy",
    "redacted",
    "...",
    "insert",
    "replace",
    "${",
    "{{",
    "$(",
    "#{",
    "%(",
];
/// The same at the value's beginning, if no digit follows.
const WORDS: [&str; 24] = [
    "password",
    "passwd",
    "secret",
    "token",
    "null",
    "none",
    "nil",
    "true",
    "false",
    "undefined",
    "env",
    "os.",
    "process.",
    "config",
    "string",
    "required",
    "optional",
    "invalid",
    "expired",
    "missing",
    "reset",
    "settings",
    "self.",
    "this.",
];
/// Before `key`: what is found or ordered by it, not what it opens.
const OPEN_KEYS: [&[u8]; 14] = [
    b"public",
    b"primary",
    b"foreign",
    b"sort",
    b"cache",
    b"partition",
    b"row",
    b"object",
    b"idempotency",
    b"unique",
    b"index",
    b"group",
    b"map",
    b"host",
];

/// How sure a name is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Name {
    /// A password, a token, a secret key.
    Secret,
    /// Some key: its value must look random.
    Key,
    /// A header that carries a token after a word.
    Header,
}

/// The value after the sign that stands here (`=`, `:`, `>` of a tag, a space), if the name before
/// calls it secret.
pub(crate) fn assigned(text: &[u8], sign: usize) -> Option<Hit> {
    // A full-width colon is one too.
    let wide = text.get(sign..)?.starts_with("：".as_bytes());
    let mark = if wide { b':' } else { *text.get(sign)? };
    let after = sign + if wide { 3 } else { 1 };
    let head = text.get(sign.saturating_sub(NAME_BYTES)..sign)?;
    let head = if mark == b' ' { head } else { head.trim_ascii_end() };
    let head = match head.split_last() {
        Some((b'"' | b'\'' | b'`' | b']', shorter)) if mark != b' ' => shorter,
        _ => head,
    };
    let head = head.strip_suffix(b"\\").unwrap_or(head);
    let head = head.strip_suffix(b"\"").or_else(|| head.strip_suffix(b"'")).unwrap_or(head);
    // Cheap and common: most words before a sign end in other letters.
    let place = ending(head);
    let ascii = head.last()?.is_ascii();
    if ascii && NAMES.ends.get(place / 64)? >> (place % 64) & 1 == 0
        || !ascii && !NAMES.chinese.iter().any(|name| head.ends_with(name))
    {
        return None;
    }
    let name = name_of(head, mark)?;
    let (start, value, quoted) = value_of(text, after, mark, name)?;
    let fits = match name {
        Name::Secret if mark == b' ' => mixed(value) && value.len() >= VALUE_BYTES_MIN,
        Name::Secret => {
            value.len() >= VALUE_BYTES_MIN && surprising(value) && (quoted || !is_code(value))
        }
        Name::Key | Name::Header => value.len() >= KEY_BYTES_MIN && random(value),
    };
    (fits && !is_placeholder(value)).then_some(Hit::likely(
        Kind::Secret,
        start,
        start + value.len(),
    ))
}

/// What the name that ends here says of its value.
fn name_of(head: &[u8], mark: u8) -> Option<Name> {
    let is_part =
        |b: &&u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.') || **b >= 0x80;
    let length = head.iter().rev().take_while(is_part).count();
    let raw = head.get(head.len() - length..)?;
    let folded: Vec<u8> = raw
        .iter()
        .filter(|b| !matches!(b, b'_' | b'-' | b'.'))
        .map(u8::to_ascii_lowercase)
        .collect();
    if mark == b' ' {
        let known = [b"password".as_slice(), b"passwd", b"pwd"];
        return known.iter().any(|name| folded == **name).then_some(Name::Secret);
    }
    if NAMES.endings.iter().any(|name| folded.ends_with(name)) {
        return Some(Name::Secret);
    }
    let (word, before) = last_word(raw);
    let word = word.to_ascii_lowercase();
    if word == b"authorization" {
        return Some(Name::Header);
    }
    if word == b"key" {
        let before = last_word(before).0.to_ascii_lowercase();
        return (!OPEN_KEYS.contains(&before.as_slice())).then_some(Name::Key);
    }
    NAMES.words.contains(&word.as_slice()).then_some(Name::Secret)
}

/// The last word of a name in parts, and what stands before it: `db_pass`, `dbPass`.
fn last_word(raw: &[u8]) -> (&[u8], &[u8]) {
    let raw = raw.trim_ascii_end();
    let is_border = |i: usize| {
        let (Some(here), Some(next)) = (raw.get(i), raw.get(i + 1)) else { return false };
        !here.is_ascii_alphanumeric() || here.is_ascii_lowercase() && next.is_ascii_uppercase()
    };
    let border = (0..raw.len()).rev().find(|i| is_border(*i)).map_or(0, |i| i + 1);
    let (before, word) = raw.split_at_checked(border).unwrap_or((b"", raw));
    (word, before.strip_suffix(b"_").or_else(|| before.strip_suffix(b"-")).unwrap_or(before))
}

/// Where the value starts, the value, and whether quotes stand around it.
fn value_of(text: &[u8], after: usize, mark: u8, name: Name) -> Option<(usize, &[u8], bool)> {
    let rest = text.get(after..)?;
    if mark == b':' && rest.first() == Some(&b':') {
        return None;
    }
    let rest = if matches!(mark, b'=' | b':') {
        rest.strip_prefix(b"=").or_else(|| rest.strip_prefix(b">")).unwrap_or(rest)
    } else {
        rest
    };
    let gap = rest.iter().take(8).take_while(|b| matches!(b, b' ' | b'\t')).count();
    let mut rest = rest.get(gap..)?;
    rest = rest.strip_prefix(b"\\").unwrap_or(rest);
    let quote = rest.first().copied().filter(|b| matches!(b, b'"' | b'\'' | b'`'));
    if quote.is_some() {
        rest = rest.get(1..)?;
    } else if mark == b'=' && text.get(after) == Some(&b'=') {
        // A comparison with something that has a name.
        return None;
    }
    for scheme in ["Bearer ", "Basic ", "Token ", "bearer ", "token "] {
        if name != Name::Key
            && let Some(token) = rest.strip_prefix(scheme.as_bytes())
        {
            rest = token;
        }
    }
    let end = |b: u8| match quote {
        Some(quote) => b == quote || matches!(b, b'\n' | b'\r' | b'\\'),
        None if mark == b'>' => matches!(b, b'<' | b' ' | b'\n' | b'\r'),
        None => {
            !b.is_ascii_graphic()
                || matches!(b, b'"' | b'\'' | b';' | b'`' | b',' | b')' | b'}' | b'<')
        }
    };
    let run = rest.iter().take(VALUE_BYTES_MAX).take_while(|b| !end(**b)).count();
    let mut value = rest.get(..run)?;
    if quote.is_none() {
        value = before_parameter(value);
        value = value.strip_suffix(b".").or_else(|| value.strip_suffix(b",")).unwrap_or(value);
    } else if value.contains(&b' ') {
        return None;
    }
    Some((text.len() - rest.len(), value, quote.is_some()))
}

/// A value up to the next parameter: `secret&user=x`.
fn before_parameter(value: &[u8]) -> &[u8] {
    let next = value.iter().enumerate().find(|(at, b)| {
        let name = value.get(at + 1..).unwrap_or_default();
        let length = name.iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'_').count();
        **b == b'&' && length > 0 && name.get(length) == Some(&b'=')
    });
    next.and_then(|(at, _)| value.get(..at)).unwrap_or(value)
}

/// `scheme://user:password@host`, or an address that is a key itself: the whole string opens it.
pub(crate) fn connection(text: &[u8], sign: usize) -> Option<Hit> {
    let window = text.get(sign.saturating_sub(20)..sign)?;
    let is_part = |b: &&u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-');
    let scheme = window.iter().rev().take_while(is_part).count();
    let start = sign - scheme;
    if scheme < 2 || !border_before(text, start) {
        return None;
    }
    let rest = text.get(sign + 3..)?;
    let is_part = |b: u8| {
        b.is_ascii_graphic() && !matches!(b, b'"' | b'\'' | b';' | b'`' | b',' | b')' | b'}' | b'<')
    };
    let run = rest.iter().take(VALUE_BYTES_MAX).take_while(|b| is_part(**b)).count();
    let rest = rest.get(..run)?;
    let whole = Hit::sure(Kind::Secret, start, sign + 3 + run);
    let hooks = [b"hooks.slack.com/services/".as_slice(), b"discord.com/api/webhooks/"];
    if hooks.iter().any(|hook| rest.starts_with(hook) && rest.len() > hook.len() + 20) {
        return Some(whole);
    }
    let authority = rest.split(|b| matches!(b, b'/' | b'?')).next()?;
    let at = authority.iter().rposition(|b| *b == b'@')?;
    let user = authority.get(..at)?;
    let colon = user.iter().position(|b| *b == b':')?;
    let password = user.get(colon + 1..)?;
    let given = !password.is_empty() && at + 1 < authority.len() && !is_placeholder(password);
    (given && !password.starts_with(b"$") && !password.starts_with(b"<")).then_some(whole)
}

fn is_placeholder(value: &[u8]) -> bool {
    let lower = value.to_ascii_lowercase();
    let has = |word: &str| lower.windows(word.len()).any(|w| w == word.as_bytes());
    let digit = value.iter().any(u8::is_ascii_digit);
    // An object identifier, a version.
    let numbers = value.contains(&b'.') && !value.iter().any(u8::is_ascii_alphabetic);
    // A variable's name in the place of its value.
    let variable = |open: u8| {
        value.first() == Some(&open)
            && value.iter().skip(1).all(|b| b.is_ascii_uppercase() || matches!(b, b'_' | b'%'))
    };
    let bracketed = matches!((value.first(), value.last()), (Some(b'<' | b'['), Some(b'>' | b']')));
    PLACEHOLDERS.iter().any(|word| has(word))
        || !digit && WORDS.iter().any(|word| lower.starts_with(word.as_bytes()))
        || numbers
        || variable(b'$')
        || variable(b'%')
        || bracketed
        || value.iter().all(|b| Some(b) == value.first())
}

/// Whether a value without quotes is a piece of a program: a call, a member, a path.
fn is_code(value: &[u8]) -> bool {
    let part = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b':' | b'>' | b'-');
    let dotted = value
        .windows(2)
        .any(|pair| matches!(pair, [b'.', b'a'..=b'z' | b'A'..=b'Z' | b'_'] | b"::" | b"->"));
    let last = value.rsplit(|b| !b.is_ascii_alphanumeric()).next().unwrap_or_default();
    let digits = last.iter().rev().take_while(|b| b.is_ascii_digit()).count();
    let last = last.get(..last.len() - digits).unwrap_or_default();
    value.iter().any(|b| matches!(b, b'(' | b'[')) && !random(value)
        || value.starts_with(b"/") && !random(value)
        || dotted && value.iter().all(part) && (!mixed(value) || name_of(last, b'=').is_some())
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
    let digit = classes.get(2) == Some(&true);
    (count >= 2 && digit) || count >= 3 || (entropy(value) >= RANDOM_BITS && !value.contains(&b' '))
}

/// Letters and digits both.
fn mixed(value: &[u8]) -> bool {
    value.iter().any(u8::is_ascii_digit) && value.iter().any(u8::is_ascii_alphabetic)
}

/// Letters of both cases and digits, as random characters of base64 have.
fn random(value: &[u8]) -> bool {
    mixed(value)
        && value.iter().any(u8::is_ascii_lowercase)
        && value.iter().any(u8::is_ascii_uppercase)
        && value.iter().all(|b| b.is_ascii_alphanumeric() || b"+/=_-.~%".contains(b))
        && entropy(value) >= RANDOM_BITS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Option<&str> {
        let signs = text.bytes().enumerate().filter(|(_, b)| b"=:> ".contains(b));
        signs.map(|(i, _)| i).find_map(|i| {
            let bytes = text.as_bytes();
            let scheme = text.get(i..)?.starts_with("://");
            let hit = if scheme { connection(bytes, i) } else { assigned(bytes, i) }?;
            text.get(hit.start..hit.end)
        })
    }

    #[test]
    fn values_that_a_name_calls_secret_are_found() {
        assert_eq!(value("DB_PASSWORD=Tr0ub4dor&3"), Some("Tr0ub4dor&3"));
        assert_eq!(value("x?token=f3b1c9d27a&user=1"), Some("f3b1c9d27a"));
        assert_eq!(value("\"api-key\": \"f3b1c9d27a\""), Some("f3b1c9d27a"));
        assert_eq!(value("AccountKey=Zm9vYmFyMTIz+/=="), Some("Zm9vYmFyMTIz+/=="));
        assert_eq!(value("<password>Summer24!</password>"), Some("Summer24!"));
        assert_eq!(value("machine h login u password s3cr3tPW"), Some("s3cr3tPW"));
        assert_eq!(value("dbPass = 'n0t;easy'"), Some("n0t;easy"));
        assert!(assigned("密碼：Ab12cd34".as_bytes(), 6).is_some());
        assert_eq!(
            value("postgres://app:s3cr3t@db.internal:5432/x "),
            Some("postgres://app:s3cr3t@db.internal:5432/x")
        );
    }

    #[test]
    fn placeholders_programs_and_other_keys_are_not() {
        for text in [
            "password: required",
            "token = null",
            "password=${PASSWORD}",
            "password=$DB_PASSWORD",
            "password = <your-password>",
            "password = user.password2",
            "token := getToken1(ctx)",
            "Token::Period2",
            "if sig == signal.SIGTERM1:",
            "pw = pw[:-1]",
            "AUTH = '1.3.6.1.5.5.7.3.1'",
            "key: abc123def",
            "cache_key=aB3dE5gH7jK9mN1pQ3sT",
            "bypass=lane12345",
            "your password must1 be",
            "https://example.com/a:b@c",
            "https://user:${PASS}@example.com",
        ] {
            assert_eq!(value(text), None, "{text}");
        }
    }
}
