//! `lionrock verify`: what is proven about a pack or a stopped installation, without any server.
//!
//! [`pack`] is for whoever received a pack: nothing in it is believed that was not checked, and the
//! signer is proven only by a key that came another way. [`installation`] is for whoever holds the
//! data folder and its seal: every record, every row of the log and the anchor.

pub mod installation;
pub mod pack;

use crate::cli::local::Verify;
use crate::exit::Exit;
use crate::folder::FolderError;
use crate::installation::StartError;
use crate::screen;
use audit::verify::{Fault, Which, read};
use std::io::Read;
use std::path::{Path, PathBuf};
use store::StoreError;
use strongroom::SealError;
use wire::note::VerifierKey;

/// Longest key file and longest older checkpoint that are read, in bytes.
const SMALL_FILE_BYTES_MAX: u64 = 1024 * 1024;

/// Why nothing could be verified: this says nothing about what was to be verified.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// A file cannot be read.
    #[error("`{path}` cannot be read", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// A file is larger than what is expected there.
    #[error("`{path}` is larger than {limit} bytes", path = path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Most bytes that are read.
        limit: u64,
    },
    /// What should be a key is neither a key nor a file with one.
    #[error("`{0}` is neither a key (`name+hash+base64`) nor a file that holds one")]
    Key(String),
    /// There is no installation.
    #[error("`{path}` holds no installation: there is no `root` in it", path = path.display())]
    NoInstallation {
        /// The folder.
        path: PathBuf,
    },
    /// The folder is in use or cannot be used.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The key file or the passphrase cannot be had.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The root cannot be opened for a reason of the machine.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The store cannot be read for a reason of the machine.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The root opens with a key file, and none is named.
    #[error("the root opens with its key file: name it with --seal-key-file")]
    WantsKeyFile,
    /// The older checkpoint is not one, or not of this log.
    #[error(transparent)]
    Older(#[from] Fault),
}

impl VerifyError {
    fn exit(&self) -> Exit {
        match self {
            Self::Key(_) | Self::WantsKeyFile => Exit::Usage,
            Self::NoInstallation { .. } => Exit::NotFound,
            Self::File { cause, .. } if cause.kind() == std::io::ErrorKind::NotFound => {
                Exit::NotFound
            }
            Self::Folder(FolderError::Taken { .. }) | Self::Store(StoreError::InUse { .. }) => {
                Exit::Conflict
            }
            _ => Exit::Failed,
        }
    }
}

/// Verifies what the command line names, and says what it found.
pub fn run(json: bool, args: &Verify) -> Exit {
    let done = match (&args.pack, &args.store) {
        (Some(path), _) => pack::run(json, path, args),
        (None, Some(folder)) => installation::run(json, folder, args),
        // The command line asks for one of them.
        (None, None) => return Exit::Usage,
    };
    done.unwrap_or_else(|error| {
        screen::failure(&error);
        error.exit()
    })
}

/// A key given as text or as the name of a file that holds it.
///
/// # Errors
/// When it is neither.
pub(crate) fn key(given: &str) -> Result<VerifierKey, VerifyError> {
    if let Ok(key) = comply::pack::read_key(given) {
        return Ok(key);
    }
    let no_key = || VerifyError::Key(given.to_owned());
    let bytes = small_file(Path::new(given)).map_err(|_| no_key())?;
    let text = std::str::from_utf8(&bytes).map_err(|_| no_key())?;
    comply::pack::read_key(text).map_err(|_| no_key())
}

fn small_file(path: &Path) -> Result<Vec<u8>, VerifyError> {
    file(path, SMALL_FILE_BYTES_MAX)
}

fn file(path: &Path, limit: u64) -> Result<Vec<u8>, VerifyError> {
    let unreadable = |cause| VerifyError::File { path: path.into(), cause };
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > limit {
        return Err(VerifyError::TooLarge { path: path.into(), limit });
    }
    Ok(bytes)
}

/// The size and root of an older checkpoint, its signature verified when the key is known.
fn older(
    path: &Path,
    origin: Option<&VerifierKey>,
) -> Result<wire::checkpoint::Checkpoint, VerifyError> {
    let (_, checkpoint) = read(&small_file(path)?, Which::Older, origin)?;
    Ok(checkpoint)
}
