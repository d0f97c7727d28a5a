//! One request of someone who is signed in: who, what was asked, and how the page is framed.

use crate::Rooms;
use crate::fields::Fields;
use crate::frame::{Frame, Source};
use inventory::{AssetKind, AssetRef, AssetView, RelationKind, Snapshot};
use kernel::{
    Action, ActionType, Caller, DomainId, KeyId, Permit, Principal, Problem, Resource, Timestamp,
};
use keys::STOPS_MAX;
use std::sync::Arc;

/// What a loader works with.
#[derive(Debug)]
pub(crate) struct Desk {
    /// The rooms.
    pub(crate) rooms: Arc<Rooms>,
    /// Who asks.
    pub(crate) caller: Arc<Caller>,
    /// What the query says.
    pub(crate) query: Fields,
    /// What all pages share.
    pub(crate) frame: Frame,
}

impl Desk {
    /// The time of the request.
    pub(crate) const fn now(&self) -> Timestamp {
        self.frame.now
    }

    /// Says that the answer was read just now.
    pub(crate) fn live(&self, from: impl Into<String>) -> Source {
        Source { at: self.now(), from: from.into() }
    }

    /// Says when the checks ran on which a status rests.
    pub(crate) fn assessed(&self) -> Result<Source, Problem> {
        Ok(match self.rooms.comply.latest_run()? {
            Some(run) => Source { at: run.at, from: String::from("the newest run of the checks") },
            None => self.live("the catalogue; no check has run yet"),
        })
    }

    /// Whether the caller may learn that the institution is a designated operator: who keeps the
    /// profile knows.
    pub(crate) fn may_know_designation(&self) -> bool {
        self.rooms.may(&self.caller, Action::RequirementChange)
    }

    /// A permit for one action on one thing.
    pub(crate) fn permit<A: ActionType>(&self, resource: Resource) -> Result<Permit<A>, Problem> {
        self.rooms.permit(&self.caller, resource)
    }

    /// A permit to list.
    pub(crate) fn scope<A: ActionType>(&self) -> Result<Permit<A>, Problem> {
        self.rooms.scope(&self.caller)
    }

    /// A permit to list, if the caller may; not being allowed is no event here, for nothing was
    /// asked for: the page just shows less.
    pub(crate) fn scope_if_allowed<A: ActionType>(&self) -> Option<Permit<A>> {
        if self.rooms.may(&self.caller, A::ACTION) { self.scope().ok() } else { None }
    }

    /// A permit for one action on one key.
    pub(crate) fn key_permit<A: ActionType>(&self, key: KeyId) -> Result<Permit<A>, Problem> {
        self.rooms.key_permit(&self.caller, key)
    }

    /// A permit for one action on one key, if the caller may; see [`Desk::scope_if_allowed`].
    pub(crate) fn key_permit_if_allowed<A: ActionType>(&self, key: KeyId) -> Option<Permit<A>> {
        let resource = self.rooms.keys.resource(key, self.caller.domain).ok()?;
        self.rooms.gate.explain(&self.caller, A::ACTION, &resource).ok()?;
        self.permit(resource).ok()
    }

    /// The name of someone beside what they did.
    pub(crate) fn name_of(&self, principal: Principal) -> String {
        match self.rooms.access.display_name(principal) {
            Some(name) => name.as_str().to_owned(),
            None => principal.to_string(),
        }
    }

    /// How the caller signs what they do: the name, and the roles in which they may do it.
    pub(crate) fn signer(&self, action: Action, resource: &Resource) -> comply::Signer {
        let (name, role) = self.rooms.access.signs_as(&self.caller, action, resource);
        comply::Signer { name, role }
    }

    /// Names of what a key protects, as the inventory knows it: what stops with the key.
    pub(crate) fn protected_by(&self, key: KeyId) -> Result<Vec<String>, Problem> {
        let snapshot = self.rooms.inventory.current()?;
        let Some(asset) = key_asset(&snapshot, key) else { return Ok(Vec::new()) };
        let data = snapshot.from(asset.id, RelationKind::Protects);
        Ok(data.take(STOPS_MAX).map(|data| data.name.as_str().to_owned()).collect())
    }

    /// The names of the key domains that the caller may read.
    pub(crate) fn domain_names(&self) -> Result<DomainNames, Problem> {
        let domains = match self.scope_if_allowed::<kernel::actions::DomainRead>() {
            Some(permit) => self.rooms.keys.list_domains(permit)?,
            None => Vec::new(),
        };
        Ok(DomainNames(domains.into_iter().map(|d| (d.id, d.name.as_str().to_owned())).collect()))
    }
}

/// The asset of a key of ours: its reference in the inventory is the key's identifier.
pub(crate) fn key_asset(snapshot: &Snapshot, key: KeyId) -> Option<&AssetView> {
    let name = key.to_string().parse().ok()?;
    snapshot.find(&AssetRef::new(AssetKind::Key, name))
}

/// Names of key domains.
#[derive(Debug, Clone)]
pub(crate) struct DomainNames(Vec<(DomainId, String)>);

impl DomainNames {
    /// The name of a key domain, or its identifier when it may not be read.
    pub(crate) fn of(&self, domain: DomainId) -> String {
        if domain == DomainId::SYSTEM {
            return String::from("installation");
        }
        let known = self.0.iter().find(|(id, _)| *id == domain);
        known.map_or_else(|| domain.to_string(), |(_, name)| name.clone())
    }

    /// Identifier and name of each.
    pub(crate) fn choices(&self) -> impl Iterator<Item = (String, String)> {
        self.0.iter().map(|(id, name)| (id.to_string(), name.clone()))
    }
}
