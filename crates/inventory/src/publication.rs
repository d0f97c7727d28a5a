//! What a source says about the world, in one breath.

use crate::{AssetRef, Attributes, KnownBy, RelationKind};
use kernel::{DomainId, Name};
use serde::{Deserialize, Serialize};

/// One thing as a source knows it now.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AssetFact {
    /// What the source calls it.
    pub reference: AssetRef,
    /// What people call it.
    pub name: Name,
    /// The key domain that it belongs to.
    pub domain: DomainId,
    /// All that the source knows about it; what is left out here is no longer known.
    pub attributes: Attributes,
}

/// One relation as a source knows it now.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RelationFact {
    /// The one that does.
    pub from: AssetRef,
    /// What it does.
    pub kind: RelationKind,
    /// The one to which it is done.
    pub to: AssetRef,
    /// What more is known about the relation.
    pub attributes: Attributes,
}

/// Facts from one source, applied together or not at all.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Publication {
    /// Who speaks: `keys`, `import of arrangements.csv`.
    pub source: Name,
    /// How the source knows.
    pub known_by: KnownBy,
    /// Things.
    pub assets: Vec<AssetFact>,
    /// Relations; both ends are in the register already or in `assets`.
    pub relations: Vec<RelationFact>,
    /// Things that are gone; their relations end with them.
    pub ended: Vec<AssetRef>,
    /// Relations that are gone.
    pub ended_relations: Vec<(AssetRef, RelationKind, AssetRef)>,
}

impl Publication {
    /// A publication that says nothing yet.
    #[must_use]
    pub const fn new(source: Name, known_by: KnownBy) -> Self {
        Self {
            source,
            known_by,
            assets: Vec::new(),
            relations: Vec::new(),
            ended: Vec::new(),
            ended_relations: Vec::new(),
        }
    }

    /// Whether nothing is said.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.assets.is_empty()
            && self.relations.is_empty()
            && self.ended.is_empty()
            && self.ended_relations.is_empty()
    }
}
