//! Keys: made, listed, shown, rotated, suspended, destroyed.

use super::log::EventList;
use crate::Rooms;
use crate::answer::{Created, Json};
use crate::call::{Call, FromJson, NoParameters};
use crate::fields::{Base64, PageLimit};
use crate::rooms::{blocking, repeat};
use crate::shape;
use crate::table::{Needs, Table, get, patch, post};
use kernel::{
    Action, DomainId, KeyId, Label, Labels, LogPosition, Name, Problem, Timestamp, VersionNo,
    actions,
};
use keys::{
    Activation, ChangeRotation, CreateKey, Dates, KeyView, KeysError, ListKeys, Reason,
    RotationPeriod, StateName, Step, UpdateKey,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::Arc;
use strongroom::Algorithm;

const AREA: &str = "keys";

pub(crate) fn lines(table: &mut Table) {
    let read = |path, summary| get(path, Needs::Permit(Action::KeyRead), summary);
    let on = |path, action, summary| post(path, Needs::Permit(action), summary);
    let list_of = "Lists keys by name, as far as the caller may see them.";
    table.closed(AREA, get("/keys", Needs::Permit(Action::KeyList), list_of), list);
    table.closed(
        AREA,
        on("/keys", Action::KeyCreate, "Makes a key with its first version.").repeatable(),
        create,
    );
    table.closed(AREA, read("/keys/{key}", "Shows a key with its versions."), show);
    table.closed(
        AREA,
        patch(
            "/keys/{key}",
            Needs::Permit(Action::KeyUpdate),
            "Changes labels, rotation, or the state of the newest version.",
        ),
        update,
    );
    table.closed(
        AREA,
        read("/keys/{key}/public-key", "Gives the public half of a key pair."),
        public_key,
    );
    table.closed(
        AREA,
        read("/keys/{key}/timeline", "Tells what happened to a key, newest first."),
        timeline,
    );
    table.closed(AREA, on("/keys/{key}/rotate", Action::KeyRotate, "Makes a new version."), rotate);
    table.closed(
        AREA,
        on("/keys/{key}/compromise", Action::KeyCompromise, "Declares versions compromised."),
        compromise,
    );
    table.closed(
        AREA,
        on("/keys/{key}/recover", Action::KeyRecover, "Takes a scheduled destruction back."),
        recover,
    );
}

/// A key in the path.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyPath {
    /// The key.
    #[schemars(with = "shape::Id<KeyId>")]
    pub(super) key: KeyId,
}

/// Most decisions on one request: whatever is revoked more often while it is asked is being
/// stopped.
const DECISIONS_MAX: u32 = 3;

/// Whether the gate is to be asked again.
pub(super) fn no_reason_to_wait(cause: &KeysError, tries: &mut u32) -> bool {
    *tries += 1;
    cause.decide_again() && *tries < DECISIONS_MAX
}

/// What the list is narrowed to.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    /// How many at most; 50 when not said.
    limit: Option<PageLimit>,
    /// Where to go on: `next` of the page before.
    after: Option<String>,
    /// Only keys in this state.
    #[schemars(with = "Option<shape::KeyState>")]
    state: Option<StateName>,
    /// Only keys with this label, `key=value`.
    #[schemars(with = "Option<shape::LabelFilter>")]
    label: Option<String>,
}

/// A page of keys.
#[derive(Debug, Serialize, JsonSchema)]
struct KeyList {
    /// Keys by name.
    items: Vec<KeyBody>,
    /// Give it as `after` for the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// A key, without its material.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Key")]
struct KeyBody {
    /// Its identifier.
    #[schemars(with = "shape::Id<KeyId>")]
    id: KeyId,
    /// Its key domain.
    #[schemars(with = "shape::Id<DomainId>")]
    domain: DomainId,
    /// Its name, unique in the key domain.
    #[schemars(with = "shape::Name")]
    name: Name,
    /// Its algorithm.
    #[schemars(with = "shape::Algorithm")]
    algorithm: Algorithm,
    /// Its labels.
    #[schemars(with = "shape::Labels")]
    labels: Labels,
    /// Whether it may be given out wrapped.
    exportable: bool,
    /// The state of its newest version (SP 800-57).
    #[schemars(with = "shape::KeyState")]
    state: StateName,
    /// When it was made.
    #[schemars(with = "shape::When")]
    created: Timestamp,
    /// Days between rotations; absent: on demand only.
    #[serde(skip_serializing_if = "Option::is_none")]
    rotation_days: Option<u32>,
    /// When the next rotation is due.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<shape::When>")]
    rotation_due: Option<Timestamp>,
    /// The destruction that was asked for; kept after it was done.
    #[serde(skip_serializing_if = "Option::is_none")]
    destruction: Option<DestructionBody>,
    /// Its versions, oldest first.
    versions: Vec<VersionBody>,
}

/// A destruction that was asked for.
#[derive(Debug, Serialize, JsonSchema)]
struct DestructionBody {
    /// When.
    #[schemars(with = "shape::When")]
    requested: Timestamp,
    /// By whom.
    requested_by: String,
    /// Why.
    reason: String,
    /// The earliest end of its waiting period.
    #[schemars(with = "shape::When")]
    not_before: Timestamp,
}

/// A version of a key.
#[derive(Debug, Serialize, JsonSchema)]
struct VersionBody {
    /// Its number, from 1.
    #[schemars(with = "u32")]
    number: VersionNo,
    /// Its state (SP 800-57), dates that have passed included.
    #[schemars(with = "shape::KeyState")]
    state: StateName,
    /// When it was made.
    #[schemars(with = "shape::When")]
    created: Timestamp,
    /// Since when it is in this state.
    #[schemars(with = "shape::When")]
    since: Timestamp,
    /// When it becomes active by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<shape::When>")]
    activates: Option<Timestamp>,
    /// When it ends by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<shape::When>")]
    deactivates: Option<Timestamp>,
}

impl From<KeyView> for KeyBody {
    fn from(view: KeyView) -> Self {
        Self {
            id: view.id,
            domain: view.domain,
            name: view.about.name,
            algorithm: view.about.algorithm,
            labels: view.about.labels,
            exportable: view.about.exportable,
            state: view.state,
            created: view.about.created_at,
            rotation_days: view.about.rotation.map(RotationPeriod::days),
            rotation_due: view.rotation_due_at,
            destruction: view.destruction.map(|destruction| DestructionBody {
                requested: destruction.requested_at,
                requested_by: destruction.requested_by.to_string(),
                reason: destruction.reason.as_str().to_owned(),
                not_before: destruction.waiting.not_before,
            }),
            versions: view.versions.into_iter().map(VersionBody::from).collect(),
        }
    }
}

impl From<keys::VersionView> for VersionBody {
    fn from(view: keys::VersionView) -> Self {
        Self {
            number: view.number,
            state: view.state,
            created: view.created_at,
            since: view.since,
            activates: view.activate_at,
            deactivates: view.deactivate_at,
        }
    }
}

async fn list(
    rooms: Arc<Rooms>,
    call: Call<NoParameters, ListQuery, ()>,
) -> Result<Json<KeyList>, Problem> {
    let ListQuery { limit, after, state, label } = call.query;
    let labels = label.map(|text| label_filter(&text)).transpose()?.into_iter().collect();
    let request = ListKeys { after, limit: Some(PageLimit::items(limit)), labels, state };
    let permit = rooms.scope::<actions::KeyList>(&call.caller)?;
    let page = blocking(move || Ok(rooms.keys.list(permit, &request)?)).await?;
    let items = page.keys.into_iter().map(KeyBody::from).collect();
    Ok(Json(KeyList { items, next: page.next }))
}

fn label_filter(text: &str) -> Result<(Label, Name), Problem> {
    let wrong = || crate::fault::parameter("label", "expected `key=value`");
    let (key, value) = text.split_once('=').ok_or_else(wrong)?;
    let key = Label::try_from(key.to_owned()).map_err(|_| wrong())?;
    Ok((key, value.parse().map_err(|_| wrong())?))
}

/// What a new key is to be.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CreateKeyRequest {
    /// Its key domain.
    #[schemars(with = "shape::Id<DomainId>")]
    domain: DomainId,
    /// Its name, unique in the key domain.
    #[schemars(with = "shape::Name")]
    name: Name,
    /// Its algorithm.
    #[schemars(with = "shape::Algorithm")]
    algorithm: Algorithm,
    /// Workload, criticality, data class, residency, cloud.
    #[serde(default)]
    #[schemars(with = "shape::Labels")]
    labels: Labels,
    /// Whether it may ever be given out, wrapped under another key. Not to be changed later.
    #[serde(default)]
    exportable: bool,
    /// Days between rotations; on demand only when not said.
    #[schemars(with = "Option<shape::RotationDays>")]
    rotation_days: Option<RotationPeriod>,
    /// When the first version begins; at once when not said.
    #[serde(default)]
    activation: ActivationChoice,
    /// When the first version ends.
    #[schemars(with = "Option<shape::When>")]
    deactivates: Option<Timestamp>,
}

/// When a version begins.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum ActivationChoice {
    /// At once.
    #[default]
    Now,
    /// When somebody activates it.
    ByHand,
    /// At a date.
    At(#[schemars(with = "shape::When")] Timestamp),
}

async fn create(
    rooms: Arc<Rooms>,
    call: Call<NoParameters, NoParameters, FromJson<CreateKeyRequest>>,
) -> Result<Created<KeyBody>, Problem> {
    let body = call.body.0;
    let repeat = repeat(call.idempotency_key, &body);
    let activate = match body.activation {
        ActivationChoice::Now => Activation::Now,
        ActivationChoice::ByHand => Activation::ByHand,
        ActivationChoice::At(at) => Activation::At(at),
    };
    let domain = body.domain;
    let request = CreateKey {
        name: body.name,
        algorithm: body.algorithm,
        labels: body.labels,
        exportable: body.exportable,
        rotation_days: body.rotation_days,
        dates: Dates { activate, deactivate_at: body.deactivates },
    };
    let mut tries = 0;
    loop {
        let permit = rooms.permit::<actions::KeyCreate>(&call.caller, request.resource(domain))?;
        match rooms.keys.create(permit, &request, repeat.clone()).await {
            Err(cause) if no_reason_to_wait(&cause, &mut tries) => {}
            made => {
                let body = KeyBody::from(made?);
                return Ok(Created { at: format!("/keys/{}", body.id), body });
            }
        }
    }
}

async fn show(
    rooms: Arc<Rooms>,
    call: Call<KeyPath, NoParameters, ()>,
) -> Result<Json<KeyBody>, Problem> {
    let permit = rooms.key_permit::<actions::KeyRead>(&call.caller, call.path.key)?;
    Ok(Json(rooms.keys.read(permit)?.into()))
}

/// Which version is meant.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct VersionQuery {
    /// The version; the newest when not said.
    #[schemars(with = "Option<shape::Version>")]
    version: Option<VersionNo>,
}

/// The public half of a key pair.
#[derive(Debug, Serialize, JsonSchema)]
struct PublicKeyAnswer {
    /// SubjectPublicKeyInfo in DER.
    public_key: Base64,
}

async fn public_key(
    rooms: Arc<Rooms>,
    call: Call<KeyPath, VersionQuery, ()>,
) -> Result<Json<PublicKeyAnswer>, Problem> {
    let permit = rooms.key_permit::<actions::KeyRead>(&call.caller, call.path.key)?;
    let der = rooms.keys.public_key(permit, call.query.version)?;
    let der = der.ok_or_else(|| Problem::not_found("public key"))?;
    Ok(Json(PublicKeyAnswer { public_key: Base64::new(der) }))
}

/// Which part of a timeline.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct TimelineQuery {
    /// Where to go on: `next` of the page before.
    before: Option<u64>,
    /// How many at most; 50 when not said.
    limit: Option<PageLimit>,
}

async fn timeline(
    rooms: Arc<Rooms>,
    call: Call<KeyPath, TimelineQuery, ()>,
) -> Result<Json<EventList>, Problem> {
    let TimelineQuery { before, limit } = call.query;
    let (before, limit) = (before.map(LogPosition), PageLimit::items(limit));
    let permit = rooms.key_permit::<actions::KeyRead>(&call.caller, call.path.key)?;
    let page = blocking(move || Ok(rooms.keys.timeline(permit, before, limit)?)).await?;
    Ok(Json(page.into()))
}

/// What is to change; what is not named stays.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct UpdateKeyRequest {
    /// All labels, in place of the old ones.
    #[schemars(with = "Option<shape::Labels>")]
    labels: Option<Labels>,
    /// The rotation.
    rotation: Option<RotationChange>,
    /// A step of the newest version.
    step: Option<StepChoice>,
}

/// How a key is rotated.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum RotationChange {
    /// Every so many days.
    EveryDays(#[schemars(with = "shape::RotationDays")] RotationPeriod),
    /// On demand only.
    OnDemand,
}

/// A step of the newest version.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum StepChoice {
    /// Lets a pre-active version be used.
    Activate,
    /// Ends the version: it protects no more.
    Deactivate,
}

async fn update(
    rooms: Arc<Rooms>,
    call: Call<KeyPath, NoParameters, FromJson<UpdateKeyRequest>>,
) -> Result<Json<KeyBody>, Problem> {
    let body = call.body.0;
    let request = UpdateKey {
        labels: body.labels,
        rotation: body.rotation.map(|change| match change {
            RotationChange::EveryDays(period) => ChangeRotation::EveryDays(period),
            RotationChange::OnDemand => ChangeRotation::OnDemand,
        }),
        step: body.step.map(|step| match step {
            StepChoice::Activate => Step::Activate,
            StepChoice::Deactivate => Step::Deactivate,
        }),
    };
    let mut tries = 0;
    loop {
        let permit = rooms.key_permit::<actions::KeyUpdate>(&call.caller, call.path.key)?;
        match rooms.keys.update(permit, &request).await {
            Err(cause) if no_reason_to_wait(&cause, &mut tries) => {}
            done => return Ok(Json(done?.into())),
        }
    }
}

async fn rotate(
    rooms: Arc<Rooms>,
    call: Call<KeyPath, NoParameters, ()>,
) -> Result<Json<KeyBody>, Problem> {
    let mut tries = 0;
    loop {
        let permit = rooms.key_permit::<actions::KeyRotate>(&call.caller, call.path.key)?;
        match rooms.keys.rotate(permit, None).await {
            Err(cause) if no_reason_to_wait(&cause, &mut tries) => {}
            done => return Ok(Json(done?.into())),
        }
    }
}

/// Why somebody does something that others will have to understand later.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReasonRequest {
    /// In words; kept in the log.
    #[schemars(with = "shape::Text")]
    pub(super) reason: Reason,
}

/// Which versions others are known or feared to know, and why.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CompromiseRequest {
    /// In words; kept in the log.
    #[schemars(with = "shape::Text")]
    reason: Reason,
    /// The versions; all that have material when not said.
    #[schemars(with = "Option<Vec<shape::Version>>")]
    versions: Option<BTreeSet<VersionNo>>,
}

async fn compromise(
    rooms: Arc<Rooms>,
    call: Call<KeyPath, NoParameters, FromJson<CompromiseRequest>>,
) -> Result<Json<KeyBody>, Problem> {
    let CompromiseRequest { reason, versions } = call.body.0;
    let request = keys::DeclareCompromise { reason, versions };
    let permit = rooms.key_permit::<actions::KeyCompromise>(&call.caller, call.path.key)?;
    Ok(Json(rooms.keys.compromise(permit, &request).await?.into()))
}

async fn recover(
    rooms: Arc<Rooms>,
    call: Call<KeyPath, NoParameters, FromJson<ReasonRequest>>,
) -> Result<Json<KeyBody>, Problem> {
    let request = keys::Destroy { reason: call.body.0.reason };
    let permit = rooms.key_permit::<actions::KeyRecover>(&call.caller, call.path.key)?;
    Ok(Json(rooms.keys.recover_key(permit, &request).await?.into()))
}
