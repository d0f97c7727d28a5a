//! Keys and roots as facts.

use audit::{Log, Query};
use comply::{Fact, FactSource, SourceFailure};
use inventory::KnownBy;
use kernel::actions::CheckRun;
use kernel::{KeyId, Outcome, Permit, Timestamp};
use keys::{KeyFact, Keys, StateName};
use serde_json::{Map, Value};

/// Events of one key that are looked at for its destruction.
const EVENTS_LOOKED_AT: usize = 20;

pub(super) struct KeyFacts {
    pub(super) keys: Keys,
    pub(super) log: Log,
    pub(super) seal: &'static str,
}

impl FactSource for KeyFacts {
    fn kinds(&self) -> &[&'static str] {
        &["key", "root"]
    }

    fn facts(&self, permit: &Permit<CheckRun>, now: Timestamp) -> Result<Vec<Fact>, SourceFailure> {
        let scope = permit.scope();
        let keys = self.keys.key_facts(&scope).map_err(|_| SourceFailure::Unavailable)?;
        let domains = self.keys.domain_facts(&scope).map_err(|_| SourceFailure::Unavailable)?;
        let mut facts: Vec<Fact> = keys.iter().map(|key| self.key(key, now)).collect();
        facts.extend(domains.iter().map(|domain| {
            Fact::new("root", domain.domain.to_string(), KnownBy::Observed, now)
                .with("name", domain.name.as_str())
                .with("root_kind", domain.root.word())
                .with("root_place", "")
                .with("seal", self.seal)
        }));
        Ok(facts)
    }
}

impl KeyFacts {
    fn key(&self, key: &KeyFact, now: Timestamp) -> Fact {
        let labels: Map<String, Value> =
            key.labels.iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
        let destroyed = matches!(key.state, StateName::Destroyed | StateName::DestroyedCompromised);
        Fact::new("key", key.key.to_string(), KnownBy::Observed, now)
            .with("name", key.name.as_str())
            .with("domain", key.domain.to_string())
            .with("state", key.state.word())
            .with("custody", "own")
            .with("algorithm", key.algorithm.name.name())
            .with("security_bits", key.algorithm.security_bits)
            .with("asymmetric", key.algorithm.name.is_key_pair())
            .with("quantum_safe", key.algorithm.quantum_safe)
            .with("labels", labels)
            .with("root_kind", key.root.word())
            .with("root_place", "")
            .with("rotated_at", key.rotation.newest_at.rfc3339())
            .with("rotation_days", key.rotation.period_days.unwrap_or(0))
            .with("material_present", key.rotation.versions_held > 0)
            .with("destruction_recorded", destroyed && self.was_destroyed_on_record(key.key))
    }

    /// Whether the log has an event by which this key was destroyed.
    fn was_destroyed_on_record(&self, key: KeyId) -> bool {
        let query = Query {
            action: Some("key.destroy".into()),
            resource: Some(format!("key:{key}")),
            ..Query::default()
        };
        let done = |page: audit::Page| {
            page.events.iter().any(|logged| logged.event.outcome == Outcome::Done)
        };
        self.log.query(&query, EVENTS_LOOKED_AT).is_ok_and(done)
    }
}
