//! A log with a store in memory that keeps what the appender gives it and nothing else.

use audit::{Log, LogAppender, LogOptions, OpenError, Opening, Rollback, Rows};
use kernel::{Clock, Event, HeldClock, LogPosition, Secret, SeededRng, Timestamp};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use store::{AppendError, Appender, LogHead, LogRow, StateDigest, StoreError};
use strongroom::{MemoryRoot, Seal, Strongroom};

pub(crate) const ORIGIN: &str = "lionrock.sample/log/0";

/// A folder that goes when it is dropped.
pub(crate) struct Folder(PathBuf);

static NUMBER: AtomicU32 = AtomicU32::new(0);

impl Folder {
    pub(crate) fn new() -> Self {
        let number = NUMBER.fetch_add(1, Ordering::SeqCst);
        let name = format!("lionrock-audit-it-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Rows in memory; a copy of it is yesterday's database.
pub(crate) struct Shelf(Mutex<Shelved>);

pub(crate) type Shelved = (Vec<LogRow>, LogHead, StateDigest);

impl Default for Shelf {
    fn default() -> Self {
        Self(Mutex::new((Vec::new(), LogHead::default(), StateDigest([0; 32]))))
    }
}

impl Shelf {
    pub(crate) fn copy(&self) -> Arc<Self> {
        Arc::new(Self(Mutex::new(self.0.lock().unwrap().clone())))
    }

    pub(crate) fn alter<T>(&self, change: impl FnOnce(&mut Shelved) -> T) -> T {
        change(&mut self.0.lock().unwrap())
    }
}

impl Rows for Shelf {
    fn rows(&self, from: LogPosition, max_rows: usize) -> Result<Vec<LogRow>, StoreError> {
        let shelf = self.0.lock().unwrap();
        let begin = shelf.0.partition_point(|row| row.first <= from).saturating_sub(1);
        Ok(shelf.0.iter().skip(begin).take(max_rows).cloned().collect())
    }

    fn head(&self) -> LogHead {
        self.0.lock().unwrap().1.clone()
    }

    fn state(&self) -> StateDigest {
        self.0.lock().unwrap().2
    }
}

pub(crate) struct House {
    pub(crate) folder: Folder,
    pub(crate) clock: Arc<HeldClock>,
    pub(crate) room: Strongroom,
    pub(crate) shelf: Arc<Shelf>,
}

pub(crate) struct Running {
    pub(crate) log: Log,
    pub(crate) appender: LogAppender,
    pub(crate) shelf: Arc<Shelf>,
    clock: Arc<HeldClock>,
}

impl House {
    pub(crate) fn new() -> Self {
        let clock = Arc::new(HeldClock::at(Timestamp::from_unix_millis(1_790_000_000_000)));
        let seal = Seal::KeyFile(Secret::new(vec![7; 64]));
        let room = Strongroom::create(Arc::new(MemoryRoot::default()), &seal, clock.clone());
        Self { folder: Folder::new(), clock, room: room.unwrap(), shelf: Arc::default() }
    }

    pub(crate) fn anchor(&self) -> PathBuf {
        self.folder.path().join("anchor")
    }

    pub(crate) fn opening(&self, rollback: Option<Rollback>) -> Opening {
        Opening::new(LogOptions {
            origin: ORIGIN.into(),
            anchor: self.anchor(),
            strongroom: self.room.clone(),
            clock: self.clock.clone(),
            rng: Arc::new(SeededRng::new(1)),
            rollback,
        })
    }

    pub(crate) fn try_open(&self, rollback: Option<Rollback>) -> Result<Running, OpenError> {
        let (appender, ready) = self.opening(rollback).open(&*self.shelf)?;
        let log = ready.serve(self.shelf.clone());
        Ok(Running { log, appender, shelf: self.shelf.clone(), clock: self.clock.clone() })
    }

    pub(crate) fn open(&self) -> Running {
        self.try_open(None).unwrap()
    }
}

impl Running {
    pub(crate) fn stage(&mut self, events: Vec<Event>) -> Result<store::LogRows, AppendError> {
        let count = events.len();
        self.appender.append(events, self.clock.wall(), &digest(count))
    }

    pub(crate) fn commit(&mut self, events: Vec<Event>) {
        let count = events.len();
        let rows = self.stage(events).unwrap();
        assert_eq!(rows.count as usize, count);
        self.shelf.alter(|(log, head, state)| {
            *state = digest(count);
            assert_eq!(rows.first.0, head.size);
            head.size += u64::from(rows.count);
            head.head = rows.head;
            if rows.count > 0 {
                log.push(LogRow { first: rows.first, count: rows.count, body: rows.body });
            }
        });
        self.appender.committed();
    }

    /// Commits `count` events in batches of irregular size.
    pub(crate) fn grow(&mut self, count: u64) {
        let mut left = count;
        let mut batch = 1;
        while left > 0 {
            let size = left.min(batch);
            let first = self.log.head().size;
            self.commit((first..first + size).map(|n| event(&self.clock, n)).collect());
            left -= size;
            batch = batch * 7 % 311 + 1;
        }
    }
}

fn digest(count: usize) -> StateDigest {
    StateDigest([u8::try_from(count % 251).unwrap(); 32])
}

pub(crate) fn event(clock: &HeldClock, number: u64) -> Event {
    let mut event = Event::system("key.encrypt", clock.wall())
        .with("number", number.to_string())
        .with("said", "\"密碼\"\\\n\u{1}]");
    event.resource = format!("key:key_{}", number % 10);
    event.correlation = format!("c-{number}");
    if number.is_multiple_of(3) {
        event = event.with_personal("address", format!("192.0.2.{}", number % 250));
    }
    event
}
