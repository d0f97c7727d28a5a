//! False positives that stick: by value, by column, by object and kind.

use extract::{Fingerprint, KindName};
use kernel::{DomainId, FindingId, Principal, SourceId, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// Most false positives of one installation: beyond it a detector or a profile has to change.
pub const FALSE_POSITIVES_MAX: usize = extract::IGNORED_MAX;

/// What was said to be no find.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "what")]
pub enum NoFind {
    /// This value, wherever it occurs.
    Value {
        /// The kind.
        kind: KindName,
        /// The value's fingerprint.
        fingerprint: Fingerprint,
    },
    /// Columns of this name in this source.
    Column {
        /// The source.
        source: SourceId,
        /// The column's name as it is shown.
        column: String,
        /// The kind.
        kind: KindName,
    },
    /// This kind in this object.
    Object {
        /// The source.
        source: SourceId,
        /// The object.
        object: FindingId,
        /// The kind.
        kind: KindName,
    },
}

/// What was said, by whom and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FalsePositive {
    /// The key domain of the finding on which it was said.
    pub domain: DomainId,
    /// What is no find.
    pub no_find: NoFind,
    /// Who said so.
    pub by: Principal,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: String,
}

impl NoFind {
    /// The key under which it is kept: saying the same twice changes nothing.
    pub(crate) fn key(&self) -> [u8; 32] {
        audit::Hash::of(format!("{self:?}").as_bytes()).0
    }

    /// How it is named from outside: its key in hexadecimal digits.
    #[must_use]
    pub fn name(&self) -> String {
        documents::hex(&self.key())
    }

    /// The kind that it speaks of.
    #[must_use]
    pub const fn kind(&self) -> KindName {
        match self {
            Self::Value { kind, .. } | Self::Column { kind, .. } | Self::Object { kind, .. } => {
                *kind
            }
        }
    }
}

/// Everything that was said to be no find, ready to be asked.
#[derive(Debug, Clone, Default)]
pub(crate) struct Judged(HashSet<NoFind>);

impl Judged {
    pub(crate) fn of(all: impl IntoIterator<Item = NoFind>) -> Self {
        Self(all.into_iter().collect())
    }

    /// Values that are none, for those who count.
    pub(crate) fn values(&self) -> Vec<extract::Ignored> {
        let value = |no_find: &NoFind| match no_find {
            NoFind::Value { kind, fingerprint } => Some(extract::Ignored(*kind, *fingerprint)),
            NoFind::Column { .. } | NoFind::Object { .. } => None,
        };
        self.0.iter().filter_map(value).take(extract::IGNORED_MAX).collect()
    }

    pub(crate) fn is_value(&self, kind: KindName, fingerprint: Fingerprint) -> bool {
        self.0.contains(&NoFind::Value { kind, fingerprint })
    }

    pub(crate) fn is_column(&self, source: SourceId, column: &str, kind: KindName) -> bool {
        let column = crate::finding::shown_name(column);
        self.0.contains(&NoFind::Column { source, column, kind })
    }

    pub(crate) fn is_object(&self, source: SourceId, object: FindingId, kind: KindName) -> bool {
        self.0.contains(&NoFind::Object { source, object, kind })
    }
}
