//! All requirements at one instant: each judged once, counted by source, nothing left out.

use crate::catalogue::{AppliesTo, Catalogue, RequirementId};
use crate::check::{CheckId, Checks};
use crate::profile::Profile;
use crate::run::CheckResult;
use crate::standing::Standing;
use crate::status::{Judgement, Status, Subject, judge};
use kernel::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One requirement, judged.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Judged {
    /// The requirement.
    pub requirement: RequirementId,
    /// The key of its source.
    pub source: String,
    /// Where it stands.
    pub judgement: Judgement,
}

/// How many requirements of a source have which status.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SourceCounts {
    /// The key of the source.
    pub source: String,
    /// Its title.
    pub title: String,
    /// Counts by status, the worst first; statuses that nobody has are left out.
    pub counts: BTreeMap<Status, usize>,
    /// All requirements of the source.
    pub total: usize,
}

/// All requirements at one instant.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Assessment {
    /// When.
    pub at: Timestamp,
    /// Every requirement, in the order of the catalogue.
    pub judged: Vec<Judged>,
}

/// Judges every requirement. `latest` has the newest result of each check.
#[must_use]
pub fn assess(
    catalogue: &Catalogue,
    checks: &Checks,
    profile: Option<&Profile>,
    standings: &BTreeMap<RequirementId, Standing>,
    latest: &BTreeMap<CheckId, CheckResult>,
    now: Timestamp,
) -> Assessment {
    let judged = catalogue
        .requirements()
        .map(|(source, requirement)| {
            let subject = Subject {
                source,
                requirement,
                profile,
                standing: standings.get(&requirement.id),
                checks: checks
                    .of_requirement(&requirement.id)
                    .map(|check| (check, latest.get(&check.id)))
                    .collect(),
            };
            Judged {
                requirement: requirement.id.clone(),
                source: source.key.clone(),
                judgement: judge(&subject, now),
            }
        })
        .collect();
    Assessment { at: now, judged }
}

impl Assessment {
    /// One requirement.
    #[must_use]
    pub fn of(&self, id: &RequirementId) -> Option<&Judgement> {
        self.judged.iter().find(|j| j.requirement == *id).map(|j| &j.judgement)
    }

    /// Counts by source, in the order of the catalogue. There is no total percentage on purpose.
    #[must_use]
    pub fn counts(&self, catalogue: &Catalogue) -> Vec<SourceCounts> {
        let of = |key: &str| {
            let mut counts = BTreeMap::new();
            let mine = self.judged.iter().filter(|judged| judged.source == key);
            for judged in mine {
                *counts.entry(judged.judgement.status).or_default() += 1;
            }
            counts
        };
        let sources = catalogue.sources().iter();
        sources
            .map(|source| {
                let counts = of(&source.key);
                let total = counts.values().sum();
                let (source, title) = (source.key.clone(), source.title.clone());
                SourceCounts { source, title, counts, total }
            })
            .collect()
    }

    /// The same assessment for a reader who may not learn whether the institution is a designated
    /// operator: what would tell is withheld, whatever its status.
    #[must_use]
    pub fn without_designation(mut self, catalogue: &Catalogue) -> Self {
        for judged in &mut self.judged {
            let source = catalogue.source(&judged.source);
            if source.is_some_and(|s| s.applies_to == AppliesTo::CriticalInfrastructure) {
                judged.judgement = Judgement {
                    status: Status::Withheld,
                    underneath: None,
                    known_by: None,
                    gap: "not shown to this role".to_owned(),
                    checks: Vec::new(),
                    as_of: None,
                };
            }
        }
        self
    }
}
