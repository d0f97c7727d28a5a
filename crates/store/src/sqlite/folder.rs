//! The data folder: the lock that keeps a second server out, and the reserved space.

use crate::StoreError;
use rustix::fs::{FallocateFlags, FlockOperation};
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// The database's name in the folder.
pub(crate) const DATABASE: &str = "store.db";
const LOCK: &str = "store.lock";
const RESERVE: &str = "store.reserve";

/// Holds the folder for this process; the lock ends with the process, however it ends.
#[derive(Debug)]
pub(crate) struct FolderLock {
    _file: File,
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    options
}

impl FolderLock {
    pub(crate) fn take(folder: &Path) -> Result<Self, StoreError> {
        let doing = "opening the lock file";
        let file =
            private().open(folder.join(LOCK)).map_err(|cause| StoreError::disk(doing, cause))?;
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self { _file: file }),
            Err(rustix::io::Errno::WOULDBLOCK) => {
                Err(StoreError::InUse { folder: folder.display().to_string() })
            }
            Err(cause) => Err(StoreError::disk("locking the folder", cause.into())),
        }
    }
}

/// Makes the database's file, readable by its owner only; the engine gives the files beside it the
/// same mode.
pub(crate) fn create_private(path: &Path) -> Result<(), StoreError> {
    let made = private().open(path);
    made.map(drop).map_err(|cause| StoreError::disk("opening the database", cause))
}

/// Makes names of new files durable.
pub(crate) fn sync_folder(folder: &Path) -> Result<(), StoreError> {
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(|cause| StoreError::disk("flushing the folder", cause))
}

/// A file that holds space on the disk, to be given up when the disk is full.
#[derive(Debug)]
pub(crate) struct Reserve {
    path: PathBuf,
    bytes: u64,
    held: bool,
}

impl Reserve {
    /// Takes the space; a full disk is no error here, it only leaves nothing in reserve.
    pub(crate) fn take(folder: &Path, bytes: u64) -> Result<Self, StoreError> {
        let mut reserve = Self { path: folder.join(RESERVE), bytes, held: false };
        match reserve.retake() {
            Ok(()) | Err(StoreError::StorageFull) => Ok(reserve),
            Err(error) => Err(error),
        }
    }

    /// Whether the space is still there to be given up.
    pub(crate) const fn is_held(&self) -> bool {
        self.held
    }

    /// Gives the space up.
    pub(crate) fn release(&mut self) -> Result<(), StoreError> {
        self.held = false;
        private()
            .open(&self.path)
            .and_then(|file| file.set_len(0))
            .map_err(|cause| StoreError::disk("releasing the reserved space", cause))
    }

    /// Whether the disk refuses every write for being read-only: a zero is written where zeros
    /// stand. A disk that fails in another way is not called so.
    pub(crate) fn disk_is_read_only(&self) -> bool {
        let written = private().open(&self.path).and_then(|mut file| {
            file.write_all(&[0])?;
            file.sync_data()
        });
        written.is_err_and(|cause| cause.kind() == std::io::ErrorKind::ReadOnlyFilesystem)
    }

    /// Takes the space again.
    pub(crate) fn retake(&mut self) -> Result<(), StoreError> {
        if self.held {
            return Ok(());
        }
        let failed = |cause| StoreError::disk("reserving space", cause);
        let file = private().open(&self.path).map_err(failed)?;
        let length = file.metadata().map_err(failed)?.len();
        if length < self.bytes {
            let filled = fill(&file, self.bytes).map_err(failed);
            if filled.is_err() {
                // A reserve of half the size would hold the other half from those who need it.
                let _ = file.set_len(0);
            }
            filled?;
        }
        self.held = true;
        Ok(())
    }
}

fn fill(mut file: &File, bytes: u64) -> std::io::Result<()> {
    match rustix::fs::fallocate(file, FallocateFlags::empty(), 0, bytes) {
        Ok(()) => Ok(()),
        Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::INVAL) => {
            let chunk = [0u8; 65_536];
            let mut left = bytes;
            while left > 0 {
                let take = usize::try_from(left).unwrap_or(usize::MAX).min(chunk.len());
                file.write_all(chunk.get(..take).unwrap_or(&chunk))?;
                left = left.saturating_sub(take as u64);
            }
            file.sync_data()
        }
        Err(cause) => Err(cause.into()),
    }
}
