//! A whole house in a folder: store, log, gate, keys, inventory and discovery, on a clock that
//! stands still; objects in memory that a test can change, count, hide and hold back.

use access::Access;
use audit::{Log, LogOptions, Query};
use detect::Confidence;
use discover::sources::FolderSetting;
use discover::*;
use extract::{
    ColumnFinding, Coverage, Fingerprint, Format, Ignored, Inspection, KindCount, KindName, Part,
    Sample,
};
use inventory::Inventory;
use kernel::actions::DataRead;
use kernel::*;
use keys::Keys;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use store::{Options, Store};
use strongroom::{Argon2Cost, MemoryRoot, Seal, Strongroom};

static NUMBER: AtomicU64 = AtomicU64::new(0);

/// A folder that goes with the house.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    fn new() -> Self {
        let number = NUMBER.fetch_add(1, Ordering::SeqCst);
        let name = format!("lionrock-discover-{}-{number}", std::process::id());
        let memory = Path::new("/dev/shm");
        let base = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let path = base.join(name);
        std::fs::create_dir_all(path.join("store")).unwrap();
        std::fs::create_dir_all(path.join("data")).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Allows everything, within the domains of the caller.
struct Allows;

impl Decider for Allows {
    fn decide(
        &self,
        caller: &Caller,
        _: Action,
        _: &Resource,
        _: Timestamp,
    ) -> Result<Grant, Refusal> {
        let domains = (caller.domain != DomainId::SYSTEM).then(|| vec![caller.domain]);
        Ok(Grant { policy_version: PolicyVersion(1), because: Vec::new(), domains })
    }
}

/// Objects in memory, listed in the order of their names.
pub(crate) struct Shelf {
    pub(crate) objects: Mutex<BTreeMap<String, (Vec<u8>, u64)>>,
    pub(crate) unlistable: Mutex<Vec<(String, String)>>,
    /// How often an object was opened.
    pub(crate) opened: AtomicUsize,
    /// Objects after which opening waits until the test lets go.
    pub(crate) gate: tokio::sync::Semaphore,
    pub(crate) held: AtomicBool,
    pub(crate) public: AtomicBool,
    /// The longest page that was asked for.
    pub(crate) page_max: AtomicUsize,
}

impl Shelf {
    fn new() -> Self {
        Self {
            objects: Mutex::default(),
            unlistable: Mutex::default(),
            opened: AtomicUsize::new(0),
            gate: tokio::sync::Semaphore::new(0),
            held: AtomicBool::new(false),
            public: AtomicBool::new(false),
            page_max: AtomicUsize::new(0),
        }
    }

    pub(crate) fn put(&self, name: &str, text: &str) {
        let mut objects = self.objects.lock().unwrap();
        let version = objects.get(name).map_or(1, |(_, version)| version + 1);
        objects.insert(name.to_owned(), (text.as_bytes().to_vec(), version));
    }

    pub(crate) fn take(&self, name: &str) {
        self.objects.lock().unwrap().remove(name);
    }

    fn page(&self, after: Option<&str>, max: usize) -> Listing {
        self.page_max.fetch_max(max, Ordering::SeqCst);
        let objects = self.objects.lock().unwrap();
        let exposure = Exposure {
            public: self.public.load(Ordering::SeqCst).then_some(true),
            ..Exposure::default()
        };
        let rest = objects.iter().filter(|(name, _)| after.is_none_or(|a| name.as_str() > a));
        let mut listed: Vec<Object> = rest
            .take(max + 1)
            .map(|(name, (bytes, version))| Object {
                name: name.clone(),
                bytes: Some(bytes.len() as u64),
                version: Some(version.to_string()),
                exposure: exposure.clone(),
            })
            .collect();
        let next = (listed.len() > max).then(|| listed[max - 1].name.clone());
        listed.truncate(max);
        let unreadable =
            if after.is_none() { self.unlistable.lock().unwrap().clone() } else { Vec::new() };
        Listing { objects: listed, next, unreadable }
    }
}

/// The shelf as a source.
struct OnShelf(Arc<Shelf>);

impl Source for OnShelf {
    fn list<'a>(&'a self, after: Option<&'a str>, max: usize) -> sources::Pending<'a, Listing> {
        Box::pin(async move { Ok(self.0.page(after, max)) })
    }

    fn open<'a>(&'a self, object: &'a Object) -> sources::Pending<'a, Opened> {
        Box::pin(async move {
            if self.0.held.load(Ordering::SeqCst) {
                self.0.gate.acquire().await.unwrap().forget();
            }
            self.0.opened.fetch_add(1, Ordering::SeqCst);
            let gone = || SourceError::Gone(object.name.clone());
            let bytes =
                self.0.objects.lock().unwrap().get(&object.name).ok_or_else(gone)?.0.clone();
            let number = NUMBER.fetch_add(1, Ordering::SeqCst);
            let path = std::env::temp_dir().join(format!("spool-{}-{number}", std::process::id()));
            let mut file = std::fs::File::create_new(&path).unwrap();
            file.write_all(&bytes).unwrap();
            let file = std::fs::File::open(&path).unwrap();
            std::fs::remove_file(&path).unwrap();
            Ok(Opened { content: file.into(), hint: object.name.clone(), sampled: false })
        })
    }
}

/// Opens the shelf for the path `/shelf`, and folders as the product does.
struct ShelfOrFolder(Arc<Shelf>);

impl Opener for ShelfOrFolder {
    fn open<'a>(
        &'a self,
        setting: &'a SourceSetting,
        secret: Option<Secret<String>>,
    ) -> sources::Pending<'a, Arc<dyn Source>> {
        match setting {
            SourceSetting::Folder(FolderSetting { path, .. }) if path == "/shelf" => {
                let shelf: Arc<dyn Source> = Arc::new(OnShelf(Arc::clone(&self.0)));
                Box::pin(async move { Ok(shelf) })
            }
            other => OpenSources.open(other, secret),
        }
    }
}

/// The detectors in this process, on text.
struct Here;

impl Inspector for Here {
    fn ready<'a>(&'a self, look_for: &'a LookFor) -> Readying<'a> {
        let looking: Arc<dyn Looking> = Arc::new(LooksHere(look_for.clone()));
        Box::pin(async move { Ok(looking) })
    }
    fn at_once(&self) -> usize {
        3
    }
}

struct LooksHere(LookFor);

impl Looking for LooksHere {
    fn look<'a>(&'a self, opened: Opened, progress: &'a (dyn Fn(u64) + Send + Sync)) -> Look<'a> {
        Box::pin(async move {
            let mut text = Vec::new();
            let mut file = opened.content.into_file().unwrap();
            file.rewind().unwrap();
            file.read_to_end(&mut text).unwrap();
            progress(text.len() as u64);
            inspection(&text, &self.0)
        })
    }
}

fn inspection(text: &[u8], look_for: &LookFor) -> Inspection {
    let key = look_for.fingerprint_key;
    let coverage = if text.starts_with(b"DEAD") { Coverage::None } else { Coverage::Whole };
    let found = detect::document(text);
    let mut kinds: BTreeMap<KindName, (KindCount, BTreeSet<[u8; 16]>)> = BTreeMap::new();
    for hit in found.hits.iter().filter(|hit| hit.confidence > Confidence::Possible) {
        let value = String::from_utf8_lossy(&text[hit.start..hit.end]);
        let kind = KindName(hit.kind);
        let empty =
            KindCount { kind, sure: 0, likely: 0, distinct: 0, ignored: 0, samples: Vec::new() };
        let (count, seen) = kinds.entry(kind).or_insert_with(|| (empty, BTreeSet::new()));
        let hash = audit::Hash::of(&[&key[..], value.as_bytes()].concat()).0;
        let print = *hash.first_chunk().unwrap();
        if look_for.ignored.contains(&Ignored(kind, Fingerprint(print))) {
            count.ignored += 1;
            continue;
        }
        let sure = hit.confidence == Confidence::Sure;
        count.sure += u64::from(sure);
        count.likely += u64::from(!sure);
        seen.insert(print);
        if count.samples.len() < 3 {
            count.samples.push(Sample {
                masked: detect::mask(hit.kind, &value),
                at: format!("byte {}", hit.start),
                fingerprint: Fingerprint(print),
            });
        }
        count.distinct = seen.len() as u64;
    }
    let columns = found.columns.iter().filter_map(|column| {
        Some(ColumnFinding {
            name: String::from_utf8_lossy(&column.name).into_owned(),
            kind: KindName(column.verdict.kind?),
            cells: 10,
            matching: kinds.get(&KindName(column.verdict.kind?)).map_or(0, |k| k.0.sure),
            share_at_least: 0.9,
        })
    });
    let columns: Vec<_> = columns.collect();
    let kinds: Vec<_> = kinds.into_values().map(|(count, _)| count).collect();
    let part = Part { path: Vec::new(), format: Format::Text, encoding: None, kinds, columns };
    let parts = if part.kinds.is_empty() { Vec::new() } else { vec![part] };
    Inspection {
        format: Format::Text,
        bytes: text.len() as u64,
        text_bytes: text.len() as u64,
        coverage,
        parts: if coverage == Coverage::None { Vec::new() } else { parts },
        troubles: Vec::new(),
    }
}

pub(crate) struct House {
    pub(crate) discover: Discover,
    pub(crate) inventory: Inventory,
    pub(crate) keys: Keys,
    pub(crate) access: Access,
    pub(crate) gate: Gate,
    pub(crate) store: Store,
    pub(crate) log: Log,
    pub(crate) clock: Arc<HeldClock>,
    pub(crate) shelf: Arc<Shelf>,
    room: Strongroom,
    pub(crate) folder: Folder,
}

impl House {
    pub(crate) async fn new() -> Self {
        let clock = Arc::new(HeldClock::at(Timestamp::from_unix_millis(1_790_000_000_000)));
        let seal = Seal::KeyFile(Secret::new(vec![7; 64]));
        let room =
            Strongroom::create(Arc::new(MemoryRoot::default()), &seal, clock.clone()).unwrap();
        Self::on(Folder::new(), room, clock, Arc::new(Shelf::new())).await
    }

    async fn on(
        folder: Folder,
        room: Strongroom,
        clock: Arc<HeldClock>,
        shelf: Arc<Shelf>,
    ) -> Self {
        let options = Options { reserve_bytes: 0, ..Options::default() };
        let place = folder.0.join("store");
        let opened = Store::open(&place, room.records(), clock.clone(), options).unwrap();
        let rng = || Arc::new(SeededRng::new(NUMBER.fetch_add(1, Ordering::SeqCst)));
        let options = LogOptions {
            origin: "lionrock.test/log/0".to_owned(),
            anchor: folder.0.join("anchor"),
            strongroom: room.clone(),
            clock: clock.clone(),
            rng: rng(),
            rollback: None,
        };
        let (store, log) = audit::start(opened, options).unwrap();
        let cost = Argon2Cost::LEAST;
        let access = Access::open(store.clone(), room.clone(), clock.clone(), rng(), cost).unwrap();
        let (for_log, for_access) = (log.clone(), access.clone());
        let keys =
            Keys::open(store.clone(), room.clone(), for_log, for_access, clock.clone(), rng());
        let keys = keys.unwrap();
        let inventory = Inventory::open(store.clone(), clock.clone(), rng()).unwrap();
        let recorder = Arc::new(store.clone());
        let gate = Gate::new(Arc::new(Allows), Arc::new(store.clone()), recorder, clock.clone());
        let ground = Ground {
            store: store.clone(),
            access: access.clone(),
            keys: keys.clone(),
            inventory: inventory.clone(),
            opener: Arc::new(ShelfOrFolder(Arc::clone(&shelf))),
            inspector: Arc::new(Here),
            clock: clock.clone(),
            rng: rng(),
        };
        let discover = Discover::open(ground).await.unwrap();
        Self { discover, inventory, keys, access, gate, store, log, clock, shelf, room, folder }
    }

    /// Ends the server and starts it again on what is on disk.
    pub(crate) async fn restarted(self) -> Self {
        self.discover.close().await;
        let Self {
            discover,
            inventory,
            keys,
            access,
            gate,
            store,
            log,
            clock,
            shelf,
            room,
            folder,
        } = self;
        store.close();
        log.close().unwrap();
        drop((discover, inventory, keys, access, gate, store, log));
        Self::on(folder, room, clock, shelf).await
    }

    pub(crate) fn caller(&self, domain: DomainId) -> Arc<Caller> {
        let mut caller = Caller::system("t", self.clock.wall(), self.clock.monotonic());
        caller.domain = domain;
        Arc::new(caller)
    }

    pub(crate) fn permit<A: ActionType>(&self, id: &str) -> Permit<A> {
        let domain = DomainId::SYSTEM;
        let resource = Resource::new(A::ACTION.resource_kind(), id, domain);
        self.gate.permit(&self.caller(domain), resource).unwrap()
    }

    /// Adds the shelf, or a folder of this machine.
    pub(crate) async fn source(&self, name: &str, path: &str) -> SourceId {
        let new = NewSource {
            name: name.parse().unwrap(),
            setting: SourceSetting::Folder(FolderSetting {
                path: path.to_owned(),
                other_file_systems: false,
            }),
            profile: None,
            every_minutes: None,
            bytes_per_second: None,
            owner: Some("Retail".parse().unwrap()),
            asset: None,
            provider: Some("aws".parse().unwrap()),
            region: Some("ap-southeast-1".parse().unwrap()),
        };
        self.discover.add_source(self.permit("*"), new, None).await.unwrap().id
    }

    /// Scans and waits for the end.
    pub(crate) async fn scan(&self, source: SourceId) -> Scan {
        self.discover.start_scan(self.permit(&source.to_string())).await.unwrap();
        self.discover.settled(source).await;
        self.scans(source)[0].clone()
    }

    pub(crate) fn scans(&self, source: SourceId) -> Vec<Scan> {
        let views = self.discover.scans(self.permit(&source.to_string())).unwrap();
        views.into_iter().map(|view| view.scan).collect()
    }

    pub(crate) fn findings(&self, wanted: Wanted) -> Vec<Finding> {
        let wanted = Wanted { limit: 500, ..wanted };
        self.discover.findings(self.permit::<DataRead>("*"), &wanted).unwrap().items
    }

    pub(crate) fn summary(&self, source: SourceId) -> Summary {
        self.discover.source(self.permit(&source.to_string())).unwrap().summary
    }

    /// Every event so far, oldest first.
    pub(crate) fn events(&self) -> Vec<Event> {
        self.store.flush().wait().unwrap();
        let page = self.log.query(&Query::default(), 1_000).unwrap();
        let mut events: Vec<_> = page.events.into_iter().map(|logged| logged.event).collect();
        events.reverse();
        events
    }
}
