//! A guideline answered point by point: the item, what answers it, the live result, the kind of
//! evidence, the gap, the owner.

use crate::assessment::Assessment;
use crate::capabilities::Capabilities;
use crate::catalogue::{
    Catalogue, CheckKind, Layer, RequirementId, Responsibility, TextStatus, printed_section,
};
use crate::check::{CheckId, Checks};
use crate::run::{CheckResult, Outcome};
use crate::standing::Standing;
use crate::status::Status;
use inventory::KnownBy;
use kernel::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A guideline that has its page.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Guide {
    /// The Practice Guide on Cloud Adoption.
    PracticeGuide,
    /// SPM SA-2 Outsourcing.
    Sa2,
    /// SPM TM-G-1 General Principles for Technology Risk Management.
    TmG1,
}

impl Guide {
    /// Every guide.
    pub const ALL: [Self; 3] = [Self::PracticeGuide, Self::Sa2, Self::TmG1];

    /// The word in the page's address.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::PracticeGuide => "practice-guide",
            Self::Sa2 => "sa-2",
            Self::TmG1 => "tm-g-1",
        }
    }

    /// The guide of a word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|guide| guide.word() == word)
    }

    /// The key of its source in the catalogue.
    #[must_use]
    pub const fn source(self) -> &'static str {
        match self {
            Self::PracticeGuide => "pg",
            Self::Sa2 => "sa2",
            Self::TmG1 => "tmg1",
        }
    }
}

/// What one check says now.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LiveResult {
    /// The check.
    pub check: CheckId,
    /// What holds when it passes.
    pub title: String,
    /// What came of it; `not-run` when it never ran.
    pub outcome: Outcome,
    /// How many items counted.
    pub population: usize,
    /// For how many it does not hold.
    pub failing: usize,
    /// When; none when it never ran.
    pub at: Option<Timestamp>,
}

/// One capability as an answer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Answer {
    /// The capability.
    pub id: String,
    /// What it does.
    pub text: String,
    /// Whether it exists; else print `not built`.
    pub built: bool,
    /// The room where it stands or will stand.
    pub area: String,
}

/// One item of a guideline.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct GuideItem {
    /// Our identifier: for links, never printed as a paragraph.
    pub requirement: RequirementId,
    /// The heading to print: the bank's confirmed reference, or ours, marked where it is a working
    /// title.
    pub section: String,
    /// The title to print: the bank's confirmed one, or ours.
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
    pub check: CheckKind,
    /// What answers it: what is built first.
    pub answers: Vec<Answer>,
    /// Whether anything that is built answers it.
    pub built: bool,
    /// What its checks say now.
    pub live: Vec<LiveResult>,
    /// Where it stands.
    pub status: Status,
    /// The weakest knowledge on which that rests.
    pub known_by: Option<KnownBy>,
    /// What the evidence would show.
    pub evidence_wanted: String,
    /// What is missing or wrong.
    pub gap: String,
    /// Who owns it.
    pub owner: Option<String>,
}

/// Items under one heading.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct GuideSection {
    /// The heading.
    pub heading: String,
    /// Its items, in the order of the catalogue.
    pub items: Vec<GuideItem>,
}

/// One guideline, answered.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct GuideView {
    /// Which.
    pub guide: Guide,
    /// The title of its source.
    pub title: String,
    /// Version and date.
    pub version: String,
    /// What is uncertain about the text.
    pub note: Option<String>,
    /// As of when the statuses are.
    pub at: Timestamp,
    /// Its sections.
    pub sections: Vec<GuideSection>,
    /// Counts by status over all items, the worst first.
    pub counts: BTreeMap<Status, usize>,
    /// Items that nothing built answers.
    pub not_built: usize,
}

/// Answers a guideline. Nothing when the catalogue lacks its source.
#[must_use]
pub fn guide(
    which: Guide,
    catalogue: &Catalogue,
    capabilities: &Capabilities,
    checks: &Checks,
    assessment: &Assessment,
    standings: &BTreeMap<RequirementId, Standing>,
    latest: &BTreeMap<CheckId, CheckResult>,
) -> Option<GuideView> {
    let source = catalogue.source(which.source())?;
    let mut sections: Vec<(Order, GuideSection)> = Vec::new();
    let mut counts = BTreeMap::new();
    let mut not_built = 0;
    for (_, requirement) in catalogue.requirements().filter(|(s, _)| s.key == source.key) {
        let judgement = assessment.of(&requirement.id)?;
        let standing = standings.get(&requirement.id);
        let confirmed = standing.and_then(|standing| standing.confirmed.as_ref());
        let answers = answers(capabilities, &requirement.id);
        let live: Vec<_> = checks
            .of_requirement(&requirement.id)
            .map(|check| {
                let result = latest.get(&check.id);
                LiveResult {
                    check: check.id.clone(),
                    title: check.title.clone(),
                    outcome: result.map_or(Outcome::NotRun, |r| r.outcome),
                    population: result.map_or(0, |r| r.population),
                    failing: result.map_or(0, |r| r.failing_count),
                    at: result.map(|r| r.at),
                }
            })
            .collect();
        let built = !live.is_empty() || answers.iter().any(|answer| answer.built);
        not_built += usize::from(!built);
        *counts.entry(judgement.status).or_default() += 1;
        let item = GuideItem {
            requirement: requirement.id.clone(),
            section: printed_section(source, requirement, confirmed.map(|c| &c.reference)),
            title: confirmed
                .map_or_else(|| requirement.title.clone(), |c| c.title.as_str().to_owned()),
            text: requirement.requirement.clone(),
            text_status: confirmed.map_or(requirement.text_status, |c| c.text_status),
            layer: standing.map_or(requirement.layer, |s| s.layer(requirement.layer)),
            responsibility: requirement.responsibility,
            check: requirement.check,
            answers,
            built,
            live,
            status: judgement.status,
            known_by: judgement.known_by,
            evidence_wanted: requirement.evidence.clone(),
            gap: judgement.gap.clone(),
            owner: standing.and_then(|s| s.owner.as_ref()).map(|o| o.as_str().to_owned()),
        };
        let (order, heading) = heading(which, &item.section, &requirement.section);
        match sections.iter_mut().find(|(at, found)| {
            *at == order && (which != Guide::PracticeGuide || found.heading == heading)
        }) {
            Some((_, section)) => section.items.push(item),
            None => sections.push((order, GuideSection { heading, items: vec![item] })),
        }
    }
    if which != Guide::PracticeGuide {
        sections.sort_by_key(|(order, _)| *order);
    }
    Some(GuideView {
        guide: which,
        title: source.title.clone(),
        version: source.version.clone(),
        note: source.note.clone(),
        at: assessment.at,
        sections: sections.into_iter().map(|(_, section)| section).collect(),
        counts,
        not_built,
    })
}

/// What answers a requirement, what is built first.
pub(crate) fn answers(capabilities: &Capabilities, id: &RequirementId) -> Vec<Answer> {
    let mut answers: Vec<_> = capabilities
        .of_requirement(id)
        .map(|capability| Answer {
            id: capability.id.clone(),
            text: capability.answer.clone(),
            built: capability.is_built(),
            area: capability.area.clone(),
        })
        .collect();
    answers.sort_by_key(|answer| !answer.built);
    answers
}

/// Where a section stands in its guideline: chapter and section number; what has none comes last.
type Order = (u32, u32);

/// The heading under which an item stands: in the Practice Guide its domain as printed; in the
/// modules of the Supervisory Policy Manual the section of its paragraph (2.3 of 2.3.1), named.
fn heading(which: Guide, printed: &str, section: &str) -> (Order, String) {
    if which == Guide::PracticeGuide {
        return ((0, 0), printed.to_owned());
    }
    let number = section.split([' ', '-', ',']).next().unwrap_or_default();
    let mut parts = number.split('.').map(str::parse::<u32>);
    let (Some(Ok(chapter)), Some(Ok(part))) = (parts.next(), parts.next()) else {
        return ((u32::MAX, 0), "Not in the module's text".to_owned());
    };
    let name = section.trim_start_matches(|c: char| !c.is_alphabetic());
    let name = name.split(" (").next().unwrap_or_default();
    ((chapter, part), format!("{chapter}.{part} {name}"))
}
