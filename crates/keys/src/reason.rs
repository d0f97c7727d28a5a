//! Why somebody does something that others will have to understand later.

use kernel::limits::TEXT_CHARS_MAX;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A reason in words, 1 to 2,000 characters, kept in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Reason(String);

/// The text is no reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a reason has 1 to {TEXT_CHARS_MAX} characters and more than blanks")]
pub struct ReasonError;

impl Reason {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Reason {
    type Error = ReasonError;
    fn try_from(text: String) -> Result<Self, ReasonError> {
        let length = text.chars().count();
        let hidden = text.chars().any(|c| c.is_control() && c != '\n');
        if length > TEXT_CHARS_MAX || text.trim().is_empty() || hidden {
            return Err(ReasonError);
        }
        Ok(Self(text))
    }
}

impl std::str::FromStr for Reason {
    type Err = ReasonError;
    fn from_str(text: &str) -> Result<Self, ReasonError> {
        Self::try_from(text.to_owned())
    }
}

impl From<Reason> for String {
    fn from(reason: Reason) -> Self {
        reason.0
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_says_something_and_has_an_end() {
        assert!("provider breach reported by 電郵".parse::<Reason>().is_ok());
        assert!("x".repeat(TEXT_CHARS_MAX).parse::<Reason>().is_ok());
        for bad in ["", "  ", "\n", "a\u{1b}[0m", "x".repeat(TEXT_CHARS_MAX + 1).as_str()] {
            assert!(bad.parse::<Reason>().is_err(), "{bad:?}");
        }
    }
}
