//! Where sensitive data lies: sources, scans, findings, and what to do about them.
//!
//! **For:** walking the bank's stores (folders, object stores, databases, repositories), having
//! each object inspected by the `work` process, keeping what was found, scoring the risk, and
//! acting on it. **Not for:** parsing formats (that is `extract`, inside the `work` process),
//! recognising values (that is `detect`), judging requirements (that is `comply`).
//!
//! **The way of a scan:** a [`Source`] lists objects in a stable order, page by page; unchanged
//! ones are skipped by their version; each other one is opened as a file descriptor and handed to
//! a worker, whose [`extract::Inspection`] becomes findings in one commit with the scan's cursor.
//!
//! **Invariants:** no byte of an object is parsed in the process that holds keys; values are kept
//! masked and fingerprinted only; a scan resumes at its last committed cursor.

mod class;
mod profile;
mod risk;
pub mod sources;
pub mod work;

pub use class::{Category, Class};
pub use profile::{
    Because, Classified, PROFILE_BYTES_MAX, Profile, ProfileError, REASON_CHARS_MAX, RULES_MAX,
    Rule, Tallies, Tally,
};
pub use risk::{Aspect, Circumstances, FEW_READERS, Factor, Level, Risk, Safeguard};
pub use sources::{Exposure, Listing, Object, Opened, Source, SourceError};
