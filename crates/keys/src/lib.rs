//! Keys of our own: made, used, rotated, suspended, destroyed.
//!
//! **For:** key domains; keys with their versions and states (SP 800-57 part 1, section 7); every
//! use of a key; rotation on demand and on schedule; the switch that stops a key or a whole cloud;
//! destruction with a waiting period; facts about keys for compliance; envelope files.
//!
//! **Not for:** key bytes (the strongroom has them and hands out handles), deciding who may (the
//! gate), cloud keys (`clouds`), tokens and masks (`protect`).
//!
//! **The way of a request:** a door reads the key's [`kernel::Resource`] from [`Keys::resource`],
//! gets a permit from the gate, and calls one method here with permit and request. The method takes
//! the key from the permit, checks its state, computes with a handle of the strongroom, turns the
//! permit into one event, and commits event, change and the permit's guard. Only when that is
//! durable does the answer leave. Where [`KeysError::decide_again`] is true, the door asks the gate
//! again with the same request; three times are plenty.
//!
//! **Invariants:** a destroyed version has no material to misuse; nothing is used before its record
//! is durable; what takes something away raises the epoch of its key domain in the same commit, so
//! that no use decided before can become durable after it; a key is found under the permit's key
//! domain and labels or not at all; no clock ends a waiting period early.

mod approval;
mod cache;
mod census;
mod checks;
mod create;
mod destroy;
mod domain;
pub mod envelope;
mod error;
mod key;
mod list;
mod purpose;
mod reason;
mod repeat;
mod rotate;
mod schedule;
mod state;
mod suspend;
mod usage;
mod uses;
mod waiting;

pub use approval::{Approvable, approval_hash};
pub use census::{CENSUS_SECONDS_MAX, Census, LATE_NAMED_MAX, LateKey};
pub use checks::{AlgorithmFact, DomainFact, KeyFact, RotationFact};
pub use create::CreateKey;
pub use destroy::{Destroy, Destroyed, Sweep};
pub use domain::{
    CreateDomain, DOMAINS_MAX, Domain, RootKind, WAITING_SECONDS_DEFAULT, WAITING_SECONDS_MAX,
    WAITING_SECONDS_MIN,
};
pub use error::KeysError;
pub use key::{About, Compromise, Destruction, KeyView, VERSIONS_MAX, VersionView};
pub use list::{KeyPage, ListKeys};
pub use purpose::{Leave, NotUsable, Purpose, StateName};
pub use reason::{Reason, ReasonError};
pub use rotate::{ChangeRotation, DueRotation, Step, UpdateKey};
pub use schedule::{RotationPeriod, RotationPeriodError};
pub use state::{Activation, Before, Dates, NotAllowed, State, Transition};
pub use store::Repeat;
pub use suspend::{
    DeclareCompromise, OfCloud, Resume, STOPS_MAX, SUSPEND_KEYS_MAX, Suspend, Switched, SwitchedKey,
};
pub use usage::UseCount;
pub use uses::Use;
pub use uses::agree::{Agree, Decapsulate, Encapsulate, Shared};
pub use uses::encrypt::{Decrypt, DecryptOaep, Decrypted, Encrypt, Encrypted, Reencrypt};
pub use uses::mac::{Mac, MacCode, MacVerify};
pub use uses::release::{Export, Exported, MadeDataKey, MakeDataKey, Plaintext};
pub use uses::sign::{Sign, Signed, Verified, Verify};
pub use waiting::{DIVERGENCE_MICROS_MAX, Served, ServedClock, StillWaiting, WaitingPeriod};

use access::Access;
use audit::Log;
use kernel::{ActionType, Clock, DomainId, KeyId, Permit, Rng, Timestamp};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use store::{Batch, Record, Store};
use strongroom::Strongroom;

/// The public handle: cheap to clone, shared by all doors.
#[derive(Clone)]
pub struct Keys {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    room: Strongroom,
    log: Log,
    access: Access,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
    memory: Memory,
    ending: Ending,
}

/// What is remembered so that a use reads nothing.
#[derive(Default)]
struct Memory {
    cache: cache::Cache,
    domains: Mutex<HashMap<DomainId, Domain>>,
    usage: usage::Usage,
    census: Mutex<Option<Arc<census::Counted>>>,
}

/// What destructions need: the time that was served, and that they happen one after another.
struct Ending {
    served: Mutex<ServedClock>,
    shredding: tokio::sync::Mutex<()>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys")
    }
}

impl Keys {
    /// The keys of this store under this strongroom; `log` is read for timelines, `access` asked
    /// for approvals. Call [`Keys::recover`] before serving.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn open(
        store: Store,
        room: Strongroom,
        log: Log,
        access: Access,
        clock: Arc<dyn Clock>,
        rng: Arc<dyn Rng>,
    ) -> Result<Self, KeysError> {
        let written = store.get::<destroy::ServedTime>(&())?;
        let served = written.map_or_else(|| Served::nothing(&*clock), |record| record.value);
        let served = Mutex::new(ServedClock::resume(served, &*clock));
        let ending = Ending { served, shredding: tokio::sync::Mutex::new(()) };
        let memory = Memory::default();
        let inner = Inner { store, room, log, access, clock, rng, memory, ending };
        Ok(Self { inner: Arc::new(inner) })
    }

    fn now(&self) -> Timestamp {
        self.inner.clock.wall()
    }

    fn served_clock(&self) -> MutexGuard<'_, ServedClock> {
        self.inner.ending.served.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn served(&self) -> Served {
        self.served_clock().sample(&*self.inner.clock)
    }

    fn live<A: ActionType>(&self, permit: &Permit<A>) -> Result<(), KeysError> {
        if permit.is_live(&*self.inner.clock) { Ok(()) } else { Err(KeysError::PermitExpired) }
    }

    fn record(&self, id: KeyId) -> Result<Record<key::KeyRecords>, KeysError> {
        self.inner.store.get::<key::KeyRecords>(&id)?.ok_or(KeysError::NoKey)
    }

    /// Runs what takes long (making an RSA key, replacing the root) beside the async threads.
    async fn aside<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> T + Send + 'static,
    ) -> Result<T, KeysError> {
        let keys = self.clone();
        let done = tokio::task::spawn_blocking(move || work(&keys)).await;
        done.map_err(|_| KeysError::Stopping)
    }

    /// The record of the permit's key, for a change.
    fn permitted<A: ActionType>(
        &self,
        permit: &Permit<A>,
    ) -> Result<Record<key::KeyRecords>, KeysError> {
        self.live(permit)?;
        let record = self.record(permit.resource_id().ok_or(KeysError::NoKey)?)?;
        cache::fits(&record.value, permit)?;
        Ok(record)
    }

    /// Writes down that something was allowed and did not work, and gives back why.
    async fn refuse<A: ActionType>(&self, permit: Permit<A>, cause: KeysError) -> KeysError {
        let batch = Batch::new().essential().event(self.failed(permit, &cause));
        match self.inner.store.commit(batch).await {
            Ok(_) => cause,
            Err(unrecorded) => unrecorded.into(),
        }
    }
}
