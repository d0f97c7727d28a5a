//! A whole house in a folder: root, store, log, gate and keys, on a clock that stands still.

use access::Access;
use audit::{Log, LogAppender, LogOptions, Opening};
use kernel::*;
use keys::*;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use store::{AppendError, Appender, LogRows, Options, StateDigest, Store};
use strongroom::{
    Algorithm, Argon2Cost, MemoryRoot, ResponseBuffer, RootFile, RootFileError, Seal, Strongroom,
};

/// A folder that goes with the bench.
pub(crate) struct Folder(PathBuf);

static NUMBER: AtomicU32 = AtomicU32::new(0);

impl Folder {
    fn new() -> Self {
        let number = NUMBER.fetch_add(1, Ordering::SeqCst);
        let name = format!("lionrock-keys-{}-{number}", std::process::id());
        // In memory where there is such a folder: what these tests ask is not how fast a disk is.
        let memory = Path::new("/dev/shm");
        let base = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let path = base.join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A root in memory whose disk fails when it is told to.
#[derive(Debug, Default)]
pub(crate) struct FlakyRoot {
    root: MemoryRoot,
    /// How many replacements still work; below nought: all of them.
    pub(crate) replacements_left: Mutex<Option<u32>>,
}

impl RootFile for FlakyRoot {
    fn read(&self) -> Result<Option<Vec<u8>>, RootFileError> {
        self.root.read()
    }

    fn replace(&self, bytes: &[u8]) -> Result<(), RootFileError> {
        if let Some(left) = self.replacements_left.lock().unwrap().as_mut() {
            if *left == 0 {
                let source = std::io::Error::other("power cut");
                return Err(RootFileError::Disk { path: "root".into(), doing: "replaced", source });
            }
            *left -= 1;
        }
        self.root.replace(bytes)
    }
}

/// The real log's appender behind a disk that fails when it is told to.
struct Cut {
    log: LogAppender,
    appends_left: Arc<AtomicU64>,
}

#[derive(Debug, thiserror::Error)]
#[error("power cut")]
struct PowerCut;

impl Appender for Cut {
    fn append(
        &mut self,
        events: Vec<Event>,
        now: Timestamp,
        state: &StateDigest,
    ) -> Result<LogRows, AppendError> {
        match self.appends_left.load(Ordering::SeqCst) {
            0 => return Err(AppendError::new(PowerCut)),
            ALL => {}
            left => self.appends_left.store(left - 1, Ordering::SeqCst),
        }
        self.log.append(events, now, state)
    }

    fn committed(&mut self) {
        self.log.committed();
    }

    fn abandoned(&mut self) {
        // After a refusal of ours the log has nothing to take back; saying so does no harm.
        self.log.abandoned();
    }
}

/// So many appends work that all do.
const ALL: u64 = u64::MAX;

/// Allows what it was not told to refuse, in the key domains it was told.
#[derive(Default)]
pub(crate) struct Rules {
    refused: Mutex<BTreeSet<Action>>,
    domains: Mutex<Option<Vec<DomainId>>>,
}

impl Decider for Rules {
    fn decide(
        &self,
        _: &Caller,
        action: Action,
        resource: &Resource,
        _: Timestamp,
    ) -> Result<Grant, Refusal> {
        let policy_version = PolicyVersion(1);
        let domains = self.domains.lock().unwrap().clone();
        let outside = domains.as_ref().is_some_and(|domains| {
            resource.domain != DomainId::SYSTEM && !domains.contains(&resource.domain)
        });
        if outside || self.refused.lock().unwrap().contains(&action) {
            let code = "no-policy-allows".into();
            return Err(Refusal { code, because: Vec::new(), policy_version });
        }
        Ok(Grant { policy_version, because: Vec::new(), domains })
    }
}

pub(crate) struct Bench {
    pub(crate) keys: Keys,
    pub(crate) gate: Gate,
    pub(crate) store: Store,
    pub(crate) room: Strongroom,
    pub(crate) clock: Arc<HeldClock>,
    pub(crate) root: Arc<FlakyRoot>,
    pub(crate) log: Log,
    pub(crate) access: Access,
    /// How many more commits the log takes.
    pub(crate) appends_left: Arc<AtomicU64>,
    pub(crate) rules: Arc<Rules>,
    rng: Arc<SeededRng>,
    folder: Folder,
}

fn seal() -> Seal {
    Seal::KeyFile(Secret::new(vec![7; 32]))
}

fn open_store(
    folder: &Path,
    room: &Strongroom,
    clock: &Arc<HeldClock>,
    rng: &Arc<SeededRng>,
    appends_left: &Arc<AtomicU64>,
) -> (Store, Log) {
    let options = Options { reserve_bytes: 0, ..Options::default() };
    let opened = Store::open(folder, room.records(), clock.clone(), options).unwrap();
    let options = LogOptions {
        origin: "lionrock.test/log/0".into(),
        anchor: folder.join("anchor"),
        strongroom: room.clone(),
        clock: clock.clone(),
        rng: rng.clone(),
        rollback: None,
    };
    let (log, ready) = Opening::new(options).open(&opened).unwrap();
    let appender = Cut { log, appends_left: Arc::clone(appends_left) };
    let store = opened.start(Box::new(appender)).unwrap();
    let log = ready.serve(Arc::new(store.clone()));
    (store, log)
}

impl Bench {
    pub(crate) fn new() -> Self {
        let clock = Arc::new(HeldClock::at(Timestamp::from_unix_millis(1_790_000_000_000)));
        let root = Arc::new(FlakyRoot::default());
        let room = Strongroom::create(root.clone(), &seal(), clock.clone()).unwrap();
        let appends_left = Arc::new(AtomicU64::new(ALL));
        let rng = Arc::new(SeededRng::new(1));
        let folder = Folder::new();
        Self::on(folder, root, room, clock, appends_left, rng, Arc::default())
    }

    fn on(
        folder: Folder,
        root: Arc<FlakyRoot>,
        room: Strongroom,
        clock: Arc<HeldClock>,
        appends_left: Arc<AtomicU64>,
        rng: Arc<SeededRng>,
        rules: Arc<Rules>,
    ) -> Self {
        let (store, log) = open_store(&folder.0, &room, &clock, &rng, &appends_left);
        let access = Access::open(
            store.clone(),
            room.clone(),
            clock.clone(),
            rng.clone(),
            Argon2Cost::LEAST,
        )
        .unwrap();
        let keys = Keys::open(
            store.clone(),
            room.clone(),
            log.clone(),
            access.clone(),
            clock.clone(),
            rng.clone(),
        )
        .unwrap();
        let gate = Gate::new(
            rules.clone(),
            Arc::new(store.clone()),
            Arc::new(store.clone()),
            clock.clone(),
        );
        Self { keys, gate, store, log, access, room, clock, root, appends_left, rules, rng, folder }
    }

    /// Ends the server and starts it anew on what is on disk; disks work again.
    pub(crate) fn restarted(self) -> Self {
        let Self {
            keys,
            gate,
            store,
            log,
            access,
            room,
            clock,
            root,
            appends_left,
            rng,
            folder,
            rules,
        } = self;
        store.close();
        log.close().unwrap();
        drop((keys, gate, store, log, access, room));
        *root.replacements_left.lock().unwrap() = None;
        appends_left.store(ALL, Ordering::SeqCst);
        let room = Strongroom::unseal(root.clone(), &seal(), clock.clone()).unwrap();
        Self::on(folder, root, room, clock, appends_left, rng, rules)
    }

    /// A copy of the store's files as a backup takes it, with the log's end.
    pub(crate) fn copied_store(&self) -> Folder {
        self.store.flush().wait().unwrap();
        let copy = Folder::new();
        for entry in std::fs::read_dir(&self.folder.0).unwrap() {
            let entry = entry.unwrap();
            std::fs::copy(entry.path(), copy.0.join(entry.file_name())).unwrap();
        }
        copy
    }

    /// Starts the server on another folder with the root as it is.
    pub(crate) fn restarted_on(mut self, folder: Folder) -> Self {
        let old = std::mem::replace(&mut self.folder, folder);
        let restarted = self.restarted();
        drop(old);
        restarted
    }

    /// Another handle on the same store, with a memory of its own, as another node has.
    pub(crate) fn second_node(&self) -> Keys {
        let (store, room, log) = (self.store.clone(), self.room.clone(), self.log.clone());
        let (access, clock, rng) = (self.access.clone(), self.clock.clone(), self.rng.clone());
        Keys::open(store, room, log, access, clock, rng).unwrap()
    }

    pub(crate) fn caller(&self) -> Arc<Caller> {
        Arc::new(Caller::system("t-1", self.clock.wall(), self.clock.monotonic()))
    }

    pub(crate) fn refuse(&self, action: Action) {
        self.rules.refused.lock().unwrap().insert(action);
    }

    pub(crate) fn only_domains(&self, domains: &[DomainId]) {
        *self.rules.domains.lock().unwrap() = Some(domains.to_vec());
    }

    pub(crate) fn permit<A: ActionType>(&self, resource: Resource) -> Permit<A> {
        self.gate.permit(&self.caller(), resource).unwrap()
    }

    /// A permit for one key, as a door gets it.
    pub(crate) fn on_key<A: ActionType>(&self, key: KeyId) -> Permit<A> {
        self.permit(self.keys.resource(key, DomainId::SYSTEM).unwrap())
    }

    pub(crate) fn scope<A: ActionType>(&self) -> Permit<A> {
        self.gate.scope(&self.caller()).unwrap()
    }

    pub(crate) async fn domain(&self, name: &str, waiting_period_seconds: u64) -> DomainId {
        let permit = self.permit(Resource::all(ResourceKind::Domain, DomainId::SYSTEM));
        let request = CreateDomain { name: name.parse().unwrap(), waiting_period_seconds };
        self.keys.create_domain(permit, &request, None).await.unwrap().id
    }

    pub(crate) async fn create(&self, domain: DomainId, request: &CreateKey) -> KeyId {
        let permit = self.permit(request.resource(domain));
        self.keys.create(permit, request, None).await.unwrap().id
    }

    pub(crate) async fn aes(&self, domain: DomainId, name: &str) -> KeyId {
        self.create(domain, &key(name, Algorithm::Aes256Gcm)).await
    }

    pub(crate) async fn try_encrypt(&self, key: KeyId, text: &str) -> Result<Vec<u8>, KeysError> {
        let made = self.keys.encrypt(self.on_key(key), &plain(text)).await?;
        Ok(made.ciphertext)
    }

    pub(crate) async fn encrypt(&self, key: KeyId, text: &str) -> Vec<u8> {
        self.try_encrypt(key, text).await.unwrap()
    }

    pub(crate) async fn decrypt(&self, key: KeyId, sealed: &[u8]) -> Result<String, KeysError> {
        let request = Decrypt {
            ciphertext: sealed.to_vec(),
            context: b"t".to_vec(),
            compromise: Compromise::Refuse,
        };
        let opened = self.keys.decrypt(self.on_key(key), &request).await?;
        Ok(text(opened.plaintext))
    }

    pub(crate) fn view(&self, key: KeyId) -> KeyView {
        self.keys.read(self.on_key(key)).unwrap()
    }

    pub(crate) fn events(&self) -> Vec<Event> {
        self.store.flush().wait().unwrap();
        let all = self.log.events_from(LogPosition(0), usize::MAX).unwrap();
        all.into_iter().map(|logged| logged.event).collect()
    }

    pub(crate) fn last_event(&self, action: &str) -> Event {
        self.events().into_iter().rfind(|event| event.action == action).unwrap()
    }

    pub(crate) fn days_pass(&self, days: u32) {
        for _ in 0..days * 24 {
            self.clock.advance_millis(3_600_000);
        }
    }
}

pub(crate) fn text(released: strongroom::Released) -> String {
    let mut buffer = ResponseBuffer::default();
    released.write_once(&mut buffer);
    String::from_utf8(buffer.as_ref().to_vec()).unwrap()
}

pub(crate) fn plain(text: &str) -> Encrypt {
    Encrypt { plaintext: Secret::new(text.as_bytes().to_vec()), context: b"t".to_vec() }
}

pub(crate) fn key(name: &str, algorithm: Algorithm) -> CreateKey {
    CreateKey {
        name: name.parse().unwrap(),
        algorithm,
        labels: Labels::default(),
        exportable: false,
        rotation_days: None,
        dates: Dates::default(),
    }
}

pub(crate) fn labels(pairs: &[(&str, &str)]) -> Labels {
    let map = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
    let map: std::collections::BTreeMap<String, String> = map.collect();
    serde_json::from_value(serde_json::to_value(map).unwrap()).unwrap()
}

pub(crate) fn why() -> Reason {
    "because the test says so".parse().unwrap()
}
