//! Keys counted: how many in which state, and which are late, without reading all of them again for
//! every page.
//!
//! One count goes over every key and is kept until a key changes (the store's stamp says so) or a
//! minute has passed, because dates make states and lateness change by themselves. Callers who come
//! while somebody counts wait for that count.

use crate::key::{Key, KeyRecords};
use crate::{Keys, KeysError, StateName};
use kernel::{DomainId, KeyId, Name, Scope, Timestamp};
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};
use store::Stamp;

/// Longest time for which a count is used, in seconds, when no key has changed.
pub const CENSUS_SECONDS_MAX: i64 = 60;
/// Late keys that a count names, the latest first; more are counted.
pub const LATE_NAMED_MAX: usize = 20;

/// A key that should have been rotated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LateKey {
    /// The key.
    pub key: KeyId,
    /// Its key domain.
    pub domain: DomainId,
    /// Its name.
    pub name: Name,
    /// When its rotation was due.
    pub due_at: Timestamp,
    /// Whole days since then, at the time of the count.
    pub late_days: i64,
}

/// The keys of one key domain, counted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct OfDomain {
    states: BTreeMap<StateName, u64>,
    late: u64,
    late_named: Vec<LateKey>,
}

/// The keys of a scope, counted at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Census {
    /// When they were counted.
    pub at: Timestamp,
    /// How many are in each state; states without keys are left out.
    pub states: BTreeMap<StateName, u64>,
    /// How many are late by a day or more.
    pub late: u64,
    /// The latest of them.
    pub late_named: Vec<LateKey>,
}

impl Census {
    /// How many keys there are.
    #[must_use]
    pub fn keys(&self) -> u64 {
        self.states.values().sum()
    }
}

/// A count of all keys, by key domain.
#[derive(Debug)]
pub(crate) struct Counted {
    at: Timestamp,
    stamp: Stamp,
    domains: BTreeMap<DomainId, OfDomain>,
}

impl OfDomain {
    fn add(&mut self, key: &Key, now: Timestamp) {
        *self.states.entry(key.state_at(now)).or_default() += 1;
        let Some(due_at) = key.rotation_due_at(now) else { return };
        let late_days = now.seconds_since(due_at).max(0) / 86_400;
        if late_days == 0 {
            return;
        }
        self.late += 1;
        let (name, domain) = (key.about.name.clone(), key.domain);
        self.late_named.push(LateKey { key: key.id, domain, name, due_at, late_days });
        keep_latest(&mut self.late_named);
    }
}

/// Leaves the keys that have been late for longest.
fn keep_latest(late: &mut Vec<LateKey>) {
    late.sort_by_key(|one| (one.due_at, one.key));
    late.truncate(LATE_NAMED_MAX);
}

impl Keys {
    /// A mark that changes whenever a key does; see [`store::Store::stamp`].
    #[must_use]
    pub fn stamp(&self) -> Stamp {
        self.inner.store.stamp::<KeyRecords>()
    }

    /// The keys of a scope, counted: exact but for what dates have changed in the last minute. May
    /// read every key; call it where a thread may be busy that long.
    ///
    /// # Errors
    /// When the store fails.
    pub fn census(&self, scope: &Scope) -> Result<Census, KeysError> {
        let counted = self.counted()?;
        let mut census =
            Census { at: counted.at, states: BTreeMap::new(), late: 0, late_named: Vec::new() };
        for (_, of) in counted.domains.iter().filter(|(domain, _)| scope.allows(**domain)) {
            for (state, count) in &of.states {
                *census.states.entry(*state).or_default() += count;
            }
            census.late += of.late;
            census.late_named.extend(of.late_named.iter().cloned());
        }
        keep_latest(&mut census.late_named);
        Ok(census)
    }

    fn counted(&self) -> Result<Arc<Counted>, KeysError> {
        let mut kept = self.inner.memory.census.lock().unwrap_or_else(PoisonError::into_inner);
        let (now, stamp) = (self.now(), self.stamp());
        let is_new = |kept: &&Arc<Counted>| {
            let age = now.seconds_since(kept.at);
            kept.stamp == stamp && (0..CENSUS_SECONDS_MAX).contains(&age)
        };
        if let Some(kept) = kept.as_ref().filter(is_new) {
            return Ok(Arc::clone(kept));
        }
        let mut domains: BTreeMap<DomainId, OfDomain> = BTreeMap::new();
        self.for_each_key(&Scope::All, |key| {
            domains.entry(key.domain).or_default().add(key, now);
        })?;
        let counted = Arc::new(Counted { at: now, stamp, domains });
        *kept = Some(Arc::clone(&counted));
        Ok(counted)
    }
}
