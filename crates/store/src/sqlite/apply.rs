//! One transaction being filled: each batch is checked whole before anything of it is written, so a
//! refused batch leaves no trace and needs no savepoint.

use super::names::{Entry, NameChange};
use super::rows;
use super::writes::Writes;
use crate::codec::Header;
use crate::epochs::EpochTable;
use crate::prepare::{Prepared, PreparedChange, PreparedPut, Preparer};
use crate::sealing::{Sealing, Tag};
use crate::state::{CollectionId, EPOCHS, OUTCOMES, State};
use crate::{Expect, StoreError};
use kernel::{DomainId, Epoch, Timestamp};
use rusqlite::Connection;
use std::collections::HashSet;
use std::sync::atomic::Ordering;
use strongroom::Place;

/// What is there under a key before the change.
#[derive(Default)]
pub(crate) struct Old {
    found: Option<(u64, Tag)>,
    header: Header,
}

/// What a batch did.
#[derive(Default)]
pub(crate) struct Applied {
    pub(crate) versions: Vec<u64>,
    pub(crate) epochs: Vec<(DomainId, Epoch)>,
    pub(crate) replayed: Option<Vec<u8>>,
}

/// Why a batch was not applied.
pub(crate) enum Stop {
    /// Only this batch is refused; nothing of it was written.
    Batch(StoreError),
    /// The transaction must be rolled back.
    Group(StoreError),
}

/// The transaction.
pub(crate) struct Group<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) writes: Writes<'a>,
    pub(crate) sealing: &'a Sealing,
    pub(crate) preparer: Preparer<'a>,
    pub(crate) state: State,
    pub(crate) epochs: EpochTable,
    pub(crate) names: Vec<(CollectionId, NameChange)>,
    pub(crate) now: Timestamp,
}

impl Group<'_> {
    pub(crate) fn batch(&mut self, batch: &mut Prepared) -> Result<Applied, Stop> {
        if let Some(first) = self.replay(batch).map_err(Stop::Batch)? {
            return Ok(Applied { replayed: Some(first), ..Applied::default() });
        }
        let olds = self.check(batch).map_err(Stop::Batch)?;
        let mut applied = Applied::default();
        for (change, old) in batch.changes.iter_mut().zip(olds) {
            self.write(change, &old).map_err(Stop::Group)?;
            applied.versions.extend(change.put.as_ref().map(|put| put.version));
        }
        if let Some(outcome) = &mut batch.outcome {
            let old = self.old(&outcome.change).map_err(Stop::Group)?;
            self.write(&mut outcome.change, &old).map_err(Stop::Group)?;
        }
        if batch.raise_all {
            let count = self.epochs.raise_all();
            self.put_epoch(&[], count).map_err(Stop::Group)?;
        }
        for domain in &batch.raises {
            let count = self.epochs.raise(*domain);
            self.put_epoch(&domain.to_bytes(), count).map_err(Stop::Group)?;
        }
        let raised = batch.raises.iter().map(|domain| (*domain, self.epochs.current(*domain)));
        applied.epochs.extend(raised);
        Ok(applied)
    }

    /// The first outcome of a request that is repeated.
    fn replay(&self, batch: &Prepared) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(outcome) = &batch.outcome else { return Ok(None) };
        // A repeated request is decided again, so its permit must still hold.
        self.check_guards(batch)?;
        let Some(kept) = self.state.collection(OUTCOMES) else { return Ok(None) };
        let key = &outcome.change.key;
        kept_outcome(self.connection, self.sealing, kept.id, key, &outcome.request, self.now)
    }

    fn check_guards(&self, batch: &Prepared) -> Result<(), StoreError> {
        for guard in &batch.guards {
            if self.epochs.current(guard.domain) != guard.epoch {
                return Err(StoreError::StaleEpoch { domain: guard.domain });
            }
        }
        Ok(())
    }

    fn check(&mut self, batch: &Prepared) -> Result<Vec<Old>, StoreError> {
        self.check_guards(batch)?;
        let mut olds = Vec::with_capacity(batch.changes.len());
        for change in &batch.changes {
            let old = self.old(change)?;
            let collection = change.collection;
            match (change.expect, old.found) {
                (Expect::Any, _) | (Expect::Absent, None) => {}
                (Expect::Absent, Some(_)) => return Err(StoreError::Exists { collection }),
                (Expect::Version(expected), Some((version, _))) if expected == version => {}
                (Expect::Version(_), _) => return Err(StoreError::VersionConflict { collection }),
            }
            olds.push(old);
        }
        self.check_unique(&batch.changes)?;
        Ok(olds)
    }

    fn check_unique(&mut self, changes: &[PreparedChange]) -> Result<(), StoreError> {
        let mut claimed = HashSet::new();
        for change in changes {
            let Some(put) = &change.put else { continue };
            let collection = change.collection;
            for (term, index) in &put.unique {
                let index = *index;
                if !claimed.insert((collection, term)) {
                    return Err(StoreError::NotUnique { collection, index });
                }
                let Some(known) = self.state.collection(collection) else { continue };
                // A record that this batch rewrites has its new terms in `claimed`.
                let rewritten = |owner: &[u8]| {
                    changes.iter().any(|c| c.collection == collection && c.key == owner)
                };
                if self.writes.has_other_owner(known.id, term, rewritten)? {
                    return Err(StoreError::NotUnique { collection, index });
                }
            }
        }
        Ok(())
    }

    /// What is there, with its header if the collection has anything to take back.
    pub(crate) fn old(&mut self, change: &PreparedChange) -> Result<Old, StoreError> {
        let Some(known) = self.state.collection(change.collection) else {
            return Ok(Old::default());
        };
        if !known.indexed {
            let found = self.writes.get_tag(known.id, &change.key)?;
            return Ok(Old { found, header: Header::default() });
        }
        let Some(row) = self.writes.get(known.id, &change.key)? else {
            return Ok(Old::default());
        };
        let opened = rows::open(self.sealing, &known.name, &change.key, &row)?;
        let (header, _) = opened.split(&known.name, &change.key)?;
        Ok(Old { found: Some((row.version, row.sealed.tag)), header })
    }

    pub(crate) fn write(
        &mut self,
        change: &mut PreparedChange,
        old: &Old,
    ) -> Result<(), StoreError> {
        let PreparedChange { collection, key, put: new, .. } = change;
        let (collection, key) = (*collection, key.as_slice());
        let sealing = self.sealing;
        let known = self.state.collection_mut(collection);
        if let Some(put) = &mut *new {
            if put.header.sort.is_some() && put.version <= known.names_floor {
                // The names were merged while this batch waited: only later versions are looked
                // through at the next start, so the record takes a later one.
                let place = Place { collection, key, version: put.version };
                let opened = sealing.open(place, &put.sealed.tag, &put.sealed.body);
                let plain = opened.map_err(|_| StoreError::Seal)?;
                put.version = self.preparer.next_version.fetch_add(1, Ordering::SeqCst);
                let place = Place { version: put.version, ..place };
                put.sealed = sealing.seal(place, &plain)?;
                put.element = sealing.record_element(place, &put.sealed.tag);
            }
            self.writes.put(known.id, key, put.version, &put.sealed)?;
            known.records.add(&put.element);
            known.sorted |= put.header.sort.is_some();
            known.indexed |= put.header.sort.is_some() || !put.header.terms.is_empty();
            let later = put.version.saturating_add(1);
            self.state.next_version = self.state.next_version.max(later);
        } else if old.found.is_some() {
            self.writes.delete(known.id, key)?;
        }
        let known = self.state.collection_mut(collection);
        if let Some((version, tag)) = old.found {
            let place = Place { collection, key, version };
            known.records.remove(&sealing.record_element(place, &tag));
        }
        let none = Header::default();
        let puts = new.is_some();
        let (new, elements) = match new {
            Some(put) => (&put.header, put.term_elements.as_slice()),
            None => (&none, [].as_slice()),
        };
        for term in old.header.terms.iter().filter(|term| !new.terms.contains(term)) {
            self.writes.delete_term(known.id, term, key)?;
            known.terms.remove(&sealing.term_element(collection, term, key));
        }
        for (term, element) in new.terms.iter().zip(elements) {
            if !old.header.terms.contains(term) {
                self.writes.put_term(known.id, term, key)?;
                known.terms.add(element);
            }
        }
        let (old, new) = (entry(&old.header, key), entry(new, key));
        let id = known.id;
        match (puts, old, new) {
            (true, None, None) | (false, None, _) => {}
            (true, old, new) => self.names.push((id, NameChange::Put { old, new })),
            (false, Some(old), _) => self.names.push((id, NameChange::Delete { old })),
        }
        Ok(())
    }

    /// Writes a record of the store's own.
    pub(crate) fn put_own(
        &mut self,
        collection: &'static str,
        key: &[u8],
        value: &[u8],
    ) -> Result<(), StoreError> {
        let put: PreparedPut = self.preparer.seal(collection, key, Header::default(), value)?;
        let (key, put) = (key.to_vec(), Some(put));
        let mut change = PreparedChange { collection, key, expect: Expect::Any, put };
        let old = self.old(&change)?;
        self.write(&mut change, &old)
    }

    /// Removes a record of the store's own.
    pub(crate) fn delete_own(
        &mut self,
        collection: &'static str,
        key: Vec<u8>,
    ) -> Result<(), StoreError> {
        let mut change = PreparedChange { collection, key, expect: Expect::Any, put: None };
        let old = self.old(&change)?;
        self.write(&mut change, &old)
    }

    fn put_epoch(&mut self, key: &[u8], count: u64) -> Result<(), StoreError> {
        self.put_own(EPOCHS, key, &count.to_be_bytes())
    }
}

pub(crate) fn entry(header: &Header, key: &[u8]) -> Option<Entry> {
    let text = header.sort.clone()?;
    Some(Entry { text, key: key.to_vec(), domain: header.domain })
}

/// The outcome kept under a key, if it has not expired.
pub(crate) fn kept_outcome(
    connection: &Connection,
    sealing: &Sealing,
    collection: CollectionId,
    key: &[u8],
    request: &[u8; 32],
    now: Timestamp,
) -> Result<Option<Vec<u8>>, StoreError> {
    let Some(row) = rows::get(connection, collection, key)? else { return Ok(None) };
    let opened = rows::open(sealing, OUTCOMES, key, &row)?;
    let (header, value) = opened.split(OUTCOMES, key)?;
    if header.terms.first().is_some_and(|term| *term <= crate::prepare::expiry_term(now)) {
        return Ok(None);
    }
    match value.split_at_checked(request.len()) {
        Some((first, outcome)) if first == request => Ok(Some(outcome.to_vec())),
        _ => Err(StoreError::IdempotencyMismatch),
    }
}

/// Whether the record of this header still has the name of the entry.
pub(crate) fn is_entry(header: &Header, entry: &Entry) -> bool {
    header.sort.as_deref() == Some(entry.text.as_str()) && header.domain == entry.domain
}
