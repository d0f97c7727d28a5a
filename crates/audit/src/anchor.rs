//! The anchor: the newest head, in a file outside the database.
//!
//! Whoever puts an older copy of the database in place of the newer one meets the anchor at the
//! next start. It is written at most every [`THROTTLE_MICROS`] and at close, so after a crash it
//! may be behind the database, which is no offence; the database is never allowed to be behind it.

use crate::hash::Hash;
use crate::head::{Head, Incarnation};
use kernel::{Problem, ProblemKind};
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// Least time between two writes of the anchor: 200 ms, so that it costs no throughput.
pub const THROTTLE_MICROS: u64 = 200_000;
/// Longest anchor file that is read, in bytes.
pub const FILE_BYTES_MAX: u64 = 4_096;

/// What the anchor says.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Anchored {
    /// The log's name without the suffix of a later life.
    pub origin: String,
    /// Which life of the store signed.
    pub incarnation: Incarnation,
    /// How many events there were.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
    /// The digest of the store's records.
    pub state: Hash,
    /// How many group commits there were.
    pub revision: u64,
}

impl Anchored {
    /// The anchor of a head.
    #[must_use]
    pub fn of(origin: &str, head: &Head) -> Self {
        let Head { size, root, state, incarnation, revision, .. } = *head;
        Self { origin: origin.to_owned(), incarnation, size, root, state, revision }
    }
}

/// Why the anchor stands against a start, or cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum AnchorError {
    /// The file cannot be read or written.
    #[error("the anchor `{path}` cannot be {doing}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Read or written.
        doing: &'static str,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// The file is not an anchor.
    #[error("`{path}` is not an anchor of a log", path = path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
    },
    /// The anchor belongs to another installation.
    #[error("the anchor is of `{anchor}`, the database of `{database}`")]
    OtherLog {
        /// The origin in the anchor.
        anchor: String,
        /// The origin of the database.
        database: String,
    },
    /// The database is older than the anchor.
    #[error(
        "the database ends at {database} events and the anchor at {anchor}: an older database was \
         put in place; accept the rollback by name or restore the newer one"
    )]
    Behind {
        /// Size in the database.
        database: u64,
        /// Size in the anchor.
        anchor: u64,
    },
    /// There is no anchor, and the database is not new.
    #[error(
        "the database has {database} events and there is no anchor at `{path}`: restore the anchor \
         or accept the rollback by name",
        path = path.display()
    )]
    Missing {
        /// Size in the database.
        database: u64,
        /// Where the anchor should be.
        path: PathBuf,
    },
    /// The database has other events than those anchored.
    #[error(
        "the first {anchor} of {database} events in the database are not those that were anchored"
    )]
    Rewritten {
        /// Size in the database.
        database: u64,
        /// Size in the anchor.
        anchor: u64,
    },
    /// The database has the anchored events but other records.
    #[error(
        "the database has the anchored {size} events, but its records are those of commit \
         {database}, and the anchor is of commit {anchor}"
    )]
    OtherState {
        /// Size of both.
        size: u64,
        /// Commits in the database.
        database: u64,
        /// Commits in the anchor.
        anchor: u64,
    },
    /// The database is of an earlier life than the anchor.
    #[error("the database is of life {database} of the log, the anchor of life {anchor}")]
    EarlierLife {
        /// Life in the database.
        database: u32,
        /// Life in the anchor.
        anchor: u32,
    },
}

/// The file that holds the newest head.
#[derive(Debug)]
pub struct AnchorFile {
    path: PathBuf,
    written: Option<Anchored>,
}

impl AnchorFile {
    /// The anchor at this path; nothing is touched yet.
    #[must_use]
    pub const fn at(path: PathBuf) -> Self {
        Self { path, written: None }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it says; `None` when there is none yet.
    ///
    /// # Errors
    /// When the file cannot be read or is no anchor.
    pub fn read(&self) -> Result<Option<Anchored>, AnchorError> {
        let path = || self.path.clone();
        let failed = |cause| AnchorError::File { path: path(), doing: "read", cause };
        let mut text = Vec::new();
        match File::open(&self.path) {
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(cause) => return Err(failed(cause)),
            Ok(file) => file.take(FILE_BYTES_MAX).read_to_end(&mut text).map_err(failed)?,
        };
        let anchored = serde_json::from_slice(&text);
        anchored.map(Some).map_err(|_| AnchorError::Malformed { path: path() })
    }

    /// Writes a head unless it is older than the one written: a new file beside it, synced, renamed
    /// over it, folder synced.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn write(&mut self, anchored: &Anchored) -> Result<(), AnchorError> {
        // What was waiting for its turn may be older than what is there.
        let older = |newest: &Anchored| {
            (newest.incarnation, newest.revision) >= (anchored.incarnation, anchored.revision)
        };
        if self.written.as_ref().is_some_and(older) {
            return Ok(());
        }
        let text = serde_json::to_vec(anchored).unwrap_or_default();
        replace(&self.path, &text, PRIVATE).map_err(|cause| {
            let path = self.path.clone();
            AnchorError::File { path, doing: "written", cause }
        })?;
        self.written = Some(anchored.clone());
        Ok(())
    }
}

/// The mode of a file that is the installation's own.
pub(crate) const PRIVATE: u32 = 0o600;
/// The mode of a file that others come for.
pub(crate) const FOR_OTHERS: u32 = 0o644;

/// Puts a whole file in place of another, or leaves the other.
pub(crate) fn replace(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    let mut file =
        File::options().write(true).create(true).truncate(true).mode(mode).open(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    drop(file);
    fs::rename(&beside, path)?;
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}

/// Compares what the database has with what was anchored. `root_at` gives the database's root at a
/// smaller size, which shows that it continues the anchored log.
///
/// # Errors
/// What stands against the start.
pub fn compare<E>(
    anchored: &Anchored,
    origin: &str,
    head: &Head,
    root_at: impl FnOnce(u64) -> Result<Hash, E>,
) -> Result<Result<(), AnchorError>, E> {
    let (database, anchor) = (head.size, anchored.size);
    if anchored.origin != origin {
        let (anchor, database) = (anchored.origin.clone(), origin.to_owned());
        return Ok(Err(AnchorError::OtherLog { anchor, database }));
    }
    if head.incarnation < anchored.incarnation {
        let (database, anchor) = (head.incarnation.0, anchored.incarnation.0);
        return Ok(Err(AnchorError::EarlierLife { database, anchor }));
    }
    // A rollback was accepted and recorded, and the server stopped before it wrote the anchor.
    if head.incarnation > anchored.incarnation {
        return Ok(Ok(()));
    }
    if database < anchor {
        return Ok(Err(AnchorError::Behind { database, anchor }));
    }
    let root = if database == anchor { head.root } else { root_at(anchor)? };
    if root != anchored.root {
        return Ok(Err(AnchorError::Rewritten { database, anchor }));
    }
    let other = head.revision == anchored.revision && head.state != anchored.state;
    if head.revision < anchored.revision || other {
        let (database, anchor) = (head.revision, anchored.revision);
        return Ok(Err(AnchorError::OtherState { size: head.size, database, anchor }));
    }
    Ok(Ok(()))
}

impl From<AnchorError> for Problem {
    fn from(cause: AnchorError) -> Self {
        let code = match cause {
            AnchorError::File { .. } | AnchorError::Malformed { .. } => "anchor-unreadable",
            AnchorError::OtherLog { .. } => "anchor-of-another-log",
            AnchorError::Missing { .. } => "anchor-missing",
            _ => "database-behind-anchor",
        };
        Self::new(ProblemKind::Unavailable, code, cause.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::Timestamp;
    use std::convert::Infallible;

    const ORIGIN: &str = "lionrock.sample/log/0";

    fn head(size: u64, root: u8, revision: u64) -> Head {
        Head {
            size,
            root: Hash([root; 32]),
            state: Hash([9; 32]),
            logged: Timestamp::EPOCH,
            incarnation: Incarnation::FIRST,
            revision,
        }
    }

    fn check(anchored: &Anchored, origin: &str, head: &Head) -> Result<(), AnchorError> {
        let root_at = |size: u64| Ok::<_, Infallible>(Hash([u8::try_from(size).unwrap(); 32]));
        compare(anchored, origin, head, root_at).unwrap()
    }

    #[test]
    fn a_database_behind_beside_or_of_another_log_is_refused_and_named() {
        let anchored = Anchored::of(ORIGIN, &head(7, 7, 4));
        assert!(check(&anchored, ORIGIN, &head(7, 7, 4)).is_ok());
        assert!(check(&anchored, ORIGIN, &head(9, 9, 5)).is_ok());
        let behind = check(&anchored, ORIGIN, &head(6, 6, 3)).unwrap_err();
        assert!(behind.to_string().starts_with(
            "the database ends at 6 events and the anchor at 7: an older database was put in place"
        ));
        let rewritten = check(&anchored, ORIGIN, &head(7, 8, 4)).unwrap_err();
        assert!(matches!(rewritten, AnchorError::Rewritten { database: 7, anchor: 7 }));
        let other = Anchored { root: Hash([3; 32]), ..anchored.clone() };
        let rewritten = check(&other, ORIGIN, &head(9, 9, 9)).unwrap_err();
        assert!(matches!(rewritten, AnchorError::Rewritten { database: 9, anchor: 7 }));
        let older_records = check(&anchored, ORIGIN, &head(7, 7, 3)).unwrap_err();
        assert!(matches!(older_records, AnchorError::OtherState { database: 3, anchor: 4, .. }));
        let state = Anchored { state: Hash([1; 32]), ..anchored.clone() };
        assert!(matches!(
            check(&state, ORIGIN, &head(7, 7, 4)),
            Err(AnchorError::OtherState { .. })
        ));
        let later = Anchored { incarnation: Incarnation(2), ..anchored.clone() };
        assert!(matches!(
            check(&later, ORIGIN, &head(9, 9, 9)),
            Err(AnchorError::EarlierLife { database: 1, anchor: 2 })
        ));
        assert!(matches!(
            check(&anchored, "lionrock.other/log/0", &head(9, 9, 9)),
            Err(AnchorError::OtherLog { .. })
        ));
    }

    #[test]
    fn the_file_is_replaced_whole_and_never_by_an_older_head() {
        let folder = crate::testing::Folder::new("anchor");
        let mut file = AnchorFile::at(folder.path().join("anchor"));
        assert_eq!(file.read().unwrap(), None);
        let at = |n: u64| Anchored::of(ORIGIN, &head(n, 1, n));
        file.write(&at(3)).unwrap();
        file.write(&at(2)).unwrap();
        assert_eq!(file.read().unwrap(), Some(at(3)));
        file.write(&at(4)).unwrap();
        assert_eq!(file.read().unwrap(), Some(at(4)));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_is_no_anchor_is_not_taken_for_a_missing_one() {
        let folder = crate::testing::Folder::new("anchor-bad");
        let path = folder.path().join("anchor");
        for bytes in [&b""[..], b"{}", &[b'x'; 9_000]] {
            fs::write(&path, bytes).unwrap();
            let read = AnchorFile::at(path.clone()).read();
            assert!(matches!(read, Err(AnchorError::Malformed { .. })));
        }
    }
}
