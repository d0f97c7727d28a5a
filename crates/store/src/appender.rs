//! What the store asks of the log, and what it keeps for it.

use crate::AppendError;
use kernel::{Event, LogPosition, Timestamp};

/// A keyed hash over the digests of all collections and the revision: what the records are, in 32
/// bytes. The log's head binds it, so that state and log cannot be taken from different times.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StateDigest(pub [u8; 32]);

/// Turns events into rows of the log. Owned by the committer thread; `audit` implements it.
///
/// Each group of commits calls [`Appender::append`] once. Then exactly one of
/// [`Appender::committed`] (durable: a checkpoint may leave the house) and [`Appender::abandoned`]
/// (nothing was written: go back to where you were) follows, before the next append; after an
/// append that fails it is the latter.
pub trait Appender: Send {
    /// Adds the events, of which there may be none: then the head binds the new digest alone.
    ///
    /// # Errors
    /// Why the log cannot be extended; the group is then rolled back.
    fn append(
        &mut self,
        events: Vec<Event>,
        now: Timestamp,
        state: &StateDigest,
    ) -> Result<LogRows, AppendError>;

    /// What was appended is durable.
    fn committed(&mut self);

    /// What was appended is void.
    fn abandoned(&mut self);
}

/// What an append gives the store to keep.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogRows {
    /// The position of the first event: the number of events before.
    pub first: LogPosition,
    /// How many events; must equal the number that was handed over.
    pub count: u32,
    /// The events in the appender's own form, for [`crate::LogRow`]; sealed by the store.
    pub body: Vec<u8>,
    /// The log's new head in the appender's own form: root, size, signature.
    pub head: Vec<u8>,
}

/// One stored row of the log: the events of one group of commits.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogRow {
    /// The position of the first event.
    pub first: LogPosition,
    /// How many events.
    pub count: u32,
    /// What the appender gave.
    pub body: Vec<u8>,
}

/// How far the log has come.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LogHead {
    /// How many events there are: the position of the next one.
    pub size: u64,
    /// What the appender gave last; empty before its first append.
    pub head: Vec<u8>,
}
