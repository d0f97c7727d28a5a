//! The log as a mirror follows it: C2SP `tlog-tiles`, read only.
//!
//! The prefix of the log is `/api/v1/log`: its `checkpoint` is there, and below `tile/` lie the
//! hashes of the tree and the entries, 256 to a tile. Entries are hashes of salted texts and say
//! nothing about their events. Whoever may read the log may look, and that it was looked at is
//! recorded: the log grows a little while it is followed.

use crate::Rooms;
use crate::answer::File;
use crate::call::{Call, NoParameters};
use crate::rooms::blocking;
use crate::table::{Needs, Table, get};
use kernel::{Action, Problem, actions};
use schemars::JsonSchema;
use serde::Deserialize;
use std::sync::Arc;

const AREA: &str = "log";

pub(crate) fn lines(table: &mut Table) {
    let read = |path, summary| get(path, Needs::Permit(Action::LogRead), summary);
    table.closed(
        AREA,
        read("/log/tile/{level}/{one}", "Gives a tile of the log (C2SP tlog-tiles)."),
        one,
    );
    table.closed(
        AREA,
        read("/log/tile/{level}/{one}/{two}", "Gives a tile: part of the first, or beyond 1,000."),
        two,
    );
    table.closed(
        AREA,
        read("/log/tile/{level}/{one}/{two}/{three}", "Gives a tile: a part, or beyond 1,000,000."),
        three,
    );
    table.closed(
        AREA,
        read(
            "/log/tile/{level}/{one}/{two}/{three}/{four}",
            "Gives part of a tile beyond 1,000,000.",
        ),
        four,
    );
}

/// A tile in the path: `067`, or `067.p` and a width behind it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OnePath {
    /// The level of the tree, or `entries`.
    level: String,
    /// The index.
    one: String,
}

async fn one(rooms: Arc<Rooms>, call: Call<OnePath, NoParameters, ()>) -> Result<File, Problem> {
    let OnePath { level, one } = &call.path;
    tile(rooms, &call.caller, [level.as_str(), one.as_str()].join("/")).await
}

/// A tile in the path: `067.p/5` or `x001/067`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct TwoPath {
    /// The level of the tree, or `entries`.
    level: String,
    /// The first part of the index.
    one: String,
    /// The second, or the width.
    two: String,
}

async fn two(rooms: Arc<Rooms>, call: Call<TwoPath, NoParameters, ()>) -> Result<File, Problem> {
    let TwoPath { level, one, two } = &call.path;
    tile(rooms, &call.caller, [level.as_str(), one, two].join("/")).await
}

/// A tile in the path: `x001/067.p/5` or `x001/x234/067`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ThreePath {
    /// The level of the tree, or `entries`.
    level: String,
    /// The first part of the index.
    one: String,
    /// The second.
    two: String,
    /// The third, or the width.
    three: String,
}

async fn three(
    rooms: Arc<Rooms>,
    call: Call<ThreePath, NoParameters, ()>,
) -> Result<File, Problem> {
    let ThreePath { level, one, two, three } = &call.path;
    tile(rooms, &call.caller, [level.as_str(), one, two, three].join("/")).await
}

/// A tile in the path: `x001/x234/067.p/5`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct FourPath {
    /// The level of the tree, or `entries`.
    level: String,
    /// The first part of the index.
    one: String,
    /// The second.
    two: String,
    /// The third.
    three: String,
    /// The width.
    four: String,
}

async fn four(rooms: Arc<Rooms>, call: Call<FourPath, NoParameters, ()>) -> Result<File, Problem> {
    let FourPath { level, one, two, three, four } = &call.path;
    tile(rooms, &call.caller, [level.as_str(), one, two, three, four].join("/")).await
}

async fn tile(
    rooms: Arc<Rooms>,
    caller: &Arc<kernel::Caller>,
    place: String,
) -> Result<File, Problem> {
    let permit = rooms.scope::<actions::LogRead>(caller)?;
    rooms.note_read(permit);
    let path = format!("tile/{place}");
    let log = rooms.log.clone();
    let found = blocking(move || {
        log.mirror_file(&path).map_err(|cause| {
            tracing::error!(%cause, "a tile could not be read");
            Problem::new(kernel::ProblemKind::Unavailable, "log-unreadable", cause.to_string())
        })
    })
    .await?;
    let bytes = found.ok_or_else(|| Problem::not_found("tile"))?;
    // Parts of the place were read as a tile's: nothing else can stand in the name.
    let name = format!("{}.tile", place.replace('/', "-"));
    Ok(File { media: "application/octet-stream", name, bytes })
}
