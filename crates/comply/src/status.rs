//! The status of one requirement: a pure function, and its table.

use crate::catalogue::{CheckKind, Requirement, Source};
use crate::check::{Check, CheckId};
use crate::profile::Profile;
use crate::run::{CheckResult, Outcome};
use crate::standing::{DecisionKind, Standing};
use inventory::KnownBy;
use kernel::Timestamp;
use serde::{Deserialize, Serialize};

/// A result counts as current for its cadence and a quarter, so that a run that is a little late
/// is not a gap.
pub(crate) const fn current_for_seconds(cadence_hours: u32) -> i64 {
    cadence_hours as i64 * 3_600 * 5 / 4
}

/// Where a requirement stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Not met; the bank confirmed the text.
    NotMet,
    /// A check fails; the text is not confirmed.
    ControlNotWorking,
    /// Checks gave no answer; the bank confirmed the text.
    InsufficientEvidence,
    /// Checks gave no answer; the text is not confirmed.
    NoData,
    /// Checks passed, but too long ago or over facts that are too old.
    Stale,
    /// Nobody has looked yet: no check covers it, or only people can assess it.
    NotYetAssessed,
    /// The risk is accepted, for a time.
    RiskAccepted,
    /// A good practice that is not followed, with its reason.
    NotAdopted,
    /// Every check passes; the text is not confirmed.
    ControlWorking,
    /// Every check passes, and more than a declaration says so; the bank confirmed the text.
    Met,
    /// It does not apply, approved.
    NotApplicable,
    /// It does not apply to an institution of this profile.
    NotApplicableByProfile,
    /// Its source was superseded: history only.
    HistoryOnly,
    /// Not shown to this reader.
    Withheld,
}

impl Status {
    /// Every status, the worst first.
    pub const ALL: [Self; 14] = [
        Self::NotMet,
        Self::ControlNotWorking,
        Self::InsufficientEvidence,
        Self::NoData,
        Self::Stale,
        Self::NotYetAssessed,
        Self::RiskAccepted,
        Self::NotAdopted,
        Self::ControlWorking,
        Self::Met,
        Self::NotApplicable,
        Self::NotApplicableByProfile,
        Self::HistoryOnly,
        Self::Withheld,
    ];

    /// The words on screen, which are also the terms of the glossary.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::NotMet => "not met",
            Self::ControlNotWorking => "control not working",
            Self::InsufficientEvidence => "insufficient evidence",
            Self::NoData => "no data",
            Self::Stale => "stale",
            Self::NotYetAssessed => "not yet assessed",
            Self::RiskAccepted => "risk accepted",
            Self::NotAdopted => "not adopted",
            Self::ControlWorking => "control working",
            Self::Met => "met",
            Self::NotApplicable => "not applicable",
            Self::NotApplicableByProfile => "not applicable by profile",
            Self::HistoryOnly => "history only",
            Self::Withheld => "withheld",
        }
    }

    /// Whether this is good news that rests on evidence.
    #[must_use]
    pub const fn is_good(self) -> bool {
        matches!(self, Self::Met | Self::ControlWorking)
    }
}

/// What is judged: a requirement with all that bears on it.
#[derive(Clone, Debug)]
pub struct Subject<'a> {
    /// The source.
    pub source: &'a Source,
    /// The requirement.
    pub requirement: &'a Requirement,
    /// The institution's profile, once it is set.
    pub profile: Option<&'a Profile>,
    /// What the bank decided.
    pub standing: Option<&'a Standing>,
    /// Each check that is evidence for it, with its newest result.
    pub checks: Vec<(&'a Check, Option<&'a CheckResult>)>,
}

/// Where a requirement stands, and why.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Judgement {
    /// The status.
    pub status: Status,
    /// What the checks alone say, under a decision or an acceptance.
    pub underneath: Option<Status>,
    /// The weakest knowledge on which it rests.
    pub known_by: Option<KnownBy>,
    /// What is missing or wrong, as a sentence; empty when nothing is.
    pub gap: String,
    /// The checks that count.
    pub checks: Vec<CheckId>,
    /// The oldest result on which it rests.
    pub as_of: Option<Timestamp>,
}

/// Judges one requirement at an instant.
#[must_use]
pub fn judge(subject: &Subject<'_>, now: Timestamp) -> Judgement {
    let plain = |status, gap: &str| Judgement {
        status,
        underneath: None,
        known_by: None,
        gap: gap.to_owned(),
        checks: Vec::new(),
        as_of: None,
    };
    if let Some(by) = &subject.source.superseded_by {
        return plain(Status::HistoryOnly, &format!("superseded by {by}"));
    }
    let excluded = subject.profile.and_then(|p| p.excludes(subject.source, subject.requirement));
    if let Some(why) = excluded {
        return plain(Status::NotApplicableByProfile, why);
    }
    let mut evidence = by_evidence(subject, now);
    let decision = subject.standing.and_then(|s| s.decision.as_ref()).filter(|d| d.holds(now));
    let Some(decision) = decision else { return evidence };
    let status = match decision.kind {
        // An acceptance covers what fails; a control that works needs none.
        DecisionKind::RiskAccepted { .. } if evidence.status.is_good() => return evidence,
        DecisionKind::RiskAccepted { .. } => Status::RiskAccepted,
        DecisionKind::NotApplicable => Status::NotApplicable,
        DecisionKind::NotAdopted => Status::NotAdopted,
    };
    evidence.underneath = Some(evidence.status);
    evidence.status = status;
    evidence.gap.clone_from(&decision.reason);
    evidence
}

fn by_evidence(subject: &Subject<'_>, now: Timestamp) -> Judgement {
    let mut judgement = Judgement {
        status: Status::NotYetAssessed,
        underneath: None,
        known_by: None,
        gap: String::new(),
        checks: subject.checks.iter().map(|(check, _)| check.id.clone()).collect(),
        as_of: None,
    };
    if subject.requirement.check == CheckKind::Manual {
        judgement.gap = "only people can assess it; nobody has yet".to_owned();
        return judgement;
    }
    if subject.checks.is_empty() {
        judgement.gap = "no check covers it yet".to_owned();
        return judgement;
    }
    let confirmed = subject.standing.is_some_and(|s| s.confirmed.is_some());
    let mut worst = Weight::Holds;
    for (check, result) in &subject.checks {
        let weight = weigh(check, *result, now);
        if weight > worst || (weight == worst && judgement.gap.is_empty()) {
            judgement.gap = explain(check, *result, weight);
        }
        worst = worst.max(weight);
        let known_by = result.and_then(|r| r.known_by);
        judgement.known_by = match (judgement.known_by, known_by) {
            (Some(a), Some(b)) => Some(a.weaker(b)),
            (a, b) => a.or(b),
        };
        let at = result.map(|r| r.at);
        judgement.as_of = match (judgement.as_of, at) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
    }
    judgement.status = match (worst, confirmed) {
        (Weight::Fails, true) => Status::NotMet,
        (Weight::Fails, false) => Status::ControlNotWorking,
        (Weight::Silent, true) => Status::InsufficientEvidence,
        (Weight::Silent, false) => Status::NoData,
        (Weight::Old, _) => Status::Stale,
        (Weight::Holds, false) => Status::ControlWorking,
        (Weight::Holds, true) if subject.requirement.check == CheckKind::Hybrid => {
            "the checks pass; the part that people assess is open".clone_into(&mut judgement.gap);
            Status::InsufficientEvidence
        }
        (Weight::Holds, true) if judgement.known_by == Some(KnownBy::Declared) => {
            "the checks pass over declarations alone".clone_into(&mut judgement.gap);
            Status::InsufficientEvidence
        }
        (Weight::Holds, true) => Status::Met,
    };
    judgement
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Weight {
    Holds,
    Old,
    Silent,
    Fails,
}

fn weigh(check: &Check, result: Option<&CheckResult>, now: Timestamp) -> Weight {
    let Some(result) = result.filter(|result| result.version == check.version) else {
        return Weight::Silent;
    };
    match result.outcome {
        Outcome::Fail => Weight::Fails,
        Outcome::Error | Outcome::NotRun | Outcome::EmptyPopulation => Weight::Silent,
        Outcome::Stale => Weight::Old,
        Outcome::Pass => {
            let age = now.seconds_since(result.at);
            if age > current_for_seconds(check.cadence_hours) { Weight::Old } else { Weight::Holds }
        }
    }
}

fn explain(check: &Check, result: Option<&CheckResult>, weight: Weight) -> String {
    let title = &check.title;
    let Some(result) = result else { return format!("{title}: it has never run") };
    if result.version != check.version {
        return format!("{title}: the check has changed and has not run since");
    }
    match (weight, result.outcome) {
        (Weight::Holds, _) => String::new(),
        (_, Outcome::Fail) => {
            let (failing, population) = (result.failing_count, result.population);
            format!("{title}: fails for {failing} of {population}")
        }
        (_, Outcome::EmptyPopulation) => format!("{title}: there is nothing to check"),
        (_, Outcome::NotRun) => format!("{title}: nobody gives facts of this kind"),
        (_, Outcome::Error) => {
            let reason = result.errors.first().map_or("", |error| error.reason.as_str());
            format!("{title}: {reason}")
        }
        (_, Outcome::Stale | Outcome::Pass) => format!("{title}: the reading is too old"),
    }
}
