//! A new version, on demand or when it is due; and what people may change about a key.

use crate::key::{Held, KeyRecords, Material, Materials, VERSIONS_MAX, Version};
use crate::purpose::Purpose;
use crate::state::{Dates, State, Transition};
use crate::{KeyView, Keys, KeysError, NotUsable, Repeat, RotationPeriod, StateName};
use kernel::actions::{KeyRotate, KeyUpdate};
use kernel::{DomainId, KeyId, Labels, Name, Outcome, Permit, Scope, Timestamp, VersionNo};
use serde::{Deserialize, Serialize};
use store::{Batch, Expect};
use strongroom::KeySlot;

/// A key whose rotation is due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DueRotation {
    /// The key.
    pub key: KeyId,
    /// Its key domain.
    pub domain: DomainId,
    /// Its name.
    pub name: Name,
    /// Since when it is due.
    pub due_at: Timestamp,
}

/// What is to change about a key; what is not named stays.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UpdateKey {
    /// All labels, in place of the old ones.
    #[serde(default)]
    pub labels: Option<Labels>,
    /// The rotation period.
    #[serde(default)]
    pub rotation: Option<ChangeRotation>,
    /// A step of the newest version.
    #[serde(default)]
    pub step: Option<Step>,
}

/// A change of the rotation period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeRotation {
    /// Every so many days.
    EveryDays(RotationPeriod),
    /// On demand only.
    OnDemand,
}

/// A step that whoever keeps the schedule may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// Lets a pre-active version be used.
    Activate,
    /// Ends the version: it protects no more.
    Deactivate,
}

impl Keys {
    /// Makes a new version that protects from now on; older versions keep processing what they
    /// protected.
    ///
    /// # Errors
    /// When the key is suspended, to be destroyed or destroyed, has too many versions, or root or
    /// store fail.
    pub async fn rotate(
        &self,
        mut permit: Permit<KeyRotate>,
        repeat: Option<Repeat>,
    ) -> Result<KeyView, KeysError> {
        let made = match self.answered_before::<_, KeyId>(&permit, repeat.as_ref()) {
            Ok(Some(first)) => {
                self.answer_again(permit).await?;
                return Ok(self.record(first)?.value.view(self.now()));
            }
            Ok(None) => {
                let made;
                (made, permit) = self.aside(move |keys| (keys.rotated(&permit), permit)).await?;
                made
            }
            Err(cause) => Err(cause),
        };
        let (record, stored) = match made {
            Ok(made) => made,
            Err(cause) => return Err(self.refuse(permit, cause).await),
        };
        let key = record.value;
        let version = key.newest().map_or(VersionNo(1), |v| v.number);
        let guard = permit.guard();
        let repeat = repeat.map(|repeat| repeat.answering(&permit, &key.id));
        let material = Material::of(&key, version, &stored);
        let event = permit
            .into_event(Outcome::Done, &*self.inner.clock)
            .with("version", version.to_string())
            .with("algorithm", key.about.algorithm.name());
        let batch = Batch::new()
            .guard(guard)
            .put::<KeyRecords>(&key.id, &key, Expect::Version(record.version))
            .put::<Materials>(&(key.id, version), &material, Expect::Absent)
            .event(event);
        let batch = repeat.into_iter().fold(batch, Batch::idempotent);
        let committed = self.inner.store.commit(batch).await;
        self.inner.memory.cache.forget(key.id);
        drop(stored);
        match committed?.replayed {
            Some(_) => Ok(self.record(key.id)?.value.view(self.now())),
            None => Ok(key.view(self.now())),
        }
    }

    fn rotated(
        &self,
        permit: &Permit<KeyRotate>,
    ) -> Result<(store::Record<KeyRecords>, strongroom::StoredKey), KeysError> {
        let mut record = self.permitted(permit)?;
        let now = self.now();
        let key = &mut record.value;
        if key.versions.len() >= VERSIONS_MAX {
            return Err(KeysError::TooManyVersions);
        }
        let state = key.state_at(now);
        if matches!(state, StateName::Suspended) || state.is_destroyed() {
            return Err(NotUsable { state, purpose: Purpose::Protect }.into());
        }
        key.not_awaiting_destruction()?;
        for version in &mut key.versions {
            let settled = version.state.clone().settled(now);
            version.state = match settled.name() {
                StateName::Active => settled.after(Transition::Deactivate, now)?,
                _ => settled,
            };
        }
        let number = key.newest().map_or(1, |v| v.number.0.saturating_add(1));
        let number = VersionNo(number);
        let slot = KeySlot { domain: key.domain, key: key.id, version: number };
        let stored = self.inner.room.generate(permit, slot, key.about.algorithm)?;
        let state = State::new(Held, Dates::default(), now);
        key.versions.push(Version { number, created_at: now, state });
        Ok((record, stored))
    }

    /// The keys in this scope whose rotation is due now, longest due first; the scheduler rotates
    /// each under a permit of its own.
    ///
    /// # Errors
    /// When the store fails.
    pub fn due(&self, scope: &Scope) -> Result<Vec<DueRotation>, KeysError> {
        let now = self.now();
        let mut due = Vec::new();
        self.for_each_key(scope, |key| {
            let at = key.rotation_due_at(now).filter(|at| *at <= now);
            // What somebody stopped or ended is not brought back by a schedule.
            if let Some(due_at) = at.filter(|_| key.state_at(now) == StateName::Active) {
                let (id, domain, name) = (key.id, key.domain, key.about.name.clone());
                due.push(DueRotation { key: id, domain, name, due_at });
            }
        })?;
        due.sort_by_key(|one| (one.due_at, one.key));
        Ok(due)
    }

    /// Changes labels, rotation period or the state of the newest version. New labels and a
    /// deactivation hold for every use that is decided from then on and stop those under way.
    ///
    /// # Errors
    /// When the step is not allowed, or the store fails.
    pub async fn update(
        &self,
        permit: Permit<KeyUpdate>,
        request: &UpdateKey,
    ) -> Result<KeyView, KeysError> {
        let record = match self.updated(&permit, request) {
            Ok(record) => record,
            Err(cause) => return Err(self.refuse(permit, cause).await),
        };
        let key = record.value;
        let guard = permit.guard();
        let mut event = permit.into_event(Outcome::Done, &*self.inner.clock);
        let mut batch = Batch::new().guard(guard);
        if let Some(labels) = &request.labels {
            let text: Vec<String> = labels.iter().map(|(k, v)| format!("{k}={v}")).collect();
            event = event.with("labels", text.join(", "));
        }
        if let Some(change) = request.rotation {
            let text = match change {
                ChangeRotation::EveryDays(period) => period.days().to_string(),
                ChangeRotation::OnDemand => String::from("on demand"),
            };
            event = event.with("rotation_days", text);
        }
        if let Some(step) = request.step {
            event = event.with("step", step.transition().word());
        }
        if request.labels.is_some() || request.step == Some(Step::Deactivate) {
            batch = batch.raise_epoch(key.domain);
        }
        let batch =
            batch.put::<KeyRecords>(&key.id, &key, Expect::Version(record.version)).event(event);
        let committed = self.inner.store.commit(batch).await;
        self.inner.memory.cache.forget(key.id);
        committed?;
        Ok(key.view(self.now()))
    }

    fn updated(
        &self,
        permit: &Permit<KeyUpdate>,
        request: &UpdateKey,
    ) -> Result<store::Record<KeyRecords>, KeysError> {
        let mut record = self.permitted(permit)?;
        let now = self.now();
        let key = &mut record.value;
        if let Some(labels) = &request.labels {
            key.about.labels.clone_from(labels);
        }
        if let Some(change) = request.rotation {
            key.about.rotation = match change {
                ChangeRotation::EveryDays(period) => Some(period),
                ChangeRotation::OnDemand => None,
            };
        }
        if let (Some(step), Some(newest)) = (request.step, key.versions.last_mut()) {
            newest.state = newest.state.clone().after(step.transition(), now)?;
        }
        Ok(record)
    }
}

impl Step {
    const fn transition(self) -> Transition {
        match self {
            Self::Activate => Transition::Activate,
            Self::Deactivate => Transition::Deactivate,
        }
    }
}
