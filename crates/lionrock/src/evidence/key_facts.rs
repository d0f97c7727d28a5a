//! Keys and roots as facts.

use audit::{Log, Query};
use comply::{Fact, FactSource, SourceFailure};
use inventory::KnownBy;
use kernel::actions::CheckRun;
use kernel::{KeyId, Permit, Timestamp};
use keys::{KeyFact, Keys, StateName};
use serde_json::{Map, Value};

/// What the log says when material is gone.
const DESTROYED: &str = "key.destroyed";

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
        let mut facts: Vec<Fact> =
            keys.iter().map(|key| self.key(key, now)).collect::<Result<_, _>>()?;
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
    fn key(&self, key: &KeyFact, now: Timestamp) -> Result<Fact, SourceFailure> {
        let labels: Map<String, Value> =
            key.labels.iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
        let destroyed = matches!(key.state, StateName::Destroyed | StateName::DestroyedCompromised);
        let recorded = destroyed && self.was_destroyed_on_record(key.key)?;
        Ok(Fact::new("key", key.key.to_string(), KnownBy::Observed, now)
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
            .with("destruction_recorded", recorded))
    }

    /// Whether the log says that the material of this key is gone. That its destruction was asked
    /// for is another event and not enough.
    fn was_destroyed_on_record(&self, key: KeyId) -> Result<bool, SourceFailure> {
        let mut query = Query {
            action: Some(DESTROYED.to_owned()),
            resource: Some(format!("key:{key}")),
            ..Query::default()
        };
        loop {
            let page = self.log.query(&query, 1).map_err(|_| SourceFailure::Unavailable)?;
            if !page.events.is_empty() {
                return Ok(true);
            }
            if page.next.is_none() {
                return Ok(false);
            }
            query.before = page.next;
        }
    }
}
