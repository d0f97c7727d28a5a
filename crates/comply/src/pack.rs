//! Evidence packs: documents, the events they rest on, and proofs that verify without us.
//!
//! # What is in a pack
//! ```text
//! report.html report.xlsx report.json oscal/…   the documents
//! draft.zip        in an approved pack: the pack that reviewer and approver signed
//! STATEMENT        digests of the documents, as `sha256sum` reads them; the event `report.make`
//!                  in the log carries the digest of this file: so the log vouches for each
//! evidence/events.jsonl       events of the log, each with its leaf and its inclusion proof
//! evidence/checkpoint         the signed checkpoint that the proofs lead to
//! evidence/consistency.jsonl  proofs that it continues older ones that left the house
//! SHA256SUMS       digests of everything, for a first look and to name an altered file
//! ```
//! Whoever alters a document and both lists of digests still has to alter the event, its leaf, the
//! root and the signature over it. In an approved pack it is the approver's event `report.sign`
//! that vouches; the verifier follows it back over the review to the making of the signed pack.

mod signed;
mod verdict;

pub use verdict::{PackFault, PackVerdict, SignatureSeen, read_key, verify};

use crate::document::{DocumentError, documents};
use crate::glossary::Glossary;
use crate::report::Report;
use audit::{Hash, Log, LogError};
use documents::hex;
use documents::pack::{Files, PackError};
use kernel::LogPosition;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The list of the documents' digests.
pub const STATEMENT: &str = "STATEMENT";
/// Events with their proofs.
pub const EVENTS: &str = "evidence/events.jsonl";
/// The signed checkpoint.
pub const CHECKPOINT: &str = "evidence/checkpoint";
/// Proofs that the checkpoint continues older ones.
pub const CONSISTENCY: &str = "evidence/consistency.jsonl";
/// The detail of the event `report.make` that carries the digest of [`STATEMENT`].
pub const STATEMENT_DETAIL: &str = "statement-sha256";
/// The detail of the event `report.sign` that carries the SHA-256 of the pack that was signed.
pub const PACK_DETAIL: &str = "pack-sha256";
/// The detail of the event `report.sign` that says which step it is.
pub const STEP_DETAIL: &str = "step";
/// In an approved pack: the pack that reviewer and approver signed, byte for byte.
pub const SIGNED_PACK: &str = "draft.zip";
/// Most events of one pack: what an examiner's machine reads in a second.
pub const EVENTS_MAX: usize = 10_000;
/// Most older checkpoints that one pack continues.
pub const OLDER_MAX: usize = 256;

/// Why a pack was not made.
#[derive(Debug, thiserror::Error)]
pub enum MakePackError {
    /// The documents.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// The log.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The archive.
    #[error(transparent)]
    Archive(#[from] PackError),
    /// Evidence cannot be written as JSON.
    #[error("the evidence cannot be written as JSON")]
    Json(#[from] serde_json::Error),
}

/// A proof that the pack's checkpoint continues an older one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Continuation {
    /// The size of the older log.
    pub old: u64,
    /// The hashes (RFC 9162, section 2.1.4).
    pub path: Vec<Hash>,
}

/// The documents of a report with their statement, before the log knows of them.
#[derive(Debug, Clone)]
pub struct Draft {
    files: Files,
    statement: String,
}

impl Draft {
    /// Writes the documents of a report.
    ///
    /// # Errors
    /// When a writer refuses.
    pub fn of(report: &Report, glossary: &Glossary) -> Result<Self, DocumentError> {
        Ok(Self::stated(documents(report, glossary)?))
    }

    /// Writes the documents of an approved report, with the pack that was signed beside them.
    ///
    /// # Errors
    /// When a writer refuses.
    pub fn approved(
        report: &Report,
        glossary: &Glossary,
        signed: Vec<u8>,
    ) -> Result<Self, DocumentError> {
        let mut files = documents(report, glossary)?;
        files.insert(SIGNED_PACK.to_owned(), signed);
        Ok(Self::stated(files))
    }

    /// One of the documents; empty when there is none of this name.
    pub(crate) fn file(&self, name: &str) -> &[u8] {
        self.files.get(name).map_or(&[], Vec::as_slice)
    }

    fn stated(mut files: Files) -> Self {
        let statement: String =
            files.iter().map(|(name, b)| format!("{}  {name}\n", hex(&Hash::of(b).0))).collect();
        files.insert(STATEMENT.to_owned(), statement.clone().into_bytes());
        Self { files, statement }
    }

    /// SHA-256 of the statement in hexadecimal: the event `report.make` carries it as the detail
    /// [`STATEMENT_DETAIL`].
    #[must_use]
    pub fn digest(&self) -> String {
        hex(&Hash::of(self.statement.as_bytes()).0)
    }

    /// Adds the evidence and closes the pack. `made` is the position of the event `report.make`,
    /// `relied_on` the events that the report rests on, `older` sizes of checkpoints that left the
    /// house. Events past [`EVENTS_MAX`] and sizes past [`OLDER_MAX`] are left out, the oldest
    /// first.
    ///
    /// # Errors
    /// When the log does not give a proof, or the archive cannot be written.
    pub fn close(
        mut self,
        log: &Log,
        made: LogPosition,
        relied_on: impl IntoIterator<Item = LogPosition>,
        older: impl IntoIterator<Item = u64>,
    ) -> Result<Vec<u8>, MakePackError> {
        let size = log.head().size;
        let checkpoint = log.checkpoint()?;
        let size = wire::checkpoint::Checkpoint::parse(checkpoint.text()).map_or(size, |c| c.size);
        let mut positions: BTreeSet<LogPosition> =
            relied_on.into_iter().filter(|at| at.0 < size).collect();
        positions.insert(made);
        let skip = positions.len().saturating_sub(EVENTS_MAX);
        let mut events = Vec::new();
        for position in positions.into_iter().skip(skip) {
            serde_json::to_writer(&mut events, &log.evidence(position, size)?)?;
            events.push(b'\n');
        }
        let older: BTreeSet<u64> =
            older.into_iter().filter(|old| (1..size).contains(old)).collect();
        let skip = older.len().saturating_sub(OLDER_MAX);
        let mut consistency = Vec::new();
        for old in older.into_iter().skip(skip) {
            let path = log.consistency(old, size)?;
            serde_json::to_writer(&mut consistency, &Continuation { old, path })?;
            consistency.push(b'\n');
        }
        self.files.insert(EVENTS.to_owned(), events);
        self.files.insert(CONSISTENCY.to_owned(), consistency);
        self.files.insert(CHECKPOINT.to_owned(), checkpoint.to_string().into_bytes());
        Ok(documents::pack::write(&self.files, &|bytes| Hash::of(bytes).0)?)
    }
}
