//! Codecs that do no input or output: bytes in, values out.
//!
//! **For:** formats that strangers speak. Each module reads hostile input with limits and writes
//! what it reads; whoever calls it moves the bytes.
//!
//! **Not for:** sockets, time, keys. Where a format is signed, the codec takes a verifier (a trait
//! that the caller implements) and never a secret.
//!
//! **Invariants:** no decoder panics on any bytes, every decoder has a limit, and what is written
//! reads back as the same value.

pub mod checkpoint;
pub mod note;
pub mod syslog;
