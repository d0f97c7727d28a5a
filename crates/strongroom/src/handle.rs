//! Handles: a key that is open, named and never seen.

use crate::algorithm::{Algorithm, Capability};
use crate::cache::Entry;
use crate::key_error::KeyError;
use crate::material::{Expanded, expand, generate, unwrap, wrap, wrapped_under};
use crate::permits::{MayGenerate, check};
use crate::room::Strongroom;
use crate::scrub::scrub_stack;
use crate::slot::{KeySlot, Slot, StoredKey};
use kernel::{ActionType, KeyId, Permit};
use std::fmt;
use std::sync::Arc;

/// One open version of a key. Take it for one request and drop it: while it is held, the key stays
/// expanded in memory.
#[derive(Clone)]
pub struct KeyHandle {
    pub(crate) room: Strongroom,
    pub(crate) slot: KeySlot,
    pub(crate) algorithm: Algorithm,
    pub(crate) entry: Arc<Entry>,
}

impl fmt::Debug for KeyHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyHandle({})", self.slot)
    }
}

impl Strongroom {
    /// Makes a version of a key. Store the wrapped form, then drop the lease.
    ///
    /// # Errors
    /// When the permit is for another key (a permit to create may be for the kind as a whole), the
    /// key domain has no key-encryption key, or there is no randomness.
    pub fn generate<A: MayGenerate>(
        &self,
        permit: &Permit<A>,
        slot: KeySlot,
        algorithm: Algorithm,
    ) -> Result<StoredKey, KeyError> {
        check(permit, &slot, &*self.inner.clock)?;
        let place = Slot::Key(slot);
        let fresh = generate(algorithm).map_err(|_| kernel::RngUnavailable)?;
        let (shred, lease) = self.filling_key(slot.domain, place.family())?;
        let wrapped = wrap(&shred, &place, algorithm.code(), &fresh.secret);
        scrub_stack();
        let wrapped = wrapped?;
        Ok(StoredKey { wrapped, public_der: fresh.public_der, shred: shred.id, lease })
    }

    /// Opens a stored version, or finds it open already.
    ///
    /// # Errors
    /// [`KeyError::NotOpened`] when the wrapped form is of another key, another algorithm or
    /// another root, when its shred key is gone, or when it was altered.
    pub fn open_key(
        &self,
        slot: KeySlot,
        algorithm: Algorithm,
        wrapped: &[u8],
    ) -> Result<KeyHandle, KeyError> {
        let now = self.inner.clock.monotonic();
        let room = self.clone();
        if wrapped.get(1) != Some(&algorithm.code()) {
            return Err(KeyError::NotOpened);
        }
        self.unsealed()?;
        if let Some(entry) = self.inner.expanded.get(&slot, wrapped, now) {
            return Ok(KeyHandle { room, slot, algorithm, entry });
        }
        let id = wrapped_under(wrapped).ok_or(KeyError::NotOpened)?;
        let shred = self.shred_key(id).map_err(KeyError::of_shred_key)?;
        let opened = unwrap(&shred, &Slot::Key(slot), wrapped)?;
        let expanded = expand(algorithm, &opened.secret);
        scrub_stack();
        let expanded = expanded?;
        let entry = Entry::new(expanded, wrapped, id);
        let entry = self.inner.expanded.put(slot, entry, now).map_err(|_| KeyError::AllInUse)?;
        Ok(KeyHandle { room, slot, algorithm, entry })
    }

    /// Forgets every open version of a key: call it when a key is suspended, compromised or
    /// destroyed. Handles that are still held refuse from then on.
    pub fn forget(&self, key: KeyId) {
        self.inner.expanded.forget(key);
    }

    /// How many keys are expanded in memory.
    #[must_use]
    pub fn open_key_count(&self) -> usize {
        self.inner.expanded.len()
    }
}

impl KeyHandle {
    /// Which version of which key.
    #[must_use]
    pub const fn slot(&self) -> KeySlot {
        self.slot
    }

    /// Its algorithm.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The key, once the permit is for it.
    pub(crate) fn under<A: ActionType>(&self, permit: &Permit<A>) -> Result<&Expanded, KeyError> {
        check(permit, &self.slot, &*self.room.inner.clock)?;
        if self.entry.is_forgotten() {
            return Err(KeyError::Forgotten);
        }
        Ok(&self.entry.expanded)
    }

    pub(crate) const fn lacks(&self, capability: Capability) -> KeyError {
        KeyError::lacks(self.algorithm, capability)
    }
}
