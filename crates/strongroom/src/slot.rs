//! Places: what a wrapped key or a sealed record is bound to.

use crate::root::{ShredFamily, ShredId};
use kernel::{DomainId, KeyId, Timestamp, VersionNo};
use serde::{Deserialize, Serialize};
use std::fmt;

/// One version of one key in its key domain.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct KeySlot {
    /// The key domain.
    pub domain: DomainId,
    /// The key.
    pub key: KeyId,
    /// Its version.
    pub version: VersionNo,
}

impl fmt::Display for KeySlot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.key, self.version)
    }
}

/// Longest subject of a personal-data key, in bytes.
pub const SUBJECT_BYTES_MAX: usize = 256;

/// A calendar month in UTC.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Month(u32);

impl Month {
    /// The month in which `at` lies.
    #[must_use]
    pub fn of(at: Timestamp) -> Self {
        let text = at.rfc3339();
        let digits = text.bytes().take(7).filter(u8::is_ascii_digit);
        Self(digits.fold(0, |acc, digit| acc * 10 + u32::from(digit - b'0')))
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.0 / 100, self.0 % 100)
    }
}

/// Whose personal data, in which key domain, of which month: the unit that is shredded.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct PersonalSlot {
    /// The key domain.
    pub domain: DomainId,
    /// The person, as the caller names it: an identifier, at most 256 bytes.
    pub subject: String,
    /// The month.
    pub month: Month,
}

/// What a wrapped key belongs to.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Slot {
    /// A version of a key.
    Key(KeySlot),
    /// A personal-data key.
    Personal(PersonalSlot),
}

impl From<KeySlot> for Slot {
    fn from(slot: KeySlot) -> Self {
        Self::Key(slot)
    }
}

impl From<PersonalSlot> for Slot {
    fn from(slot: PersonalSlot) -> Self {
        Self::Personal(slot)
    }
}

impl Slot {
    pub(crate) const fn domain(&self) -> DomainId {
        match self {
            Self::Key(slot) => slot.domain,
            Self::Personal(slot) => slot.domain,
        }
    }

    pub(crate) const fn family(&self) -> ShredFamily {
        match self {
            Self::Key(_) => ShredFamily::Keys,
            Self::Personal(_) => ShredFamily::Personal,
        }
    }

    /// The bytes that a wrapped key is bound to; no two slots share them.
    pub(crate) fn bind(&self, out: &mut Vec<u8>) {
        match self {
            Self::Key(slot) => {
                out.push(1);
                out.extend_from_slice(&slot.domain.to_bytes());
                out.extend_from_slice(&slot.key.to_bytes());
                out.extend_from_slice(&slot.version.0.to_be_bytes());
            }
            Self::Personal(slot) => {
                out.push(2);
                out.extend_from_slice(&slot.domain.to_bytes());
                out.extend_from_slice(&slot.month.0.to_be_bytes());
                out.extend_from_slice(slot.subject.as_bytes());
            }
        }
    }
}

/// A key as it is stored: useless without the root.
#[derive(Debug)]
pub struct StoredKey {
    /// The material, wrapped under the shred key.
    pub wrapped: Vec<u8>,
    /// The public half as SubjectPublicKeyInfo in DER (RFC 5280), for key pairs.
    pub public_der: Option<Vec<u8>>,
    /// The shred key that it is wrapped under.
    pub shred: ShredId,
    /// Keep this until the store has committed: meanwhile the shred key cannot be shredded.
    pub lease: Lease,
}

/// Says that a key is on its way into the store.
#[derive(Debug)]
pub struct Lease(#[expect(dead_code, reason = "its count is what matters")] std::sync::Arc<()>);

impl Lease {
    pub(crate) const fn new(count: std::sync::Arc<()>) -> Self {
        Self(count)
    }
}
