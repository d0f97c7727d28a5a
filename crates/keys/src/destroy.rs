//! Destruction: asked for, waited for, taken back or carried out.
//!
//! From the request on the key is used for nothing. When the waiting period has ended (the rule is
//! in `waiting.rs`) the material is shredded, one shred key after another:
//!
//! 1. close the shred key, so that nothing new is wrapped under it;
//! 2. the root notes the plan and wraps the survivors under a new shred key;
//! 3. one commit: the survivors in their new form, the destroyed material gone, the versions
//!    destroyed, the record of it;
//! 4. the old shred key leaves the root: from here on no copy of the store opens the material.
//!
//! A crash before 3 leaves the key waiting, and the next sweep begins again; a crash between 3 and
//! 4 is finished by [`Keys::recover`], which every start calls before it serves.

use crate::approval::with_approval;
use crate::key::{Destruction, Key, KeyRecords, Material, Materials, destruction_term, shred_term};
use crate::purpose::Purpose;
use crate::state::Transition;
use crate::waiting::{Served, WaitingPeriod};
use crate::{KeyView, Keys, KeysError, NotUsable, Reason};
use kernel::actions::{KeyDestroy, KeyRecover, SystemConfigure};
use kernel::{Event, KeyId, Outcome, Permit, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::time::Duration;
use store::limits::READ_ROWS_MAX;
use store::{Batch, Collection, Expect, KeyRange, Record};
use strongroom::shred::{ShredError, Survivor};
use strongroom::{ShredFamily, ShredId};

/// How often a destruction waits for new keys to arrive before it is left to the next sweep.
const ARRIVAL_TRIES: u32 = 64;

/// Why a key is to go.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Destroy {
    /// Why.
    pub reason: Reason,
}

/// How far a destruction has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "destruction")]
pub enum Destroyed {
    /// It waits and can be taken back.
    Scheduled {
        /// The earliest moment.
        not_before: Timestamp,
    },
    /// The material is gone.
    Done {
        /// When.
        at: Timestamp,
    },
}

/// What a sweep over the waiting destructions found.
#[derive(Debug, Default)]
pub struct Sweep {
    /// Keys whose material is gone now.
    pub destroyed: Vec<KeyId>,
    /// How many wait on.
    pub waiting: usize,
    /// Keys whose time has come but which could not be shredded; the next sweep tries again.
    pub failed: Vec<(KeyId, KeysError)>,
    /// Set while the clocks disagree and nothing is carried out.
    pub clock_diverged_at: Option<Timestamp>,
}

/// Served time, as it is written down.
pub(crate) enum ServedTime {}

impl Collection for ServedTime {
    const NAME: &'static str = "served-time";
    type Key = ();
    type Value = Served;
}

impl Keys {
    /// Asks for the destruction of a key. It is used for nothing from now on; its material goes
    /// when the waiting period of its key domain has ended, or at once where that is 0.
    ///
    /// # Errors
    /// When it is destroyed or asked for already, or the store fails.
    pub async fn destroy(
        &self,
        permit: Permit<KeyDestroy>,
        request: &Destroy,
    ) -> Result<Destroyed, KeysError> {
        let scheduled = self.scheduled(&permit, request);
        let approved = scheduled.and_then(|one| Ok((one, self.spend(&permit, request)?)));
        let ((record, waiting), spent) = match approved {
            Ok(both) => both,
            Err(cause) => return Err(self.refuse(permit, cause).await),
        };
        let key = record.value;
        let guard = permit.guard();
        let event = permit
            .into_event(Outcome::Done, &*self.inner.clock)
            .with("reason", request.reason.as_str())
            .with("waiting_period_seconds", waiting.seconds.to_string())
            .with("not_before", waiting.not_before.rfc3339());
        let (batch, event) = with_approval(spent, Batch::new().guard(guard), event);
        let batch = batch
            .raise_epoch(key.domain)
            .put::<KeyRecords>(&key.id, &key, Expect::Version(record.version))
            .event(event);
        let committed = self.inner.store.commit(batch).await;
        self.changed(key.id);
        committed?;
        if waiting.seconds > 0 {
            return Ok(Destroyed::Scheduled { not_before: waiting.not_before });
        }
        // The request stands and is durable: what fails from here on is tried again by the sweep.
        match self.carry_out(key.id).await {
            Ok(at) => Ok(Destroyed::Done { at }),
            Err(_) => Ok(Destroyed::Scheduled { not_before: waiting.not_before }),
        }
    }

    fn scheduled(
        &self,
        permit: &Permit<KeyDestroy>,
        request: &Destroy,
    ) -> Result<(Record<KeyRecords>, WaitingPeriod), KeysError> {
        let mut record = self.permitted(permit)?;
        let key = &mut record.value;
        key.not_awaiting_destruction()?;
        if key.is_destroyed() {
            let (state, purpose) = (key.state_at(self.now()), Purpose::Process);
            return Err(NotUsable { state, purpose }.into());
        }
        let seconds = self.domain(key.domain)?.waiting_period_seconds;
        let waiting = WaitingPeriod::starting(seconds, self.served());
        key.destruction = Some(Destruction {
            requested_at: self.now(),
            requested_by: permit.caller().principal,
            reason: request.reason.clone(),
            waiting,
        });
        Ok((record, waiting))
    }

    /// Takes a destruction back during its waiting period; the key is what it was before.
    ///
    /// # Errors
    /// When none was asked for or it is done, or the store fails.
    pub async fn recover_key(
        &self,
        permit: Permit<KeyRecover>,
        request: &Destroy,
    ) -> Result<KeyView, KeysError> {
        let record = match self.taken_back(&permit) {
            Ok(record) => record,
            Err(cause) => return Err(self.refuse(permit, cause).await),
        };
        let key = record.value;
        let guard = permit.guard();
        let event = permit
            .into_event(Outcome::Done, &*self.inner.clock)
            .with("reason", request.reason.as_str());
        let batch = Batch::new()
            .guard(guard)
            .put::<KeyRecords>(&key.id, &key, Expect::Version(record.version))
            .event(event);
        let committed = self.inner.store.commit(batch).await;
        self.inner.memory.cache.forget(key.id);
        committed?;
        Ok(key.view(self.now()))
    }

    fn taken_back(&self, permit: &Permit<KeyRecover>) -> Result<Record<KeyRecords>, KeysError> {
        let mut record = self.permitted(permit)?;
        let key = &mut record.value;
        let touched = key.versions.iter().any(|v| v.state.name().is_destroyed());
        if key.destruction.is_none() || touched {
            return Err(KeysError::NoDestruction);
        }
        key.destruction = None;
        Ok(record)
    }

    /// Counts served time, writes it down, finishes what the disk refused before, and carries out
    /// every destruction whose waiting period has ended. The binary calls it once a minute.
    ///
    /// # Errors
    /// When the store or the root fails as a whole; the next sweep begins again.
    pub async fn sweep(&self) -> Result<Sweep, KeysError> {
        let served = self.served();
        self.write_served(served, None).await?;
        self.recover().await?;
        let mut sweep = Sweep { clock_diverged_at: served.diverged_at, ..Sweep::default() };
        for record in self.inner.store.find::<KeyRecords>(&destruction_term(), READ_ROWS_MAX)? {
            let ended = record
                .value
                .destruction
                .as_ref()
                .is_some_and(|destruction| destruction.waiting.ended(served).is_ok());
            if !ended {
                sweep.waiting += 1;
                continue;
            }
            match self.carry_out(record.key).await {
                Ok(_) => sweep.destroyed.push(record.key),
                Err(cause) => sweep.failed.push((record.key, cause)),
            }
        }
        Ok(sweep)
    }

    /// A person has compared the server's clock with another one and says that it is right: after a
    /// divergence, destructions go on. Their waiting periods do not become shorter by it.
    ///
    /// # Errors
    /// When the permit has expired or the store fails.
    pub async fn confirm_clock(&self, permit: Permit<SystemConfigure>) -> Result<(), KeysError> {
        if let Err(cause) = self.live(&permit) {
            return Err(self.refuse(permit, cause).await);
        }
        let guard = permit.guard();
        let before = self.served();
        let event = permit
            .into_event(Outcome::Done, &*self.inner.clock)
            .with("confirmed", "clock")
            .with("diverged_at", before.diverged_at.map(Timestamp::rfc3339).unwrap_or_default());
        let confirmed = Served { diverged_at: None, ..before };
        self.write_served(confirmed, Some(Batch::new().guard(guard).event(event))).await?;
        self.served_clock().confirm(&*self.inner.clock);
        Ok(())
    }

    async fn write_served(&self, served: Served, with: Option<Batch>) -> Result<(), KeysError> {
        let batch = with.unwrap_or_default().put::<ServedTime>(&(), &served, Expect::Any);
        self.inner.store.commit(batch).await?;
        Ok(())
    }

    /// Finishes what was interrupted between planning a shredding and deleting the shred key.
    /// Called at every start, before anything is served, and by every sweep. Returns how many it
    /// finished.
    ///
    /// # Errors
    /// When the store or the root fails; starting again repeats it.
    pub async fn recover(&self) -> Result<usize, KeysError> {
        let _one_at_a_time = self.inner.ending.shredding.lock().await;
        let pending = self.inner.room.pending_shreds();
        let ours = pending.into_iter().filter(|one| one.family == ShredFamily::Keys);
        let mut finished = 0;
        for one in ours {
            // Something still lies under the old shred key: the commit did not happen. Everything
            // under it survives for now; a destruction that was asked for is carried out by the
            // sweep.
            let moved = self.aside(move |keys| keys.moved_away(one.old, None)).await??;
            if !moved.batch.is_empty() {
                self.inner.store.commit(moved.batch).await?;
                moved.keys.into_iter().for_each(|key| self.inner.memory.cache.forget(key));
            }
            self.finish(one.old).await?;
            finished += 1;
        }
        Ok(finished)
    }

    /// Shreds a key whose waiting period has ended.
    async fn carry_out(&self, id: KeyId) -> Result<Timestamp, KeysError> {
        let _one_at_a_time = self.inner.ending.shredding.lock().await;
        let served = self.served();
        let mut tries = 0;
        loop {
            let record = self.record(id)?;
            let destruction = record.value.destruction.as_ref().ok_or(KeysError::NoDestruction)?;
            destruction.waiting.ended(served)?;
            let held = self.materials_of(id)?;
            let Some(shred) = held.first().map(|material| material.value.shred) else {
                return self.destroyed_at(&record.value);
            };
            match self.shred(record, &held, shred).await {
                // A new key is on its way into the store under the same shred key: let it arrive.
                Err(KeysError::Shred(ShredError::OnTheWay(_))) if tries < ARRIVAL_TRIES => {
                    tries += 1;
                    self.inner.store.flush().await?;
                    // What is not handed to the store yet is not flushed: give it time, more each
                    // time, two seconds in all.
                    tokio::time::sleep(Duration::from_millis(u64::from(tries))).await;
                }
                done => done?,
            }
        }
    }

    fn destroyed_at(&self, key: &Key) -> Result<Timestamp, KeysError> {
        let times = key.versions.iter().filter_map(|version| match version.state {
            crate::State::Destroyed { at } | crate::State::DestroyedCompromised { at } => Some(at),
            _ => None,
        });
        times.max().ok_or(KeysError::NoDestruction)
    }

    fn materials_of(&self, id: KeyId) -> Result<Vec<Record<Materials>>, KeysError> {
        let range = KeyRange::prefix(&id);
        Ok(self.inner.store.scan::<Materials>(&range, crate::key::VERSIONS_MAX)?)
    }

    /// Destroys the versions of the key that lie under one shred key.
    async fn shred(
        &self,
        record: Record<KeyRecords>,
        held: &[Record<Materials>],
        shred: ShredId,
    ) -> Result<(), KeysError> {
        let id = record.key;
        let moved = self.aside(move |keys| keys.moved_away(shred, Some(id))).await??;
        let now = self.now();
        let (mut key, mut batch) = (record.value, moved.batch);
        let mut gone = BTreeSet::new();
        for material in held.iter().filter(|material| material.value.shred == shred) {
            batch = batch.delete::<Materials>(&material.key, Expect::Version(material.version));
            gone.insert(material.value.version);
        }
        for version in key.versions.iter_mut().filter(|version| gone.contains(&version.number)) {
            version.state = version.state.clone().after(Transition::Destroy, now)?;
        }
        let batch = batch
            .put::<KeyRecords>(&key.id, &key, Expect::Version(record.version))
            .event(destroyed_event(&key, gone.len(), shred, now));
        let committed = self.inner.store.commit(batch).await;
        self.changed(key.id);
        for survivor in moved.keys {
            self.inner.memory.cache.forget(survivor);
        }
        committed?;
        self.finish(shred).await
    }

    /// What lies under a shred key, but for one key, wrapped under another, and the batch that says
    /// so.
    fn moved_away(&self, shred: ShredId, but: Option<KeyId>) -> Result<Moved, KeysError> {
        let closed = self.inner.room.close_shred_key(shred)?;
        let mut under = self.inner.store.find::<Materials>(&shred_term(shred), READ_ROWS_MAX)?;
        under.retain(|material| Some(material.value.key) != but);
        let survivors = under.iter().map(|material| Survivor {
            slot: material.value.slot().into(),
            wrapped: material.value.wrapped.to_vec(),
        });
        let plan = self.inner.room.plan_shred(&closed, survivors.collect())?;
        let keys = under.iter().map(|material| material.value.key).collect();
        let mut batch = Batch::new();
        for (material, survivor) in under.into_iter().zip(plan.rewrapped) {
            let anew =
                Material { shred: plan.new, wrapped: survivor.wrapped.into(), ..material.value };
            let expect = Expect::Version(material.version);
            batch = batch.put::<Materials>(&material.key, &anew, expect);
        }
        Ok(Moved { batch, keys })
    }

    /// The old shred key leaves the root, and the log says so.
    async fn finish(&self, old: ShredId) -> Result<(), KeysError> {
        self.aside(move |keys| keys.inner.room.finish_shred(old)).await??;
        let event =
            Event::system("shred-key.deleted", self.now()).with("shred_key", old.0.to_string());
        self.inner.store.commit(Batch::new().event(event)).await?;
        Ok(())
    }
}

struct Moved {
    batch: Batch,
    keys: BTreeSet<KeyId>,
}

fn destroyed_event(key: &Key, versions: usize, shred: ShredId, now: Timestamp) -> Event {
    let mut event = Event::system("key.destroyed", now)
        .with("versions", versions.to_string())
        .with("shred_key", shred.0.to_string());
    event.resource = format!("key:{}", key.id);
    event.domain = key.domain;
    if let Some(destruction) = &key.destruction {
        event = event
            .with("requested_by", destruction.requested_by.to_string())
            .with("requested_at", destruction.requested_at.rfc3339())
            .with("waiting_period_seconds", destruction.waiting.seconds.to_string())
            .with("reason", destruction.reason.as_str());
    }
    event
}
