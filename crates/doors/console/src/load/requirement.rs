//! One requirement with its evidence over the last 90 days.

use crate::desk::Desk;
use crate::elements::{State, Tone, duration};
use crate::frame::Source;
use crate::load::guide::outcome;
use crate::load::requirements::{state, text_status};
use crate::pages::problem::sentence;
use crate::pages::requirement::{Check, Past, Requirement};
use comply::{CheckPeriod, CheckReport, Outcome, Period, RequirementPage, Stretch};
use kernel::actions::RequirementRead;
use kernel::{Problem, ProblemKind, Resource, ResourceKind};

/// Days of history that the page shows.
const HISTORY_DAYS: i64 = 90;

/// The requirement of an identifier.
pub(crate) fn one(desk: &Desk, id: &str) -> Result<(Source, Requirement), Problem> {
    let resource = Resource::new(ResourceKind::Requirement, id, desk.caller.domain);
    let permit = desk.permit::<RequirementRead>(resource)?;
    let period = Period::new(desk.now().plus_days(-HISTORY_DAYS), desk.now().plus_seconds(1));
    let period = period
        .map_err(|cause| Problem::new(ProblemKind::Internal, "no-period", cause.to_string()))?;
    let shown = desk.may_know_designation();
    let page = desk.rooms.comply.requirement(permit, period, shown)?;
    Ok((desk.assessed()?, view(&page)))
}

fn view(page: &RequirementPage) -> Requirement {
    let requirement = &page.requirement;
    let standing = page.standing.as_ref();
    let confirmed = standing.and_then(|standing| standing.confirmed.as_ref());
    let judgement = &page.judgement;
    let status = confirmed.map_or(requirement.text_status, |confirmed| confirmed.text_status);
    let caution = match confirmed {
        Some(_) => None,
        None => Some(caution(requirement.note.as_deref())),
    };
    Requirement {
        id: requirement.id.as_str().to_owned(),
        title: page.title.clone(),
        text: requirement.requirement.clone(),
        text_status: text_status(status).to_owned(),
        caution,
        status: state(judgement.status),
        because: if judgement.gap.is_empty() { String::new() } else { sentence(&judgement.gap) },
        facts: facts(page),
        gap: Some(judgement.gap.clone()).filter(|gap| !gap.is_empty()),
        owner: standing.and_then(|s| s.owner.as_ref()).map(|owner| owner.as_str().to_owned()),
        answer: page.answers.iter().map(|answer| (answer.text.clone(), answer.built)).collect(),
        checks: page.checks.iter().map(check).collect(),
        would_show: requirement.evidence.clone(),
        period: format!("Over the last {HISTORY_DAYS} days, from the runs that were kept."),
        history: page
            .checks
            .iter()
            .filter(|c| c.period.runs > 0)
            .map(|c| past(&c.period))
            .collect(),
    }
}

fn caution(note: Option<&str>) -> String {
    let until = "Until the bank confirms its own copy of the text, this says whether the control \
                 works, never that the requirement is met.";
    match note {
        Some(note) => format!("{until} {}", sentence(note.trim_end_matches('.'))),
        None => until.to_owned(),
    }
}

fn facts(page: &RequirementPage) -> Vec<(&'static str, String)> {
    let requirement = &page.requirement;
    let underneath = page.judgement.underneath.map(|status| status.title().to_owned());
    let decision = page.standing.as_ref().and_then(|standing| standing.decision.as_ref());
    let mut facts = vec![
        ("Source", format!("{}, {}", page.source.title, page.source.version)),
        ("Paragraph", page.section.clone()),
        ("Layer", requirement.layer.word().replace('-', " ")),
        ("Responsibility", requirement.responsibility.word().to_owned()),
        ("Stage", requirement.stage.word().to_owned()),
        ("Checked", requirement.check.word().to_owned()),
        ("Our wording", confidence(page)),
    ];
    facts.extend(decision.map(|decision| ("Decision", decision.reason.clone())));
    facts.extend(underneath.map(|status| ("Without the decision", status)));
    facts
}

/// Where our words are from and how deep was read.
fn confidence(page: &RequirementPage) -> String {
    let from = page.requirement.confidence.word().replace('-', " ");
    match page.requirement.read_depth {
        Some(depth) => format!("{from}, {}", depth.word()),
        None => from,
    }
}

fn check(report: &CheckReport) -> Check {
    let latest = report.latest.as_ref();
    let filter =
        if report.filter.is_empty() { String::new() } else { format!(" where {}", report.filter) };
    let failing = latest.map(|result| {
        let listed = result.failing.iter().map(|item| {
            let name = if item.name.is_empty() { &item.id } else { &item.name };
            format!("{name} ({})", item.known_by.word())
        });
        let errors = result.errors.iter().map(|item| format!("{}: {}", item.id, item.reason));
        let mut lines: Vec<_> = listed.chain(errors).collect();
        let counted = result.failing_count + result.error_count;
        if counted > lines.len() {
            lines.push(format!("and {} more", counted - lines.len()));
        }
        lines
    });
    Check {
        id: report.id.as_str().to_owned(),
        rule: format!("{}. Each {}{filter}: {}", report.title, report.kind, report.expect),
        result: outcome(latest.map_or(Outcome::NotRun, |result| result.outcome)),
        population: latest.map_or(0, |result| result.population as u64),
        failing: failing.unwrap_or_default(),
        ran_at: latest.map(|result| result.at),
        position: report.recorded_at.map(|position| position.0),
        evidence: latest
            .and_then(|result| result.known_by)
            .map_or("none", |known| known.word())
            .to_owned(),
    }
}

fn past(period: &CheckPeriod) -> Past {
    let outcomes: Vec<_> = period
        .outcomes
        .iter()
        .map(|(outcome, n)| format!("{} {n}", outcome.word().replace('-', " ")))
        .collect();
    let mut remarks = Vec::new();
    if !period.not_passing.is_empty() {
        remarks.push(format!("did not pass for {}", length(&period.not_passing)));
    }
    if !period.gaps.is_empty() {
        remarks.push(format!("nobody looked for {}", length(&period.gaps)));
    }
    if period.version_changes > 0 {
        remarks.push(format!("the check itself changed {} times", period.version_changes));
    }
    Past {
        check: period.check.as_str().to_owned(),
        runs: period.runs as u64,
        outcomes: outcomes.join(", "),
        verdict: if period.is_unbroken() {
            State::new(Tone::Good, "passed throughout")
        } else if period.not_passing.is_empty() {
            State::new(Tone::Warn, "passed, with gaps")
        } else {
            State::new(Tone::Bad, "did not always pass")
        },
        remark: remarks.join("; "),
    }
}

fn length(stretches: &[Stretch]) -> String {
    duration(stretches.iter().map(|stretch| stretch.to.seconds_since(stretch.from)).sum())
}
