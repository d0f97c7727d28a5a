//! What the tests of the rooms stand on: a folder that goes, a root in memory, a store and a log
//! that are real, on a clock that stands still.
//!
//! **For:** tests of rooms above the log. A [`Footing`] is laid once; [`Footing::start`] opens what
//! is on disk, as often as a test restarts it.
//!
//! **Not for:** anything that ships: no room may name it outside `[dev-dependencies]`, which tidy
//! reads from its floor above all others. It makes no gate: a test does, with [`Allows`] or with
//! rules of its own.

use audit::anchor::AnchorError;
use audit::{Log, LogError, LogOptions, OpenError, Query};
use kernel::{
    Action, Caller, Clock, Decider, DomainId, Event, Grant, HeldClock, PolicyVersion, Refusal,
    Resource, Secret, SeededRng, Timestamp,
};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use store::{Options, Store, StoreError};
use strongroom::{MemoryRoot, Seal, SealError, Strongroom};

/// The origin of every log.
pub const ORIGIN: &str = "lionrock.sample/log/0";
/// Most events that are read at once.
const EVENTS_MAX: usize = 10_000;

static NUMBER: AtomicU64 = AtomicU64::new(0);

/// Why there is no footing. A test that meets one of these has not begun.
#[derive(Debug, thiserror::Error)]
pub enum FootingError {
    /// The folder.
    #[error("the folder of the test cannot be made")]
    Folder(#[from] std::io::Error),
    /// The root.
    #[error(transparent)]
    Root(#[from] SealError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The log does not open.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The log does not close.
    #[error(transparent)]
    Close(#[from] AnchorError),
    /// The log does not read.
    #[error(transparent)]
    Read(#[from] LogError),
}

/// A folder that goes when it is dropped.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// A new one, in memory where there is such a place: what tests of rooms ask is not how fast a
    /// disk is.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn new(name: &str) -> std::io::Result<Self> {
        let memory = Path::new("/dev/shm");
        let base = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let number = NUMBER.fetch_add(1, Ordering::SeqCst);
        let path = base.join(format!("lionrock-{name}-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path)?;
        Ok(Self(path))
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder that stays is untidy and no reason to fail.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What stays when a test starts its rooms anew.
#[derive(Debug)]
pub struct Footing {
    /// The clock, which stands still until it is told to move.
    pub clock: Arc<HeldClock>,
    /// The strongroom, open, on a root in memory.
    pub room: Strongroom,
    /// The folder with the store and the log's anchor.
    pub folder: Folder,
}

impl Footing {
    /// Lays it: a folder, a root and a clock at this time.
    ///
    /// # Errors
    /// When the folder or the root cannot be made.
    pub fn lay(name: &str, now: Timestamp) -> Result<Self, FootingError> {
        let clock = Arc::new(HeldClock::at(now));
        let seal = Seal::KeyFile(Secret::new(vec![7; 64]));
        let room = Strongroom::create(Arc::new(MemoryRoot::default()), &seal, clock.clone())?;
        let folder = Folder::new(name)?;
        std::fs::create_dir_all(folder.path().join("store"))?;
        Ok(Self { clock, room, folder })
    }

    /// Opens the store and the log that are in the folder.
    ///
    /// # Errors
    /// When they do not open.
    pub fn start(&self) -> Result<(Store, Log), FootingError> {
        let options = Options { reserve_bytes: 0, ..Options::default() };
        let place = self.folder.path().join("store");
        let opened = Store::open(&place, self.room.records(), self.clock.clone(), options)?;
        let options = LogOptions {
            origin: ORIGIN.to_owned(),
            anchor: self.folder.path().join("anchor"),
            strongroom: self.room.clone(),
            clock: self.clock.clone(),
            rng: seeded(),
            rollback: None,
        };
        Ok(audit::start(opened, options)?)
    }

    /// Somebody of a key domain, before whom no gate stands closed.
    #[must_use]
    pub fn caller(&self, domain: DomainId) -> Arc<Caller> {
        let caller = Caller::system("t", self.clock.wall(), self.clock.monotonic());
        Arc::new(Caller { domain, ..caller })
    }
}

/// Randomness of its own for whoever asks: the same in each run, another for each asker.
#[must_use]
pub fn seeded() -> Arc<SeededRng> {
    Arc::new(SeededRng::new(NUMBER.fetch_add(1, Ordering::SeqCst)))
}

/// Closes a store and its log, so that [`Footing::start`] can open them again once every handle is
/// dropped.
///
/// # Errors
/// When the log's anchor cannot be written.
pub fn stop(store: &Store, log: &Log) -> Result<(), FootingError> {
    store.close();
    Ok(log.close()?)
}

/// Every event so far, oldest first.
///
/// # Errors
/// When the store does not flush, or the log does not read.
pub fn events(store: &Store, log: &Log) -> Result<Vec<Event>, FootingError> {
    store.flush().wait()?;
    let page = log.query(&Query::default(), EVENTS_MAX)?;
    Ok(page.events.into_iter().rev().map(|logged| logged.event).collect())
}

/// Allows everything within the key domain of the caller; one of the installation sees all.
#[derive(Debug, Clone, Copy, Default)]
pub struct Allows;

impl Decider for Allows {
    fn decide(
        &self,
        caller: &Caller,
        _: Action,
        _: &Resource,
        _: Timestamp,
    ) -> Result<Grant, Refusal> {
        let domains = (caller.domain != DomainId::SYSTEM).then(|| vec![caller.domain]);
        Ok(Grant { policy_version: PolicyVersion(1), because: Vec::new(), domains })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use store::Batch;

    #[test]
    fn what_was_written_is_there_after_a_start_anew_and_the_folder_goes() {
        let footing = Footing::lay("footing", Timestamp::EPOCH).unwrap();
        let place = footing.folder.path().to_owned();
        let (store, log) = footing.start().unwrap();
        store.commit(Batch::new().event(Event::system("a.b", Timestamp::EPOCH))).wait().unwrap();
        let before = events(&store, &log).unwrap();
        stop(&store, &log).unwrap();
        drop((store, log));
        let (store, log) = footing.start().unwrap();
        assert_eq!(events(&store, &log).unwrap(), before);
        assert!(before.iter().any(|event| event.action == "a.b"));
        drop((store, log, footing));
        assert!(!place.exists());
    }
}
