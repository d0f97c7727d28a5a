//! One requirement with everything that bears on it: for its page.

use crate::assessment::Assessment;
use crate::catalogue::{Requirement, RequirementId, Source, printed_section};
use crate::guide::{Answer, answers};
use crate::keep::ShippedData;
use crate::period::Period;
use crate::report::{CheckReport, check_reports};
use crate::run::CheckRun;
use crate::standing::Standing;
use crate::status::{Judgement, Status};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One requirement with everything that bears on it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RequirementPage {
    /// Its source.
    pub source: Source,
    /// The requirement.
    pub requirement: Requirement,
    /// The heading to print.
    pub section: String,
    /// The title to print.
    pub title: String,
    /// Where it stands.
    pub judgement: Judgement,
    /// What the bank decided.
    pub standing: Option<Standing>,
    /// What answers it, what is built first.
    pub answers: Vec<Answer>,
    /// Its checks with their newest results and the period.
    pub checks: Vec<CheckReport>,
    /// The period.
    pub period: Period,
}

pub(crate) fn page(
    id: &RequirementId,
    data: &ShippedData,
    assessment: &Assessment,
    standings: &BTreeMap<RequirementId, Standing>,
    runs: &[CheckRun],
    period: Period,
) -> Option<RequirementPage> {
    let (source, requirement) = data.catalogue.find(id)?;
    let judgement = assessment.of(id)?.clone();
    let withheld = judgement.status == Status::Withheld;
    let standing = standings.get(id).filter(|_| !withheld).cloned();
    let confirmed = standing.as_ref().and_then(|standing| standing.confirmed.as_ref());
    let checks = data.checks.of_requirement(id).filter(|_| !withheld);
    Some(RequirementPage {
        section: printed_section(source, requirement, confirmed.map(|c| &c.reference)),
        title: confirmed.map_or_else(|| requirement.title.clone(), |c| c.title.as_str().to_owned()),
        source: source.clone(),
        requirement: requirement.clone(),
        judgement,
        answers: answers(&data.capabilities, id),
        checks: check_reports(checks, runs, &BTreeMap::new(), period),
        standing,
        period,
    })
}
