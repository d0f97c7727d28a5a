//! What the appender, the handle and the anchor's thread share, and how stored rows are read.

use crate::anchor::{AnchorFile, Anchored, THROTTLE_MICROS};
use crate::appender::Writer;
use crate::hash::{Hash, NoteVerifier};
use crate::head::{Head, Incarnation};
use crate::log::LogError;
use crate::open::OpenError;
use crate::personal::PersonalReader;
use crate::proof::TileSource;
use crate::record::{MalformedRecord, Record};
use crate::tile::{HEIGHT, Tile, WIDTH};
use crate::tree::Tip;
use kernel::{Clock, Event, LogPosition, MonotonicMicros, Rng};
use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread::JoinHandle;
use store::{LogHead, LogRow, StateDigest, StoreError};
use strongroom::LogSigner;
use tokio::sync::watch;
use wire::note::{SignatureType, VerifierKey};

/// Full tiles by level and index.
pub(crate) type FullTiles = HashMap<(u8, u64), Arc<[Hash]>>;
/// Full tiles that are kept in memory: 128 of 8 KiB. A proof reads one of each level; the pages of
/// our memory are locked, so what lies here is never given back.
const TILES_CACHED_MAX: usize = 128;

/// Where the log's rows lie; the store.
pub trait Rows {
    /// The row that contains the event at `from` and those after it, at most `max_rows`.
    ///
    /// # Errors
    /// When the store cannot read.
    fn rows(&self, from: LogPosition, max_rows: usize) -> Result<Vec<LogRow>, StoreError>;

    /// How far the stored log has come.
    fn head(&self) -> LogHead;

    /// The digest of the records as they are.
    fn state(&self) -> StateDigest;

    /// The newer form of a wrapped personal-data key, by its name in
    /// [`crate::shred::RewrappedKeys`].
    ///
    /// # Errors
    /// When the store cannot read.
    fn rewrapped(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let _ = name;
        Ok(None)
    }
}

impl Rows for store::Opened {
    fn rows(&self, from: LogPosition, max_rows: usize) -> Result<Vec<LogRow>, StoreError> {
        self.read_log(from, max_rows)
    }

    fn head(&self) -> LogHead {
        self.log_head().clone()
    }

    fn state(&self) -> StateDigest {
        self.state_digest()
    }
}

impl Rows for store::Store {
    fn rows(&self, from: LogPosition, max_rows: usize) -> Result<Vec<LogRow>, StoreError> {
        self.read_log(from, max_rows)
    }

    fn head(&self) -> LogHead {
        self.log_head()
    }

    fn state(&self) -> StateDigest {
        self.state_digest()
    }

    fn rewrapped(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let record = self.get::<crate::shred::RewrappedKeys>(&name.to_owned())?;
        Ok(record.map(|record| record.value.bytes()))
    }
}

/// A life of the store that begins when its first event is durable.
#[derive(Debug)]
pub(crate) struct NewLife {
    pub(crate) incarnation: Incarnation,
    /// The event that says why; see [`crate::Log::rollback_event`].
    pub(crate) event: Event,
}

pub(crate) struct Published {
    pub(crate) tip: Tip,
    pub(crate) head: Head,
}

pub(crate) struct Shared {
    pub(crate) origin: String,
    pub(crate) signer: LogSigner,
    pub(crate) rng: Arc<dyn Rng>,
    pub(crate) clock: Arc<dyn Clock>,
    /// The rollback that was accepted and not yet recorded; until then nothing is signed or
    /// anchored.
    pub(crate) rollback: Mutex<Option<NewLife>>,
    pub(crate) published: RwLock<Published>,
    pub(crate) size: watch::Sender<u64>,
    pub(crate) tiles: Mutex<FullTiles>,
    pub(crate) anchor: Mutex<Anchoring>,
    pub(crate) personal: PersonalReader,
    /// Whether the appender must let go of the personal-data keys that it holds open.
    pub(crate) let_go: AtomicBool,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Shared({})", self.origin)
    }
}

/// The anchor is written by a thread of its own, so that it delays no commit.
pub(crate) struct Anchoring {
    pub(crate) file: Arc<Mutex<AnchorFile>>,
    pub(crate) to_thread: Option<SyncSender<Anchored>>,
    pub(crate) thread: Option<JoinHandle<()>>,
    pub(crate) offered: MonotonicMicros,
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub(crate) fn published<T>(&self, read: impl FnOnce(&Published) -> T) -> T {
        read(&self.published.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Makes what the writer has durable knowledge.
    pub(crate) fn publish(&self, writer: &Writer, full: &[Tile]) {
        let mut published = self.published.write().unwrap_or_else(PoisonError::into_inner);
        published.tip.clone_from(&writer.tip);
        published.head = writer.head;
        drop(published);
        for tile in full {
            self.keep(tile.level, tile.index, tile.hashes.as_slice().into());
        }
        self.size.send_replace(writer.head.size);
        self.offer_anchor(&writer.head);
    }

    /// Sends a head to the anchor's thread, at most every [`THROTTLE_MICROS`].
    pub(crate) fn offer_anchor(&self, head: &Head) {
        if lock(&self.rollback).is_some() {
            return;
        }
        let now = self.clock.monotonic();
        let mut anchoring = lock(&self.anchor);
        if now.0.saturating_sub(anchoring.offered.0) >= THROTTLE_MICROS {
            anchoring.offered = now;
            if let Some(to_thread) = &anchoring.to_thread {
                // A full channel means that the disk is slow: the next one brings a newer head.
                let _ = to_thread.try_send(Anchored::of(&self.origin, head));
            }
        }
    }

    /// Puts the writer back to what is durable.
    pub(crate) fn take_back(&self, writer: &mut Writer) {
        self.published(|published| {
            writer.tip.clone_from(&published.tip);
            writer.head = published.head;
        });
        writer.personal.abandoned();
        writer.staged = None;
    }

    pub(crate) fn key(&self, incarnation: Incarnation) -> Result<VerifierKey, OpenError> {
        let origin = incarnation.origin(&self.origin);
        match origin.parse() {
            Ok(name) => {
                let public = self.signer.public_key();
                Ok(VerifierKey::new(name, SignatureType::Ed25519, public, &NoteVerifier))
            }
            Err(cause) => Err(OpenError::Origin { origin, cause }),
        }
    }

    /// Makes the appender take new personal-data keys from the next commit on.
    pub(crate) fn let_go_of_keys(&self) {
        self.let_go.store(true, Ordering::SeqCst);
    }

    fn keep(&self, level: u8, index: u64, hashes: Arc<[Hash]>) {
        let mut tiles = lock(&self.tiles);
        if tiles.len() >= TILES_CACHED_MAX {
            tiles.clear();
        }
        tiles.insert((level, index), hashes);
    }
}

/// Reads the stored log; borrowed by the log's handle and, before that, by its opening.
pub(crate) struct Reader<'a> {
    pub(crate) shared: &'a Shared,
    pub(crate) rows: &'a dyn Rows,
}

impl Reader<'_> {
    pub(crate) fn size(&self) -> u64 {
        self.shared.published(|published| published.head.size)
    }

    /// The row that contains a position.
    pub(crate) fn row(&self, position: u64) -> Result<LogRow, LogError> {
        let rows = self.rows.rows(LogPosition(position), 1)?;
        let size = self.size();
        let missing = LogError::NoSuchPosition { asked: position, size };
        rows.into_iter().next().ok_or(missing)
    }
}

pub(crate) fn read(body: &[u8], position: u64) -> Result<Record<'_>, LogError> {
    let fault = |cause| LogError::Record { position, cause };
    let record = Record::read(body).map_err(fault)?;
    let end = record.first.saturating_add(record.events.len() as u64);
    if (record.first..end).contains(&position) { Ok(record) } else { Err(fault(MalformedRecord)) }
}

impl TileSource for Reader<'_> {
    type Error = LogError;

    fn tile(&self, level: u8, index: u64) -> Result<Arc<[Hash]>, LogError> {
        if let Some(tile) = lock(&self.shared.tiles).get(&(level, index)) {
            return Ok(Arc::clone(tile));
        }
        let bits = u32::from(level + 1) * u32::from(HEIGHT);
        let missing = LogError::Hashes { level, index };
        let partial = self.shared.published(|published| {
            let width = published.tip.size().checked_shr(bits).unwrap_or(0);
            (index >= width).then(|| Arc::<[Hash]>::from(published.tip.partial(level)))
        });
        if let Some(partial) = partial {
            return Ok(partial);
        }
        let end = (index + 1).checked_shl(bits).ok_or(missing)?;
        let row = self.row(end.saturating_sub(1))?;
        let mut found = None;
        for tile in read(&row.body, end.saturating_sub(1))?.tiles {
            if tile.hashes.len() == WIDTH {
                let hashes: Arc<[Hash]> = tile.hashes.into();
                if (tile.level, tile.index) == (level, index) {
                    found = Some(Arc::clone(&hashes));
                }
                self.shared.keep(tile.level, tile.index, hashes);
            }
        }
        found.ok_or(LogError::Hashes { level, index })
    }
}
