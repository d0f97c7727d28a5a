//! The handle to the log: its head, signed checkpoints, proofs.

use crate::anchor::{AnchorError, Anchored};
use crate::hash::Hash;
use crate::head::Head;
use crate::proof::{ProofError, consistency, inclusion, root_at};
use crate::record::MalformedRecord;
use crate::shared::{Reader, Rows, Shared, lock};
use kernel::{Event, LogPosition, Problem, ProblemKind};
use std::fmt;
use std::sync::Arc;
use store::{LogRow, StoreError};
use wire::note::{Note, NoteError, VerifierKey};

/// Why something cannot be read from the log.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// There is no such event yet.
    #[error("the log has {size} events, and none at position {asked}")]
    NoSuchPosition {
        /// What was asked for.
        asked: u64,
        /// How many there are.
        size: u64,
    },
    /// The store cannot read.
    #[error("the store cannot read the log")]
    Store(#[from] StoreError),
    /// A record is malformed.
    #[error("the record of position {position} is malformed")]
    Record {
        /// The position.
        position: u64,
        /// Why.
        #[source]
        cause: MalformedRecord,
    },
    /// An event's text is not an event.
    #[error("the event at position {position} cannot be read")]
    Event {
        /// The position.
        position: u64,
        /// Why.
        #[source]
        cause: serde_json::Error,
    },
    /// A proof cannot be made from the stored hashes.
    #[error("the hashes of the log near level {level}, tile {index} are missing")]
    Hashes {
        /// The level.
        level: u8,
        /// The tile.
        index: u64,
    },
    /// An accepted rollback is not recorded yet.
    #[error("nothing is signed before the accepted rollback is recorded in the log")]
    RollbackPending,
    /// The checkpoint cannot be written as a note.
    #[error("the checkpoint cannot be written")]
    Note(#[from] NoteError),
    /// The server is stopping.
    #[error("the log is closed")]
    Closed,
}

impl From<ProofError<Self>> for LogError {
    fn from(cause: ProofError<Self>) -> Self {
        match cause {
            ProofError::Beyond { asked, size } => Self::NoSuchPosition { asked, size },
            ProofError::ShortTile { level, index } => Self::Hashes { level, index },
            ProofError::Tiles(cause) => cause,
        }
    }
}

impl From<LogError> for Problem {
    fn from(cause: LogError) -> Self {
        match cause {
            LogError::NoSuchPosition { .. } => Self::not_found("event"),
            LogError::Store(cause) => cause.into(),
            LogError::Closed => Self::new(ProblemKind::Unavailable, "stopping", cause.to_string()),
            _ => Self::new(ProblemKind::Internal, "log-damaged", cause.to_string()),
        }
    }
}

/// The log. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct Log {
    pub(crate) shared: Arc<Shared>,
    pub(crate) rows: Arc<dyn Rows + Send + Sync>,
    key: Arc<VerifierKey>,
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Log({})", self.shared.origin)
    }
}

impl Log {
    pub(crate) fn new(
        shared: Arc<Shared>,
        rows: Arc<dyn Rows + Send + Sync>,
        key: VerifierKey,
    ) -> Self {
        Self { shared, rows, key: Arc::new(key) }
    }

    pub(crate) fn reader(&self) -> Reader<'_> {
        Reader { shared: &self.shared, rows: self.rows.as_ref() }
    }

    pub(crate) fn row(&self, position: u64) -> Result<LogRow, LogError> {
        self.reader().row(position)
    }

    /// How far the log has come, durably.
    #[must_use]
    pub fn head(&self) -> Head {
        self.shared.published(|published| published.head)
    }

    /// The log's name, in its present life.
    #[must_use]
    pub fn origin(&self) -> String {
        self.key.name().to_string()
    }

    /// The key that verifies checkpoints, to be handed out of the house before it is needed.
    #[must_use]
    pub fn origin_key(&self) -> &VerifierKey {
        &self.key
    }

    /// The newest durable head, signed now.
    ///
    /// # Errors
    /// [`LogError::RollbackPending`] until an accepted rollback is recorded.
    pub fn checkpoint(&self) -> Result<Note, LogError> {
        self.signed_head().map(|(note, _)| note)
    }

    /// A checkpoint and its size.
    pub(crate) fn signed_head(&self) -> Result<(Note, u64), LogError> {
        if lock(&self.shared.rollback).is_some() {
            return Err(LogError::RollbackPending);
        }
        let head = self.head();
        let mut note = Note::new(head.checkpoint(&self.shared.origin).to_string())?;
        let signature = self.shared.signer.sign(note.text().as_bytes());
        note.push(self.key.signature(&signature))?;
        Ok((note, head.size))
    }

    /// The proof that the event at `position` is in the log of `size` events.
    ///
    /// # Errors
    /// When there is no such event, or the stored log cannot be read.
    pub fn inclusion(&self, position: LogPosition, size: u64) -> Result<Vec<Hash>, LogError> {
        self.within(size)?;
        Ok(inclusion(&self.reader(), position.0, size)?)
    }

    /// The proof that the log of `old` events is the beginning of the log of `new` events.
    ///
    /// # Errors
    /// When there are fewer events, or the stored log cannot be read.
    pub fn consistency(&self, old: u64, new: u64) -> Result<Vec<Hash>, LogError> {
        self.within(new)?;
        Ok(consistency(&self.reader(), old, new)?)
    }

    /// The root when the log had `size` events.
    ///
    /// # Errors
    /// When there are fewer events, or the stored log cannot be read.
    pub fn root_at(&self, size: u64) -> Result<Hash, LogError> {
        self.within(size)?;
        Ok(root_at(&self.reader(), size)?)
    }

    fn within(&self, asked: u64) -> Result<(), LogError> {
        let size = self.head().size;
        if asked > size { Err(LogError::NoSuchPosition { asked, size }) } else { Ok(()) }
    }

    /// Waits until the log has more than `position` events, durably.
    ///
    /// # Errors
    /// When the server stops first.
    pub async fn wait_durable(&self, position: LogPosition) -> Result<(), LogError> {
        let mut size = self.shared.size.subscribe();
        size.wait_for(|size| *size > position.0).await.map(|_| ()).map_err(|_| LogError::Closed)
    }

    /// The event that must be committed first after an accepted rollback: it commits to the last
    /// known checkpoint and states the gap. Whoever commits it may add details behind its own: who
    /// accepted it, and why.
    #[must_use]
    pub fn rollback_event(&self) -> Option<Event> {
        lock(&self.shared.rollback).as_ref().map(|life| life.event.clone())
    }

    /// Brings the anchor up to the newest head if the last commits came too close together; call it
    /// every second or so. It only hands the head to the anchor's thread.
    pub fn refresh_anchor(&self) {
        self.shared.offer_anchor(&self.head());
    }

    /// Ends the anchor's thread and writes the newest head; call it when the store is closed.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn close(&self) -> Result<(), AnchorError> {
        if lock(&self.shared.rollback).is_some() {
            return Ok(());
        }
        let head = self.head();
        let mut anchoring = lock(&self.shared.anchor);
        anchoring.to_thread = None;
        if let Some(thread) = anchoring.thread.take() {
            // A panic of that thread leaves the file as it was; it is written again below.
            let _ = thread.join();
        }
        let anchored = Anchored::of(&self.shared.origin, &head);
        lock(&anchoring.file).write(&anchored)
    }

    /// Lets go of the personal-data keys that are held open for reading; call it after one was
    /// shredded, so that it is missed at once.
    pub fn forget_personal_keys(&self) {
        self.shared.personal.forget();
    }
}
