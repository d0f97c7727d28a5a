//! Opening a store: first what is there is checked, then an appender is given to it and it starts.

use crate::engine::Core;
use crate::epochs::EpochTable;
use crate::limits::RESERVE_BYTES;
use crate::sealing::Sealing;
use crate::sqlite::apply::entry;
use crate::sqlite::committer::Committer;
use crate::sqlite::folder::{FolderLock, Reserve, sync_folder};
use crate::sqlite::names::{NameChange, Names};
use crate::sqlite::readers::Readers;
use crate::sqlite::{examine, file, rows};
use crate::state::{CollectionId, EPOCHS, State};
use crate::{Appender, Damage, LogHead, LogRow, StateDigest, Store, StoreError};
use kernel::{Clock, DomainId, LogPosition, Timestamp};
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::channel;
use strongroom::RecordKeys;

/// How a store is opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Bytes held free on the disk for what must go on when it is full.
    pub reserve_bytes: u64,
    /// Most pages of 4096 bytes that the database may have; what is essential may use 16 MiB more.
    /// `None`: as many as the disk has.
    pub pages_max: Option<u32>,
    /// Pages of 4096 bytes in the write-ahead log after which they are moved into the database:
    /// more make commits steadier and a start after a crash slower.
    pub checkpoint_pages: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self { reserve_bytes: RESERVE_BYTES, pages_max: None, checkpoint_pages: 4_096 }
    }
}

/// A store that has been checked and does not run yet: where `audit` takes up the log.
pub struct Opened {
    folder: PathBuf,
    lock: FolderLock,
    reserve: Reserve,
    options: Options,
    connection: Connection,
    sealing: Sealing,
    clock: Arc<dyn Clock>,
    state: State,
    epochs: EpochTable,
    names: Names,
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opened").field("revision", &self.state.revision).finish_non_exhaustive()
    }
}

impl Opened {
    pub(crate) fn open(
        folder: &Path,
        keys: RecordKeys,
        clock: Arc<dyn Clock>,
        options: Options,
    ) -> Result<Self, StoreError> {
        let lock = FolderLock::take(folder)?;
        let sealing = Sealing(keys);
        let (connection, new) = file::open_writer(folder, &options)?;
        if new || rows::is_untouched(&connection)? {
            rows::put_state(&connection, &sealing, &State::fresh())?;
            sync_folder(folder)?;
        }
        let state = rows::get_state(&connection, &sealing)?;
        let names = check(folder, &connection, &sealing, &state)?;
        let epochs = epochs(&connection, &sealing, &state)?;
        let reserve = Reserve::take(folder, options.reserve_bytes)?;
        let folder = folder.to_owned();
        Ok(Self {
            folder,
            lock,
            reserve,
            options,
            connection,
            sealing,
            clock,
            state,
            epochs,
            names,
        })
    }

    /// The revision of the last commit.
    #[must_use]
    pub const fn revision(&self) -> u64 {
        self.state.revision
    }

    /// How far the log has come, with what the appender gave last.
    #[must_use]
    pub const fn log_head(&self) -> &LogHead {
        &self.state.log
    }

    /// The digest of the records as they are now: what the log's head must have bound.
    #[must_use]
    pub fn state_digest(&self) -> StateDigest {
        self.state.digest(&self.sealing)
    }

    /// Rows of the log from the one that holds `from` on, at most `max_rows`.
    ///
    /// # Errors
    /// A row that does not open, or is missing.
    pub fn read_log(&self, from: LogPosition, max_rows: usize) -> Result<Vec<LogRow>, StoreError> {
        read_log(&self.connection, &self.sealing, from, max_rows)
    }

    /// Starts the committer; from here on the store is shared.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(self, appender: Box<dyn Appender>) -> Result<Store, StoreError> {
        let Self { connection, reserve, options, clock, epochs, .. } = self;
        let state = Arc::new(self.state);
        let readers = Readers::new(self.folder);
        let core = Arc::new(Core::new(
            self.sealing,
            clock,
            readers,
            self.names,
            Arc::clone(&state),
            epochs.clone(),
            self.lock,
        ));
        let committer = Committer {
            core: Arc::clone(&core),
            connection,
            appender,
            tight: !reserve.is_held() && options.reserve_bytes > 0,
            reserve,
            pages_max: options.pages_max,
            state,
            epochs,
            failed: false,
            next_purge: Timestamp::EPOCH,
        };
        let (sender, queue) = channel();
        let thread = std::thread::Builder::new()
            .name(String::from("committer"))
            .spawn(move || committer.run(&queue))
            .map_err(|cause| StoreError::disk("starting the committer", cause))?;
        Ok(Store::new(core, sender, thread))
    }
}

/// Compares what is there with the digests and takes up the names above the floors. Damage is named
/// as closely as a deep examination can.
fn check(
    folder: &Path,
    connection: &Connection,
    sealing: &Sealing,
    state: &State,
) -> Result<Names, StoreError> {
    let second = file::open_reader(folder)?;
    let mut newer: Vec<(CollectionId, Arc<str>, Vec<u8>)> = Vec::new();
    let damages = examine::check_at_start(connection, second, sealing, state, |known, key| {
        newer.push((known.id, Arc::clone(&known.name), key.to_vec()));
    })?;
    if let Some(first) = damages.into_iter().next() {
        return Err(StoreError::Damaged(closest(connection, sealing).unwrap_or(first)));
    }
    let names = Names::default();
    let mut listings = names.write();
    listings.revision = state.revision;
    for (id, name, key) in newer {
        let Some(row) = rows::get(connection, id, &key)? else { continue };
        let opened = rows::open(sealing, &name, &key, &row)?;
        let (header, _) = opened.split(&name, &key)?;
        let new = entry(&header, &key);
        let listing = listings.by_collection.entry(id).or_default();
        Arc::make_mut(&mut listing.overlay).change(NameChange::Put { old: None, new });
    }
    drop(listings);
    Ok(names)
}

/// A damaged record if one is found, else whatever is.
fn closest(connection: &Connection, sealing: &Sealing) -> Option<Damage> {
    let found = examine::examine(connection, sealing).ok()?;
    let record = found.iter().find(|damage| matches!(damage, Damage::Record { .. })).cloned();
    record.or_else(|| found.into_iter().next())
}

fn epochs(
    connection: &Connection,
    sealing: &Sealing,
    state: &State,
) -> Result<EpochTable, StoreError> {
    let mut table = EpochTable::default();
    let Some(known) = state.collection(EPOCHS) else { return Ok(table) };
    rows::scan(connection, known.id, &[], false, |key, row| {
        let opened = rows::open(sealing, EPOCHS, key, &row)?;
        let (_, value) = opened.split(EPOCHS, key)?;
        let damaged = || StoreError::Damaged(crate::codec::damaged_record(EPOCHS, key));
        let count = u64::from_be_bytes(value.try_into().map_err(|_| damaged())?);
        if key.is_empty() {
            table.all = count;
        } else {
            let domain = DomainId::from_bytes(key.try_into().map_err(|_| damaged())?);
            table.own.insert(domain, count);
        }
        Ok(true)
    })?;
    Ok(table)
}

/// Most bytes of log rows that one read returns.
const LOG_READ_BYTES_MAX: usize = 16 * 1024 * 1024;

pub(crate) fn read_log(
    connection: &Connection,
    sealing: &Sealing,
    from: LogPosition,
    max_rows: usize,
) -> Result<Vec<LogRow>, StoreError> {
    let (mut found, mut bytes) = (Vec::new(), 0);
    if max_rows == 0 {
        return Ok(found);
    }
    rows::scan_log(connection, sealing, from, |row, _| {
        if row.first.0.saturating_add(u64::from(row.count)) > from.0 {
            bytes += row.body.len();
            found.push(row);
        }
        found.len() < max_rows && bytes < LOG_READ_BYTES_MAX
    })?;
    Ok(found)
}
