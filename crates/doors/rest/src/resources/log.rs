//! The log: events, evidence, checkpoints, proofs, export.

use crate::Rooms;
use crate::answer::{File, Json, Text};
use crate::call::{Call, NoParameters};
use crate::fault::parameter;
use crate::fields::PageLimit;
use crate::rooms::blocking;
use crate::shape;
use crate::table::{Needs, Table, get};
use audit::leaf::Salt;
use audit::line::Line;
use audit::{Hash, LoggedEvent, Query};
use kernel::{
    Action, Decision, DomainId, LogPosition, Outcome, PersonId, Principal, Problem, Scope,
    ServiceId, Timestamp, actions,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

const AREA: &str = "log";
/// Most events of one export: some 100 MB; larger ones are taken in parts.
const EXPORT_EVENTS_MAX: u64 = 100_000;

pub(crate) fn lines(table: &mut Table) {
    let read = Needs::Permit(Action::LogRead);
    table.closed(AREA, get("/log/events", read, "Finds events, newest first."), events);
    table.closed(
        AREA,
        get(
            "/log/events/{position}",
            read,
            "Gives one event with all that proves it is in the log of the checkpoint.",
        ),
        evidence,
    );
    table.closed(
        AREA,
        get("/log/checkpoint", read, "Gives the newest checkpoint (C2SP signed note)."),
        checkpoint,
    );
    table.closed(
        AREA,
        get("/log/key", read, "Gives the key that verifies checkpoints (C2SP vkey)."),
        verifier_key,
    );
    table.closed(
        AREA,
        get(
            "/log/consistency",
            read,
            "Proves that the log of one size is the beginning of the log of another (RFC 9162).",
        ),
        consistency,
    );
    table.closed(
        AREA,
        get(
            "/log/export",
            Needs::Permit(Action::LogExport),
            "Exports events as JSON lines with all that recomputes their leaves.",
        ),
        export,
    );
}

/// What to look for; everything that is given must match.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct EventsQuery {
    /// Who: a person, a service, or `system`.
    #[schemars(with = "Option<shape::Principal>")]
    principal: Option<String>,
    /// The action's word, or its beginning when it ends in a dot.
    action: Option<String>,
    /// Kind and id, such as `key:key_…`.
    resource: Option<String>,
    /// The key domain.
    #[schemars(with = "Option<shape::Id<DomainId>>")]
    domain: Option<DomainId>,
    /// What the gate said.
    #[schemars(with = "Option<shape::DecisionWord>")]
    decision: Option<Decision>,
    /// The id by which the caller knew the request.
    correlation: Option<String>,
    /// Not before.
    #[schemars(with = "Option<shape::When>")]
    from: Option<Timestamp>,
    /// Before.
    #[schemars(with = "Option<shape::When>")]
    until: Option<Timestamp>,
    /// Where to go on: `next` of the page before.
    before: Option<u64>,
    /// How many at most; 50 when not said.
    limit: Option<PageLimit>,
}

/// A page of events.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct EventList {
    /// Newest first; may be short or empty although there is more.
    items: Vec<EventBody>,
    /// Give it as `before` for the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<u64>,
}

/// One event.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Event")]
struct EventBody {
    /// Its position in the log, from 0.
    position: u64,
    /// When it was decided.
    #[schemars(with = "shape::When")]
    at: Timestamp,
    /// The log's own time, which never goes back.
    #[schemars(with = "shape::When")]
    logged: Timestamp,
    /// The action's word, or the word of a system event.
    action: String,
    /// Kind and id of the resource.
    resource: String,
    /// The key domain.
    #[schemars(with = "shape::Id<DomainId>")]
    domain: DomainId,
    /// Who.
    principal: String,
    /// What the gate said.
    #[schemars(with = "shape::DecisionWord")]
    decision: Decision,
    /// `done`, `refused` or `failed`.
    outcome: &'static str,
    /// The code of a refusal or failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    /// The version of the policy that decided.
    policy_version: u64,
    /// The id by which the caller knew the request.
    correlation: String,
    /// From arrival to record, in microseconds.
    latency_micros: u64,
    /// What else an auditor needs.
    details: Vec<DetailBody>,
}

/// One detail of an event.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Detail")]
struct DetailBody {
    /// What it is.
    name: String,
    /// What it says.
    value: String,
}

impl From<LoggedEvent> for EventBody {
    fn from(logged: LoggedEvent) -> Self {
        let LoggedEvent { position, logged, event } = logged;
        let (outcome, code) = match event.outcome {
            Outcome::Done => ("done", None),
            Outcome::Refused(code) => ("refused", Some(code.into_owned())),
            Outcome::Failed(code) => ("failed", Some(code.into_owned())),
        };
        let details = event.details.into_iter();
        Self {
            position: position.0,
            at: event.at,
            logged,
            action: event.action.into_owned(),
            resource: event.resource,
            domain: event.domain,
            principal: event.principal.to_string(),
            decision: event.decision,
            outcome,
            code,
            policy_version: event.policy_version,
            correlation: event.correlation,
            latency_micros: event.latency_micros,
            details: details
                .map(|(name, value)| DetailBody { name: name.into_owned(), value })
                .collect(),
        }
    }
}

impl From<audit::Page> for EventList {
    fn from(page: audit::Page) -> Self {
        let items = page.events.into_iter().map(EventBody::from).collect();
        Self { items, next: page.next.map(|position| position.0) }
    }
}

fn principal(text: &str) -> Result<Principal, Problem> {
    let person = text.parse::<PersonId>().ok().map(Principal::Person);
    let service = || text.parse::<ServiceId>().ok().map(Principal::Service);
    let system = || (text == "system").then_some(Principal::System);
    let wrong = || parameter("principal", "expected a person, a service or `system`");
    person.or_else(service).or_else(system).ok_or_else(wrong)
}

/// The key domains that a search may show: those asked for, as far as the permit goes.
fn domains_within(scope: &Scope, asked: Option<DomainId>) -> Option<Vec<DomainId>> {
    match (scope, asked) {
        (Scope::All, asked) => asked.map(|domain| vec![domain]),
        (Scope::Domains(domains), None) => Some(domains.clone()),
        (scope, Some(domain)) => Some(if scope.allows(domain) { vec![domain] } else { Vec::new() }),
    }
}

async fn events(
    rooms: Arc<Rooms>,
    call: Call<NoParameters, EventsQuery, ()>,
) -> Result<Json<EventList>, Problem> {
    let asked = call.query;
    let principal = asked.principal.as_deref().map(principal).transpose()?;
    let permit = rooms.scope::<actions::LogRead>(&call.caller)?;
    let query = Query {
        principal,
        action: asked.action,
        resource: asked.resource,
        domains: domains_within(&permit.scope(), asked.domain),
        decision: asked.decision,
        correlation: asked.correlation,
        from: asked.from,
        until: asked.until,
        before: asked.before.map(LogPosition),
    };
    let limit = PageLimit::items(asked.limit);
    let log = rooms.log.clone();
    rooms.note_read(permit);
    let page = blocking(move || Ok(log.query(&query, limit)?)).await?;
    Ok(Json(page.into()))
}

/// An event in the path.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PositionPath {
    /// Its position in the log, from 0.
    position: u64,
}

/// An event with all that proves it.
#[derive(Debug, Serialize, JsonSchema)]
struct Evidence {
    /// The newest checkpoint (C2SP signed note), in which the event is proven.
    checkpoint: String,
    /// The event.
    event: LineBody,
}

/// One event as it was hashed.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Line")]
struct LineBody {
    /// Its position.
    position: u64,
    /// The public part, exactly as it was hashed.
    public: String,
    /// The salt before it.
    #[schemars(with = "shape::Text")]
    public_salt: Salt,
    /// The hash of the personal part.
    #[schemars(with = "shape::Text")]
    personal_hash: Hash,
    /// The inclusion proof: hashes from the leaf to the root.
    #[schemars(with = "Vec<shape::Text>")]
    path: Vec<Hash>,
}

impl From<Line> for LineBody {
    fn from(line: Line) -> Self {
        Self {
            position: line.position,
            public: line.public,
            public_salt: line.public_salt,
            personal_hash: line.personal_hash,
            path: line.path,
        }
    }
}

async fn evidence(
    rooms: Arc<Rooms>,
    call: Call<PositionPath, NoParameters, ()>,
) -> Result<Json<Evidence>, Problem> {
    let position = LogPosition(call.path.position);
    let permit = rooms.scope::<actions::LogRead>(&call.caller)?;
    let scope = permit.scope();
    rooms.note_read(permit);
    let log = rooms.log.clone();
    blocking(move || {
        let logged = log.event(position)?;
        if !scope.allows(logged.event.domain) {
            return Err(Problem::not_found("event"));
        }
        let note = signed(&log)?;
        let size = log.head().size;
        // The head may have moved between note and proof; the proof is for the note's own size.
        let size =
            note.text().lines().nth(1).and_then(wire::checkpoint::parse_size).unwrap_or(size);
        let event = log.evidence(position, size)?.into();
        Ok(Json(Evidence { checkpoint: note.to_string(), event }))
    })
    .await
}

fn signed(log: &audit::Log) -> Result<wire::note::Note, Problem> {
    log.checkpoint().map_err(|cause| {
        tracing::error!(%cause, "a checkpoint could not be signed");
        let kind = kernel::ProblemKind::Internal;
        Problem::new(kind, "checkpoint", "the checkpoint could not be signed")
    })
}

type Plain = Call<NoParameters, NoParameters, ()>;

async fn checkpoint(rooms: Arc<Rooms>, call: Plain) -> Result<Text, Problem> {
    let permit = rooms.scope::<actions::LogRead>(&call.caller)?;
    rooms.note_read(permit);
    Ok(Text(signed(&rooms.log)?.to_string()))
}

async fn verifier_key(rooms: Arc<Rooms>, call: Plain) -> Result<Text, Problem> {
    let permit = rooms.scope::<actions::LogRead>(&call.caller)?;
    rooms.note_read(permit);
    Ok(Text(format!("{}\n", rooms.log.origin_key())))
}

/// Between which sizes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ConsistencyQuery {
    /// The smaller size.
    from: u64,
    /// The larger size; that of now when not said.
    to: Option<u64>,
}

/// A consistency proof.
#[derive(Debug, Serialize, JsonSchema)]
struct Consistency {
    /// The smaller size.
    from: u64,
    /// The larger size.
    to: u64,
    /// The hashes.
    #[schemars(with = "Vec<shape::Text>")]
    proof: Vec<Hash>,
}

async fn consistency(
    rooms: Arc<Rooms>,
    call: Call<NoParameters, ConsistencyQuery, ()>,
) -> Result<Json<Consistency>, Problem> {
    let from = call.query.from;
    let permit = rooms.scope::<actions::LogRead>(&call.caller)?;
    let size = rooms.log.head().size;
    let to = call.query.to.unwrap_or(size);
    rooms.note_read(permit);
    if to > size {
        return Err(parameter("to", format!("the log has {size} events")));
    }
    if from > to {
        return Err(parameter("from", "expected no more than `to`"));
    }
    let log = rooms.log.clone();
    let proof = blocking(move || Ok(log.consistency(from, to)?)).await?;
    Ok(Json(Consistency { from, to, proof }))
}

/// Which events.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ExportQuery {
    /// The first position.
    #[serde(default)]
    from: u64,
    /// Before this position; to the end, but at most 100,000 events, when not said.
    until: Option<u64>,
    /// Whether the personal parts come along.
    #[serde(default)]
    personal: bool,
}

async fn export(
    rooms: Arc<Rooms>,
    call: Call<NoParameters, ExportQuery, ()>,
) -> Result<File, Problem> {
    let ExportQuery { from, until, personal } = call.query;
    let permit = rooms.scope::<actions::LogExport>(&call.caller)?;
    if permit.scope() != Scope::All {
        let kind = kernel::ProblemKind::Refused;
        rooms.note_read(permit);
        return Err(Problem::new(kind, "whole-log-only", "the export is of the whole log"));
    }
    let until = until.unwrap_or(u64::MAX).min(from.saturating_add(EXPORT_EVENTS_MAX));
    rooms.note_read(permit);
    // What leaves is durable in the log first: an export is release of protected data.
    rooms.recorded().await?;
    let log = rooms.log.clone();
    let bytes = blocking(move || {
        let mut bytes = Vec::new();
        log.export(LogPosition(from), LogPosition(until), personal, |line| {
            if serde_json::to_writer(&mut bytes, line).is_ok() {
                bytes.push(b'\n');
            }
            Ok(())
        })?;
        Ok(bytes)
    })
    .await?;
    Ok(File { media: "application/jsonl", name: format!("log-from-{from}.jsonl"), bytes })
}
