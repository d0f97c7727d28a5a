//! A key as it is recorded, and as it is shown.
//!
//! The record of a key holds no material: wrapped material lies in a collection of its own, one
//! record for each living version, so that lists stay light and a shred key's survivors are found
//! by an index.

use crate::purpose::{Leave, NotUsable, Purpose, StateName};
use crate::state::State;
use crate::waiting::WaitingPeriod;
use crate::{KeysError, Reason, RotationPeriod};
use kernel::{DomainId, KeyId, Labels, Name, Principal, Timestamp, VersionNo};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use store::{Collection, IndexTerm};
use strongroom::{Algorithm, Bytes, KeySlot, ShredId};

/// Most versions of one key: daily rotation for more than a year; then a new key is due. The record
/// of a key grows with them, about 150 bytes each.
pub const VERSIONS_MAX: usize = 500;

/// A key with its versions, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Key {
    pub(crate) id: KeyId,
    pub(crate) domain: DomainId,
    pub(crate) about: About,
    pub(crate) versions: Vec<Version>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) destruction: Option<Destruction>,
}

/// What people said about a key when they made it or later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// Its name, unique in its key domain.
    pub name: Name,
    /// Its algorithm.
    pub algorithm: Algorithm,
    /// Workload, criticality, data class, residency, cloud, and whatever else people group by.
    pub labels: Labels,
    /// Whether it may be given out wrapped under another key.
    pub exportable: bool,
    /// How often it is to be rotated; none: on demand only.
    #[serde(default)]
    pub rotation: Option<RotationPeriod>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// One version of a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Version {
    pub(crate) number: VersionNo,
    pub(crate) created_at: Timestamp,
    pub(crate) state: State<Held>,
}

/// Says that the version's wrapped material is there, in [`Materials`] under key and version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Held;

/// A destruction that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Destruction {
    /// When it was asked for.
    pub requested_at: Timestamp,
    /// Who asked.
    pub requested_by: Principal,
    /// Why.
    pub reason: Reason,
    /// How long it can be taken back.
    pub waiting: WaitingPeriod,
}

/// The wrapped material of one version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Material {
    pub(crate) key: KeyId,
    pub(crate) version: VersionNo,
    pub(crate) domain: DomainId,
    pub(crate) algorithm: Algorithm,
    pub(crate) shred: ShredId,
    pub(crate) wrapped: Bytes,
    /// The public key as DER SubjectPublicKeyInfo, of a key pair.
    #[serde(default)]
    pub(crate) public_der: Option<Bytes>,
}

impl Material {
    pub(crate) const fn slot(&self) -> KeySlot {
        KeySlot { domain: self.domain, key: self.key, version: self.version }
    }
}

/// The collection of keys.
pub(crate) enum KeyRecords {}

impl Collection for KeyRecords {
    const NAME: &'static str = "keys";
    type Key = KeyId;
    type Value = Key;

    fn domain(key: &Key) -> DomainId {
        key.domain
    }

    fn indexes(key: &Key) -> Vec<IndexTerm> {
        let name = IndexTerm::new("name", key.about.name.as_str()).within(key.domain).unique();
        let mut terms = vec![name];
        terms.extend(key.about.labels.iter().map(|(k, v)| label_term(k, v)));
        if key.destruction.is_some() && !key.is_destroyed() {
            terms.push(destruction_term());
        }
        terms
    }

    fn sort_name(key: &Key) -> Option<Cow<'_, str>> {
        Some(Cow::Borrowed(key.about.name.as_str()))
    }
}

/// The index term of a label, for filters and for `suspend_cloud`.
pub(crate) fn label_term(key: &str, value: &str) -> IndexTerm {
    IndexTerm::new("label", format!("{key}={value}"))
}

/// The index term of keys whose destruction was asked for and is not done.
pub(crate) fn destruction_term() -> IndexTerm {
    IndexTerm::new("destruction", "scheduled")
}

/// The collection of wrapped material.
pub(crate) enum Materials {}

impl Collection for Materials {
    const NAME: &'static str = "key-materials";
    type Key = (KeyId, VersionNo);
    type Value = Material;

    fn domain(material: &Material) -> DomainId {
        material.domain
    }

    fn indexes(material: &Material) -> Vec<IndexTerm> {
        vec![shred_term(material.shred)]
    }
}

/// The index term of what lies under one shred key.
pub(crate) fn shred_term(shred: ShredId) -> IndexTerm {
    IndexTerm::new("shred", shred.0.to_be_bytes())
}

impl Key {
    /// The newest version; every key has one from its creation.
    pub(crate) fn newest(&self) -> Option<&Version> {
        self.versions.last()
    }

    /// The state of the key as a whole: that of its newest version.
    pub(crate) fn state_at(&self, now: Timestamp) -> StateName {
        self.newest().map_or(StateName::Destroyed, |v| v.state.name_at(now))
    }

    pub(crate) fn version(&self, number: VersionNo) -> Option<&Version> {
        // Versions are numbered from 1 without gaps.
        let at = usize::try_from(number.0).ok()?.checked_sub(1)?;
        self.versions.get(at)
    }

    /// The version that protects now: the newest that is active.
    pub(crate) fn protecting(&self, now: Timestamp) -> Result<VersionNo, KeysError> {
        self.not_awaiting_destruction()?;
        let active = |v: &&Version| v.state.name_at(now) == StateName::Active;
        match self.versions.iter().rev().find(active) {
            Some(version) => Ok(version.number),
            None => {
                let (state, purpose) = (self.state_at(now), Purpose::Protect);
                Err(NotUsable { state, purpose }.into())
            }
        }
    }

    /// Whether this version may process what it protected.
    pub(crate) fn processing(
        &self,
        number: VersionNo,
        compromise: Compromise,
        now: Timestamp,
    ) -> Result<Leave, KeysError> {
        let version = self.version(number).ok_or(KeysError::NoVersion { version: number })?;
        let leave = version.state.name_at(now).permits(Purpose::Process)?;
        self.not_awaiting_destruction()?;
        match (leave, compromise) {
            (Leave::AcceptingCompromise, Compromise::Refuse) => Err(KeysError::Compromised),
            (leave, _) => Ok(leave),
        }
    }

    pub(crate) fn not_awaiting_destruction(&self) -> Result<(), KeysError> {
        match &self.destruction {
            Some(destruction) if !self.is_destroyed() => {
                let not_before = destruction.waiting.not_before;
                Err(KeysError::DestructionScheduled { not_before })
            }
            _ => Ok(()),
        }
    }

    /// Whether no version has material any more.
    pub(crate) fn is_destroyed(&self) -> bool {
        self.versions.iter().all(|v| v.state.name().is_destroyed())
    }

    /// When the next rotation is due, of a key that is rotated and protects or will again.
    pub(crate) fn rotation_due_at(&self, now: Timestamp) -> Option<Timestamp> {
        let state = self.state_at(now);
        if self.destruction.is_some()
            || !matches!(state, StateName::Active | StateName::Suspended | StateName::PreActive)
        {
            return None;
        }
        Some(self.about.rotation?.due_after(self.newest()?.created_at))
    }

    /// What may be shown of the key.
    pub(crate) fn view(&self, now: Timestamp) -> KeyView {
        KeyView {
            id: self.id,
            domain: self.domain,
            about: self.about.clone(),
            state: self.state_at(now),
            rotation_due_at: self.rotation_due_at(now),
            destruction: self.destruction.clone(),
            versions: self.versions.iter().map(|v| v.view(now)).collect(),
        }
    }
}

impl Version {
    fn view(&self, now: Timestamp) -> VersionView {
        let state = self.state.clone().settled(now);
        let (name, since) = (state.name(), since(&state).unwrap_or(self.created_at));
        let (activate_at, deactivate_at) = match state {
            State::PreActive { activate_at, deactivate_at, .. } => (activate_at, deactivate_at),
            State::Active { deactivate_at, .. } => (None, deactivate_at),
            _ => (None, None),
        };
        VersionView {
            number: self.number,
            created_at: self.created_at,
            state: name,
            since,
            activate_at,
            deactivate_at,
        }
    }
}

const fn since(state: &State<Held>) -> Option<Timestamp> {
    match state {
        State::PreActive { .. } => None,
        State::Active { since, .. }
        | State::Suspended { since, .. }
        | State::Deactivated { since, .. }
        | State::Compromised { since, .. } => Some(*since),
        State::Destroyed { at } | State::DestroyedCompromised { at } => Some(*at),
    }
}

/// What a request says about versions that others may know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Compromise {
    /// Do not use a compromised version.
    #[default]
    Refuse,
    /// Use it for decrypting and verifying; the record says that this was accepted.
    Accept,
}

/// A key as it is shown: everything but its material.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyView {
    /// Its identifier.
    pub id: KeyId,
    /// Its key domain.
    pub domain: DomainId,
    /// Name, algorithm, labels, schedule.
    #[serde(flatten)]
    pub about: About,
    /// The state of its newest version.
    pub state: StateName,
    /// When the next rotation is due.
    pub rotation_due_at: Option<Timestamp>,
    /// The destruction that was asked for, kept after it was done.
    pub destruction: Option<Destruction>,
    /// Its versions, oldest first.
    pub versions: Vec<VersionView>,
}

/// A version as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VersionView {
    /// Its number, from 1.
    pub number: VersionNo,
    /// When it was made.
    pub created_at: Timestamp,
    /// Its state, dates that have passed included.
    pub state: StateName,
    /// Since when it is in this state.
    pub since: Timestamp,
    /// When it becomes active by itself.
    pub activate_at: Option<Timestamp>,
    /// When it ends by itself.
    pub deactivate_at: Option<Timestamp>,
}
