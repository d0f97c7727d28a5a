//! The appender: events of one group commit in, one batch record and a new head out.
//!
//! It runs on the store's committer thread for every use of a key, so it hashes where the bytes lie
//! and keeps its buffers. A position is the size of the tree before the event: there is no counter
//! that could leave a gap.

use crate::hash::Hash;
use crate::head::{Head, Incarnation, StoredHead};
use crate::leaf::{SALT_BYTES, Salt, leaf_hash};
use crate::personal::{PersonalWriter, at_disk};
use crate::record::RecordWriter;
use crate::shared::{Shared, lock};
use crate::tile::{Tile, WIDTH};
use crate::tree::Tip;
use kernel::{Event, LogPosition, RngUnavailable, Timestamp};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use store::{AppendError, Appender, LogRows, StateDigest};
use strongroom::KeyError;

/// The action of the event that must come first after an accepted rollback.
pub(crate) const ROLLBACK_ACTION: &str = "log.rollback-accepted";
/// Bytes that an event is expected to take in its record.
const EVENT_BYTES_EXPECTED: usize = 640;

/// Why events cannot be appended.
#[derive(Debug, thiserror::Error)]
pub enum LogAppendError {
    /// The last append was neither committed nor abandoned.
    #[error("the log's last append has not been settled")]
    Unsettled,
    /// More events than a record holds.
    #[error("one commit has more than 2^32 - 1 events")]
    TooMany,
    /// After an accepted rollback, the event that says so comes first.
    #[error("the event `{ROLLBACK_ACTION}` must be the first after an accepted rollback")]
    RollbackFirst,
    /// An event cannot be written as JSON.
    #[error("an event cannot be written")]
    Event(#[source] serde_json::Error),
    /// The personal part cannot be sealed.
    #[error("the personal part of an event cannot be sealed")]
    Personal(#[source] KeyError),
    /// No randomness for salts.
    #[error(transparent)]
    Rng(#[from] RngUnavailable),
}

impl LogAppendError {
    /// What the disk said, when a new personal-data key could not be written into the root.
    fn disk(&self) -> Option<std::io::ErrorKind> {
        match self {
            Self::Personal(cause) => at_disk(cause),
            _ => None,
        }
    }
}

/// The growing end of the log; at rest it equals what was published.
#[derive(Debug)]
pub(crate) struct Writer {
    pub(crate) tip: Tip,
    pub(crate) head: Head,
    pub(crate) personal: PersonalWriter,
    pub(crate) staged: Option<Staged>,
}

/// What waits for the commit.
#[derive(Debug)]
pub(crate) struct Staged {
    begins_new_life: bool,
}

/// The log as the store sees it: give it to [`store::Store`] when opening.
#[derive(Debug)]
pub struct LogAppender {
    shared: Arc<Shared>,
    writer: Writer,
    salts: Vec<u8>,
    text: Vec<u8>,
    full: Vec<Tile>,
}

/// Whether an event says what the event of a rollback must say; reason and names may follow.
fn states(event: &Event, wanted: &Event) -> bool {
    let bare = Event { details: wanted.details.clone(), ..event.clone() };
    event.details.starts_with(&wanted.details) && bare == *wanted
}

impl LogAppender {
    pub(crate) const fn new(shared: Arc<Shared>, writer: Writer) -> Self {
        Self { shared, writer, salts: Vec::new(), text: Vec::new(), full: Vec::new() }
    }

    fn extend(
        &mut self,
        events: &[Event],
        now: Timestamp,
        state: &StateDigest,
    ) -> Result<LogRows, LogAppendError> {
        if self.writer.staged.is_some() {
            return Err(LogAppendError::Unsettled);
        }
        let new_life = match &*lock(&self.shared.rollback) {
            None => None,
            Some(life) if events.first().is_some_and(|event| states(event, &life.event)) => {
                Some(life.incarnation)
            }
            // Records alone may change before it; the head then is still of the old life.
            Some(_) if events.is_empty() => None,
            Some(_) => return Err(LogAppendError::RollbackFirst),
        };
        let begins_new_life = new_life.is_some();
        let incarnation = new_life.unwrap_or(self.writer.head.incarnation);
        let rows = self.write(events, now, state, incarnation);
        match &rows {
            Ok(_) => self.writer.staged = Some(Staged { begins_new_life }),
            Err(_) => self.shared.take_back(&mut self.writer),
        }
        rows
    }

    fn write(
        &mut self,
        events: &[Event],
        now: Timestamp,
        state: &StateDigest,
        incarnation: Incarnation,
    ) -> Result<LogRows, LogAppendError> {
        let writer = &mut self.writer;
        let count = u32::try_from(events.len()).map_err(|_| LogAppendError::TooMany)?;
        let first = writer.tip.size();
        let logged = writer.head.logged.max(now);
        let ending = format!(",\"logged\":\"{}\"}}", logged.rfc3339());
        self.salts.resize(2 * SALT_BYTES * events.len(), 0);
        self.shared.rng.fill(&mut self.salts)?;
        self.full.clear();
        let let_go = self.shared.let_go.swap(false, Ordering::SeqCst);
        writer.personal.begin(logged, let_go);
        let mut record = RecordWriter::new(first, count, EVENT_BYTES_EXPECTED * events.len());
        for (event, salts) in events.iter().zip(self.salts.chunks_exact(2 * SALT_BYTES)) {
            let (public_salt, personal_salt) = salts.split_at(SALT_BYTES);
            let public_salt = Salt(public_salt.try_into().unwrap_or_default());
            let public = record
                .event(&public_salt, |body| {
                    serde_json::to_writer(&mut *body, event)?;
                    body.pop();
                    body.extend_from_slice(ending.as_bytes());
                    Ok(())
                })
                .map_err(LogAppendError::Event)?;
            let personal = if event.personal.is_empty() {
                record.no_personal();
                Hash::ZERO
            } else {
                self.text.clear();
                self.text.extend_from_slice(personal_salt);
                serde_json::to_writer(&mut self.text, &event.personal)
                    .map_err(LogAppendError::Event)?;
                let hash = Hash::of(&self.text);
                let who = (event.domain, event.principal);
                let part = writer
                    .personal
                    .add(first, writer.tip.size(), who, &self.text)
                    .map_err(LogAppendError::Personal)?;
                record.personal(&hash, part);
                hash
            };
            writer.tip.push(leaf_hash(&public, &personal), &mut self.full);
        }
        let tiles = tiles(&self.full, &writer.tip);
        let parts = writer.personal.seal(first).map_err(LogAppendError::Personal)?;
        let body = record.finish(&parts, tiles.into_iter(), writer.personal.carried());
        let revision = writer.head.revision + 1;
        let state = Hash(state.0);
        let frontier = writer.tip.frontier().to_vec();
        let size = writer.tip.size();
        let stored = StoredHead { size, frontier, state, logged, incarnation, revision };
        writer.head = stored.head();
        Ok(LogRows { first: LogPosition(first), count, body, head: stored.write() })
    }
}

/// The tiles that a record keeps: those that became full, then what the levels above have so far.
fn tiles<'t>(full: &'t [Tile], tip: &'t Tip) -> Vec<(u8, u64, &'t [Hash])> {
    let mut kept: Vec<(u8, u64, &[Hash])> =
        full.iter().map(|tile| (tile.level, tile.index, tile.hashes.as_slice())).collect();
    if !kept.is_empty() {
        let above = (1..tip.levels()).map(|level| {
            let width = WIDTH as u64;
            let index = (0..=level).fold(tip.size(), |size, _| size / width);
            (level, index, tip.partial(level))
        });
        kept.extend(above.filter(|(_, _, hashes)| !hashes.is_empty()));
    }
    kept
}

impl Appender for LogAppender {
    fn append(
        &mut self,
        events: Vec<Event>,
        now: Timestamp,
        state: &StateDigest,
    ) -> Result<LogRows, AppendError> {
        self.extend(&events, now, state).map_err(|cause| match cause.disk() {
            Some(kind) => AppendError::at_disk(cause, kind),
            None => AppendError::new(cause),
        })
    }

    fn committed(&mut self) {
        let Some(staged) = self.writer.staged.take() else { return };
        self.writer.personal.committed();
        self.shared.publish(&self.writer, &self.full);
        if staged.begins_new_life {
            // From here on the anchor belongs to the new life; what fails is reported at close.
            let _ = self.shared.start_anchor(&self.writer.head);
            *lock(&self.shared.rollback) = None;
        }
    }

    fn abandoned(&mut self) {
        self.shared.take_back(&mut self.writer);
    }
}
