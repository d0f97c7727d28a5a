//! What a slice asks the store to do, all or nothing.

use crate::limits::{
    BATCH_CHANGES_MAX, BATCH_EVENTS_MAX, KEY_BYTES_MAX, RECORD_BYTES_MAX, SORT_TEXT_BYTES_MAX,
    TERMS_MAX,
};
use crate::{BatchError, Collection, IndexTerm, RecordKey, StoreError};
use kernel::{DomainId, Event, Guard};
use std::collections::HashSet;
use std::sync::Arc;

/// What must be true of a record before it is changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Expect {
    /// There is none.
    Absent,
    /// It is in this version, as a read returned it.
    Version(u64),
    /// Whatever there is or is not.
    Any,
}

/// A request that its caller may repeat without doing it twice; kept for 24 hours.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Idempotency {
    /// The key domain of the request.
    pub domain: DomainId,
    /// Who asked, as text: keys of different callers do not meet.
    pub caller: String,
    /// What the caller sent as its idempotency key.
    pub key: String,
    /// A hash of the request's body: another body under the same key is a conflict.
    pub request: [u8; 32],
    /// What is answered, and answered again. Never a secret: those are "done, shown once".
    pub outcome: Vec<u8>,
}

pub(crate) struct Change {
    pub(crate) collection: &'static str,
    pub(crate) key: Vec<u8>,
    pub(crate) expect: Expect,
    pub(crate) put: Option<Put>,
}

pub(crate) struct Put {
    pub(crate) domain: DomainId,
    pub(crate) terms: Vec<IndexTerm>,
    pub(crate) sort: Option<String>,
    pub(crate) json: Vec<u8>,
}

/// Preconditions, changes and events of one commit.
///
/// ```
/// # use store::{Batch, Collection, Expect};
/// # enum Notes {}
/// # impl Collection for Notes {
/// #     const NAME: &'static str = "notes";
/// #     type Key = u64;
/// #     type Value = String;
/// # }
/// let batch = Batch::new()
///     .put::<Notes>(&1, &String::from("first"), Expect::Absent)
///     .delete::<Notes>(&2, Expect::Any);
/// assert!(!batch.is_empty());
/// ```
#[must_use = "a batch does nothing until it is committed"]
#[derive(Default)]
pub struct Batch {
    pub(crate) changes: Vec<Change>,
    pub(crate) guards: Vec<Guard>,
    pub(crate) raises: Vec<DomainId>,
    pub(crate) raise_all: bool,
    pub(crate) events: Vec<Event>,
    pub(crate) idempotency: Option<Idempotency>,
    pub(crate) essential: bool,
    wrong: Option<StoreError>,
}

impl std::fmt::Debug for Batch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Batch")
            .field("changes", &self.changes.len())
            .field("events", &self.events.len())
            .finish_non_exhaustive()
    }
}

impl Batch {
    /// A batch that does nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Writes a record, new or in place of the one that is there.
    pub fn put<C: Collection>(mut self, key: &C::Key, value: &C::Value, expect: Expect) -> Self {
        match serde_json::to_vec(value) {
            Ok(json) => {
                let sort = C::sort_name(value).map(|name| sort_text(&name));
                let (domain, terms) = (C::domain(value), C::indexes(value));
                let put = Some(Put { domain, terms, sort, json });
                self.changes.push(Change { collection: C::NAME, key: key.to_bytes(), expect, put });
            }
            Err(cause) => {
                let cause = Arc::new(cause);
                self.wrong = Some(StoreError::Encoding { collection: C::NAME, cause });
            }
        }
        self
    }

    /// Removes a record; with [`Expect::Any`] it need not exist.
    pub fn delete<C: Collection>(mut self, key: &C::Key, expect: Expect) -> Self {
        let key = key.to_bytes();
        self.changes.push(Change { collection: C::NAME, key, expect, put: None });
        self
    }

    /// Writes an event down with the change, in the order of the calls.
    pub fn event(mut self, event: Event) -> Self {
        self.events.push(event);
        self
    }

    /// The commit must still find this epoch; one guard for each permit that the batch rests on.
    pub fn guard(mut self, guard: Guard) -> Self {
        if !self.guards.contains(&guard) {
            self.guards.push(guard);
        }
        self
    }

    /// Raises the epoch of a key domain: permits given before cannot be committed afterwards.
    pub fn raise_epoch(mut self, domain: DomainId) -> Self {
        if !self.raises.contains(&domain) {
            self.raises.push(domain);
        }
        self
    }

    /// Raises the epoch of every key domain, those to come included: for the revocation of an
    /// identity or of a policy that holds everywhere.
    pub const fn raise_every_epoch(mut self) -> Self {
        self.raise_all = true;
        self
    }

    /// Makes the commit repeatable. When the key was used with the same request, nothing is
    /// changed, [`crate::Committed::replayed`] has the first outcome, and the events are written
    /// down with the detail `replayed`.
    pub fn idempotent(mut self, idempotency: Idempotency) -> Self {
        self.idempotency = Some(idempotency);
        self
    }

    /// Marks what must go on when the disk is full: suspending, revoking, sealing, refusals.
    pub const fn essential(mut self) -> Self {
        self.essential = true;
        self
    }

    /// Adds everything that another batch asks for, behind what this one asks for.
    pub fn and(mut self, other: Self) -> Self {
        self.changes.extend(other.changes);
        self.events.extend(other.events);
        self.raise_all |= other.raise_all;
        self.essential |= other.essential;
        self.wrong = self.wrong.or(other.wrong);
        self.idempotency = self.idempotency.or(other.idempotency);
        let with_guards = other.guards.into_iter().fold(self, Self::guard);
        other.raises.into_iter().fold(with_guards, Self::raise_epoch)
    }

    /// Whether it asks for nothing.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.changes.is_empty()
            && self.events.is_empty()
            && self.raises.is_empty()
            && !self.raise_all
            && self.idempotency.is_none()
    }

    pub(crate) fn check(&self) -> Result<(), StoreError> {
        if let Some(wrong) = &self.wrong {
            return Err(wrong.clone());
        }
        if self.changes.len() > BATCH_CHANGES_MAX {
            return Err(BatchError::TooManyChanges.into());
        }
        if self.events.len() > BATCH_EVENTS_MAX {
            return Err(BatchError::TooManyEvents.into());
        }
        let mut seen = HashSet::with_capacity(self.changes.len());
        for change in &self.changes {
            let collection = change.collection;
            if change.key.len() > KEY_BYTES_MAX {
                return Err(BatchError::KeyTooLong { collection }.into());
            }
            if !seen.insert((collection, change.key.as_slice())) {
                return Err(BatchError::Twice { collection }.into());
            }
            if let Some(put) = &change.put {
                if put.json.len() > RECORD_BYTES_MAX {
                    return Err(BatchError::RecordTooLarge { collection }.into());
                }
                if put.terms.len() > TERMS_MAX {
                    return Err(BatchError::TooManyTerms { collection }.into());
                }
            }
        }
        Ok(())
    }
}

/// The text that names are sorted by: lower case, cut at a character's end.
pub(crate) fn sort_text(name: &str) -> String {
    let mut text = name.to_lowercase();
    if text.len() > SORT_TEXT_BYTES_MAX {
        let mut end = SORT_TEXT_BYTES_MAX;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
    }
    text
}
