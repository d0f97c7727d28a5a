//! Keys as they were read last, so that a use of a key reads nothing from the store.
//!
//! **Why this is exact.** Every change that takes something away (suspension, destruction,
//! compromise, deactivation, new labels) raises the epoch of the key domain in its own commit. An
//! entry carries the epoch that was current *before* its record was read, it serves only permits of
//! that epoch, and the commit of the use fails when the epoch has moved on. A change that only adds
//! (a rotation) forgets the entry; the generation keeps a slow reader from putting the old record
//! back.

use crate::key::{Key, Material, Materials};
use crate::{Keys, KeysError};
use kernel::{ActionType, Epoch, Epochs as _, Guard, KeyId, Permit, VersionNo};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use strongroom::KeyHandle;

/// Most keys held: a few kilobytes each.
const KEYS_MAX: usize = 4_096;

/// A key as it was read under an epoch, with the wrapped material of the versions that were used.
///
/// Handles are not kept: the strongroom keeps expanded keys itself, bounded and wiped when idle.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) key: Key,
    epoch: Epoch,
    materials: Mutex<BTreeMap<VersionNo, Arc<Material>>>,
}

#[derive(Debug, Default)]
struct Entries {
    keys: HashMap<KeyId, Arc<Opened>>,
    generation: u64,
}

/// The keys that were read last.
#[derive(Debug, Default)]
pub(crate) struct Cache(RwLock<Entries>);

impl Cache {
    fn find(&self, key: KeyId, epoch: Epoch) -> Result<Arc<Opened>, u64> {
        let entries = self.0.read().unwrap_or_else(PoisonError::into_inner);
        match entries.keys.get(&key) {
            Some(opened) if opened.epoch == epoch => Ok(Arc::clone(opened)),
            _ => Err(entries.generation),
        }
    }

    fn keep(&self, opened: &Arc<Opened>, generation: u64) {
        let mut entries = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if entries.generation != generation {
            return;
        }
        if entries.keys.len() >= KEYS_MAX {
            let some: Vec<KeyId> = entries.keys.keys().copied().take(KEYS_MAX / 8).collect();
            for key in some {
                entries.keys.remove(&key);
            }
        }
        entries.keys.insert(opened.key.id, Arc::clone(opened));
    }

    /// The key as it was read last, for what decides nothing by itself.
    pub(crate) fn peek(&self, key: KeyId) -> Option<Arc<Opened>> {
        let entries = self.0.read().unwrap_or_else(PoisonError::into_inner);
        entries.keys.get(&key).cloned()
    }

    /// Forgets a key that was changed.
    pub(crate) fn forget(&self, key: KeyId) {
        let mut entries = self.0.write().unwrap_or_else(PoisonError::into_inner);
        entries.keys.remove(&key);
        entries.generation = entries.generation.wrapping_add(1);
    }
}

impl Keys {
    /// The key of the permit as it stands under the permit's epoch.
    pub(crate) fn opened<A: ActionType>(
        &self,
        permit: &Permit<A>,
    ) -> Result<Arc<Opened>, KeysError> {
        if !permit.is_live(&*self.inner.clock) {
            return Err(KeysError::PermitExpired);
        }
        let id: KeyId = permit.resource_id().ok_or(KeysError::NoKey)?;
        let guard = permit.guard();
        let opened = match self.inner.memory.cache.find(id, guard.epoch) {
            Ok(opened) => opened,
            Err(generation) => self.read_opened(id, guard, generation)?,
        };
        fits(&opened.key, permit)?;
        Ok(opened)
    }

    fn read_opened(
        &self,
        id: KeyId,
        guard: Guard,
        generation: u64,
    ) -> Result<Arc<Opened>, KeysError> {
        // The epoch first, the record second: a change in between makes the commit fail.
        if self.inner.store.current(guard.domain) != guard.epoch {
            return Err(KeysError::StaleEpoch);
        }
        let key = self.record(id)?.value;
        let materials = Mutex::new(BTreeMap::new());
        let opened = Arc::new(Opened { key, epoch: guard.epoch, materials });
        self.inner.memory.cache.keep(&opened, generation);
        Ok(opened)
    }

    /// The handle of a version that has material. Destroying another key wraps this one's material
    /// anew, so what does not open as it was remembered is read once more.
    pub(crate) fn handle(
        &self,
        opened: &Opened,
        version: VersionNo,
    ) -> Result<KeyHandle, KeysError> {
        let remembered = opened.remembered(version);
        if let Some(Ok(handle)) = remembered.map(|material| self.open_material(&material)) {
            return Ok(handle);
        }
        let place = (opened.key.id, version);
        let record = self.inner.store.get::<Materials>(&place)?;
        let material = Arc::new(record.ok_or(KeysError::NoVersion { version })?.value);
        let handle = self.open_material(&material)?;
        opened.remember(version, material);
        Ok(handle)
    }

    pub(crate) fn open_material(&self, material: &Material) -> Result<KeyHandle, KeysError> {
        Ok(self.inner.room.open_key(material.slot(), material.algorithm, &material.wrapped)?)
    }
}

/// Whether the gate decided about this key as it is: its key domain and its labels.
pub(crate) fn fits<A: ActionType>(key: &Key, permit: &Permit<A>) -> Result<(), KeysError> {
    let resource = permit.resource();
    if resource.domain != key.domain {
        return Err(KeysError::NoKey);
    }
    if resource.labels != key.about.labels {
        return Err(KeysError::OtherLabels);
    }
    Ok(())
}

impl Opened {
    fn remembered(&self, version: VersionNo) -> Option<Arc<Material>> {
        let materials = self.materials.lock().unwrap_or_else(PoisonError::into_inner);
        materials.get(&version).cloned()
    }

    fn remember(&self, version: VersionNo, material: Arc<Material>) {
        let mut materials = self.materials.lock().unwrap_or_else(PoisonError::into_inner);
        materials.insert(version, material);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::About;
    use kernel::{DomainId, Labels, Timestamp};
    use strongroom::Algorithm;

    fn opened(number: usize, epoch: u64) -> Arc<Opened> {
        let about = About {
            name: "ledger".parse().unwrap(),
            algorithm: Algorithm::Aes256Gcm,
            labels: Labels::default(),
            exportable: false,
            rotation: None,
            created_at: Timestamp::EPOCH,
        };
        let id = KeyId::from_bytes((number as u128).to_be_bytes());
        let (domain, versions) = (DomainId::SYSTEM, Vec::new());
        let key = Key { id, domain, about, versions, destruction: None };
        Arc::new(Opened { key, epoch: Epoch(epoch), materials: Mutex::default() })
    }

    #[test]
    fn the_memory_of_keys_has_an_end() {
        let cache = Cache::default();
        for number in 0..KEYS_MAX * 2 {
            cache.keep(&opened(number, 1), 0);
            assert!(cache.0.read().unwrap().keys.len() <= KEYS_MAX);
        }
    }

    #[test]
    fn a_key_is_remembered_for_its_epoch_only() {
        let (cache, one) = (Cache::default(), opened(1, 7));
        cache.keep(&one, 0);
        assert!(cache.find(one.key.id, Epoch(7)).is_ok());
        assert!(cache.find(one.key.id, Epoch(8)).is_err());
    }

    #[test]
    fn a_slow_reader_does_not_bring_back_what_was_forgotten() {
        let (cache, old) = (Cache::default(), opened(1, 7));
        let generation = cache.find(old.key.id, Epoch(7)).unwrap_err();
        cache.forget(old.key.id);
        cache.keep(&old, generation);
        assert!(cache.find(old.key.id, Epoch(7)).is_err());
    }
}
