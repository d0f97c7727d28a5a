//! A small bank's hall: a room, a gate that allows everything, a clock that stands still.

use kernel::{
    Action, ActionType, Caller, Clock, Decider, DomainId, Epoch, Epochs, Event, Gate, Grant,
    HeldClock, KeyId, Permit, PolicyVersion, Recorder, Refusal, Resource, ResourceKind, Secret,
    Timestamp, VersionNo, actions,
};
use std::sync::Arc;
use strongroom::{
    Algorithm, KeyHandle, KeySlot, MemoryRoot, Released, RootFile, Seal, StoredKey, Strongroom,
    SystemRng,
};

struct AllowAll;
impl Decider for AllowAll {
    fn decide(&self, _: &Caller, _: Action, _: &Resource, _: Timestamp) -> Result<Grant, Refusal> {
        Ok(Grant { policy_version: PolicyVersion(1), because: Vec::new(), domains: None })
    }
}

struct Fixed;
impl Epochs for Fixed {
    fn current(&self, _: DomainId) -> Epoch {
        Epoch(1)
    }
}

struct Nobody;
impl Recorder for Nobody {
    fn record(&self, _: Event) {}
}

/// A bank's whole hall: room, gate, clock, root file and one key domain.
pub(crate) struct Hall {
    pub(crate) room: Strongroom,
    pub(crate) clock: Arc<HeldClock>,
    pub(crate) file: Arc<MemoryRoot>,
    pub(crate) domain: DomainId,
    gate: Gate,
}

pub(crate) fn key_file() -> Seal {
    Seal::KeyFile(Secret::new((0..32).collect()))
}

impl Hall {
    pub(crate) fn new() -> Self {
        let clock = Arc::new(HeldClock::at(Timestamp::from_unix_millis(1_790_000_000_000)));
        let file = Arc::new(MemoryRoot::default());
        let room = Strongroom::create(file.clone(), &key_file(), clock.clone()).unwrap();
        let domain = DomainId::generate(&*clock, &SystemRng).unwrap();
        room.create_domain(domain).unwrap();
        let recorder = Arc::new(Nobody);
        let gate = Gate::new(Arc::new(AllowAll), Arc::new(Fixed), recorder, clock.clone());
        Self { room, clock, file, domain, gate }
    }

    /// The same root after a restart.
    pub(crate) fn restarted(&self) -> Strongroom {
        let file = Arc::new(MemoryRoot::holding(self.root_bytes()));
        Strongroom::unseal(file, &key_file(), self.clock.clone()).unwrap()
    }

    pub(crate) fn root_bytes(&self) -> Vec<u8> {
        self.file.read().unwrap().unwrap()
    }

    pub(crate) fn slot(&self) -> KeySlot {
        let key = KeyId::generate(&*self.clock, &SystemRng).unwrap();
        KeySlot { domain: self.domain, key, version: VersionNo(1) }
    }

    pub(crate) fn permit<A: ActionType>(&self, slot: KeySlot) -> Permit<A> {
        self.permit_for(Resource::new(ResourceKind::Key, slot.key.to_string(), slot.domain))
    }

    pub(crate) fn permit_for<A: ActionType>(&self, resource: Resource) -> Permit<A> {
        let caller = Caller::system("test", self.clock.wall(), self.clock.monotonic());
        self.gate.permit(&Arc::new(caller), resource).unwrap()
    }

    pub(crate) fn generate(&self, slot: KeySlot, algorithm: Algorithm) -> StoredKey {
        self.room.generate(&self.permit::<actions::KeyCreate>(slot), slot, algorithm).unwrap()
    }

    /// A new key of this algorithm, open.
    pub(crate) fn key(&self, algorithm: Algorithm) -> KeyHandle {
        let slot = self.slot();
        let stored = self.generate(slot, algorithm);
        self.room.open_key(slot, algorithm, &stored.wrapped).unwrap()
    }
}

pub(crate) fn shown(released: Released) -> Vec<u8> {
    released.expose_once(<[u8]>::to_vec)
}
