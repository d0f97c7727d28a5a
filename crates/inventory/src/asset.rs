//! Assets and relations as they are kept.

use crate::{AssetKind, Attributes, History, RelationKind};
use kernel::{AssetId, DomainId, Name};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// What a thing is called by the one who knows it: its kind and a name unique within the kind,
/// written `data-store:customer-files`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AssetRef {
    /// The kind.
    pub kind: AssetKind,
    /// The name within the kind: an identifier of another system, a register's number.
    pub name: Name,
}

/// Why a text does not name an asset.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` does not name an asset; write its kind, a colon and its reference")]
pub struct AssetRefError(String);

impl AssetRef {
    /// The thing of a kind with a name.
    #[must_use]
    pub const fn new(kind: AssetKind, name: Name) -> Self {
        Self { kind, name }
    }
}

impl FromStr for AssetRef {
    type Err = AssetRefError;
    fn from_str(text: &str) -> Result<Self, AssetRefError> {
        let parsed = text.split_once(':').and_then(|(kind, name)| {
            Some(Self { kind: AssetKind::from_word(kind)?, name: name.parse().ok()? })
        });
        parsed.ok_or_else(|| AssetRefError(text.chars().take(160).collect()))
    }
}

impl TryFrom<String> for AssetRef {
    type Error = AssetRefError;
    fn try_from(text: String) -> Result<Self, AssetRefError> {
        text.parse()
    }
}

impl From<AssetRef> for String {
    fn from(reference: AssetRef) -> Self {
        reference.to_string()
    }
}

impl fmt::Display for AssetRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind, self.name)
    }
}

/// What changes about an asset over time.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AssetState {
    /// What people call it.
    pub name: Name,
    /// What is known about it.
    pub attributes: Attributes,
}

/// One thing with everything that was ever known about it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Asset {
    /// Our identifier.
    pub id: AssetId,
    /// What its source calls it.
    pub reference: AssetRef,
    /// The key domain that it belongs to.
    pub domain: DomainId,
    /// Its states, oldest first.
    pub history: History<AssetState>,
}

/// Which two things are related, and how.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct RelationKey {
    /// The one that does.
    pub from: AssetId,
    /// What it does.
    pub kind: RelationKind,
    /// The one to which it is done.
    pub to: AssetId,
}

/// One relation with its whole history.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Relation {
    /// Between what.
    pub key: RelationKey,
    /// When, and what more is known about it.
    pub history: History<Attributes>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_reads_back_and_a_stranger_is_refused() {
        let reference: AssetRef = "arrangement:A-07: core banking".parse().unwrap();
        assert_eq!(reference.name.as_str(), "A-07: core banking");
        assert_eq!(reference.to_string().parse::<AssetRef>(), Ok(reference));
        for bad in ["", "arrangement", "arrangement:", ":x", "castle:x", "key: x", "key:x\n"] {
            assert!(bad.parse::<AssetRef>().is_err(), "{bad:?}");
        }
    }
}
