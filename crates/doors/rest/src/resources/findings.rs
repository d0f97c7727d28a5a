//! What was found: findings, decisions about them, acts on their objects.

use super::data::{Items, unwritten};
use crate::Rooms;
use crate::answer::{Done, Json};
use crate::call::{Call, FromJson, NoParameters};
use crate::fields::{PageLimit, Told};
use crate::rooms::blocking;
use crate::shape;
use crate::table::{Needs, Table, get, post};
use discover::{ActRequest, Class, Finding, Level, SaidNoFind, Standing, Wanted};
use kernel::{
    Action, ActionType, Caller, FindingId, KeyId, Permit, Problem, SourceId, Timestamp, actions,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;

const AREA: &str = "data";

pub(crate) fn lines(table: &mut Table) {
    let read = Needs::Permit(Action::DataRead);
    let decide = Needs::Permit(Action::DataDecide);
    let act = Needs::Permit(Action::DataAct);
    table.closed(AREA, get("/data/findings", read, "Lists findings, highest risk first."), list);
    table.closed(AREA, get("/data/findings/{finding}", read, "Shows a finding."), show);
    table.closed(AREA, get("/data/no-finds", read, "Lists what was said to be no find."), no_finds);
    table.closed(
        AREA,
        post("/data/no-finds/{name}/withdraw", decide, "Withdraws what was said to be no find."),
        withdraw,
    );
    table.closed(
        AREA,
        post("/data/findings/{finding}/no-find", decide, "Says that something is no find."),
        no_find,
    );
    table.closed(
        AREA,
        post("/data/findings/{finding}/take-back", decide, "Takes what was said back."),
        take_back,
    );
    table.closed(
        AREA,
        post("/data/findings/{finding}/accept", decide, "Accepts a risk until a day."),
        accept,
    );
    table.closed(
        AREA,
        post("/data/findings/{finding}/reopen", decide, "Opens a finding again."),
        reopen,
    );
    table.closed(
        AREA,
        post("/data/findings/{finding}/quarantine", act, "Moves the object into quarantine."),
        quarantine,
    );
    table.closed(
        AREA,
        post("/data/findings/{finding}/restore", act, "Brings the object back."),
        restore,
    );
    table.closed(
        AREA,
        post("/data/findings/{finding}/encrypt", act, "Encrypts the object in place."),
        encrypt,
    );
    table.closed(
        AREA,
        post(
            "/data/findings/{finding}/delete",
            Needs::Permit(Action::DataDelete),
            "Deletes the object; others must have approved exactly this.",
        ),
        delete,
    );
}

/// Which findings are wanted.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct FindingQuery {
    /// Of this source.
    #[schemars(with = "Option<shape::Id<SourceId>>")]
    source: Option<SourceId>,
    /// Of this class.
    #[schemars(with = "Option<shape::DataClass>")]
    class: Option<Class>,
    /// That hold this kind, such as `hk-identity-card`.
    #[schemars(with = "Option<shape::DataKind>")]
    kind: Option<String>,
    /// That stand so; all but those that are gone when not said.
    #[schemars(with = "Option<shape::DataStanding>")]
    standing: Option<Standing>,
    /// Of this level of risk or above.
    #[schemars(with = "Option<shape::RiskLevel>")]
    level: Option<Level>,
    /// At most so many.
    limit: Option<PageLimit>,
    /// The `next` of the page before.
    #[schemars(with = "Option<shape::PageCursor>")]
    after: Option<String>,
}

/// Findings, the highest risk first.
#[derive(Debug, Serialize, JsonSchema)]
struct FindingList {
    /// The findings.
    items: Vec<Told<Value>>,
    /// Where the next page begins; none at the end.
    next: Option<String>,
}

async fn list(
    rooms: Arc<Rooms>,
    call: Call<NoParameters, FindingQuery, ()>,
) -> Result<Json<FindingList>, Problem> {
    let query = call.query;
    let parameter = crate::fault::parameter;
    let after = query.after.map(|text| text.parse()).transpose();
    let after = after.map_err(|cause: store::CursorError| parameter("after", cause.to_string()))?;
    let kind = query.kind.map(kind).transpose().map_err(|problem| parameter("kind", problem))?;
    let wanted = Wanted {
        source: query.source,
        class: query.class,
        kind,
        standing: query.standing,
        level: query.level,
        limit: PageLimit::items(query.limit),
        after,
    };
    let permit = rooms.scope::<actions::DataRead>(&call.caller)?;
    blocking(move || {
        let page = rooms.discover.findings(permit, &wanted)?;
        let items: Result<Vec<_>, Problem> =
            page.items.iter().map(|finding| told(&rooms, finding).map(Told)).collect();
        Ok(Json(FindingList { items: items?, next: page.next.map(|next| next.to_string()) }))
    })
    .await
}

fn kind(word: String) -> Result<extract::KindName, String> {
    extract::KindName::try_from(word).map_err(|cause| cause.to_string())
}

fn told(rooms: &Rooms, finding: &Finding) -> Result<Value, Problem> {
    let source = rooms.discover.source_name(finding.source)?;
    Ok(discover::finding_told(finding, &source, &rooms.discover.acts(finding)?))
}

/// A finding in the path.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct FindingPath {
    /// The finding.
    #[schemars(with = "shape::Id<FindingId>")]
    finding: FindingId,
}

type On<B> = Call<FindingPath, NoParameters, B>;

fn permit<A: ActionType>(
    rooms: &Rooms,
    caller: &Arc<Caller>,
    id: FindingId,
) -> Result<Permit<A>, Problem> {
    rooms.permit(caller, rooms.discover.finding_resource(id, caller.domain)?)
}

async fn show(rooms: Arc<Rooms>, call: On<()>) -> Result<Json<Told<Value>>, Problem> {
    let permit = permit::<actions::DataRead>(&rooms, &call.caller, call.path.finding)?;
    let finding = rooms.discover.finding(permit)?;
    Ok(Json(Told(told(&rooms, &finding)?)))
}

async fn no_finds(
    rooms: Arc<Rooms>,
    call: Call<NoParameters, NoParameters, ()>,
) -> Result<Json<Items>, Problem> {
    let permit = rooms.scope::<actions::DataRead>(&call.caller)?;
    let found = blocking(move || Ok(rooms.discover.no_finds(permit)?)).await?;
    let items: Result<Vec<_>, _> = found.iter().map(|one| said(one).map(Told)).collect();
    Ok(Json(Items { items: items.map_err(|_| unwritten())? }))
}

/// What was said, with the name by which it is withdrawn.
fn said(one: &discover::FalsePositive) -> Result<Value, serde_json::Error> {
    let mut value = serde_json::to_value(one)?;
    if let Some(fields) = value.as_object_mut() {
        fields.insert("name".into(), one.no_find.name().into());
    }
    Ok(value)
}

/// What was said, in the path.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NoFindPath {
    /// Its name, as the list gives it.
    #[schemars(with = "shape::Sha256")]
    name: String,
}

async fn withdraw(
    rooms: Arc<Rooms>,
    call: Call<NoFindPath, NoParameters, FromJson<WhyBody>>,
) -> Result<Json<Told<Value>>, Problem> {
    let resource = rooms.discover.no_find_resource(&call.path.name, call.caller.domain)?;
    let permit = rooms.permit::<actions::DataDecide>(&call.caller, resource)?;
    let one = rooms.discover.withdraw(permit, &call.body.0.reason).await?;
    Ok(Json(Told(said(&one).map_err(|_| unwritten())?)))
}

/// What is no find, and why.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NoFindBody {
    /// The kind, such as `hk-identity-card`.
    #[schemars(with = "shape::DataKind")]
    kind: String,
    /// Only this value, by the fingerprint of a sample; wherever it occurs.
    #[serde(default)]
    #[schemars(with = "Option<shape::Fingerprint>")]
    fingerprint: Option<String>,
    /// Columns of this name in the finding's source. With neither, the kind in this object.
    #[serde(default)]
    column: Option<String>,
    /// Why.
    #[schemars(with = "shape::Text")]
    reason: String,
}

async fn no_find(
    rooms: Arc<Rooms>,
    call: On<FromJson<NoFindBody>>,
) -> Result<Json<Told<Value>>, Problem> {
    let NoFindBody { kind: word, fingerprint, column, reason } = call.body.0;
    let kind = kind(word).map_err(|detail| Problem::field("/kind", detail))?;
    let said = match (fingerprint, column) {
        (Some(_), Some(_)) => {
            return Err(Problem::field("/column", "name a fingerprint or a column, not both"));
        }
        (Some(text), None) => {
            let wrong = || Problem::field("/fingerprint", "expected 32 hexadecimal digits");
            let fingerprint = discover::fingerprint_of(&text).ok_or_else(wrong)?;
            SaidNoFind::Value { kind, fingerprint }
        }
        (None, Some(column)) => SaidNoFind::Column { column, kind },
        (None, None) => SaidNoFind::Object { kind },
    };
    let permit = permit::<actions::DataDecide>(&rooms, &call.caller, call.path.finding)?;
    let finding = rooms.discover.no_find(permit, said, &reason).await?;
    Ok(Json(Told(told(&rooms, &finding)?)))
}

async fn take_back(rooms: Arc<Rooms>, call: On<()>) -> Result<Done, Problem> {
    let permit = permit::<actions::DataDecide>(&rooms, &call.caller, call.path.finding)?;
    rooms.discover.take_back(permit).await?;
    Ok(Done)
}

/// A risk that is accepted.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AcceptBody {
    /// Until when, within 366 days.
    #[schemars(with = "shape::When")]
    until: Timestamp,
    /// Why.
    #[schemars(with = "shape::Text")]
    reason: String,
}

async fn accept(
    rooms: Arc<Rooms>,
    call: On<FromJson<AcceptBody>>,
) -> Result<Json<Told<Value>>, Problem> {
    let AcceptBody { until, reason } = call.body.0;
    let permit = permit::<actions::DataDecide>(&rooms, &call.caller, call.path.finding)?;
    let finding = rooms.discover.accept(permit, until, &reason).await?;
    Ok(Json(Told(told(&rooms, &finding)?)))
}

/// Why something is done.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WhyBody {
    /// Why: stands in the log.
    #[schemars(with = "shape::Text")]
    reason: String,
}

impl From<WhyBody> for ActRequest {
    fn from(body: WhyBody) -> Self {
        Self { reason: body.reason }
    }
}

async fn reopen(
    rooms: Arc<Rooms>,
    call: On<FromJson<WhyBody>>,
) -> Result<Json<Told<Value>>, Problem> {
    let permit = permit::<actions::DataDecide>(&rooms, &call.caller, call.path.finding)?;
    let finding = rooms.discover.reopen(permit, &call.body.0.reason).await?;
    Ok(Json(Told(told(&rooms, &finding)?)))
}

async fn quarantine(
    rooms: Arc<Rooms>,
    call: On<FromJson<WhyBody>>,
) -> Result<Json<Told<Value>>, Problem> {
    let permit = permit::<actions::DataAct>(&rooms, &call.caller, call.path.finding)?;
    let finding = rooms.discover.quarantine(permit, &call.body.0.into()).await?;
    Ok(Json(Told(told(&rooms, &finding)?)))
}

async fn restore(
    rooms: Arc<Rooms>,
    call: On<FromJson<WhyBody>>,
) -> Result<Json<Told<Value>>, Problem> {
    let permit = permit::<actions::DataAct>(&rooms, &call.caller, call.path.finding)?;
    let finding = rooms.discover.restore(permit, &call.body.0.into()).await?;
    Ok(Json(Told(told(&rooms, &finding)?)))
}

/// Under which key an object is encrypted, and why.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct EncryptBody {
    /// The key; its custodian has labelled it `found-data=encrypt`.
    #[schemars(with = "shape::Id<KeyId>")]
    key: KeyId,
    /// Why: stands in the log.
    #[schemars(with = "shape::Text")]
    reason: String,
}

async fn encrypt(
    rooms: Arc<Rooms>,
    call: On<FromJson<EncryptBody>>,
) -> Result<Json<Told<Value>>, Problem> {
    let EncryptBody { key, reason } = call.body.0;
    let permit = permit::<actions::DataAct>(&rooms, &call.caller, call.path.finding)?;
    // The data key is made by the installation: whoever acts on data uses no keys.
    let (wall, now) = (rooms.clock.wall(), rooms.clock.monotonic());
    let ourselves = Arc::new(Caller::system(&call.caller.correlation, wall, now));
    let key = rooms.key_permit::<actions::KeyDataKey>(&ourselves, key)?;
    let finding = rooms.discover.encrypt(permit, key, &ActRequest { reason }).await?;
    Ok(Json(Told(told(&rooms, &finding)?)))
}

async fn delete(
    rooms: Arc<Rooms>,
    call: On<FromJson<WhyBody>>,
) -> Result<Json<Told<Value>>, Problem> {
    let permit = permit::<actions::DataDelete>(&rooms, &call.caller, call.path.finding)?;
    let finding = rooms.discover.delete(permit, &call.body.0.into()).await?;
    Ok(Json(Told(told(&rooms, &finding)?)))
}
