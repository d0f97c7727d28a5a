//! Where the root lies on disk: read whole, replaced whole, never edited.

use rustix::fs::{Mode, OFlags};
use std::fmt;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Largest root file that is read: 65,536 shred keys take about 12 MiB.
pub const ROOT_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// Why a root file cannot be read or replaced.
#[derive(Debug, thiserror::Error)]
pub enum RootFileError {
    /// The disk refused.
    #[error("the root file `{path}` cannot be {doing}")]
    Disk {
        /// The file.
        path: String,
        /// `read` or `replaced`.
        doing: &'static str,
        /// What the disk said.
        #[source]
        source: io::Error,
    },
    /// Larger than any root file of ours.
    #[error("the root file `{path}` is larger than {ROOT_BYTES_MAX} bytes")]
    TooLarge {
        /// The file.
        path: String,
    },
}

impl RootFileError {
    /// Whether the disk is full or read-only: reading and revoking go on.
    #[must_use]
    pub fn is_full(&self) -> bool {
        use io::ErrorKind::{QuotaExceeded, ReadOnlyFilesystem, StorageFull};
        let Self::Disk { source, .. } = self else { return false };
        matches!(source.kind(), QuotaExceeded | ReadOnlyFilesystem | StorageFull)
    }
}

/// A place for the root. Replacing is atomic and durable: after a power cut there is the old root
/// or the new one, and once `replace` has returned it is the new one.
pub trait RootFile: Send + Sync + fmt::Debug {
    /// The whole root; `None` when there is none yet.
    ///
    /// # Errors
    /// When the disk refuses or the file is larger than [`ROOT_BYTES_MAX`].
    fn read(&self) -> Result<Option<Vec<u8>>, RootFileError>;

    /// Puts `bytes` in the place of what was there.
    ///
    /// # Errors
    /// When the disk refuses; the old root is then still in place.
    fn replace(&self, bytes: &[u8]) -> Result<(), RootFileError>;
}

/// A root in a file of mode 0600.
#[derive(Debug, Clone)]
pub struct FileRoot {
    path: PathBuf,
}

impl FileRoot {
    /// The root at `path`; nothing is touched yet.
    #[must_use]
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    fn disk(&self, doing: &'static str) -> impl FnOnce(io::Error) -> RootFileError {
        let path = self.path.display().to_string();
        move |source| RootFileError::Disk { path, doing, source }
    }
}

impl RootFile for FileRoot {
    fn read(&self) -> Result<Option<Vec<u8>>, RootFileError> {
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(self.disk("read")(e)),
        };
        let mut bytes = Vec::new();
        file.take(ROOT_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(self.disk("read"))?;
        if bytes.len() as u64 > ROOT_BYTES_MAX {
            return Err(RootFileError::TooLarge { path: self.path.display().to_string() });
        }
        Ok(Some(bytes))
    }

    fn replace(&self, bytes: &[u8]) -> Result<(), RootFileError> {
        replace_file(&self.path, bytes).map_err(self.disk("replaced"))
    }
}

/// Writes beside, syncs, renames over, syncs the folder.
pub(crate) fn replace_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    // A left-over of a crash may belong to somebody else by now: never write through it.
    match std::fs::remove_file(&beside) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let mut file = File::from(rustix::fs::open(&beside, flags, Mode::RUSR | Mode::WUSR)?);
    file.write_all(bytes)?;
    file.sync_all()?;
    drop(file);
    std::fs::rename(&beside, path)?;
    sync_folder(path)
}

/// Makes the entry of `path` in its folder durable.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    let folder =
        path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    File::open(folder)?.sync_all()
}

/// A root that lives as long as the process: for tests.
#[derive(Debug, Default)]
pub struct MemoryRoot(Mutex<Option<Vec<u8>>>);

impl MemoryRoot {
    /// A root that holds `bytes`, as a restored backup would.
    #[must_use]
    pub const fn holding(bytes: Vec<u8>) -> Self {
        Self(Mutex::new(Some(bytes)))
    }
}

impl RootFile for MemoryRoot {
    fn read(&self) -> Result<Option<Vec<u8>>, RootFileError> {
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    fn replace(&self, bytes: &[u8]) -> Result<(), RootFileError> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(bytes.to_vec());
        Ok(())
    }
}
