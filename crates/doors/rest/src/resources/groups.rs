//! Groups: teams whose members hold the group's roles.
//!
//! A group's own roles are given and taken like anybody's, under `/identities/{holder}/roles`.

use super::identities::{AssignmentBody, Holder, identity, roles_of};
use crate::Rooms;
use crate::answer::{Created, Done, Json};
use crate::call::{Call, FromJson, NoParameters};
use crate::shape;
use crate::table::{Needs, Table, delete, get, patch, post, put};
use access::{ChangeGroup, Group, HeldRole, MEMBERS_MAX, NewGroup};
use kernel::limits::TEXT_CHARS_MAX;
use kernel::{Action, GroupId, Name, Problem, Timestamp, actions};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

const AREA: &str = "identities";

pub(crate) fn lines(table: &mut Table) {
    let read = Needs::Permit(Action::IdentityRead);
    let policy = Needs::Permit(Action::PolicyChange);
    table.closed(AREA, get("/groups", read, "Lists groups with members and roles."), groups);
    let create = post("/groups", policy, "Makes a group without members and roles.");
    table.closed(AREA, create.repeatable(), create_group);
    table.closed(AREA, get("/groups/{group}", read, "Shows one group."), group);
    let change = patch("/groups/{group}", policy, "Changes a group's name or description.");
    table.closed(AREA, change, change_group);
    let end = delete("/groups/{group}", policy, "Ends a group: its roles end at once.");
    table.closed(AREA, end, delete_group);
    let add = put(
        "/groups/{group}/members/{holder}",
        policy,
        "Lets a person or service in: it holds the group's roles.",
    );
    table.closed(AREA, add, add_member);
    let remove = delete(
        "/groups/{group}/members/{holder}",
        policy,
        "Puts a person or service out: it loses the group's roles at once.",
    );
    table.closed(AREA, remove, remove_member);
}

/// Somebody in a group.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Member")]
struct MemberBody {
    /// The person or service.
    #[schemars(with = "shape::Holder")]
    holder: String,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<shape::Name>")]
    name: Option<Name>,
    /// Since when.
    #[schemars(with = "shape::When")]
    since: Timestamp,
}

/// A group.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Group")]
struct GroupBody {
    /// Its identifier.
    #[schemars(with = "shape::Id<GroupId>")]
    id: GroupId,
    /// Its name.
    #[schemars(with = "shape::Name")]
    name: Name,
    /// What it is for; may be empty.
    description: String,
    /// Who is in it.
    #[schemars(length(max = MEMBERS_MAX))]
    members: Vec<MemberBody>,
    /// The roles that every member holds.
    roles: Vec<AssignmentBody>,
}

fn body(rooms: &Rooms, group: Group) -> GroupBody {
    let members = group.members.iter().map(|member| MemberBody {
        holder: member.who.to_string(),
        name: rooms.access.display_name(member.who),
        since: member.since,
    });
    GroupBody {
        id: group.id,
        members: members.collect(),
        name: group.name,
        description: group.description,
        roles: group.roles.into_iter().map(|own| HeldRole::from(own).into()).collect(),
    }
}

/// Groups that the caller may see.
#[derive(Debug, Serialize, JsonSchema)]
struct GroupList {
    /// By name.
    items: Vec<GroupBody>,
}

async fn groups(
    rooms: Arc<Rooms>,
    call: Call<NoParameters, NoParameters, ()>,
) -> Result<Json<GroupList>, Problem> {
    let permit = rooms.scope::<actions::IdentityRead>(&call.caller)?;
    let items = rooms.access.groups(permit).into_iter().map(|group| body(&rooms, group)).collect();
    Ok(Json(GroupList { items }))
}

/// A group in the path.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GroupPath {
    /// The group.
    #[schemars(with = "shape::Id<GroupId>")]
    group: GroupId,
}

async fn group(
    rooms: Arc<Rooms>,
    call: Call<GroupPath, NoParameters, ()>,
) -> Result<Json<GroupBody>, Problem> {
    let permit = rooms.permit::<actions::IdentityRead>(&call.caller, identity(call.path.group))?;
    let found = rooms.access.groups(permit).into_iter().next();
    Ok(Json(body(&rooms, found.ok_or_else(|| Problem::not_found("group"))?)))
}

/// A group that shall exist.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CreateGroupRequest {
    /// Its name; no two groups have one.
    #[schemars(with = "shape::Name")]
    name: Name,
    /// What it is for.
    #[serde(default)]
    #[schemars(length(max = TEXT_CHARS_MAX))]
    description: String,
}

/// What was made.
#[derive(Debug, Serialize, JsonSchema)]
struct CreatedGroup {
    /// Its identifier.
    #[schemars(with = "shape::Id<GroupId>")]
    id: GroupId,
}

async fn create_group(
    rooms: Arc<Rooms>,
    call: Call<NoParameters, NoParameters, FromJson<CreateGroupRequest>>,
) -> Result<Created<CreatedGroup>, Problem> {
    let CreateGroupRequest { name, description } = call.body.0;
    let permit = rooms.permit::<actions::PolicyChange>(&call.caller, roles_of("*"))?;
    let new = NewGroup { name, description };
    let id = rooms.access.create_group(permit, new, call.repeat).await?;
    Ok(Created { at: format!("/groups/{id}"), body: CreatedGroup { id } })
}

/// What shall be different; what is not said stays.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ChangeGroupRequest {
    /// Its name; no two groups have one.
    #[schemars(with = "Option<shape::Name>")]
    name: Option<Name>,
    /// What it is for.
    #[schemars(length(max = TEXT_CHARS_MAX))]
    description: Option<String>,
}

async fn change_group(
    rooms: Arc<Rooms>,
    call: Call<GroupPath, NoParameters, FromJson<ChangeGroupRequest>>,
) -> Result<Done, Problem> {
    let ChangeGroupRequest { name, description } = call.body.0;
    let resource = roles_of(call.path.group);
    let permit = rooms.permit::<actions::PolicyChange>(&call.caller, resource)?;
    rooms.access.change_group(permit, ChangeGroup { name, description }).await?;
    Ok(Done)
}

async fn delete_group(
    rooms: Arc<Rooms>,
    call: Call<GroupPath, NoParameters, ()>,
) -> Result<Done, Problem> {
    let resource = roles_of(call.path.group);
    let permit = rooms.permit::<actions::PolicyChange>(&call.caller, resource)?;
    rooms.access.delete_group(permit).await?;
    Ok(Done)
}

/// Somebody in a group, in the path.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct MemberPath {
    /// The group.
    #[schemars(with = "shape::Id<GroupId>")]
    group: GroupId,
    /// The person or service.
    #[schemars(with = "shape::Holder")]
    holder: Holder,
}

async fn add_member(
    rooms: Arc<Rooms>,
    call: Call<MemberPath, NoParameters, ()>,
) -> Result<Done, Problem> {
    let MemberPath { group, holder } = call.path;
    let permit = rooms.permit::<actions::PolicyChange>(&call.caller, roles_of(group))?;
    rooms.access.add_member(permit, holder.into()).await?;
    Ok(Done)
}

async fn remove_member(
    rooms: Arc<Rooms>,
    call: Call<MemberPath, NoParameters, ()>,
) -> Result<Done, Problem> {
    let MemberPath { group, holder } = call.path;
    let permit = rooms.permit::<actions::PolicyChange>(&call.caller, roles_of(group))?;
    rooms.access.remove_member(permit, holder.into()).await?;
    Ok(Done)
}
