//! The public handle: the register kept in the store, read as of any instant, changed by permit.
//!
//! The register is held in memory as well, because every check and picture reads all of it. It is
//! the only writer of its records; writes take turns. Should a caller go away in the middle of a
//! write, nobody knows whether it was committed: the copy in memory then counts as stale and is
//! read again from the store.

use crate::import::{self, Format, ImportReport, Rejection};
use crate::records::{Assets, Relations};
use crate::{
    Asset, AssetFact, AssetRef, Changes, InventoryError, KnownBy, Prepared, Publication, Register,
    RelationFact, RelationKind, Snapshot,
};
use audit::Hash;
use kernel::actions::{AssetChange, AssetRead};
use kernel::{
    ActionType, AssetId, Clock, DomainId, Event, Guard, Name, Outcome, Permit, Recorder, Rng,
    Timestamp,
};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use store::limits::READ_ROWS_MAX;
use store::{Batch, Collection, Expect, Idempotency, KeyRange, Repeat, Store, StoreError};

/// Most records that one commit touches, with room for its event inside the store's limit.
const RECORDS_MAX: usize = 4_000;

/// The inventory: cheap to clone, shared by all.
#[derive(Clone)]
pub struct Inventory {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
    register: RwLock<Register>,
    stale: AtomicBool,
    turn: tokio::sync::Mutex<()>,
}

impl fmt::Debug for Inventory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Inventory")
    }
}

/// What a person declares, in the permit's key domain.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Declaration {
    /// Things.
    pub assets: Vec<AssetFact>,
    /// Relations.
    pub relations: Vec<RelationFact>,
    /// Things that are gone.
    pub ended: Vec<AssetRef>,
    /// Relations that are gone.
    pub ended_relations: Vec<(AssetRef, RelationKind, AssetRef)>,
}

/// A file to import.
#[derive(Debug, Clone, Copy)]
pub struct ImportFile<'f> {
    /// Its name, which becomes the source of what it says.
    pub name: &'f Name,
    /// Its format.
    pub format: Format,
    /// Its bytes.
    pub bytes: &'f [u8],
}

impl Inventory {
    /// The inventory of this store. The register is read with the first write, so that a large one
    /// does not hold the start up; a reading before that goes to the store.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn open(
        store: Store,
        clock: Arc<dyn Clock>,
        rng: Arc<dyn Rng>,
    ) -> Result<Self, InventoryError> {
        let register = RwLock::new(Register::default());
        let (stale, turn) = (AtomicBool::new(true), tokio::sync::Mutex::new(()));
        Ok(Self { inner: Arc::new(Inner { store, clock, rng, register, stale, turn }) })
    }

    /// Everything as it is known now: for the installation's own work (checks, pictures, what would
    /// stop). What a person sees goes through [`Inventory::read`].
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn current(&self) -> Result<Snapshot, InventoryError> {
        self.as_of(self.inner.clock.wall())
    }

    /// Everything as it was known at an instant: for the installation's own work.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn as_of(&self, at: Timestamp) -> Result<Snapshot, InventoryError> {
        if self.inner.stale.load(Ordering::SeqCst) {
            return Ok(load(&self.inner.store)?.as_of(at));
        }
        let register = self.inner.register.read().unwrap_or_else(PoisonError::into_inner);
        Ok(register.as_of(at))
    }

    /// What a caller may see, as it was known at an instant; now when there is none. The reading is
    /// recorded, without waiting for the record.
    ///
    /// # Errors
    /// When the permit has expired or the store cannot be read.
    pub fn read(
        &self,
        permit: Permit<AssetRead>,
        at: Option<Timestamp>,
    ) -> Result<Snapshot, InventoryError> {
        self.live(&permit)?;
        let scope = permit.scope();
        let at = at.unwrap_or_else(|| self.inner.clock.wall());
        let snapshot = self.as_of(at)?.within(&scope);
        let event = permit.into_event(Outcome::Done, &*self.inner.clock);
        let event = event.with("as-of", at.rfc3339());
        self.inner.store.record(event.with("assets", snapshot.assets().count().to_string()));
        Ok(snapshot)
    }

    /// One asset with its whole history, if the caller may see it.
    ///
    /// # Errors
    /// When the permit has expired or the store cannot be read.
    pub fn asset(&self, permit: Permit<AssetRead>) -> Result<Option<Asset>, InventoryError> {
        self.live(&permit)?;
        let (scope, domain) = (permit.scope(), permit.resource().domain);
        let id = permit.resource_id::<AssetId>();
        let found = match id {
            Some(id) => self.inner.store.get::<Assets>(&id)?.map(|record| record.value),
            None => None,
        };
        let found = found.filter(|asset| asset.domain == domain && scope.allows(domain));
        let event = permit.into_event(Outcome::Done, &*self.inner.clock);
        self.inner.store.record(event);
        Ok(found)
    }

    /// The key domain of an asset, for asking the gate about it.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn domain_of(&self, id: AssetId) -> Result<Option<DomainId>, InventoryError> {
        Ok(self.inner.store.get::<Assets>(&id)?.map(|record| record.value.domain))
    }

    /// Takes what a slice or connector tells. Nothing is written when it tells nothing new.
    ///
    /// # Errors
    /// When the register does not take it or the store fails.
    pub async fn publish(&self, publication: &Publication) -> Result<Changes, InventoryError> {
        let event = |changes: &Changes| {
            Event::system("inventory.published", self.inner.clock.wall())
                .with("source", publication.source.as_str())
                .with("known-by", publication.known_by.word())
                .with("added", changes.added.len().to_string())
                .with("changed", changes.changed.len().to_string())
                .with("relations", changes.relations.len().to_string())
        };
        let written = self.write(publication, None, None, |prepared| {
            (!prepared.changes.is_empty()).then(|| event(&prepared.changes))
        });
        Ok(written.await?.changes())
    }

    /// Takes what a person declares. The assets are in the permit's key domain.
    ///
    /// # Errors
    /// When something belongs to another key domain, the register does not take it, or the store
    /// fails; an allowed attempt that failed is recorded as such.
    pub async fn declare(
        &self,
        permit: Permit<AssetChange>,
        declaration: Declaration,
        source: Name,
    ) -> Result<Changes, InventoryError> {
        let publication = Publication {
            source,
            known_by: KnownBy::Declared,
            assets: declaration.assets,
            relations: declaration.relations,
            ended: declaration.ended,
            ended_relations: declaration.ended_relations,
        };
        if let Err(error) = self.live(&permit).and_then(|()| self.belongs(&permit, &publication)) {
            return Err(self.failed(permit, error).await);
        }
        Ok(self.write_by(permit, &publication, None, |event| event).await?.changes())
    }

    /// Imports a file: each row is accepted or listed, and what is accepted is one commit. With
    /// `dry_run` nothing is written but the record that it was tried.
    ///
    /// # Errors
    /// When the permit has expired or the store fails. A file that is wrong is not an error but a
    /// report.
    pub async fn import(
        &self,
        permit: Permit<AssetChange>,
        file: ImportFile<'_>,
        dry_run: bool,
        repeat: Option<Repeat>,
    ) -> Result<ImportReport, InventoryError> {
        if let Err(error) = self.live(&permit) {
            return Err(self.failed(permit, error).await);
        }
        if let Some(first) = self.inner.store.answered(&permit, repeat.as_ref())? {
            self.inner.store.answer_again(permit, &*self.inner.clock).await?;
            return Ok(serde_json::from_slice(&first)?);
        }
        let domain = permit.resource().domain;
        let mut reading = import::read(file.format, file.bytes, domain);
        let register = self.register()?;
        let scope = permit.scope();
        let elsewhere = |reference: &AssetRef| {
            let found = register.find(reference);
            found.is_some_and(|asset| asset.domain != domain && !scope.allows(asset.domain))
        };
        reading.reject_assets(|fact| {
            let found = register.find(&fact.reference);
            found.is_some_and(|asset| asset.domain != domain)
        });
        reading.reject_relations(|fact| elsewhere(&fact.from) || elsewhere(&fact.to));
        let (publication, report) = import::plan(reading, &register, file.name.clone());
        drop(register);
        let digest = Hash::of(file.bytes);
        let tell = |event: Event| {
            event
                .with("file", file.name.as_str())
                .with("sha-256", digest.to_string())
                .with("rows", report.rows.to_string())
                .with("accepted", report.accepted.len().to_string())
                .with("rejected", report.rejected_count.to_string())
                .with("dry-run", dry_run.to_string())
        };
        let answer = serde_json::to_string(&report)?;
        let repeat = repeat.map(|repeat| repeat.answering(&permit, &answer));
        if dry_run {
            let guard = permit.guard();
            let event = tell(permit.into_event(Outcome::Done, &*self.inner.clock));
            let batch = Batch::new().guard(guard).event(event);
            let batch = repeat.into_iter().fold(batch, Batch::idempotent);
            self.inner.store.commit(batch).await?;
            return Ok(report);
        }
        match self.write_by(permit, &publication, repeat, tell).await? {
            Written::Now(_) => Ok(report),
            Written::Before(first) => Ok(serde_json::from_slice(&first)?),
        }
    }

    async fn write_by(
        &self,
        permit: Permit<AssetChange>,
        publication: &Publication,
        repeat: Option<Idempotency>,
        tell: impl FnOnce(Event) -> Event,
    ) -> Result<Written, InventoryError> {
        let guard = permit.guard();
        let mut permit = Some(permit);
        let written = self
            .write(publication, Some(guard), repeat, |prepared| {
                let event = permit.take()?.into_event(Outcome::Done, &*self.inner.clock);
                let changes = &prepared.changes;
                Some(
                    tell(event)
                        .with("added", changes.added.len().to_string())
                        .with("changed", changes.changed.len().to_string())
                        .with("relations", changes.relations.len().to_string()),
                )
            })
            .await;
        match (written, permit) {
            (Err(error), Some(permit)) => Err(self.failed(permit, error).await),
            (written, _) => written,
        }
    }

    async fn write(
        &self,
        publication: &Publication,
        guard: Option<Guard>,
        repeat: Option<Idempotency>,
        event: impl FnOnce(&Prepared) -> Option<Event>,
    ) -> Result<Written, InventoryError> {
        let inner = &self.inner;
        let _turn = inner.turn.lock().await;
        if inner.stale.load(Ordering::SeqCst) {
            // Whatever was handed over before is in the store after this.
            inner.store.flush().await?;
            let fresh = load(&inner.store)?;
            *inner.register.write().unwrap_or_else(PoisonError::into_inner) = fresh;
            inner.stale.store(false, Ordering::SeqCst);
        }
        let prepared = {
            let register = inner.register.read().unwrap_or_else(PoisonError::into_inner);
            let mut new_id = || AssetId::generate(&*inner.clock, &*inner.rng);
            register.prepare(publication, inner.clock.wall(), &mut new_id)?
        };
        let touched = prepared.assets.len() + prepared.relations.len();
        if touched > RECORDS_MAX {
            return Err(InventoryError::TooLarge(touched));
        }
        let mut batch = Batch::new();
        for (id, asset) in &prepared.assets {
            let is_new = prepared.changes.added.contains(id);
            batch =
                batch.put::<Assets>(id, asset, if is_new { Expect::Absent } else { Expect::Any });
        }
        for (key, relation) in &prepared.relations {
            batch = batch.put::<Relations>(key, relation, Expect::Any);
        }
        batch = guard.into_iter().fold(batch, Batch::guard);
        batch = event(&prepared).into_iter().fold(batch, Batch::event);
        batch = repeat.into_iter().fold(batch, Batch::idempotent);
        let changes = prepared.changes.clone();
        if batch.is_empty() {
            return Ok(Written::Now(changes));
        }
        let unsettled = Unsettled { stale: &inner.stale, settled: false };
        let committed = inner.store.commit(batch).await;
        let is_new = committed.as_ref().is_ok_and(|committed| committed.replayed.is_none());
        if is_new {
            inner.register.write().unwrap_or_else(PoisonError::into_inner).accept(prepared);
        }
        unsettled.settle();
        match committed?.replayed {
            Some(first) => Ok(Written::Before(first)),
            None => Ok(Written::Now(changes)),
        }
    }

    fn belongs(
        &self,
        permit: &Permit<AssetChange>,
        publication: &Publication,
    ) -> Result<(), InventoryError> {
        let (domain, scope) = (permit.resource().domain, permit.scope());
        let register = self.register()?;
        let strange = publication.assets.iter().find(|fact| {
            let held = register.find(&fact.reference).map(|asset| asset.domain);
            fact.domain != domain || held.is_some_and(|held| held != domain)
        });
        if let Some(fact) = strange {
            return Err(InventoryError::OtherDomain(fact.reference.clone()));
        }
        let ends = publication.relations.iter().flat_map(|fact| [&fact.from, &fact.to]);
        let ended = publication.ended_relations.iter().flat_map(|(from, _, to)| [from, to]);
        for reference in ends.chain(ended) {
            let held = register.find(reference).map(|asset| asset.domain);
            if held.is_some_and(|held| held != domain && !scope.allows(held)) {
                return Err(InventoryError::OtherDomain(reference.clone()));
            }
        }
        for reference in &publication.ended {
            if register.find(reference).is_some_and(|asset| asset.domain != domain) {
                return Err(InventoryError::OtherDomain(reference.clone()));
            }
        }
        Ok(())
    }

    fn register(&self) -> Result<Register, InventoryError> {
        if self.inner.stale.load(Ordering::SeqCst) {
            return load(&self.inner.store);
        }
        let register = self.inner.register.read().unwrap_or_else(PoisonError::into_inner);
        Ok(register.clone())
    }

    fn live<A: ActionType>(&self, permit: &Permit<A>) -> Result<(), InventoryError> {
        let live = permit.is_live(&*self.inner.clock);
        if live { Ok(()) } else { Err(InventoryError::PermitExpired) }
    }

    /// Writes down that something was allowed and did not work, and gives back why.
    async fn failed<A: ActionType>(
        &self,
        permit: Permit<A>,
        error: InventoryError,
    ) -> InventoryError {
        let outcome = Outcome::Failed(error.code().into());
        let event = permit.into_event(outcome, &*self.inner.clock);
        match self.inner.store.commit(Batch::new().essential().event(event)).await {
            Ok(_) => error,
            Err(unrecorded) => unrecorded.into(),
        }
    }
}

impl import::Reading {
    fn reject_assets(&mut self, bad: impl Fn(&AssetFact) -> bool) {
        let reason = "it belongs to another key domain";
        let (out, kept) = std::mem::take(&mut self.assets).into_iter().partition(|r| bad(&r.fact));
        self.assets = kept;
        let out: Vec<import::Row<AssetFact>> = out;
        let rejections = out.into_iter().map(|row| Rejection {
            row: row.at,
            field: "reference".to_owned(),
            reason: reason.to_owned(),
        });
        self.rejected.extend(rejections);
    }

    fn reject_relations(&mut self, bad: impl Fn(&RelationFact) -> bool) {
        let reason = "an end of it belongs to another key domain";
        let (out, kept) =
            std::mem::take(&mut self.relations).into_iter().partition(|r| bad(&r.fact));
        self.relations = kept;
        let out: Vec<import::Row<RelationFact>> = out;
        let rejections = out.into_iter().map(|row| Rejection {
            row: row.at,
            field: String::new(),
            reason: reason.to_owned(),
        });
        self.rejected.extend(rejections);
    }
}

/// What came of a write.
enum Written {
    /// It was done, and changed this.
    Now(Changes),
    /// The same request was done before, and answered with this.
    Before(Vec<u8>),
}

impl Written {
    /// What it changed now.
    fn changes(self) -> Changes {
        match self {
            Self::Now(changes) => changes,
            Self::Before(_) => Changes::default(),
        }
    }
}

/// Marks the register stale when a write is left before its outcome is known.
struct Unsettled<'a> {
    stale: &'a AtomicBool,
    settled: bool,
}

impl Unsettled<'_> {
    fn settle(mut self) {
        self.settled = true;
    }
}

impl Drop for Unsettled<'_> {
    fn drop(&mut self) {
        if !self.settled {
            self.stale.store(true, Ordering::SeqCst);
        }
    }
}

fn load(store: &Store) -> Result<Register, InventoryError> {
    Ok(Register::of(all::<Assets>(store)?, all::<Relations>(store)?))
}

fn all<C: Collection>(store: &Store) -> Result<Vec<C::Value>, StoreError> {
    let mut values = Vec::new();
    let mut range = KeyRange::all();
    loop {
        let found = store.scan::<C>(&range, READ_ROWS_MAX)?;
        let full = found.len() == READ_ROWS_MAX;
        if let Some(last) = found.last() {
            range = range.after(&last.key);
        }
        values.extend(found.into_iter().map(|record| record.value));
        if !full {
            return Ok(values);
        }
    }
}
