//! Approvals: asking others, deciding, and what was asked exactly.
//!
//! An approval is bound to the hash of the exact request. Whoever asks names the action with the
//! very body that will be sent to carry it out; once others have approved, the same body goes
//! through.

use super::findings::WhyBody;
use super::identities::{GiveRoleRequest, Holder, RoleHolder, identity, roles_of};
use super::key_switches::{ExportBody, ResumeBody, SuspendBody};
use super::keys::ReasonRequest;
use crate::Rooms;
use crate::answer::{Created, Json};
use crate::call::{Call, FromJson, NoParameters};
use crate::shape;
use crate::table::{Needs, Table, get, post};
use access::approvals::{ApprovalState, Occasion};
use access::{Access, ApprovalView, GiveRole, NewApproval};
use kernel::{
    Action, ApprovalId, Caller, DomainId, FindingId, GroupId, KeyId, PersonId, Problem, Resource,
    ResourceKind, Timestamp, actions,
};
use keys::{Reason, approval_hash};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

const AREA: &str = "approvals";

pub(crate) fn lines(table: &mut Table) {
    let read = Needs::Permit(Action::ApprovalRead);
    let decide = Needs::Permit(Action::ApprovalDecide);
    table.closed(AREA, get("/approvals", read, "Lists requests for approval."), list);
    table.closed(
        AREA,
        post("/approvals", Needs::Permit(Action::ApprovalRequest), "Asks others to approve.")
            .repeatable(),
        request,
    );
    table.closed(AREA, get("/approvals/{approval}", read, "Shows one request."), show);
    table.closed(
        AREA,
        post("/approvals/{approval}/approve", decide, "Approves somebody else's request."),
        approve,
    );
    table.closed(
        AREA,
        post("/approvals/{approval}/reject", decide, "Rejects somebody else's request."),
        reject,
    );
}

/// A request for approval.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Approval")]
struct ApprovalBody {
    /// Its identifier.
    #[schemars(with = "shape::Id<ApprovalId>")]
    id: ApprovalId,
    /// The action's word.
    action: String,
    /// On what.
    resource: String,
    /// Its key domain.
    #[schemars(with = "shape::Id<DomainId>")]
    domain: DomainId,
    /// SHA-256 to which the approval is bound.
    #[schemars(with = "shape::Sha256")]
    request_hash: String,
    /// Why.
    reason: String,
    /// What will happen or stop.
    effect: Vec<String>,
    /// Where it stands.
    state: &'static str,
    /// How many others must approve.
    needed: usize,
    /// How many have approved.
    approved: usize,
    /// Who asked.
    requested_by: String,
    /// When.
    #[schemars(with = "shape::When")]
    requested: Timestamp,
    /// When it ends.
    #[schemars(with = "shape::When")]
    ends: Timestamp,
}

impl From<ApprovalView> for ApprovalBody {
    fn from(view: ApprovalView) -> Self {
        let ApprovalView { approval, state } = view;
        let subject = approval.subject;
        Self {
            id: approval.id,
            action: subject.action,
            resource: format!("{}:{}", subject.kind.word(), subject.resource),
            domain: subject.domain,
            request_hash: subject.request_hash.iter().map(|b| format!("{b:02x}")).collect(),
            reason: approval.reason,
            effect: approval.effect,
            state: state.word(),
            needed: approval.needed,
            approved: approval.verdicts.iter().filter(|verdict| verdict.approves).count(),
            requested_by: approval.requested_by.to_string(),
            requested: approval.requested_at,
            ends: approval.expires_at,
        }
    }
}

/// Requests that the caller may see.
#[derive(Debug, Serialize, JsonSchema)]
struct ApprovalList {
    /// The requests.
    items: Vec<ApprovalBody>,
}

async fn list(
    rooms: Arc<Rooms>,
    call: Call<NoParameters, NoParameters, ()>,
) -> Result<Json<ApprovalList>, Problem> {
    let permit = rooms.scope::<actions::ApprovalRead>(&call.caller)?;
    let items = rooms.access.approvals(permit)?.into_iter().map(ApprovalBody::from).collect();
    Ok(Json(ApprovalList { items }))
}

/// A request in the path.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ApprovalPath {
    /// The request for approval.
    #[schemars(with = "shape::Id<ApprovalId>")]
    approval: ApprovalId,
}

/// A request as the gate sees it; one that does not exist looks like one of the caller's own
/// domain.
fn resource(rooms: &Rooms, caller: &Caller, id: ApprovalId) -> Resource {
    let domain = rooms.access.approval_domain(id).unwrap_or(caller.domain);
    Resource::new(ResourceKind::Approval, id.to_string(), domain)
}

async fn show(
    rooms: Arc<Rooms>,
    call: Call<ApprovalPath, NoParameters, ()>,
) -> Result<Json<ApprovalBody>, Problem> {
    let resource = resource(&rooms, &call.caller, call.path.approval);
    let permit = rooms.permit::<actions::ApprovalRead>(&call.caller, resource)?;
    let found = rooms.access.approvals(permit)?.into_iter().next();
    Ok(Json(found.ok_or_else(|| Problem::not_found("approval"))?.into()))
}

/// What others are asked to approve.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ApprovalRequestBody {
    /// The act, with the very body that will carry it out.
    act: Act,
    /// Why.
    #[schemars(with = "shape::Text")]
    reason: Reason,
}

/// An act that others approve.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
enum Act {
    /// `POST /keys/{key}/destroy`.
    DestroyKey {
        /// The key.
        #[schemars(with = "shape::Id<KeyId>")]
        key: KeyId,
        /// The body.
        body: ReasonRequest,
    },
    /// `POST /keys/{key}/suspend`.
    SuspendKey {
        /// The key.
        #[schemars(with = "shape::Id<KeyId>")]
        key: KeyId,
        /// The body.
        body: SuspendBody,
    },
    /// `POST /keys/{key}/resume`.
    ResumeKey {
        /// The key.
        #[schemars(with = "shape::Id<KeyId>")]
        key: KeyId,
        /// The body.
        body: ResumeBody,
    },
    /// `POST /keys/{key}/export`.
    ExportKey {
        /// The key.
        #[schemars(with = "shape::Id<KeyId>")]
        key: KeyId,
        /// The body.
        body: ExportBody,
    },
    /// `POST /data/findings/{finding}/delete`.
    DeleteData {
        /// The finding.
        #[schemars(with = "shape::Id<FindingId>")]
        finding: FindingId,
        /// The body.
        body: WhyBody,
    },
    /// `PUT /identities/{holder}/roles`.
    GiveRole {
        /// The person, service or group.
        #[schemars(with = "shape::RoleHolder")]
        holder: RoleHolder,
        /// The body.
        body: GiveRoleRequest,
    },
    /// `PUT /groups/{group}/members/{holder}`.
    AddMember {
        /// The group.
        #[schemars(with = "shape::Id<GroupId>")]
        group: GroupId,
        /// The person or service.
        #[schemars(with = "shape::Holder")]
        holder: Holder,
    },
    /// `POST /people/{person}/reset-factors`.
    ResetFactors {
        /// The person.
        #[schemars(with = "shape::Id<PersonId>")]
        person: PersonId,
    },
}

fn new_approval(
    rooms: &Rooms,
    caller: &Arc<Caller>,
    asked: ApprovalRequestBody,
) -> Result<NewApproval, Problem> {
    let reason = asked.reason.as_str().to_owned();
    let on_key = |key, action, hash: &dyn Fn(&Resource) -> [u8; 32], effect| {
        let resource = rooms.keys.resource(key, caller.domain)?;
        let (request_hash, occasion) = (hash(&resource), Occasion::Always);
        let reason = reason.clone();
        Ok(NewApproval { action, occasion, resource, request_hash, reason, effect })
    };
    match asked.act {
        Act::DestroyKey { key, body } => {
            let request = keys::Destroy { reason: body.reason };
            let hash = |r: &Resource| approval_hash(Action::KeyDestroy, r, &request);
            let effect = vec![format!("what is encrypted under {key} can never be read again")];
            on_key(key, Action::KeyDestroy, &hash, effect)
        }
        Act::SuspendKey { key, body } => {
            let request = keys::Suspend::from(body);
            let hash = |r: &Resource| approval_hash(Action::KeySuspend, r, &request);
            let effect = request.stops.iter().map(ToString::to_string).collect();
            on_key(key, Action::KeySuspend, &hash, effect)
        }
        Act::DeleteData { finding, body } => {
            let resource = rooms.discover.finding_resource(finding, caller.domain)?;
            let request_hash = rooms.discover.delete_hash(&resource, &body.into())?;
            let effect = vec![loss(rooms, caller, finding, &resource)?];
            let (action, occasion) = (Action::DataDelete, Occasion::Always);
            Ok(NewApproval { action, occasion, resource, request_hash, reason, effect })
        }
        Act::ResumeKey { key, body } => {
            let request = keys::Resume { reason: body.reason };
            let hash = |r: &Resource| approval_hash(Action::KeyResume, r, &request);
            on_key(key, Action::KeyResume, &hash, vec![format!("{key} works again")])
        }
        Act::ExportKey { key, body } => {
            let request = keys::Export::from(body);
            let hash = |r: &Resource| approval_hash(Action::KeyExport, r, &request);
            let effect = vec![format!("{key} leaves, wrapped for the recipient, and stays out")];
            on_key(key, Action::KeyExport, &hash, effect)
        }
        Act::GiveRole { holder, body } => {
            let (resource, give) = (roles_of(holder), GiveRole::from(body));
            let effect = vec![format!("{holder} holds the role {}", give.role)];
            let request_hash = rooms.access.role_request_hash(&resource, give)?;
            let (action, occasion) = (Action::PolicyChange, Occasion::RoleGiven);
            Ok(NewApproval { action, occasion, resource, request_hash, reason, effect })
        }
        Act::AddMember { group, holder } => {
            let resource = roles_of(group);
            let request_hash = rooms.access.member_request_hash(&resource, holder.into())?;
            let effect = vec![format!("{holder} is in {group} and holds its roles")];
            let (action, occasion) = (Action::PolicyChange, Occasion::RoleGiven);
            Ok(NewApproval { action, occasion, resource, request_hash, reason, effect })
        }
        Act::ResetFactors { person } => {
            let resource = identity(person);
            let request_hash = Access::reset_request_hash(&resource);
            let effect = vec![format!("{person} sets password and second factor anew")];
            let (action, occasion) = (Action::IdentityManage, Occasion::FactorsReset);
            Ok(NewApproval { action, occasion, resource, request_hash, reason, effect })
        }
    }
}

/// What is lost with a deletion, as far as whoever asks may know it.
fn loss(
    rooms: &Rooms,
    caller: &Arc<Caller>,
    finding: FindingId,
    resource: &Resource,
) -> Result<String, Problem> {
    if rooms.gate.explain(caller, Action::DataRead, resource).is_err() {
        return Ok(format!("the object of {finding} is lost for good"));
    }
    let permit = rooms.permit::<actions::DataRead>(caller, resource.clone())?;
    let found = rooms.discover.finding(permit)?;
    Ok(discover::loss_told(&found, &rooms.discover.source_name(found.source)?))
}

/// What was asked.
#[derive(Debug, Serialize, JsonSchema)]
struct CreatedApproval {
    /// Its identifier.
    #[schemars(with = "shape::Id<ApprovalId>")]
    id: ApprovalId,
}

async fn request(
    rooms: Arc<Rooms>,
    call: Call<NoParameters, NoParameters, FromJson<ApprovalRequestBody>>,
) -> Result<Created<CreatedApproval>, Problem> {
    let new = new_approval(&rooms, &call.caller, call.body.0)?;
    let domain = new.resource.domain;
    let permit = rooms.permit_in::<actions::ApprovalRequest>(&call.caller, domain)?;
    let id = rooms.access.request_approval(permit, new, call.repeat).await?;
    Ok(Created { at: format!("/approvals/{id}"), body: CreatedApproval { id } })
}

/// Where the request stands now.
#[derive(Debug, Serialize, JsonSchema)]
struct DecidedAnswer {
    /// `requested` while more are needed, `approved`, or `rejected`.
    state: &'static str,
}

impl From<ApprovalState> for DecidedAnswer {
    fn from(state: ApprovalState) -> Self {
        Self { state: state.word() }
    }
}

async fn approve(
    rooms: Arc<Rooms>,
    call: Call<ApprovalPath, NoParameters, ()>,
) -> Result<Json<DecidedAnswer>, Problem> {
    let resource = resource(&rooms, &call.caller, call.path.approval);
    let permit = rooms.permit::<actions::ApprovalDecide>(&call.caller, resource)?;
    Ok(Json(rooms.access.decide_approval(permit, true, "").await?.into()))
}

async fn reject(
    rooms: Arc<Rooms>,
    call: Call<ApprovalPath, NoParameters, FromJson<ReasonRequest>>,
) -> Result<Json<DecidedAnswer>, Problem> {
    let resource = resource(&rooms, &call.caller, call.path.approval);
    let permit = rooms.permit::<actions::ApprovalDecide>(&call.caller, resource)?;
    let reason = call.body.0.reason;
    Ok(Json(rooms.access.decide_approval(permit, false, reason.as_str()).await?.into()))
}
