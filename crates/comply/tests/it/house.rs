//! A real store, a real log and a real gate for compliance to stand on.

use audit::Log;
use comply::{Compliance, Fact, FactSource, Reports, SourceFailure};
use footing::{Allows, Footing};
use inventory::Inventory;
use kernel::{Caller, Clock, DomainId, Gate, HeldClock, Resource, Timestamp};
use std::sync::Arc;
use store::Store;

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

pub(crate) struct House {
    pub(crate) compliance: Compliance,
    pub(crate) inventory: Inventory,
    pub(crate) gate: Gate,
    pub(crate) store: Store,
    pub(crate) log: Log,
    pub(crate) clock: Arc<HeldClock>,
    footing: Footing,
}

impl House {
    pub(crate) fn new() -> Self {
        let now = Timestamp::from_unix_millis(1_790_000_000_000);
        Self::on(Footing::lay("comply", now).unwrap())
    }

    fn on(footing: Footing) -> Self {
        let (store, log) = footing.start().unwrap();
        let clock = footing.clock.clone();
        let inventory = Inventory::open(store.clone(), clock.clone(), footing::seeded()).unwrap();
        let sources: Vec<Arc<dyn FactSource>> = vec![Arc::new(OneKey)];
        let (time, inventory_too) = (clock.clone(), inventory.clone());
        let compliance =
            Compliance::open(store.clone(), time, footing::seeded(), inventory_too, sources)
                .unwrap();
        let recorder = Arc::new(store.clone());
        let gate = Gate::new(Arc::new(Allows), Arc::new(store.clone()), recorder, clock.clone());
        Self { compliance, inventory, gate, store, log, clock, footing }
    }

    pub(crate) fn reports(&self) -> Reports {
        let (store, log, clock) = (self.store.clone(), self.log.clone(), self.clock.clone());
        let folder = self.footing.folder.path().join("reports");
        let compliance = self.compliance.clone();
        Reports::open(compliance, store, log, folder, clock, footing::seeded()).unwrap()
    }

    /// Ends the server and starts it again on what is on disk.
    pub(crate) fn restarted(self) -> Self {
        let Self { compliance, inventory, gate, store, log, footing, .. } = self;
        footing::stop(&store, &log).unwrap();
        drop((compliance, inventory, gate, store, log));
        Self::on(footing)
    }

    pub(crate) fn caller(&self, domain: DomainId) -> Arc<Caller> {
        self.footing.caller(domain)
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

    /// Every event so far, oldest first.
    pub(crate) fn events(&self) -> Vec<kernel::Event> {
        footing::events(&self.store, &self.log).unwrap()
    }
}
