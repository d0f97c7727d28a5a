//! Expanded keys, kept for a while: bounded in number, dropped when idle, gone when forgotten.

use crate::material::Expanded;
use crate::root::ShredId;
use crate::slot::KeySlot;
use kernel::{KeyId, MonotonicMicros};
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

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
pub(crate) struct ExpandedKeys(Mutex<HashMap<KeySlot, Kept>>);

struct Kept {
    entry: Arc<Entry>,
    /// Entries of earlier wrapped forms of the same key that a handle may still hold.
    older: Vec<Weak<Entry>>,
}

impl Kept {
    fn is_held(&self) -> bool {
        Arc::strong_count(&self.entry) > 1 || self.older.iter().any(|w| w.strong_count() > 0)
    }

    fn forget(&self) {
        self.entry.forget();
        self.older.iter().filter_map(Weak::upgrade).for_each(|entry| entry.forget());
    }
}

/// Every one of [`EXPANDED_KEYS_MAX`] expanded keys is in use at this moment.
pub(crate) struct AllInUse;

impl ExpandedKeys {
    fn kept(&self) -> MutexGuard<'_, HashMap<KeySlot, Kept>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn get(
        &self,
        slot: &KeySlot,
        wrapped: &[u8],
        now: MonotonicMicros,
    ) -> Option<Arc<Entry>> {
        let kept = self.kept();
        let entry = &kept.get(slot)?.entry;
        if *entry.wrapped != *wrapped {
            return None;
        }
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
        let mut kept = self.kept();
        if let Some(known) = kept.get_mut(&slot) {
            // Somebody else was faster with the same form, or this is a newer form of the same key:
            // what the older one's handles do is allowed until the key is forgotten.
            if known.entry.wrapped != entry.wrapped {
                known.older.retain(|weak| weak.strong_count() > 0);
                let older = std::mem::replace(&mut known.entry, entry);
                known.older.push(Arc::downgrade(&older));
            }
            return Ok(Arc::clone(&known.entry));
        }
        if kept.len() >= EXPANDED_KEYS_MAX {
            make_room(&mut kept)?;
        }
        kept.insert(slot, Kept { entry: Arc::clone(&entry), older: Vec::new() });
        Ok(entry)
    }

    /// Drops all versions of a key; handles that are still held refuse from now on.
    pub(crate) fn forget(&self, key: KeyId) {
        self.forget_where(|slot, _| slot.key == key);
    }

    /// Drops every key that lay under a shred key and did not survive it.
    pub(crate) fn forget_under(&self, shred: ShredId, survivors: &HashSet<KeySlot>) {
        self.forget_where(|slot, entry| entry.shred == shred && !survivors.contains(slot));
    }

    pub(crate) fn forget_all(&self) {
        self.forget_where(|_, _| true);
    }

    fn forget_where(&self, which: impl Fn(&KeySlot, &Entry) -> bool) {
        self.kept().retain(|slot, kept| {
            let goes = which(slot, &kept.entry);
            if goes {
                kept.forget();
            }
            !goes
        });
    }

    pub(crate) fn expire_idle(&self, now: MonotonicMicros) {
        self.kept().retain(|_, kept| {
            let idle = now.0.saturating_sub(kept.entry.used.load(Ordering::Relaxed));
            idle <= EXPANDED_IDLE_MICROS_MAX || kept.is_held()
        });
    }

    pub(crate) fn len(&self) -> usize {
        self.kept().len()
    }
}

/// Drops the least recently used eighth of those that no handle holds, so that the search for them
/// is paid once in five hundred insertions.
fn make_room(kept: &mut HashMap<KeySlot, Kept>) -> Result<(), AllInUse> {
    let mut idle: Vec<(u64, KeySlot)> = kept
        .iter()
        .filter(|(_, kept)| !kept.is_held())
        .map(|(slot, kept)| (kept.entry.used.load(Ordering::Relaxed), *slot))
        .collect();
    if idle.is_empty() {
        return Err(AllInUse);
    }
    idle.sort_unstable();
    for (_, slot) in idle.into_iter().take(EXPANDED_KEYS_MAX / 8) {
        kept.remove(&slot);
    }
    Ok(())
}
