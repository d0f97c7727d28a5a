//! Loads what the pages of one source and of profiles show.

use crate::desk::Desk;
use crate::frame::Source;
use crate::load::data::{place, scan_line};
use crate::pages::data::profiles::{ProfileLine, ProfilePage, Profiles, VersionLine};
use crate::pages::data::source::{EditLine, Point, SourceView};
use discover::{Class, ProfileView, SourceSetting};
use kernel::actions::DataRead;
use kernel::{Action, Problem, SourceId};

/// Scans of a trend: more points than pixels would tell nothing.
const POINTS: usize = 120;
/// Scans in the table beside the picture.
const SCANS: usize = 12;
/// Edits that are listed.
const EDITS: usize = 20;

/// One source: its setting, its scans, what was changed about it.
pub(crate) fn one(desk: &Desk, id: SourceId) -> Result<(Source, SourceView), Problem> {
    let discover = &desk.rooms.discover;
    let resource = || discover.source_resource(id, desk.caller.domain);
    let view = discover.source(desk.permit::<DataRead>(resource()?)?)?;
    let scans = discover.scans(desk.permit::<DataRead>(resource()?)?)?;
    let edits = discover.source_edits(desk.permit::<DataRead>(resource()?)?)?;
    let configures =
        desk.rooms.gate.explain(&desk.caller, Action::DataSource, &resource()?).is_ok();
    let above = |class: Class| class > Class::Internal;
    let points = scans.iter().filter(|v| v.scan.state == discover::ScanState::Done).take(POINTS);
    let mut points: Vec<Point> = points
        .map(|view| Point {
            at: view.scan.started_at,
            sensitive: view.scan.classes.iter().filter(|(c, _)| above(**c)).map(|(_, n)| n).sum(),
            objects: view.scan.progress.objects,
        })
        .collect();
    points.reverse();
    let record = &view.source;
    let text = |name: &Option<kernel::Name>| name.as_ref().map_or("", |n| n.as_str()).to_owned();
    let (path, setting) = match &record.setting {
        SourceSetting::Folder(folder) => (Some(folder.path.clone()), String::new()),
        other => (None, serde_json::to_string_pretty(other).unwrap_or_default()),
    };
    let shown = SourceView {
        id: record.id.to_string(),
        name: record.name.as_str().to_owned(),
        path,
        setting,
        owner: text(&record.owner),
        provider: text(&record.provider),
        region: text(&record.region),
        place: place(&view),
        profile: record.profile.clone().unwrap_or_default(),
        every: record.every_minutes,
        throttle: record.bytes_per_second,
        objects: view.summary.objects,
        points,
        scans: scans.iter().take(SCANS).map(scan_line).collect(),
        edits: edits
            .into_iter()
            .take(EDITS)
            .map(|edit| EditLine { at: edit.at, by: desk.name_of(edit.by), changes: edit.changes })
            .collect(),
        configures,
    };
    Ok((desk.live("live state"), shown))
}

fn line(view: &ProfileView) -> ProfileLine {
    ProfileLine {
        name: view.name.clone(),
        title: view.title.clone(),
        ships: view.ships,
        default: view.default,
        in_force: view.in_force,
        newest: view.versions.first().map(|newest| newest.version),
        named_by: view.named_by,
    }
}

/// Every profile.
pub(crate) fn profiles(desk: &Desk) -> Result<(Source, Profiles), Problem> {
    let views = desk.rooms.discover.profiles(desk.scope::<DataRead>()?)?;
    let writes = desk.rooms.may(&desk.caller, Action::DataSource);
    let rows = views.iter().map(line).collect();
    Ok((desk.live("live state"), Profiles { rows, writes }))
}

/// One profile with the rules of one version, and what it would do.
pub(crate) fn profile(desk: &Desk, name: &str) -> Result<(Source, ProfilePage), Problem> {
    let version = match desk.query.text("version") {
        "" => None,
        text => {
            let wrong = |_| Problem::field("/version", "is the number of a version");
            Some(text.parse::<u32>().map_err(wrong)?)
        }
    };
    let found = desk.rooms.discover.profile_text(desk.scope::<DataRead>()?, name, version);
    let (view, profile) = match found {
        Err(discover::DiscoverError::NoProfile(_)) => return Err(Problem::not_found("profile")),
        other => other?,
    };
    let trial = desk.rooms.discover.try_profile(desk.scope::<DataRead>()?, profile.clone())?;
    let newest = view.versions.first().map(|newest| newest.version);
    let versions = view.versions.iter().map(|one| VersionLine {
        version: one.version,
        at: one.at,
        by: desk.name_of(one.by),
        reason: one.reason.clone(),
        changes: one.changes.join(", "),
    });
    let page = ProfilePage {
        line: line(&view),
        shown: version.or(view.in_force).or(newest).filter(|_| !view.ships),
        editing: desk.query.text("rule").to_owned(),
        versions: versions.collect(),
        profile,
        trial,
        writes: desk.rooms.may(&desk.caller, Action::DataSource),
    };
    Ok((desk.live("live state"), page))
}
