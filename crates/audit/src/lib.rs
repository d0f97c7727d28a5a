//! The log: what happened, in an order that nobody can change unnoticed.
//!
//! **For:** taking the events of each commit into a Merkle tree, signing checkpoints of it, proving
//! that an event is in it and that one checkpoint continues another, finding and exporting events,
//! bringing checkpoints and events out of the house (folder, webhook, witness, syslog), and
//! verifying all that offline ([`mod@verify`]).
//!
//! **Not for:** deciding what is worth an event (the slices do), keeping state (the store does),
//! holding keys (the strongroom signs checkpoints and seals personal parts).
//!
//! # What is hashed
//! Everything can be recomputed with SHA-256 alone; `tests/recompute.py` does so.
//! ```text
//! public_hash   = SHA-256(public_salt ‖ public text)       salt: 16 bytes; text: UTF-8, verbatim
//! personal_hash = SHA-256(personal_salt ‖ personal text)   or 32 zero bytes when there is none
//! entry         = 0x01 ‖ public_hash ‖ personal_hash       65 bytes
//! leaf          = SHA-256(0x00 ‖ entry)                    RFC 6962, section 2.1
//! node          = SHA-256(0x01 ‖ left ‖ right)
//! ```
//! The public text is the JSON of [`kernel::Event`], fields in the order of its declaration, no
//! white space, followed by `logged`: the time of the log, which never goes back. The personal text
//! is the JSON of its list of pairs; its salt is sealed with it, so that whoever shreds the key of
//! a person and a month takes text and salt away and leaves the proof whole.
//!
//! # The way of an event
//! A slice commits a batch → the store's committer hands all events of the group to [`LogAppender`]
//! → each is hashed where its text lies, its personal part put with those of the same person → one
//! sealed record and a new head are written in the same transaction → when that is durable the head
//! is published: only now can it be signed ([`Log::checkpoint`]), proven from ([`Log::evidence`]),
//! found ([`Log::query`]) and carried out ([`deliver`], [`sink`]).
//!
//! Hashes lie in the records: whoever completes a tile of 256 carries it, and what the levels above
//! have so far. A proof of any age reads a few records; a start reads one and at most 255 events
//! after it.
//!
//! # When an older store is put in place
//! The anchor ([`anchor`]) and every witness notice it. If approvers accept the rollback by name
//! ([`Rollback`]), the log goes on in the same tree under a new origin (`…/r2`), whose first event
//! commits to the last known checkpoint and states the gap; nothing is signed before it is durable.
//!
//! # Invariants
//! Positions have no gaps: an event's position is the size of the tree before it. The log's time
//! never goes back. A checkpoint is signed only for a head that is durable. A store that is behind
//! its anchor, or whose records are not those that the head has bound, is refused. Nothing that
//! leaves the house is waited for by an operation.

pub mod anchor;
mod appender;
mod cosign;
pub mod deliver;
pub mod hash;
pub mod head;
pub mod leaf;
pub mod line;
mod log;
mod open;
pub mod outlet;
mod personal;
pub mod post;
pub mod proof;
pub mod query;
mod record;
mod rehash;
mod shared;
pub mod shred;
pub mod sink;
#[cfg(test)]
mod testing;
pub mod tile;
pub mod tree;
pub mod verify;
pub mod witness;
pub mod witness_server;

pub use appender::{LogAppendError, LogAppender};
pub use cosign::{CosignError, Cosigned, WitnessClient};
pub use hash::{Hash, NoteVerifier};
pub use head::{Head, Incarnation};
pub use line::Line;
pub use log::{Log, LogError};
pub use open::{LogOptions, OpenError, Opening, Ready, Rollback, start};
pub use outlet::{Outlet, OutletKind, Outlets, Outside, outside};
pub use query::{LoggedEvent, Page, Query};
pub use rehash::{RehashError, Rehashed, rehash};
pub use shared::Rows;
