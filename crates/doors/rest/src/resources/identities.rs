//! People, services and their roles.

use crate::Rooms;
use crate::answer::{Created, CreatedShown, Done, Json};
use crate::call::{Call, FromJson, NoParameters};
use crate::fields::SecretText;
use crate::shape;
use crate::table::{Needs, Table, delete, get, post, put};
use access::roles::{Assignment, Reach, Role};
use access::{
    GiveRole, HeldRole, Invitation, NewPerson, NewService, PersonView, ServiceView, SignInName,
};
use kernel::{
    Action, DomainId, GroupId, Name, PersonId, Principal, Problem, Resource, ResourceKind,
    ServiceId, Timestamp, actions,
};
use keys::Reason;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

const AREA: &str = "identities";

pub(crate) fn lines(table: &mut Table) {
    let read = Needs::Permit(Action::IdentityRead);
    let manage = Needs::Permit(Action::IdentityManage);
    let policy = Needs::Permit(Action::PolicyChange);
    table.closed(AREA, get("/people", read, "Lists people with their roles."), people);
    table.closed(
        AREA,
        post("/people", manage, "Makes an account; gives the link by which the person enrols.")
            .repeatable(),
        create_person,
    );
    table.closed(AREA, get("/people/{person}", read, "Shows one person."), person);
    table.closed(
        AREA,
        post("/people/{person}/reset-factors", manage, "Voids both factors; gives a new link."),
        reset_factors,
    );
    table.closed(AREA, get("/services", read, "Lists services with their roles."), services);
    table.closed(AREA, post("/services", manage, "Makes a service.").repeatable(), create_service);
    table.closed(AREA, get("/services/{service}", read, "Shows one service."), service);
    table.closed(
        AREA,
        post("/services/{service}/certificates", manage, "Binds a client certificate's key."),
        bind_certificate,
    );
    table.closed(
        AREA,
        delete(
            "/services/{service}/certificates/{spki_sha256}",
            manage,
            "Takes a client certificate's key away.",
        ),
        unbind_certificate,
    );
    table.closed(
        AREA,
        post("/identities/{holder}/lock", manage, "Locks an account at once."),
        lock,
    );
    table.closed(AREA, post("/identities/{holder}/unlock", manage, "Unlocks an account."), unlock);
    table.closed(AREA, put("/identities/{holder}/roles", policy, "Gives a role."), give_role);
    table.closed(
        AREA,
        post("/identities/{holder}/roles/take", policy, "Takes a role at once."),
        take_role,
    );
}

/// An identity as the gate sees it: identities belong to the installation, not to a key domain.
pub(super) fn identity(id: impl ToString) -> Resource {
    Resource::new(ResourceKind::Identity, id.to_string(), DomainId::SYSTEM)
}

/// A role as somebody holds it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Assignment")]
pub(super) struct AssignmentBody {
    /// The role.
    #[schemars(with = "shape::Role")]
    role: Role,
    /// The key domain it reaches; absent: the whole installation.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<shape::Id<DomainId>>")]
    domain: Option<DomainId>,
    /// Since when.
    #[schemars(with = "shape::When")]
    since: Timestamp,
    /// Until when; absent: until it is taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<shape::When>")]
    until: Option<Timestamp>,
    /// The group by which it is held; absent: it was given to the holder itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<shape::Id<GroupId>>")]
    group: Option<GroupId>,
}

impl From<HeldRole> for AssignmentBody {
    fn from(held: HeldRole) -> Self {
        let HeldRole { assignment, group } = held;
        let domain = match assignment.reach {
            Reach::Installation => None,
            Reach::Domain(domain) => Some(domain),
        };
        let Assignment { role, since, until, .. } = assignment;
        Self { role, domain, since, until, group }
    }
}

/// A person.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Person")]
struct PersonBody {
    /// Its identifier.
    #[schemars(with = "shape::Id<PersonId>")]
    id: PersonId,
    /// The name to sign in with.
    sign_in_name: String,
    /// The name on screen.
    #[schemars(with = "shape::Name")]
    name: Name,
    /// Its roles, of its own first, then by groups.
    roles: Vec<AssignmentBody>,
    /// Whether it can sign in: both factors are enrolled, and it is not locked.
    active: bool,
    /// Whether it is locked.
    locked: bool,
    /// When it last signed in.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<shape::When>")]
    signed_in: Option<Timestamp>,
}

impl From<PersonView> for PersonBody {
    fn from(view: PersonView) -> Self {
        let PersonView { person, roles, signed_in_at } = view;
        Self {
            id: person.id,
            active: person.is_active(),
            locked: person.lock.is_some(),
            sign_in_name: person.sign_in_name.as_str().to_owned(),
            name: person.name,
            roles: roles.into_iter().map(AssignmentBody::from).collect(),
            signed_in: signed_in_at,
        }
    }
}

/// People whom the caller may see.
#[derive(Debug, Serialize, JsonSchema)]
struct PersonList {
    /// By name.
    items: Vec<PersonBody>,
}

type Plain = Call<NoParameters, NoParameters, ()>;

async fn people(rooms: Arc<Rooms>, call: Plain) -> Result<Json<PersonList>, Problem> {
    let permit = rooms.scope::<actions::IdentityRead>(&call.caller)?;
    let items = rooms.access.people(permit).into_iter().map(PersonBody::from).collect();
    Ok(Json(PersonList { items }))
}

/// Somebody who shall have an account.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CreatePersonRequest {
    /// The name to sign in with.
    #[schemars(with = "shape::SignInName")]
    sign_in_name: SignInName,
    /// The name on screen.
    #[schemars(with = "shape::Name")]
    name: Name,
}

/// A link by which a person enrols; it is shown once.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Invitation")]
struct InvitationBody {
    /// Whom it lets in.
    #[schemars(with = "shape::Id<PersonId>")]
    person: PersonId,
    /// The token of the link.
    link: SecretText,
    /// When it ends.
    #[schemars(with = "shape::When")]
    ends: Timestamp,
}

impl From<Invitation> for InvitationBody {
    fn from(invitation: Invitation) -> Self {
        let link = SecretText::new(invitation.link.expose().clone());
        Self { person: invitation.person, link, ends: invitation.expires_at }
    }
}

async fn create_person(
    rooms: Arc<Rooms>,
    call: Call<NoParameters, NoParameters, FromJson<CreatePersonRequest>>,
) -> Result<CreatedShown<InvitationBody>, Problem> {
    let CreatePersonRequest { sign_in_name, name } = call.body.0;
    let permit = rooms.permit_in::<actions::IdentityManage>(&call.caller, DomainId::SYSTEM)?;
    let new = NewPerson { sign_in_name, name };
    let invitation = rooms.access.create_person(permit, new, call.repeat).await?;
    let body = InvitationBody::from(invitation);
    Ok(CreatedShown(Created { at: format!("/people/{}", body.person), body }))
}

/// A person in the path.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PersonPath {
    /// The person.
    #[schemars(with = "shape::Id<PersonId>")]
    person: PersonId,
}

async fn person(
    rooms: Arc<Rooms>,
    call: Call<PersonPath, NoParameters, ()>,
) -> Result<Json<PersonBody>, Problem> {
    let permit = rooms.permit::<actions::IdentityRead>(&call.caller, identity(call.path.person))?;
    let found = rooms.access.people(permit).into_iter().next();
    Ok(Json(found.ok_or_else(|| Problem::not_found("person"))?.into()))
}

async fn reset_factors(
    rooms: Arc<Rooms>,
    call: Call<PersonPath, NoParameters, ()>,
) -> Result<CreatedShown<InvitationBody>, Problem> {
    let resource = identity(call.path.person);
    let permit = rooms.permit::<actions::IdentityManage>(&call.caller, resource)?;
    let body = InvitationBody::from(rooms.access.reset_factors(permit).await?);
    Ok(CreatedShown(Created { at: format!("/people/{}", body.person), body }))
}

/// A service.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Service")]
struct ServiceBody {
    /// Its identifier.
    #[schemars(with = "shape::Id<ServiceId>")]
    id: ServiceId,
    /// Its name.
    #[schemars(with = "shape::Name")]
    name: Name,
    /// The platform engineer who makes its tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<shape::Id<PersonId>>")]
    owner: Option<PersonId>,
    /// The workloads whose keys it may use; none: all of its key domain.
    #[schemars(with = "Vec<shape::Name>")]
    workloads: Vec<Name>,
    /// Its roles, of its own first, then by groups.
    roles: Vec<AssignmentBody>,
    /// SHA-256 of the SubjectPublicKeyInfo of each client certificate.
    #[schemars(with = "Vec<shape::Sha256>")]
    certificates: Vec<String>,
    /// Whether it is locked.
    locked: bool,
}

impl From<ServiceView> for ServiceBody {
    fn from(view: ServiceView) -> Self {
        let ServiceView { service, roles } = view;
        let certificates = service.certificates.iter();
        Self {
            id: service.id,
            name: service.name,
            owner: service.owner,
            workloads: service.workloads,
            certificates: certificates.map(|bound| hex(&bound.spki_sha256)).collect(),
            locked: service.lock.is_some(),
            roles: roles.into_iter().map(AssignmentBody::from).collect(),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Services that the caller may see.
#[derive(Debug, Serialize, JsonSchema)]
struct ServiceList {
    /// By name.
    items: Vec<ServiceBody>,
}

async fn services(rooms: Arc<Rooms>, call: Plain) -> Result<Json<ServiceList>, Problem> {
    let permit = rooms.scope::<actions::IdentityRead>(&call.caller)?;
    let items = rooms.access.services(permit).into_iter().map(ServiceBody::from).collect();
    Ok(Json(ServiceList { items }))
}

/// A service that shall exist.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CreateServiceRequest {
    /// Its name; no two services have one.
    #[schemars(with = "shape::Name")]
    name: Name,
    /// The platform engineer who makes its tokens.
    #[schemars(with = "Option<shape::Id<PersonId>>")]
    owner: Option<PersonId>,
    /// Workloads whose keys it may use; none: all of its key domain.
    #[serde(default)]
    #[schemars(with = "Vec<shape::Name>", length(max = access::WORKLOADS_MAX))]
    workloads: Vec<Name>,
}

/// What was made.
#[derive(Debug, Serialize, JsonSchema)]
struct CreatedService {
    /// Its identifier.
    #[schemars(with = "shape::Id<ServiceId>")]
    id: ServiceId,
}

async fn create_service(
    rooms: Arc<Rooms>,
    call: Call<NoParameters, NoParameters, FromJson<CreateServiceRequest>>,
) -> Result<Created<CreatedService>, Problem> {
    let CreateServiceRequest { name, owner, workloads } = call.body.0;
    let permit = rooms.permit_in::<actions::IdentityManage>(&call.caller, DomainId::SYSTEM)?;
    let new = NewService { name, owner, workloads };
    let id = rooms.access.create_service(permit, new, call.repeat).await?;
    Ok(Created { at: format!("/services/{id}"), body: CreatedService { id } })
}

/// A service in the path.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ServicePath {
    /// The service.
    #[schemars(with = "shape::Id<ServiceId>")]
    service: ServiceId,
}

async fn service(
    rooms: Arc<Rooms>,
    call: Call<ServicePath, NoParameters, ()>,
) -> Result<Json<ServiceBody>, Problem> {
    let resource = identity(call.path.service);
    let permit = rooms.permit::<actions::IdentityRead>(&call.caller, resource)?;
    let found = rooms.access.services(permit).into_iter().next();
    Ok(Json(found.ok_or_else(|| Problem::not_found("service"))?.into()))
}

/// The key of a client certificate.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct BindRequest {
    /// SHA-256 of its SubjectPublicKeyInfo (RFC 7469, section 2.4), in hexadecimal.
    #[schemars(with = "shape::Sha256")]
    spki_sha256: String,
    /// What it is called.
    #[schemars(with = "shape::Name")]
    name: Name,
}

fn sha256(text: &str) -> Option<[u8; 32]> {
    let digit = |byte: u8| char::from(byte).to_digit(16).filter(|_| !byte.is_ascii_uppercase());
    let mut hash = [0u8; 32];
    let bytes = text.as_bytes();
    if bytes.len() != 64 {
        return None;
    }
    for (to, pair) in hash.iter_mut().zip(bytes.chunks_exact(2)) {
        let (high, low) = (digit(*pair.first()?)?, digit(*pair.get(1)?)?);
        *to = u8::try_from(high * 16 + low).ok()?;
    }
    Some(hash)
}

async fn bind_certificate(
    rooms: Arc<Rooms>,
    call: Call<ServicePath, NoParameters, FromJson<BindRequest>>,
) -> Result<Done, Problem> {
    let BindRequest { spki_sha256, name } = call.body.0;
    let hash = sha256(&spki_sha256)
        .ok_or_else(|| Problem::field("/spki_sha256", "expected 64 hexadecimal digits"))?;
    let resource = identity(call.path.service);
    let permit = rooms.permit::<actions::IdentityManage>(&call.caller, resource)?;
    rooms.access.bind_certificate(permit, hash, name).await?;
    Ok(Done)
}

/// A client certificate's key in the path.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CertificatePath {
    /// The service.
    #[schemars(with = "shape::Id<ServiceId>")]
    service: ServiceId,
    /// SHA-256 of the certificate's SubjectPublicKeyInfo.
    #[schemars(with = "shape::Sha256")]
    spki_sha256: String,
}

async fn unbind_certificate(
    rooms: Arc<Rooms>,
    call: Call<CertificatePath, NoParameters, ()>,
) -> Result<Done, Problem> {
    let CertificatePath { service, spki_sha256 } = call.path;
    let wrong = || crate::fault::parameter("spki_sha256", "expected 64 hexadecimal digits");
    let hash = sha256(&spki_sha256).ok_or_else(wrong)?;
    let permit = rooms.permit::<actions::IdentityManage>(&call.caller, identity(service))?;
    rooms.access.unbind_certificate(permit, hash).await?;
    Ok(Done)
}

/// A person or service.
#[derive(Debug, Clone, Copy)]
pub(super) enum Holder {
    Person(PersonId),
    Service(ServiceId),
}

impl std::fmt::Display for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Person(id) => id.fmt(f),
            Self::Service(id) => id.fmt(f),
        }
    }
}

impl<'de> Deserialize<'de> for Holder {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let person = text.parse().ok().map(Self::Person);
        let service = || text.parse().ok().map(Self::Service);
        let wrong = || serde::de::Error::custom("expected a person or a service");
        person.or_else(service).ok_or_else(wrong)
    }
}

impl From<Holder> for Principal {
    fn from(holder: Holder) -> Self {
        match holder {
            Holder::Person(id) => Self::Person(id),
            Holder::Service(id) => Self::Service(id),
        }
    }
}

/// Whom roles can be given to.
#[derive(Debug, Clone, Copy)]
pub(super) enum RoleHolder {
    One(Holder),
    Group(GroupId),
}

impl std::fmt::Display for RoleHolder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::One(holder) => holder.fmt(f),
            Self::Group(id) => id.fmt(f),
        }
    }
}

impl<'de> Deserialize<'de> for RoleHolder {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let one = || text.parse().map(Holder::Person).ok();
        let service = || text.parse().map(Holder::Service).ok();
        let group = || text.parse().map(Self::Group).ok();
        let wrong = || serde::de::Error::custom("expected a person, a service or a group");
        one().or_else(service).map(Self::One).or_else(group).ok_or_else(wrong)
    }
}

/// Whom a role is given to, in the path.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RoleHolderPath {
    /// The person, service or group.
    #[schemars(with = "shape::RoleHolder")]
    holder: RoleHolder,
}

/// A person or service in the path.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct HolderPath {
    /// The person or service.
    #[schemars(with = "shape::Holder")]
    holder: Holder,
}

/// Why.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct LockRequest {
    /// In words; kept in the log.
    #[schemars(with = "shape::Text")]
    reason: Reason,
}

async fn lock(
    rooms: Arc<Rooms>,
    call: Call<HolderPath, NoParameters, FromJson<LockRequest>>,
) -> Result<Done, Problem> {
    let resource = identity(call.path.holder);
    let permit = rooms.permit::<actions::IdentityManage>(&call.caller, resource)?;
    rooms.access.lock(permit, call.body.0.reason.as_str()).await?;
    Ok(Done)
}

async fn unlock(
    rooms: Arc<Rooms>,
    call: Call<HolderPath, NoParameters, ()>,
) -> Result<Done, Problem> {
    let resource = identity(call.path.holder);
    let permit = rooms.permit::<actions::IdentityManage>(&call.caller, resource)?;
    rooms.access.unlock(permit).await?;
    Ok(Done)
}

/// A role that somebody shall have.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct GiveRoleRequest {
    /// The role.
    #[schemars(with = "shape::Role")]
    role: Role,
    /// The key domain it reaches; the whole installation when not said.
    #[schemars(with = "Option<shape::Id<DomainId>>")]
    domain: Option<DomainId>,
    /// Until when; a time-boxed role must have an end.
    #[schemars(with = "Option<shape::When>")]
    until: Option<Timestamp>,
}

impl From<GiveRoleRequest> for GiveRole {
    fn from(request: GiveRoleRequest) -> Self {
        let GiveRoleRequest { role, domain, until } = request;
        Self { role, reach: reach(domain), until }
    }
}

fn reach(domain: Option<DomainId>) -> Reach {
    domain.map_or(Reach::Installation, Reach::Domain)
}

/// Roles of somebody, as the gate sees a change of them.
pub(super) fn roles_of(holder: impl ToString) -> Resource {
    Resource::new(ResourceKind::Policy, holder.to_string(), DomainId::SYSTEM)
}

async fn give_role(
    rooms: Arc<Rooms>,
    call: Call<RoleHolderPath, NoParameters, FromJson<GiveRoleRequest>>,
) -> Result<Done, Problem> {
    let resource = roles_of(call.path.holder);
    let permit = rooms.permit::<actions::PolicyChange>(&call.caller, resource)?;
    rooms.access.give_role(permit, call.body.0.into()).await?;
    Ok(Done)
}

/// A role that somebody shall no longer have.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct TakeRoleRequest {
    /// The role.
    #[schemars(with = "shape::Role")]
    role: Role,
    /// The key domain it reaches; the whole installation when not said.
    #[schemars(with = "Option<shape::Id<DomainId>>")]
    domain: Option<DomainId>,
}

async fn take_role(
    rooms: Arc<Rooms>,
    call: Call<RoleHolderPath, NoParameters, FromJson<TakeRoleRequest>>,
) -> Result<Done, Problem> {
    let TakeRoleRequest { role, domain } = call.body.0;
    let resource = roles_of(call.path.holder);
    let permit = rooms.permit::<actions::PolicyChange>(&call.caller, resource)?;
    rooms.access.take_role(permit, role, reach(domain)).await?;
    Ok(Done)
}
