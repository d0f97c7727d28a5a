//! E-mail addresses as people use them: a dotted local part, a domain with a letter at its end.

use crate::{Hit, Kind};
use std::sync::LazyLock;

const LOCAL_MAX: usize = 64;
const DOMAIN_MAX: usize = 255;

/// The address around the sign that stands here, if it is one's.
pub(crate) fn around(text: &[u8], sign: usize) -> Option<Hit> {
    let parts = &*PARTS;
    let head = text.get(sign.saturating_sub(LOCAL_MAX)..sign)?;
    // Quotes and joints before belong to the text: `'a@b.com'`, `mail=a@b.com`.
    let (mut length, mut first, mut after) = (0, 0, b'.');
    for byte in head.iter().rev().take_while(|b| is(parts, **b, LOCAL)) {
        if *byte == b'.' && after == b'.' {
            break;
        }
        after = *byte;
        length += 1;
        if byte.is_ascii_alphanumeric() {
            first = length;
        }
    }
    // A full stop before the sign, or two in a row, are in no address.
    let doubled = head.len().checked_sub(length + 1).and_then(|at| head.get(at)) == Some(&b'.');
    if first == 0 || doubled {
        return None;
    }
    let end = domain(text, sign + 1, parts)?;
    Some(Hit::sure(Kind::Email, sign - first, end))
}

/// Where the domain that starts here ends: labels with dots between, the last of letters alone.
fn domain(text: &[u8], start: usize, parts: &[u8; 256]) -> Option<usize> {
    let rest = text.get(start..)?;
    let run = rest.iter().take(DOMAIN_MAX).take_while(|b| is(parts, **b, DOMAIN)).count();
    let mut domain = rest.get(..run)?;
    // A full stop or hyphen at the end belongs to the sentence.
    while let Some((b'.' | b'-', shorter)) = domain.split_last() {
        domain = shorter;
    }
    let (mut before, mut dot) = (b'.', None);
    for (at, byte) in domain.iter().enumerate() {
        if matches!((before, byte), (b'.', b'.' | b'-') | (b'-', b'.')) {
            return None;
        }
        if *byte == b'.' {
            dot = Some(at);
        }
        before = *byte;
    }
    let top = domain.get(dot? + 1..)?;
    let fits = (2..=24).contains(&top.len()) && top.iter().all(u8::is_ascii_alphabetic);
    fits.then_some(start + domain.len())
}

const LOCAL: u8 = 1;
const DOMAIN: u8 = 2;

/// What each byte may be part of.
static PARTS: LazyLock<[u8; 256]> = LazyLock::new(|| {
    std::array::from_fn(|place| match u8::try_from(place).unwrap_or(0) {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' => LOCAL | DOMAIN,
        b'_' | b'%' | b'+' | b'\'' | b'~' => LOCAL,
        _ => 0,
    })
});

fn is(parts: &[u8; 256], byte: u8, part: u8) -> bool {
    parts.get(usize::from(byte)).is_some_and(|parts| parts & part != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &[u8]) -> Option<Hit> {
        around(text, text.iter().position(|b| *b == b'@')?).filter(|hit| hit.start == 0)
    }

    #[test]
    fn addresses_are_found_and_the_full_stop_left() {
        for (text, end) in
            [("a@example.com", 13), ("a.b+c@mail.example.com.hk.", 25), ("x_1@a-b.example, y", 15)]
        {
            assert_eq!(at(text.as_bytes()).map(|h| h.end), Some(end), "{text}");
        }
    }

    #[test]
    fn other_uses_of_the_sign_are_not() {
        for text in [
            "a@b",
            "@a.com",
            "a@.com",
            "a@-b.com",
            "a..b@c.com",
            "a.@c.com",
            "a@b.c1",
            "a@1.2.3.4",
            "a@b..com",
        ] {
            assert!(at(text.as_bytes()).is_none(), "{text}");
        }
        assert!(at(["a".repeat(65), "@b.com".into()].concat().as_bytes()).is_none());
    }
}
