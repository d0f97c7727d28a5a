//! The rooms that the console opens, and how it asks the gate.

use kernel::{
    Action, ActionType, Caller, Clock, Gate, KeyId, Outcome, Permit, Problem, Recorder as _,
    Refusal, Resource, ResourceKind,
};
use std::fmt;
use std::sync::Arc;

/// What the pages are read from; the binary wires it after unsealing.
pub struct Rooms {
    /// Decides.
    pub gate: Arc<Gate>,
    /// People, sessions, roles and approvals.
    pub access: access::Access,
    /// Keys and key domains.
    pub keys: keys::Keys,
    /// What exists and how it relates.
    pub inventory: inventory::Inventory,
    /// Sources, scans and findings.
    pub discover: discover::Discover,
    /// Requirements, checks and statuses.
    pub comply: comply::Compliance,
    /// Reports and their packs.
    pub reports: comply::Reports,
    /// The log.
    pub log: audit::Log,
    /// For writing down what was read, and for waiting until a refusal is durable.
    pub store: store::Store,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

impl fmt::Debug for Rooms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rooms")
    }
}

/// Opens the rooms once the installation is unsealed; the binary implements it.
pub trait House: Send + Sync {
    /// The rooms, or none while sealed.
    fn rooms(&self) -> Option<Arc<Rooms>>;

    /// Whether the rooms are not open yet and nobody need come: they are opening by themselves.
    fn is_opening(&self) -> bool;
}

impl Rooms {
    /// Whether the caller may do something with a kind of thing as a whole, without asking for it:
    /// for showing or hiding what cannot be used.
    pub(crate) fn may(&self, caller: &Caller, action: Action) -> bool {
        let all = Resource::all(action.resource_kind(), caller.domain);
        self.gate.explain(caller, action, &all).is_ok()
    }

    /// A permit for one action on one thing.
    pub(crate) fn permit<A: ActionType>(
        &self,
        caller: &Arc<Caller>,
        resource: Resource,
    ) -> Result<Permit<A>, Problem> {
        let foreign = resource.id != "*" && resource.domain != caller.domain;
        let looks_like = foreign.then(|| resource.clone());
        self.gate.permit(caller, resource).map_err(|refusal| match looks_like {
            Some(resource) => self.concealed(caller, A::ACTION, &resource, refusal),
            None => told(refusal),
        })
    }

    /// A permit to list.
    pub(crate) fn scope<A: ActionType>(&self, caller: &Arc<Caller>) -> Result<Permit<A>, Problem> {
        self.gate.scope(caller).map_err(told)
    }

    /// A permit for one action on one key.
    pub(crate) fn key_permit<A: ActionType>(
        &self,
        caller: &Arc<Caller>,
        key: KeyId,
    ) -> Result<Permit<A>, Problem> {
        self.permit(caller, self.keys.resource(key, caller.domain)?)
    }

    /// A refusal about a thing of another key domain looks like one about a thing that does not
    /// exist: the difference would say that it does. The record says what it was.
    fn concealed(
        &self,
        caller: &Caller,
        action: Action,
        resource: &Resource,
        refusal: Refusal,
    ) -> Problem {
        let own = Resource::new(resource.kind, resource.id.clone(), caller.domain);
        match self.gate.explain(caller, action, &own) {
            Ok(_) => Problem::not_found(match resource.kind {
                ResourceKind::Domain => "key domain",
                kind => kind.word(),
            }),
            Err(_) => told(refusal),
        }
    }

    /// Ends the permit of a read that no room writes down by itself.
    pub(crate) fn note_read<A: ActionType>(&self, permit: Permit<A>) {
        self.store.record(permit.into_event(Outcome::Done, &*self.clock));
    }
}

/// A refusal in words that say what can be done about it.
fn told(refusal: Refusal) -> Problem {
    let mut problem = Problem::from(refusal);
    let help = match problem.code.as_ref() {
        "second-factor-needed" => "confirm with a one-time code and try again",
        "approval-needed" => "others must approve this first; ask for it on the page of the key",
        _ => return problem,
    };
    problem.detail = help.to_owned();
    problem
}
