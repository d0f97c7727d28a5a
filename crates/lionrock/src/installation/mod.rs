//! One installation: its data folder, its seal, and the rooms behind it.
//!
//! **Start:** the folder is taken, the process hardened, the root opened with the key file or made
//! anew; then the store is compared with its digests, the log with its anchor, the boot journal
//! goes into the log, and the slices open. Until that is done the doors serve health and the
//! ceremony.
//!
//! **Order of closing:** doors, schedules, refusals of the last minute, usage counters, store, log
//! with its anchor, and last the folder's lock.

mod checking;
mod identity;
mod open;
mod outlets;
mod schedules;

pub use identity::{AUTHORITY_FILE, IdentityError};
pub use open::{OpenError, Opened};
pub use outlets::OutletError;

use crate::config::Config;
use crate::folder::{DataFolder, FolderError};
use kernel::{Clock, Event, Problem, ProblemKind, Rng, Secret};
use rest::{Ceremonial, Ceremony, Rooms, SealState};
use rustls_pki_types::CertificateDer;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use strongroom::{
    FileRoot, Journal, JournalError, RootFile, RootFileError, Seal, SealDescriptor, SealError,
    Strongroom, SystemRng,
};

/// Why an installation does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data folder cannot be used.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The root does not open.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The root file cannot be read.
    #[error(transparent)]
    RootFile(#[from] RootFileError),
    /// The boot journal is broken or cannot be written.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The file with the seal's key cannot be read.
    #[error("the key file `{path}` cannot be read")]
    KeyFile {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// The file with the seal's key is open to others.
    #[error("the key file `{path}` is open to others: `chmod 600` it")]
    KeyFileOpen {
        /// The file.
        path: PathBuf,
    },
    /// Nobody can be asked for a passphrase.
    #[error("there is no terminal to ask for a passphrase: name a key file")]
    NoTerminal(#[source] std::io::Error),
    /// Two passphrases differ.
    #[error("the two passphrases differ")]
    Differ,
    /// The certificates of the listener cannot be made or read.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The rooms do not open.
    #[error(transparent)]
    Open(#[from] OpenError),
}

/// Where the installation stands.
#[derive(Debug)]
enum Stage {
    Sealed(SealState),
    Opening,
    Open(Arc<Opened>),
}

/// One installation. Holds the data folder for as long as it lives.
pub struct Installation {
    config: Config,
    folder: DataFolder,
    root: Arc<dyn RootFile>,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
    stage: Mutex<Stage>,
    journal: tokio::sync::Mutex<Journal>,
    acceptance: Option<Acceptance>,
}

/// A rollback that people have accepted by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acceptance {
    /// The size of the newest log that is known.
    pub known_size: u64,
    /// Its root, when no anchor knows it.
    pub known_root: Option<audit::Hash>,
    /// Who accepted it.
    pub accepted_by: Vec<kernel::Name>,
    /// Why.
    pub reason: String,
}

impl Acceptance {
    /// The log's event of the rollback, with the reason and who accepted it.
    pub(crate) fn stated_in(&self, event: Event) -> Event {
        let event = event.with("reason", self.reason.as_str());
        let words = ["accepted-by", "also-accepted-by"].into_iter().zip(&self.accepted_by);
        words.fold(event, |event, (word, name)| event.with(word, name.as_str()))
    }
}

impl fmt::Debug for Installation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Installation({})", self.folder.path().display())
    }
}

impl Installation {
    /// Takes the data folder and begins the boot journal of this start. No key is there yet.
    ///
    /// # Errors
    /// When the folder, the journal or the root file cannot be used.
    pub fn prepare(config: Config, clock: Arc<dyn Clock>) -> Result<Arc<Self>, StartError> {
        Self::prepare_accepting(config, clock, None)
    }

    /// [`Self::prepare`], with a rollback that was accepted.
    ///
    /// # Errors
    /// As [`Self::prepare`].
    pub fn prepare_accepting(
        config: Config,
        clock: Arc<dyn Clock>,
        acceptance: Option<Acceptance>,
    ) -> Result<Arc<Self>, StartError> {
        let folder = DataFolder::take(&config.data)?;
        let hardening = strongroom::harden_process();
        if !hardening.is_complete() {
            tracing::warn!(%hardening, "the process could not be hardened in full");
        }
        let mut journal = Journal::open(folder.file("boot.journal"))?;
        let started = Event::system("system.started", clock.wall())
            .with("version", env!("CARGO_PKG_VERSION"))
            .with("hardening", hardening.to_string());
        journal.append(&started)?;
        let root: Arc<dyn RootFile> = Arc::new(FileRoot::at(folder.file("root")));
        let rng: Arc<dyn Rng> = Arc::new(SystemRng);
        let stage = Mutex::new(Stage::Sealed(SealState::SealedNeedsPassphrase));
        let journal = tokio::sync::Mutex::new(journal);
        Ok(Arc::new(Self { config, folder, root, clock, rng, stage, journal, acceptance }))
    }

    /// The root as far as it opens without a person: made anew on the first start, opened with a
    /// key file, or `None` when a passphrase must be brought.
    ///
    /// # Errors
    /// When a key file does not open the root, or a new root cannot be made.
    pub fn unattended(&self) -> Result<Option<Strongroom>, StartError> {
        let key_file = self.config.seal.key_file.as_deref().map(read_key_file).transpose()?;
        let clock = Arc::clone(&self.clock);
        if self.root.read()?.is_none() {
            self.set(Stage::Opening);
            let seal = match key_file {
                Some(bytes) => Seal::KeyFile(bytes),
                None => new_passphrase()?,
            };
            return Ok(Some(Strongroom::create(Arc::clone(&self.root), &seal, clock)?));
        }
        let needs = match Strongroom::describe(&*self.root)?.seal {
            SealDescriptor::Passphrase { .. } => SealState::SealedNeedsPassphrase,
            SealDescriptor::KeyFile { .. } => SealState::SealedNeedsKeyFile,
        };
        self.set(Stage::Sealed(needs));
        match (needs, key_file) {
            (SealState::SealedNeedsKeyFile, Some(bytes)) => {
                // Nobody need come, and whoever asks from now on is told to wait.
                self.set(Stage::Opening);
                let seal = Seal::KeyFile(bytes);
                Ok(Some(Strongroom::unseal(Arc::clone(&self.root), &seal, clock)?))
            }
            (SealState::SealedNeedsKeyFile, None) => {
                tracing::warn!("sealed: the root wants its key file, and none is configured");
                Ok(None)
            }
            _ => Ok(None),
        }
    }

    /// Authorities of client certificates beside our own.
    ///
    /// # Errors
    /// When the file that the configuration names holds none.
    pub fn client_authorities(&self) -> Result<Vec<CertificateDer<'static>>, OpenError> {
        match &self.config.client_authorities {
            Some(path) => Ok(outlets::certificates(path)?),
            None => Ok(Vec::new()),
        }
    }

    /// The path of a file in the data folder.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.file(name)
    }

    /// The address at which a one-time link is used up.
    #[must_use]
    pub fn link_of(&self, invitation: &access::Invitation) -> String {
        let host = self.config.names.first().map_or("localhost", String::as_str);
        let port = self.config.listen.port();
        format!("https://{host}:{port}/set-up?link={}\n", invitation.link.expose())
    }

    /// Writes an event into the boot journal: what happens by hand before the log can be reached.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub async fn note(&self, event: &Event) -> Result<(), StartError> {
        Ok(self.journal.lock().await.append(event)?)
    }

    /// The root opened with a passphrase that was brought to this process itself.
    ///
    /// # Errors
    /// When it does not open; the attempt is in the boot journal.
    pub async fn unsealed_by_hand(&self, seal: &Seal) -> Result<Strongroom, StartError> {
        let opened = Strongroom::unseal(Arc::clone(&self.root), seal, Arc::clone(&self.clock));
        if opened.is_err() {
            let refused = Event::system("system.unseal-refused", self.clock.wall());
            self.note(&refused.with("code", "by-hand")).await?;
        }
        Ok(opened?)
    }

    /// What is open, if anything is.
    #[must_use]
    pub fn opened(&self) -> Option<Arc<Opened>> {
        match &*self.stage() {
            Stage::Open(opened) => Some(Arc::clone(opened)),
            _ => None,
        }
    }

    /// The configuration.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// Opens the rooms behind an open root.
    ///
    /// # Errors
    /// When store, log or a slice does not open; the installation is sealed again.
    pub async fn open(&self, room: Strongroom) -> Result<Arc<Opened>, OpenError> {
        self.set(Stage::Opening);
        let mut journal = self.journal.lock().await;
        match Opened::open(self, room, &mut journal).await {
            Ok(opened) => {
                let opened = Arc::new(opened);
                self.set(Stage::Open(Arc::clone(&opened)));
                Ok(opened)
            }
            Err(cause) => {
                self.set(Stage::Sealed(self.needs()));
                Err(cause)
            }
        }
    }

    /// Closes the rooms: everything that was acknowledged is durable, and the anchor stands at the
    /// newest head.
    pub async fn close(&self) {
        let stage = std::mem::replace(&mut *self.stage(), Stage::Sealed(self.needs()));
        if let Stage::Open(opened) = stage {
            opened.close().await;
        }
    }

    fn needs(&self) -> SealState {
        match Strongroom::describe(&*self.root).map(|root| root.seal) {
            Ok(SealDescriptor::KeyFile { .. }) => SealState::SealedNeedsKeyFile,
            _ => SealState::SealedNeedsPassphrase,
        }
    }

    fn stage(&self) -> MutexGuard<'_, Stage> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, stage: Stage) {
        *self.stage() = stage;
    }

    /// Opens the seal of an installation that was never open, or was sealed while it ran.
    async fn unseal_with(&self, passphrase: Secret<String>) -> Result<(), Problem> {
        let seal = Seal::Passphrase(passphrase);
        if let Some(opened) = self.opened() {
            let room = opened.room.clone();
            return blocking(move || Ok(room.reopen(&seal)?)).await;
        }
        // One at a time: each guess costs the memory and the time of Argon2id.
        let busy = || Problem::new(ProblemKind::TooManyRequests, "busy", "somebody is unsealing");
        let mut journal = self.journal.try_lock().map_err(|_| busy())?;
        let (root, clock) = (Arc::clone(&self.root), Arc::clone(&self.clock));
        let room = blocking(move || Ok(Strongroom::unseal(root, &seal, clock)?)).await;
        if let Err(problem) = &room {
            let event = Event::system("system.unseal-refused", self.clock.wall())
                .with("code", problem.code.clone());
            journal.append(&event)?;
        }
        let room = room?;
        drop(journal);
        self.open(room).await.map(drop).map_err(|cause| {
            tracing::error!(error = &cause as &dyn std::error::Error, "the rooms do not open");
            cause.into()
        })
    }
}

impl Ceremony for Installation {
    fn state(&self) -> SealState {
        match &*self.stage() {
            Stage::Sealed(needs) => *needs,
            Stage::Opening => SealState::Opening,
            Stage::Open(opened) if opened.room.is_sealed() => opened.needs,
            Stage::Open(_) => SealState::Unsealed,
        }
    }

    fn rooms(&self) -> Option<Arc<Rooms>> {
        self.opened().map(|opened| Arc::clone(&opened.rooms))
    }

    fn unseal(&self, passphrase: Secret<String>) -> Ceremonial<'_, Result<(), Problem>> {
        Box::pin(self.unseal_with(passphrase))
    }

    fn seal(&self) -> Ceremonial<'_, Result<(), Problem>> {
        Box::pin(async {
            if let Some(opened) = self.opened() {
                let room = opened.room.clone();
                blocking(move || {
                    room.seal();
                    Ok(())
                })
                .await?;
            }
            Ok(())
        })
    }
}

impl console::House for Installation {
    fn rooms(&self) -> Option<Arc<console::Rooms>> {
        self.opened().map(|opened| Arc::clone(&opened.pages))
    }

    fn is_opening(&self) -> bool {
        matches!(&*self.stage(), Stage::Opening)
    }
}

/// Reads the key of the seal. Nobody but its owner may read it, be it a file or a credential of
/// systemd.
pub(crate) fn read_key_file(path: &std::path::Path) -> Result<Secret<Vec<u8>>, StartError> {
    use std::io::Read;
    use std::os::unix::fs::PermissionsExt;
    let unreadable = |cause| StartError::KeyFile { path: path.into(), cause };
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let mode = file.metadata().map_err(unreadable)?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(StartError::KeyFileOpen { path: path.into() });
    }
    let mut bytes = Vec::with_capacity(strongroom::KEY_FILE_BYTES_MAX + 1);
    file.take(strongroom::KEY_FILE_BYTES_MAX as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    Ok(Secret::new(bytes))
}

fn new_passphrase() -> Result<Seal, StartError> {
    let ask = |question| crate::screen::ask_secret(question).map_err(StartError::NoTerminal);
    let first = ask("Choose a passphrase for the seal (12 characters or more): ")?;
    let again = ask("The same again: ")?;
    if first.expose() != again.expose() {
        return Err(StartError::Differ);
    }
    Ok(Seal::Passphrase(first))
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| {
        Err(Problem::new(ProblemKind::Internal, "internal", "the work did not end"))
    })
}
