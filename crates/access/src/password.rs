//! What is accepted as a password. Hashing is the strongroom's work.

use kernel::Secret;

/// Fewest characters (NIST SP 800-63B-4 asks for 15 alone, 8 beside a second factor; every person
/// here has a second factor).
pub const PASSWORD_CHARS_MIN: usize = 12;
/// Most characters; longer ones would only cost time.
pub const PASSWORD_CHARS_MAX: usize = 256;
/// Fewest different characters: `aaaaaaaaaaaa` is twelve long and no password.
pub const PASSWORD_DIFFERENT_MIN: usize = 5;

/// Stems that common passwords of twelve characters and more are built from.
const COMMON: &[&str] = &[
    "password", "passw0rd", "p@ssword", "p@ssw0rd", "qwerty", "asdfgh", "zxcvbn", "letmein",
    "iloveyou", "welcome", "admin", "changeme", "abc123", "123456", "654321", "111111", "000000",
    "888888", "1q2w3e", "q1w2e3", "monkey", "dragon", "football", "baseball", "sunshine",
    "princess", "superman", "trustno1", "hongkong", "lionrock", "default", "secret", "winter",
    "summer", "spring", "autumn",
];

/// Why a password is not accepted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PasswordProblem {
    /// Fewer than [`PASSWORD_CHARS_MIN`] characters.
    #[error("use at least 12 characters")]
    TooShort,
    /// More than [`PASSWORD_CHARS_MAX`] characters.
    #[error("use at most 256 characters")]
    TooLong,
    /// Nearly the same character throughout.
    #[error("use at least 5 different characters")]
    TooUniform,
    /// It contains the name.
    #[error("the password must not contain your name")]
    ContainsName,
    /// It is built around a common one.
    #[error("the password is built around a common one, use several unrelated words")]
    Common,
    /// It is the one that shall be replaced.
    #[error("the new password is the old one")]
    Unchanged,
}

/// Whether a password is acceptable for a person of these names.
///
/// # Errors
/// What is wrong with it, in words that help.
pub fn check_password(password: &Secret<String>, names: &[&str]) -> Result<(), PasswordProblem> {
    let text = password.expose();
    let chars = text.chars().count();
    if chars < PASSWORD_CHARS_MIN {
        return Err(PasswordProblem::TooShort);
    }
    if chars > PASSWORD_CHARS_MAX {
        return Err(PasswordProblem::TooLong);
    }
    let mut different: Vec<char> = text.chars().collect();
    different.sort_unstable();
    different.dedup();
    if different.len() < PASSWORD_DIFFERENT_MIN {
        return Err(PasswordProblem::TooUniform);
    }
    let lower = lower_case(text);
    let named = names
        .iter()
        .flat_map(|name| name.split(|c: char| !c.is_alphanumeric()))
        .filter(|part| part.chars().count() >= 4)
        .any(|part| lower.expose().contains(&part.to_lowercase()));
    if named {
        return Err(PasswordProblem::ContainsName);
    }
    // A common stem counts when little else stands around it.
    let common = COMMON.iter().any(|stem| {
        lower.expose().contains(stem) && chars < stem.chars().count() + PASSWORD_CHARS_MIN
    });
    if common { Err(PasswordProblem::Common) } else { Ok(()) }
}

fn lower_case(text: &str) -> Secret<String> {
    Secret::new(text.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<(), PasswordProblem> {
        check_password(&Secret::new(text.to_owned()), &["key.custodian-a", "Key Custodian A"])
    }

    #[test]
    fn good_ones_pass_in_any_script() {
        for good in ["tram kettle violet 9", "獅子山下同舟共濟齊心一氣", "Zx7-mountain-ferry"]
        {
            assert_eq!(check(good), Ok(()), "{good}");
        }
    }

    #[test]
    fn bad_ones_are_refused_with_their_reason() {
        for (bad, why) in [
            ("short", PasswordProblem::TooShort),
            ("elevenchars", PasswordProblem::TooShort),
            ("aaaaaaaaaaaaaaaa", PasswordProblem::TooUniform),
            ("abababababababab", PasswordProblem::TooUniform),
            ("my-Custodian-pass", PasswordProblem::ContainsName),
            ("Password1234!", PasswordProblem::Common),
            ("qwertyuiop12", PasswordProblem::Common),
        ] {
            assert_eq!(check(bad), Err(why), "{bad}");
        }
        assert_eq!(check(&"tram kettle ".repeat(30)), Err(PasswordProblem::TooLong));
    }
}
