//! One check over a period: what was seen, and when nobody looked.

use crate::check::{Check, CheckId};
use crate::run::{CheckResult, Outcome};
use crate::status::current_for_seconds;
use kernel::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Most stretches of one kind that are listed; the counts are complete.
const STRETCHES_MAX: usize = 200;

/// Why a pair of instants is not a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a period begins before it ends")]
pub struct PeriodError;

/// From one instant to a later one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Period {
    from: Timestamp,
    to: Timestamp,
}

impl Period {
    /// The period between two instants.
    ///
    /// # Errors
    /// When it does not begin before it ends.
    pub fn new(from: Timestamp, to: Timestamp) -> Result<Self, PeriodError> {
        if from < to { Ok(Self { from, to }) } else { Err(PeriodError) }
    }

    /// Its beginning.
    #[must_use]
    pub const fn from(&self) -> Timestamp {
        self.from
    }

    /// Its end.
    #[must_use]
    pub const fn to(&self) -> Timestamp {
        self.to
    }
}

/// A part of a period.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Stretch {
    /// Its beginning.
    pub from: Timestamp,
    /// Its end.
    pub to: Timestamp,
}

/// What one check saw over a period.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CheckPeriod {
    /// The check.
    pub check: CheckId,
    /// How often it ran.
    pub runs: usize,
    /// How often with which outcome.
    pub outcomes: BTreeMap<Outcome, usize>,
    /// When it did not pass: from each result that is not a pass to the next result.
    pub not_passing: Vec<Stretch>,
    /// When nobody looked: longer than the cadence allows, at the beginning and the end as well.
    pub gaps: Vec<Stretch>,
    /// How often the check itself was another one.
    pub version_changes: usize,
}

impl CheckPeriod {
    /// Whether it passed throughout and somebody always looked.
    #[must_use]
    pub fn is_unbroken(&self) -> bool {
        self.runs > 0 && self.not_passing.is_empty() && self.gaps.is_empty()
    }
}

/// Puts the results of one check, oldest first, over a period. Results outside it do not count.
#[must_use]
pub fn over_period(check: &Check, results: &[&CheckResult], period: Period) -> CheckPeriod {
    let within: Vec<_> = results
        .iter()
        .filter(|r| r.check == check.id && period.from <= r.at && r.at <= period.to)
        .collect();
    let mut seen = CheckPeriod {
        check: check.id.clone(),
        runs: within.len(),
        outcomes: BTreeMap::new(),
        not_passing: Vec::new(),
        gaps: Vec::new(),
        version_changes: 0,
    };
    let allowed = current_for_seconds(check.cadence_hours);
    let mut last = period.from;
    let mut version: Option<&str> = None;
    for (i, result) in within.iter().enumerate() {
        *seen.outcomes.entry(result.outcome).or_default() += 1;
        seen.gap(last, result.at, allowed);
        last = result.at;
        if version.is_some_and(|before| before != result.version) {
            seen.version_changes += 1;
        }
        version = Some(&result.version);
        if result.outcome != Outcome::Pass {
            let next = within.get(i + 1).map_or(period.to, |next| next.at);
            let room = seen.not_passing.len() < STRETCHES_MAX;
            match seen.not_passing.last_mut() {
                Some(stretch) if stretch.to == result.at => stretch.to = next,
                _ if room => {
                    seen.not_passing.push(Stretch { from: result.at, to: next });
                }
                _ => {}
            }
        }
    }
    seen.gap(last, period.to, allowed);
    seen
}

impl CheckPeriod {
    fn gap(&mut self, from: Timestamp, to: Timestamp, allowed: i64) {
        if to.seconds_since(from) > allowed && self.gaps.len() < STRETCHES_MAX {
            self.gaps.push(Stretch { from, to });
        }
    }
}
