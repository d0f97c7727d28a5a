//! The inventory on a real store, log and gate.

use audit::Log;
use footing::{Allows, Footing};
use inventory::Inventory;
use kernel::{DomainId, Gate, HeldClock, Resource, ResourceKind, Timestamp};
use std::sync::Arc;
use store::Store;

pub(crate) struct House {
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
        Self::on(Footing::lay("inventory", now).unwrap())
    }

    fn on(footing: Footing) -> Self {
        let (store, log) = footing.start().unwrap();
        let clock = footing.clock.clone();
        let inventory = Inventory::open(store.clone(), clock.clone(), footing::seeded()).unwrap();
        let recorder = Arc::new(store.clone());
        let gate = Gate::new(Arc::new(Allows), Arc::new(store.clone()), recorder, clock.clone());
        Self { inventory, gate, store, log, clock, footing }
    }

    /// Ends the server and starts it again on what is on disk.
    pub(crate) fn restarted(self) -> Self {
        let Self { inventory, gate, store, log, footing, .. } = self;
        footing::stop(&store, &log).unwrap();
        drop((inventory, gate, store, log));
        Self::on(footing)
    }

    pub(crate) fn permit<A: kernel::ActionType>(&self, domain: DomainId) -> kernel::Permit<A> {
        let resource = Resource::all(ResourceKind::Asset, domain);
        self.gate.permit(&self.footing.caller(domain), resource).unwrap()
    }

    /// Every event so far, oldest first.
    pub(crate) fn events(&self) -> Vec<kernel::Event> {
        footing::events(&self.store, &self.log).unwrap()
    }
}
