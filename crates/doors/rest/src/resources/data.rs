//! Where sensitive data is looked for: sources, scans, detectors of the bank's own, pasted text.

use crate::Rooms;
use crate::answer::{Created, Done, File, Json};
use crate::call::{Call, FromJson, NoParameters};
use crate::fields::{SecretText, Told};
use crate::rooms::blocking;
use crate::shape;
use crate::table::{Needs, Table, delete, get, patch, post};
use discover::report::ReportForm;
use discover::{Edit, NewDetector, NewRule, NewSource, SourceChange, Under, Wanted};
use kernel::{Action, DomainId, Name, Problem, Resource, ScanId, SourceId, actions};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;

const AREA: &str = "data";

pub(crate) fn lines(table: &mut Table) {
    let read = Needs::Permit(Action::DataRead);
    let configure = Needs::Permit(Action::DataSource);
    let scan = Needs::Permit(Action::DataScan);
    table.closed(AREA, get("/data/sources", read, "Lists sources with where they stand."), list);
    table.closed(AREA, post("/data/sources", configure, "Adds a source."), add);
    table.closed(AREA, get("/data/sources/{source}", read, "Shows a source."), show);
    table.closed(
        AREA,
        patch("/data/sources/{source}", configure, "Changes a source: what is not named stays."),
        edit,
    );
    table.closed(
        AREA,
        get("/data/sources/{source}/edits", read, "Lists what was changed, newest first."),
        edits,
    );
    table.closed(
        AREA,
        delete("/data/sources/{source}", configure, "Removes a source with its findings."),
        remove,
    );
    table.closed(
        AREA,
        get("/data/sources/{source}/scans", read, "Lists scans of a source, newest first."),
        scans,
    );
    table.closed(AREA, post("/data/sources/{source}/scans", scan, "Begins a scan."), start);
    table.closed(
        AREA,
        post("/data/sources/{source}/cancel", scan, "Asks the scan of a source to stop."),
        cancel,
    );
    table.closed(AREA, get("/data/scans/{scan}", read, "Shows a scan with its progress."), one);
    table.closed(
        AREA,
        get("/data/detectors", read, "Lists detectors of the bank's own."),
        detectors,
    );
    table.closed(AREA, post("/data/detectors", configure, "Adds a detector."), add_detector);
    table.closed(
        AREA,
        delete("/data/detectors/{detector}", configure, "Removes a detector."),
        remove_detector,
    );
    table.closed(
        AREA,
        post("/data/try", read, "Tries the detectors on a text; nothing of it is kept."),
        try_text,
    );
    table.closed(
        AREA,
        get("/data/report", read, "Gives the findings as CSV, XLSX or HTML."),
        report,
    );
}

/// Things of discovery, described by the room that knows them.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Items {
    /// The things.
    pub(crate) items: Vec<Told<Value>>,
}

type Plain = Call<NoParameters, NoParameters, ()>;

async fn list(rooms: Arc<Rooms>, call: Plain) -> Result<Json<Items>, Problem> {
    let permit = rooms.scope::<actions::DataRead>(&call.caller)?;
    let found = blocking(move || Ok(rooms.discover.sources(permit)?)).await?;
    let items = found.iter().map(|view| Told(discover::source_told(view))).collect();
    Ok(Json(Items { items }))
}

/// A new source.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewSourceBody {
    /// Its name, unique in its key domain.
    #[schemars(with = "shape::Name")]
    name: Name,
    /// Where it is: `{"kind": "folder", "path": "/srv/files"}` and others by their kind.
    #[schemars(with = "shape::Object")]
    setting: Value,
    /// The secret that opens it: a password, a secret access key. Never shown again.
    #[serde(default)]
    secret: Option<SecretText>,
    /// The key domain it belongs to; the installation when not said.
    #[schemars(with = "Option<shape::Id<DomainId>>")]
    domain: Option<DomainId>,
    /// The classification profile; the default when not said.
    profile: Option<String>,
    /// Scans it every so many minutes; by hand only when not said.
    every_minutes: Option<u32>,
    /// Reads no more than so many bytes a second.
    bytes_per_second: Option<u64>,
    /// Whose data it is.
    #[schemars(with = "Option<shape::Name>")]
    owner: Option<Name>,
    /// The asset that it is in the inventory, such as `file-set:statements`.
    asset: Option<String>,
    /// The provider in the table of regions.
    #[schemars(with = "Option<shape::Name>")]
    provider: Option<Name>,
    /// The provider's region; on premises the place (`HK`).
    #[schemars(with = "Option<shape::Name>")]
    region: Option<Name>,
}

async fn add(
    rooms: Arc<Rooms>,
    call: Call<NoParameters, NoParameters, FromJson<NewSourceBody>>,
) -> Result<Created<Told<Value>>, Problem> {
    let body = call.body.0;
    let setting = serde_json::from_value(body.setting)
        .map_err(|_| Problem::field("/setting", "expected a kind of source with its fields"))?;
    let asset = body.asset.map(|text| text.parse()).transpose();
    let asset = asset
        .map_err(|cause: inventory::AssetRefError| Problem::field("/asset", cause.to_string()))?;
    let new = NewSource {
        name: body.name,
        setting,
        profile: body.profile,
        every_minutes: body.every_minutes,
        bytes_per_second: body.bytes_per_second,
        owner: body.owner,
        asset,
        provider: body.provider,
        region: body.region,
    };
    let domain = body.domain.unwrap_or(DomainId::SYSTEM);
    let permit = rooms.permit_in::<actions::DataSource>(&call.caller, domain)?;
    let secret = body.secret.map(SecretText::into_secret);
    let made = rooms.discover.add_source(permit, new, secret).await?;
    let permit = source_permit::<actions::DataRead>(&rooms, &call.caller, made.id)?;
    let view = rooms.discover.source(permit)?;
    let at = format!("/data/sources/{}", made.id);
    Ok(Created { at, body: Told(discover::source_told(&view)) })
}

/// A source in the path.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SourcePath {
    /// The source.
    #[schemars(with = "shape::Id<SourceId>")]
    source: SourceId,
}

type OnSource = Call<SourcePath, NoParameters, ()>;

fn source_permit<A: kernel::ActionType>(
    rooms: &Rooms,
    caller: &Arc<kernel::Caller>,
    source: SourceId,
) -> Result<kernel::Permit<A>, Problem> {
    let resource: Resource = rooms.discover.source_resource(source, caller.domain)?;
    rooms.permit(caller, resource)
}

async fn show(rooms: Arc<Rooms>, call: OnSource) -> Result<Json<Told<Value>>, Problem> {
    let permit = source_permit::<actions::DataRead>(&rooms, &call.caller, call.path.source)?;
    Ok(Json(Told(discover::source_told(&rooms.discover.source(permit)?))))
}

/// What is changed about a source: a field that is not there stays, `null` empties it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SourceChangeBody {
    /// Its name.
    #[schemars(with = "Option<shape::Name>")]
    name: Option<Name>,
    /// Where it is, as a whole.
    #[schemars(with = "Option<shape::Object>")]
    setting: Option<Value>,
    /// The secret that opens it; the old one is shown to nobody.
    #[serde(default)]
    #[schemars(with = "Option<SecretText>")]
    secret: Edit<SecretText>,
    /// The classification profile.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    profile: Edit<String>,
    /// Scans it every so many minutes.
    #[serde(default)]
    #[schemars(with = "Option<u32>")]
    every_minutes: Edit<u32>,
    /// Reads no more than so many bytes a second.
    #[serde(default)]
    #[schemars(with = "Option<u64>")]
    bytes_per_second: Edit<u64>,
    /// Whose data it is.
    #[serde(default)]
    #[schemars(with = "Option<shape::Name>")]
    owner: Edit<Name>,
    /// The provider in the table of regions.
    #[serde(default)]
    #[schemars(with = "Option<shape::Name>")]
    provider: Edit<Name>,
    /// The provider's region; on premises the place (`HK`).
    #[serde(default)]
    #[schemars(with = "Option<shape::Name>")]
    region: Edit<Name>,
}

async fn edit(
    rooms: Arc<Rooms>,
    call: Call<SourcePath, NoParameters, FromJson<SourceChangeBody>>,
) -> Result<Json<Told<Value>>, Problem> {
    let body = call.body.0;
    let setting = body.setting.map(serde_json::from_value).transpose();
    let setting = setting
        .map_err(|_| Problem::field("/setting", "expected a kind of source with its fields"))?;
    let change = SourceChange {
        name: body.name,
        setting,
        secret: match body.secret {
            Edit::Keep => Edit::Keep,
            Edit::Clear => Edit::Clear,
            Edit::To(secret) => Edit::To(secret.into_secret()),
        },
        profile: body.profile,
        every_minutes: body.every_minutes,
        bytes_per_second: body.bytes_per_second,
        owner: body.owner,
        provider: body.provider,
        region: body.region,
    };
    let id = call.path.source;
    let permit = source_permit::<actions::DataSource>(&rooms, &call.caller, id)?;
    rooms.discover.edit_source(permit, change).await?;
    let permit = source_permit::<actions::DataRead>(&rooms, &call.caller, id)?;
    Ok(Json(Told(discover::source_told(&rooms.discover.source(permit)?))))
}

async fn edits(rooms: Arc<Rooms>, call: OnSource) -> Result<Json<Items>, Problem> {
    let permit = source_permit::<actions::DataRead>(&rooms, &call.caller, call.path.source)?;
    let found = rooms.discover.source_edits(permit)?;
    let value = |one| serde_json::to_value(one).map(Told);
    let items: Result<Vec<_>, _> = found.iter().map(value).collect();
    Ok(Json(Items { items: items.map_err(|_| unwritten())? }))
}

/// What is kept could not be written as JSON.
pub(crate) fn unwritten() -> Problem {
    Problem::new(kernel::ProblemKind::Internal, "internal", "the list could not be written")
}

async fn remove(rooms: Arc<Rooms>, call: OnSource) -> Result<Done, Problem> {
    let permit = source_permit::<actions::DataSource>(&rooms, &call.caller, call.path.source)?;
    rooms.discover.remove_source(permit).await?;
    Ok(Done)
}

async fn scans(rooms: Arc<Rooms>, call: OnSource) -> Result<Json<Items>, Problem> {
    let permit = source_permit::<actions::DataRead>(&rooms, &call.caller, call.path.source)?;
    let found = rooms.discover.scans(permit)?;
    Ok(Json(Items { items: found.iter().map(|view| Told(view.told())).collect() }))
}

async fn start(rooms: Arc<Rooms>, call: OnSource) -> Result<Created<Told<Value>>, Problem> {
    let permit = source_permit::<actions::DataScan>(&rooms, &call.caller, call.path.source)?;
    let scan = rooms.discover.start_scan(permit).await?;
    let at = format!("/data/scans/{}", scan.id);
    let view = discover::ScanView { scan, live: None };
    Ok(Created { at, body: Told(view.told()) })
}

async fn cancel(rooms: Arc<Rooms>, call: OnSource) -> Result<Done, Problem> {
    let permit = source_permit::<actions::DataScan>(&rooms, &call.caller, call.path.source)?;
    rooms.discover.cancel_scan(permit).await?;
    Ok(Done)
}

/// A scan in the path.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ScanPath {
    /// The scan.
    #[schemars(with = "shape::Id<ScanId>")]
    scan: ScanId,
}

async fn one(
    rooms: Arc<Rooms>,
    call: Call<ScanPath, NoParameters, ()>,
) -> Result<Json<Told<Value>>, Problem> {
    let id = call.path.scan;
    // A scan that does not exist is looked for in the caller's own key domain, as a refusal would.
    let resource = match rooms.discover.source_of_scan(id) {
        Ok(source) => rooms.discover.source_resource(source, call.caller.domain)?,
        Err(discover::DiscoverError::NoScan) => {
            let kind = kernel::ResourceKind::Data;
            Resource::new(kind, id.to_string(), call.caller.domain)
        }
        Err(cause) => return Err(cause.into()),
    };
    let permit = rooms.permit::<actions::DataRead>(&call.caller, resource)?;
    let scans = rooms.discover.scans(permit);
    let found = match scans {
        Ok(scans) => scans.into_iter().find(|view| view.scan.id == id),
        Err(discover::DiscoverError::NoSource) => None,
        Err(cause) => return Err(cause.into()),
    };
    found.map(|view| Json(Told(view.told()))).ok_or_else(|| Problem::not_found("scan"))
}

async fn detectors(rooms: Arc<Rooms>, call: Plain) -> Result<Json<Items>, Problem> {
    let permit = rooms.scope::<actions::DataRead>(&call.caller)?;
    let found = rooms.discover.detectors(permit)?;
    Ok(Json(Items { items: found.iter().map(|detector| Told(detector.told())).collect() }))
}

/// A new detector.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DetectorBody {
    /// Its name.
    #[schemars(with = "shape::Name")]
    name: Name,
    /// What it finds.
    rule: RuleBody,
    /// The class of an object in which it finds something.
    #[schemars(with = "shape::DataClass")]
    class: discover::Class,
}

/// What a detector finds.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
enum RuleBody {
    /// These words, whole, in any case.
    Dictionary(Vec<String>),
    /// What this regular expression matches.
    Pattern(String),
    /// Exactly these values; only their keyed hashes are kept.
    Exact(Vec<String>),
}

impl From<RuleBody> for NewRule {
    fn from(body: RuleBody) -> Self {
        match body {
            RuleBody::Dictionary(words) => Self::Dictionary(words),
            RuleBody::Pattern(pattern) => Self::Pattern(pattern),
            RuleBody::Exact(values) => Self::Exact(values),
        }
    }
}

async fn add_detector(
    rooms: Arc<Rooms>,
    call: Call<NoParameters, NoParameters, FromJson<DetectorBody>>,
) -> Result<Created<Told<Value>>, Problem> {
    let DetectorBody { name, rule, class } = call.body.0;
    let permit = rooms.permit_in::<actions::DataSource>(&call.caller, DomainId::SYSTEM)?;
    let new = NewDetector { name, rule: rule.into(), class };
    let made = rooms.discover.add_detector(permit, new).await?;
    Ok(Created { at: format!("/data/detectors/{}", made.number), body: Told(made.told()) })
}

/// A detector in the path.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DetectorPath {
    /// The detector's number.
    detector: u16,
}

async fn remove_detector(
    rooms: Arc<Rooms>,
    call: Call<DetectorPath, NoParameters, ()>,
) -> Result<Done, Problem> {
    let permit = rooms.permit_in::<actions::DataSource>(&call.caller, DomainId::SYSTEM)?;
    rooms.discover.remove_detector(permit, call.path.detector).await?;
    Ok(Done)
}

/// A text to try.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct TryBody {
    /// The text, up to 64 KiB.
    text: String,
    /// The classification profile; the default when not said.
    profile: Option<String>,
    /// A profile to be tried before it is kept, in YAML or JSON; instead of the name of one.
    draft: Option<String>,
    /// A detector to be tried before it is kept.
    rule: Option<RuleBody>,
}

async fn try_text(
    rooms: Arc<Rooms>,
    call: Call<NoParameters, NoParameters, FromJson<TryBody>>,
) -> Result<Json<Told<discover::Tried>>, Problem> {
    let TryBody { text, profile, draft, rule } = call.body.0;
    let draft = draft.as_deref().map(super::profiles::read).transpose()?;
    let permit = rooms.scope::<actions::DataRead>(&call.caller)?;
    let rule = rule.map(NewRule::from);
    let tried = move || {
        let named = Under::Named(profile.as_deref());
        let under = draft.as_ref().map_or(named, Under::Draft);
        Ok(rooms.discover.try_text(permit, &text, under, rule.as_ref())?)
    };
    Ok(Json(Told(blocking(tried).await?)))
}

/// Which report is wanted.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ReportQuery {
    /// Its form; CSV when not said.
    form: Option<FormWord>,
    /// Only findings of this source.
    #[schemars(with = "Option<shape::Id<SourceId>>")]
    source: Option<SourceId>,
}

/// The form of a report.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum FormWord {
    /// Comma-separated values.
    Csv,
    /// A workbook.
    Xlsx,
    /// A page for paper.
    Html,
}

async fn report(
    rooms: Arc<Rooms>,
    call: Call<NoParameters, ReportQuery, ()>,
) -> Result<File, Problem> {
    let permit = rooms.scope::<actions::DataRead>(&call.caller)?;
    let form = match call.query.form.unwrap_or(FormWord::Csv) {
        FormWord::Csv => ReportForm::Csv,
        FormWord::Xlsx => ReportForm::Xlsx,
        FormWord::Html => ReportForm::Html,
    };
    let wanted = Wanted { source: call.query.source, ..Wanted::default() };
    let (sample, discover) = (rooms.sample, rooms.discover.clone());
    let made = move || Ok(discover.report(permit, form, &wanted, sample)?);
    let made = blocking(made).await?;
    Ok(File { media: made.media, name: format!("findings.{}", made.ending), bytes: made.bytes })
}
