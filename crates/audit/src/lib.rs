//! The log: what happened, in an order that nobody can change unnoticed.
//!
//! **For:** taking the events of each commit into a Merkle tree, signing checkpoints of it, proving
//! that an event is in it and that one checkpoint continues another, finding and exporting events,
//! bringing checkpoints and events out of the house (folder, webhook, witness, syslog), and verifying
//! all that offline ([`mod@verify`]).
//!
//! **Not for:** deciding what is worth an event (the slices do), keeping state (the store does), holding
//! keys (the strongroom signs checkpoints and seals personal parts).
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
//! white space, followed by `logged`: the time of the log, which never goes back. The personal text is
//! the JSON of its list of pairs; its salt is sealed with it, so that whoever shreds the key of a person
//! and a month takes text and salt away and leaves the proof whole.
//!
//! # Invariants
//! Positions have no gaps: an event's position is the size of the tree before it. A checkpoint is signed
//! only for a head that is durable. A store that is behind its anchor is refused.

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
pub use shared::Rows;
