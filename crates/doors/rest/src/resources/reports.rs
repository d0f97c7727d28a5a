//! Reports: made from what is recorded, kept as packs that verify offline.

use super::requirements::period;
use crate::Rooms;
use crate::answer::{Created, File, Json};
use crate::call::{Call, FromJson, NoParameters};
use crate::shape;
use crate::table::{Needs, Table, get, post};
use comply::{ReportRecord, ReportRequest, Reports, Signatories};
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
        post("/reports", Needs::Permit(Action::ReportMake), "Makes a report of a period."),
        make,
    );
    table.closed(
        AREA,
        get("/reports/{report}", read, "Gives the pack (ZIP) that `lionrock verify` reads."),
        pack,
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
}

impl From<ReportRecord> for ReportBody {
    fn from(record: ReportRecord) -> Self {
        Self {
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
    let name = rooms.access.display_name(call.caller.principal);
    let preparer = Some(name.map_or_else(|| call.caller.principal.to_string(), String::from));
    let request = ReportRequest {
        period,
        sample: rooms.sample,
        show_designation: false,
        signatories: Signatories { preparer, reviewer: None, approver: None },
    };
    // Documents take seconds to write: not on a thread that serves connections.
    let runtime = tokio::runtime::Handle::current();
    let made = move || Ok(runtime.block_on(rooms.comply.reports.make(permit, request))?);
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
