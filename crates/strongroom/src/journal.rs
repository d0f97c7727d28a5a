//! The boot journal: what happened before the log could be written, each entry chained to the last.
//!
//! One JSON object a line: `{"seq":…,"prev":"…","event":{…},"hash":"…"}` with
//! `hash = SHA-256(prev ‖ seq ‖ event)`, `seq` as 8 bytes, `event` as the exact bytes that stand there.
//! After unsealing the binary appends the entries to the log and then calls [`Journal::drain`]; the
//! root keeps the hash of the last entry taken over, so that a journal put in its place is noticed.

use crate::bytes::Bytes;
use crate::root_file::{replace_file, sync_folder};
use aws_lc_rs::digest;
use kernel::{Event, Problem, ProblemKind};
use rustix::fs::{Mode, OFlags};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// Most entries before unsealing: a stranger at the ceremony's door cannot fill the disk.
pub const JOURNAL_ENTRIES_MAX: u64 = 4_096;
/// Largest journal that is read, in bytes.
pub const JOURNAL_BYTES_MAX: u64 = 8 * 1_024 * 1_024;

/// The hash before the first entry that ever was.
pub const JOURNAL_START: [u8; 32] = [0; 32];

/// Why the journal does not go on.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The disk refuses.
    #[error("the boot journal `{path}` cannot be {doing}")]
    Disk {
        /// The file.
        path: String,
        /// What was tried.
        doing: &'static str,
        /// What the disk said.
        #[source]
        source: io::Error,
    },
    /// An entry does not follow from the one before it.
    #[error("the boot journal is broken at line {line}")]
    Broken {
        /// Line of the file, from 1.
        line: u64,
    },
    /// It does not go on from where the log took over.
    #[error("the boot journal does not continue from the last entry that the log has taken over")]
    NotContinued,
    /// Too many entries.
    #[error("the boot journal is full")]
    Full,
    /// An event that cannot be written.
    #[error("an event cannot be written as JSON")]
    Encode(#[source] serde_json::Error),
}

impl From<JournalError> for Problem {
    fn from(cause: JournalError) -> Self {
        let kind = match cause {
            JournalError::Disk { .. } | JournalError::Full => ProblemKind::StorageFull,
            _ => ProblemKind::Internal,
        };
        Self::new(kind, "boot-journal", cause.to_string())
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    seq: u64,
    prev: Bytes,
    event: Box<RawValue>,
    hash: Bytes,
}

/// The boot journal, open for appending.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    start: [u8; 32],
    head: [u8; 32],
    next: u64,
    events: Vec<Event>,
}

impl Journal {
    /// Opens the journal, or begins one, and checks its chain.
    ///
    /// # Errors
    /// When the disk refuses or the chain is broken. An unfinished last line, as a power cut leaves
    /// it, is cut off: it was never acknowledged.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, JournalError> {
        let path = path.into();
        let fresh = !path.exists();
        let (file, bytes) = open_and_read(&path).map_err(|source| disk(&path, "read", source))?;
        if fresh {
            sync_folder(&path).map_err(|source| disk(&path, "created", source))?;
        }
        let mut journal = Self {
            path,
            file,
            start: JOURNAL_START,
            head: JOURNAL_START,
            next: 0,
            events: Vec::new(),
        };
        let whole = bytes.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
        for (number, line) in (1..).zip(bytes.split_inclusive(|b| *b == b'\n')) {
            if line.last() == Some(&b'\n') {
                journal.take(line).ok_or(JournalError::Broken { line: number })?;
            }
        }
        if whole < bytes.len() {
            let cut = journal.file.set_len(whole as u64).and_then(|()| journal.file.sync_all());
            cut.map_err(|source| disk(&journal.path, "repaired", source))?;
        }
        Ok(journal)
    }

    fn take(&mut self, line: &[u8]) -> Option<()> {
        let line: Line = serde_json::from_slice(line).ok()?;
        let prev: [u8; 32] = line.prev.as_ref().try_into().ok()?;
        if self.events.is_empty() {
            self.start = prev;
            self.next = line.seq;
        } else if prev != self.head || line.seq != self.next {
            return None;
        }
        let hash = chain(&prev, line.seq, line.event.get());
        if *line.hash != hash {
            return None;
        }
        self.events.push(serde_json::from_str(line.event.get()).ok()?);
        self.head = hash;
        self.next = line.seq.checked_add(1)?;
        Some(())
    }

    /// Writes an event and waits until it is durable.
    ///
    /// # Errors
    /// When the journal is full or the disk refuses; the event is then not in it.
    pub fn append(&mut self, event: &Event) -> Result<(), JournalError> {
        if self.events.len() as u64 >= JOURNAL_ENTRIES_MAX {
            return Err(JournalError::Full);
        }
        let raw = serde_json::value::to_raw_value(event).map_err(JournalError::Encode)?;
        let hash = chain(&self.head, self.next, raw.get());
        let line = Line {
            seq: self.next,
            prev: Bytes::from(self.head.to_vec()),
            event: raw,
            hash: Bytes::from(hash.to_vec()),
        };
        let mut bytes = serde_json::to_vec(&line).map_err(JournalError::Encode)?;
        bytes.push(b'\n');
        let before = self.file.metadata().map(|m| m.len());
        let written = before.and_then(|before| {
            let done = self.file.write_all(&bytes).and_then(|()| self.file.sync_data());
            // Half a line must not stand in the way of the next one.
            done.or_else(|cause| self.file.set_len(before).and(Err(cause)))
        });
        written.map_err(|source| disk(&self.path, "written", source))?;
        self.events.push(event.clone());
        self.head = hash;
        self.next += 1;
        Ok(())
    }

    /// The events that the log has not taken over, oldest first, once they are known to continue
    /// from `taken_over` ([`crate::Strongroom::journal_head`]). Events that the log took over just
    /// before a crash are left out.
    ///
    /// # Errors
    /// [`JournalError::NotContinued`] when entries are missing or the journal is another one.
    pub fn events_after(&self, taken_over: Option<[u8; 32]>) -> Result<&[Event], JournalError> {
        let taken_over = taken_over.unwrap_or(JOURNAL_START);
        if self.events.is_empty() || self.start == taken_over {
            return Ok(&self.events);
        }
        if self.head == taken_over { Ok(&[]) } else { Err(JournalError::NotContinued) }
    }

    /// The hash of the last entry, for [`crate::Strongroom::note_journal_head`].
    #[must_use]
    pub const fn head(&self) -> [u8; 32] {
        self.head
    }

    /// Empties the journal after the log has taken it over and the root has noted the head: the next
    /// entry continues from it.
    ///
    /// # Errors
    /// When the disk refuses; the journal then stands as it was.
    pub fn drain(&mut self, noted: [u8; 32]) -> Result<(), JournalError> {
        if noted != self.head && !self.events.is_empty() {
            return Err(JournalError::NotContinued);
        }
        replace_file(&self.path, &[]).map_err(|source| disk(&self.path, "emptied", source))?;
        let (file, _) =
            open_and_read(&self.path).map_err(|source| disk(&self.path, "read", source))?;
        self.file = file;
        self.events.clear();
        self.start = noted;
        self.head = noted;
        Ok(())
    }

    /// Continues an empty journal from what the log has taken over; call it after unsealing when
    /// there was nothing to take over.
    pub fn continue_from(&mut self, taken_over: Option<[u8; 32]>) {
        if self.events.is_empty() {
            self.start = taken_over.unwrap_or(JOURNAL_START);
            self.head = self.start;
        }
    }
}

fn open_and_read(path: &Path) -> io::Result<(File, Vec<u8>)> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::APPEND | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let file = File::from(rustix::fs::open(path, flags, Mode::RUSR | Mode::WUSR)?);
    let mut bytes = Vec::new();
    (&file).take(JOURNAL_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > JOURNAL_BYTES_MAX {
        return Err(io::Error::from(io::ErrorKind::FileTooLarge));
    }
    Ok((file, bytes))
}

fn disk(path: &Path, doing: &'static str, source: io::Error) -> JournalError {
    JournalError::Disk { path: path.display().to_string(), doing, source }
}

fn chain(prev: &[u8; 32], seq: u64, event: &str) -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(prev);
    context.update(&seq.to_be_bytes());
    context.update(event.as_bytes());
    let mut hash = [0; 32];
    for (to, from) in hash.iter_mut().zip(context.finish().as_ref()) {
        *to = *from;
    }
    hash
}
