//! Loads what the pages of data show.

use crate::desk::Desk;
use crate::elements::{Pager, State, Tone, count, query_value};
use crate::fields::Fields;
use crate::frame::Source;
use crate::pages::data::finding::FindingView;
use crate::pages::data::sources::{ScanLine, SourceRow, Sources};
use crate::pages::data::trial::TryBox;
use crate::pages::data::{Border, DataOverview, FindingRow, Findings, Heat};
use discover::report::{Report, ReportForm};
use discover::{Class, Finding, Level, SourceView, Standing, Wanted};
use kernel::actions::DataRead;
use kernel::{Action, FindingId, Problem, SourceId};

/// Findings of one page of the list.
const ROWS: usize = 50;

fn sources(desk: &Desk) -> Result<Vec<SourceView>, Problem> {
    Ok(desk.rooms.discover.sources(desk.scope::<DataRead>()?)?)
}

/// The overview: stores by class, what lies outside Hong Kong.
pub(crate) fn overview(desk: &Desk) -> Result<(Source, DataOverview), Problem> {
    let all = sources(desk)?;
    let rows = all
        .iter()
        .map(|view| Heat {
            id: view.source.id.to_string(),
            name: view.source.name.as_str().to_owned(),
            place: place(view),
            counts: Class::ALL.iter().map(|c| (*c, view.summary.of_class(*c))).collect(),
            scanned: view.summary.complete_at,
        })
        .collect();
    let mut borders = Vec::new();
    for view in all.iter().filter(|view| view.leaves_hong_kong()) {
        for class in Class::ALL.iter().rev().filter(|class| **class > Class::Internal) {
            let objects = view.summary.of_class(*class);
            if objects > 0 {
                borders.push(Border {
                    place: place(view),
                    source: view.source.name.as_str().to_owned(),
                    id: view.source.id.to_string(),
                    class: *class,
                    objects,
                });
            }
        }
    }
    let wanted = Wanted { standing: Some(Standing::Open), limit: 5, ..Wanted::default() };
    let top = desk.rooms.discover.findings(desk.scope::<DataRead>()?, &wanted)?;
    let top = top.items.iter().map(|finding| row(&all, finding)).collect();
    let oldest = all.iter().filter_map(|view| view.summary.complete_at).min();
    let source = match oldest {
        Some(at) => {
            Source { at, from: String::from("the last complete scans, the oldest of them") }
        }
        None => desk.live("the list of sources; nothing was scanned yet"),
    };
    Ok((source, DataOverview { rows, borders, top }))
}

pub(crate) fn place(view: &SourceView) -> String {
    match &view.place {
        inventory::Place::At { city, .. } => city.clone(),
        inventory::Place::Unknown => String::from("unknown"),
    }
}

fn row(sources: &[SourceView], finding: &Finding) -> FindingRow {
    let source = sources.iter().find(|view| view.source.id == finding.source);
    let kinds = finding.kinds.iter().filter(|kind| kind.tally.all() > 0);
    let kinds = kinds.map(|k| format!("{} × {}", count(k.tally.all()), called(k.kind)));
    FindingRow {
        id: finding.id.to_string(),
        object: finding.shown(),
        source: source.map_or_else(String::new, |view| view.source.name.as_str().to_owned()),
        class: finding.class,
        score: finding.risk.score,
        level: level(finding.risk.level()),
        standing: standing(finding.standing()),
        kinds: kinds.collect::<Vec<_>>().join(", "),
        seen: finding.last_seen,
    }
}

/// A kind in people's words; a detector of the bank's own by its number.
pub(crate) fn called(kind: extract::KindName) -> String {
    let word = String::from(kind);
    if word.starts_with("custom-") { word } else { kind.0.title().to_owned() }
}

/// A level of risk as a state.
pub(crate) fn level(level: Level) -> State {
    let tone = match level {
        Level::Critical | Level::High => Tone::Bad,
        Level::Medium => Tone::Warn,
        Level::Low => Tone::Quiet,
    };
    State::new(tone, level.word())
}

/// Where a finding stands as a state.
pub(crate) fn standing(standing: Standing) -> State {
    let tone = match standing {
        Standing::Open => Tone::Bad,
        Standing::Accepted => Tone::Warn,
        Standing::Protected => Tone::Good,
        Standing::FalsePositive | Standing::Gone => Tone::Quiet,
    };
    State::new(tone, standing.word().replace('-', " "))
}

/// What the filters of a query say.
fn wanted(query: &Fields) -> Result<Wanted, Problem> {
    let kind = |word: &str| extract::KindName::try_from(word.to_owned()).ok();
    Ok(Wanted {
        source: chosen(query.text("source"), |text| text.parse::<SourceId>().ok(), "/source")?,
        class: chosen(query.text("class"), Class::from_word, "/class")?,
        kind: chosen(query.text("kind"), kind, "/kind")?,
        standing: chosen(query.text("standing"), Standing::from_word, "/standing")?,
        level: chosen(query.text("level"), level_of, "/level")?,
        limit: ROWS,
        after: chosen(query.text("after"), |text| text.parse().ok(), "/after")?,
    })
}

/// The findings that the filters leave, as a file.
pub(crate) fn report(desk: &Desk) -> Result<Report, Problem> {
    let form = match desk.query.text("form") {
        "csv" => ReportForm::Csv,
        "xlsx" => ReportForm::Xlsx,
        _ => return Err(Problem::field("/form", "is not one of the choices")),
    };
    let wanted = Wanted { after: None, ..wanted(&desk.query)? };
    let permit = desk.scope::<DataRead>()?;
    Ok(desk.rooms.discover.report(permit, form, &wanted, desk.frame.sample)?)
}

/// The list of findings with its filters.
pub(crate) fn findings(desk: &Desk) -> Result<(Source, Findings), Problem> {
    let query = &desk.query;
    let all = sources(desk)?;
    let text = |name: &str| query.text(name).to_owned();
    let (source, class, standing_word, level_word, kind) =
        (text("source"), text("class"), text("standing"), text("level"), text("kind"));
    let wanted = wanted(query)?;
    let page = desk.rooms.discover.findings(desk.scope::<DataRead>()?, &wanted)?;
    let link = |after: Option<String>| {
        let mut link = format!(
            "source={}&class={}&standing={}&level={}&kind={}",
            query_value(&source),
            query_value(&class),
            query_value(&standing_word),
            query_value(&level_word),
            query_value(&kind)
        );
        if let Some(after) = after {
            link.push_str(&format!("&after={}", query_value(&after)));
        }
        link
    };
    let rows: Vec<_> = page.items.iter().map(|finding| row(&all, finding)).collect();
    let shown = format!("{} findings, highest risk first", count(rows.len() as u64));
    let at = |link: String| format!("/data/findings?{link}");
    let first = (!query.text("after").is_empty()).then(|| at(link(None)));
    let next = page.next.map(|next| at(link(Some(next.to_string()))));
    let filters = link(None);
    let view = Findings {
        rows,
        filters,
        sources: all
            .iter()
            .map(|v| (v.source.id.to_string(), v.source.name.as_str().to_owned()))
            .collect(),
        source,
        class,
        standing: standing_word,
        level: level_word,
        kind,
        pager: Pager { shown, first, next },
    };
    Ok((desk.live("the findings of the newest scans"), view))
}

fn level_of(word: &str) -> Option<Level> {
    [Level::Low, Level::Medium, Level::High, Level::Critical]
        .into_iter()
        .find(|level| level.word() == word)
}

fn chosen<T>(
    text: &str,
    parse: impl Fn(&str) -> Option<T>,
    pointer: &str,
) -> Result<Option<T>, Problem> {
    if text.is_empty() {
        return Ok(None);
    }
    parse(text).map(Some).ok_or_else(|| Problem::field(pointer, "is not one of the choices"))
}

/// One finding.
pub(crate) fn finding(desk: &Desk, id: FindingId) -> Result<(Source, FindingView), Problem> {
    let discover = &desk.rooms.discover;
    let resource = discover.finding_resource(id, desk.caller.domain)?;
    let may = |action| desk.rooms.gate.explain(&desk.caller, action, &resource).is_ok();
    let (decides, acts, deletes) =
        (may(Action::DataDecide), may(Action::DataAct), may_ask_deletion(desk, &resource));
    let finding = discover.finding(desk.permit::<DataRead>(resource)?)?;
    let source_name = discover.source_name(finding.source)?;
    let possible = discover.acts(&finding)?;
    let accepted = finding
        .accepted
        .as_ref()
        .map(|accepted| (desk.name_of(accepted.by), accepted.until, accepted.reason.clone()));
    let source = Source { at: finding.last_seen, from: String::from("the scan that last saw it") };
    let standing = standing(finding.standing());
    let view = FindingView {
        shown: finding.shown(),
        source_name,
        accepted,
        decides,
        acts: if acts { possible.clone() } else { Vec::new() },
        deletes: deletes && possible.contains(&discover::Act::Delete),
        level: level(finding.risk.level()),
        standing,
        finding,
    };
    Ok((source, view))
}

/// Whether the caller may ask for a deletion: the gate itself says that approval is still needed.
fn may_ask_deletion(desk: &Desk, resource: &kernel::Resource) -> bool {
    match desk.rooms.gate.explain(&desk.caller, Action::DataDelete, resource) {
        Ok(_) => true,
        Err(refusal) => {
            matches!(refusal.code.as_ref(), "approval-needed" | "second-factor-needed")
        }
    }
}

/// Sources with their newest scans.
pub(crate) fn source_list(desk: &Desk) -> Result<(Source, Sources), Problem> {
    let all = sources(desk)?;
    let rows = all
        .iter()
        .map(|view| SourceRow {
            id: view.source.id.to_string(),
            name: view.source.name.as_str().to_owned(),
            owner: view.source.owner.as_ref().map_or("", kernel::Name::as_str).to_owned(),
            place: place(view),
            objects: view.summary.objects,
            class: view.summary.class(),
            score: view.summary.score,
            due: view.source.due_at(),
            scan: view.scan.as_ref().map(scan_line),
        })
        .collect();
    let (scans, adds) = (
        desk.rooms.may(&desk.caller, Action::DataScan),
        desk.rooms.may(&desk.caller, Action::DataSource),
    );
    Ok((desk.live("live state"), Sources { rows, scans, adds }))
}

/// A scan as a line tells it.
pub(crate) fn scan_line(view: &discover::ScanView) -> ScanLine {
    ScanLine {
        state: view.scan.state,
        started: view.scan.started_at,
        ended: view.scan.ended_at,
        progress: view.scan.progress,
        live: view.live,
        troubles: view.scan.troubles_total,
        failure: view.scan.failure.clone(),
    }
}

/// The test box: a pasted text is tried and shown back to the one who pasted it, and nothing of it
/// is kept.
pub(crate) fn try_box(desk: &Desk, fields: &Fields) -> Result<(Source, TryBox), Problem> {
    let text = fields.exact("text").to_owned();
    let tried = if text.is_empty() {
        None
    } else {
        let permit = desk.scope::<DataRead>()?;
        Some(desk.rooms.discover.try_text(permit, &text, discover::Under::Named(None), None)?)
    };
    Ok((desk.live("the detectors of this version and the bank's own"), TryBox { text, tried }))
}
