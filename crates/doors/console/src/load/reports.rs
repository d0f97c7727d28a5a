//! The shelf of packs.

use crate::desk::Desk;
use crate::elements::{State, Tone};
use crate::frame::Source;
use crate::pages::reports::{Report, Reports};
use crate::rooms::{Pack, Packs};
use comply::Signatories;
use kernel::actions::ReportRead;
use kernel::{Action, Problem, ReportId, Resource, ResourceKind};

/// The packs that lie on the shelf.
pub(crate) fn list(desk: &Desk, packs: &dyn Packs) -> Result<(Source, Reports), Problem> {
    let permit = desk.scope::<ReportRead>()?;
    let found = packs.list();
    desk.rooms.note_read(permit);
    let view = Reports {
        reports: found?.iter().map(report).collect(),
        may_make: desk.rooms.may(&desk.caller, Action::ReportMake),
    };
    Ok((desk.live("the folder of reports"), view))
}

/// The bytes of one pack.
pub(crate) fn file(desk: &Desk, packs: &dyn Packs, id: ReportId) -> Result<Vec<u8>, Problem> {
    let resource = Resource::new(ResourceKind::Report, id.to_string(), desk.caller.domain);
    let permit = desk.permit::<ReportRead>(resource)?;
    let found = packs.read(id);
    desk.rooms.note_read(permit);
    found?.ok_or_else(|| Problem::not_found("report"))
}

fn report(pack: &Pack) -> Report {
    Report {
        id: pack.id.to_string(),
        title: pack.title.clone(),
        made_at: pack.made_at,
        signed: signed(&pack.signatories),
        state: if pack.signatories.is_final() {
            State::new(Tone::Good, "reviewed and approved")
        } else {
            State::new(Tone::Warn, "draft")
        },
        checkpoint: pack.checkpoint_size,
        bytes: pack.bytes,
    }
}

fn signed(signatories: &Signatories) -> String {
    let one = |done: &str, by: &Option<String>| match by {
        Some(name) => format!("{done} by {name}"),
        None => format!("not {done}"),
    };
    [
        one("prepared", &signatories.preparer),
        one("reviewed", &signatories.reviewer),
        one("approved", &signatories.approver),
    ]
    .join(", ")
}
