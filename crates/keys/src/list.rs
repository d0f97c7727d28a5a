//! Reading about keys: one, a page of them, all of them for checks.

use crate::domain::{Domain, Domains};
use crate::key::{Key, KeyRecords, Materials, label_term};
use crate::{KeyView, Keys, KeysError, StateName};
use kernel::actions::{KeyList, KeyRead};
use kernel::limits::{PAGE_ITEMS_DEFAULT, PAGE_ITEMS_MAX};
use kernel::{
    ActionType, Label, LogPosition, Name, Outcome, Permit, Recorder as _, Scope, VersionNo,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use store::limits::READ_ROWS_MAX;
use store::{KeyRange, PageCursor, Record};

/// What a list is to show.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListKeys {
    /// Goes on behind this place, as the page before gave it.
    #[serde(default)]
    pub after: Option<String>,
    /// Keys of a page, up to [`PAGE_ITEMS_MAX`]; [`PAGE_ITEMS_DEFAULT`] when not said.
    #[serde(default)]
    pub limit: Option<usize>,
    /// Only keys that carry all of these labels.
    #[serde(default)]
    pub labels: BTreeMap<Label, Name>,
    /// Only keys in this state.
    #[serde(default)]
    pub state: Option<StateName>,
}

/// Keys by name.
#[derive(Debug, Clone, Serialize)]
pub struct KeyPage {
    /// The keys.
    pub keys: Vec<KeyView>,
    /// Where the next page begins, if there may be one.
    pub next: Option<String>,
}

/// Records read at one time when all keys are gone through.
const SCAN_KEYS: usize = 1_000;

impl Keys {
    /// One key, without its material.
    ///
    /// # Errors
    /// When there is none, or the store fails.
    pub fn read(&self, permit: Permit<KeyRead>) -> Result<KeyView, KeysError> {
        let found = self.permitted(&permit).map(|record| record.value.view(self.now()));
        self.note_read(permit, &found);
        found
    }

    /// The public half of a version of a key pair, as SubjectPublicKeyInfo in DER; none for other
    /// keys, and for versions that are destroyed.
    ///
    /// # Errors
    /// When there is no such version, or the store fails.
    pub fn public_key(
        &self,
        permit: Permit<KeyRead>,
        version: Option<VersionNo>,
    ) -> Result<Option<Vec<u8>>, KeysError> {
        let found = self.public_half(&permit, version);
        self.note_read(permit, &found);
        found
    }

    fn public_half(
        &self,
        permit: &Permit<KeyRead>,
        version: Option<VersionNo>,
    ) -> Result<Option<Vec<u8>>, KeysError> {
        let key = self.permitted(permit)?.value;
        let newest = key.newest().map(|version| version.number);
        let version = version.or(newest).ok_or(KeysError::NoKey)?;
        key.version(version).ok_or(KeysError::NoVersion { version })?;
        let material = self.inner.store.get::<Materials>(&(key.id, version))?;
        Ok(material.and_then(|record| record.value.public_der).map(|der| der.to_vec()))
    }

    /// A page of keys by name, within the permit's scope.
    ///
    /// # Errors
    /// When the place to go on from is not one that a page gave, or the store fails.
    pub fn list(&self, permit: Permit<KeyList>, request: &ListKeys) -> Result<KeyPage, KeysError> {
        let page = self.page(&permit.scope(), request);
        self.note_read(permit, &page);
        page
    }

    fn page(&self, scope: &Scope, request: &ListKeys) -> Result<KeyPage, KeysError> {
        let now = self.now();
        let limit = request.limit.unwrap_or(PAGE_ITEMS_DEFAULT).clamp(1, PAGE_ITEMS_MAX);
        let after = request.after.as_deref().map(|text| text.parse::<PageCursor>());
        let after = after.transpose().map_err(|_| KeysError::NoPlace)?;
        // Labels are found by their index; a state is of its time and is asked of each.
        let wanted = |record: &Record<KeyRecords>| {
            request.state.is_none_or(|state| record.value.state_at(now) == state)
        };
        let labels = request.labels.iter();
        let terms: Vec<_> = labels.map(|(k, v)| label_term(k.as_str(), v.as_str())).collect();
        let store = &self.inner.store;
        let page = store.page_of::<KeyRecords>(&terms, scope, after.as_ref(), limit, wanted)?;
        let keys = page.items.iter().map(|record| record.value.view(now)).collect();
        Ok(KeyPage { keys, next: page.next.map(|place| place.to_string()) })
    }

    /// What happened to a key, newest first: every change, use and refusal that the log has, at
    /// most `limit` of them. Goes on before `before`, as the page before said.
    ///
    /// # Errors
    /// When there is no such key, or the log cannot be read.
    pub fn timeline(
        &self,
        permit: Permit<KeyRead>,
        before: Option<LogPosition>,
        limit: usize,
    ) -> Result<audit::Page, KeysError> {
        let found = self.permitted(&permit).and_then(|record| {
            let resource = Some(format!("key:{}", record.key));
            let query = audit::Query { resource, before, ..audit::Query::default() };
            Ok(self.inner.log.query(&query, limit.min(PAGE_ITEMS_MAX))?)
        });
        self.note_read(permit, &found);
        found
    }

    /// Calls `each` with every key in the scope, in the order of ids.
    pub(crate) fn for_each_key(
        &self,
        scope: &Scope,
        mut each: impl FnMut(&Key),
    ) -> Result<(), KeysError> {
        let mut range = KeyRange::all();
        loop {
            let found = self.inner.store.scan::<KeyRecords>(&range, SCAN_KEYS)?;
            for record in found.iter().filter(|record| scope.allows(record.value.domain)) {
                each(&record.value);
            }
            match found.last() {
                Some(last) if found.len() == SCAN_KEYS => range = range.after(&last.key),
                _ => return Ok(()),
            }
        }
    }

    pub(crate) fn every_domain(&self) -> Result<Vec<Domain>, KeysError> {
        let found = self.inner.store.scan::<Domains>(&KeyRange::all(), READ_ROWS_MAX)?;
        let mut domains: Vec<Domain> = found.into_iter().map(|record| record.value).collect();
        domains.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(domains)
    }

    /// Puts a read into the queue of the log: reads are recorded, and not waited for.
    pub(crate) fn note_read<A: ActionType, T>(
        &self,
        permit: Permit<A>,
        found: &Result<T, KeysError>,
    ) {
        let event = match found {
            Ok(_) => permit.into_event(Outcome::Done, &*self.inner.clock),
            Err(cause) => self.failed(permit, cause),
        };
        self.inner.store.record(event);
    }
}
