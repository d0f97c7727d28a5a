//! The data folder: who may look into it, who holds it, and where things lie in it.

use rustix::fs::{FlockOperation, flock};
use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Why the folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// Somebody else than the owner may look into it.
    #[error("`{path}` is open to others (mode {mode:o}): `chmod 700` it")]
    Open {
        /// The folder.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// Another process holds it.
    #[error("another server uses `{path}`")]
    Taken {
        /// The folder.
        path: PathBuf,
    },
    /// The file system said no.
    #[error("`{path}` cannot be used")]
    Unusable {
        /// What was touched.
        path: PathBuf,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
}

/// The data folder, held by this process alone for as long as this value lives.
#[derive(Debug)]
pub struct DataFolder {
    path: PathBuf,
    _lock: File,
}

const FOLDER_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;

impl DataFolder {
    /// Makes the folder if there is none, and takes it.
    ///
    /// # Errors
    /// When others may look into it, another process holds it, or the file system refuses.
    pub fn take(path: &Path) -> Result<Self, FolderError> {
        DirBuilder::new()
            .recursive(true)
            .mode(FOLDER_MODE)
            .create(path)
            .map_err(|cause| FolderError::Unusable { path: path.into(), cause })?;
        Self::take_existing(path)
    }

    /// Takes a folder that is there.
    ///
    /// # Errors
    /// As [`Self::take`], and when there is none.
    pub fn take_existing(path: &Path) -> Result<Self, FolderError> {
        let unusable = |path: &Path, cause| FolderError::Unusable { path: path.into(), cause };
        let path = path.canonicalize().map_err(|cause| unusable(path, cause))?;
        let metadata = path.metadata().map_err(|cause| unusable(&path, cause))?;
        let mode = metadata.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(FolderError::Open { path, mode });
        }
        let lock_path = path.join("lock");
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(FILE_MODE)
            .open(&lock_path)
            .map_err(|cause| unusable(&lock_path, cause))?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self { path, _lock: lock }),
            Err(rustix::io::Errno::WOULDBLOCK) => Err(FolderError::Taken { path }),
            Err(cause) => Err(unusable(&lock_path, cause.into())),
        }
    }

    /// The path of a thing in the folder.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// A folder within, made with mode 0700 if there is none.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn subfolder(&self, name: &str) -> Result<PathBuf, FolderError> {
        let path = self.file(name);
        let made = DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(&path);
        made.map_err(|cause| FolderError::Unusable { path: path.clone(), cause })?;
        Ok(path)
    }

    /// The folder itself.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a file that only its owner may read: first beside it, then in its place, durable.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn write_private(&self, name: &str, bytes: &[u8]) -> Result<PathBuf, FolderError> {
        write_private(&self.file(name), bytes)
    }

    /// Reads a file of the folder, if it exists.
    ///
    /// # Errors
    /// When it exists and cannot be read.
    pub fn read(&self, name: &str) -> Result<Option<Vec<u8>>, FolderError> {
        let path = self.file(name);
        match std::fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(cause) => Err(FolderError::Unusable { path, cause }),
        }
    }
}

/// Writes a file of mode 0600 that is whole or absent, and durable when this returns.
///
/// # Errors
/// When the file system refuses.
pub fn write_private(path: &Path, bytes: &[u8]) -> Result<PathBuf, FolderError> {
    let unusable = |cause| FolderError::Unusable { path: path.into(), cause };
    let beside = path.with_extension("new");
    let write = || {
        let _ = std::fs::remove_file(&beside);
        let mut file =
            OpenOptions::new().create_new(true).write(true).mode(FILE_MODE).open(&beside)?;
        file.set_permissions(Permissions::from_mode(FILE_MODE))?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&beside, path)?;
        path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
    };
    write().map_err(unusable)?;
    Ok(path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder under the build's own temporary folder, gone when the test ends.
    struct Scratch(PathBuf);
    impl Scratch {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("lionrock-{name}-{}", std::process::id()));
            let _ = std::fs::remove_dir_all(&path);
            Self(path)
        }
    }
    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_second_server_is_refused_until_the_first_is_gone() {
        let scratch = Scratch::new("second");
        let first = DataFolder::take(&scratch.0).unwrap();
        assert!(matches!(DataFolder::take(&scratch.0), Err(FolderError::Taken { .. })));
        drop(first);
        assert!(DataFolder::take(&scratch.0).is_ok());
    }

    #[test]
    fn a_folder_open_to_others_is_refused() {
        let scratch = Scratch::new("open");
        std::fs::create_dir(&scratch.0).unwrap();
        std::fs::set_permissions(&scratch.0, Permissions::from_mode(0o750)).unwrap();
        let refused = DataFolder::take(&scratch.0);
        assert!(matches!(refused, Err(FolderError::Open { mode: 0o750, .. })));
    }

    #[test]
    fn private_files_are_private_and_replaced_whole() {
        let scratch = Scratch::new("private");
        let folder = DataFolder::take(&scratch.0).unwrap();
        folder.write_private("link", b"one").unwrap();
        let path = folder.write_private("link", b"two").unwrap();
        assert_eq!(folder.read("link").unwrap().as_deref(), Some(&b"two"[..]));
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(folder.read("none").unwrap(), None);
    }
}
