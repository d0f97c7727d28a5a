//! The switch: a key, or every key of one cloud, stops at once; and the way back.
//!
//! A suspension raises the epoch of the key domain in its own commit. A use that was decided before
//! and is not durable yet is thrown away by the store, so once the suspension is acknowledged no
//! record of a later use can exist. Suspensions are written in the space that the store keeps back
//! for a full disk.

use crate::approval::with_approval;
use crate::key::{Key, KeyRecords, Version, label_term};
use crate::state::Transition;
use crate::{KeyView, Keys, KeysError, NotAllowed, Reason};
use access::Spent;
use kernel::actions::{KeyCompromise, KeyResume, KeySuspend};
use kernel::{
    ActionType, DomainId, Event, KeyId, Name, Outcome, Permit, Scope, Timestamp, VersionNo,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use store::limits::READ_ROWS_MAX;
use store::{Batch, Expect, Record};

/// Most keys that one act stops: one commit, well inside what a batch of the store takes.
pub const SUSPEND_KEYS_MAX: usize = 2_000;
/// Longest list of what will stop.
pub const STOPS_MAX: usize = 500;

/// Why a key is stopped, and what stops with it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Suspend {
    /// Why.
    pub reason: Reason,
    /// What will stop, as the caller read it from the inventory and showed it to the approvers; at
    /// most [`STOPS_MAX`].
    #[serde(default)]
    pub stops: Vec<Name>,
}

/// Why a key may work again.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resume {
    /// Why.
    pub reason: Reason,
}

/// The same for every key of a cloud.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfCloud<R> {
    /// The value of the keys' label `cloud`.
    pub cloud: Name,
    /// What is to happen to them, and why.
    pub request: R,
}

/// Which versions others are known or feared to know, and why.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeclareCompromise {
    /// Why.
    pub reason: Reason,
    /// The versions; none means all that have material and are not declared so yet.
    #[serde(default)]
    pub versions: Option<BTreeSet<VersionNo>>,
}

/// What a suspension or resumption did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Switched {
    /// The keys that changed, in the order of their ids.
    pub keys: Vec<SwitchedKey>,
    /// The keys that were asked for and did not need it or could not: already there, or destroyed.
    pub left: Vec<SwitchedKey>,
    /// When it was decided.
    pub decided_at: Timestamp,
    /// From the arrival of the request to the moment when it was durable, in microseconds.
    pub took_micros: u64,
    /// What stops, as the request said.
    pub stops: Vec<Name>,
}

/// One key of a suspension or resumption.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SwitchedKey {
    /// The key.
    pub key: KeyId,
    /// Its key domain.
    pub domain: DomainId,
    /// Its name.
    pub name: Name,
}

impl Keys {
    /// Stops a key: no new use, and none under way, is answered once this returns.
    ///
    /// # Errors
    /// When the key is destroyed or suspended already, or the store fails.
    pub async fn suspend(
        &self,
        permit: Permit<KeySuspend>,
        request: &Suspend,
    ) -> Result<Switched, KeysError> {
        let one = self.permitted(&permit).map(|record| vec![record]);
        let found = Found { records: one, spent: self.spend(&permit, request) };
        self.switch(permit, found, Transition::Suspend, &request.into()).await
    }

    /// Lets a suspended key work again, each version as it was before.
    ///
    /// # Errors
    /// When the key is not suspended, or the store fails.
    pub async fn resume(
        &self,
        permit: Permit<KeyResume>,
        request: &Resume,
    ) -> Result<Switched, KeysError> {
        let one = self.permitted(&permit).map(|record| vec![record]);
        let found = Found { records: one, spent: self.spend(&permit, request) };
        self.switch(permit, found, Transition::Resume, &request.into()).await
    }

    /// Stops every key that carries the label `cloud` with this value, within the permit's scope,
    /// in one commit. The permit is for keys as a whole.
    ///
    /// # Errors
    /// When there are more than [`SUSPEND_KEYS_MAX`], or the store fails; then none is stopped.
    pub async fn suspend_cloud(
        &self,
        permit: Permit<KeySuspend>,
        request: &OfCloud<Suspend>,
    ) -> Result<Switched, KeysError> {
        let records = self.permitted_cloud(&permit, &request.cloud);
        let found = Found { records, spent: self.spend(&permit, request) };
        let what = Switch { cloud: Some(&request.cloud), ..(&request.request).into() };
        self.switch(permit, found, Transition::Suspend, &what).await
    }

    /// Lets every suspended key of a cloud work again, within the permit's scope, in one commit.
    ///
    /// # Errors
    /// As [`Self::suspend_cloud`].
    pub async fn resume_cloud(
        &self,
        permit: Permit<KeyResume>,
        request: &OfCloud<Resume>,
    ) -> Result<Switched, KeysError> {
        let records = self.permitted_cloud(&permit, &request.cloud);
        let found = Found { records, spent: self.spend(&permit, request) };
        let what = Switch { cloud: Some(&request.cloud), ..(&request.request).into() };
        self.switch(permit, found, Transition::Resume, &what).await
    }

    /// The keys that carry the label `cloud` with this value, for whoever is asked to approve its
    /// suspension.
    ///
    /// # Errors
    /// When there are more than [`SUSPEND_KEYS_MAX`], or the store fails.
    pub fn of_cloud(&self, scope: &Scope, cloud: &Name) -> Result<Vec<SwitchedKey>, KeysError> {
        let keys = self.records_of_cloud(scope, cloud)?;
        Ok(keys.iter().map(|record| SwitchedKey::of(&record.value)).collect())
    }

    fn records_of_cloud(
        &self,
        scope: &Scope,
        cloud: &Name,
    ) -> Result<Vec<Record<KeyRecords>>, KeysError> {
        let term = label_term("cloud", cloud.as_str());
        let mut keys = self.inner.store.find::<KeyRecords>(&term, READ_ROWS_MAX)?;
        if keys.len() == READ_ROWS_MAX {
            return Err(KeysError::TooManyKeys { keys_max: SUSPEND_KEYS_MAX });
        }
        keys.retain(|record| scope.allows(record.value.domain));
        if keys.len() > SUSPEND_KEYS_MAX {
            return Err(KeysError::TooManyKeys { keys_max: SUSPEND_KEYS_MAX });
        }
        Ok(keys)
    }

    fn permitted_cloud<A: ActionType>(
        &self,
        permit: &Permit<A>,
        cloud: &Name,
    ) -> Result<Vec<Record<KeyRecords>>, KeysError> {
        self.live(permit)?;
        if permit.resource().id != "*" {
            return Err(KeysError::NoKey);
        }
        self.records_of_cloud(&permit.scope(), cloud)
    }

    /// Declares versions compromised: they decrypt and verify only for requests that accept it.
    ///
    /// # Errors
    /// When a version is destroyed or declared already, or the store fails.
    pub async fn compromise(
        &self,
        permit: Permit<KeyCompromise>,
        request: &DeclareCompromise,
    ) -> Result<KeyView, KeysError> {
        let record = match self.compromised(&permit, request) {
            Ok(record) => record,
            Err(cause) => return Err(self.refuse(permit, cause).await),
        };
        let key = record.value;
        let guard = permit.guard();
        let listed = request.versions.as_ref().map(|versions| {
            versions.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        });
        let event = permit
            .into_event(Outcome::Done, &*self.inner.clock)
            .with("reason", request.reason.as_str())
            .with("versions", listed.unwrap_or_else(|| String::from("all")));
        let batch = Batch::new()
            .essential()
            .guard(guard)
            .raise_epoch(key.domain)
            .put::<KeyRecords>(&key.id, &key, Expect::Version(record.version))
            .event(event);
        let committed = self.inner.store.commit(batch).await;
        self.changed(key.id);
        committed?;
        Ok(key.view(self.now()))
    }

    fn compromised(
        &self,
        permit: &Permit<KeyCompromise>,
        request: &DeclareCompromise,
    ) -> Result<Record<KeyRecords>, KeysError> {
        let mut record = self.permitted(permit)?;
        let now = self.now();
        if let Some(unknown) = request
            .versions
            .iter()
            .flatten()
            .find(|version| record.value.version(**version).is_none())
        {
            return Err(KeysError::NoVersion { version: *unknown });
        }
        match &request.versions {
            Some(none) if none.is_empty() => {
                return Err(KeysError::NoVersion { version: VersionNo(0) });
            }
            None => every_version(&mut record.value, Transition::Compromise, now)?,
            Some(versions) => {
                let named = |version: &&mut Version| versions.contains(&version.number);
                for version in record.value.versions.iter_mut().filter(named) {
                    version.state = version.state.clone().after(Transition::Compromise, now)?;
                }
            }
        }
        Ok(record)
    }

    async fn switch<A: ActionType>(
        &self,
        permit: Permit<A>,
        found: Found,
        transition: Transition,
        what: &Switch<'_>,
    ) -> Result<Switched, KeysError> {
        let arrived = permit.caller().arrived;
        let prepared = found.records.and_then(|records| self.prepare(records, transition, what));
        let (prepared, spent) = match prepared.and_then(|prepared| Ok((prepared, found.spent?))) {
            Ok(both) => both,
            Err(cause) => return Err(self.refuse(permit, cause).await),
        };
        let (guard, decided_at) = (permit.guard(), permit.decided_at());
        let event = what.describe(permit.into_event(Outcome::Done, &*self.inner.clock));
        let (batch, event) = with_approval(spent, Batch::new().essential().guard(guard), event);
        let mut batch = batch;
        match what.cloud {
            None => batch = batch.event(event),
            Some(_) => {
                let changed = prepared.changed.len().to_string();
                batch = batch.event(event.clone().with("keys", changed));
                for record in &prepared.changed {
                    batch = batch.event(about_key(&event, &record.value));
                }
            }
        }
        for record in &prepared.changed {
            let (key, expect) = (&record.value, Expect::Version(record.version));
            batch = batch.put::<KeyRecords>(&key.id, key, expect).raise_epoch(key.domain);
        }
        let committed = self.inner.store.commit(batch).await;
        for record in &prepared.changed {
            self.changed(record.key);
        }
        committed?;
        Ok(Switched {
            keys: prepared.changed.iter().map(|record| SwitchedKey::of(&record.value)).collect(),
            left: prepared.left,
            decided_at,
            took_micros: self.inner.clock.monotonic().0.saturating_sub(arrived.0),
            stops: what.stops.to_vec(),
        })
    }

    fn prepare(
        &self,
        records: Vec<Record<KeyRecords>>,
        transition: Transition,
        what: &Switch<'_>,
    ) -> Result<Prepared, KeysError> {
        if what.stops.len() > STOPS_MAX {
            return Err(KeysError::TooManyStops);
        }
        let now = self.now();
        let (mut changed, mut left) = (Vec::new(), Vec::new());
        for mut record in records {
            match every_version(&mut record.value, transition, now) {
                Ok(()) => changed.push(record),
                Err(_) if what.cloud.is_some() => left.push(SwitchedKey::of(&record.value)),
                Err(cause) => return Err(cause.into()),
            }
        }
        changed.sort_by_key(|record| record.key);
        Ok(Prepared { changed, left })
    }

    /// Forgets what is remembered of a key from which something was taken away.
    pub(crate) fn changed(&self, key: KeyId) {
        self.inner.memory.cache.forget(key);
        self.inner.room.forget(key);
    }
}

/// What a switch was asked about, and the approval of it.
struct Found {
    records: Result<Vec<Record<KeyRecords>>, KeysError>,
    spent: Result<Option<Spent>, KeysError>,
}

struct Prepared {
    changed: Vec<Record<KeyRecords>>,
    left: Vec<SwitchedKey>,
}

struct Switch<'a> {
    cloud: Option<&'a Name>,
    reason: &'a Reason,
    stops: &'a [Name],
}

impl<'a> From<&'a Suspend> for Switch<'a> {
    fn from(request: &'a Suspend) -> Self {
        Self { cloud: None, reason: &request.reason, stops: &request.stops }
    }
}

impl<'a> From<&'a Resume> for Switch<'a> {
    fn from(request: &'a Resume) -> Self {
        Self { cloud: None, reason: &request.reason, stops: &[] }
    }
}

impl Switch<'_> {
    fn describe(&self, event: Event) -> Event {
        let mut event = event.with("reason", self.reason.as_str());
        if let Some(cloud) = self.cloud {
            event = event.with("cloud", cloud.as_str());
        }
        if !self.stops.is_empty() {
            let names: Vec<&str> = self.stops.iter().map(Name::as_str).collect();
            event = event.with("stops_count", names.len().to_string());
            event = event.with("stops", names.join(", "));
        }
        event
    }
}

impl SwitchedKey {
    fn of(key: &Key) -> Self {
        Self { key: key.id, domain: key.domain, name: key.about.name.clone() }
    }
}

fn about_key(event: &Event, key: &Key) -> Event {
    let mut event = event.clone();
    event.resource = format!("key:{}", key.id);
    event.domain = key.domain;
    event
}

/// Takes the step with every version for which it exists; an error when there is none.
fn every_version(key: &mut Key, transition: Transition, now: Timestamp) -> Result<(), NotAllowed> {
    let mut refused = NotAllowed { from: key.state_at(now), transition };
    let mut moved = false;
    for version in &mut key.versions {
        match version.state.clone().after(transition, now) {
            Ok(next) => {
                version.state = next;
                moved = true;
            }
            Err(cause) => refused = cause,
        }
    }
    if moved { Ok(()) } else { Err(refused) }
}
