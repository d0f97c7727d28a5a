//! Shred keys: what makes destruction final.
//!
//! Key material lies in the store, wrapped under a shred key; shred keys lie in the root only, at
//! most 256 keys under each. Destroying one key is one story in four steps, each of which can be
//! repeated:
//!
//! 1. [`Strongroom::close_shred_key`]: nothing new is wrapped under it, nothing is on its way.
//! 2. [`Strongroom::plan_shred`]: the root notes the intent and a new shred key; the survivors are
//!    wrapped under the new one.
//! 3. The caller commits the survivors' new forms and the destruction in one batch of the store.
//! 4. [`Strongroom::finish_shred`]: the old shred key leaves the root. From here on the wrapped
//!    form in any old copy of the store opens with no root that exists.
//!
//! After a crash [`Strongroom::pending_shreds`] names what is between 2 and 4. Where the store
//! still holds a form under the old shred key (see [`wrapped_under`]), step 3 did not happen: begin
//! again at 1. Where it holds none, go on with 4.

use crate::bytes::Bytes;
use crate::derive::{KeyBytes, Label, MessageKeys};
use crate::material::{unwrap, wrap};
use crate::random::random_array;
use crate::room::{Changing, RootError, Strongroom, domain_slot, unwrap_slot};
use crate::root::{ShredEntry, ShredFamily, ShredId};
use crate::slot::{KeySlot, Lease, Slot};
use kernel::{DomainId, Problem, ProblemKind};
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, MutexGuard, PoisonError};
use zeroize::Zeroizing;

pub use crate::material::wrapped_under;

/// Most keys under one shred key: a destruction re-wraps at most this many.
pub const SHRED_KEYS_UNDER_ONE_MAX: u32 = 256;

/// A shred key in use.
pub(crate) struct ShredKey {
    pub(crate) id: ShredId,
    pub(crate) domain: DomainId,
    pub(crate) family: ShredFamily,
    pub(crate) keys: MessageKeys,
    taken: AtomicU32,
    on_the_way: Arc<()>,
}

/// Why a shredding does not go on.
#[derive(Debug, thiserror::Error)]
pub enum ShredError {
    /// The root does not change.
    #[error(transparent)]
    Root(#[from] RootError),
    /// A key under it is on its way into the store; try again when its commit is done.
    #[error("a key under shred key {} is being stored; try again", .0.0)]
    OnTheWay(ShredId),
    /// A survivor does not open under this shred key.
    #[error("a survivor is not wrapped under shred key {}", .0.0)]
    NotUnder(ShredId),
    /// More survivors than a shred key holds.
    #[error("{0} survivors are more than one shred key holds")]
    TooMany(usize),
    /// It has not been planned: deleting it now would lose its keys.
    #[error("shred key {} was not planned to be deleted", .0.0)]
    NotPlanned(ShredId),
}

impl From<ShredError> for Problem {
    fn from(cause: ShredError) -> Self {
        match cause {
            ShredError::Root(cause) => cause.into(),
            ShredError::OnTheWay(_) => {
                Self::new(ProblemKind::Conflict, "shred-busy", cause.to_string())
            }
            _ => Self::new(ProblemKind::Internal, "shred-failed", cause.to_string()),
        }
    }
}

/// A shred key under which nothing new is wrapped. Look for its survivors while holding this.
#[derive(Debug)]
pub struct ClosedShredKey(ShredId);

/// A wrapped key that lives on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Survivor {
    /// What it belongs to.
    pub slot: Slot,
    /// Its wrapped form.
    pub wrapped: Vec<u8>,
}

/// What the store must commit before the old shred key may go.
#[derive(Debug)]
pub struct ShredPlan {
    /// The shred key to be deleted.
    pub old: ShredId,
    /// The one that takes over.
    pub new: ShredId,
    /// The survivors in their new forms, in the order given.
    pub rewrapped: Vec<Survivor>,
}

/// A shredding that was planned and not finished.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PendingShred {
    /// The shred key to be deleted.
    pub old: ShredId,
    /// The one that takes over.
    pub new: ShredId,
    /// Where to look for its survivors.
    pub family: ShredFamily,
    /// The key domain.
    pub domain: DomainId,
}

impl Strongroom {
    /// Step 1: stops new keys from being wrapped under it.
    ///
    /// # Errors
    /// [`ShredError::OnTheWay`] while a key under it is being stored: try again.
    pub fn close_shred_key(&self, id: ShredId) -> Result<ClosedShredKey, ShredError> {
        let mut changing = self.changing();
        let entry = changing.root.shred_keys.get(&id).ok_or(RootError::NoShredKey(id))?;
        let line = (entry.domain, entry.family);
        if changing.filling.get(&line).is_some_and(|key| key.id == id) {
            changing.filling.remove(&line);
        }
        let known = self.shred_keys();
        let busy = known.get(&id).is_some_and(|key| Arc::strong_count(&key.on_the_way) > 1);
        if busy { Err(ShredError::OnTheWay(id)) } else { Ok(ClosedShredKey(id)) }
    }

    /// Step 2: notes the intent in the root and wraps the survivors under a new shred key.
    ///
    /// # Errors
    /// When a survivor does not open, or the disk refuses; nothing is lost then.
    pub fn plan_shred(
        &self,
        closed: &ClosedShredKey,
        survivors: Vec<Survivor>,
    ) -> Result<ShredPlan, ShredError> {
        let old = closed.0;
        if survivors.len() > SHRED_KEYS_UNDER_ONE_MAX as usize {
            return Err(ShredError::TooMany(survivors.len()));
        }
        let from = self.shred_key(old)?;
        let to = self.successor(old)?;
        let mut rewrapped = Vec::with_capacity(survivors.len());
        let keys = survivors.iter().filter_map(|survivor| match survivor.slot {
            Slot::Key(slot) => Some(slot),
            Slot::Personal(_) => None,
        });
        let keys: HashSet<KeySlot> = keys.collect();
        for Survivor { slot, wrapped } in survivors {
            let opened = unwrap(&from, &slot, &wrapped).map_err(|_| ShredError::NotUnder(old))?;
            let wrapped = wrap(&to, &slot, opened.code, &opened.secret).map_err(RootError::Rng)?;
            rewrapped.push(Survivor { slot, wrapped });
        }
        // Two plans for one shred key: only what survives both is known to live on.
        let mut changing = self.changing();
        let noted = changing.survivors.entry(old).or_insert_with(|| keys.clone());
        noted.retain(|slot| keys.contains(slot));
        drop(changing);
        Ok(ShredPlan { old, new: to.id, rewrapped })
    }

    /// Step 4: deletes the old shred key from the root. Doing it twice does no harm. Copies of the
    /// old root (backups, blocks that the disk has not yet reused) still hold it, wrapped under the
    /// seal: destruction is complete when they are gone too.
    ///
    /// # Errors
    /// When it was not planned, or the disk refuses.
    pub fn finish_shred(&self, old: ShredId) -> Result<(), ShredError> {
        let mut changing = self.changing();
        let Some(entry) = changing.root.shred_keys.get(&old) else { return Ok(()) };
        if entry.moving_to.is_none() {
            return Err(ShredError::NotPlanned(old));
        }
        let mut root = changing.root.clone();
        root.shred_keys.remove(&old);
        self.replace(&mut changing, root)?;
        self.shred_keys().remove(&old);
        // After a restart there is no note of survivors and nothing expanded under it either.
        let survivors = changing.survivors.remove(&old).unwrap_or_default();
        self.inner.expanded.forget_under(old, &survivors);
        Ok(())
    }

    /// Shreddings between plan and finish, after a crash.
    #[must_use]
    pub fn pending_shreds(&self) -> Vec<PendingShred> {
        let changing = self.changing();
        let pending = changing.root.shred_keys.iter().filter_map(|(old, entry)| {
            let (family, domain) = (entry.family, entry.domain);
            entry.moving_to.map(|new| PendingShred { old: *old, new, family, domain })
        });
        pending.collect()
    }

    /// How many shred keys the root holds.
    #[must_use]
    pub fn shred_key_count(&self) -> usize {
        self.changing().root.shred_keys.len()
    }

    /// The shred key that new keys of this line go under, with a lease on it.
    pub(crate) fn filling_key(
        &self,
        domain: DomainId,
        family: ShredFamily,
    ) -> Result<(Arc<ShredKey>, Lease), RootError> {
        let mut changing = self.changing();
        self.unsealed_for(family)?;
        if let Some(key) = changing.filling.get(&(domain, family))
            && key.taken.fetch_add(1, Ordering::Relaxed) < SHRED_KEYS_UNDER_ONE_MAX
        {
            return Ok((Arc::clone(key), Lease::new(Arc::clone(&key.on_the_way))));
        }
        let key = self.new_shred_key(&mut changing, domain, family, None)?;
        key.taken.store(1, Ordering::Relaxed);
        changing.filling.insert((domain, family), Arc::clone(&key));
        let lease = Lease::new(Arc::clone(&key.on_the_way));
        Ok((key, lease))
    }

    /// An existing shred key.
    pub(crate) fn shred_key(&self, id: ShredId) -> Result<Arc<ShredKey>, RootError> {
        if let Some(key) = self.shred_keys().get(&id) {
            self.unsealed_for(key.family)?;
            return Ok(Arc::clone(key));
        }
        let mut changing = self.changing();
        // Between the two locks somebody else may have brought it in; there must be one count of
        // leases only.
        if let Some(key) = self.shred_keys().get(&id) {
            return Ok(Arc::clone(key));
        }
        let entry = changing.root.shred_keys.get(&id).ok_or(RootError::NoShredKey(id))?.clone();
        self.unsealed_for(entry.family)?;
        let kek = self.domain_keys(&mut changing, entry.domain)?;
        let secret = kek
            .open(&shred_aad(id, entry.domain, entry.family), &entry.key)
            .map_err(|_| RootError::Damaged)?;
        let key = Arc::new(ShredKey::new(id, entry.domain, entry.family, &secret));
        self.shred_keys().insert(id, Arc::clone(&key));
        Ok(key)
    }

    /// Wipes what can be read again from the root; a key with a lease on it stays until it is
    /// stored, and personal-data keys stay because the log goes on.
    pub(crate) fn drop_shred_keys(&self) {
        let stays = |key: &ShredKey| {
            key.family == ShredFamily::Personal || Arc::strong_count(&key.on_the_way) > 1
        };
        self.shred_keys().retain(|_, key| stays(key));
    }

    fn successor(&self, old: ShredId) -> Result<Arc<ShredKey>, RootError> {
        let mut changing = self.changing();
        let entry = changing.root.shred_keys.get(&old).ok_or(RootError::NoShredKey(old))?.clone();
        match entry.moving_to {
            Some(new) => {
                drop(changing);
                self.shred_key(new)
            }
            None => self.new_shred_key(&mut changing, entry.domain, entry.family, Some(old)),
        }
    }

    fn new_shred_key(
        &self,
        changing: &mut Changing,
        domain: DomainId,
        family: ShredFamily,
        replaces: Option<ShredId>,
    ) -> Result<Arc<ShredKey>, RootError> {
        let id = ShredId(changing.root.shred_next);
        let kek = self.domain_keys(changing, domain)?;
        let secret: KeyBytes = Zeroizing::new(random_array()?);
        let wrapped = kek.seal(&[], &shred_aad(id, domain, family), secret.as_slice())?;
        let mut root = changing.root.clone();
        root.shred_next = id.0.saturating_add(1);
        let entry = ShredEntry { domain, family, key: Bytes::from(wrapped), moving_to: None };
        root.shred_keys.insert(id, entry);
        if let Some(old) = replaces.and_then(|old| root.shred_keys.get_mut(&old)) {
            old.moving_to = Some(id);
        }
        self.replace(changing, root)?;
        let key = Arc::new(ShredKey::new(id, domain, family, secret.as_slice()));
        self.shred_keys().insert(id, Arc::clone(&key));
        Ok(key)
    }

    fn domain_keys(
        &self,
        changing: &mut Changing,
        domain: DomainId,
    ) -> Result<Arc<MessageKeys>, RootError> {
        if let Some(keys) = changing.domains.get(&domain) {
            return Ok(Arc::clone(keys));
        }
        let wrapped = changing.root.domains.get(&domain).ok_or(RootError::NoDomain(domain))?;
        let kek = unwrap_slot(&self.inner.slots, &domain_slot(domain), wrapped)?;
        let keys = Arc::new(MessageKeys::of(Label::Domain, &kek, &domain.to_bytes()));
        changing.domains.insert(domain, Arc::clone(&keys));
        Ok(keys)
    }

    fn shred_keys(&self) -> MutexGuard<'_, HashMap<ShredId, Arc<ShredKey>>> {
        self.inner.shred_keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ShredKey {
    fn new(id: ShredId, domain: DomainId, family: ShredFamily, secret: &[u8]) -> Self {
        let keys = MessageKeys::of(Label::Shred, secret, &id.0.to_be_bytes());
        // What a key from an earlier run has taken is not known: nothing new goes under it.
        let taken = AtomicU32::new(SHRED_KEYS_UNDER_ONE_MAX);
        Self { id, domain, family, keys, taken, on_the_way: Arc::new(()) }
    }
}

fn shred_aad(id: ShredId, domain: DomainId, family: ShredFamily) -> Vec<u8> {
    let mut aad = b"shred/".to_vec();
    aad.extend_from_slice(&id.0.to_be_bytes());
    aad.extend_from_slice(&domain.to_bytes());
    aad.push(match family {
        ShredFamily::Keys => 1,
        ShredFamily::Personal => 2,
    });
    aad
}
