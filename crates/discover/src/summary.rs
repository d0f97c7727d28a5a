//! Where a source stands: counts that follow its findings, for pictures and trends.

use crate::class::Class;
use crate::finding::{Finding, Standing};
use extract::KindName;
use kernel::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Counts over the findings of one source that are there.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Summary {
    /// Objects with open findings, by class.
    pub classes: BTreeMap<Class, u64>,
    /// Objects whose risk is accepted, by class.
    pub accepted: BTreeMap<Class, u64>,
    /// Objects that we keep unreadable: in quarantine or encrypted, by class.
    pub protected: BTreeMap<Class, u64>,
    /// Occurrences by kind, over all objects that are there.
    pub kinds: BTreeMap<KindName, u64>,
    /// Objects that anybody can read.
    pub public: u64,
    /// The highest score among open findings, as far as it was seen.
    pub score: u8,
    /// Objects of the source at the last complete pass.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// When the last complete pass ended.
    pub complete_at: Option<Timestamp>,
}

impl Summary {
    /// Counts a finding in.
    pub(crate) fn add(&mut self, finding: &Finding) {
        self.change(finding, |count, by| *count = count.saturating_add(by));
        if finding.standing() == Standing::Open {
            self.score = self.score.max(finding.risk.score);
        }
    }

    /// Counts a finding out, as it was when it was counted in.
    pub(crate) fn remove(&mut self, finding: &Finding) {
        self.change(finding, |count, by| *count = count.saturating_sub(by));
        self.classes.retain(|_, count| *count > 0);
        self.accepted.retain(|_, count| *count > 0);
        self.protected.retain(|_, count| *count > 0);
        self.kinds.retain(|_, count| *count > 0);
        if self.classes.is_empty() {
            self.score = 0;
        }
    }

    fn change(&mut self, finding: &Finding, apply: impl Fn(&mut u64, u64)) {
        let by_class = match finding.standing() {
            Standing::Gone | Standing::FalsePositive => return,
            Standing::Open => &mut self.classes,
            Standing::Accepted => &mut self.accepted,
            Standing::Protected => &mut self.protected,
        };
        apply(by_class.entry(finding.class).or_default(), 1);
        for (kind, tally) in finding.tallies() {
            apply(self.kinds.entry(kind).or_default(), tally.all());
        }
        if finding.exposure.public == Some(true) {
            apply(&mut self.public, 1);
        }
    }

    /// The highest class of what is there; `None` when nothing was found.
    #[must_use]
    pub fn class(&self) -> Option<Class> {
        let all = self.classes.keys().chain(self.accepted.keys()).chain(self.protected.keys());
        all.copied().max()
    }

    /// Objects of a class that are there: open, accepted and protected.
    #[must_use]
    pub fn of_class(&self, class: Class) -> u64 {
        let of = |map: &BTreeMap<Class, u64>| map.get(&class).copied().unwrap_or(0);
        of(&self.classes) + of(&self.accepted) + of(&self.protected)
    }
}
