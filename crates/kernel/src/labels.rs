//! Names and labels that people give to things: parsed once, at the door.

use crate::limits::{LABELS_MAX, NAME_CHARS_MAX};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// Why a text is not a name or a label.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LabelError {
    /// Empty, too long, or with characters that do not show.
    #[error("a name has 1 to 128 visible characters without line breaks")]
    Name,
    /// A label's key is a word of lower-case letters, digits, `-`, `_`, `.`.
    #[error("`{0}` is not a label: use 1 to 63 of a-z, 0-9, `-`, `_`, `.`")]
    Key(String),
    /// More labels than one thing may carry.
    #[error("more than 32 labels")]
    TooMany,
}

/// A name as people write it, in any script; shown, never interpreted.
/// ```
/// use kernel::Name;
/// let name: Name = "密碼匙保管人甲".parse().unwrap();
/// assert_eq!(name.as_str(), "密碼匙保管人甲");
/// // What could pass for another name is none.
/// assert!("ledger\u{200b}".parse::<Name>().is_err() && " ledger".parse::<Name>().is_err());
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

impl Name {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn visible(text: &str) -> bool {
    // Bidirectional controls and zero-width characters let one name pass for another.
    !text.chars().any(|c| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    })
}

impl TryFrom<String> for Name {
    type Error = LabelError;
    fn try_from(text: String) -> Result<Self, LabelError> {
        let n = text.chars().count();
        if n == 0 || n > NAME_CHARS_MAX || text.trim() != text || !visible(&text) {
            return Err(LabelError::Name);
        }
        Ok(Self(text))
    }
}

impl std::str::FromStr for Name {
    type Err = LabelError;
    fn from_str(text: &str) -> Result<Self, LabelError> {
        Self::try_from(text.to_owned())
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// The key of a label: `workload`, `criticality`, `data-class`, `residency`.
/// ```
/// use kernel::Label;
/// assert_eq!(Label::try_from(String::from("data-class")).unwrap().as_str(), "data-class");
/// assert!(Label::try_from(String::from("Data class")).is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Label(String);

impl Label {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Label {
    type Error = LabelError;
    fn try_from(text: String) -> Result<Self, LabelError> {
        let fits = (1..=63).contains(&text.len())
            && text.bytes().all(|b| {
                b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_' | b'.')
            });
        if fits { Ok(Self(text)) } else { Err(LabelError::Key(text.chars().take(64).collect())) }
    }
}

impl From<Label> for String {
    fn from(label: Label) -> Self {
        label.0
    }
}

/// Labels of one thing, in order of their keys; at most 32.
/// ```
/// use kernel::Labels;
/// let text = r#"{ "workload": "core", "criticality": "high" }"#;
/// let labels: Labels = serde_json::from_str(text).unwrap();
/// assert_eq!(labels.get("workload"), Some("core"));
/// assert_eq!(labels.iter().next(), Some(("criticality", "high")), "in order of their keys");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<Label, Name>", into = "BTreeMap<Label, Name>")]
pub struct Labels(BTreeMap<Label, Name>);

impl Labels {
    /// The value of a label.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.iter().find(|(k, _)| *k == key).map(|(_, v)| v)
    }

    /// All labels, by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(k, v)| (k.as_str(), v.as_str()))
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl TryFrom<BTreeMap<Label, Name>> for Labels {
    type Error = LabelError;
    fn try_from(map: BTreeMap<Label, Name>) -> Result<Self, LabelError> {
        if map.len() > LABELS_MAX { Err(LabelError::TooMany) } else { Ok(Self(map)) }
    }
}

impl From<Labels> for BTreeMap<Label, Name> {
    fn from(labels: Labels) -> Self {
        labels.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_any_script_are_kept_and_tricks_refused() {
        for good in ["core-ledger", "密碼匙保管人甲", "Key Custodian A", "a".repeat(128).as_str()]
        {
            assert!(good.parse::<Name>().is_ok(), "{good}");
        }
        for bad in ["", " a", "a ", "a\nb", "a\u{202e}b", "a\u{200b}", "a".repeat(129).as_str()] {
            assert!(bad.parse::<Name>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_label_key_is_a_plain_word() {
        assert!(serde_json::from_str::<Labels>(r#"{"data-class":"restricted"}"#).is_ok());
        for bad in [r#"{"":"x"}"#, r#"{"A":"x"}"#, r#"{"a b":"x"}"#, r#"{"a":""}"#] {
            assert!(serde_json::from_str::<Labels>(bad).is_err(), "{bad}");
        }
    }
}
