//! Reports: made from what is recorded, kept as packs that verify offline.

use super::requirements::period;
use crate::Rooms;
use crate::answer::{Created, File, Json};
use crate::call::{Call, FromJson, NoParameters};
use crate::shape;
use crate::table::{Needs, Table, get, post};
use comply::{ReportRecord, ReportRequest, Reports, Signing};
use kernel::{Action, DomainId, Problem, ReportId, Resource, ResourceKind, Timestamp, actions};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

const AREA: &str = "reports";

pub(crate) fn lines(table: &mut Table) {
    let read = Needs::Permit(Action::ReportRead);
    table.closed(AREA, get("/reports", read, "Lists reports, newest first."), list);
    table.closed(
        AREA,
        post("/reports", Needs::Permit(Action::ReportMake), "Makes a report of a period.")
            .repeatable(),
        make,
    );
    table.closed(
        AREA,
        get("/reports/{report}", read, "Gives the pack (ZIP) that `lionrock verify` reads."),
        pack,
    );
    table.closed(
        AREA,
        post(
            "/reports/{report}/signatures",
            Needs::Permit(Action::ReportSign),
            "Reviews, approves or returns a report.",
        ),
        sign,
    );
}

/// A report that was made.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Report")]
struct ReportBody {
    /// Its identifier.
    #[schemars(with = "shape::Id<ReportId>")]
    id: ReportId,
    /// When it was made.
    #[schemars(with = "shape::When")]
    made: Timestamp,
    /// Who made it.
    made_by: String,
    /// The beginning of its period.
    #[schemars(with = "shape::When")]
    from: Timestamp,
    /// The end of its period.
    #[schemars(with = "shape::When")]
    to: Timestamp,
    /// Whether it speaks of sample data.
    sample: bool,
    /// SHA-256 of the list of its documents, which the log vouches for.
    statement: String,
    /// Where it stands: `draft`, `reviewed`, `approved` or `returned`.
    #[schemars(with = "ReportState")]
    state: comply::ReportState,
    /// SHA-256 of the pack that is signed; none while the pack is not there.
    pack: Option<String>,
    /// Signatures, oldest first.
    signatures: Vec<SignatureBody>,
}

/// Where a report stands.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case")]
#[expect(dead_code, reason = "only its schema is used")]
enum ReportState {
    /// Prepared, and nothing more.
    Draft,
    /// Reviewed; waits for approval.
    Reviewed,
    /// Approved by a third person.
    Approved,
    /// Returned with a reason.
    Returned,
}

/// A step on the way of a report.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Step {
    /// Reviewed and found right.
    Review,
    /// Approved: the report is final.
    Approve,
    /// Returned to whoever prepared it, with a reason.
    Return,
}

/// A signature under a report.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ReportSignature")]
struct SignatureBody {
    /// The step.
    step: Step,
    /// Who.
    by: String,
    /// The name.
    name: String,
    /// The role in which they signed.
    role: String,
    /// When.
    #[schemars(with = "shape::When")]
    at: Timestamp,
    /// SHA-256 of the pack that was signed.
    pack: String,
    /// Why it was returned.
    reason: Option<String>,
    /// Where in the log it stands.
    position: Option<u64>,
}

impl From<comply::Signature> for SignatureBody {
    fn from(signature: comply::Signature) -> Self {
        let comply::Signature { step, by, pack, reason, recorded_at } = signature;
        Self {
            step: match step {
                comply::Step::Review => Step::Review,
                comply::Step::Approve => Step::Approve,
                comply::Step::Return => Step::Return,
            },
            by: by.who,
            name: by.name,
            role: by.role,
            at: by.at,
            pack,
            reason,
            position: recorded_at.map(|at| at.0),
        }
    }
}

impl From<ReportRecord> for ReportBody {
    fn from(record: ReportRecord) -> Self {
        Self {
            state: record.state(),
            pack: record.pack,
            signatures: record.signatures.into_iter().map(Into::into).collect(),
            id: record.id,
            made: record.made_at,
            made_by: record.made_by,
            from: record.from,
            to: record.to,
            sample: record.sample,
            statement: record.statement,
        }
    }
}

/// Reports, newest first.
#[derive(Debug, Serialize, JsonSchema)]
struct ReportList {
    /// The reports.
    items: Vec<ReportBody>,
}

async fn list(
    rooms: Arc<Rooms>,
    call: Call<NoParameters, NoParameters, ()>,
) -> Result<Json<ReportList>, Problem> {
    let permit = rooms.scope::<actions::ReportRead>(&call.caller)?;
    let found = rooms.comply.reports.list(permit).await?;
    Ok(Json(ReportList { items: found.into_iter().map(|(record, _)| record.into()).collect() }))
}

/// Which report is wanted.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct MakeRequest {
    /// The beginning of its period; ninety days before its end when not said.
    #[schemars(with = "Option<shape::When>")]
    from: Option<Timestamp>,
    /// The end of its period; now when not said.
    #[schemars(with = "Option<shape::When>")]
    to: Option<Timestamp>,
}

async fn make(
    rooms: Arc<Rooms>,
    call: Call<NoParameters, NoParameters, FromJson<MakeRequest>>,
) -> Result<Created<ReportBody>, Problem> {
    let MakeRequest { from, to } = call.body.0;
    let wrong = || Problem::field("/from", "expected a time before `to`");
    let period = period(&rooms, from, to).ok_or_else(wrong)?;
    let permit = rooms.permit::<actions::ReportMake>(&call.caller, Reports::resource())?;
    let preparer = rooms.signer(&call.caller, Action::ReportMake, &Reports::resource());
    let repeat = call.repeat;
    let (sample, show_designation) = (rooms.sample, false);
    let request = ReportRequest { period, sample, show_designation, preparer };
    // Documents take seconds to write: not on a thread that serves connections.
    let runtime = tokio::runtime::Handle::current();
    let made = move || Ok(runtime.block_on(rooms.comply.reports.make(permit, request, repeat))?);
    let body = ReportBody::from(crate::rooms::blocking(made).await?);
    Ok(Created { at: format!("/reports/{}", body.id), body })
}

/// A report in the path.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ReportPath {
    /// The report.
    #[schemars(with = "shape::Id<ReportId>")]
    report: ReportId,
}

/// A signature.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SignRequest {
    /// The step.
    step: Step,
    /// SHA-256 (hexadecimal) of the pack in hand: what is signed is what was read.
    #[schemars(with = "shape::Sha256")]
    pack: String,
    /// Why it is returned; for other steps none.
    reason: Option<String>,
}

async fn sign(
    rooms: Arc<Rooms>,
    call: Call<ReportPath, NoParameters, FromJson<SignRequest>>,
) -> Result<Json<ReportBody>, Problem> {
    let SignRequest { step, pack, reason } = call.body.0;
    let resource = rooms.comply.reports.resource_of(call.path.report)?;
    let permit = rooms.permit::<actions::ReportSign>(&call.caller, resource.clone())?;
    let signer = rooms.signer(&call.caller, Action::ReportSign, &resource);
    let step = match step {
        Step::Review => comply::Step::Review,
        Step::Approve => comply::Step::Approve,
        Step::Return => comply::Step::Return,
    };
    let signing = Signing { step, pack, reason };
    // An approval writes the final documents: not on a thread that serves connections.
    let runtime = tokio::runtime::Handle::current();
    let signed = move || Ok(runtime.block_on(rooms.comply.reports.sign(permit, signer, signing))?);
    Ok(Json(crate::rooms::blocking(signed).await?.into()))
}

async fn pack(
    rooms: Arc<Rooms>,
    call: Call<ReportPath, NoParameters, ()>,
) -> Result<File, Problem> {
    let id = call.path.report.to_string();
    let resource = Resource::new(ResourceKind::Report, id, DomainId::SYSTEM);
    let permit = rooms.permit::<actions::ReportRead>(&call.caller, resource)?;
    let (record, bytes) = rooms.comply.reports.read(permit).await?;
    Ok(File { media: "application/zip", name: format!("{}.zip", record.id), bytes })
}
