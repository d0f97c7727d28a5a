//! Shredding what the log has on one person in one month: text, salt and key go, the proofs stay.
//!
//! The wrapped keys lie in the records, which never change, so the keys of others under the same
//! shred key get new forms beside the log ([`RewrappedKeys`]); then the shred key leaves the root,
//! and every copy of every record, in any backup, is unreadable in that part. Shredding walks over
//! the whole log: it is rare, and runs beside the work.

use crate::log::{Log, LogError};
use crate::record::KeyPlace;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kernel::{DomainId, Event, LogPosition, Principal, Problem, ProblemKind};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use store::{Batch, Collection, Expect, Store, StoreError};
use strongroom::shred::{PendingShred, ShredError, Survivor, wrapped_under};
use strongroom::{Month, PersonalSlot, ShredFamily, Slot, Strongroom};

/// Rows that are read at once.
const ROWS_AT_ONCE: usize = 256;

/// Why nothing was shredded.
#[derive(Debug, thiserror::Error)]
pub enum ShredPersonalError {
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The store cannot read or write.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The root does not let the shred key go.
    #[error("the root does not let the shred key go")]
    Shred(#[from] ShredError),
    /// The log has nothing on this person in this month.
    #[error("the log has no personal data under `{subject}` in {month}")]
    Nothing {
        /// Who.
        subject: String,
        /// When.
        month: Month,
    },
}

impl From<ShredPersonalError> for Problem {
    fn from(cause: ShredPersonalError) -> Self {
        match cause {
            ShredPersonalError::Log(cause) => cause.into(),
            ShredPersonalError::Store(cause) => cause.into(),
            ShredPersonalError::Shred(cause) => cause.into(),
            ShredPersonalError::Nothing { .. } => {
                Self::new(ProblemKind::NotFound, "no-personal-data", cause.to_string())
            }
        }
    }
}

/// What was shredded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Shredded {
    /// Keys that are gone.
    pub keys: usize,
    /// Keys of others that live on under another shred key.
    pub survivors: usize,
}

/// A wrapped key in its newer form.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RewrappedKey(String);

impl RewrappedKey {
    fn of(wrapped: &[u8]) -> Self {
        Self(STANDARD.encode(wrapped))
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        STANDARD.decode(&self.0).unwrap_or_default()
    }
}

/// Newer forms of wrapped keys, by the place of the older form in the log; and, by shred key, the
/// note that it may go.
#[derive(Debug)]
pub enum RewrappedKeys {}

impl Collection for RewrappedKeys {
    const NAME: &'static str = "log-personal-keys";
    type Key = String;
    type Value = RewrappedKey;
}

pub(crate) fn name(place: KeyPlace) -> String {
    format!("key/{:020}/{:05}", place.record, place.number)
}

fn mark(old: u64) -> String {
    format!("shredded/{old:020}")
}

struct Found {
    place: KeyPlace,
    slot: PersonalSlot,
    wrapped: Vec<u8>,
}

impl Log {
    /// Shreds the personal parts of the events of one person in one key domain and month, as far as
    /// they are in the log now, and writes `event` down with it.
    ///
    /// # Errors
    /// When there is nothing, the root or the store refuses; after a crash call it again.
    pub async fn shred_personal(
        &self,
        store: &Store,
        room: &Strongroom,
        whose: (DomainId, Principal, Month),
        event: Event,
    ) -> Result<Shredded, ShredPersonalError> {
        let (domain, principal, month) = whose;
        let wanted = PersonalSlot { domain, subject: principal.to_string(), month };
        // From here on the appender makes new keys.
        self.shared.let_go_of_keys();
        let size = self.head().size;
        let doomed = |found: &&Found| found.slot == wanted;
        let ids: BTreeSet<_> = self
            .carried(store, size)?
            .iter()
            .filter(doomed)
            .filter_map(|found| wrapped_under(&found.wrapped))
            .collect();
        let closed = ids.iter().map(|id| room.close_shred_key(*id));
        let closed = closed.collect::<Result<Vec<_>, _>>()?;
        let all = self.carried(store, self.head().size)?;
        let mut shredded = Shredded { keys: 0, survivors: 0 };
        let mut batch = Batch::new().event(event);
        for (id, closed) in ids.iter().zip(&closed) {
            let under = |found: &&Found| wrapped_under(&found.wrapped) == Some(*id);
            let (gone, kept): (Vec<&Found>, Vec<&Found>) =
                all.iter().filter(under).partition(|found| found.slot == wanted);
            shredded.keys += gone.len();
            shredded.survivors += kept.len();
            let survivors = kept.iter().map(|found| Survivor {
                slot: Slot::Personal(found.slot.clone()),
                wrapped: found.wrapped.clone(),
            });
            let plan = room.plan_shred(closed, survivors.collect())?;
            for (found, survivor) in kept.iter().zip(&plan.rewrapped) {
                let newer = RewrappedKey::of(&survivor.wrapped);
                batch = batch.put::<RewrappedKeys>(&name(found.place), &newer, Expect::Any);
            }
            let done = RewrappedKey::of(&[]);
            batch = batch.put::<RewrappedKeys>(&mark(id.0), &done, Expect::Any);
        }
        if shredded.keys == 0 {
            return Err(ShredPersonalError::Nothing { subject: wanted.subject, month });
        }
        store.commit(batch).await?;
        for id in ids {
            room.finish_shred(id)?;
        }
        self.forget_personal_keys();
        Ok(shredded)
    }

    /// Every personal-data key that the log carries and that was not shredded, in its newest form.
    fn carried(&self, store: &Store, size: u64) -> Result<Vec<Found>, ShredPersonalError> {
        let (mut found, mut at) = (Vec::new(), 0);
        while at < size {
            let before = at;
            for row in self.rows.rows(LogPosition(at), ROWS_AT_ONCE).map_err(LogError::from)? {
                let record = crate::shared::read(&row.body, at)?;
                at = at.max(record.first + record.events.len() as u64);
                for (number, key) in (0..).zip(record.carried) {
                    let place = KeyPlace { record: record.first, number };
                    let newer = store.get::<RewrappedKeys>(&name(place))?;
                    let wrapped = newer.map_or(key.wrapped, |newer| newer.value.bytes());
                    let gone = match wrapped_under(&wrapped) {
                        Some(id) => store.get::<RewrappedKeys>(&mark(id.0))?.is_some(),
                        None => true,
                    };
                    if !gone {
                        found.push(Found { place, slot: key.slot, wrapped });
                    }
                }
            }
            if at == before {
                return Err(LogError::NoSuchPosition { asked: at, size }.into());
            }
        }
        Ok(found)
    }
}

/// After a start: lets shred keys go whose survivors were stored before a crash. Gives those that
/// were planned and not stored: for them the shredding begins again.
///
/// # Errors
/// When the store cannot read or the root refuses.
pub fn finish_pending(
    store: &Store,
    room: &Strongroom,
) -> Result<Vec<PendingShred>, ShredPersonalError> {
    let mut open = Vec::new();
    for pending in room.pending_shreds() {
        if store.get::<RewrappedKeys>(&mark(pending.old.0))?.is_some() {
            room.finish_shred(pending.old)?;
        } else if pending.family == ShredFamily::Personal {
            open.push(pending);
        }
    }
    Ok(open)
}
