//! Folders, keys, an appender and collections to test with.

use kernel::{Clock, DomainId, Event, HeldClock, LogPosition, Timestamp};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use store::{
    AppendError, Appender, Collection, IndexTerm, LogHead, LogRows, Opened, Options, StateDigest,
    Store, StoreError,
};
use strongroom::{MemoryRoot, RecordKeys, Seal, Strongroom};

/// A folder that goes away with the test; in memory where there is such a place.
#[derive(Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let memory = Path::new("/dev/shm");
        let base = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let number = NEXT.fetch_add(1, Ordering::SeqCst);
        let path = base.join(format!("store-test-{}-{number}", std::process::id()));
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

pub(crate) fn clock() -> Arc<HeldClock> {
    Arc::new(HeldClock::at(Timestamp::from_unix_millis(1_790_000_000_000)))
}

/// Keys of a strongroom of its own, shared by all tests.
pub(crate) fn keys() -> RecordKeys {
    static KEYS: Mutex<Option<RecordKeys>> = Mutex::new(None);
    let mut keys = KEYS.lock().unwrap();
    keys.get_or_insert_with(other_keys).clone()
}

/// Keys of another installation.
pub(crate) fn other_keys() -> RecordKeys {
    let seal = Seal::KeyFile(kernel::Secret::new(vec![7; 64]));
    let clock: Arc<dyn Clock> = clock();
    Strongroom::create(Arc::new(MemoryRoot::default()), &seal, clock).unwrap().records()
}

/// What a test sees of its appender, and tells it.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) refuse: AtomicBool,
    /// A file whose space the appender's own disk lacks for as long as it is not given up.
    pub(crate) wants_space_of: Mutex<Option<PathBuf>>,
    pub(crate) committed: AtomicU64,
    pub(crate) abandoned: AtomicU64,
    pub(crate) last_digest: Mutex<Option<StateDigest>>,
}

/// Writes events as JSON lines; its head is the number of events and the state's digest.
pub(crate) struct Lines {
    size: u64,
    open: Option<u64>,
    told: Arc<Told>,
}

impl Lines {
    pub(crate) fn after(head: &LogHead) -> (Box<Self>, Arc<Told>) {
        let told = Arc::new(Told::default());
        (Box::new(Self { size: head.size, open: None, told: Arc::clone(&told) }), told)
    }
}

#[derive(Debug, thiserror::Error)]
#[error("told to refuse")]
struct ToldToRefuse;

impl Appender for Lines {
    fn append(
        &mut self,
        events: Vec<Event>,
        _: Timestamp,
        state: &StateDigest,
    ) -> Result<LogRows, AppendError> {
        assert_eq!(self.open, None, "each append is settled before the next");
        self.open = Some(self.size);
        if self.told.refuse.load(Ordering::SeqCst) {
            return Err(AppendError::new(ToldToRefuse));
        }
        if let Some(file) = &*self.told.wants_space_of.lock().unwrap()
            && std::fs::metadata(file).unwrap().len() > 0
        {
            return Err(AppendError::at_disk(ToldToRefuse, std::io::ErrorKind::StorageFull));
        }
        let first = LogPosition(self.size);
        self.size += events.len() as u64;
        let lines: Vec<String> =
            events.iter().map(|event| serde_json::to_string(event).unwrap()).collect();
        let mut head = self.size.to_be_bytes().to_vec();
        head.extend_from_slice(&state.0);
        *self.told.last_digest.lock().unwrap() = Some(*state);
        let count = u32::try_from(events.len()).unwrap();
        Ok(LogRows { first, count, body: lines.join("\n").into_bytes(), head })
    }
    fn committed(&mut self) {
        self.open.take().expect("something was appended");
        self.told.committed.fetch_add(1, Ordering::SeqCst);
    }
    fn abandoned(&mut self) {
        self.size = self.open.take().expect("something was appended");
        self.told.abandoned.fetch_add(1, Ordering::SeqCst);
    }
}

/// Small reserves, so that tests do not fill the machine's memory.
pub(crate) fn options() -> Options {
    Options { reserve_bytes: 64 * 1024, ..Options::default() }
}

pub(crate) fn opened(folder: &Folder) -> Result<Opened, StoreError> {
    Store::open(folder.path(), keys(), clock(), options())
}

pub(crate) fn start(opened: Opened) -> (Store, Arc<Told>) {
    let (lines, told) = Lines::after(opened.log_head());
    (opened.start(lines).unwrap(), told)
}

pub(crate) fn open(folder: &Folder) -> Store {
    start(opened(folder).unwrap()).0
}

/// A thing with a name that is unique in its domain, and a colour to find it by.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Thing {
    pub(crate) domain: DomainId,
    pub(crate) name: String,
    pub(crate) colour: String,
}

pub(crate) enum Things {}

impl Collection for Things {
    const NAME: &'static str = "things";
    type Key = u64;
    type Value = Thing;
    fn domain(thing: &Thing) -> DomainId {
        thing.domain
    }
    fn indexes(thing: &Thing) -> Vec<IndexTerm> {
        vec![named(thing.domain, &thing.name), coloured(&thing.colour)]
    }
    fn sort_name(thing: &Thing) -> Option<Cow<'_, str>> {
        Some(Cow::Borrowed(&thing.name))
    }
}

pub(crate) fn named(domain: DomainId, name: &str) -> IndexTerm {
    IndexTerm::new("name", name).within(domain).unique()
}

pub(crate) fn coloured(colour: &str) -> IndexTerm {
    IndexTerm::new("colour", colour)
}

/// A collection without indexes.
pub(crate) enum Notes {}

impl Collection for Notes {
    const NAME: &'static str = "notes";
    type Key = (u64, u32);
    type Value = String;
}

pub(crate) fn domain(number: u8) -> DomainId {
    DomainId::from_bytes([number; 16])
}

pub(crate) fn thing(name: &str, colour: &str) -> Thing {
    Thing { domain: domain(1), name: name.to_owned(), colour: colour.to_owned() }
}

pub(crate) fn event(correlation: &str) -> Event {
    let mut event = Event::system("test.happened", Timestamp::EPOCH);
    event.correlation = correlation.to_owned();
    event
}

/// The events of the log, in order.
pub(crate) fn log(store: &Store) -> Vec<Event> {
    let mut found = Vec::new();
    loop {
        let rows = store.read_log(LogPosition(found.len() as u64), 100).unwrap();
        if rows.is_empty() {
            return found;
        }
        for row in rows {
            let lines = String::from_utf8(row.body).unwrap();
            found.extend(lines.lines().map(|line| serde_json::from_str::<Event>(line).unwrap()));
        }
    }
}

/// The correlations of all events in the log, in order.
pub(crate) fn logged(store: &Store) -> Vec<String> {
    log(store).into_iter().map(|event| event.correlation).collect()
}
