//! A source is edited: name, setting, schedule, throttle, owner, place, profile, secret.
//!
//! What was is kept beside what is, field by field; of a secret only that it was changed. A scan
//! that is under way goes on with what it began with.

use crate::discover::{Discover, Inner};
use crate::error::DiscoverError;
use crate::records::{Relabels, SourceEdits, SourceSecrets, Sources};
use crate::source::{NewSource, SourceRecord};
use crate::sources::SourceSetting;
use kernel::actions::{DataRead, DataSource};
use kernel::{Name, Outcome, Permit, Principal, Recorder, Secret, Timestamp};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use store::{Batch, Expect, KeyRange, StoreError};

/// Edits of one source that are kept; the log has all of them.
pub const EDITS_KEPT: u32 = 500;
/// The same, for reading all of them.
const KEPT: usize = EDITS_KEPT as usize;

/// What an edit does to a field that may be empty. In JSON: not there, `null`, a value.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Edit<T> {
    /// It stays.
    #[default]
    Keep,
    /// It is emptied.
    Clear,
    /// It becomes this.
    To(T),
}

impl<T> Edit<T> {
    fn after(self, before: Option<T>) -> Option<T> {
        match self {
            Self::Keep => before,
            Self::Clear => None,
            Self::To(value) => Some(value),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Edit<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::<T>::deserialize(deserializer)?.map_or(Self::Clear, Self::To))
    }
}

/// What is changed about a source: what is not named stays.
#[derive(Debug, Default)]
pub struct SourceChange {
    /// Its name.
    pub name: Option<Name>,
    /// Where it is and how it is reached, as a whole.
    pub setting: Option<SourceSetting>,
    /// The secret that opens it.
    pub secret: Edit<Secret<String>>,
    /// The classification profile.
    pub profile: Edit<String>,
    /// Minutes between scheduled scans.
    pub every_minutes: Edit<u32>,
    /// The throttle.
    pub bytes_per_second: Edit<u64>,
    /// Whose data it is.
    pub owner: Edit<Name>,
    /// The provider in the table of regions.
    pub provider: Edit<Name>,
    /// The provider's region, or on premises the place.
    pub region: Edit<Name>,
}

/// One field that was changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldChange {
    /// Which.
    pub field: String,
    /// What it was; nothing for a secret.
    pub before: Value,
    /// What it is; nothing for a secret.
    pub after: Value,
}

/// One edit of a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceEdited {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: Principal,
    /// What.
    pub changes: Vec<FieldChange>,
}

impl Discover {
    /// Changes the permit's source. A scan that is under way goes on with what it began with; when
    /// the place or the profile is another one, findings are labelled anew without a scan.
    ///
    /// # Errors
    /// When nothing is different, a value breaks a rule, the name is taken, or the store fails.
    pub async fn edit_source(
        &self,
        permit: Permit<DataSource>,
        change: SourceChange,
    ) -> Result<SourceRecord, DiscoverError> {
        self.live(&permit)?;
        let inner = &self.inner;
        let record = inner.source_of(&permit)?;
        let (before, id) = (record.value, record.key);
        let SourceChange { name, setting, secret, .. } = change;
        let mut after = SourceRecord {
            name: name.unwrap_or_else(|| before.name.clone()),
            setting: setting.unwrap_or_else(|| before.setting.clone()),
            profile: change.profile.after(before.profile.clone()),
            every_minutes: change.every_minutes.after(before.every_minutes),
            bytes_per_second: change.bytes_per_second.after(before.bytes_per_second),
            owner: change.owner.after(before.owner.clone()),
            provider: change.provider.after(before.provider.clone()),
            region: change.region.after(before.region.clone()),
            ..before.clone()
        };
        let new_secret = match &secret {
            Edit::To(secret) => Some(secret),
            Edit::Keep | Edit::Clear => None,
        };
        crate::register::check(&told(&after), new_secret)?;
        inner.profile(after.profile.as_deref())?;
        let opens = match &secret {
            Edit::Keep => inner.secret(id)?,
            Edit::Clear => None,
            Edit::To(secret) => Some(Secret::new(secret.expose().clone())),
        };
        // A setting that cannot be opened is refused before it is kept.
        drop(inner.opener.open(&after.setting, opens).await?);
        let mut changes = changes(&before, &after);
        if !matches!(secret, Edit::Keep) {
            let (field, before, after) = ("secret".to_owned(), Value::Null, Value::Null);
            changes.push(FieldChange { field, before, after });
        }
        if changes.is_empty() {
            let rule = "nothing in it is different from what is kept";
            return Err(DiscoverError::Value { field: "", rule });
        }
        after.edits = before.edits.saturating_add(1);
        let words: Vec<_> = changes.iter().map(|change| change.field.as_str()).collect();
        let guard = permit.guard();
        let (at, by) = (inner.clock.wall(), permit.caller().principal);
        let event = permit
            .into_event(Outcome::Done, &*inner.clock)
            .with("name", after.name.as_str())
            .with("changed", words.join(", "));
        let labels = ["profile", "provider", "region"];
        let anew = changes.iter().any(|change| labels.contains(&change.field.as_str()));
        let edited = SourceEdited { at, by, changes };
        let mut batch = Batch::new()
            .put::<Sources>(&id, &after, Expect::Version(record.version))
            .put::<SourceEdits>(&(id, after.edits), &edited, Expect::Absent)
            .guard(guard)
            .event(event);
        if let Some(old) = after.edits.checked_sub(EDITS_KEPT) {
            batch = batch.delete::<SourceEdits>(&(id, old), Expect::Any);
        }
        if anew {
            batch = batch.put::<Relabels>(&id, &(), Expect::Any);
        }
        batch = match &secret {
            Edit::Keep => batch,
            Edit::Clear => batch.delete::<SourceSecrets>(&id, Expect::Any),
            Edit::To(secret) => batch.put::<SourceSecrets>(&id, secret.expose(), Expect::Any),
        };
        match inner.store.commit(batch).await {
            Ok(_) => {}
            Err(StoreError::NotUnique { .. }) => return Err(DiscoverError::NameTaken),
            Err(cause) => return Err(cause.into()),
        }
        if anew {
            inner.relabel_soon(vec![id]);
        }
        Ok(after)
    }

    /// What was changed about the permit's source, newest first.
    ///
    /// # Errors
    /// When there is no such source, the permit has expired or the store cannot be read.
    pub fn source_edits(
        &self,
        permit: Permit<DataRead>,
    ) -> Result<Vec<SourceEdited>, DiscoverError> {
        self.live(&permit)?;
        let inner = &self.inner;
        let id = inner.source_of(&permit)?.key;
        let found = inner.store.scan::<SourceEdits>(&KeyRange::prefix(&id), KEPT)?;
        inner.store.record(permit.into_event(Outcome::Done, &*inner.clock));
        Ok(found.into_iter().rev().map(|record| record.value).collect())
    }
}

impl Inner {
    /// Whether a source is reached otherwise than when it had been edited so often.
    pub(crate) fn moved_since(
        &self,
        source: &SourceRecord,
        edits: u32,
    ) -> Result<bool, DiscoverError> {
        let found = self.store.scan::<SourceEdits>(&KeyRange::prefix(&source.id), KEPT)?;
        let later = found.into_iter().filter(|record| record.key.1 > edits);
        let mut changes = later.flat_map(|record| record.value.changes);
        Ok(changes.any(|change| matches!(change.field.as_str(), "setting" | "secret")))
    }
}

/// The source as a person would say it, for the rules of what a person says.
fn told(source: &SourceRecord) -> NewSource {
    NewSource {
        name: source.name.clone(),
        setting: source.setting.clone(),
        profile: source.profile.clone(),
        every_minutes: source.every_minutes,
        bytes_per_second: source.bytes_per_second,
        owner: source.owner.clone(),
        asset: Some(source.asset.clone()),
        provider: source.provider.clone(),
        region: source.region.clone(),
    }
}

fn changes(before: &SourceRecord, after: &SourceRecord) -> Vec<FieldChange> {
    let fields = |source| match serde_json::to_value(told(source)) {
        Ok(Value::Object(fields)) => fields,
        // What a person says about a source is an object; there is no other outcome.
        _ => serde_json::Map::new(),
    };
    let (before, after) = (fields(before), fields(after));
    let words: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let of = |fields: &serde_json::Map<String, Value>, word: &str| {
        fields.get(word).cloned().unwrap_or_default()
    };
    words
        .into_iter()
        .map(|word| FieldChange {
            field: word.clone(),
            before: of(&before, word),
            after: of(&after, word),
        })
        .filter(|change| change.before != change.after)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_kept_emptied_or_changed() {
        #[derive(Deserialize)]
        struct Body {
            #[serde(default)]
            owner: Edit<String>,
        }
        let read = |json: &str| serde_json::from_str::<Body>(json).unwrap().owner;
        assert_eq!(read("{}"), Edit::Keep);
        assert_eq!(read(r#"{"owner":null}"#), Edit::Clear);
        assert_eq!(read(r#"{"owner":"Retail"}"#), Edit::To("Retail".to_owned()));
        let before = || Some("a".to_owned());
        assert_eq!(Edit::Keep.after(before()), before());
        assert_eq!(Edit::Clear.after(before()), None);
    }
}
