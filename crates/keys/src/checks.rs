//! What this slice can say about its keys to whoever checks them: plain facts, no judgement.
//!
//! All facts are *observed*: we hold these keys ourselves.

use crate::domain::RootKind;
use crate::key::Key;
use crate::{Keys, KeysError, StateName};
use kernel::{DomainId, KeyId, Labels, Name, Scope, Timestamp};
use serde::Serialize;
use strongroom::Algorithm;

/// What is known about one key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyFact {
    /// The key.
    pub key: KeyId,
    /// Its name.
    pub name: Name,
    /// Its key domain.
    pub domain: DomainId,
    /// The state of its newest version.
    pub state: StateName,
    /// Its labels.
    pub labels: Labels,
    /// What protects it.
    pub root: RootKind,
    /// Its algorithm and how strong that is.
    pub algorithm: AlgorithmFact,
    /// Its versions and rotation.
    pub rotation: RotationFact,
    /// Whether it may be given out.
    pub exportable: bool,
    /// When its destruction was asked for, if it waits.
    pub destruction_not_before: Option<Timestamp>,
}

/// An algorithm as checks see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct AlgorithmFact {
    /// Which.
    pub name: Algorithm,
    /// Security strength in bits (SP 800-57 part 1, table 2).
    pub security_bits: u16,
    /// Whether no known quantum algorithm breaks it.
    pub quantum_safe: bool,
}

/// How a key is rotated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct RotationFact {
    /// How many versions it has.
    pub versions: usize,
    /// How many of them still have material.
    pub versions_held: usize,
    /// When the newest version was made.
    pub newest_at: Timestamp,
    /// Days since the newest version was made.
    pub newest_age_days: i64,
    /// Days between rotations, if it has a schedule.
    pub period_days: Option<u32>,
    /// When the next one is due.
    pub due_at: Option<Timestamp>,
    /// Days by which it is late; 0 when it is not.
    pub late_days: i64,
}

/// What is known about one key domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DomainFact {
    /// The key domain.
    pub domain: DomainId,
    /// Its name.
    pub name: Name,
    /// What protects it.
    pub root: RootKind,
    /// Seconds that a destruction waits; 0 means not at all.
    pub waiting_period_seconds: u64,
}

impl Keys {
    /// Facts about every key in the scope, in the order of their ids.
    ///
    /// # Errors
    /// When the store fails.
    pub fn key_facts(&self, scope: &Scope) -> Result<Vec<KeyFact>, KeysError> {
        let now = self.now();
        let mut facts = Vec::new();
        self.for_each_key(scope, |key| facts.push(key.fact(now)))?;
        Ok(facts)
    }

    /// Facts about every key domain in the scope.
    ///
    /// # Errors
    /// When the store fails.
    pub fn domain_facts(&self, scope: &Scope) -> Result<Vec<DomainFact>, KeysError> {
        let domains = self.every_domain()?.into_iter().filter(|one| scope.allows(one.id));
        Ok(domains
            .map(|one| DomainFact {
                domain: one.id,
                name: one.name,
                root: one.root,
                waiting_period_seconds: one.waiting_period_seconds,
            })
            .collect())
    }

    /// Since when wall and monotonic time disagree, so that no destruction is carried out.
    #[must_use]
    pub fn clock_diverged_at(&self) -> Option<Timestamp> {
        self.served().diverged_at
    }
}

impl Key {
    fn fact(&self, now: Timestamp) -> KeyFact {
        let algorithm = self.about.algorithm;
        let newest_at = self.newest().map_or(self.about.created_at, |version| version.created_at);
        let due_at = self.rotation_due_at(now);
        let days = |seconds: i64| seconds.max(0) / 86_400;
        let held = self.versions.iter().filter(|version| version.state.material().is_some());
        let waiting = self.destruction.as_ref().filter(|_| !self.is_destroyed());
        KeyFact {
            key: self.id,
            name: self.about.name.clone(),
            domain: self.domain,
            state: self.state_at(now),
            labels: self.about.labels.clone(),
            root: RootKind::Software,
            algorithm: AlgorithmFact {
                name: algorithm,
                security_bits: algorithm.security_bits(),
                quantum_safe: algorithm.is_quantum_safe(),
            },
            rotation: RotationFact {
                versions: self.versions.len(),
                versions_held: held.count(),
                newest_at,
                newest_age_days: days(now.seconds_since(newest_at)),
                period_days: self.about.rotation.map(crate::RotationPeriod::days),
                due_at,
                late_days: due_at.map_or(0, |due| days(now.seconds_since(due))),
            },
            exportable: self.about.exportable,
            destruction_not_before: waiting.map(|one| one.waiting.not_before),
        }
    }
}
