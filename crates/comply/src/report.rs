//! The report as plain data: everything that a document needs, nothing about how it looks.

use crate::assessment::{Assessment, SourceCounts};
use crate::catalogue::{
    Catalogue, CheckKind, Layer, RequirementId, Responsibility, TextStatus, printed_section,
};
use crate::check::{Check, CheckId, Checks, Severity};
use crate::period::{CheckPeriod, Period, over_period};
use crate::profile::Profile;
use crate::run::{CheckResult, CheckRun};
use crate::standing::{Decision, Standing};
use crate::status::Status;
use inventory::KnownBy;
use kernel::{LogPosition, RunId, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One who stands behind a report.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Signatory {
    /// The account: what tells people of one name apart, and what the log has.
    pub who: String,
    /// The name.
    pub name: String,
    /// The role in which they signed.
    pub role: String,
    /// When.
    pub at: Timestamp,
}

impl Signatory {
    /// Name, role and time, as documents print it.
    #[must_use]
    pub fn sentence(&self) -> String {
        let role = if self.role.is_empty() { "no role" } else { &self.role };
        format!("{}, {role}, {}", self.name, self.at.hong_kong())
    }
}

/// Who stands behind a report. The three are different people or the report is a draft.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Signatories {
    /// Who prepared it.
    pub preparer: Option<Signatory>,
    /// Who reviewed it.
    pub reviewer: Option<Signatory>,
    /// Who approved it.
    pub approver: Option<Signatory>,
}

impl Signatories {
    /// Whether three different people stand behind it.
    #[must_use]
    pub fn is_final(&self) -> bool {
        match (&self.preparer, &self.reviewer, &self.approver) {
            (Some(a), Some(b), Some(c)) => a.who != b.who && b.who != c.who && a.who != c.who,
            _ => false,
        }
    }

    /// What each did, and who did it.
    #[must_use]
    pub fn by_role(&self) -> [(&'static str, Option<&Signatory>); 3] {
        [
            ("prepared", self.preparer.as_ref()),
            ("reviewed", self.reviewer.as_ref()),
            ("approved", self.approver.as_ref()),
        ]
    }
}

/// The newest checkpoint of the log that somebody else has seen and signed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Witnessed {
    /// What the installation calls the witness.
    pub name: String,
    /// How many events the checkpoint covers.
    pub size: u64,
    /// When the witness signed, by its own clock.
    pub at: Timestamp,
    /// The checkpoint with the signature of the witness.
    pub note: String,
}

impl Witnessed {
    /// Who, when, how long before the report, of how much: one sentence for a reader.
    #[must_use]
    pub fn sentence(&self, made_at: Timestamp) -> String {
        format!(
            "`{}` on {}, {} before this report was made, over the first {} events of the log",
            self.name,
            self.at.hong_kong(),
            age(made_at.seconds_since(self.at)),
            self.size
        )
    }
}

/// A length of time in the largest unit of which it has two.
fn age(seconds: i64) -> String {
    match seconds.max(0) {
        s if s < 120 => format!("{s} seconds"),
        s if s < 7_200 => format!("{} minutes", s / 60),
        s if s < 172_800 => format!("{} hours", s / 3_600),
        s => format!("{} days", s / 86_400),
    }
}

/// One requirement in the report.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RequirementReport {
    /// Our identifier: for links and for OSCAL, never printed as a paragraph.
    pub id: RequirementId,
    /// The key of its source.
    pub source: String,
    /// The heading to print.
    pub section: String,
    /// The title to print.
    pub title: String,
    /// What is asked: our paraphrase.
    pub text: String,
    /// What the text is.
    pub text_status: TextStatus,
    /// Whether it binds.
    pub layer: Layer,
    /// Who has to do it.
    pub responsibility: Responsibility,
    /// How it can be checked.
    pub check_kind: CheckKind,
    /// Where it stands.
    pub status: Status,
    /// What the checks alone say, under a decision.
    pub underneath: Option<Status>,
    /// The kind of evidence: the weakest knowledge on which the status rests.
    pub known_by: Option<KnownBy>,
    /// What is missing or wrong.
    pub gap: String,
    /// Who owns it: a role.
    pub owner: Option<String>,
    /// The decision in force.
    pub decision: Option<Decision>,
    /// The checks that are evidence.
    pub checks: Vec<CheckId>,
}

/// One check in the report.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CheckReport {
    /// The check.
    pub id: CheckId,
    /// What holds when it passes.
    pub title: String,
    /// The kind of fact.
    pub kind: String,
    /// The population's query (CEL); empty for all.
    pub filter: String,
    /// What must hold (CEL).
    pub expect: String,
    /// How much a failure matters.
    pub severity: Severity,
    /// Its version.
    pub version: String,
    /// Its newest result in the period; none when it did not run.
    pub latest: Option<CheckResult>,
    /// What it saw over the period.
    pub period: CheckPeriod,
    /// How far the log was when the newest facts were read.
    pub log_position: Option<LogPosition>,
    /// The run of the newest result.
    pub run: Option<RunId>,
    /// Where in the log that run is recorded, with the hash of its results.
    pub recorded_at: Option<LogPosition>,
}

/// Everything that a report needs.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Report {
    /// Whether it speaks of sample data; every page says so.
    pub sample: bool,
    /// When it was made.
    pub made_at: Timestamp,
    /// The period.
    pub period: Period,
    /// The institution's profile; none when it is not set. When the designation is withheld from
    /// the report's readers, the flag in it is false and `designation_withheld` is true.
    pub profile: Option<Profile>,
    /// Whether requirements of designated operators are withheld.
    pub designation_withheld: bool,
    /// Counts by source; each adds up to its total, and the totals to the whole catalogue.
    pub counts: Vec<SourceCounts>,
    /// Every requirement.
    pub requirements: Vec<RequirementReport>,
    /// Every check.
    pub checks: Vec<CheckReport>,
    /// The signed checkpoint of the log to which positions refer; none says so.
    pub checkpoint: Option<String>,
    /// The newest checkpoint that an independent witness signed; none says so.
    pub witnessed: Option<Witnessed>,
    /// Who stands behind it.
    pub signatories: Signatories,
}

/// What a report is made of.
#[derive(Debug)]
pub struct ReportParts<'a> {
    /// The catalogue.
    pub catalogue: &'a Catalogue,
    /// The checks.
    pub checks: &'a Checks,
    /// The profile.
    pub profile: Option<Profile>,
    /// What the bank decided.
    pub standings: &'a BTreeMap<RequirementId, Standing>,
    /// Runs, oldest first.
    pub runs: &'a [CheckRun],
    /// Where in the log each run is recorded.
    pub recorded: &'a BTreeMap<RunId, LogPosition>,
    /// The period.
    pub period: Period,
    /// When it is made.
    pub made_at: Timestamp,
    /// Whether it speaks of sample data.
    pub sample: bool,
    /// Whether its readers may learn of a designation.
    pub show_designation: bool,
    /// The signed checkpoint.
    pub checkpoint: Option<String>,
    /// The newest witnessed checkpoint.
    pub witnessed: Option<Witnessed>,
    /// Who stands behind it.
    pub signatories: Signatories,
}

/// Makes the report: judges at the end of the period with what was known by then.
#[must_use]
pub fn report(parts: ReportParts<'_>) -> Report {
    let ReportParts { catalogue, checks, standings, period, .. } = parts;
    let mut latest = BTreeMap::new();
    for run in parts.runs.iter().filter(|run| run.at <= period.to()) {
        latest.extend(run.results.iter().map(|r| (r.check.clone(), r.clone())));
    }
    let profile = parts.profile.as_ref();
    let assessment = crate::assess(catalogue, checks, profile, standings, &latest, period.to());
    let assessment =
        if parts.show_designation { assessment } else { assessment.without_designation(catalogue) };
    let checks = check_reports(checks.all().iter(), parts.runs, parts.recorded, period);
    let withheld = parts.profile.map(|profile| Profile {
        critical_infrastructure_operator: parts.show_designation
            && profile.critical_infrastructure_operator,
        ..profile
    });
    Report {
        sample: parts.sample,
        made_at: parts.made_at,
        period,
        profile: withheld,
        designation_withheld: !parts.show_designation,
        counts: assessment.counts(catalogue),
        requirements: requirements(catalogue, &assessment, standings),
        checks,
        checkpoint: parts.checkpoint,
        witnessed: parts.witnessed,
        signatories: parts.signatories,
    }
}

/// Checks with their newest results by the end of a period, and the period.
pub(crate) fn check_reports<'c>(
    checks: impl Iterator<Item = &'c Check>,
    runs: &[CheckRun],
    recorded: &BTreeMap<RunId, LogPosition>,
    period: Period,
) -> Vec<CheckReport> {
    let mut newest: BTreeMap<&CheckId, &CheckRun> = BTreeMap::new();
    let mut by_check: BTreeMap<&CheckId, Vec<&CheckResult>> = BTreeMap::new();
    for run in runs.iter().filter(|run| run.at <= period.to()) {
        for result in &run.results {
            newest.insert(&result.check, run);
            by_check.entry(&result.check).or_default().push(result);
        }
    }
    let report = |check: &Check| {
        let results = by_check.get(&check.id).map(Vec::as_slice).unwrap_or_default();
        let run = newest.get(&check.id);
        CheckReport {
            id: check.id.clone(),
            title: check.title.clone(),
            kind: check.kind.clone(),
            filter: check.filter.as_ref().map_or("", |f| f.source()).to_owned(),
            expect: check.expect.source().to_owned(),
            severity: check.severity,
            version: check.version.clone(),
            latest: results.last().map(|result| (*result).clone()),
            period: over_period(check, results, period),
            log_position: run.and_then(|run| run.log_position),
            run: run.map(|run| run.id),
            recorded_at: run.and_then(|run| recorded.get(&run.id)).copied(),
        }
    };
    checks.map(report).collect()
}

fn requirements(
    catalogue: &Catalogue,
    assessment: &Assessment,
    standings: &BTreeMap<RequirementId, Standing>,
) -> Vec<RequirementReport> {
    let rows = catalogue.requirements().zip(&assessment.judged);
    rows.map(|((source, requirement), judged)| {
        let withheld = judged.judgement.status == Status::Withheld;
        let standing = standings.get(&requirement.id).filter(|_| !withheld);
        let confirmed = standing.and_then(|standing| standing.confirmed.as_ref());
        let judgement = &judged.judgement;
        RequirementReport {
            id: requirement.id.clone(),
            source: source.key.clone(),
            section: printed_section(source, requirement, confirmed.map(|c| &c.reference)),
            title: confirmed
                .map_or_else(|| requirement.title.clone(), |c| c.title.as_str().to_owned()),
            text: requirement.requirement.clone(),
            text_status: confirmed.map_or(requirement.text_status, |c| c.text_status),
            layer: standing.map_or(requirement.layer, |s| s.layer(requirement.layer)),
            responsibility: requirement.responsibility,
            check_kind: requirement.check,
            status: judgement.status,
            underneath: judgement.underneath,
            known_by: judgement.known_by,
            gap: judgement.gap.clone(),
            owner: standing.and_then(|s| s.owner.as_ref()).map(|o| o.as_str().to_owned()),
            decision: standing.and_then(|s| s.decision.clone()),
            checks: judgement.checks.clone(),
        }
    })
    .collect()
}
