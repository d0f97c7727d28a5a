//! Acts on found objects: into quarantine and back, encrypted in place, deleted.
//!
//! An act has an effect outside the store, so its intent is durable before it begins and its
//! outcome after; whatever was cut short in between is settled at the next start by looking at
//! what is there. Only what a source can do is offered: today that is a folder of this machine.

use crate::decide::text;
use crate::discover::{Discover, Inner};
use crate::error::DiscoverError;
use crate::finding::{Finding, Handled};
use crate::folder::Place;
use crate::records::{Findings, ObjectStates, Sources, begun_term, finding_term};
use crate::sources::SourceSetting;
use kernel::actions::{DataAct, DataDelete, KeyDataKey};
use kernel::{Action, ActionType, Event, KeyId, Outcome, Permit, Principal, Resource};
use keys::envelope::{DATA_KEY_BYTES, DataKey, Header};
use keys::{MakeDataKey, Plaintext};
use serde::{Deserialize, Serialize};
use store::{Batch, Record};

/// The folder inside a source where quarantined objects lie; only its owner may enter it.
pub(crate) const QUARANTINE: &str = ".lionrock-quarantine";
/// The ending of an envelope file.
pub(crate) const SEALED: &str = ".sealed";
/// Acts that are settled at one start; there is one at most for each act that was under way.
const BEGUN_MAX: usize = 10_000;

/// What can be done with an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Act {
    /// Moved where only the installation reads; reversible.
    Quarantine,
    /// Brought back from quarantine.
    Restore,
    /// Replaced by an envelope file under a key of ours.
    Encrypt,
    /// Deleted.
    Delete,
}

impl Act {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Quarantine, Self::Restore, Self::Encrypt, Self::Delete];

    /// The word in records and on screen.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Quarantine => "quarantine",
            Self::Restore => "restore",
            Self::Encrypt => "encrypt",
            Self::Delete => "delete",
        }
    }
}

/// Why an act is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActRequest {
    /// Why: stands in the log.
    pub reason: String,
}

/// An act that was begun: what the disk is asked for, and what the record is afterwards.
struct Begun {
    record: Record<Findings>,
    place: Place,
    by: Principal,
}

impl Discover {
    /// The hash that an approval of a deletion is bound to: the finding, the reason, and how the
    /// object was when it was last looked at. Another content is another deletion.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn delete_hash(
        &self,
        resource: &Resource,
        request: &ActRequest,
    ) -> Result<[u8; 32], DiscoverError> {
        let found = match resource.id.parse() {
            Ok(id) => self.inner.store.find_one::<Findings>(&finding_term(id))?,
            Err(_) => None,
        };
        let version = match &found {
            Some(record) => self.inner.seen_as(&record.value)?,
            None => None,
        };
        let what = (request.reason.trim(), version);
        let bytes = serde_json::to_vec(&what).map_err(|_| DiscoverError::Changed)?;
        Ok(access::approvals::request_hash(Action::DataDelete, resource, &bytes))
    }

    /// What can be done with a finding's object as it stands; nothing where the source cannot act.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn acts(&self, finding: &Finding) -> Result<Vec<Act>, DiscoverError> {
        let source = self.inner.store.get::<Sources>(&finding.source)?;
        let can = source.is_some_and(|source| {
            matches!(source.value.setting, SourceSetting::Folder(_))
                && Place::is_plain(&finding.object)
        });
        Ok(match (&finding.handled, finding.gone) {
            (Some(Handled::Quarantined { .. }), _) if can => vec![Act::Restore, Act::Delete],
            (None, None) if can => vec![Act::Quarantine, Act::Encrypt, Act::Delete],
            _ => Vec::new(),
        })
    }

    /// Moves the permit's object into quarantine.
    ///
    /// # Errors
    /// When the source cannot act, the object changed, or disk or store fail.
    pub async fn quarantine(
        &self,
        permit: Permit<DataAct>,
        request: &ActRequest,
    ) -> Result<Finding, DiscoverError> {
        let (begun, by) = self.begin(permit, Act::Quarantine, request, None, Batch::new).await?;
        let done = aside(begun.place.clone(), |place| place.quarantine()).await;
        let after = |at| Handled::Quarantined { at, by };
        self.inner.conclude(begun, Act::Quarantine, done, Some(&after)).await
    }

    /// Brings the permit's object back from quarantine.
    ///
    /// # Errors
    /// When it is not there, something lies in its place, or disk or store fail.
    pub async fn restore(
        &self,
        permit: Permit<DataAct>,
        request: &ActRequest,
    ) -> Result<Finding, DiscoverError> {
        let (begun, _) = self.begin(permit, Act::Restore, request, None, Batch::new).await?;
        let done = aside(begun.place.clone(), |place| place.restore()).await;
        self.inner.conclude(begun, Act::Restore, done, None).await
    }

    /// Replaces the permit's object by an envelope file under the key of the second permit.
    ///
    /// # Errors
    /// When the source cannot act, the key cannot be used, the object changed, or disk or store
    /// fail.
    pub async fn encrypt(
        &self,
        permit: Permit<DataAct>,
        key: Permit<KeyDataKey>,
        request: &ActRequest,
    ) -> Result<Finding, DiscoverError> {
        let id: KeyId = key.resource_id().ok_or(DiscoverError::NoFinding)?;
        let wanted = MakeDataKey {
            length: DATA_KEY_BYTES,
            context: b"file".to_vec(),
            plaintext: Plaintext::Released,
        };
        let made = self.inner.keys.once(key, &wanted).await?;
        let released = made.plaintext.ok_or(DiscoverError::Changed)?;
        let data_key = DataKey::from_released(released)?;
        let header = Header::new(id, made.version, made.wrapped, &*self.inner.rng)?;
        let (begun, by) = self.begin(permit, Act::Encrypt, request, Some(id), Batch::new).await?;
        let sealed = |place: &Place| place.encrypt(&header, &data_key);
        let object = begun.place.sealed();
        // The data key is not `'static`: a file is sealed on this task's thread, told to block.
        let done = tokio::task::block_in_place(|| sealed(&begun.place));
        let after = |at| Handled::Encrypted { at, by, key: id, object: object.clone() };
        self.inner.conclude(begun, Act::Encrypt, done, Some(&after)).await
    }

    /// Deletes the permit's object for good; others must have approved exactly this.
    ///
    /// # Errors
    /// When nobody approved, the source cannot act, the object changed, or disk or store fail.
    pub async fn delete(
        &self,
        permit: Permit<DataDelete>,
        request: &ActRequest,
    ) -> Result<Finding, DiscoverError> {
        self.live(&permit)?;
        let finding = self.inner.finding_of(&permit)?.value;
        let place = self.inner.place(&finding)?;
        let seen = self.inner.seen_as(&finding)?;
        let is_what_was_seen = match &finding.handled {
            Some(Handled::Quarantined { .. }) => place.is_quarantined(),
            _ => seen.is_some() && seen == place.version(),
        };
        if !is_what_was_seen && self.acts(&finding)?.contains(&Act::Delete) {
            return Err(DiscoverError::Changed);
        }
        let hash = self.delete_hash(permit.resource(), request)?;
        let spent = self.inner.access.spend(&permit, hash)?;
        let batch = || spent.map_or_else(Batch::new, access::Spent::into_batch);
        let (begun, by) = self.begin(permit, Act::Delete, request, None, batch).await?;
        let done = aside(begun.place.clone(), |place| place.delete()).await;
        let after = |at| Handled::Deleted { at, by };
        self.inner.conclude(begun, Act::Delete, done, Some(&after)).await
    }

    /// Makes the intent durable.
    async fn begin<A: ActionType>(
        &self,
        permit: Permit<A>,
        act: Act,
        request: &ActRequest,
        key: Option<KeyId>,
        with: impl FnOnce() -> Batch,
    ) -> Result<(Begun, Principal), DiscoverError> {
        self.live(&permit)?;
        let reason = text(&request.reason)?;
        let inner = &self.inner;
        let record = inner.finding_of(&permit)?;
        if !self.acts(&record.value)?.contains(&act) {
            let standing = record.value.standing().word();
            let cannot = self.inner.place(&record.value).is_err();
            return Err(if cannot {
                DiscoverError::CannotAct
            } else {
                DiscoverError::Standing(standing)
            });
        }
        let place = inner.place(&record.value)?;
        let (by, guard) = (permit.caller().principal, permit.guard());
        let mut event = permit
            .into_event(Outcome::Done, &*inner.clock)
            .with("act", act.word())
            .with("source", record.value.source.to_string())
            .with("reason", reason);
        if let Some(key) = key {
            event = event.with("key", key.to_string());
        }
        let mut finding = record.value.clone();
        let at = inner.clock.wall();
        finding.handled = Some(Handled::Begun { act, at, by, key });
        let expect = store::Expect::Version(record.version);
        let batch = with().put::<Findings>(&record.key, &finding, expect).guard(guard).event(event);
        inner.store.commit(batch).await?;
        Ok((Begun { record, place, by }, by))
    }

    /// Settles every act that was cut short, by what is there now.
    pub(crate) async fn settle(&self) -> Result<(), DiscoverError> {
        for record in self.inner.store.find::<Findings>(&begun_term(), BEGUN_MAX)? {
            let Some(Handled::Begun { act, by, key, .. }) = record.value.handled else { continue };
            let Ok(place) = self.inner.place(&record.value) else { continue };
            let (there, put_away) = (place.is_there(), place.is_quarantined());
            let sealed = place.is_sealed();
            let object = place.sealed();
            let after = move |at| match (act, key) {
                _ if put_away => Some(Handled::Quarantined { at, by }),
                (Act::Encrypt, Some(key)) if sealed && !there => {
                    Some(Handled::Encrypted { at, by, key, object: object.clone() })
                }
                (Act::Delete, _) if !there => Some(Handled::Deleted { at, by }),
                _ => None,
            };
            self.inner.settled(record, act, &after).await?;
        }
        Ok(())
    }
}

impl Inner {
    /// How an object was when it was last looked at; in quarantine nobody changes it.
    fn seen_as(&self, finding: &Finding) -> Result<Option<String>, DiscoverError> {
        if matches!(finding.handled, Some(Handled::Quarantined { .. })) {
            return Ok(Some(QUARANTINE.to_owned()));
        }
        let state = self.store.get::<ObjectStates>(&(finding.source, finding.id))?;
        Ok(state.and_then(|state| state.value.version))
    }

    fn place(&self, finding: &Finding) -> Result<Place, DiscoverError> {
        let source = self.store.get::<Sources>(&finding.source)?.ok_or(DiscoverError::NoSource)?;
        match source.value.setting {
            SourceSetting::Folder(folder) if Place::is_plain(&finding.object) => {
                Ok(Place::new(&folder.path, &finding.object, finding.id))
            }
            _ => Err(DiscoverError::CannotAct),
        }
    }

    /// Writes the outcome down: the new state, or that nothing was done.
    async fn conclude(
        &self,
        begun: Begun,
        act: Act,
        done: Result<(), DiscoverError>,
        after: Option<&(dyn Fn(kernel::Timestamp) -> Handled + Sync)>,
    ) -> Result<Finding, DiscoverError> {
        let Begun { record, by, .. } = begun;
        let (before, key) = (record.value.handled.clone(), record.key);
        let at = self.clock.wall();
        let handled = match &done {
            Ok(()) => after.map(|after| after(at)),
            Err(_) => before,
        };
        let mut event = Event::system("data.act-ended", at).with("act", act.word());
        event.resource = format!("data:{}", record.value.id);
        event.domain = record.value.domain;
        event = event.with("by", by.to_string());
        if let Err(cause) = &done {
            event.outcome = Outcome::Failed(cause.code().into());
        }
        let changed = self.change(
            key,
            || Batch::new().event(event.clone()),
            |finding| {
                finding.handled.clone_from(&handled);
                Ok(())
            },
        );
        let finding = changed.await?;
        done.map(|()| finding)
    }

    async fn settled(
        &self,
        record: Record<Findings>,
        act: Act,
        after: &(dyn Fn(kernel::Timestamp) -> Option<Handled> + Sync),
    ) -> Result<(), DiscoverError> {
        let at = self.clock.wall();
        let handled = after(at);
        let mut event = Event::system("data.act-settled", at)
            .with("act", act.word())
            .with("carried-out", handled.is_some().to_string());
        event.resource = format!("data:{}", record.value.id);
        event.domain = record.value.domain;
        self.change(
            record.key,
            || Batch::new().event(event.clone()),
            |finding| {
                finding.handled.clone_from(&handled);
                Ok(())
            },
        )
        .await?;
        Ok(())
    }
}

/// Runs what waits for a disk where it holds nobody up.
async fn aside(
    place: Place,
    work: impl FnOnce(&Place) -> Result<(), DiscoverError> + Send + 'static,
) -> Result<(), DiscoverError> {
    let done = tokio::task::spawn_blocking(move || work(&place)).await;
    done.unwrap_or(Err(DiscoverError::Changed))
}
