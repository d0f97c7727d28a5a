//! Classification profiles of the bank's own: written, tried, put in force.

use super::data::{Items, unwritten};
use crate::Rooms;
use crate::answer::{Created, Json};
use crate::call::{Call, FromJson, NoParameters};
use crate::fields::Told;
use crate::rooms::blocking;
use crate::shape;
use crate::table::{Needs, Table, get, post};
use discover::{DiscoverError, Profile, ProfileTrial, ProfileView};
use kernel::{Action, DomainId, Problem, actions};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;

const AREA: &str = "data";

pub(crate) fn lines(table: &mut Table) {
    let read = Needs::Permit(Action::DataRead);
    let configure = Needs::Permit(Action::DataSource);
    table.closed(
        AREA,
        get("/data/profiles", read, "Lists classification profiles, the one that ships first."),
        list,
    );
    table.closed(
        AREA,
        post("/data/profiles", configure, "Writes a version of a profile; nothing follows it yet."),
        write,
    );
    table.closed(
        AREA,
        post("/data/profiles/try", read, "Says what a profile would do with what was found."),
        attempt,
    );
    table.closed(AREA, get("/data/profiles/{profile}", read, "Shows a profile."), show);
    table.closed(
        AREA,
        post(
            "/data/profiles/{profile}/in-force",
            configure,
            "Puts a version in force; findings are labelled anew without a scan.",
        ),
        put_in_force,
    );
}

/// A profile from its text; the field at fault is named.
pub(crate) fn read(text: &str) -> Result<Profile, Problem> {
    Profile::read(text).map_err(|cause| DiscoverError::from(cause).into())
}

async fn list(
    rooms: Arc<Rooms>,
    call: Call<NoParameters, NoParameters, ()>,
) -> Result<Json<Items>, Problem> {
    let permit = rooms.scope::<actions::DataRead>(&call.caller)?;
    let found = rooms.discover.profiles(permit)?;
    let value = |one| serde_json::to_value(one).map(Told);
    let items: Result<Vec<_>, _> = found.iter().map(value).collect();
    Ok(Json(Items { items: items.map_err(|_| unwritten())? }))
}

/// A profile as it was written.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct WriteBody {
    /// The profile, in YAML or JSON; its name says of which profile it is a version.
    profile: String,
    /// Why: stands in the log.
    #[schemars(with = "shape::Text")]
    reason: String,
}

async fn write(
    rooms: Arc<Rooms>,
    call: Call<NoParameters, NoParameters, FromJson<WriteBody>>,
) -> Result<Created<Told<Value>>, Problem> {
    let WriteBody { profile, reason } = call.body.0;
    let permit = rooms.permit_in::<actions::DataSource>(&call.caller, DomainId::SYSTEM)?;
    let profile = read(&profile)?;
    let at = format!("/data/profiles/{}", profile.name);
    let version = rooms.discover.write_profile(permit, profile, &reason).await?;
    Ok(Created { at, body: Told(serde_json::to_value(version).map_err(|_| unwritten())?) })
}

/// A profile that is nowhere kept.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AttemptBody {
    /// The profile, in YAML or JSON.
    profile: String,
}

async fn attempt(
    rooms: Arc<Rooms>,
    call: Call<NoParameters, NoParameters, FromJson<AttemptBody>>,
) -> Result<Json<Told<ProfileTrial>>, Problem> {
    let permit = rooms.scope::<actions::DataRead>(&call.caller)?;
    let profile = read(&call.body.0.profile)?;
    blocking(move || Ok(Json(Told(rooms.discover.try_profile(permit, profile)?)))).await
}

/// A profile in the path.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ProfilePath {
    /// Its name.
    #[schemars(length(min = 1, max = 64))]
    profile: String,
}

/// Which version is wanted.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct VersionQuery {
    /// The version; the one in force when not said, else the newest.
    version: Option<u32>,
}

/// A profile with the rules of one version.
#[derive(Debug, Serialize)]
struct Shown {
    #[serde(flatten)]
    view: ProfileView,
    profile: Profile,
}

async fn show(
    rooms: Arc<Rooms>,
    call: Call<ProfilePath, VersionQuery, ()>,
) -> Result<Json<Told<Value>>, Problem> {
    let permit = rooms.scope::<actions::DataRead>(&call.caller)?;
    let found = rooms.discover.profile_text(permit, &call.path.profile, call.query.version);
    let (view, profile) = found.map_err(in_path)?;
    let shown = serde_json::to_value(Shown { view, profile }).map_err(|_| unwritten())?;
    Ok(Json(Told(shown)))
}

/// What is put in force.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct InForceBody {
    /// The version; the newest when not said. The profile that ships has none.
    version: Option<u32>,
    /// Whether sources that name no profile follow it from now on.
    everywhere: bool,
    /// Why: stands in the log.
    #[schemars(with = "shape::Text")]
    reason: String,
}

async fn put_in_force(
    rooms: Arc<Rooms>,
    call: Call<ProfilePath, NoParameters, FromJson<InForceBody>>,
) -> Result<Json<Told<ProfileView>>, Problem> {
    let InForceBody { version, everywhere, reason } = call.body.0;
    let permit = rooms.permit_in::<actions::DataSource>(&call.caller, DomainId::SYSTEM)?;
    let name = &call.path.profile;
    let done = rooms.discover.put_in_force(permit, name, version, everywhere, &reason).await;
    Ok(Json(Told(done.map_err(in_path)?)))
}

/// A profile that is named in the path and not there is nothing that could be found.
fn in_path(cause: DiscoverError) -> Problem {
    match cause {
        DiscoverError::NoProfile(_) => Problem::not_found("profile"),
        other => other.into(),
    }
}
