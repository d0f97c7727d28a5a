//! What is known about a thing: a small map from words to scalars.

use kernel::Label;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// Most attributes of one thing: more than any register's form has columns for.
pub(crate) const ATTRIBUTES_MAX: usize = 64;
/// Longest text of one attribute, in characters: a paragraph, not a document.
pub(crate) const ATTRIBUTE_CHARS_MAX: usize = 1_000;

/// Why a value is not an attribute.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AttributeError {
    /// More than one thing may carry.
    #[error("more than 64 attributes")]
    TooMany,
    /// Longer than a paragraph.
    #[error("`{}` is longer than 1,000 characters", .0.as_str())]
    TooLong(Label),
    /// Holds characters that do not show.
    #[error("`{}` holds control characters", .0.as_str())]
    Invisible(Label),
}

/// The value of an attribute. Dates are text: `2026-11-21` or RFC 3339.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Scalar {
    /// Yes or no.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// Text, up to 1,000 characters.
    Text(String),
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Boolean(value) => value.fmt(f),
            Self::Integer(value) => value.fmt(f),
            Self::Text(value) => f.write_str(value),
        }
    }
}

impl From<&str> for Scalar {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<bool> for Scalar {
    fn from(value: bool) -> Self {
        Self::Boolean(value)
    }
}

impl From<i64> for Scalar {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

/// The attributes of one thing, in order of their words.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<Label, Scalar>", into = "BTreeMap<Label, Scalar>")]
pub struct Attributes(BTreeMap<Label, Scalar>);

impl Attributes {
    /// The value of an attribute.
    #[must_use]
    pub fn get(&self, word: &str) -> Option<&Scalar> {
        self.iter().find(|(key, _)| *key == word).map(|(_, value)| value)
    }

    /// The value of an attribute that is text.
    #[must_use]
    pub fn text(&self, word: &str) -> Option<&str> {
        match self.get(word) {
            Some(Scalar::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// Whether an attribute is there and true.
    #[must_use]
    pub fn is_true(&self, word: &str) -> bool {
        self.get(word) == Some(&Scalar::Boolean(true))
    }

    /// All attributes, by word.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Scalar)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// The same attributes with one more, or with another value for it.
    ///
    /// # Errors
    /// When there would be more than 64, or the text is too long or does not show.
    pub fn with(mut self, word: Label, value: impl Into<Scalar>) -> Result<Self, AttributeError> {
        self.0.insert(word, value.into());
        Self::try_from(self.0)
    }
}

impl TryFrom<BTreeMap<Label, Scalar>> for Attributes {
    type Error = AttributeError;
    fn try_from(map: BTreeMap<Label, Scalar>) -> Result<Self, AttributeError> {
        if map.len() > ATTRIBUTES_MAX {
            return Err(AttributeError::TooMany);
        }
        for (word, value) in &map {
            let Scalar::Text(text) = value else { continue };
            if text.chars().count() > ATTRIBUTE_CHARS_MAX {
                return Err(AttributeError::TooLong(word.clone()));
            }
            if text.chars().any(|c| c.is_control() && c != '\n') {
                return Err(AttributeError::Invisible(word.clone()));
            }
        }
        Ok(Self(map))
    }
}

impl From<Attributes> for BTreeMap<Label, Scalar> {
    fn from(attributes: Attributes) -> Self {
        attributes.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(text: &str) -> Label {
        Label::try_from(text.to_owned()).unwrap()
    }

    #[test]
    fn scalars_keep_their_type_in_json() {
        let attributes: Attributes =
            serde_json::from_str(r#"{"tier":"1","critical":true,"zones":3}"#).unwrap();
        assert_eq!(attributes.text("tier"), Some("1"));
        assert!(attributes.is_true("critical"));
        assert_eq!(attributes.get("zones"), Some(&Scalar::Integer(3)));
        let json = serde_json::to_string(&attributes).unwrap();
        assert_eq!(serde_json::from_str::<Attributes>(&json).unwrap(), attributes);
        assert!(serde_json::from_str::<Attributes>(r#"{"a":[1]}"#).is_err());
    }

    #[test]
    fn each_limit_is_kept() {
        let full = (0..ATTRIBUTES_MAX)
            .try_fold(Attributes::default(), |all, i| all.with(word(&format!("a{i}")), true));
        assert_eq!(full.unwrap().with(word("more"), true), Err(AttributeError::TooMany));
        let fits = "密".repeat(ATTRIBUTE_CHARS_MAX);
        assert!(Attributes::default().with(word("a"), fits.as_str()).is_ok());
        let long = format!("{fits}密");
        assert!(Attributes::default().with(word("a"), long.as_str()).is_err());
        assert!(Attributes::default().with(word("a"), "bell\u{7}").is_err());
    }
}
