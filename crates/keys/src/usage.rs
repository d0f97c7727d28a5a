//! How often each version was used: counted in memory, written down now and then.
//!
//! The counts are a floor, not the truth: a crash loses what was counted since the last flush. The
//! truth is the log, which has one record for every use.

use crate::purpose::Purpose;
use crate::uses::Chosen;
use crate::{Keys, KeysError};
use kernel::actions::KeyRead;
use kernel::{KeyId, Permit, VersionNo};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use store::{Batch, Collection, Expect};

/// Most records written by one flush.
const FLUSH_KEYS_MAX: usize = 1_024;

/// Uses of one version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct UseCount {
    /// Encrypted, signed, made a code or a data key, gave out.
    pub protected: u64,
    /// Decrypted, verified, opened.
    pub processed: u64,
}

impl UseCount {
    const fn plus(self, other: Self) -> Self {
        Self {
            protected: self.protected.saturating_add(other.protected),
            processed: self.processed.saturating_add(other.processed),
        }
    }
}

type ByVersion = BTreeMap<u32, UseCount>;

enum Usages {}

impl Collection for Usages {
    const NAME: &'static str = "key-usage";
    type Key = KeyId;
    type Value = ByVersion;
}

/// What was counted and not yet written.
#[derive(Debug, Default)]
pub(crate) struct Usage(Mutex<HashMap<KeyId, ByVersion>>);

impl Usage {
    fn lock(&self) -> MutexGuard<'_, HashMap<KeyId, ByVersion>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn count(&self, by: &Chosen) {
        let mut counts = self.lock();
        let count = counts.entry(by.key).or_default().entry(by.version.0).or_default();
        match by.purpose {
            Purpose::Protect => count.protected = count.protected.saturating_add(1),
            Purpose::Process => count.processed = count.processed.saturating_add(1),
        }
    }

    fn take(&self) -> HashMap<KeyId, ByVersion> {
        let mut counts = self.lock();
        if counts.len() <= FLUSH_KEYS_MAX {
            return std::mem::take(&mut *counts);
        }
        let keys: Vec<KeyId> = counts.keys().copied().take(FLUSH_KEYS_MAX).collect();
        keys.into_iter().filter_map(|key| counts.remove_entry(&key)).collect()
    }

    fn give_back(&self, counts: HashMap<KeyId, ByVersion>) {
        let mut waiting = self.lock();
        for (key, versions) in counts {
            add(waiting.entry(key).or_default(), &versions);
        }
    }

    fn waiting(&self, key: KeyId) -> ByVersion {
        self.lock().get(&key).cloned().unwrap_or_default()
    }
}

fn add(to: &mut ByVersion, from: &ByVersion) {
    for (version, count) in from {
        let sum = to.entry(*version).or_default();
        *sum = sum.plus(*count);
    }
}

impl Keys {
    /// Uses of each version of a key, at least: see the head of `usage.rs`.
    ///
    /// # Errors
    /// When there is no such key, or the store fails.
    pub fn uses(
        &self,
        permit: Permit<KeyRead>,
    ) -> Result<BTreeMap<VersionNo, UseCount>, KeysError> {
        let found = self.permitted(&permit).and_then(|record| {
            let written = self.inner.store.get::<Usages>(&record.key)?;
            let mut counts = written.map(|record| record.value).unwrap_or_default();
            add(&mut counts, &self.inner.memory.usage.waiting(record.key));
            Ok(counts.into_iter().map(|(version, count)| (VersionNo(version), count)).collect())
        });
        self.note_read(permit, &found);
        found
    }

    /// Writes the counts down; the binary calls it every minute and when it ends. Returns whether
    /// more than one flush takes is waiting.
    ///
    /// # Errors
    /// When the store fails; the counts are then kept in memory.
    pub async fn flush_usage(&self) -> Result<bool, KeysError> {
        let counts = self.inner.memory.usage.take();
        if counts.is_empty() {
            return Ok(false);
        }
        let more = counts.len() == FLUSH_KEYS_MAX;
        let written = match self.usage_batch(&counts) {
            Ok(batch) => self.inner.store.commit(batch).await.map_err(KeysError::from),
            Err(cause) => Err(cause),
        };
        match written {
            Ok(_) => Ok(more),
            Err(cause) => {
                self.inner.memory.usage.give_back(counts);
                Err(cause)
            }
        }
    }

    fn usage_batch(&self, counts: &HashMap<KeyId, ByVersion>) -> Result<Batch, KeysError> {
        let mut batch = Batch::new();
        for (key, counted) in counts {
            let written = self.inner.store.get::<Usages>(key)?;
            let (mut sum, expect) = match written {
                Some(record) => (record.value, Expect::Version(record.version)),
                None => (ByVersion::new(), Expect::Absent),
            };
            add(&mut sum, counted);
            batch = batch.put::<Usages>(key, &sum, expect);
        }
        Ok(batch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Leave;
    use strongroom::Algorithm;

    fn by(key: usize, purpose: Purpose) -> Chosen {
        Chosen {
            key: KeyId::from_bytes((key as u128).to_be_bytes()),
            version: VersionNo(1),
            algorithm: Algorithm::Aes256Gcm,
            purpose,
            leave: Leave::Plain,
        }
    }

    #[test]
    fn a_flush_takes_so_many_keys_and_leaves_the_rest() {
        let usage = Usage::default();
        for key in 0..FLUSH_KEYS_MAX + 10 {
            usage.count(&by(key, Purpose::Protect));
        }
        assert_eq!(usage.take().len(), FLUSH_KEYS_MAX);
        assert_eq!(usage.take().len(), 10);
        assert!(usage.take().is_empty());
    }

    #[test]
    fn counts_that_could_not_be_written_are_added_to_those_since() {
        let usage = Usage::default();
        usage.count(&by(1, Purpose::Protect));
        let taken = usage.take();
        usage.count(&by(1, Purpose::Protect));
        usage.count(&by(1, Purpose::Process));
        usage.give_back(taken);
        let counts = usage.waiting(by(1, Purpose::Protect).key);
        assert_eq!(counts[&1], UseCount { protected: 2, processed: 1 });
    }
}
