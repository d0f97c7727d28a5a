//! Keys and their roots as facts, and keys as assets of the inventory.

use audit::{Log, Query};
use comply::{Fact, FactSource, SourceFailure};
use inventory::{
    AssetFact, AssetKind, AssetRef, AttributeError, Attributes, KnownBy, Publication, Scalar,
};
use kernel::actions::CheckRun;
use kernel::{Label, LabelError, Name, Permit, Scope, Timestamp};
use keys::{KeyFact, Keys, StateName};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use strongroom::{Capability, RootFile, Strongroom};

/// The custody of every key that we hold ourselves.
const OWN: &str = "own";
/// What the log says when material is gone.
const DESTROYED: &str = "key.destroyed";

/// Facts of kinds `key` and `root`, observed: we hold these keys ourselves.
pub struct KeyFacts {
    keys: Keys,
    log: Log,
    root: Arc<dyn RootFile>,
}

impl std::fmt::Debug for KeyFacts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyFacts")
    }
}

impl KeyFacts {
    /// Reads keys from here, their destruction from the log, and what seals the root from its file.
    #[must_use]
    pub fn new(keys: Keys, log: Log, root: Arc<dyn RootFile>) -> Self {
        Self { keys, log, root }
    }

    /// Whether the log has the destruction of a key.
    fn is_recorded(&self, key: &KeyFact) -> Result<bool, SourceFailure> {
        let query = Query {
            action: Some(DESTROYED.to_owned()),
            resource: Some(format!("key:{}", key.key)),
            ..Query::default()
        };
        let mut query = query;
        loop {
            let page = self.log.query(&query, 1).map_err(|_| SourceFailure::Unavailable)?;
            match (page.events.is_empty(), page.next) {
                (false, _) => return Ok(true),
                (true, None) => return Ok(false),
                (true, next) => query.before = next,
            }
        }
    }
}

impl FactSource for KeyFacts {
    fn kinds(&self) -> &[&'static str] {
        &["key", "root"]
    }

    fn facts(&self, _: &Permit<CheckRun>, now: Timestamp) -> Result<Vec<Fact>, SourceFailure> {
        let mut facts = Vec::new();
        let keys = self.keys.key_facts(&Scope::All).map_err(|_| SourceFailure::Unavailable)?;
        for key in &keys {
            let recorded = is_destroyed(key) && self.is_recorded(key)?;
            facts.push(of_key(key, recorded, now));
        }
        let described = Strongroom::describe(&*self.root);
        let described = described.map_err(|_| SourceFailure::Unavailable)?;
        let seal = match described.seal {
            strongroom::SealDescriptor::Passphrase { .. } => "passphrase",
            strongroom::SealDescriptor::KeyFile { .. } => "key-file",
        };
        facts.push(
            Fact::new("root", "root:installation", KnownBy::Observed, now)
                .with("name", "the installation's root")
                .with("root_kind", "software")
                .with("root_place", "")
                .with("seal", seal),
        );
        Ok(facts)
    }
}

const fn is_destroyed(key: &KeyFact) -> bool {
    matches!(key.state, StateName::Destroyed | StateName::DestroyedCompromised)
}

fn of_key(key: &KeyFact, destruction_recorded: bool, now: Timestamp) -> Fact {
    let algorithm = key.algorithm.name;
    let pairs = [Capability::Sign, Capability::Agree, Capability::Encapsulate];
    let asymmetric =
        pairs.into_iter().any(|one| algorithm.can(one)) || algorithm.name().starts_with("rsa-");
    let labels: serde_json::Map<String, Value> =
        key.labels.iter().map(|(word, value)| (word.to_owned(), Value::from(value))).collect();
    Fact::new("key", key.key.to_string(), KnownBy::Observed, now)
        .with("name", key.name.as_str())
        .with("domain", key.domain.to_string())
        .with("state", key.state.word())
        .with("custody", OWN)
        .with("algorithm", algorithm.name())
        .with("security_bits", key.algorithm.security_bits)
        .with("asymmetric", asymmetric)
        .with("quantum_safe", key.algorithm.quantum_safe)
        .with("labels", labels)
        .with("root_kind", key.root.word())
        .with("root_place", "")
        .with("rotated_at", key.rotation.newest_at.rfc3339())
        .with("rotation_days", key.rotation.period_days.unwrap_or(0))
        .with("material_present", key.rotation.versions_held > 0)
        .with("destruction_recorded", destruction_recorded)
}

/// Why a key does not become an asset.
#[derive(Debug, thiserror::Error)]
pub enum KeyAssetError {
    /// A word that is no label.
    #[error("a word of a key's attributes is not a label")]
    Word(#[from] LabelError),
    /// Attributes that are no attributes.
    #[error("the attributes of a key do not fit")]
    Attributes(#[from] AttributeError),
}

/// What the inventory learns of our keys: only what is stable, so that its history stays readable.
///
/// # Errors
/// When a key's words do not fit the inventory.
pub fn key_publication(keys: &[KeyFact], source: Name) -> Result<Publication, KeyAssetError> {
    let mut told = Publication::new(source, KnownBy::Observed);
    for key in keys {
        let mut words: BTreeMap<Label, Scalar> = BTreeMap::new();
        let stable = [
            ("custody", OWN),
            ("state", key.state.word()),
            ("algorithm", key.algorithm.name.name()),
            ("root-kind", key.root.word()),
        ];
        let labels = key.labels.iter().filter(|(word, _)| stable.iter().all(|(s, _)| s != word));
        for (word, value) in stable.into_iter().chain(labels) {
            words.insert(Label::try_from(word.to_owned())?, Scalar::from(value));
        }
        let name: Name = key.key.to_string().parse()?;
        told.assets.push(AssetFact {
            reference: AssetRef::new(AssetKind::Key, name),
            name: key.name.clone(),
            domain: key.domain,
            attributes: Attributes::try_from(words)?,
        });
    }
    Ok(told)
}

#[cfg(test)]
mod tests {
    use super::*;
    use comply::Vocabulary;
    use kernel::{DomainId, KeyId, Labels};
    use keys::{AlgorithmFact, RootKind, RotationFact};
    use strongroom::Algorithm;

    fn key(state: StateName, name: Algorithm) -> KeyFact {
        KeyFact {
            key: KeyId::from_bytes([1; 16]),
            name: "core ledger".parse().unwrap(),
            domain: DomainId::from_bytes([2; 16]),
            state,
            labels: serde_json::from_str::<Labels>(r#"{"criticality":"critical","state":"x"}"#)
                .unwrap(),
            root: RootKind::Software,
            algorithm: AlgorithmFact {
                name,
                security_bits: name.security_bits(),
                quantum_safe: name.is_quantum_safe(),
            },
            rotation: RotationFact {
                versions: 2,
                versions_held: usize::from(state != StateName::Destroyed),
                newest_at: Timestamp::EPOCH,
                newest_age_days: 3,
                period_days: Some(90),
                due_at: None,
                late_days: 0,
            },
            exportable: false,
            destruction_not_before: None,
        }
    }

    #[test]
    fn every_key_says_what_the_vocabulary_asks() {
        let vocabulary = Vocabulary::builtin().unwrap();
        let now = Timestamp::from_unix_millis(1_790_000_000_000);
        for state in StateName::ALL {
            let fact = of_key(&key(state, Algorithm::Aes256Gcm), false, now);
            assert_eq!(vocabulary.defect(&fact), None, "{}", state.word());
        }
    }

    #[test]
    fn pairs_are_told_from_secret_keys() {
        let now = Timestamp::EPOCH;
        let is_pair = |algorithm| {
            let fact = of_key(&key(StateName::Active, algorithm), false, now);
            fact.attributes["asymmetric"] == true
        };
        for algorithm in [Algorithm::RsaOaep3072, Algorithm::Ed25519, Algorithm::MlKem768] {
            assert!(is_pair(algorithm), "{}", algorithm.name());
        }
        for algorithm in [Algorithm::Aes256Gcm, Algorithm::HmacSha256, Algorithm::Aes256Kwp] {
            assert!(!is_pair(algorithm), "{}", algorithm.name());
        }
    }

    #[test]
    fn a_label_cannot_pass_for_what_we_observed() {
        let told = key_publication(
            &[key(StateName::Suspended, Algorithm::Aes256Gcm)],
            "keys".parse().unwrap(),
        );
        let asset = &told.unwrap().assets[0];
        assert_eq!(asset.attributes.text("state"), Some("suspended"));
        assert_eq!(asset.attributes.text("custody"), Some("own"));
        assert_eq!(asset.attributes.text("criticality"), Some("critical"));
    }
}
