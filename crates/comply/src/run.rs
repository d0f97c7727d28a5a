//! Running the checks over facts: pure, so that the same facts always give the same results.

use crate::check::{Check, CheckId, Checks};
use crate::expression::Evaluator;
use crate::fact::{Fact, Facts, OfKind};
use audit::Hash;
use inventory::KnownBy;
use kernel::{LogPosition, RunId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// Most failing items that one result lists; more are counted.
pub(crate) const FAILING_LISTED_MAX: usize = 200;
/// Most items without an answer that one result lists; more are counted.
pub(crate) const ERRORS_LISTED_MAX: usize = 20;

/// What came of one check. Only `pass` is a pass.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It holds for every item of a population that is not empty.
    Pass,
    /// It does not hold for some item.
    Fail,
    /// It could not be told: a source failed, a fact says too little, an expression gave no answer.
    Error,
    /// There was nothing to hold it against.
    EmptyPopulation,
    /// It holds, but over facts that are too old.
    Stale,
    /// Nobody gives facts of this kind.
    NotRun,
}

impl Outcome {
    /// The word in data and on screen.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Error => "error",
            Self::EmptyPopulation => "empty-population",
            Self::Stale => "stale",
            Self::NotRun => "not-run",
        }
    }
}

/// One item for which a check does not hold.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FailingItem {
    /// The fact's identifier.
    pub id: String,
    /// Its name, if it has one.
    pub name: String,
    /// How it is known.
    pub known_by: KnownBy,
}

/// One item for which an expression gave no answer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ItemError {
    /// The fact's identifier; empty when it is the check as a whole.
    pub id: String,
    /// Why.
    pub reason: String,
}

/// What came of one check in one run.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CheckResult {
    /// The check.
    pub check: CheckId,
    /// Its version.
    pub version: String,
    /// When.
    pub at: Timestamp,
    /// What came of it.
    pub outcome: Outcome,
    /// How many items counted.
    pub population: usize,
    /// How many of them hold.
    pub passed: usize,
    /// Those for which it does not hold; the first 200 by identifier.
    pub failing: Vec<FailingItem>,
    /// How many there are in all.
    pub failing_count: usize,
    /// Items without an answer; the first 20.
    pub errors: Vec<ItemError>,
    /// How many there are in all.
    pub error_count: usize,
    /// The weakest knowledge in the population; none when it is empty.
    pub known_by: Option<KnownBy>,
    /// The oldest reading in the population.
    pub oldest: Option<Timestamp>,
    /// SHA-256 (hexadecimal) over every fact of the kind, so that the reading can be reproduced.
    pub inputs: String,
}

impl CheckResult {
    /// Leaves the lists of items out; their counts stay.
    pub(crate) fn drop_lists(&mut self) {
        self.failing = Vec::new();
        self.errors = Vec::new();
    }
}

/// One run of all checks.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CheckRun {
    /// Its identifier.
    pub id: RunId,
    /// When the facts were read.
    pub at: Timestamp,
    /// How far the log was when the facts were read.
    pub log_position: Option<LogPosition>,
    /// One result for each check, in the order of the checks.
    pub results: Vec<CheckResult>,
}

/// Holds every check against the facts.
#[must_use]
pub fn run(
    checks: &Checks,
    facts: &Facts,
    id: RunId,
    at: Timestamp,
    log_position: Option<LogPosition>,
) -> CheckRun {
    let evaluator = Evaluator::at(at);
    let mut digests = BTreeMap::new();
    for (kind, given) in &facts.0 {
        if let OfKind::Known { facts, .. } = given {
            digests.insert(kind.as_str(), digest(facts));
        }
    }
    let results = checks
        .all()
        .iter()
        .map(|check| {
            let mut result = blank(check, at);
            result.inputs = digests.get(check.kind.as_str()).cloned().unwrap_or_default();
            match &evaluator {
                Ok(evaluator) => hold(check, facts, evaluator, &mut result),
                Err(error) => fail(&mut result, error.to_string()),
            }
            result
        })
        .collect();
    CheckRun { id, at, log_position, results }
}

fn blank(check: &Check, at: Timestamp) -> CheckResult {
    CheckResult {
        check: check.id.clone(),
        version: check.version.clone(),
        at,
        outcome: Outcome::NotRun,
        population: 0,
        passed: 0,
        failing: Vec::new(),
        failing_count: 0,
        errors: Vec::new(),
        error_count: 0,
        known_by: None,
        oldest: None,
        inputs: String::new(),
    }
}

fn fail(result: &mut CheckResult, reason: String) {
    result.outcome = Outcome::Error;
    result.error_count += 1;
    result.errors.push(ItemError { id: String::new(), reason });
}

fn hold(check: &Check, facts: &Facts, evaluator: &Evaluator, result: &mut CheckResult) {
    let facts = match facts.0.get(&check.kind) {
        None => return,
        Some(OfKind::Failed(why)) => return fail(result, why.to_string()),
        Some(OfKind::Known { defects, .. }) if !defects.is_empty() => {
            for defect in defects {
                fail(result, defect.clone());
            }
            return;
        }
        Some(OfKind::Known { facts, .. }) => facts,
    };
    let mut population = Vec::new();
    for fact in facts {
        match check.filter.as_ref().map_or(Ok(true), |filter| evaluator.holds(filter, fact)) {
            Ok(true) => population.push(fact),
            Ok(false) => {}
            // A population that cannot be told is an error, never a smaller population.
            Err(error) => return fail(result, format!("`where` of `{}`: {error}", fact.id)),
        }
    }
    for fact in &population {
        count(fact, evaluator.holds(&check.expect, fact).map_err(|e| e.to_string()), result);
    }
    let oldest_allowed = result.at.plus_seconds(-i64::from(check.max_age_hours) * 3_600);
    result.outcome = if population.is_empty() {
        Outcome::EmptyPopulation
    } else if result.failing_count > 0 {
        Outcome::Fail
    } else if result.error_count > 0 {
        Outcome::Error
    } else if result.oldest.is_none_or(|oldest| oldest < oldest_allowed) {
        Outcome::Stale
    } else {
        Outcome::Pass
    };
}

fn count(fact: &Fact, answer: Result<bool, String>, result: &mut CheckResult) {
    result.population += 1;
    result.known_by = Some(result.known_by.map_or(fact.known_by, |k| k.weaker(fact.known_by)));
    result.oldest = Some(result.oldest.map_or(fact.as_of, |oldest| oldest.min(fact.as_of)));
    match answer {
        Ok(true) => result.passed += 1,
        Ok(false) => {
            result.failing_count += 1;
            if result.failing.len() < FAILING_LISTED_MAX {
                let name = fact.attributes.get("name").and_then(Value::as_str).unwrap_or_default();
                result.failing.push(FailingItem {
                    id: fact.id.clone(),
                    name: name.to_owned(),
                    known_by: fact.known_by,
                });
            }
        }
        Err(reason) => {
            result.error_count += 1;
            if result.errors.len() < ERRORS_LISTED_MAX {
                result.errors.push(ItemError { id: fact.id.clone(), reason });
            }
        }
    }
}

/// SHA-256 over the facts, one line of JSON each with sorted keys, in order of identifier.
fn digest(facts: &[Fact]) -> String {
    let mut text = String::new();
    for fact in facts {
        let line = serde_json::json!([
            fact.kind,
            fact.id,
            fact.known_by,
            fact.as_of,
            sorted(&Value::Object(fact.attributes.clone())),
        ]);
        text.push_str(&line.to_string());
        text.push('\n');
    }
    documents::hex(&Hash::of(text.as_bytes()).0)
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let ordered: BTreeMap<_, _> = map.iter().map(|(k, v)| (k.clone(), sorted(v))).collect();
            Value::Object(ordered.into_iter().collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
        other => other.clone(),
    }
}
