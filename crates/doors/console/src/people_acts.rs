//! What forms do about groups: made, filled, given roles; and what they had taken away.
//!
//! Where others must approve, a form asks them, and the same form carries it out afterwards.

use crate::desk::Desk;
use crate::fields::Fields;
use crate::load::people::read_role;
use access::approvals::{ApprovalError, Occasion};
use access::{AccessError, GiveRole, NewApproval, NewGroup};
use kernel::actions::{ApprovalRequest, PolicyChange};
use kernel::{Action, DomainId, GroupId, Permit, Principal, Problem, Resource, ResourceKind};
use std::sync::Arc;

/// Rights of somebody, as the gate sees a change of them.
pub(crate) fn rights(of: &str) -> Resource {
    Resource::new(ResourceKind::Policy, of, DomainId::SYSTEM)
}

/// Makes a group; goes on to it.
pub(crate) async fn create(desk: Arc<Desk>, fields: Fields) -> Result<String, Problem> {
    let wrong = |cause: kernel::LabelError| Problem::field("/name", cause.to_string());
    let name = fields.text("name").parse().map_err(wrong)?;
    let new = NewGroup { name, description: fields.text("description").to_owned() };
    let permit = desk.permit::<PolicyChange>(rights("*"))?;
    let id = desk.rooms.access.create_group(permit, new, None).await?;
    Ok(format!("/people#{id}"))
}

/// Does to a group what the form asks, or asks others for it.
pub(crate) async fn on_group(
    desk: Arc<Desk>,
    fields: Fields,
    id: GroupId,
    verb: String,
) -> Result<String, Problem> {
    let access = &desk.rooms.access;
    let resource = rights(&id.to_string());
    let permit = || desk.permit::<PolicyChange>(resource.clone());
    let done = format!("/people#{id}");
    match verb.as_str() {
        "let-in" => {
            let who = holder(&fields)?;
            let added = access.add_member(permit()?, who).await;
            if !needs_others(&added) {
                return Ok(added.map(|()| done)?);
            }
            let hash = access.member_request_hash(&resource, who)?;
            let effect = format!("{} is in {id} and holds its roles", desk.name_of(who));
            ask(&desk, &fields, resource, hash, effect).await
        }
        "put-out" => {
            let who = holder(&fields)?;
            access.remove_member(permit()?, who).await?;
            Ok(done)
        }
        "give" => {
            let text = format!("{} {}", fields.text("role"), fields.text("domain"));
            let (role, reach) = role(text.trim())?;
            let give = GiveRole { role, reach, until: None };
            let given = access.give_role(permit()?, give).await;
            if !needs_others(&given) {
                return Ok(given.map(|()| done)?);
            }
            let hash = access.role_request_hash(&resource, give)?;
            let effect = format!("every member of {id} holds the role {}", role.english());
            ask(&desk, &fields, resource, hash, effect).await
        }
        "take" => {
            let (role, reach) = role(fields.text("role"))?;
            let permit: Permit<PolicyChange> = permit()?;
            access.take_role(permit, role, reach).await?;
            Ok(done)
        }
        _ => Err(Problem::not_found("act on a group")),
    }
}

fn needs_others(answer: &Result<(), AccessError>) -> bool {
    matches!(answer, Err(AccessError::Approval(ApprovalError::Needed { .. })))
}

fn role(text: &str) -> Result<(access::roles::Role, access::roles::Reach), Problem> {
    read_role(text).ok_or_else(|| Problem::field("/role", "expected a role and its key domain"))
}

fn holder(fields: &Fields) -> Result<Principal, Problem> {
    let text = fields.text("holder");
    let person = text.parse().ok().map(Principal::Person);
    let service = || text.parse().ok().map(Principal::Service);
    person
        .or_else(service)
        .ok_or_else(|| Problem::field("/holder", "expected a person or a service"))
}

/// Asks others to approve a change of rights; goes on to the request.
async fn ask(
    desk: &Desk,
    fields: &Fields,
    resource: Resource,
    request_hash: [u8; 32],
    effect: String,
) -> Result<String, Problem> {
    let all = Resource::all(ResourceKind::Approval, resource.domain);
    let permit = desk.permit::<ApprovalRequest>(all)?;
    let new = NewApproval {
        action: Action::PolicyChange,
        occasion: Occasion::RoleGiven,
        resource,
        request_hash,
        reason: fields.text("reason").to_owned(),
        effect: vec![effect],
    };
    let id = desk.rooms.access.request_approval(permit, new, None).await?;
    Ok(format!("/requests#{id}"))
}
