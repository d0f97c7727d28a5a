//! Opening the log: the stored head and its tail, against the records and against the anchor.

use crate::anchor::{AnchorError, AnchorFile, Anchored, compare};
use crate::appender::{LogAppender, ROLLBACK_ACTION, Writer};
use crate::hash::Hash;
use crate::head::{Head, Incarnation, StoredHead};
use crate::log::{Log, LogError};
use crate::personal::{PersonalReader, PersonalWriter};
use crate::proof::{TileSource, root_at};
use crate::record::RecordedEvent;
use crate::shared::{Anchoring, NewLife, Published, Reader, Rows, Shared, lock, read};
use crate::tile::{HEIGHT, WIDTH};
use crate::tree::Tip;
use kernel::{Clock, Event, LogPosition, MonotonicMicros, Problem, ProblemKind, Rng};
use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use store::{LogHead, Store, StoreError};
use strongroom::Strongroom;
use tokio::sync::watch;
use wire::note::{NoteError, VerifierKey};

/// Why the log cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The origin cannot be the name of a key.
    #[error("`{origin}` cannot be the origin of a log: no spaces, no plus sign")]
    Origin {
        /// The origin.
        origin: String,
        /// Why.
        #[source]
        cause: NoteError,
    },
    /// The anchor stands against it.
    #[error(transparent)]
    Anchor(#[from] AnchorError),
    /// The rollback that is to be accepted is not the one that the anchor shows.
    #[error("the rollback names size {named}, and the anchor has size {anchor} or another root")]
    OtherRollback {
        /// The size named.
        named: u64,
        /// The size in the anchor.
        anchor: u64,
    },
    /// There is nothing to accept.
    #[error("the database is not behind its anchor: there is no rollback to accept")]
    NoRollback,
    /// The stored log does not fit together.
    #[error("the stored log is damaged near position {}", .0.0)]
    Damaged(LogPosition),
    /// The stored log cannot be read.
    #[error("the stored log cannot be read")]
    Read(#[from] LogError),
    /// The records are not those that the log's head has bound.
    #[error("the records of the store are not those that the log of {size} events has bound")]
    OtherState {
        /// Size of the log.
        size: u64,
    },
    /// The store does not start.
    #[error("the store does not start")]
    Start(#[source] StoreError),
    /// The thread of the anchor cannot be started.
    #[error("the anchor's thread cannot be started")]
    Thread(#[source] std::io::Error),
}

impl From<OpenError> for Problem {
    fn from(cause: OpenError) -> Self {
        match cause {
            OpenError::Anchor(cause) => cause.into(),
            OpenError::Read(cause) => cause.into(),
            OpenError::Start(cause) => cause.into(),
            _ => Self::new(ProblemKind::Unavailable, "log-not-opened", cause.to_string()),
        }
    }
}

/// A rollback that approvers have accepted by name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rollback {
    /// Size of the last checkpoint that is known.
    pub known_size: u64,
    /// Its root.
    pub known_root: Hash,
}

/// What the log is opened with.
pub struct LogOptions {
    /// The log's name, such as `lionrock.<installation>/log/0`.
    pub origin: String,
    /// The anchor's file, outside the database.
    pub anchor: PathBuf,
    /// Signs checkpoints and seals personal parts.
    pub strongroom: Strongroom,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Salts.
    pub rng: Arc<dyn Rng>,
    /// A rollback to accept, when the last start was refused.
    pub rollback: Option<Rollback>,
}

impl fmt::Debug for LogOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LogOptions({})", self.origin)
    }
}

/// Takes up the log of a store that has been opened, and starts both.
///
/// # Errors
/// When the anchor stands against it, the stored log is damaged, or the store does not start.
pub fn start(opened: store::Opened, options: LogOptions) -> Result<(Store, Log), OpenError> {
    let (appender, ready) = Opening::new(options).open(&opened)?;
    let store = opened.start(Box::new(appender)).map_err(OpenError::Start)?;
    let log = ready.serve(Arc::new(store.clone()));
    Ok((store, log))
}

/// A log that is about to be opened.
#[derive(Debug)]
pub struct Opening {
    shared: Shared,
    room: Strongroom,
    rollback: Option<Rollback>,
}

/// A log that is open and does not serve readers yet.
#[derive(Debug)]
pub struct Ready {
    shared: Arc<Shared>,
    key: VerifierKey,
}

impl Ready {
    /// The handle, which reads rows from where the appender's rows go.
    #[must_use]
    pub fn serve(self, rows: Arc<dyn Rows + Send + Sync>) -> Log {
        Log::new(self.shared, rows, self.key)
    }
}

impl Opening {
    /// Nothing is touched yet.
    #[must_use]
    pub fn new(options: LogOptions) -> Self {
        let LogOptions { origin, anchor, strongroom: room, clock, rng, rollback } = options;
        let head = Head::empty();
        let anchor = Anchoring {
            file: Arc::new(Mutex::new(AnchorFile::at(anchor))),
            to_thread: None,
            thread: None,
            offered: MonotonicMicros(0),
        };
        let shared = Shared {
            origin,
            signer: room.log_signer(),
            rng,
            clock,
            rollback: Mutex::new(None),
            published: RwLock::new(Published { tip: Tip::new(), head }),
            size: watch::Sender::new(0),
            tiles: Mutex::new(HashMap::new()),
            anchor: Mutex::new(anchor),
            personal: PersonalReader::new(room.clone()),
            let_go: AtomicBool::new(false),
        };
        Self { shared, room, rollback }
    }

    /// Reads the stored head and at most the last 255 events, checks them against the records and
    /// the anchor, and gives the appender for the store.
    ///
    /// # Errors
    /// When the anchor stands against it or the stored log is damaged; nothing is changed then.
    pub fn open(self, rows: &dyn Rows) -> Result<(LogAppender, Ready), OpenError> {
        let Self { shared, room, rollback } = self;
        // An origin that cannot be one is found before anything is read.
        shared.key(Incarnation(u32::MAX))?;
        let reader = Reader { shared: &shared, rows };
        let (tip, head) = reader.resume(&rows.head())?;
        if head.revision > 0 && head.state.0 != rows.state().0 {
            return Err(OpenError::OtherState { size: head.size });
        }
        shared.place(&tip, head);
        let new_life = reader.check_anchor(rollback, &head)?;
        let life = new_life.as_ref().map_or(head.incarnation, |life| life.incarnation);
        let key = shared.key(life)?;
        if new_life.is_none() {
            shared.start_anchor(&head)?;
        }
        *lock(&shared.rollback) = new_life;
        let writer = Writer { tip, head, personal: PersonalWriter::new(room), staged: None };
        let shared = Arc::new(shared);
        Ok((LogAppender::new(Arc::clone(&shared), writer), Ready { shared, key }))
    }
}

impl Shared {
    fn place(&self, tip: &Tip, head: Head) {
        let mut published = self.published.write().unwrap_or_else(PoisonError::into_inner);
        published.tip.clone_from(tip);
        published.head = head;
        self.size.send_replace(head.size);
    }

    /// Writes the anchor and starts the thread that keeps it.
    pub(crate) fn start_anchor(&self, head: &Head) -> Result<(), OpenError> {
        let mut anchoring = lock(&self.anchor);
        let anchored = Anchored::of(&self.origin, head);
        let clock = Arc::clone(&self.clock);
        lock(&anchoring.file).write(&anchored)?;
        anchoring.offered = clock.monotonic();
        let (to_thread, from_commits) = sync_channel::<Anchored>(1);
        let file = Arc::clone(&anchoring.file);
        let work = move || {
            for anchored in from_commits {
                // What fails here is tried again with the next head; `close` reports it.
                let _ = lock(&file).write(&anchored);
            }
        };
        let thread = std::thread::Builder::new().name("anchor".into()).spawn(work);
        anchoring.thread = Some(thread.map_err(OpenError::Thread)?);
        anchoring.to_thread = Some(to_thread);
        Ok(())
    }
}

impl Reader<'_> {
    /// Compares the database with the anchor; gives the life that an accepted rollback begins.
    fn check_anchor(
        &self,
        rollback: Option<Rollback>,
        head: &Head,
    ) -> Result<Option<NewLife>, OpenError> {
        let anchoring = lock(&self.shared.anchor);
        let file = lock(&anchoring.file);
        let anchored = file.read()?;
        let refused = match &anchored {
            None if head.size == 0 && head.revision == 0 => None,
            None => {
                Some(AnchorError::Missing { database: head.size, path: file.path().to_owned() })
            }
            Some(anchored) => {
                let root_at = |size| root_at(self, size).map_err(LogError::from);
                compare(anchored, &self.shared.origin, head, root_at)?.err()
            }
        };
        let Some(rollback) = rollback else {
            return refused.map_or(Ok(None), |refused| Err(refused.into()));
        };
        match refused {
            None => return Err(OpenError::NoRollback),
            Some(other @ AnchorError::OtherLog { .. }) => return Err(other.into()),
            Some(_) => {}
        }
        if let Some(Anchored { size: anchor, root, .. }) = &anchored
            && (*anchor, *root) != (rollback.known_size, rollback.known_root)
        {
            let (named, anchor) = (rollback.known_size, *anchor);
            return Err(OpenError::OtherRollback { named, anchor });
        }
        let life = anchored.as_ref().map_or(head.incarnation, |a| a.incarnation);
        let known_origin = life.origin(&self.shared.origin);
        let incarnation = Incarnation(life.max(head.incarnation).0.saturating_add(1));
        let Rollback { known_size, known_root } = rollback;
        let event = Event::system(ROLLBACK_ACTION, self.shared.clock.wall())
            .with("last_known_origin", known_origin)
            .with("last_known_size", known_size.to_string())
            .with("last_known_root", known_root.to_string())
            .with("resumed_at_size", head.size.to_string())
            .with("events_missing", known_size.saturating_sub(head.size).to_string());
        Ok(Some(NewLife { incarnation, event }))
    }

    /// The growing edge and the head from what is stored.
    fn resume(&self, stored: &LogHead) -> Result<(Tip, Head), OpenError> {
        if stored.head.is_empty() && stored.size == 0 {
            return Ok(self.shared.published(|published| (published.tip.clone(), published.head)));
        }
        let size = stored.size;
        let damaged = || OpenError::Damaged(LogPosition(size));
        let head = StoredHead::read(&stored.head).ok_or_else(damaged)?;
        if head.size != size {
            return Err(damaged());
        }
        let full = size - size % WIDTH as u64;
        let mut partial = vec![self.leaves(full, size)?];
        if let Some(last) = full.checked_sub(1) {
            let body = self.row(last)?.body;
            let record = read(&body, last)?;
            let levels = record.tiles.iter().map(|tile| tile.level).max().unwrap_or(0);
            for level in 1..=levels.saturating_add(1) {
                let (index, width) = place_of_tip(level, size);
                let tile = record.tiles.iter().find(|t| (t.level, t.index) == (level, index));
                let hashes = tile.map(|tile| tile.hashes.clone()).unwrap_or_default();
                if hashes.len() != width {
                    return Err(damaged());
                }
                partial.push(hashes);
            }
        }
        let whole = head.head();
        let tip = Tip::resume(size, head.frontier, partial).ok_or_else(damaged)?;
        // The frontier and the tiles were stored apart and must be one tree.
        match root_at(&OnlyTip(&tip), size) {
            Ok(root) if root == whole.root => Ok((tip, whole)),
            _ => Err(damaged()),
        }
    }

    /// The leaf hashes of a range that is at most one tile wide.
    fn leaves(&self, start: u64, end: u64) -> Result<Vec<Hash>, LogError> {
        let mut leaves = Vec::new();
        let mut at = start;
        while at < end {
            let rows = self.rows.rows(LogPosition(at), WIDTH)?;
            let before = at;
            for row in &rows {
                let record = read(&row.body, at)?;
                let wanted = |e: &&RecordedEvent<'_>| (at..end).contains(&e.position);
                leaves.extend(record.events.iter().filter(wanted).map(|event| event.leaf()));
                at = record.first + record.events.len() as u64;
            }
            if at <= before {
                return Err(LogError::NoSuchPosition { asked: at, size: before });
            }
        }
        Ok(leaves)
    }
}

/// Index and width of the partial tile of a level in a tree of `size` entries.
fn place_of_tip(level: u8, size: u64) -> (u64, usize) {
    let shift = |bits: u32| size.checked_shr(bits).unwrap_or(0);
    let bits = u32::from(level) * u32::from(HEIGHT);
    let width = usize::try_from(shift(bits) % WIDTH as u64).unwrap_or(0);
    (shift(bits + u32::from(HEIGHT)), width)
}

/// The hashes of the growing edge alone: enough for the root of the whole.
struct OnlyTip<'a>(&'a Tip);

impl TileSource for OnlyTip<'_> {
    type Error = LogError;
    fn tile(&self, level: u8, _: u64) -> Result<Arc<[Hash]>, LogError> {
        Ok(self.0.partial(level).into())
    }
}
