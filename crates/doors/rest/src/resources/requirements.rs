//! Requirements of the regulator: where the bank stands, why, and what people decided.

use crate::Rooms;
use crate::answer::{Done, Json};
use crate::call::{Call, FromJson, NoParameters};
use crate::fault::parameter;
use crate::fields::Told;
use crate::rooms::blocking;
use crate::shape;
use crate::table::{Needs, Table, get, post, put};
use comply::{
    Change, CheckRun, Guide, GuideView, Institution, Layer, Origin, Period, Profile,
    RequirementPage, Standing, Status, TextStatus,
};
use kernel::{Action, Caller, DomainId, Name, Problem, Resource, ResourceKind, Timestamp, actions};
use keys::Reason;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

const AREA: &str = "requirements";
/// The period that evidence of one requirement covers when none is said.
const PERIOD_DAYS: i64 = 90;

pub(crate) fn lines(table: &mut Table) {
    let read = Needs::Permit(Action::RequirementRead);
    let change_of = Needs::Permit(Action::RequirementChange);
    table.closed(AREA, get("/requirements", read, "Lists requirements with their status."), list);
    table.closed(
        AREA,
        get("/requirements/{requirement}", read, "Shows a requirement with its evidence."),
        show,
    );
    table.closed(
        AREA,
        post("/requirements/{requirement}/changes", change_of, "Records what people decided."),
        change,
    );
    table.closed(
        AREA,
        post("/runs", Needs::Permit(Action::CheckRun), "Runs every check now.").repeatable(),
        run,
    );
    table.closed(AREA, get("/runs/latest", read, "Gives the newest run of the checks."), latest);
    table.closed(
        AREA,
        get("/runs/schedule", read, "Says when the checks ran last and run next."),
        schedule,
    );
    table.closed(AREA, get("/guides/{guide}", read, "Answers a guideline point by point."), guide);
    table.closed(AREA, get("/profile", read, "Gives the institution's profile."), profile);
    table.closed(AREA, put("/profile", change_of, "Sets the institution's profile."), set_profile);
}

/// A requirement with its status.
#[derive(Debug, Serialize, JsonSchema)]
struct RequirementItem {
    /// Our identifier.
    id: String,
    /// The key of its source.
    source: String,
    /// The paragraph in the source.
    section: String,
    /// A title of ours.
    title: String,
    /// The status.
    #[schemars(with = "shape::Text")]
    status: Status,
    /// What is missing or wrong; empty when nothing is.
    gap: String,
}

/// Every requirement, judged.
#[derive(Debug, Serialize, JsonSchema)]
struct RequirementList {
    /// When it was judged.
    #[schemars(with = "shape::When")]
    at: Timestamp,
    /// In the order of the catalogue.
    items: Vec<RequirementItem>,
}

/// A designation is confidential: whoever may change the profile may see what follows from it.
fn sees_designation(rooms: &Rooms, caller: &Caller) -> bool {
    let all = Resource::all(ResourceKind::Requirement, DomainId::SYSTEM);
    rooms.gate.explain(caller, Action::RequirementChange, &all).is_ok()
}

type Plain = Call<NoParameters, NoParameters, ()>;

async fn list(rooms: Arc<Rooms>, call: Plain) -> Result<Json<RequirementList>, Problem> {
    let designation = sees_designation(&rooms, &call.caller);
    let permit = rooms.scope::<actions::RequirementRead>(&call.caller)?;
    blocking(move || {
        let compliance = &rooms.comply.compliance;
        let assessment = compliance.assessment(permit, designation)?;
        let catalogue = &compliance.data().catalogue;
        let items = assessment.judged.into_iter().filter_map(|judged| {
            let (_, requirement) = catalogue.find(&judged.requirement)?;
            Some(RequirementItem {
                id: judged.requirement.as_str().to_owned(),
                source: judged.source,
                section: requirement.section.clone(),
                title: requirement.title.clone(),
                status: judged.judgement.status,
                gap: judged.judgement.gap,
            })
        });
        Ok(Json(RequirementList { at: assessment.at, items: items.collect() }))
    })
    .await
}

/// When the checks run by themselves.
#[derive(Debug, Serialize, JsonSchema)]
struct Schedule {
    /// Hours between two runs; none where no schedule is kept.
    every_hours: Option<u32>,
    /// When they ran last, by themselves or because somebody asked.
    #[schemars(with = "Option<shape::When>")]
    last: Option<Timestamp>,
    /// When they are due; none while they have never run: then at once.
    #[schemars(with = "Option<shape::When>")]
    next: Option<Timestamp>,
}

async fn schedule(rooms: Arc<Rooms>, call: Plain) -> Result<Json<Schedule>, Problem> {
    let permit = rooms.scope::<actions::RequirementRead>(&call.caller)?;
    let found = rooms.comply.compliance.schedule()?;
    rooms.note_read(permit);
    let every_hours = found.map(|schedule| schedule.every_hours);
    let (last, next) = found.map_or((None, None), |schedule| (schedule.last, schedule.next));
    Ok(Json(Schedule { every_hours, last, next }))
}

/// A requirement in the path.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RequirementPath {
    /// Its identifier in the catalogue.
    #[schemars(length(min = 1, max = 64))]
    requirement: String,
}

/// Over which period.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PeriodQuery {
    /// Its beginning; ninety days before its end when not said.
    #[schemars(with = "Option<shape::When>")]
    from: Option<Timestamp>,
    /// Its end; now when not said.
    #[schemars(with = "Option<shape::When>")]
    to: Option<Timestamp>,
}

/// A period as somebody asked for it.
pub(super) fn period(
    rooms: &Rooms,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
) -> Option<Period> {
    let to = to.unwrap_or_else(|| rooms.clock.wall());
    Period::new(from.unwrap_or_else(|| to.plus_days(-PERIOD_DAYS)), to).ok()
}

fn requirement(path: &RequirementPath) -> Resource {
    Resource::new(ResourceKind::Requirement, path.requirement.as_str(), DomainId::SYSTEM)
}

async fn show(
    rooms: Arc<Rooms>,
    call: Call<RequirementPath, PeriodQuery, ()>,
) -> Result<Json<Told<RequirementPage>>, Problem> {
    let PeriodQuery { from, to } = call.query;
    let wrong = || parameter("from", "expected a time before `to`");
    let period = period(&rooms, from, to).ok_or_else(wrong)?;
    let designation = sees_designation(&rooms, &call.caller);
    let resource = requirement(&call.path);
    let permit = rooms.permit::<actions::RequirementRead>(&call.caller, resource)?;
    let page = move || Ok(rooms.comply.compliance.requirement(permit, period, designation)?);
    Ok(Json(Told(blocking(page).await?)))
}

/// What somebody decided about a requirement.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
enum ChangeRequest {
    /// Confirm the text, so that met and not met may be said.
    ConfirmText {
        /// Official, or the bank's own copy.
        #[schemars(with = "shape::ConfirmedTextStatus")]
        text_status: TextStatus,
        /// The paragraph as the text has it.
        #[schemars(with = "shape::Name")]
        reference: Name,
        /// The title as the text has it.
        #[schemars(with = "shape::Name")]
        title: Name,
        /// Whether it binds.
        #[schemars(with = "shape::LayerWord")]
        layer: Layer,
    },
    /// Name the owner: a role, not a person.
    AssignOwner {
        /// The role.
        #[schemars(with = "shape::Name")]
        owner: Name,
    },
    /// Accept the risk for a time.
    AcceptRisk {
        /// When the acceptance ends.
        #[schemars(with = "shape::When")]
        until: Timestamp,
        /// Why.
        #[schemars(with = "shape::Text")]
        reason: Reason,
    },
    /// Declare that it does not apply.
    DeclareNotApplicable {
        /// Why.
        #[schemars(with = "shape::Text")]
        reason: Reason,
    },
    /// Leave a good practice out.
    DoNotAdopt {
        /// Why.
        #[schemars(with = "shape::Text")]
        reason: Reason,
    },
    /// Take the decision back.
    TakeBack,
}

impl From<ChangeRequest> for Change {
    fn from(request: ChangeRequest) -> Self {
        let text = |reason: Reason| reason.as_str().to_owned();
        match request {
            ChangeRequest::ConfirmText { text_status, reference, title, layer } => {
                Self::ConfirmText { text_status, reference, title, layer }
            }
            ChangeRequest::AssignOwner { owner } => Self::AssignOwner { owner },
            ChangeRequest::AcceptRisk { until, reason } => {
                Self::AcceptRisk { until, reason: text(reason) }
            }
            ChangeRequest::DeclareNotApplicable { reason } => {
                Self::DeclareNotApplicable { reason: text(reason) }
            }
            ChangeRequest::DoNotAdopt { reason } => Self::DoNotAdopt { reason: text(reason) },
            ChangeRequest::TakeBack => Self::TakeBack,
        }
    }
}

async fn change(
    rooms: Arc<Rooms>,
    call: Call<RequirementPath, NoParameters, FromJson<ChangeRequest>>,
) -> Result<Json<Told<Standing>>, Problem> {
    let resource = requirement(&call.path);
    let permit = rooms.permit::<actions::RequirementChange>(&call.caller, resource)?;
    Ok(Json(Told(rooms.comply.compliance.change(permit, call.body.0.into()).await?)))
}

async fn run(rooms: Arc<Rooms>, call: Plain) -> Result<Json<Told<CheckRun>>, Problem> {
    let permit = rooms.permit_in::<actions::CheckRun>(&call.caller, DomainId::SYSTEM)?;
    // Reading facts may keep a thread busy for a second; the commit at its end is awaited there
    // too.
    let runtime = tokio::runtime::Handle::current();
    let done =
        move || Ok(runtime.block_on(rooms.comply.compliance.run_checks(permit, call.repeat))?);
    Ok(Json(Told(blocking(done).await?)))
}

async fn latest(rooms: Arc<Rooms>, call: Plain) -> Result<Json<Told<CheckRun>>, Problem> {
    let permit = rooms.scope::<actions::RequirementRead>(&call.caller)?;
    rooms.note_read(permit);
    let found = blocking(move || Ok(rooms.comply.compliance.latest_run()?)).await?;
    Ok(Json(Told(found.ok_or_else(|| Problem::not_found("run"))?)))
}

/// A guide in the path.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GuidePath {
    /// The guide.
    #[schemars(with = "shape::GuideWord")]
    guide: String,
}

async fn guide(
    rooms: Arc<Rooms>,
    call: Call<GuidePath, NoParameters, ()>,
) -> Result<Json<Told<GuideView>>, Problem> {
    let which = Guide::from_word(&call.path.guide).ok_or_else(|| Problem::not_found("guide"))?;
    let permit = rooms.scope::<actions::RequirementRead>(&call.caller)?;
    let view = move || Ok(rooms.comply.compliance.guide(permit, which)?);
    Ok(Json(Told(blocking(view).await?)))
}

/// What kind of institution this is.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Profile")]
struct ProfileBody {
    /// Its kind.
    #[schemars(with = "shape::InstitutionWord")]
    institution: Institution,
    /// Where it is incorporated.
    #[schemars(with = "shape::OriginWord")]
    origin: Origin,
    /// Whether it is a designated operator of critical infrastructure; confidential, and shown only
    /// to those who may change it.
    #[serde(skip_serializing_if = "Option::is_none")]
    critical_infrastructure_operator: Option<bool>,
}

async fn profile(rooms: Arc<Rooms>, call: Plain) -> Result<Json<ProfileBody>, Problem> {
    let permit = rooms.scope::<actions::RequirementRead>(&call.caller)?;
    rooms.note_read(permit);
    let found = rooms.comply.compliance.profile()?;
    let found = found.ok_or_else(|| Problem::not_found("profile"))?;
    let shown = sees_designation(&rooms, &call.caller);
    Ok(Json(ProfileBody {
        institution: found.institution,
        origin: found.origin,
        critical_infrastructure_operator: shown.then_some(found.critical_infrastructure_operator),
    }))
}

async fn set_profile(
    rooms: Arc<Rooms>,
    call: Call<NoParameters, NoParameters, FromJson<ProfileBody>>,
) -> Result<Done, Problem> {
    let ProfileBody { institution, origin, critical_infrastructure_operator } = call.body.0;
    let critical_infrastructure_operator = critical_infrastructure_operator.unwrap_or(false);
    let permit = rooms.permit_in::<actions::RequirementChange>(&call.caller, DomainId::SYSTEM)?;
    let profile = Profile { institution, origin, critical_infrastructure_operator };
    rooms.comply.compliance.set_profile(permit, profile).await?;
    Ok(Done)
}
