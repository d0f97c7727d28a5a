//! Key domains: tenants with roots of their own.

use crate::Rooms;
use crate::answer::{Created, Json};
use crate::call::{Call, FromJson, NoParameters};
use crate::rooms::{blocking, repeat};
use crate::shape;
use crate::table::{Needs, Table, get, post};
use kernel::{Action, DomainId, Name, Problem, Resource, ResourceKind, Timestamp, actions};
use keys::{CreateDomain, Domain, WAITING_SECONDS_DEFAULT};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

const AREA: &str = "key domains";

pub(crate) fn lines(table: &mut Table) {
    let read = Needs::Permit(Action::DomainRead);
    table.closed(AREA, get("/domains", read, "Lists key domains by name."), list);
    table.closed(
        AREA,
        post("/domains", Needs::Permit(Action::DomainCreate), "Makes a key domain.").repeatable(),
        create,
    );
    table.closed(AREA, get("/domains/{domain}", read, "Shows a key domain."), show);
}

/// A key domain in the path.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DomainPath {
    /// The key domain.
    #[schemars(with = "shape::Id<DomainId>")]
    domain: DomainId,
}

/// A key domain.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Domain")]
struct DomainBody {
    /// Its identifier.
    #[schemars(with = "shape::Id<DomainId>")]
    id: DomainId,
    /// Its name.
    #[schemars(with = "shape::Name")]
    name: Name,
    /// When it was made.
    #[schemars(with = "shape::When")]
    created: Timestamp,
    /// How long a destruction can be taken back, in seconds.
    waiting_period_seconds: u64,
    /// What holds its root.
    root: &'static str,
}

impl From<Domain> for DomainBody {
    fn from(domain: Domain) -> Self {
        Self {
            id: domain.id,
            name: domain.name,
            created: domain.created_at,
            waiting_period_seconds: domain.waiting_period_seconds,
            root: domain.root.word(),
        }
    }
}

/// Every key domain that the caller may see.
#[derive(Debug, Serialize, JsonSchema)]
struct DomainList {
    /// By name.
    items: Vec<DomainBody>,
}

async fn list(
    rooms: Arc<Rooms>,
    call: Call<NoParameters, NoParameters, ()>,
) -> Result<Json<DomainList>, Problem> {
    let permit = rooms.scope::<actions::DomainRead>(&call.caller)?;
    let domains = blocking(move || Ok(rooms.keys.list_domains(permit)?)).await?;
    Ok(Json(DomainList { items: domains.into_iter().map(DomainBody::from).collect() }))
}

/// What a new key domain is to be.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CreateDomainRequest {
    /// Its name.
    #[schemars(with = "shape::Name")]
    name: Name,
    /// How long a destruction can be taken back: 0, or a day to a year, in seconds; a week when not
    /// said.
    #[serde(default = "week")]
    #[schemars(with = "shape::WaitingSeconds")]
    waiting_period_seconds: u64,
}

const fn week() -> u64 {
    WAITING_SECONDS_DEFAULT
}

async fn create(
    rooms: Arc<Rooms>,
    call: Call<NoParameters, NoParameters, FromJson<CreateDomainRequest>>,
) -> Result<Created<DomainBody>, Problem> {
    let body = call.body.0;
    let repeat = repeat(call.idempotency_key, &body);
    let CreateDomainRequest { name, waiting_period_seconds } = body;
    let request = CreateDomain { name, waiting_period_seconds };
    let permit = rooms.permit_in::<actions::DomainCreate>(&call.caller, DomainId::SYSTEM)?;
    let body = DomainBody::from(rooms.keys.create_domain(permit, &request, repeat).await?);
    Ok(Created { at: format!("/domains/{}", body.id), body })
}

async fn show(
    rooms: Arc<Rooms>,
    call: Call<DomainPath, NoParameters, ()>,
) -> Result<Json<DomainBody>, Problem> {
    let domain = call.path.domain;
    let resource = Resource::new(ResourceKind::Domain, domain.to_string(), domain);
    let permit = rooms.permit::<actions::DomainRead>(&call.caller, resource)?;
    Ok(Json(rooms.keys.read_domain(permit)?.into()))
}
