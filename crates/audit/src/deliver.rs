//! Bringing checkpoints out of the house: to a folder (a mailbox, a write-once store), to a
//! webhook, to a witness. A courier is a task of its own; no operation waits for it.

use crate::anchor::{FOR_OTHERS, replace};
use crate::cosign::{CosignError, WitnessClient};
use crate::log::{Log, LogError};
use crate::outlet::{Outlet, OutletKind, recall, remember};
use crate::post::{Address, PostError, Poster};
use http::StatusCode;
use kernel::{Clock, LogPosition, Problem, ProblemKind};
use std::fmt;
use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use store::Store;

/// Tries for one checkpoint; then a newer one is waited for.
pub const TRIES_MAX: u32 = 6;
/// Wait before the second try; it doubles with each.
pub const RETRY_SECONDS_FIRST: u64 = 1;

/// Where a courier goes.
#[derive(Clone, Debug)]
pub enum Destination {
    /// A folder: each checkpoint is a file named by its size, and is never written over.
    Folder(PathBuf),
    /// An address that takes a POST of the note and answers with 2xx.
    Webhook(Address, Poster),
    /// A witness.
    Witness(Box<WitnessClient>),
}

impl Destination {
    const fn kind(&self) -> OutletKind {
        match self {
            Self::Folder(_) => OutletKind::Folder,
            Self::Webhook(..) => OutletKind::Webhook,
            Self::Witness(_) => OutletKind::Witness,
        }
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(path) => path.display().fmt(f),
            Self::Webhook(address, _) => address.fmt(f),
            Self::Witness(client) => client.address.fmt(f),
        }
    }
}

/// Why a checkpoint was not delivered.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    /// The log or the outlet's state cannot be read or written.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The folder does not take it.
    #[error("`{path}` does not take a checkpoint", path = path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// No answer.
    #[error(transparent)]
    Post(#[from] PostError),
    /// An answer other than 2xx.
    #[error("the webhook answers with status {0}")]
    Status(StatusCode),
    /// The witness does not cosign.
    #[error(transparent)]
    Witness(#[from] CosignError),
}

impl From<DeliveryError> for Problem {
    fn from(cause: DeliveryError) -> Self {
        match cause {
            DeliveryError::Log(cause) => cause.into(),
            _ => Self::new(ProblemKind::Unavailable, "not-delivered", cause.to_string()),
        }
    }
}

/// Brings checkpoints to one destination.
pub struct Courier {
    name: String,
    destination: Destination,
    log: Log,
    store: Store,
    clock: Arc<dyn Clock>,
    every: Duration,
}

impl fmt::Debug for Courier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Courier({} to {})", self.name, self.destination)
    }
}

impl Courier {
    /// A courier of this name, which rests for `every` between two checkpoints.
    #[must_use]
    pub fn new(
        name: impl Into<String>,
        destination: Destination,
        log: Log,
        store: Store,
        clock: Arc<dyn Clock>,
        every: Duration,
    ) -> Self {
        Self { name: name.into(), destination, log, store, clock, every }
    }

    /// Delivers whenever the log has grown, until `stop` ends. What fails is tried again a few
    /// times, is noted, and does not keep the next checkpoint.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        tokio::select! {
            () = stop => {}
            () = self.forever() => {}
        }
    }

    async fn forever(&self) {
        let mut size = match self.state() {
            Ok(outlet) => outlet.next().0,
            Err(_) => 0,
        };
        // The newest checkpoint goes out at every start: a witness then says that it is still
        // there, and a log that was rolled back is not taken for one that was delivered.
        size = size.min(self.log.head().size.saturating_sub(1));
        while self.log.wait_durable(LogPosition(size)).await.is_ok() {
            for attempt in 0..TRIES_MAX {
                match self.deliver().await {
                    Ok(delivered) => {
                        size = delivered;
                        break;
                    }
                    Err(_) if attempt + 1 < TRIES_MAX => {
                        let wait = Duration::from_secs(RETRY_SECONDS_FIRST << attempt);
                        tokio::time::sleep(wait).await;
                    }
                    Err(_) => size = self.log.head().size,
                }
            }
            tokio::time::sleep(self.every).await;
        }
    }

    /// Delivers the newest checkpoint now and notes how it went; gives its size.
    ///
    /// # Errors
    /// Why it was not delivered; the outlet's state says so too.
    pub async fn deliver(&self) -> Result<u64, DeliveryError> {
        let mut outlet = self.state()?;
        let went = self.go(&mut outlet).await;
        if let Err(cause) = &went {
            outlet.failed(cause, self.clock.as_ref());
        }
        remember(&self.store, &self.name, &outlet).await?;
        went
    }

    fn state(&self) -> Result<Outlet, LogError> {
        recall(&self.store, &self.name, self.destination.kind(), &self.destination)
    }

    async fn go(&self, outlet: &mut Outlet) -> Result<u64, DeliveryError> {
        let (note, size) = self.log.signed_head()?;
        match &self.destination {
            Destination::Folder(folder) => {
                let (folder, path) = (folder.clone(), folder.join(self.file_name(size)));
                let text = note.to_string().into_bytes();
                let write = tokio::task::spawn_blocking(move || put(&path, &text)).await;
                let written = write.unwrap_or_else(|cause| Err(io::Error::other(cause)));
                written.map_err(|cause| DeliveryError::Folder { path: folder, cause })?;
                outlet.succeeded(size, self.clock.wall());
            }
            Destination::Webhook(address, poster) => {
                let text = note.to_string().into_bytes();
                let answer = poster.post(address, "text/plain; charset=utf-8", text).await?;
                if !answer.status.is_success() {
                    return Err(DeliveryError::Status(answer.status));
                }
                outlet.succeeded(size, self.clock.wall());
            }
            Destination::Witness(client) => {
                let cosigned = client.cosign(&self.log, outlet.next().0.min(size)).await?;
                outlet.cosigned(&cosigned);
                return Ok(cosigned.size);
            }
        }
        Ok(size)
    }

    fn file_name(&self, size: u64) -> String {
        match self.log.head().incarnation.0 {
            1 => format!("{size:020}.checkpoint"),
            life => format!("{size:020}-r{life}.checkpoint"),
        }
    }
}

/// Puts a whole file where there is none; what is there stays.
fn put(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if path.try_exists()? { Ok(()) } else { replace(path, bytes, FOR_OTHERS) }
}
