//! The handles of the rooms that this door opens, once the installation is unsealed.

use access::Access;
use comply::Signer;
use comply::{Compliance, Reports};
use inventory::Inventory;
use kernel::{
    Action, ActionType, Caller, Clock, DomainId, Gate, KeyId, Outcome, Permit, Problem,
    ProblemKind, Recorder, Refusal, Resource, ResourceKind,
};
use keys::{Keys, Repeat};
use std::fmt;
use std::sync::Arc;
use store::Store;

/// What the handlers work with; the binary wires it after unsealing.
pub struct Rooms {
    /// Decides.
    pub gate: Arc<Gate>,
    /// Identities, proofs, roles, approvals.
    pub access: Access,
    /// Keys and key domains.
    pub keys: Keys,
    /// What exists and how it relates.
    pub inventory: Inventory,
    /// Sources, scans, findings.
    pub discover: discover::Discover,
    /// Requirements, checks, guides and reports.
    pub comply: Comply,
    /// The log.
    pub log: audit::Log,
    /// For waiting until what was refused is recorded, and for counters.
    pub store: Store,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Everything here is a sample, and every report says so.
    pub sample: bool,
}

/// Where the bank stands against its requirements.
#[derive(Clone)]
pub struct Comply {
    /// Catalogue, checks, runs and statuses.
    pub compliance: Compliance,
    /// Reports that were made.
    pub reports: Reports,
}

impl fmt::Debug for Comply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Comply")
    }
}

impl fmt::Debug for Rooms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rooms")
    }
}

impl Rooms {
    /// A permit for one action on one thing.
    pub(crate) fn permit<A: ActionType>(
        &self,
        caller: &Arc<Caller>,
        resource: Resource,
    ) -> Result<Permit<A>, Problem> {
        let foreign = self.is_foreign(caller, &resource);
        let looks_like = foreign.then(|| resource.clone());
        self.gate.permit(caller, resource).map_err(|refusal| match looks_like {
            Some(resource) => self.concealed(caller, A::ACTION, &resource, refusal),
            None => refusal.into(),
        })
    }

    /// A permit for an action on a kind of thing as a whole, in one key domain.
    pub(crate) fn permit_in<A: ActionType>(
        &self,
        caller: &Arc<Caller>,
        domain: DomainId,
    ) -> Result<Permit<A>, Problem> {
        self.permit(caller, Resource::all(A::ACTION.resource_kind(), domain))
    }

    /// A permit to list.
    pub(crate) fn scope<A: ActionType>(&self, caller: &Arc<Caller>) -> Result<Permit<A>, Problem> {
        Ok(self.gate.scope(caller)?)
    }

    /// A permit for one action on one key.
    pub(crate) fn key_permit<A: ActionType>(
        &self,
        caller: &Arc<Caller>,
        key: KeyId,
    ) -> Result<Permit<A>, Problem> {
        self.permit(caller, self.keys.resource(key, caller.domain)?)
    }

    fn is_foreign(&self, caller: &Caller, resource: &Resource) -> bool {
        let domain = resource.domain;
        resource.id != "*" && domain != caller.domain && domain != DomainId::SYSTEM
    }

    /// A refusal about a thing of another key domain looks like what a thing that does not exist
    /// would look like: else the difference would say that it exists. The record says what it was.
    fn concealed(
        &self,
        caller: &Caller,
        action: Action,
        resource: &Resource,
        refusal: Refusal,
    ) -> Problem {
        let own = Resource::new(resource.kind, resource.id.clone(), caller.domain);
        match self.gate.explain(caller, action, &own) {
            Ok(_) => Problem::not_found(noun(resource.kind)),
            Err(_) => refusal.into(),
        }
    }

    /// How someone who signs is shown: the name, and the roles in which they may do this.
    pub(crate) fn signer(&self, caller: &Caller, action: Action, resource: &Resource) -> Signer {
        let (name, role) = self.access.signs_as(caller, action, resource);
        Signer { name, role }
    }

    /// Ends the permit of a read that no slice records by itself.
    pub(crate) fn note_read<A: ActionType>(&self, permit: Permit<A>) {
        self.store.record(permit.into_event(Outcome::Done, &*self.clock));
    }

    /// Waits until every refusal that the gate recorded is durable.
    pub(crate) async fn recorded(&self) -> Result<(), Problem> {
        self.store.flush().await.map(drop).map_err(Problem::from)
    }
}

impl Rooms {
    /// Counters of store and log as Prometheus text.
    pub(crate) fn meters(&self, text: &mut String) {
        use std::fmt::Write;
        let stats = self.store.stats();
        for (name, kind, help, value) in [
            ("commits", "counter", "Batches that were committed.", stats.commits),
            ("refused", "counter", "Batches that were refused.", stats.refused),
            ("groups", "counter", "Durable group commits.", stats.groups),
            ("events", "counter", "Events in those commits.", stats.events),
            ("waiting", "gauge", "Batches that wait for a commit.", stats.waiting),
        ] {
            let _ = writeln!(text, "# HELP lionrock_store_{name} {help}");
            let _ = writeln!(text, "# TYPE lionrock_store_{name} {kind}");
            let _ = writeln!(text, "lionrock_store_{name} {value}");
        }
        let mean = stats.mean_group();
        text.push_str("# HELP lionrock_store_group_size_mean Batches of one group commit.\n");
        text.push_str("# TYPE lionrock_store_group_size_mean gauge\n");
        let _ = writeln!(text, "lionrock_store_group_size_mean {mean:.3}");
        let size = self.log.head().size;
        text.push_str("# HELP lionrock_log_events Events in the log.\n");
        text.push_str("# TYPE lionrock_log_events gauge\n");
        let _ = writeln!(text, "lionrock_log_events {size}");
    }
}

/// What people call a kind of thing; the same words as the slices use.
const fn noun(kind: ResourceKind) -> &'static str {
    match kind {
        ResourceKind::Domain => "key domain",
        kind => kind.word(),
    }
}

/// What makes a request repeatable: the caller's key, and a hash of all that was asked.
pub(crate) fn repeat(key: Option<String>, asked: &impl serde::Serialize) -> Option<Repeat> {
    let bytes = serde_json::to_vec(asked).ok()?;
    key.map(|key| Repeat { key, request: audit::Hash::of(&bytes).0 })
}

/// Blocking work, off the threads that serve connections.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|cause| {
        tracing::error!(%cause, "blocking work did not end");
        Err(Problem::new(ProblemKind::Internal, "internal", "the work did not end"))
    })
}
