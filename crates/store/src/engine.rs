//! What readers, callers and the committer share.

use crate::codec::TermHash;
use crate::epochs::EpochTable;
use crate::limits::QUEUE_EVENTS_MAX;
use crate::prepare::Prepared;
use crate::sealing::Sealing;
use crate::sqlite::folder::FolderLock;
use crate::sqlite::names::Names;
use crate::sqlite::readers::Readers;
use crate::state::State;
use crate::stats::Counters;
use kernel::{Clock, Event};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use tokio::sync::watch;

/// What the committer is told.
pub(crate) enum Message {
    /// Commit this.
    Commit(Box<Prepared>),
    /// Events wait.
    Wake,
}

/// The last durable revision, and whether there will be no other.
#[derive(Clone, Copy)]
pub(crate) struct Latest {
    pub(crate) revision: u64,
    pub(crate) ended: bool,
}

pub(crate) struct Core {
    pub(crate) sealing: Sealing,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) readers: Readers,
    pub(crate) names: Names,
    pub(crate) counters: Counters,
    pub(crate) next_version: AtomicU64,
    pub(crate) latest: watch::Sender<Latest>,
    pub(crate) pending: Pending,
    state: RwLock<Arc<State>>,
    epochs: RwLock<EpochTable>,
    /// Last, so that the folder is free only when nothing of it is open any more.
    _lock: FolderLock,
}

impl Core {
    pub(crate) fn new(
        sealing: Sealing,
        clock: Arc<dyn Clock>,
        readers: Readers,
        names: Names,
        state: Arc<State>,
        epochs: EpochTable,
        lock: FolderLock,
    ) -> Self {
        Self {
            sealing,
            clock,
            readers,
            names,
            counters: Counters::default(),
            next_version: AtomicU64::new(state.next_version),
            latest: watch::Sender::new(Latest { revision: state.revision, ended: false }),
            pending: Pending::default(),
            state: RwLock::new(state),
            epochs: RwLock::new(epochs),
            _lock: lock,
        }
    }

    /// The state of the last durable commit.
    pub(crate) fn state(&self) -> Arc<State> {
        Arc::clone(&self.state.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn publish(&self, state: &Arc<State>) {
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(state);
    }

    pub(crate) fn epoch(&self, domain: kernel::DomainId) -> kernel::Epoch {
        self.epochs.read().unwrap_or_else(PoisonError::into_inner).current(domain)
    }

    pub(crate) fn publish_epochs(&self, epochs: &EpochTable) {
        self.epochs.write().unwrap_or_else(PoisonError::into_inner).clone_from(epochs);
    }

    pub(crate) fn term(&self, collection: &str, term: &crate::IndexTerm) -> TermHash {
        self.sealing.term(collection, term.index, &term.hashed_value())
    }
}

#[derive(Default)]
struct Queue {
    events: Vec<Event>,
    dropped: u64,
}

/// Events that belong to no change, until the next group takes them.
#[derive(Default)]
pub(crate) struct Pending(Mutex<Queue>);

impl Pending {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts an event in; true when the committer must be woken.
    pub(crate) fn push(&self, event: Event) -> bool {
        let mut queue = self.lock();
        if queue.events.len() >= QUEUE_EVENTS_MAX {
            queue.dropped = queue.dropped.saturating_add(1);
            return false;
        }
        queue.events.push(event);
        queue.events.len() == 1
    }

    /// Everything that waits, and how many were dropped since a flush said so.
    pub(crate) fn take(&self) -> (Vec<Event>, u64) {
        let mut queue = self.lock();
        (std::mem::take(&mut queue.events), std::mem::take(&mut queue.dropped))
    }

    /// What could not be written goes back, before what came since.
    pub(crate) fn put_back(&self, mut events: Vec<Event>, dropped: u64) {
        let mut queue = self.lock();
        queue.dropped = queue.dropped.saturating_add(dropped);
        if events.is_empty() {
            return;
        }
        events.append(&mut queue.events);
        let over = events.len().saturating_sub(QUEUE_EVENTS_MAX);
        events.truncate(QUEUE_EVENTS_MAX);
        queue.dropped = queue.dropped.saturating_add(over as u64);
        queue.events = events;
    }
}
