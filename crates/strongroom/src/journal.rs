//! The boot journal: what happened before the log could be written, each entry chained to the last.
//!
//! One JSON object a line: `{"seq":…,"prev":"…","event":{…},"hash":"…"}` with `hash = SHA-256(prev
//! ‖ seq ‖ event)`, `seq` as 8 bytes, `event` as the exact bytes that stand there. After unsealing
//! the binary appends [`Journal::events_after`] to the log, notes [`Journal::head`] in the root and
//! then calls [`Journal::drain`], which leaves only the entry that was noted: the next one hangs on
//! it. A journal that was deleted, cut or put in its place does not contain the noted entry, and
//! that is noticed. (Entries after the noted one can be cut off unnoticed by whoever can write the
//! disk while the installation is sealed: nothing secret is there to sign them with.) A crash
//! between the log's commit and the note makes the same events be offered again.
//!
//! When the journal is broken or not continued, the binary renames it away, opens a new one,
//! appends an event that says so, and notes its head: the finding is in the log and the start goes
//! on.

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
pub const JOURNAL_ENTRIES_MAX: usize = 1_024;
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
    entries: Vec<Entry>,
    /// The last line of the file, kept for [`Self::drain`].
    last_line: Vec<u8>,
}

#[derive(Debug)]
struct Entry {
    seq: u64,
    hash: [u8; 32],
    event: Event,
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
        let mut journal = Self { path, file, entries: Vec::new(), last_line: Vec::new() };
        let mut whole = 0;
        for (number, line) in (1..).zip(bytes.split_inclusive(|b| *b == b'\n')) {
            if line.last() == Some(&b'\n') {
                journal.take(line).ok_or(JournalError::Broken { line: number })?;
                whole += line.len();
            }
        }
        if whole < bytes.len() {
            let cut = journal.file.set_len(whole as u64).and_then(|()| journal.file.sync_all());
            cut.map_err(|source| disk(&journal.path, "repaired", source))?;
        }
        Ok(journal)
    }

    fn take(&mut self, bytes: &[u8]) -> Option<()> {
        let line: Line = serde_json::from_slice(bytes).ok()?;
        let prev: [u8; 32] = line.prev.as_ref().try_into().ok()?;
        let follows = self
            .entries
            .last()
            .is_none_or(|last| last.hash == prev && last.seq.checked_add(1) == Some(line.seq));
        let hash = chain(&prev, line.seq, line.event.get());
        if !follows || *line.hash != hash {
            return None;
        }
        let event = serde_json::from_str(line.event.get()).ok()?;
        self.entries.push(Entry { seq: line.seq, hash, event });
        self.last_line = bytes.to_vec();
        Some(())
    }

    /// Writes an event and waits until it is durable.
    ///
    /// # Errors
    /// When the journal is full or the disk refuses; the event is then not in it.
    pub fn append(&mut self, event: &Event) -> Result<(), JournalError> {
        if self.entries.len() >= JOURNAL_ENTRIES_MAX {
            return Err(JournalError::Full);
        }
        let raw = serde_json::value::to_raw_value(event).map_err(JournalError::Encode)?;
        let (prev, seq) = (self.head(), self.entries.last().map_or(0, |last| last.seq + 1));
        let hash = chain(&prev, seq, raw.get());
        let (prev, hash_bytes) = (Bytes::from(prev.to_vec()), Bytes::from(hash.to_vec()));
        let line = Line { seq, prev, event: raw, hash: hash_bytes };
        let mut bytes = serde_json::to_vec(&line).map_err(JournalError::Encode)?;
        bytes.push(b'\n');
        let before = self.file.metadata().map(|m| m.len());
        let written = before.and_then(|before| {
            let done = self.file.write_all(&bytes).and_then(|()| self.file.sync_data());
            // Half a line must not stand in the way of the next one.
            done.or_else(|cause| self.file.set_len(before).and(Err(cause)))
        });
        written.map_err(|source| disk(&self.path, "written", source))?;
        self.entries.push(Entry { seq, hash, event: event.clone() });
        self.last_line = bytes;
        Ok(())
    }

    /// The events that the log has not taken over yet, oldest first; `noted` is what
    /// [`crate::Strongroom::journal_head`] says.
    ///
    /// # Errors
    /// [`JournalError::NotContinued`] when the noted entry is not there: entries are missing or the
    /// journal is another one.
    pub fn events_after(&self, noted: Option<[u8; 32]>) -> Result<Vec<&Event>, JournalError> {
        let skip = match noted {
            None if self.entries.first().is_none_or(|first| first.seq == 0) => 0,
            None => return Err(JournalError::NotContinued),
            Some(noted) => {
                let at = self.entries.iter().position(|entry| entry.hash == noted);
                at.ok_or(JournalError::NotContinued)? + 1
            }
        };
        Ok(self.entries.iter().skip(skip).map(|entry| &entry.event).collect())
    }

    /// The hash of the last entry, for [`crate::Strongroom::note_journal_head`].
    #[must_use]
    pub fn head(&self) -> [u8; 32] {
        self.entries.last().map_or(JOURNAL_START, |last| last.hash)
    }

    /// Leaves only the last entry, once the log has taken everything over and the root has noted
    /// it.
    ///
    /// # Errors
    /// [`JournalError::NotContinued`] when `noted` is not the last entry; when the disk refuses,
    /// the journal stands as it was.
    pub fn drain(&mut self, noted: [u8; 32]) -> Result<(), JournalError> {
        if noted != self.head() {
            return Err(JournalError::NotContinued);
        }
        replace_file(&self.path, &self.last_line)
            .map_err(|source| disk(&self.path, "emptied", source))?;
        let (file, _) =
            open_and_read(&self.path).map_err(|source| disk(&self.path, "read", source))?;
        self.file = file;
        self.entries.drain(..self.entries.len().saturating_sub(1));
        Ok(())
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
