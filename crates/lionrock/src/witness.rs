//! `lionrock witness`: remembers the newest checkpoint of each log that it knows, and cosigns only
//! what continues it. It shares nothing with a server but this program.
//!
//! Its data folder holds `root` (its key, sealed), `seen` (what it remembers) and `verifier-key`.

use crate::cli::local::Witness as Args;
use crate::clock::SystemClock;
use crate::exit::Exit;
use crate::folder::{DataFolder, FolderError};
use crate::installation::{StartError, read_key_file};
use crate::screen;
use crate::verify::{VerifyError, key};
use audit::witness::{Witness, WitnessError};
use audit::witness_server;
use kernel::Clock;
use std::future::Future;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use strongroom::{FileRoot, RootFile, RootFileError, Seal, SealError, Strongroom};
use tokio::net::TcpListener;
use wire::note::{KeyName, VerifierKey};

const ROOT: &str = "root";
const SEEN: &str = "seen";
const VERIFIER_KEY: &str = "verifier-key";

/// Why the witness does not start.
#[derive(Debug, thiserror::Error)]
pub enum WitnessStartError {
    /// A key of a log is not one.
    #[error(transparent)]
    Key(#[from] VerifyError),
    /// The name cannot be the name of a key.
    #[error("`{0}` cannot be the name of a key: no spaces, no plus sign")]
    Name(String),
    /// The data folder cannot be used.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The file that opens the seal cannot be used.
    #[error(transparent)]
    KeyFile(#[from] StartError),
    /// The root does not open.
    #[error("the root of the witness does not open")]
    Seal(#[from] SealError),
    /// The root file cannot be read.
    #[error(transparent)]
    RootFile(#[from] RootFileError),
    /// Its memory cannot be read.
    #[error(transparent)]
    Memory(#[from] WitnessError),
    /// The folder belongs to a witness of another name or key.
    #[error(
        "`{path}` is of the witness `{known}`: under another name it would be another witness, \
         which has seen nothing",
        path = path.display()
    )]
    Another {
        /// The file with the key.
        path: PathBuf,
        /// The key in it.
        known: String,
    },
    /// The address is taken, or we may not have it.
    #[error("`{address}` cannot be listened on")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// Signals cannot be waited for.
    #[error("signals cannot be waited for")]
    Signals(#[source] std::io::Error),
}

impl WitnessStartError {
    const fn exit(&self) -> Exit {
        match self {
            Self::Key(_) | Self::Name(_) => Exit::Usage,
            Self::Folder(FolderError::Taken { .. }) | Self::Another { .. } => Exit::Conflict,
            _ => Exit::Failed,
        }
    }
}

/// A witness that listens: also for tests, which stop it themselves.
#[derive(Debug)]
pub struct Running {
    /// The address, with the port that the system chose.
    pub address: SocketAddr,
    /// The key by which its cosignatures are verified.
    pub key: VerifierKey,
    /// Whether this was the first start in its folder.
    pub first: bool,
    witness: Arc<Witness>,
    listener: TcpListener,
    // Held until the witness ends.
    folder: DataFolder,
}

impl Running {
    /// Takes the folder, opens or makes the root and its memory, and listens.
    ///
    /// # Errors
    /// When a key or the name is none, the folder is taken or of another witness, the root or the
    /// memory does not open, or the address is not to be had.
    pub async fn start(args: &Args, clock: Arc<dyn Clock>) -> Result<Self, WitnessStartError> {
        let logs: Result<Vec<_>, _> = args.origin_key.iter().map(|given| key(given)).collect();
        let logs = logs?;
        let name: Result<KeyName, _> = args.name.parse();
        let name = name.map_err(|_| WitnessStartError::Name(args.name.clone()))?;
        let folder = DataFolder::take(&args.data)?;
        let room = open_root(&folder, &args.seal_key_file, Arc::clone(&clock))?;
        let witness = Witness::open(name, room.log_signer(), logs, folder.file(SEEN), clock)?;
        let key = witness.key().clone();
        let first = note_key(&folder, &key)?;
        let unavailable = |cause| WitnessStartError::Listen { address: args.listen, cause };
        let listener = TcpListener::bind(args.listen).await.map_err(unavailable)?;
        let address = listener.local_addr().map_err(unavailable)?;
        Ok(Self { address, key, first, witness: Arc::new(witness), listener, folder })
    }

    /// Serves until `stop` ends.
    pub async fn serve(self, stop: impl Future<Output = ()>) {
        witness_server::serve(self.listener, self.witness, stop).await;
        drop(self.folder);
    }
}

/// Opens the root, or makes it on the first start.
fn open_root(
    folder: &DataFolder,
    key_file: &Path,
    clock: Arc<dyn Clock>,
) -> Result<Strongroom, WitnessStartError> {
    let hardening = strongroom::harden_process();
    if !hardening.is_complete() {
        screen::aside(&format!("the process could not be hardened in full ({hardening})"));
    }
    let seal = Seal::KeyFile(read_key_file(key_file)?);
    let root: Arc<dyn RootFile> = Arc::new(FileRoot::at(folder.file(ROOT)));
    let is_new = root.read()?.is_none();
    let open = if is_new { Strongroom::create } else { Strongroom::unseal };
    Ok(open(root, &seal, clock)?)
}

/// Notes the key on the first start, and compares it on every other. Gives whether it was the
/// first.
fn note_key(folder: &DataFolder, key: &VerifierKey) -> Result<bool, WitnessStartError> {
    let line = format!("{key}\n");
    match folder.read(VERIFIER_KEY)? {
        None => {
            folder.write_private(VERIFIER_KEY, line.as_bytes())?;
            Ok(true)
        }
        Some(known) if known == line.as_bytes() => Ok(false),
        Some(known) => Err(WitnessStartError::Another {
            path: folder.file(VERIFIER_KEY),
            known: String::from_utf8_lossy(&known).trim_end().to_owned(),
        }),
    }
}

/// Witnesses until Ctrl-C or SIGTERM.
pub async fn run(args: &Args) -> Exit {
    match witness(args).await {
        Ok(()) => Exit::Done,
        Err(error) => {
            screen::failure(&error);
            error.exit()
        }
    }
}

async fn witness(args: &Args) -> Result<(), WitnessStartError> {
    let running = Running::start(args, Arc::new(SystemClock)).await?;
    if running.first {
        screen::line(&running.key.to_string());
    }
    screen::aside(&format!("witnessing on http://{}/add-checkpoint", running.address));
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = tokio::spawn(running.serve(async {
        let _ = stopped.await;
    }));
    crate::serve::until_told().await.map_err(WitnessStartError::Signals)?;
    let _ = stop.send(());
    // A panic of the server has been printed already.
    let _ = serving.await;
    screen::aside("ended");
    Ok(())
}
