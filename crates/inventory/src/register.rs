//! The whole register in memory: applies publications, answers as of any instant.

use crate::snapshot::{AssetView, RelationView, Snapshot};
use crate::{
    Asset, AssetFact, AssetRef, AssetState, History, HistoryFull, KnownBy, Publication, Relation,
    RelationFact, RelationKey,
};
use kernel::{AssetId, Name, RngUnavailable, Timestamp};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// Why a publication was not applied; nothing of it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegisterError {
    /// A relation or an ending names something that nobody has told of.
    #[error("`{0}` is not in the inventory; publish it first or together with this")]
    Unknown(AssetRef),
    /// The same thing is told twice in one publication.
    #[error("`{0}` is told twice")]
    Twice(AssetRef),
    /// A source with weaker knowledge would overwrite a stronger one.
    #[error("`{reference}` is {known_by} by `{source_name}`; what is {offered} cannot replace it")]
    KnownBetter {
        /// What.
        reference: AssetRef,
        /// How it is known now.
        known_by: KnownBy,
        /// By whom.
        source_name: Name,
        /// How the new source knows.
        offered: KnownBy,
    },
    /// One thing changed too often.
    #[error("`{reference}`")]
    History {
        /// What.
        reference: AssetRef,
        /// Why.
        #[source]
        cause: HistoryFull,
    },
    /// No identifier could be made.
    #[error("no identifier could be made")]
    Randomness(#[from] RngUnavailable),
}

/// The records that a publication touched; nothing when it told nothing new.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Changes {
    /// Assets that are new.
    pub added: BTreeSet<AssetId>,
    /// Assets that changed or ended.
    pub changed: BTreeSet<AssetId>,
    /// Relations that are new, changed or ended.
    pub relations: BTreeSet<RelationKey>,
}

impl Changes {
    /// Whether nothing changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.changed.is_empty() && self.relations.is_empty()
    }
}

/// The records that a publication changes, not yet taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Prepared {
    pub(crate) assets: BTreeMap<AssetId, Asset>,
    pub(crate) relations: BTreeMap<RelationKey, Relation>,
    /// What it adds, changes and ends.
    pub changes: Changes,
}

/// Everything that is and was known.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Register {
    assets: BTreeMap<AssetId, Asset>,
    relations: BTreeMap<RelationKey, Relation>,
    by_reference: HashMap<AssetRef, AssetId>,
}

impl Register {
    /// The register of records that were kept.
    #[must_use]
    pub fn of(
        assets: impl IntoIterator<Item = Asset>,
        relations: impl IntoIterator<Item = Relation>,
    ) -> Self {
        let assets: BTreeMap<_, _> = assets.into_iter().map(|a| (a.id, a)).collect();
        let by_reference = assets.values().map(|a| (a.reference.clone(), a.id)).collect();
        let relations = relations.into_iter().map(|r| (r.key, r)).collect();
        Self { assets, relations, by_reference }
    }

    /// The asset of a reference.
    #[must_use]
    pub fn find(&self, reference: &AssetRef) -> Option<&Asset> {
        self.by_reference.get(reference).and_then(|id| self.assets.get(id))
    }

    /// An asset.
    #[must_use]
    pub fn asset(&self, id: AssetId) -> Option<&Asset> {
        self.assets.get(&id)
    }

    /// A relation.
    #[must_use]
    pub fn relation(&self, key: &RelationKey) -> Option<&Relation> {
        self.relations.get(key)
    }

    /// How many assets the register has ever held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.assets.len()
    }

    /// Whether the register has never held anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.assets.is_empty()
    }

    /// Everything as it was known at an instant.
    #[must_use]
    pub fn as_of(&self, at: Timestamp) -> Snapshot {
        let views = self.assets.values().filter_map(|a| AssetView::as_of(a, at));
        let assets: BTreeMap<_, _> = views.map(|view| (view.id, view)).collect();
        let relations = self
            .relations
            .values()
            .filter(|r| assets.contains_key(&r.key.from) && assets.contains_key(&r.key.to))
            .filter_map(|r| RelationView::as_of(r, at))
            .collect();
        Snapshot::new(at, assets, relations)
    }

    /// Writes a publication down, all of it or nothing.
    ///
    /// # Errors
    /// When it names something unknown, says something twice, or would overwrite what is known
    /// better.
    pub fn apply(
        &mut self,
        publication: &Publication,
        at: Timestamp,
        new_id: &mut dyn FnMut() -> Result<AssetId, RngUnavailable>,
    ) -> Result<Changes, RegisterError> {
        let prepared = self.prepare(publication, at, new_id)?;
        let changes = prepared.changes.clone();
        self.accept(prepared);
        Ok(changes)
    }

    /// Works out what a publication changes, on copies of the records that it touches.
    ///
    /// # Errors
    /// As [`Register::apply`].
    pub fn prepare(
        &self,
        publication: &Publication,
        at: Timestamp,
        new_id: &mut dyn FnMut() -> Result<AssetId, RngUnavailable>,
    ) -> Result<Prepared, RegisterError> {
        self.check(publication)?;
        let mut next = Touched::new(self);
        for fact in &publication.assets {
            next.tell(publication, fact, at, new_id)?;
        }
        for fact in &publication.relations {
            next.relate(publication, fact, at)?;
        }
        for (from, kind, to) in &publication.ended_relations {
            let key = RelationKey { from: next.id(from)?, kind: *kind, to: next.id(to)? };
            next.end_relation(key, at);
        }
        for reference in &publication.ended {
            next.end(reference, at)?;
        }
        let Touched { assets, relations, changes, .. } = next;
        Ok(Prepared { assets, relations, changes })
    }

    /// Takes what was prepared on this register, once it is durable.
    pub fn accept(&mut self, prepared: Prepared) {
        for asset in prepared.assets.into_values() {
            self.by_reference.insert(asset.reference.clone(), asset.id);
            self.assets.insert(asset.id, asset);
        }
        self.relations.extend(prepared.relations);
    }

    fn check(&self, publication: &Publication) -> Result<(), RegisterError> {
        let mut told = HashSet::new();
        let facts = publication.assets.iter().map(|fact| &fact.reference);
        for reference in facts.chain(&publication.ended) {
            if !told.insert(reference) {
                return Err(RegisterError::Twice(reference.clone()));
            }
            let current = self.find(reference).and_then(|asset| asset.history.current());
            if let Some(span) = current.filter(|span| {
                span.source != publication.source
                    && span.known_by.is_stronger_than(publication.known_by)
            }) {
                return Err(RegisterError::KnownBetter {
                    reference: reference.clone(),
                    known_by: span.known_by,
                    source_name: span.source.clone(),
                    offered: publication.known_by,
                });
            }
        }
        Ok(())
    }
}

struct Touched<'r> {
    register: &'r Register,
    assets: BTreeMap<AssetId, Asset>,
    relations: BTreeMap<RelationKey, Relation>,
    by_reference: HashMap<AssetRef, AssetId>,
    changes: Changes,
}

impl<'r> Touched<'r> {
    fn new(register: &'r Register) -> Self {
        Self {
            register,
            assets: BTreeMap::new(),
            relations: BTreeMap::new(),
            by_reference: HashMap::new(),
            changes: Changes::default(),
        }
    }

    fn id(&self, reference: &AssetRef) -> Result<AssetId, RegisterError> {
        let known = self.by_reference.get(reference);
        let known = known.or_else(|| self.register.by_reference.get(reference)).copied();
        known.ok_or_else(|| RegisterError::Unknown(reference.clone()))
    }

    fn tell(
        &mut self,
        publication: &Publication,
        fact: &AssetFact,
        at: Timestamp,
        new_id: &mut dyn FnMut() -> Result<AssetId, RngUnavailable>,
    ) -> Result<(), RegisterError> {
        let (mut asset, is_new) = match self.register.find(&fact.reference) {
            Some(asset) => (asset.clone(), false),
            None => {
                let (id, reference) = (new_id()?, fact.reference.clone());
                let history = History::default();
                (Asset { id, reference, domain: fact.domain, history }, true)
            }
        };
        let state = AssetState { name: fact.name.clone(), attributes: fact.attributes.clone() };
        let moved = asset.domain != fact.domain;
        asset.domain = fact.domain;
        let changed = asset
            .history
            .record(at, publication.known_by, &publication.source, state)
            .map_err(|cause| RegisterError::History { reference: fact.reference.clone(), cause })?;
        self.by_reference.insert(fact.reference.clone(), asset.id);
        if is_new {
            self.changes.added.insert(asset.id);
        } else if changed || moved {
            self.changes.changed.insert(asset.id);
        }
        if is_new || changed || moved {
            self.assets.insert(asset.id, asset);
        }
        Ok(())
    }

    fn relate(
        &mut self,
        publication: &Publication,
        fact: &RelationFact,
        at: Timestamp,
    ) -> Result<(), RegisterError> {
        let key =
            RelationKey { from: self.id(&fact.from)?, kind: fact.kind, to: self.id(&fact.to)? };
        let mut relation = self.relation(&key);
        let changed = relation
            .history
            .record(at, publication.known_by, &publication.source, fact.attributes.clone())
            .map_err(|cause| RegisterError::History { reference: fact.from.clone(), cause })?;
        if changed {
            self.changes.relations.insert(key);
            self.relations.insert(key, relation);
        }
        Ok(())
    }

    fn relation(&self, key: &RelationKey) -> Relation {
        let known = self.relations.get(key).or_else(|| self.register.relations.get(key));
        known.cloned().unwrap_or_else(|| Relation { key: *key, history: History::default() })
    }

    fn end_relation(&mut self, key: RelationKey, at: Timestamp) {
        let mut relation = self.relation(&key);
        if relation.history.end(at) {
            self.changes.relations.insert(key);
            self.relations.insert(key, relation);
        }
    }

    fn end(&mut self, reference: &AssetRef, at: Timestamp) -> Result<(), RegisterError> {
        let id = self.id(reference)?;
        let Some(asset) = self.register.asset(id) else {
            return Err(RegisterError::Unknown(reference.clone()));
        };
        let mut asset = asset.clone();
        if asset.history.end(at) {
            self.changes.changed.insert(id);
            self.assets.insert(id, asset);
        }
        let ends: Vec<_> = self
            .register
            .relations
            .keys()
            .chain(self.relations.keys())
            .filter(|key| key.from == id || key.to == id)
            .copied()
            .collect();
        for key in ends {
            self.end_relation(key, at);
        }
        Ok(())
    }
}
