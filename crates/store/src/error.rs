//! What can go wrong with stored records, and where.

use kernel::{DomainId, LogPosition, Problem, ProblemKind};
use std::fmt;
use std::sync::Arc;

/// Why the store did not do what was asked. Nothing of the batch is applied when a commit fails,
/// save that after [`StoreError::OutcomeUnknown`] only the next start tells.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// A record was not in the version that the batch expected.
    #[error("a record of `{collection}` has changed since it was read, read it again")]
    VersionConflict {
        /// The collection.
        collection: &'static str,
    },
    /// A record that must not exist exists.
    #[error("a record of `{collection}` exists already")]
    Exists {
        /// The collection.
        collection: &'static str,
    },
    /// Another record holds the same value of a unique index.
    #[error("another record of `{collection}` has the same `{index}`")]
    NotUnique {
        /// The collection.
        collection: &'static str,
        /// The index.
        index: &'static str,
    },
    /// The key domain was revoked after the permit was given: decide again.
    #[error("the key domain `{domain}` has moved on since the decision, ask again")]
    StaleEpoch {
        /// The key domain.
        domain: DomainId,
    },
    /// The idempotency key was used before with another request.
    #[error("the idempotency key was used for another request")]
    IdempotencyMismatch,
    /// The batch breaks a limit or names one record twice.
    #[error(transparent)]
    Batch(#[from] BatchError),
    /// More batches are waiting than the queue takes.
    #[error("the store has more waiting than it can take, try again")]
    Busy,
    /// Events that belong to no change were dropped because the log could not take them.
    #[error("the log could not take every record, `{dropped}` were lost before they were answered")]
    EventsDropped {
        /// How many.
        dropped: u64,
    },
    /// The disk or the quota is full; what is essential goes on in reserved space.
    #[error("the disk of the store is full, free some space")]
    StorageFull,
    /// The disk does not take writes.
    #[error("the disk of the store is read-only")]
    ReadOnly,
    /// Another process has the folder open.
    #[error("`{folder}` is in use by another server")]
    InUse {
        /// The data folder.
        folder: String,
    },
    /// The file was written by a release that this one does not know.
    #[error("the store has format `{found}`, this release reads `{expected}`")]
    Format {
        /// What the file says.
        found: i64,
        /// What this release reads.
        expected: i64,
    },
    /// What is stored is not what was stored.
    #[error("the store is damaged: {0}")]
    Damaged(Damage),
    /// The log refused to take the events.
    #[error("the log cannot be extended")]
    Append(#[from] AppendError),
    /// A value cannot be written or read as JSON: the program and its data disagree.
    #[error("a value of `{collection}` does not fit its type")]
    Encoding {
        /// The collection.
        collection: &'static str,
        #[source]
        /// What the decoder said.
        cause: Arc<serde_json::Error>,
    },
    /// The strongroom cannot seal: it has no randomness.
    #[error("a record cannot be sealed")]
    Seal,
    /// The engine failed for a reason of its own.
    #[error("the storage engine failed")]
    Engine(#[source] Arc<rusqlite::Error>),
    /// The disk failed.
    #[error("the disk of the store failed while `{doing}`")]
    Disk {
        /// What was being done.
        doing: &'static str,
        /// The cause.
        #[source]
        cause: Arc<std::io::Error>,
    },
    /// A commit failed at the disk after it was handed over: it may or may not be there. The store
    /// takes no further commit; the next start finds out.
    #[error("the disk failed during a commit whose outcome is unknown, restart the server")]
    OutcomeUnknown,
    /// The store has been closed or its committer has ended.
    #[error("the store is closed")]
    Closed,
}

/// What is wrong with a batch by itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BatchError {
    /// One record is put or deleted twice.
    #[error("one batch names a record of `{collection}` twice")]
    Twice {
        /// The collection.
        collection: &'static str,
    },
    /// More changes than [`crate::limits::BATCH_CHANGES_MAX`].
    #[error("a batch has at most 4096 changes")]
    TooManyChanges,
    /// More events than [`crate::limits::BATCH_EVENTS_MAX`].
    #[error("a batch has at most 4096 events")]
    TooManyEvents,
    /// A record larger than [`crate::limits::RECORD_BYTES_MAX`].
    #[error("a record of `{collection}` is larger than 8 MiB")]
    RecordTooLarge {
        /// The collection.
        collection: &'static str,
    },
    /// A key longer than [`crate::limits::KEY_BYTES_MAX`].
    #[error("a key of `{collection}` is longer than 512 bytes")]
    KeyTooLong {
        /// The collection.
        collection: &'static str,
    },
    /// More index terms than [`crate::limits::TERMS_MAX`].
    #[error("a record of `{collection}` has more than 64 index terms")]
    TooManyTerms {
        /// The collection.
        collection: &'static str,
    },
}

/// Where damage was found.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[non_exhaustive]
pub enum Damage {
    /// The file is not a readable database; the engine's own words.
    File {
        /// What the engine says.
        says: String,
    },
    /// The sealed state of the store does not open.
    State,
    /// One record does not open or is not what its digest says.
    Record {
        /// The collection.
        collection: String,
        /// The record's key in hexadecimal.
        key: String,
    },
    /// A record is missing, was added, or is an older one: the digest of the collection differs.
    Digest {
        /// The collection.
        collection: String,
    },
    /// An index term is missing or was added.
    Index {
        /// The collection.
        collection: String,
    },
    /// The list of names does not open or misses a record.
    Names {
        /// The collection.
        collection: String,
    },
    /// A row of the log does not open, is missing, or was added.
    Log {
        /// The first position that is affected.
        position: LogPosition,
    },
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { says } => write!(f, "the file does not read (`{says}`)"),
            Self::State => f.write_str("its sealed state does not open"),
            Self::Record { collection, key } => {
                write!(f, "record `{key}` of `{collection}` does not open")
            }
            Self::Digest { collection } => {
                write!(f, "a record of `{collection}` is missing, added or from another time")
            }
            Self::Index { collection } => write!(f, "the index of `{collection}` differs"),
            Self::Names { collection } => write!(f, "the names of `{collection}` differ"),
            Self::Log { position } => write!(f, "the log at position `{}`", position.0),
        }
    }
}

/// Why an [`crate::Appender`] did not take the events.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the appender refused")]
pub struct AppendError {
    /// The appender's own error.
    #[source]
    pub cause: Arc<dyn std::error::Error + Send + Sync>,
    /// What the disk said, when it was the disk that refused.
    pub disk: Option<std::io::ErrorKind>,
}

impl AppendError {
    /// Wraps the appender's own error.
    pub fn new(cause: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self { cause: Arc::new(cause), disk: None }
    }

    /// Wraps an error of a disk that the appender needs too: when that is full, what is essential
    /// is tried again in reserved space.
    pub fn at_disk(
        cause: impl std::error::Error + Send + Sync + 'static,
        disk: std::io::ErrorKind,
    ) -> Self {
        Self { cause: Arc::new(cause), disk: Some(disk) }
    }
}

impl StoreError {
    /// A disk that has no room is the store's own trouble, whoever met it.
    pub(crate) fn append(cause: AppendError) -> Self {
        use std::io::ErrorKind;
        match cause.disk {
            Some(ErrorKind::StorageFull | ErrorKind::QuotaExceeded) => Self::StorageFull,
            Some(ErrorKind::ReadOnlyFilesystem) => Self::ReadOnly,
            _ => Self::Append(cause),
        }
    }

    pub(crate) fn disk(doing: &'static str, cause: std::io::Error) -> Self {
        use std::io::ErrorKind;
        match cause.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Self::StorageFull,
            ErrorKind::ReadOnlyFilesystem => Self::ReadOnly,
            _ => Self::Disk { doing, cause: Arc::new(cause) },
        }
    }

    /// Whether the same batch may succeed if it is decided and built again.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::VersionConflict { .. } | Self::StaleEpoch { .. } | Self::Busy)
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(cause: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode;
        use rusqlite::ffi::{SQLITE_IOERR_TRUNCATE, SQLITE_IOERR_WRITE};
        // A disk that was remounted read-only answers a write with an error of its own.
        if let Some(SQLITE_IOERR_WRITE | SQLITE_IOERR_TRUNCATE) =
            cause.sqlite_error().map(|error| error.extended_code)
        {
            return Self::ReadOnly;
        }
        match cause.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::StorageFull,
            Some(ErrorCode::ReadOnly) => Self::ReadOnly,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Self::Damaged(Damage::File { says: cause.to_string() })
            }
            // A column of another type than we wrote: the file was altered.
            None if !matches!(cause, rusqlite::Error::SqliteFailure(..)) => {
                Self::Damaged(Damage::File { says: cause.to_string() })
            }
            _ => Self::Engine(Arc::new(cause)),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let (kind, code) = match &error {
            StoreError::VersionConflict { .. } => (ProblemKind::Conflict, "version-conflict"),
            StoreError::Exists { .. } => (ProblemKind::Conflict, "exists"),
            StoreError::NotUnique { .. } => (ProblemKind::Conflict, "not-unique"),
            StoreError::StaleEpoch { .. } => (ProblemKind::Conflict, "stale-epoch"),
            StoreError::IdempotencyMismatch => (ProblemKind::Conflict, "idempotency-mismatch"),
            StoreError::Batch(_) => (ProblemKind::TooLarge, "batch-limit"),
            StoreError::Busy => (ProblemKind::TooManyRequests, "store-busy"),
            StoreError::StorageFull => (ProblemKind::StorageFull, "storage-full"),
            StoreError::ReadOnly => (ProblemKind::StorageFull, "storage-read-only"),
            StoreError::EventsDropped { .. } => (ProblemKind::Unavailable, "log-behind"),
            StoreError::InUse { .. } | StoreError::Closed | StoreError::Seal => {
                (ProblemKind::Unavailable, "store-unavailable")
            }
            StoreError::OutcomeUnknown => (ProblemKind::Unavailable, "outcome-unknown"),
            StoreError::Append(_) => (ProblemKind::Unavailable, "log-unavailable"),
            StoreError::Damaged(_) => (ProblemKind::Internal, "store-damaged"),
            StoreError::Format { .. }
            | StoreError::Encoding { .. }
            | StoreError::Engine(_)
            | StoreError::Disk { .. } => (ProblemKind::Internal, "store-failed"),
        };
        // What is damaged, and where the folder lies, is for the log and the operator only.
        let detail = match kind {
            ProblemKind::Internal => String::from("the store failed, the log has the cause"),
            _ => error.to_string(),
        };
        Self::new(kind, code, detail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stranger_is_not_told_what_is_damaged_or_where() {
        let damage = Damage::Record { collection: "people".into(), key: "00ff".into() };
        let says = Damage::File { says: "page 7".into() };
        for error in [StoreError::Damaged(damage), StoreError::Damaged(says)] {
            let problem = Problem::from(error);
            assert_eq!(problem.kind, ProblemKind::Internal);
            assert!(!problem.detail.contains("people") && !problem.detail.contains("page"));
        }
    }

    #[test]
    fn a_full_and_a_read_only_disk_are_told_apart_from_a_broken_one() {
        let engine = |code| StoreError::from(rusqlite::Error::SqliteFailure(code, None));
        let code = rusqlite::ffi::Error::new;
        assert!(matches!(engine(code(rusqlite::ffi::SQLITE_FULL)), StoreError::StorageFull));
        assert!(matches!(engine(code(rusqlite::ffi::SQLITE_READONLY)), StoreError::ReadOnly));
        let write = code(rusqlite::ffi::SQLITE_IOERR_WRITE);
        assert!(matches!(engine(write), StoreError::ReadOnly));
        let flush = code(rusqlite::ffi::SQLITE_IOERR_FSYNC);
        assert!(matches!(engine(flush), StoreError::Engine(_)));
        let corrupt = engine(code(rusqlite::ffi::SQLITE_CORRUPT));
        assert!(matches!(corrupt, StoreError::Damaged(Damage::File { .. })));
        let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
        assert!(matches!(StoreError::disk("writing", full), StoreError::StorageFull));
    }
}
