//! Making a key.

use crate::key::{About, Held, Key, KeyRecords, Material, Materials, Version};
use crate::state::{Activation, Dates, State};
use crate::{KeyView, Keys, KeysError, Repeat, RotationPeriod};
use kernel::actions::KeyCreate;
use kernel::{
    DomainId, Event, KeyId, Labels, Name, Outcome, Permit, Resource, ResourceKind, VersionNo,
};
use serde::{Deserialize, Serialize};
use store::{Batch, Committed, Expect, IndexTerm, StoreError};
use strongroom::{Algorithm, Bytes, KeySlot, StoredKey};

/// What a new key is to be.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreateKey {
    /// Its name, unique in the key domain.
    pub name: Name,
    /// Its algorithm.
    pub algorithm: Algorithm,
    /// Workload, criticality, data class, residency, cloud.
    #[serde(default)]
    pub labels: Labels,
    /// Whether it may ever be given out, wrapped under another key. Not to be changed later.
    #[serde(default)]
    pub exportable: bool,
    /// Days between rotations; none: on demand only.
    #[serde(default)]
    pub rotation_days: Option<RotationPeriod>,
    /// When the first version begins and ends.
    #[serde(default)]
    pub dates: Dates,
}

impl CreateKey {
    /// What to ask the gate about: the labels are part of the decision.
    #[must_use]
    pub fn resource(&self, domain: DomainId) -> Resource {
        Resource::all(ResourceKind::Key, domain).with_labels(self.labels.clone())
    }
}

impl Keys {
    /// Makes a key with its first version in the permit's key domain.
    ///
    /// # Errors
    /// When the permit was given for other labels, the name is taken, the dates contradict each
    /// other, there is no such key domain, or root or store fail.
    pub async fn create(
        &self,
        mut permit: Permit<KeyCreate>,
        request: &CreateKey,
        repeat: Option<Repeat>,
    ) -> Result<KeyView, KeysError> {
        let made = match self.answered_before::<_, KeyId>(&permit, repeat.as_ref()) {
            Ok(Some(first)) => {
                self.answer_again(permit).await?;
                return Ok(self.record(first)?.value.view(self.now()));
            }
            Ok(None) if takes_long(request.algorithm) => {
                let request = request.clone();
                let make = move |keys: &Self| (keys.new_key(&permit, &request), permit);
                let made;
                (made, permit) = self.aside(make).await?;
                made
            }
            Ok(None) => self.new_key(&permit, request),
            Err(cause) => Err(cause),
        };
        let (key, stored) = match made {
            Ok(made) => made,
            Err(cause) => return Err(self.refuse(permit, cause).await),
        };
        let guard = permit.guard();
        let repeat = repeat.map(|repeat| repeat.answering(&permit, &key.id));
        let material = Material::of(&key, VersionNo(1), &stored);
        let mut event = permit.into_event(Outcome::Done, &*self.inner.clock);
        // The permit was for keys as a whole; from now on there is one to name.
        event.resource = format!("key:{}", key.id);
        let event = event
            .with("name", key.about.name.as_str())
            .with("algorithm", key.about.algorithm.name())
            .with("exportable", key.about.exportable.to_string())
            .with("state", key.state_at(self.now()).word());
        let batch = Batch::new()
            .guard(guard)
            .put::<KeyRecords>(&key.id, &key, Expect::Absent)
            .put::<Materials>(&(key.id, VersionNo(1)), &material, Expect::Absent)
            .event(event.clone());
        let batch = repeat.into_iter().fold(batch, Batch::idempotent);
        let committed = self.unless_taken(self.inner.store.commit(batch).await, event).await?;
        // The lease ends here: until now the shred key could not be shredded.
        drop(stored);
        match committed.replayed {
            Some(first) => {
                let id: KeyId = Repeat::first_answer(&first).ok_or(KeysError::NoKey)?;
                Ok(self.record(id)?.value.view(self.now()))
            }
            None => Ok(key.view(self.now())),
        }
    }

    fn new_key(
        &self,
        permit: &Permit<KeyCreate>,
        request: &CreateKey,
    ) -> Result<(Key, StoredKey), KeysError> {
        self.live(permit)?;
        let resource = permit.resource();
        if resource.labels != request.labels {
            return Err(KeysError::OtherLabels);
        }
        let domain = self.domain(resource.domain)?.id;
        let now = self.now();
        let begins = match request.dates.activate {
            Activation::At(at) => at.max(now),
            Activation::Now | Activation::ByHand => now,
        };
        if request.dates.deactivate_at.is_some_and(|ends| ends <= begins) {
            return Err(KeysError::Dates);
        }
        if self.find(domain, &request.name)?.is_some() {
            return Err(KeysError::NameTaken);
        }
        let id = KeyId::generate(&*self.inner.clock, &*self.inner.rng)?;
        let version = VersionNo(1);
        let slot = KeySlot { domain, key: id, version };
        let stored = self.inner.room.generate(permit, slot, request.algorithm)?;
        let about = About {
            name: request.name.clone(),
            algorithm: request.algorithm,
            labels: request.labels.clone(),
            exportable: request.exportable,
            rotation: request.rotation_days,
            created_at: now,
        };
        let state = State::new(Held, request.dates, now);
        let versions = vec![Version { number: version, created_at: now, state }];
        Ok((Key { id, domain, about, versions, destruction: None }, stored))
    }

    /// Writes down that a name was taken by somebody who came at the same time: then the commit,
    /// and with it the record of the attempt, was refused whole.
    pub(crate) async fn unless_taken(
        &self,
        committed: Result<Committed, StoreError>,
        mut attempt: Event,
    ) -> Result<Committed, KeysError> {
        let cause = match committed {
            Ok(committed) => return Ok(committed),
            Err(cause) => KeysError::from(cause),
        };
        if matches!(cause, KeysError::NameTaken) {
            attempt.outcome = Outcome::Failed(cause.code().into());
            self.inner.store.commit(Batch::new().essential().event(attempt)).await?;
        }
        Err(cause)
    }

    /// The key of a name in a key domain. For doors, before they ask the gate.
    ///
    /// # Errors
    /// When the store fails.
    pub fn find(&self, domain: DomainId, name: &Name) -> Result<Option<KeyId>, KeysError> {
        let term = IndexTerm::new("name", name.as_str()).within(domain);
        Ok(self.inner.store.find_one::<KeyRecords>(&term)?.map(|record| record.key))
    }

    /// A key as the gate sees it. A key that does not exist looks like one of the asker's own key
    /// domain without labels, so that a refusal does not tell the difference.
    ///
    /// # Errors
    /// When the store fails.
    pub fn resource(&self, key: KeyId, asker: DomainId) -> Result<Resource, KeysError> {
        if let Some(opened) = self.inner.memory.cache.peek(key) {
            return Ok(resource_of(&opened.key));
        }
        let record = self.inner.store.get::<KeyRecords>(&key)?;
        Ok(record.map_or_else(
            || Resource::new(ResourceKind::Key, key.to_string(), asker),
            |record| resource_of(&record.value),
        ))
    }
}

/// Whether making a key takes so long that others would wait: primes of RSA take up to seconds.
pub(crate) const fn takes_long(algorithm: Algorithm) -> bool {
    use Algorithm as A;
    matches!(
        algorithm,
        A::RsaSign2048
            | A::RsaSign3072
            | A::RsaSign4096
            | A::RsaOaep2048
            | A::RsaOaep3072
            | A::RsaOaep4096
    )
}

fn resource_of(key: &Key) -> Resource {
    Resource::new(ResourceKind::Key, key.id.to_string(), key.domain)
        .with_labels(key.about.labels.clone())
}

impl Material {
    pub(crate) fn of(key: &Key, version: VersionNo, stored: &StoredKey) -> Self {
        Self {
            key: key.id,
            version,
            domain: key.domain,
            algorithm: key.about.algorithm,
            shred: stored.shred,
            wrapped: stored.wrapped.clone().into(),
            public_der: stored.public_der.clone().map(Bytes::from),
        }
    }
}
