//! E-mail addresses as people use them: a dotted local part, a domain with a letter at its end.

use crate::{Confidence, Hit, Kind};

const LOCAL_MAX: usize = 64;
const DOMAIN_MAX: usize = 255;

/// The address around the sign that stands here, if it is one's.
pub(crate) fn around(text: &[u8], sign: usize) -> Option<Hit> {
    let local =
        text.get(..sign)?.iter().rev().take(LOCAL_MAX + 1).take_while(|b| is_local(**b)).count();
    let mut start = sign - local.min(LOCAL_MAX);
    // Quotes and joints before belong to the text: `'a@b.com'`, `mail=a@b.com`.
    if let Some(name) = text.get(start..sign)
        && let Some(joint) = name.iter().rposition(|b| matches!(b, b'=' | b'&'))
    {
        start += joint + 1;
    }
    while text.get(start).is_some_and(|b| !b.is_ascii_alphanumeric()) && start < sign {
        start += 1;
    }
    at(text, start)
}

/// The address that starts here, if one does.
fn at(text: &[u8], start: usize) -> Option<Hit> {
    let rest = text.get(start..)?;
    let local = rest.iter().take(LOCAL_MAX + 1).take_while(|b| is_local(**b)).count();
    if local == 0 || local > LOCAL_MAX || rest.get(local) != Some(&b'@') {
        return None;
    }
    let (name, domain) = (rest.get(..local)?, rest.get(local + 1..)?);
    if name.last() == Some(&b'.') || name.windows(2).any(|pair| pair == b"..") {
        return None;
    }
    let run = domain.iter().take(DOMAIN_MAX + 1).take_while(|b| is_domain(**b)).count();
    let mut domain = domain.get(..run.min(DOMAIN_MAX))?;
    // A full stop or hyphen at the end belongs to the sentence.
    while let Some((b'.' | b'-', shorter)) = domain.split_last() {
        domain = shorter;
    }
    let labels = domain.split(|b| *b == b'.');
    let top = domain.rsplit(|b| *b == b'.').next()?;
    let fits = domain.contains(&b'.')
        && labels.clone().all(|label| {
            !label.is_empty() && label.first() != Some(&b'-') && label.last() != Some(&b'-')
        })
        && (2..=24).contains(&top.len())
        && top.iter().all(u8::is_ascii_alphabetic);
    let end = start + local + 1 + domain.len();
    fits.then_some(Hit { kind: Kind::Email, start, end, confidence: Confidence::Sure })
}

const fn is_local(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'.' | b'_' | b'%' | b'+' | b'-' | b'\'' | b'&' | b'~' | b'=')
}

const fn is_domain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_found_and_the_full_stop_left() {
        for (text, end) in
            [("a@example.com", 13), ("a.b+c@mail.example.com.hk.", 25), ("x_1@a-b.example, y", 15)]
        {
            assert_eq!(at(text.as_bytes(), 0).map(|h| h.end), Some(end), "{text}");
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
            assert!(at(text.as_bytes(), 0).is_none(), "{text}");
        }
        assert!(at(["a".repeat(65), "@b.com".into()].concat().as_bytes(), 0).is_none());
    }
}
