//! Sealed records: typed collections over a database that is not trusted.
//!
//! **For:** keeping every slice's records and the log's rows, so that a change, its preconditions
//! and its events are one durable transaction; reading them back by key, index, order of keys and
//! order of names; noticing whatever was altered, removed, added or taken from another time.
//!
//! **Not for:** what an event looks like in the log (that is `audit`, which gives the store an
//! [`Appender`]), key bytes (that is `strongroom`), large files, or queries over fields that no
//! index was declared for.
//!
//! **The way of a request:** a slice builds a [`Batch`] of puts, deletes, guards and events;
//! [`Store::commit`] seals it on the caller's thread and hands it to the committer, the one thread
//! that writes. The committer checks each waiting batch against versions, epochs, unique terms and
//! idempotency keys, writes those that hold, lets the appender turn all events into one row of the
//! log, and flushes once for the whole group. Only then do the tickets answer and readers see it.
//!
//! **Start:** [`Store::open`] takes the folder's lock, compares every collection with its sealed
//! digest and returns an [`Opened`], from which `audit` restores the log and compares its anchor;
//! [`Opened::start`] begins the work.
//!
//! **Invariants:** nothing is visible before it is durable; a refused batch leaves no trace; the
//! version of a record is never used twice; a group's events and changes live or die together;
//! after a raise of an epoch has been answered, no commit under the older epoch succeeds; no read
//! returns a byte that was not sealed for its place.
//!
//! What the database learns: how many records and terms there are, their sizes and keys, when they
//! change, and which terms of one index are equal.

mod appender;
mod batch;
mod carriers;
mod codec;
mod collection;
mod digest;
mod engine;
mod epochs;
mod error;
pub mod limits;
mod open;
mod prepare;
mod read;
mod repeat;
mod sealing;
mod sqlite;
mod state;
mod stats;
mod store;
mod ticket;

pub use appender::{Appender, LogHead, LogRow, LogRows, StateDigest};
pub use batch::{Batch, Expect, Idempotency};
pub use collection::{Collection, FixedKey, IndexTerm, KeyRange, Record, RecordKey};
pub use error::{AppendError, BatchError, Damage, StoreError};
pub use open::{Opened, Options};
pub use read::{CursorError, Page, PageCursor, Stamp};
pub use repeat::Repeat;
pub use stats::Stats;
pub use store::Store;
pub use ticket::{CommitTicket, Committed};
