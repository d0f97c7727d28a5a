//! The inventory: what exists, imports of the bank's own lists, the key control map.

use crate::Rooms;
use crate::answer::Json;
use crate::call::{Call, NoParameters, Upload};
use crate::fields::Told;
use crate::rooms::blocking;
use crate::shape;
use crate::table::{Needs, Table, get, post};
use inventory::import::{Format, ImportReport};
use inventory::{Asset, AssetView, ImportFile, KeyControlMap, key_control_map};
use kernel::{
    Action, AssetId, DomainId, Name, Problem, Resource, ResourceKind, Timestamp, actions,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

const AREA: &str = "inventory";

pub(crate) fn lines(table: &mut Table) {
    let read = Needs::Permit(Action::AssetRead);
    table.closed(AREA, get("/assets", read, "Lists assets as they were known at a time."), list);
    table.closed(
        AREA,
        post(
            "/assets/import",
            Needs::Permit(Action::AssetChange),
            "Imports a table of assets; says row by row what was rejected and why.",
        )
        .repeatable(),
        import,
    );
    table.closed(AREA, get("/assets/{asset}", read, "Shows an asset with its history."), show);
    table.closed(AREA, get("/map", read, "Gives the key control map, broken paths first."), map);
}

/// As of when.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AtQuery {
    /// The instant; now when not said.
    #[schemars(with = "Option<shape::When>")]
    at: Option<Timestamp>,
}

/// Assets that the caller may see.
#[derive(Debug, Serialize, JsonSchema)]
struct AssetList {
    /// The assets.
    items: Vec<Told<AssetView>>,
}

type At = Call<NoParameters, AtQuery, ()>;

async fn list(rooms: Arc<Rooms>, call: At) -> Result<Json<AssetList>, Problem> {
    let permit = rooms.scope::<actions::AssetRead>(&call.caller)?;
    let at = call.query.at;
    let snapshot = blocking(move || Ok(rooms.inventory.read(permit, at)?)).await?;
    Ok(Json(AssetList { items: snapshot.assets().cloned().map(Told).collect() }))
}

/// An asset in the path.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AssetPath {
    /// The asset.
    #[schemars(with = "shape::Id<AssetId>")]
    asset: AssetId,
}

async fn show(
    rooms: Arc<Rooms>,
    call: Call<AssetPath, NoParameters, ()>,
) -> Result<Json<Told<Asset>>, Problem> {
    let id = call.path.asset;
    let domain = rooms.inventory.domain_of(id)?.unwrap_or(call.caller.domain);
    let resource = Resource::new(ResourceKind::Asset, id.to_string(), domain);
    let permit = rooms.permit::<actions::AssetRead>(&call.caller, resource)?;
    let found = rooms.inventory.asset(permit)?;
    Ok(Json(Told(found.ok_or_else(|| Problem::not_found("asset"))?)))
}

/// What is imported.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ImportQuery {
    /// The name of the list: becomes the source of what it says.
    #[schemars(with = "shape::Name")]
    name: Name,
    /// The key domain that the assets belong to; the installation when not said.
    #[schemars(with = "Option<shape::Id<DomainId>>")]
    domain: Option<DomainId>,
    /// Reads and judges, and changes nothing.
    #[serde(default)]
    dry_run: bool,
}

async fn import(
    rooms: Arc<Rooms>,
    call: Call<NoParameters, ImportQuery, Upload>,
) -> Result<Json<Told<ImportReport>>, Problem> {
    let ImportQuery { name, domain, dry_run } = call.query;
    let format = match call.body.media.as_str() {
        "text/csv" => Format::Csv,
        "application/json" => Format::Json,
        _ => Format::Yaml,
    };
    let domain = domain.unwrap_or(DomainId::SYSTEM);
    let permit = rooms.permit_in::<actions::AssetChange>(&call.caller, domain)?;
    let file = ImportFile { name: &name, format, bytes: &call.body.bytes };
    Ok(Json(Told(rooms.inventory.import(permit, file, dry_run, call.repeat).await?)))
}

async fn map(rooms: Arc<Rooms>, call: At) -> Result<Json<Told<KeyControlMap>>, Problem> {
    let permit = rooms.scope::<actions::AssetRead>(&call.caller)?;
    let at = call.query.at;
    blocking(move || {
        let snapshot = rooms.inventory.read(permit, at)?;
        let regions = &rooms.comply.compliance.data().regions;
        Ok(Json(Told(key_control_map(&snapshot, regions))))
    })
    .await
}
