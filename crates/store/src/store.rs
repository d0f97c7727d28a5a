//! The store's handle: commits, flushes, epochs and the recorder.

use crate::engine::{Core, Message};
use crate::open::{Opened, Options};
use crate::prepare::{Prepared, Preparer, outcome_key};
use crate::sqlite::apply::kept_outcome;
use crate::sqlite::folder::{DATABASE, FolderLock};
use crate::sqlite::{examine, file};
use crate::state::OUTCOMES;
use crate::ticket::{Reply, ticket};
use crate::{
    Batch, CommitTicket, Damage, LogHead, StateDigest, Stats, StoreError, limits, sealing::Sealing,
};
use kernel::{Clock, DomainId, Epoch, Epochs, Event, Recorder};
use std::path::Path;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;
use strongroom::RecordKeys;

/// The store. Cheap to clone; the last clone that goes away ends the committer, after it has
/// committed everything that waits.
#[derive(Clone)]
pub struct Store {
    pub(crate) core: Arc<Core>,
    running: Arc<Running>,
}

/// Ends the committer when it is dropped.
struct Running {
    sender: RwLock<Option<Sender<Message>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Running {
    fn send(&self, message: Message) -> Result<(), Message> {
        match &*self.sender.read().unwrap_or_else(PoisonError::into_inner) {
            Some(sender) => sender.send(message).map_err(|unsent| unsent.0),
            None => Err(message),
        }
    }

    fn end(&self) {
        self.sender.write().unwrap_or_else(PoisonError::into_inner).take();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // A committer that panicked has told its waiters that the store is closed.
            let _ = thread.join();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end();
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("revision", &self.revision()).finish_non_exhaustive()
    }
}

impl Store {
    /// Opens the store in `folder`, which must exist, and checks it against its digests. Give the
    /// result an appender with [`Opened::start`].
    ///
    /// # Errors
    /// [`StoreError::InUse`], [`StoreError::Damaged`] with the place, or what the disk says.
    pub fn open(
        folder: &Path,
        keys: RecordKeys,
        clock: Arc<dyn Clock>,
        options: Options,
    ) -> Result<Opened, StoreError> {
        Opened::open(folder, keys, clock, options)
    }

    /// Examines a store that may not open: every record, index, list of names and row of the log.
    /// At most 100 findings; none means that it is sound.
    ///
    /// # Errors
    /// When there is no store, the folder is in use, or the disk does not answer.
    pub fn examine(folder: &Path, keys: RecordKeys) -> Result<Vec<Damage>, StoreError> {
        let there = std::fs::metadata(folder.join(DATABASE));
        there.map_err(|cause| StoreError::disk("looking for the database", cause))?;
        let _lock = FolderLock::take(folder)?;
        match file::open_writer(folder, &Options::default()) {
            Ok((connection, _)) => examine::examine(&connection, &Sealing(keys)),
            Err(StoreError::Damaged(damage)) => Ok(vec![damage]),
            Err(error) => Err(error),
        }
    }

    pub(crate) fn new(core: Arc<Core>, sender: Sender<Message>, thread: JoinHandle<()>) -> Self {
        let (sender, thread) = (RwLock::new(Some(sender)), Mutex::new(Some(thread)));
        Self { core, running: Arc::new(Running { sender, thread }) }
    }

    /// Hands a batch to the committer. The ticket answers when it is durable or refused; dropping
    /// the ticket does not undo it.
    pub fn commit(&self, batch: Batch) -> CommitTicket {
        let (reply, ticket) = ticket();
        let (sealing, next_version) = (&self.core.sealing, &self.core.next_version);
        let preparer = Preparer { sealing, next_version };
        match preparer.batch(batch, self.core.clock.wall(), reply) {
            Ok(prepared) => self.enqueue(prepared),
            Err((mut reply, error)) => reply.send(Err(error)),
        }
        ticket
    }

    fn enqueue(&self, mut prepared: Prepared) {
        let waiting = &self.core.counters.waiting;
        let full = waiting.load(Relaxed) >= limits::QUEUE_BATCHES_MAX as u64;
        if full && !prepared.essential {
            return prepared.reply.send(Err(StoreError::Busy));
        }
        waiting.fetch_add(1, Relaxed);
        // When the committer has ended, the batch comes back and its dropped reply says "closed".
        if self.running.send(Message::Commit(Box::new(prepared))).is_err() {
            waiting.fetch_sub(1, Relaxed);
        }
    }

    /// Answers when every event that was recorded before the call is durable.
    ///
    /// The ticket fails with [`StoreError::EventsDropped`] when events had to be dropped since the
    /// last flush.
    pub fn flush(&self) -> CommitTicket {
        let (reply, ticket) = ticket();
        self.enqueue(Prepared::flush(reply));
        ticket
    }

    /// What was answered under an idempotency key in the last 24 hours, if the request is the same;
    /// asked before the work is done. The commit asks again.
    ///
    /// # Errors
    /// [`StoreError::IdempotencyMismatch`] when the key was used for another request.
    pub fn outcome(
        &self,
        domain: DomainId,
        caller: &str,
        key: &str,
        request: &[u8; 32],
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let state = self.core.state();
        let Some(known) = state.collection(OUTCOMES) else { return Ok(None) };
        let sealing = &self.core.sealing;
        let key = outcome_key(sealing, domain, caller, key);
        let now = self.core.clock.wall();
        self.core
            .readers
            .read(|connection| kept_outcome(connection, sealing, known.id, &key, request, now))
    }

    /// The revision of the last durable commit.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.core.state().revision
    }

    /// Waits until there is a revision newer than `after`, and returns it.
    ///
    /// # Errors
    /// [`StoreError::Closed`] when there will be none.
    pub async fn watch(&self, after: u64) -> Result<u64, StoreError> {
        let mut latest = self.core.latest.subscribe();
        let found = latest.wait_for(|latest| latest.revision > after || latest.ended).await;
        match found.map(|found| *found) {
            Ok(found) if found.revision > after => Ok(found.revision),
            _ => Err(StoreError::Closed),
        }
    }

    /// How far the durable log has come.
    #[must_use]
    pub fn log_head(&self) -> LogHead {
        self.core.state().log.clone()
    }

    /// The digest of the records after the last durable commit.
    #[must_use]
    pub fn state_digest(&self) -> StateDigest {
        self.core.state().digest(&self.core.sealing)
    }

    /// Opens every record and every row of the log and compares indexes, names and digests. At most
    /// 100 findings; none means that it is sound. Takes seconds for a large store.
    ///
    /// # Errors
    /// When the engine or the disk does not answer.
    pub fn verify(&self) -> Result<Vec<Damage>, StoreError> {
        let sealing = &self.core.sealing;
        self.core.readers.snapshot(|connection| examine::examine(connection, sealing))
    }

    /// Counters since the start.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.core.counters.stats()
    }

    /// Ends the committer after everything that waits is committed. Other clones refuse from now
    /// on.
    pub fn close(&self) {
        self.running.end();
    }
}

impl Prepared {
    fn flush(reply: Reply) -> Self {
        Self {
            changes: Vec::new(),
            guards: Vec::new(),
            raises: Vec::new(),
            raise_all: false,
            events: Vec::new(),
            outcome: None,
            essential: false,
            flush: true,
            bytes: 0,
            reply,
        }
    }
}

impl Epochs for Store {
    fn current(&self, domain: DomainId) -> Epoch {
        self.core.epoch(domain)
    }
}

impl Recorder for Store {
    fn record(&self, event: Event) {
        if self.core.pending.push(event) {
            // A committer that has ended drops it; the flush that the door waits for says so.
            let _ = self.running.send(Message::Wake);
        }
    }
}
