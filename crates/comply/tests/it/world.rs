//! A small world to judge.

use comply::{
    Answered, Capabilities, Catalogue, Check, CheckId, CheckResult, Checks, Fact, Facts, Outcome,
    SourceFailure, Vocabulary, run,
};
use inventory::KnownBy;
use kernel::{LogPosition, RunId, Timestamp};
use std::collections::BTreeMap;

pub(crate) struct World {
    pub(crate) catalogue: Catalogue,
    pub(crate) vocabulary: Vocabulary,
    pub(crate) checks: Checks,
    pub(crate) capabilities: Capabilities,
}

pub(crate) fn now() -> Timestamp {
    Timestamp::parse_rfc3339("2026-11-21T04:00:00Z").unwrap()
}

pub(crate) fn run_id() -> RunId {
    RunId::from_bytes([1; 16])
}

impl World {
    pub(crate) fn new() -> Self {
        let catalogue = Catalogue::builtin().unwrap();
        let vocabulary = Vocabulary::builtin().unwrap();
        let checks = Checks::builtin(&catalogue, &vocabulary).unwrap();
        let capabilities = Capabilities::builtin().unwrap();
        Self { catalogue, vocabulary, checks, capabilities }
    }

    pub(crate) fn check(&self, id: &str) -> &Check {
        self.checks.find(&CheckId::from(id)).unwrap()
    }

    /// Runs one check over facts of its kind.
    pub(crate) fn hold(&self, id: &str, facts: Vec<Fact>) -> CheckResult {
        let kind = self.check(id).kind.clone();
        let gathered = given(self, &[&kind], Ok(facts));
        let run = run(&self.checks, &gathered, run_id(), now(), Some(LogPosition(7)));
        run.results.into_iter().find(|r| r.check.as_str() == id).unwrap()
    }

    /// A result of a check as if it had just run.
    pub(crate) fn result(&self, id: &str, outcome: Outcome, known_by: KnownBy) -> CheckResult {
        let mut result = self.hold(id, Vec::new());
        result.outcome = outcome;
        result.known_by = Some(known_by);
        result.population = 4;
        result.failing_count = usize::from(outcome == Outcome::Fail);
        result
    }

    /// Every check with one outcome.
    pub(crate) fn all(&self, outcome: Outcome) -> BTreeMap<CheckId, CheckResult> {
        let checks = self.checks.all().iter();
        checks
            .map(|c| (c.id.clone(), self.result(c.id.as_str(), outcome, KnownBy::Observed)))
            .collect()
    }
}

/// The facts of one source.
pub(crate) fn given(
    world: &World,
    kinds: &[&str],
    answer: Result<Vec<Fact>, SourceFailure>,
) -> Facts {
    let kinds = kinds.iter().map(|kind| (*kind).to_owned()).collect();
    Facts::of(vec![Answered { kinds, answer }], &world.vocabulary)
}

pub(crate) fn key(id: &str, state: &str) -> Fact {
    Fact::new("key", id, KnownBy::Observed, now())
        .with("name", format!("name of {id}"))
        .with("domain", "retail")
        .with("state", state)
        .with("custody", "own")
        .with("algorithm", "aes-256-gcm")
        .with("security_bits", 256)
        .with("asymmetric", false)
        .with("quantum_safe", true)
        .with("labels", serde_json::json!({}))
        .with("root_kind", "software")
        .with("root_place", "HK")
        .with("rotated_at", "2026-11-01")
        .with("rotation_days", 90)
        .with("material_present", state != "destroyed")
        .with("destruction_recorded", state == "destroyed")
}
