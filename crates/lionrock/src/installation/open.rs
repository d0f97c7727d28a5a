//! Opening the rooms behind the seal, in their order, and closing them in the reverse one.

use super::{Acceptance, Installation, OutletError, outlets, schedules};
use crate::evidence::{self, Witnesses};
use crate::folder::{FolderError, write_private};
use access::{Access, AccessError};
use audit::anchor::AnchorFile;
use audit::{Log, LogOptions, Rollback};
use comply::{Compliance, ComplyError, Reports};
use discover::work::WorkerOptions;
use discover::{Discover, DiscoverError, Ground, OpenSources, Sandboxed};
use inventory::{Inventory, InventoryError};
use kernel::{Clock, Event, Gate, Problem, Recorder, Rng};
use keys::{Keys, KeysError};
use rest::{Comply, Rooms, SealState};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use store::{Batch, Store, StoreError};
use strongroom::{Argon2Cost, Journal, JournalError, RootError, Strongroom};

/// Most events of the boot journal that go into the log in one commit.
const JOURNAL_EVENTS_AT_ONCE: usize = 500;
/// Most workers at once: each may take a gigabyte for the worst of objects.
const WORKERS_MAX: usize = 8;
/// The file with the first administrator's link.
const LINK_FILE: &str = "first-administrator.link";

/// Why the rooms do not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The store.
    #[error("the store does not open")]
    Store(#[from] StoreError),
    /// The log.
    #[error("the log does not open")]
    Log(#[from] audit::OpenError),
    /// There is no anchor, and nobody said which root the newest log had.
    #[error("the anchor is lost: name the root of the newest checkpoint that was kept")]
    UnknownRoot,
    /// The boot journal cannot be taken over.
    #[error("the boot journal cannot be taken over")]
    Journal(#[from] JournalError),
    /// The root does not take the journal's head.
    #[error("the root cannot be written")]
    Root(#[from] RootError),
    /// Keys.
    #[error("keys do not open")]
    Keys(#[from] KeysError),
    /// The inventory.
    #[error("the inventory does not open")]
    Inventory(#[from] InventoryError),
    /// Discovery.
    #[error("discovery does not open")]
    Discover(#[from] DiscoverError),
    /// Compliance.
    #[error("compliance does not open")]
    Comply(#[from] ComplyError),
    /// Where checkpoints and events go.
    #[error(transparent)]
    Outlet(#[from] OutletError),
    /// The folder of reports.
    #[error("the folder of reports cannot be used")]
    Reports(#[source] std::io::Error),
    /// Access.
    #[error("access does not open")]
    Access(#[from] AccessError),
    /// A file or folder cannot be made.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The thread that opened them is gone.
    #[error("the opening did not end")]
    Interrupted,
}

impl From<OpenError> for Problem {
    fn from(cause: OpenError) -> Self {
        match cause {
            OpenError::Store(cause) => cause.into(),
            OpenError::Log(cause) => cause.into(),
            OpenError::Journal(cause) => cause.into(),
            OpenError::Root(cause) => cause.into(),
            OpenError::Keys(cause) => cause.into(),
            OpenError::Access(cause) => cause.into(),
            cause => {
                let kind = kernel::ProblemKind::Unavailable;
                Self::new(kind, "not-opened", cause.to_string())
            }
        }
    }
}

/// The open rooms.
pub struct Opened {
    /// The strongroom.
    pub room: Strongroom,
    /// What the REST door works with.
    pub rooms: Arc<Rooms>,
    /// What the console works with.
    pub pages: Arc<console::Rooms>,
    /// What opens the seal again after it was closed while running.
    pub(super) needs: SealState,
    schedules: tokio::sync::Mutex<Option<schedules::Schedules>>,
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Opened")
    }
}

impl Opened {
    /// Does now what the schedule does each minute, for whoever cannot wait that long.
    pub async fn do_what_is_due(&self) {
        schedules::every_minute(&self.rooms, &self.room).await;
    }

    /// Opens store, log and slices; takes the boot journal over; makes the first administrator's
    /// link where nobody has an account.
    pub(super) async fn open(
        installation: &Installation,
        room: Strongroom,
        journal: &mut Journal,
    ) -> Result<Self, OpenError> {
        let (store, log) = store_and_log(installation, &room).await?;
        let acceptance = installation.acceptance.as_ref();
        take_over(journal, &room, &store, &log, acceptance).await?;
        let (clock, rng) = (&installation.clock, &installation.rng);
        let found = Arc::new(std::sync::OnceLock::new());
        let slices = Slices {
            store: store.clone(),
            room: room.clone(),
            log: log.clone(),
            clock: Arc::clone(clock),
            rng: Arc::clone(rng),
            anchor: anchor_file(installation),
            seal: match installation.needs() {
                SealState::SealedNeedsKeyFile => "key-file",
                _ => "passphrase",
            },
            reports: installation.folder.subfolder("reports")?,
            every_hours: installation.config.checks.every_hours,
            discover: Arc::clone(&found),
        };
        let opening = tokio::task::spawn_blocking(move || slices.open());
        let (access, keys, inventory, comply) =
            opening.await.map_err(|_| OpenError::Interrupted)??;
        let finished = keys.recover().await?;
        if finished > 0 {
            tracing::info!(finished, "destructions that a stop had interrupted were finished");
        }
        let discover = Discover::open(Ground {
            store: store.clone(),
            access: access.clone(),
            keys: keys.clone(),
            inventory: inventory.clone(),
            opener: Arc::new(OpenSources),
            inspector: Arc::new(Sandboxed::new(worker_options(&installation.config))),
            clock: Arc::clone(clock),
            rng: Arc::clone(rng),
        })
        .await?;
        // From here on the checks can read what was found.
        found.get_or_init(|| discover.clone());
        let resumed = discover.resume().await?;
        if resumed > 0 {
            tracing::info!(resumed, "scans that a stop had interrupted go on");
        }
        let recorder: Arc<dyn Recorder> = Arc::new(store.clone());
        // The one gate of this process.
        let gate = Arc::new(Gate::new(
            Arc::new(access.clone()),
            Arc::new(store.clone()),
            recorder,
            Arc::clone(clock),
        ));
        let clock = Arc::clone(clock);
        let pages = Arc::new(console::Rooms {
            gate: Arc::clone(&gate),
            access: access.clone(),
            keys: keys.clone(),
            inventory: inventory.clone(),
            discover: discover.clone(),
            comply: comply.compliance.clone(),
            reports: comply.reports.clone(),
            log: log.clone(),
            store: store.clone(),
            clock: Arc::clone(&clock),
        });
        let sample = installation.config.sample;
        let rooms = Arc::new(Rooms {
            gate,
            access,
            keys,
            inventory,
            discover,
            comply,
            log,
            store,
            clock,
            sample,
        });
        invite_first(installation, &rooms).await?;
        let outlets = outlets::Outlets::of(&installation.config, &rooms)?;
        let schedules = schedules::Schedules::begin(Arc::clone(&rooms), room.clone(), outlets);
        let schedules = tokio::sync::Mutex::new(Some(schedules));
        Ok(Self { room, rooms, pages, needs: installation.needs(), schedules })
    }

    /// Ends schedules, writes what was counted, closes store and log.
    pub(super) async fn close(&self) {
        if let Some(schedules) = self.schedules.lock().await.take() {
            schedules.end().await;
        }
        let rooms = &self.rooms;
        // Scans stop at their last page and go on at the next start.
        rooms.discover.close().await;
        rooms.access.tell_refusals(true);
        if let Err(cause) = rooms.keys.flush_usage().await {
            tracing::warn!(%cause, "usage counters could not be written");
        }
        if let Err(cause) = rooms.store.flush().await {
            tracing::error!(%cause, "the last events could not be written");
        }
        let (store, log) = (rooms.store.clone(), rooms.log.clone());
        let closed = tokio::task::spawn_blocking(move || {
            store.close();
            log.close()
        });
        match closed.await {
            Ok(Ok(())) => {}
            Ok(Err(cause)) => tracing::error!(%cause, "the anchor could not be written"),
            Err(_) => tracing::error!("closing did not end"),
        }
    }
}

fn worker_options(config: &crate::config::Config) -> WorkerOptions {
    let options = WorkerOptions::this_program(workers());
    match &config.worker {
        Some(program) => WorkerOptions { program: program.clone(), ..options },
        None => options,
    }
}

/// Workers at once: as many as there are processors, and no more than memory is planned for.
fn workers() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(WORKERS_MAX)
}

/// What the slices are opened with.
struct Slices {
    store: Store,
    room: Strongroom,
    log: Log,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
    anchor: PathBuf,
    seal: &'static str,
    reports: PathBuf,
    every_hours: u32,
    discover: Arc<std::sync::OnceLock<Discover>>,
}

impl Slices {
    /// Opens each slice after those it stands on.
    fn open(self) -> Result<(Access, Keys, Inventory, Comply), OpenError> {
        let Self { store, room, log, clock, rng, anchor, seal, reports, every_hours, discover } =
            self;
        let (c, r) = (|| Arc::clone(&clock), || Arc::clone(&rng));
        let cost = Argon2Cost::STANDARD;
        let access = Access::open(store.clone(), room.clone(), c(), r(), cost)?;
        let (for_keys, for_log) = (access.clone(), log.clone());
        let keys = Keys::open(store.clone(), room, for_log, for_keys, c(), r())?;
        let inventory = Inventory::open(store.clone(), c(), r())?;
        let witnesses = Witnesses {
            keys: keys.clone(),
            access: access.clone(),
            log: log.clone(),
            discover,
            inventory: inventory.clone(),
            store: store.clone(),
            anchor,
            seal,
        };
        let sources = evidence::sources(witnesses);
        let compliance = Compliance::open(store.clone(), c(), r(), inventory.clone(), sources)?;
        compliance.runs_every(every_hours);
        let made = Reports::open(compliance.clone(), store, log, reports, c(), r());
        let reports = made.map_err(OpenError::Reports)?;
        Ok((access, keys, inventory, Comply { compliance, reports }))
    }
}

/// The file outside the database that holds the newest head.
fn anchor_file(installation: &Installation) -> PathBuf {
    let configured = installation.config.checkpoints.anchor.clone();
    configured.unwrap_or_else(|| installation.folder.file("anchor"))
}

async fn store_and_log(
    installation: &Installation,
    room: &Strongroom,
) -> Result<(Store, Log), OpenError> {
    let folder = installation.folder.subfolder("store")?;
    let anchor = anchor_file(installation);
    let rollback = match &installation.acceptance {
        Some(acceptance) => Some(accepted(acceptance, &anchor)?),
        None => None,
    };
    let options = LogOptions {
        origin: installation.config.origin.clone(),
        anchor,
        strongroom: room.clone(),
        clock: Arc::clone(&installation.clock),
        rng: Arc::clone(&installation.rng),
        rollback,
    };
    let (records, clock) = (room.records(), Arc::clone(&installation.clock));
    tokio::task::spawn_blocking(move || {
        let opened = Store::open(&folder, records, clock, store::Options::default())?;
        Ok(audit::start(opened, options)?)
    })
    .await
    .map_err(|_| OpenError::Interrupted)?
}

/// The rollback that was accepted, with the root that the anchor knows.
fn accepted(acceptance: &Acceptance, anchor: &Path) -> Result<Rollback, OpenError> {
    let anchored = AnchorFile::at(anchor.to_owned()).read().map_err(audit::OpenError::from)?;
    let known_root = anchored.map(|a| a.root).or(acceptance.known_root);
    let known_root = known_root.ok_or(OpenError::UnknownRoot)?;
    Ok(Rollback { known_size: acceptance.known_size, known_root })
}

/// The events before the log could be reached become its next events.
async fn take_over(
    journal: &mut Journal,
    room: &Strongroom,
    store: &Store,
    log: &Log,
    acceptance: Option<&Acceptance>,
) -> Result<(), OpenError> {
    if let Some(event) = log.rollback_event() {
        let event = match acceptance {
            Some(acceptance) => acceptance.stated_in(event),
            None => event,
        };
        store.commit(Batch::new().event(event)).await?;
    }
    let taken = room.journal_head();
    let events: Vec<Event> = journal.events_after(taken)?.into_iter().cloned().collect();
    if events.is_empty() {
        return Ok(());
    }
    for some in events.chunks(JOURNAL_EVENTS_AT_ONCE) {
        let batch = some.iter().cloned().fold(Batch::new(), Batch::event);
        store.commit(batch).await?;
    }
    let head = journal.head();
    room.note_journal_head(head)?;
    journal.drain(head)?;
    Ok(())
}

/// Writes the first administrator's link into a file, while nobody has an account.
async fn invite_first(installation: &Installation, rooms: &Rooms) -> Result<(), OpenError> {
    let path = installation.folder.file(LINK_FILE);
    let (name, shown) = ("administrator".parse(), "First administrator".parse());
    let (Ok(name), Ok(shown)) = (name, shown) else { return Ok(()) };
    let invitation = match rooms.access.first_administrator(name, shown).await {
        Ok(invitation) => invitation,
        Err(AccessError::NotFirst) => {
            // What is used up need not lie about.
            let _ = std::fs::remove_file(&path);
            return Ok(());
        }
        Err(cause) => return Err(cause.into()),
    };
    let link = installation.link_of(&invitation);
    write_private(&path, link.as_bytes())?;
    tracing::info!(file = %path.display(), "the first administrator's link is in a file");
    Ok(())
}
