//! What an action is done to, described as data for the one who decides.

use crate::{DomainId, Labels};
use serde::{Deserialize, Serialize};

/// The kinds of thing that actions are done to; the types of the policy schema.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ResourceKind {
    /// The installation.
    System,
    /// A key domain.
    Domain,
    /// A key.
    Key,
    /// A person, a service or a token of one.
    Identity,
    /// Roles and policies.
    Policy,
    /// A request for approval.
    Approval,
    /// The log.
    Log,
    /// An asset of the inventory.
    Asset,
    /// A source of data, a scan of it, or a finding in it.
    Data,
    /// A requirement of the catalogue.
    Requirement,
    /// A report or pack.
    Report,
}

impl ResourceKind {
    /// Every kind, for tables and schemas.
    pub const ALL: [Self; 11] = [
        Self::System,
        Self::Domain,
        Self::Key,
        Self::Identity,
        Self::Policy,
        Self::Approval,
        Self::Log,
        Self::Asset,
        Self::Data,
        Self::Requirement,
        Self::Report,
    ];

    /// The word used in records and policies.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Domain => "domain",
            Self::Key => "key",
            Self::Identity => "identity",
            Self::Policy => "policy",
            Self::Approval => "approval",
            Self::Log => "log",
            Self::Asset => "asset",
            Self::Data => "data",
            Self::Requirement => "requirement",
            Self::Report => "report",
        }
    }
}

/// One thing, as the policy sees it.
/// ```
/// use kernel::{DomainId, Resource, ResourceKind};
/// let all = Resource::all(ResourceKind::Key, DomainId::SYSTEM);
/// assert_eq!((all.kind.word(), all.id.as_str()), ("key", "*"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// What it is.
    pub kind: ResourceKind,
    /// Its identifier as text; `*` for the kind as a whole.
    pub id: String,
    /// The key domain it belongs to.
    pub domain: DomainId,
    /// Labels that policies may read.
    pub labels: Labels,
}

impl Resource {
    /// One thing of a kind in a key domain.
    #[must_use]
    pub fn new(kind: ResourceKind, id: impl Into<String>, domain: DomainId) -> Self {
        Self { kind, id: id.into(), domain, labels: Labels::default() }
    }

    /// The kind as a whole within a key domain: for creating and listing.
    #[must_use]
    pub fn all(kind: ResourceKind, domain: DomainId) -> Self {
        Self::new(kind, "*", domain)
    }

    /// The installation itself.
    #[must_use]
    pub fn system() -> Self {
        Self::all(ResourceKind::System, DomainId::SYSTEM)
    }

    /// The same thing with its labels.
    #[must_use]
    pub fn with_labels(mut self, labels: Labels) -> Self {
        self.labels = labels;
        self
    }
}
