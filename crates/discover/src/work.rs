//! The `work` process: hostile bytes are parsed where there is nothing to take and nothing to
//! reach.
//!
//! **For:** starting workers from this very program, handing each one object at a time as a
//! read-only descriptor, taking its [`extract::Inspection`] back, replacing whoever dies, hangs or
//! misbehaves.
//! **Not for:** choosing objects (that is a scan), parsing them (that is `extract`).
//!
//! **The way of an object:** [`Workers::inspect`] waits for a free worker, passes the descriptor
//! with the instructions over a socket pair (of what is elsewhere no descriptor: the child asks for
//! ranges and the parent fetches them), reads frames until the result or the deadline, and bounds
//! what the child says before anybody else sees it. In the child, [`run`] enters the
//! sandbox before it reads its first byte.
//!
//! **Invariants:** the child has an empty environment, no descriptor but the socket and the one
//! object, and a sandbox complete or no work; the parent believes nothing that the child says
//! beyond its form; an object that kills its worker costs that object only.

mod bounded;
mod child;
mod elsewhere;
mod frame;
mod pool;
mod sandbox;
mod worker;

pub use child::{ObjectFile, ServeError, run, serve};
pub use frame::{FrameError, PROGRESS_BYTES, RANGE_BYTES_MAX, REPLY_BYTES_MAX, REQUEST_BYTES_MAX};
pub use pool::Workers;
pub use sandbox::{Bounds, Layers, SandboxError};

use extract::{KindName, Limits, Settings};
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

/// How workers are started and what each may use.
#[derive(Debug, Clone)]
pub struct WorkerOptions {
    /// The program; `/proc/self/exe` is this one, even after its file was replaced by a newer one.
    pub program: PathBuf,
    /// What it is told first: the hidden subcommand.
    pub arguments: Vec<OsString>,
    /// How many work at once; at least one.
    pub workers: usize,
    /// What each may allocate, in bytes, beyond what it begins with.
    pub memory_bytes: u64,
    /// Seconds of processor time that each object may take.
    pub cpu_seconds: u64,
}

impl WorkerOptions {
    /// Memory for one object: the largest that the extractors' own limits ask for, with room.
    pub const MEMORY_BYTES: u64 = 1024 * 1024 * 1024;
    /// Processor time for one object: ten minutes at 400 MB/s are more than any object's limit.
    pub const CPU_SECONDS: u64 = 600;

    /// This program's own hidden subcommand, with the usual bounds.
    #[must_use]
    pub fn this_program(workers: usize) -> Self {
        Self {
            program: PathBuf::from("/proc/self/exe"),
            arguments: vec![OsString::from("work")],
            workers,
            memory_bytes: Self::MEMORY_BYTES,
            cpu_seconds: Self::CPU_SECONDS,
        }
    }
}

/// A hit of a text by its place: what a score script compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlainSpan {
    /// What.
    pub kind: KindName,
    /// Its first byte in the text decoded to UTF-8.
    pub start: u64,
    /// The byte after its last.
    pub end: u64,
}

/// What a worker tells while it works.
#[derive(Debug)]
pub enum Told {
    /// So many bytes are done.
    Bytes(u64),
    /// Hits by their places.
    Places(Vec<PlainSpan>),
}

/// Hits of one text that are told by their places.
pub const PLACES_MAX: usize = 1_000_000;
/// Bytes of a text whose hits are told by their places: it is held as a whole.
pub const PLACES_TEXT_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Instructions to tell the places of hits and nothing else.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WantPlaces {
    pub(super) places: Settings,
}

/// What a worker is to do with each object of a scan, encoded once.
#[derive(Clone)]
pub struct Instructions(Arc<serde_json::value::RawValue>);

impl fmt::Debug for Instructions {
    /// Without what they say: the key of the fingerprints is among it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Instructions")
    }
}

impl Instructions {
    /// What to look for, and how much an object may cost.
    ///
    /// # Errors
    /// When they are longer than a request may be.
    pub fn new(settings: &Settings, limits: &Limits) -> Result<Self, WorkError> {
        Self::of(&(settings, limits))
    }

    /// To tell the hits of plain texts by their places, for [`Workers::places`].
    ///
    /// # Errors
    /// When they are longer than a request may be.
    pub fn places(settings: &Settings) -> Result<Self, WorkError> {
        Self::of(&WantPlaces { places: settings.clone() })
    }

    /// Instructions of another inspector than ours, as its worker understands them.
    ///
    /// # Errors
    /// When they have no JSON form, or are longer than a request may be.
    pub fn of<T: Serialize>(instructions: &T) -> Result<Self, WorkError> {
        let raw = serde_json::value::to_raw_value(instructions).map_err(WorkError::Instructions)?;
        if raw.get().len() >= REQUEST_BYTES_MAX - frame::HINT_BYTES_MAX {
            return Err(FrameError::TooLong.into());
        }
        Ok(Self(Arc::from(raw)))
    }
}

/// What a server believes of a worker that sends these pieces: each inspection, bounded. For
/// whoever tests what a worker that was taken over can say.
///
/// # Errors
/// When the pieces are no frames of a worker.
pub fn believed(pieces: &[&[u8]]) -> Result<Vec<extract::Inspection>, FrameError> {
    let (mut assembler, mut found) = (frame::Assembler::default(), Vec::new());
    for piece in pieces {
        assembler.feed(piece);
        while let Some(reply) = assembler.next::<frame::Reply>()? {
            if let frame::Reply::Finished(inspection) = reply {
                found.push(bounded::bounded(*inspection));
            }
        }
    }
    Ok(found)
}

/// The hints of the requests that a worker would take from these pieces: for whoever tests what it
/// can be sent.
///
/// # Errors
/// When the pieces are no frames of a server.
pub fn asked(pieces: &[&[u8]]) -> Result<Vec<String>, FrameError> {
    let (mut assembler, mut found) = (frame::Assembler::default(), Vec::new());
    for piece in pieces {
        assembler.feed(piece);
        while let Some(request) = assembler.next::<frame::Request>()? {
            found.push(request.hint);
        }
    }
    Ok(found)
}

/// Why workers cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WorkError {
    /// No worker was asked for.
    #[error("there must be at least one worker")]
    Nobody,
    /// The program does not start.
    #[error("a worker does not start")]
    Start(#[source] std::io::Error),
    /// It started and did not enter its sandbox.
    #[error("a worker refused to work: {0}")]
    Refused(String),
    /// It started and said nothing in time, or ended.
    #[error("a worker said nothing")]
    Silent,
    /// The socket to it failed.
    #[error("the socket to a worker failed")]
    Socket(#[source] std::io::Error),
    /// It broke the protocol.
    #[error("a worker broke the protocol")]
    Frame(#[from] FrameError),
    /// The instructions cannot be encoded.
    #[error("the instructions of a scan cannot be encoded")]
    Instructions(#[source] serde_json::Error),
    /// What was opened is no file, or cannot be read.
    #[error("what was opened cannot be handed on")]
    Descriptor(#[source] std::io::Error),
}
