//! A real store, a real log and a real gate for compliance to stand on.

use audit::{Log, LogOptions, Query};
use comply::{Compliance, Fact, FactSource, Reports, SourceFailure};
use inventory::Inventory;
use kernel::{
    Action, Caller, Clock, Decider, DomainId, Gate, Grant, HeldClock, PolicyVersion, Refusal,
    Resource, Secret, SeededRng, Timestamp,
};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use store::{Options, Store};
use strongroom::{MemoryRoot, Seal, Strongroom};

/// A source that has one key of our own.
struct OneKey;

impl FactSource for OneKey {
    fn kinds(&self) -> &[&'static str] {
        &["key"]
    }
    fn facts(
        &self,
        _: &kernel::Permit<kernel::actions::CheckRun>,
        now: Timestamp,
    ) -> Result<Vec<Fact>, SourceFailure> {
        let mut key = crate::world::key("k", "active").with("rotated_at", now.rfc3339());
        key.as_of = now;
        Ok(vec![key])
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

pub(crate) struct House {
    pub(crate) compliance: Compliance,
    pub(crate) inventory: Inventory,
    pub(crate) gate: Gate,
    pub(crate) store: Store,
    pub(crate) log: Log,
    pub(crate) clock: Arc<HeldClock>,
    room: Strongroom,
    folder: Folder,
}

/// A folder that goes away with the test.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

static NEXT: AtomicU64 = AtomicU64::new(0);

impl House {
    pub(crate) fn new() -> Self {
        let clock = Arc::new(HeldClock::at(Timestamp::from_unix_millis(1_790_000_000_000)));
        let seal = Seal::KeyFile(Secret::new(vec![7; 64]));
        let room =
            Strongroom::create(Arc::new(MemoryRoot::default()), &seal, clock.clone()).unwrap();
        let number = NEXT.fetch_add(1, Ordering::SeqCst);
        let name = format!("comply-test-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(folder.join("store")).unwrap();
        Self::on(Folder(folder), room, clock)
    }

    fn on(folder: Folder, room: Strongroom, clock: Arc<HeldClock>) -> Self {
        let options = Options { reserve_bytes: 0, ..Options::default() };
        let place = folder.0.join("store");
        let opened = Store::open(&place, room.records(), clock.clone(), options).unwrap();
        let rng = Arc::new(SeededRng::new(NEXT.fetch_add(1, Ordering::SeqCst)));
        let options = LogOptions {
            origin: "lionrock.test/log/0".to_owned(),
            anchor: folder.0.join("anchor"),
            strongroom: room.clone(),
            clock: clock.clone(),
            rng: rng.clone(),
            rollback: None,
        };
        let (store, log) = audit::start(opened, options).unwrap();
        let inventory = Inventory::open(store.clone(), clock.clone(), rng).unwrap();
        let sources: Vec<Arc<dyn FactSource>> = vec![Arc::new(OneKey)];
        let (time, inventory_too) = (clock.clone(), inventory.clone());
        let random = Arc::new(SeededRng::new(NEXT.fetch_add(1, Ordering::SeqCst)));
        let compliance =
            Compliance::open(store.clone(), time, random, inventory_too, sources).unwrap();
        let recorder = Arc::new(store.clone());
        let gate = Gate::new(Arc::new(Allows), Arc::new(store.clone()), recorder, clock.clone());
        Self { compliance, inventory, gate, store, log, clock, room, folder }
    }

    pub(crate) fn reports(&self) -> Reports {
        let rng = Arc::new(SeededRng::new(NEXT.fetch_add(1, Ordering::SeqCst)));
        let (store, log, clock) = (self.store.clone(), self.log.clone(), self.clock.clone());
        let folder = self.folder.0.join("reports");
        Reports::open(self.compliance.clone(), store, log, folder, clock, rng).unwrap()
    }

    /// Ends the server and starts it again on what is on disk.
    pub(crate) fn restarted(self) -> Self {
        let Self { compliance, inventory, gate, store, log, clock, room, folder } = self;
        store.close();
        log.close().unwrap();
        drop((compliance, inventory, gate, store, log));
        Self::on(folder, room, clock)
    }

    pub(crate) fn caller(&self, domain: DomainId) -> Arc<Caller> {
        let mut caller = Caller::system("t", self.clock.wall(), self.clock.monotonic());
        caller.domain = domain;
        Arc::new(caller)
    }

    /// Somebody signed in, by number.
    pub(crate) fn person(&self, number: u8) -> Arc<Caller> {
        let mut caller = Caller::system("t", self.clock.wall(), self.clock.monotonic());
        caller.principal = kernel::Principal::Person(kernel::PersonId::from_bytes([number; 16]));
        Arc::new(caller)
    }

    /// A permit for one of them.
    pub(crate) fn permit_for<A: kernel::ActionType>(
        &self,
        number: u8,
        id: &str,
    ) -> kernel::Permit<A> {
        let resource = Resource::new(A::ACTION.resource_kind(), id, DomainId::SYSTEM);
        self.gate.permit(&self.person(number), resource).unwrap()
    }

    pub(crate) fn permit<A: kernel::ActionType>(&self, id: &str) -> kernel::Permit<A> {
        let domain = DomainId::SYSTEM;
        let resource = Resource::new(A::ACTION.resource_kind(), id, domain);
        self.gate.permit(&self.caller(domain), resource).unwrap()
    }

    /// Action and outcome of every event so far, oldest first.
    pub(crate) fn events(&self) -> Vec<kernel::Event> {
        self.store.flush().wait().unwrap();
        let page = self.log.query(&Query::default(), 1_000).unwrap();
        let mut events: Vec<_> = page.events.into_iter().map(|logged| logged.event).collect();
        events.reverse();
        events
    }
}
