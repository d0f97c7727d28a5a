//! Expanded keys, kept for a while: bounded in number, dropped when idle, gone when forgotten.

use crate::material::Expanded;
use crate::root::ShredId;
use crate::slot::KeySlot;
use kernel::{KeyId, MonotonicMicros};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Most keys that are expanded at one time: about 20 MiB when all of them are RSA 4096.
pub const EXPANDED_KEYS_MAX: usize = 4_096;
/// An expanded key that nobody used for so long is dropped.
pub const EXPANDED_IDLE_MICROS_MAX: u64 = 300_000_000;

/// One expanded key.
pub(crate) struct Entry {
    pub(crate) expanded: Expanded,
    pub(crate) wrapped: Box<[u8]>,
    pub(crate) shred: ShredId,
    forgotten: AtomicBool,
    used: AtomicU64,
}

impl Entry {
    pub(crate) fn new(expanded: Expanded, wrapped: &[u8], shred: ShredId) -> Self {
        let (forgotten, used) = (AtomicBool::new(false), AtomicU64::new(0));
        Self { expanded, wrapped: wrapped.into(), shred, forgotten, used }
    }

    /// Whether the key was suspended or destroyed since it was opened.
    pub(crate) fn is_forgotten(&self) -> bool {
        self.forgotten.load(Ordering::Acquire)
    }

    fn forget(&self) {
        self.forgotten.store(true, Ordering::Release);
    }
}

#[derive(Default)]
pub(crate) struct ExpandedKeys(Mutex<HashMap<KeySlot, Arc<Entry>>>);

/// Every one of [`EXPANDED_KEYS_MAX`] expanded keys is in use at this moment.
pub(crate) struct AllInUse;

impl ExpandedKeys {
    fn entries(&self) -> MutexGuard<'_, HashMap<KeySlot, Arc<Entry>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn get(
        &self,
        slot: &KeySlot,
        wrapped: &[u8],
        now: MonotonicMicros,
    ) -> Option<Arc<Entry>> {
        let entries = self.entries();
        let entry = entries.get(slot).filter(|entry| *entry.wrapped == *wrapped)?;
        entry.used.store(now.0, Ordering::Relaxed);
        Some(Arc::clone(entry))
    }

    pub(crate) fn put(
        &self,
        slot: KeySlot,
        entry: Entry,
        now: MonotonicMicros,
    ) -> Result<Arc<Entry>, AllInUse> {
        entry.used.store(now.0, Ordering::Relaxed);
        let entry = Arc::new(entry);
        let mut entries = self.entries();
        if entries.len() >= EXPANDED_KEYS_MAX && !entries.contains_key(&slot) {
            make_room(&mut entries)?;
        }
        // An older form of the same key must not live on where nobody can forget it.
        if let Some(older) = entries.insert(slot, Arc::clone(&entry)) {
            if older.wrapped == entry.wrapped {
                entries.insert(slot, Arc::clone(&older));
                return Ok(older);
            }
            older.forget();
        }
        Ok(entry)
    }

    /// Drops all versions of a key; handles that are still held refuse from now on.
    pub(crate) fn forget(&self, key: KeyId) {
        self.forget_where(|slot, _| slot.key == key);
    }

    pub(crate) fn forget_all(&self) {
        self.forget_where(|_, _| true);
    }

    pub(crate) fn forget_under(&self, shred: ShredId) {
        self.forget_where(|_, entry| entry.shred == shred);
    }

    fn forget_where(&self, which: impl Fn(&KeySlot, &Entry) -> bool) {
        self.entries().retain(|slot, entry| {
            let goes = which(slot, entry);
            if goes {
                entry.forget();
            }
            !goes
        });
    }

    pub(crate) fn expire_idle(&self, now: MonotonicMicros) {
        self.entries().retain(|_, entry| {
            let idle = now.0.saturating_sub(entry.used.load(Ordering::Relaxed));
            idle <= EXPANDED_IDLE_MICROS_MAX || Arc::strong_count(entry) > 1
        });
    }

    pub(crate) fn len(&self) -> usize {
        self.entries().len()
    }
}

/// Drops the least recently used eighth of those that no handle holds, so that the search for them
/// is paid once in five hundred insertions.
fn make_room(entries: &mut HashMap<KeySlot, Arc<Entry>>) -> Result<(), AllInUse> {
    let mut idle: Vec<(u64, KeySlot)> = entries
        .iter()
        .filter(|(_, entry)| Arc::strong_count(entry) == 1)
        .map(|(slot, entry)| (entry.used.load(Ordering::Relaxed), *slot))
        .collect();
    if idle.is_empty() {
        return Err(AllInUse);
    }
    idle.sort_unstable();
    for (_, slot) in idle.into_iter().take(EXPANDED_KEYS_MAX / 8) {
        entries.remove(&slot);
    }
    Ok(())
}
