//! The SQLite implementation: one file, one writer, a few readers.
//!
//! The writer is the committer thread; readers see the last durable commit, for SQLite publishes a
//! commit to readers only after the write-ahead log has been flushed.

pub(crate) mod apply;
pub(crate) mod committer;
pub(crate) mod examine;
pub(crate) mod file;
pub(crate) mod folder;
pub(crate) mod names;
pub(crate) mod readers;
pub(crate) mod rows;
pub(crate) mod writes;
