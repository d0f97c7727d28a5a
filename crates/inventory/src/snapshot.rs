//! The register as it was known at one instant.

use crate::{Asset, AssetKind, AssetRef, Attributes, KnownBy, Relation, RelationKey, RelationKind};
use kernel::{AssetId, DomainId, Name, Scope, Timestamp};
use serde::Serialize;
use std::collections::BTreeMap;

/// One asset as it was known.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct AssetView {
    /// Our identifier.
    pub id: AssetId,
    /// What its source calls it.
    pub reference: AssetRef,
    /// The key domain that it belongs to.
    pub domain: DomainId,
    /// What people call it.
    pub name: Name,
    /// What was known about it.
    pub attributes: Attributes,
    /// How.
    pub known_by: KnownBy,
    /// By whom.
    pub source: Name,
    /// Since when, unchanged.
    pub since: Timestamp,
}

impl AssetView {
    /// The asset as of an instant, if it was there.
    #[must_use]
    pub fn as_of(asset: &Asset, at: Timestamp) -> Option<Self> {
        let span = asset.history.as_of(at)?;
        Some(Self {
            id: asset.id,
            reference: asset.reference.clone(),
            domain: asset.domain,
            name: span.value.name.clone(),
            attributes: span.value.attributes.clone(),
            known_by: span.known_by,
            source: span.source.clone(),
            since: span.from,
        })
    }

    /// The kind.
    #[must_use]
    pub const fn kind(&self) -> AssetKind {
        self.reference.kind
    }
}

/// One relation as it was known.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct RelationView {
    /// Between what.
    pub key: RelationKey,
    /// What more was known about it.
    pub attributes: Attributes,
    /// How.
    pub known_by: KnownBy,
    /// Since when, unchanged.
    pub since: Timestamp,
}

impl RelationView {
    /// The relation as of an instant, if it held.
    #[must_use]
    pub fn as_of(relation: &Relation, at: Timestamp) -> Option<Self> {
        let span = relation.history.as_of(at)?;
        Some(Self {
            key: relation.key,
            attributes: span.value.clone(),
            known_by: span.known_by,
            since: span.from,
        })
    }
}

/// Everything as it was known at one instant.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Snapshot {
    at: Timestamp,
    assets: BTreeMap<AssetId, AssetView>,
    relations: Vec<RelationView>,
}

impl Snapshot {
    pub(crate) const fn new(
        at: Timestamp,
        assets: BTreeMap<AssetId, AssetView>,
        relations: Vec<RelationView>,
    ) -> Self {
        Self { at, assets, relations }
    }

    /// The instant.
    #[must_use]
    pub const fn at(&self) -> Timestamp {
        self.at
    }

    /// All assets, by identifier (oldest first).
    pub fn assets(&self) -> impl Iterator<Item = &AssetView> {
        self.assets.values()
    }

    /// All relations.
    pub fn relations(&self) -> impl Iterator<Item = &RelationView> {
        self.relations.iter()
    }

    /// One asset.
    #[must_use]
    pub fn asset(&self, id: AssetId) -> Option<&AssetView> {
        self.assets.get(&id)
    }

    /// The asset of a reference.
    #[must_use]
    pub fn find(&self, reference: &AssetRef) -> Option<&AssetView> {
        self.assets().find(|asset| asset.reference == *reference)
    }

    /// Assets of a kind.
    pub fn of_kind(&self, kind: AssetKind) -> impl Iterator<Item = &AssetView> {
        self.assets().filter(move |asset| asset.kind() == kind)
    }

    /// What `from` does to others by a relation.
    pub fn from(&self, from: AssetId, kind: RelationKind) -> impl Iterator<Item = &AssetView> {
        let hits = self.relations.iter().filter(move |r| r.key.from == from && r.key.kind == kind);
        hits.filter_map(|r| self.asset(r.key.to))
    }

    /// What others do to `to` by a relation.
    pub fn to(&self, to: AssetId, kind: RelationKind) -> impl Iterator<Item = &AssetView> {
        let hits = self.relations.iter().filter(move |r| r.key.to == to && r.key.kind == kind);
        hits.filter_map(|r| self.asset(r.key.from))
    }

    /// The same snapshot with only what a reader may see.
    #[must_use]
    pub fn within(mut self, scope: &Scope) -> Self {
        self.assets.retain(|_, asset| scope.allows(asset.domain));
        let assets = &self.assets;
        self.relations
            .retain(|r| assets.contains_key(&r.key.from) && assets.contains_key(&r.key.to));
        self
    }
}
