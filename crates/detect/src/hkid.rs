//! Hong Kong identity card numbers: one or two letters, six digits, a check digit, often in
//! brackets.
//!
//! Check: letters count 10 to 35, a missing first letter 36; weights 9 and 8 for the letters, 7 to
//! 2 for the digits, 1 for the check digit; the sum is divisible by 11, where 10 is written `A`.

use crate::text::{self, border_after, plain};
use crate::topic::Topic;
use crate::{Confidence, Hit, Kind};

/// The number that starts here, if one does.
pub(crate) fn at(text: &[u8], start: usize, topic: impl FnOnce() -> Option<Topic>) -> Option<Hit> {
    // ASCII digits: six and a bracket, seven, or three and a space.
    let letters = 1 + usize::from(text.get(start + 1)?.is_ascii_alphabetic());
    if text.get(start + letters)?.is_ascii_digit() {
        let digits = text::digits(text, start + letters);
        let check = start + letters + 6;
        match (digits, text.get(check..check + 3)) {
            (6, Some([b'(', check, b')']))
                if usual(text, start, letters) != Some(check.to_ascii_uppercase()) =>
            {
                return None;
            }
            (7, Some([check, ..])) if usual(text, start, letters) != Some(*check) => return None,
            (3 | 6 | 7, _) => {}
            _ => return None,
        }
    }
    let mut reader = Reader { text, at: start };
    let first = reader.letter()?;
    let second = reader.letter();
    let spaced = reader.one_of(b" ");
    let label = spaced && is_label(first, second);
    let mut sum = match second {
        Some(second) => 9 * value(first) + 8 * value(second),
        None => 9 * 36 + 8 * value(first),
    };
    for weight in (2..=7).rev() {
        sum += weight * reader.digit_maybe_after_space(weight)?;
    }
    reader.space();
    let bracket = reader.one_of(b"(");
    let check = match reader.next()? {
        c @ b'0'..=b'9' => u32::from(c - b'0'),
        b'A' | b'a' => 10,
        _ => return None,
    };
    if bracket && !reader.one_of(b")") || label && !bracket {
        return None;
    }
    let end = reader.at;
    if !(sum + check).is_multiple_of(11) || !border_after(text, end) {
        return None;
    }
    let sure = bracket || topic() == Some(Topic::Identity);
    let confidence = if sure { Confidence::Sure } else { Confidence::Possible };
    Some(Hit { kind: Kind::HongKongIdentityCard, start, end, confidence })
}

/// Whether two letters before a space are a word that announces some number: `ID 1234567`.
fn is_label(first: u8, second: Option<u8>) -> bool {
    let letters = [first, second.unwrap_or(b' ')].map(|letter| letter.to_ascii_uppercase());
    matches!(&letters, b"ID" | b"NO")
}

/// The check digit that one or two letters and six digits need, without anything between.
fn usual(text: &[u8], start: usize, letters: usize) -> Option<u8> {
    let number = text.get(start..start + letters + 6)?;
    let (letters, digits) = number.split_at_checked(letters)?;
    if !letters.iter().all(u8::is_ascii_alphabetic) {
        return None;
    }
    let sum = match letters {
        [first, second] => 9 * value(*first) + 8 * value(*second),
        [first] => 9 * 36 + 8 * value(*first),
        _ => return None,
    };
    let digits = digits.iter().zip([7u32, 6, 5, 4, 3, 2]);
    let sum = digits.fold(sum, |sum, (digit, weight)| sum + weight * u32::from(digit - b'0'));
    Some(match (11 - sum % 11) % 11 {
        10 => b'A',
        check => b'0' + u8::try_from(check).ok()?,
    })
}

fn value(letter: u8) -> u32 {
    u32::from(letter.to_ascii_uppercase() - b'A') + 10
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn next(&mut self) -> Option<u8> {
        let (c, n) = plain(self.text, self.at)?;
        self.at += n;
        Some(c)
    }

    fn one_of(&mut self, wanted: &[u8]) -> bool {
        let found = plain(self.text, self.at).filter(|(c, _)| wanted.contains(c));
        self.at += found.map_or(0, |(_, n)| n);
        found.is_some()
    }

    fn space(&mut self) {
        self.one_of(b" ");
    }

    fn letter(&mut self) -> Option<u8> {
        let (c, n) = plain(self.text, self.at).filter(|(c, _)| c.is_ascii_alphabetic())?;
        self.at += n;
        Some(c)
    }

    /// A digit; after the third one people leave a space.
    fn digit_maybe_after_space(&mut self, weight: u32) -> Option<u32> {
        if weight == 4 {
            self.space();
        }
        let (c, n) = plain(self.text, self.at).filter(|(c, _)| c.is_ascii_digit())?;
        self.at += n;
        Some(u32::from(c - b'0'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topic::Near;

    fn found(text: &str) -> Option<(usize, Confidence)> {
        at(text.as_bytes(), 0, || None).map(|hit| (hit.end, hit.confidence))
    }

    #[test]
    fn published_specimens_in_every_way_of_writing_are_found() {
        for text in [
            "A123456(3)",
            "E364912(5)",
            "AB987654(3)",
            "AB123456(9)",
            "D288754(2)",
            "a123456(3)",
            "A 123456 (3)",
            "A123 456(3)",
            "A123456（3）",
            "Ａ１２３４５６（３）",
        ] {
            assert_eq!(found(text), Some((text.len(), Confidence::Sure)), "{text}");
        }
        assert_eq!(found("A1234563"), Some((8, Confidence::Possible)));
    }

    #[test]
    fn a_wrong_check_digit_is_no_number() {
        for c in "012456789A".chars() {
            assert_eq!(found(&format!("A123456({c})")), None);
        }
        for text in ["A123456(3", "A12345(3)", "A1234567(3)", "ABC123456(3)", "1123456(3)", ""] {
            assert_eq!(found(text), None, "{text}");
        }
    }

    #[test]
    fn a_label_is_no_part_of_a_number() {
        assert_eq!(found("ID 7407856"), None);
        assert_eq!(found("ID740785(6)"), Some((11, Confidence::Sure)));
    }

    #[test]
    fn a_word_nearby_makes_a_bare_number_sure() {
        for before in ["HKID: ", "身份證號碼：", "identity card no. "] {
            let text = format!("{before}A1234563");
            let near = Near::read(text.as_bytes(), before.len());
            let topic = || crate::topic::before(text.as_bytes(), before.len(), &near);
            let hit = at(text.as_bytes(), before.len(), topic).unwrap();
            assert_eq!(hit.confidence, Confidence::Sure, "{before}");
        }
    }
}
