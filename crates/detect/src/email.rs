//! E-mail addresses as people use them: a dotted local part, a domain with a letter at its end.

use crate::masks::Sides;
use crate::{Hit, Kind};
use std::sync::LazyLock;

const LOCAL_MAX: usize = 64;
const DOMAIN_MAX: usize = 255;

/// The same as [`around`], from the classes of the bytes on both sides: all at once where the
/// address is a usual one.
pub(crate) fn between(text: &[u8], sign: usize, sides: &Sides) -> Option<Hit> {
    let (head, tail) = (&sides.before, &sides.after);
    let word = head.letter | head.digit;
    let local = (word | head.dot | head.minus | head.under).leading_ones();
    let domain = (tail.letter | tail.digit | tail.dot | tail.minus).trailing_ones();
    let stop = sign.checked_sub(local as usize + 1).and_then(|at| text.get(at));
    if local == 64 || domain == 64 || stop.is_some_and(|b| of(&PARTS, *b) & LOCAL != 0) {
        return around(text, sign);
    }
    let run = !(u64::MAX >> local);
    let (word, dot) = (word & run, head.dot & run);
    if word == 0 || dot & (dot << 1 | 1 << 63) != 0 {
        return None;
    }
    let start = sign - (64 - word.trailing_zeros() as usize);
    let run = (1 << domain) - 1;
    let (word, dot) = ((tail.letter | tail.digit) & run, tail.dot & run);
    let end = 64 - word.leading_zeros();
    let run = run & !(u64::MAX.checked_shl(end).unwrap_or(0));
    let (dot, minus) = (dot & run, tail.minus & run);
    let after_dot = dot << 1 | 1;
    let doubled = dot & (after_dot | minus << 1) | minus & after_dot;
    let top = 64 - dot.leading_zeros();
    let other = (tail.digit | minus) & run & u64::MAX << top;
    let fits = doubled == 0 && dot != 0 && (2..=24).contains(&(end - top)) && other == 0;
    fits.then_some(Hit::sure(Kind::Email, start, sign + 1 + end as usize))
}

/// The address around the sign that stands here, if it is one's.
pub(crate) fn around(text: &[u8], sign: usize) -> Option<Hit> {
    let parts = &*PARTS;
    let head = text.get(sign.saturating_sub(LOCAL_MAX)..sign)?;
    // Quotes and joints before belong to the text: `'a@b.com'`, `mail=a@b.com`.
    let (mut first, mut after) = (0, b'.');
    for (before, byte) in head.iter().rev().enumerate() {
        let part = of(parts, *byte);
        if part & LOCAL == 0 {
            break;
        }
        // A full stop before the sign, or two in a row, are in no address.
        if *byte == b'.' && after == b'.' {
            return None;
        }
        after = *byte;
        if part & WORD != 0 {
            first = before + 1;
        }
    }
    if first == 0 {
        return None;
    }
    let end = domain(text, sign + 1, parts)?;
    Some(Hit::sure(Kind::Email, sign - first, end))
}

/// Where the domain that starts here ends: labels with dots between, the last of letters alone. A
/// full stop or hyphen at the end belongs to the sentence.
fn domain(text: &[u8], start: usize, parts: &[u8; 256]) -> Option<usize> {
    let rest = text.get(start..)?;
    let (mut before, mut doubled, mut digits) = (b'.', false, false);
    // Where the last label starts, and where it ends.
    let (mut top, mut end) = (0, 0);
    for (at, byte) in rest.iter().take(DOMAIN_MAX).enumerate() {
        let part = of(parts, *byte);
        if part & DOMAIN == 0 {
            break;
        }
        if part & WORD == 0 {
            doubled |= before == b'.' || before == b'-' && *byte == b'.';
        } else {
            if doubled {
                return None;
            }
            if before == b'.' {
                top = at;
                digits = false;
            }
            digits |= before == b'-' || part & DIGIT != 0;
            end = at + 1;
        }
        before = *byte;
    }
    let fits = top > 0 && (2..=24).contains(&(end - top)) && !digits;
    fits.then_some(start + end)
}

const LOCAL: u8 = 1;
const DOMAIN: u8 = 2;
/// Letters and digits, and digits alone.
const WORD: u8 = 4;
const DIGIT: u8 = 8;

/// What each byte may be part of.
static PARTS: LazyLock<[u8; 256]> = LazyLock::new(|| {
    std::array::from_fn(|place| match u8::try_from(place).unwrap_or(0) {
        b'a'..=b'z' | b'A'..=b'Z' => LOCAL | DOMAIN | WORD,
        b'0'..=b'9' => LOCAL | DOMAIN | WORD | DIGIT,
        b'.' | b'-' => LOCAL | DOMAIN,
        b'_' | b'%' | b'+' | b'\'' | b'~' => LOCAL,
        _ => 0,
    })
});

#[inline]
fn of(parts: &[u8; 256], byte: u8) -> u8 {
    parts.get(usize::from(byte)).copied().unwrap_or(0)
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
