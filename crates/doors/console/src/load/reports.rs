//! The shelf of packs.

use crate::desk::Desk;
use crate::elements::{State, Tone};
use crate::frame::Source;
use crate::pages::reports::{Report, Reports, Signed, ToSign, Witness};
use audit::outlet::outside;
use comply::{ReportRecord, ReportState, Signatory, Step};
use kernel::actions::ReportRead;
use kernel::{Action, Problem, ReportId, Scope};

/// The packs that lie on the shelf.
pub(crate) fn list(desk: &Desk) -> Result<(Source, Reports), Problem> {
    let permit = desk.scope::<ReportRead>()?;
    // Reports speak of the whole installation: who sees one key domain only sees none.
    let found =
        if permit.scope() == Scope::All { desk.rooms.reports.shelf() } else { Ok(Vec::new()) };
    desk.rooms.note_read(permit);
    let outside = outside(&desk.rooms.store)?;
    let view = Reports {
        reports: found?
            .iter()
            .filter_map(|(record, bytes)| Some(report(desk, record, (*bytes)?)))
            .collect(),
        may_make: desk.rooms.may(&desk.caller, Action::ReportMake),
        witness: outside.last_witness().map(|(name, left)| Witness {
            name: name.to_owned(),
            at: left.at,
            size: left.size,
        }),
    };
    Ok((desk.live("the folder of reports"), view))
}

/// The bytes of one pack.
pub(crate) fn file(desk: &Desk, id: ReportId) -> Result<Vec<u8>, Problem> {
    let permit = desk.permit::<ReportRead>(desk.rooms.reports.resource_of(id)?)?;
    let found = desk.rooms.reports.pack(id);
    desk.rooms.note_read(permit);
    found?.ok_or_else(|| Problem::not_found("report"))
}

fn report(desk: &Desk, record: &ReportRecord, bytes: u64) -> Report {
    let state = record.state();
    Report {
        id: record.id.to_string(),
        title: format!(
            "Assessment, {} to {}",
            record.from.hong_kong_date(),
            record.to.hong_kong_date()
        ),
        made_at: record.made_at,
        signed: signed(record),
        state: State::new(
            match state {
                ReportState::Approved => Tone::Good,
                ReportState::Draft | ReportState::Reviewed => Tone::Warn,
                ReportState::Returned => Tone::Bad,
            },
            state.word(),
        ),
        bytes,
        pack: record.pack.clone().unwrap_or_default(),
        to_sign: to_sign(desk, record),
    }
}

/// The next signature, if the one who looks may give it.
fn to_sign(desk: &Desk, record: &ReportRecord) -> Option<ToSign> {
    let step = record.next_step()?;
    record.pack.as_ref()?;
    let resource = record.resource();
    let says = desk.rooms.gate.explain(&desk.caller, Action::ReportSign, &resource);
    // An old one-time code is asked for again when the button is pressed.
    let may = says.map_or_else(|refusal| refusal.code == "second-factor-needed", |_| true);
    may.then_some(match step {
        Step::Approve => ToSign::Approve,
        Step::Review | Step::Return => ToSign::Review,
    })
}

fn signed(record: &ReportRecord) -> Vec<Signed> {
    let one = |what, by: &Signatory, reason: Option<&String>| Signed {
        what,
        name: by.name.clone(),
        role: by.role.clone(),
        at: by.at,
        reason: reason.cloned(),
    };
    let prepared = record.preparer.as_ref().map(|by| one("prepared", by, None));
    let signatures = record.signatures.iter().map(|signature| {
        let what = match signature.step {
            Step::Review => "reviewed",
            Step::Approve => "approved",
            Step::Return => "returned",
        };
        one(what, &signature.by, signature.reason.as_ref())
    });
    prepared.into_iter().chain(signatures).collect()
}
