//! Forms and queries (`application/x-www-form-urlencoded`), read within limits.

use kernel::{Problem, ProblemKind, Secret};
use std::fmt;
use zeroize::Zeroizing;

/// Longest form in bytes: a reason of 2,000 characters in any script, percent-encoded, with room.
pub(crate) const FORM_BYTES_MAX: usize = 64 * 1024;
/// Most fields of one form: our largest has nine.
const FIELDS_MAX: usize = 32;

/// The fields of a form or a query, as sent; wiped when dropped, for some are passwords.
#[derive(Default)]
pub(crate) struct Fields(Vec<(String, Zeroizing<String>)>);

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

impl Fields {
    /// Reads a form or a query.
    ///
    /// # Errors
    /// When it is too long, has too many fields, a field twice, or text that is not UTF-8.
    pub(crate) fn read(text: &[u8]) -> Result<Self, Problem> {
        if text.len() > FORM_BYTES_MAX {
            return Err(Problem::new(ProblemKind::TooLarge, "too-large", "the form is too long"));
        }
        let mut fields = Self::default();
        for pair in text.split(|b| *b == b'&').filter(|pair| !pair.is_empty()) {
            let mut halves = pair.splitn(2, |b| *b == b'=');
            let name = decoded(halves.next().unwrap_or_default())?;
            let value = decoded(halves.next().unwrap_or_default())?;
            if fields.0.len() == FIELDS_MAX || fields.0.iter().any(|(known, _)| *known == *name) {
                return Err(not_understood());
            }
            fields.0.push((name.to_string(), value));
        }
        Ok(fields)
    }

    /// The value of a field, trimmed; empty when it was not sent.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.exact(name).trim()
    }

    /// The value of a field exactly as sent; empty when it was not sent.
    pub(crate) fn exact(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.as_str())
    }

    /// The value of a field that is a secret, exactly as sent.
    pub(crate) fn secret(&self, name: &str) -> Secret<String> {
        Secret::new(self.exact(name).to_owned())
    }
}

fn not_understood() -> Problem {
    Problem::new(ProblemKind::Invalid, "invalid-form", "the form is not understood")
}

/// Percent-decoding with `+` for a space.
fn decoded(text: &[u8]) -> Result<Zeroizing<String>, Problem> {
    // No reallocation: a copy of a password would stay behind in freed memory.
    let mut out = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match first {
            b'+' => out.push(b' '),
            b'%' => {
                let (pair, after) = rest.split_at_checked(2).ok_or_else(not_understood)?;
                rest = after;
                let byte = pair.iter().try_fold(0u8, |byte, digit| {
                    let digit = char::from(*digit).to_digit(16)?;
                    Some(byte << 4 | u8::try_from(digit).ok()?)
                });
                out.push(byte.ok_or_else(not_understood)?);
            }
            byte => out.push(*byte),
        }
    }
    let text = std::str::from_utf8(&out).map_err(|_| not_understood())?;
    Ok(Zeroizing::new(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_form_reads_back() {
        let fields = Fields::read("name=a+b%26c&reason=%E5%AF%86&empty=".as_bytes()).unwrap();
        assert_eq!(fields.text("name"), "a b&c");
        assert_eq!(fields.text("reason"), "密");
        assert_eq!(fields.text("empty"), "");
        assert_eq!(fields.text("absent"), "");
    }

    #[test]
    fn a_password_keeps_its_spaces_and_does_not_print() {
        let fields = Fields::read(b"password=+hunter2+").unwrap();
        assert_eq!(fields.secret("password").expose(), " hunter2 ");
        assert_eq!(format!("{fields:?}"), "{\"password\"}");
    }

    #[test]
    fn a_form_that_breaks_a_limit_is_refused() {
        assert!(Fields::read(&vec![b'a'; FORM_BYTES_MAX]).is_ok());
        assert!(Fields::read(&vec![b'a'; FORM_BYTES_MAX + 1]).is_err());
        let many = |n: usize| (0..n).map(|n| format!("f{n}=1&")).collect::<String>();
        assert!(Fields::read(many(FIELDS_MAX).as_bytes()).is_ok());
        assert!(Fields::read(many(FIELDS_MAX + 1).as_bytes()).is_err());
        for bad in ["a=1&a=2", "a=%", "a=%2", "a=%zz", "a=%ff"] {
            assert!(Fields::read(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = Fields::read(&bytes);
        }

        #[test]
        fn what_is_encoded_is_read_back(text in "\\PC{0,40}") {
            let form = format!("x={}", crate::elements::query_value(&text));
            prop_assert_eq!(Fields::read(form.as_bytes()).unwrap().exact("x").to_owned(), text);
        }
    }
}
