//! The gate: the one place where a request becomes a permit or a refusal.
//!
//! A use case cannot be called without a [`Permit`] of its own action, and only [`Gate`] makes one:
//!
//! ```compile_fail,E0451
//! use kernel::{Permit, actions::KeyEncrypt};
//! let forged: Permit<KeyEncrypt> = Permit { issued: unreachable!() };
//! ```
//!
//! A permit is used once:
//!
//! ```compile_fail,E0599
//! fn twice(permit: kernel::Permit<kernel::actions::KeyEncrypt>) {
//!     let second = permit.clone();
//! }
//! ```
//!
//! and for nothing else:
//!
//! ```compile_fail,E0308
//! fn destroy(_: kernel::Permit<kernel::actions::KeyDestroy>) {}
//! fn sneak(permit: kernel::Permit<kernel::actions::KeyRead>) { destroy(permit) }
//! ```

use crate::limits::PERMIT_MICROS_MAX;
use crate::{
    Action, ActionType, Caller, Clock, Decision, DomainId, Event, MonotonicMicros, Outcome,
    Resource, ResourceKind, Timestamp,
};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

/// A counter of a key domain that every revocation raises; see DESIGN, promise 8.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Epoch(pub u64);

/// The version of the policy set that decided.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PolicyVersion(pub u64);

/// Why the gate said no. The code goes to the caller and the log, the policy's name to the log
/// only.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// A stable code: `no-policy-allows`, `forbidden`, `approval-needed`, `second-factor-needed`, …
    pub code: Cow<'static, str>,
    /// What decided, for whoever explains decisions: names of policies.
    pub because: Vec<String>,
    /// The policy version that decided.
    pub policy_version: PolicyVersion,
}

/// What the decider gives when it allows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Grant {
    /// The policy version that decided.
    pub policy_version: PolicyVersion,
    /// Names of the policies that allowed it.
    pub because: Vec<String>,
    /// For lists: the key domains whose entries the caller may see; `None` means all.
    pub domains: Option<Vec<DomainId>>,
}

/// Decides; installed once for each process by the binary. `access` implements it.
pub trait Decider: Send + Sync {
    /// Whether this caller may do this action on this resource at this time.
    ///
    /// # Errors
    /// The refusal, with a stable code.
    fn decide(
        &self,
        caller: &Caller,
        action: Action,
        resource: &Resource,
        now: Timestamp,
    ) -> Result<Grant, Refusal>;
}

/// Tells the current epoch of a key domain. `store` implements it.
pub trait Epochs: Send + Sync {
    /// The epoch that a commit made now would be checked against.
    fn current(&self, domain: DomainId) -> Epoch;
}

/// Takes events that belong to no change: refusals. `store` implements it.
pub trait Recorder: Send + Sync {
    /// Puts the event in the queue of the log; a door waits for durability before it answers.
    fn record(&self, event: Event);
}

/// Turns requests into permits. One for each process.
pub struct Gate {
    decider: Arc<dyn Decider>,
    epochs: Arc<dyn Epochs>,
    recorder: Arc<dyn Recorder>,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Gate")
    }
}

impl Gate {
    /// Builds the gate; tidy allows this call in the binary and in tests only.
    #[must_use]
    pub fn new(
        decider: Arc<dyn Decider>,
        epochs: Arc<dyn Epochs>,
        recorder: Arc<dyn Recorder>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { decider, epochs, recorder, clock }
    }

    /// Asks for a permit to do `A` on one resource. A refusal is recorded before it is returned.
    ///
    /// # Errors
    /// The refusal.
    pub fn permit<A: ActionType>(
        &self,
        caller: &Arc<Caller>,
        resource: Resource,
    ) -> Result<Permit<A>, Refusal> {
        // The epoch is read before the decision: a revocation in between makes the commit fail.
        let epoch = self.epochs.current(resource.domain);
        let now = self.clock.wall();
        if resource.kind != A::ACTION.resource_kind() {
            let refusal = Refusal {
                code: Cow::Borrowed("wrong-resource"),
                because: Vec::new(),
                policy_version: PolicyVersion::default(),
            };
            self.record_refusal(caller, A::ACTION, &resource, now, &refusal);
            return Err(refusal);
        }
        match self.decider.decide(caller, A::ACTION, &resource, now) {
            Ok(grant) => {
                let deadline = self.clock.monotonic().0.saturating_add(PERMIT_MICROS_MAX);
                let deadline = MonotonicMicros(deadline);
                let caller = Arc::clone(caller);
                let issued = Issued { caller, resource, epoch, grant, decided: now, deadline };
                Ok(Permit { issued, action: PhantomData })
            }
            Err(refusal) => {
                self.record_refusal(caller, A::ACTION, &resource, now, &refusal);
                Err(refusal)
            }
        }
    }

    /// Asks for a permit to list: its [`Scope`] is the filter that the store applies.
    ///
    /// # Errors
    /// The refusal.
    pub fn scope<A: ActionType>(&self, caller: &Arc<Caller>) -> Result<Permit<A>, Refusal> {
        let kind: ResourceKind = A::ACTION.resource_kind();
        self.permit(caller, Resource::all(kind, caller.domain))
    }

    /// Whether a permit would be given, without making one and without a record: for showing or
    /// hiding a button, and for explaining decisions.
    ///
    /// # Errors
    /// The refusal.
    pub fn explain(
        &self,
        caller: &Caller,
        action: Action,
        resource: &Resource,
    ) -> Result<Grant, Refusal> {
        self.decider.decide(caller, action, resource, self.clock.wall())
    }

    fn record_refusal(
        &self,
        caller: &Caller,
        action: Action,
        resource: &Resource,
        now: Timestamp,
        refusal: &Refusal,
    ) {
        let version = refusal.policy_version.0;
        let mut event = Event::of(caller, action.word(), resource, now, version);
        event.decision = Decision::Refused;
        event.outcome = Outcome::Refused(refusal.code.clone());
        event.latency_micros = self.clock.monotonic().0.saturating_sub(caller.arrived.0);
        if !refusal.because.is_empty() {
            event = event.with("policies", refusal.because.join(", "));
        }
        self.recorder.record(event);
    }
}

#[derive(Debug)]
struct Issued {
    caller: Arc<Caller>,
    resource: Resource,
    epoch: Epoch,
    grant: Grant,
    decided: Timestamp,
    deadline: MonotonicMicros,
}

/// Leave to do `A` once, on one resource, within five seconds. See the module for what it cannot
/// do.
#[derive(Debug)]
#[must_use = "a permit that is not used leaves no record of what was allowed"]
pub struct Permit<A: ActionType> {
    issued: Issued,
    action: PhantomData<fn() -> A>,
}

/// The filter of a list, fixed by the permit.
/// ```
/// use kernel::{DomainId, Scope};
/// let (mine, other) = (DomainId::from_bytes([1; 16]), DomainId::from_bytes([2; 16]));
/// let scope = Scope::Domains(vec![mine]);
/// assert!(scope.allows(mine) && !scope.allows(other) && Scope::All.allows(other));
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Scope {
    /// Every key domain.
    All,
    /// These key domains only.
    Domains(Vec<DomainId>),
}

impl Scope {
    /// Whether an entry of this key domain may be seen.
    #[must_use]
    pub fn allows(&self, domain: DomainId) -> bool {
        match self {
            Self::All => true,
            Self::Domains(domains) => domains.contains(&domain),
        }
    }
}

/// The epoch under which a permit was given; every commit that rests on the permit carries it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Guard {
    /// The key domain.
    pub domain: DomainId,
    /// Its epoch at the time of the decision.
    pub epoch: Epoch,
}

impl<A: ActionType> Permit<A> {
    /// Who asked.
    #[must_use]
    pub fn caller(&self) -> &Caller {
        &self.issued.caller
    }

    /// On what. A use case takes the identifier from here, never from the request.
    #[must_use]
    pub const fn resource(&self) -> &Resource {
        &self.issued.resource
    }

    /// The resource's identifier, parsed.
    #[must_use]
    pub fn resource_id<I: std::str::FromStr>(&self) -> Option<I> {
        self.issued.resource.id.parse().ok()
    }

    /// When it was decided.
    #[must_use]
    pub const fn decided_at(&self) -> Timestamp {
        self.issued.decided
    }

    /// What a list may show.
    #[must_use]
    pub fn scope(&self) -> Scope {
        self.issued.grant.domains.clone().map_or(Scope::All, Scope::Domains)
    }

    /// The epoch that the commit must still find.
    #[must_use]
    pub const fn guard(&self) -> Guard {
        Guard { domain: self.issued.resource.domain, epoch: self.issued.epoch }
    }

    /// Whether the permit may still be used.
    #[must_use]
    pub fn is_live(&self, clock: &dyn Clock) -> bool {
        clock.monotonic() <= self.issued.deadline
    }

    /// Ends the permit: what was done under it, for the commit.
    #[must_use]
    pub fn into_event(self, outcome: Outcome, clock: &dyn Clock) -> Event {
        let Issued { caller, resource, grant, decided, .. } = self.issued;
        let version = grant.policy_version.0;
        let mut event = Event::of(&caller, A::ACTION.word(), &resource, decided, version);
        event.outcome = outcome;
        event.latency_micros = clock.monotonic().0.saturating_sub(caller.arrived.0);
        event
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{HeldClock, actions::KeyEncrypt, actions::KeyRead};
    use std::sync::Mutex;

    struct OnlyReads;
    impl Decider for OnlyReads {
        fn decide(
            &self,
            _: &Caller,
            action: Action,
            _: &Resource,
            _: Timestamp,
        ) -> Result<Grant, Refusal> {
            let policy_version = PolicyVersion(3);
            if action == Action::KeyRead {
                Ok(Grant { policy_version, because: vec!["reads".into()], domains: None })
            } else {
                let code = Cow::Borrowed("no-policy-allows");
                Err(Refusal { code, because: Vec::new(), policy_version })
            }
        }
    }

    struct Fixed;
    impl Epochs for Fixed {
        fn current(&self, _: DomainId) -> Epoch {
            Epoch(9)
        }
    }

    #[derive(Default)]
    struct Seen(Mutex<Vec<Event>>);
    impl Recorder for Seen {
        fn record(&self, event: Event) {
            self.0.lock().unwrap().push(event);
        }
    }

    fn gate() -> (Gate, Arc<Seen>, Arc<HeldClock>, Arc<Caller>) {
        let clock = Arc::new(HeldClock::at(Timestamp::from_unix_millis(1)));
        let seen = Arc::new(Seen::default());
        let gate = Gate::new(Arc::new(OnlyReads), Arc::new(Fixed), seen.clone(), clock.clone());
        let caller = Arc::new(Caller::system("c-1", clock.wall(), clock.monotonic()));
        (gate, seen, clock, caller)
    }

    fn key() -> Resource {
        Resource::new(ResourceKind::Key, "key_00000000000000000000000000", DomainId::SYSTEM)
    }

    #[test]
    fn a_permit_becomes_one_event_and_carries_its_epoch() {
        let (gate, seen, clock, caller) = gate();
        let permit = gate.permit::<KeyRead>(&caller, key()).unwrap();
        assert_eq!(permit.guard(), Guard { domain: DomainId::SYSTEM, epoch: Epoch(9) });
        clock.advance_millis(2);
        let event = permit.into_event(Outcome::Done, &*clock);
        assert_eq!((event.action.as_ref(), event.policy_version), ("key.read", 3));
        assert_eq!((event.latency_micros, event.correlation.as_str()), (2_000, "c-1"));
        assert!(seen.0.lock().unwrap().is_empty());
    }

    #[test]
    fn a_refusal_is_recorded_by_the_gate_itself() {
        let (gate, seen, _, caller) = gate();
        let refusal = gate.permit::<KeyEncrypt>(&caller, key()).unwrap_err();
        assert_eq!(refusal.code, "no-policy-allows");
        let seen = seen.0.lock().unwrap();
        assert_eq!(seen.len(), 1);
        assert_eq!(seen[0].decision, Decision::Refused);
        assert_eq!(seen[0].outcome, Outcome::Refused("no-policy-allows".into()));
    }

    #[test]
    fn a_permit_does_not_outlive_five_seconds() {
        let (gate, _, clock, caller) = gate();
        let permit = gate.permit::<KeyRead>(&caller, key()).unwrap();
        clock.advance_millis(5_000);
        assert!(permit.is_live(&*clock));
        clock.advance_millis(1);
        assert!(!permit.is_live(&*clock));
        let _ = permit.into_event(Outcome::Failed("permit-expired".into()), &*clock);
    }

    #[test]
    fn an_action_on_the_wrong_kind_of_thing_is_refused() {
        let (gate, seen, _, caller) = gate();
        assert_eq!(
            gate.permit::<KeyRead>(&caller, Resource::system()).unwrap_err().code,
            "wrong-resource"
        );
        assert_eq!(seen.0.lock().unwrap().len(), 1);
    }
}
