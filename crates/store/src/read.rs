//! Reading: by key, by index, in order of keys, in order of names, and the log.
//!
//! Reads are plain functions that take microseconds; each sees the last durable commit.

use crate::carriers::Carriers;
use crate::codec::{Header, hex, unhex};
use crate::digest::Multiset;
use crate::limits::READ_ROWS_MAX;
use crate::open::read_log;
use crate::sqlite::names::{Entry, Listing, Source};
use crate::sqlite::{apply, rows};
use crate::state::{CollectionId, NAMES, State};
use crate::{Collection, IndexTerm, KeyRange, LogRow, Record, RecordKey, Store, StoreError};
use kernel::{DomainId, LogPosition, Scope};
use rusqlite::Connection;
use std::sync::Arc;

/// One page of a list in order of names.
#[derive(Debug)]
pub struct Page<C: Collection> {
    /// The records.
    pub items: Vec<Record<C>>,
    /// Where the next page starts; `None` when there is no more.
    pub next: Option<PageCursor>,
}

/// Where a page ended. Its text is hexadecimal and holds the name: hand it only to whoever may see
/// the list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PageCursor {
    text: String,
    key: Vec<u8>,
}

impl std::fmt::Display for PageCursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", hex(self.text.as_bytes()), hex(&self.key))
    }
}

/// The text is not a cursor that a page gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the cursor is not one that a page gave")]
pub struct CursorError;

impl std::str::FromStr for PageCursor {
    type Err = CursorError;
    fn from_str(text: &str) -> Result<Self, CursorError> {
        let (name, key) = text.split_once('.').ok_or(CursorError)?;
        let name = unhex(name).and_then(|name| String::from_utf8(name).ok());
        Ok(Self { text: name.ok_or(CursorError)?, key: unhex(key).ok_or(CursorError)? })
    }
}

/// A record with what the engine knows of it.
fn read<C: Collection>(
    store: &Store,
    connection: &Connection,
    id: CollectionId,
    key: &[u8],
) -> Result<Option<(Header, Record<C>)>, StoreError> {
    rows::get(connection, id, key)?.map(|row| decode(store, key, &row)).transpose()
}

fn decode<C: Collection>(
    store: &Store,
    key: &[u8],
    row: &rows::Row,
) -> Result<(Header, Record<C>), StoreError> {
    let opened = rows::open(&store.core.sealing, C::NAME, key, row)?;
    let (header, json) = opened.split(C::NAME, key)?;
    let value = serde_json::from_slice(json)
        .map_err(|cause| StoreError::Encoding { collection: C::NAME, cause: Arc::new(cause) })?;
    let key = C::Key::from_bytes(key)
        .ok_or_else(|| StoreError::Damaged(crate::codec::damaged_record(C::NAME, key)))?;
    Ok((header, Record { key, version: opened.version, value }))
}

/// The content of a collection at one moment, to be compared and nothing else; see
/// [`Store::stamp`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Stamp(Option<Multiset>);

impl std::fmt::Debug for Stamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Stamp")
    }
}

impl Store {
    fn id_of<C: Collection>(&self) -> Option<CollectionId> {
        self.core.state().collection(C::NAME).map(|known| known.id)
    }

    /// The record of a key, if there is one.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when it does not open.
    pub fn get<C: Collection>(&self, key: &C::Key) -> Result<Option<Record<C>>, StoreError> {
        let Some(id) = self.id_of::<C>() else { return Ok(None) };
        let key = key.to_bytes();
        let found = self.core.readers.read(|connection| read(self, connection, id, &key))?;
        Ok(found.map(|(_, record)| record))
    }

    /// The records of several keys as they are in one commit, in the order of the keys.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when one does not open.
    pub fn get_many<C: Collection>(
        &self,
        keys: &[C::Key],
    ) -> Result<Vec<Option<Record<C>>>, StoreError> {
        let Some(id) = self.id_of::<C>() else { return Ok(keys.iter().map(|_| None).collect()) };
        self.core.readers.snapshot(|connection| {
            let one = |key: &C::Key| Ok(read(self, connection, id, &key.to_bytes())?.map(|r| r.1));
            keys.iter().map(one).collect()
        })
    }

    /// Records in the order of their keys, at most `limit` and never more than 10,000. Go on with
    /// [`KeyRange::after`] the last key.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when one does not open.
    pub fn scan<C: Collection>(
        &self,
        range: &KeyRange,
        limit: usize,
    ) -> Result<Vec<Record<C>>, StoreError> {
        let (mut found, limit) = (Vec::new(), limit.min(READ_ROWS_MAX));
        let (Some(id), true) = (self.id_of::<C>(), limit > 0) else { return Ok(found) };
        let after = range.after.as_deref().filter(|after| *after >= range.prefix.as_slice());
        self.core.readers.read(|connection| {
            let from = after.unwrap_or(&range.prefix);
            rows::scan(connection, id, from, after.is_some(), |key, row| {
                if !key.starts_with(&range.prefix) {
                    return Ok(false);
                }
                found.push(decode(self, key, &row)?.1);
                Ok(found.len() < limit)
            })
        })?;
        Ok(found)
    }

    /// The records that have a term, in the order of their keys, at most `limit` and never more
    /// than 10,000.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when one does not open.
    pub fn find<C: Collection>(
        &self,
        term: &IndexTerm,
        limit: usize,
    ) -> Result<Vec<Record<C>>, StoreError> {
        let Some(id) = self.id_of::<C>() else { return Ok(Vec::new()) };
        let hash = self.core.term(C::NAME, term);
        self.core.readers.snapshot(|connection| {
            let mut found = Vec::new();
            for key in rows::find(connection, id, &hash, limit.min(READ_ROWS_MAX))? {
                match read::<C>(self, connection, id, &key)? {
                    Some((header, record)) if header.terms.contains(&hash) => found.push(record),
                    // An index row that no record bears out was added by somebody.
                    _ => {
                        let collection = C::NAME.to_owned();
                        return Err(StoreError::Damaged(crate::Damage::Index { collection }));
                    }
                }
            }
            Ok(found)
        })
    }

    /// The one record that has a term, such as a unique name.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when it does not open.
    pub fn find_one<C: Collection>(
        &self,
        term: &IndexTerm,
    ) -> Result<Option<Record<C>>, StoreError> {
        Ok(self.find::<C>(term, 1)?.into_iter().next())
    }

    /// How many records a collection has.
    #[must_use]
    pub fn count<C: Collection>(&self) -> u64 {
        self.core.state().collection(C::NAME).map_or(0, |known| known.records.count)
    }

    /// A mark that is another one after every durable change of a collection, and the same as long
    /// as nothing in it changed: for keeping what was worked out over all of its records.
    #[must_use]
    pub fn stamp<C: Collection>(&self) -> Stamp {
        Stamp(self.core.state().collection(C::NAME).map(|known| known.records))
    }

    /// One page in the order of names, of records that the scope allows and `filter` keeps. At most
    /// 10,000 records are looked at: a page may come back short, with a cursor to go on from. The
    /// filter must not read the store: it would take a second reader while it holds one.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when a record or the names do not open.
    pub fn page<C: Collection>(
        &self,
        scope: &Scope,
        after: Option<&PageCursor>,
        limit: usize,
        filter: impl FnMut(&Record<C>) -> bool,
    ) -> Result<Page<C>, StoreError> {
        self.page_of::<C>(&[], scope, after, limit, filter)
    }

    /// [`Store::page`] of the records that have all these terms. The index says which they are: no
    /// other record is opened.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when a record, the names or the index do not hold.
    pub fn page_of<C: Collection>(
        &self,
        terms: &[IndexTerm],
        scope: &Scope,
        after: Option<&PageCursor>,
        limit: usize,
        mut filter: impl FnMut(&Record<C>) -> bool,
    ) -> Result<Page<C>, StoreError> {
        let terms: Vec<_> = terms.iter().map(|term| self.core.term(C::NAME, term)).collect();
        let (Some(id), true) = (self.id_of::<C>(), limit > 0) else {
            return Ok(Page { items: Vec::new(), next: None });
        };
        self.core.readers.snapshot(|connection| {
            // Names and records must be of one commit: while the names are held, the committer can
            // be at most one commit ahead, and that one's names are there already.
            let listings = self.core.names.read();
            let revision = rows::revision(connection)?;
            let listing = listings.at(revision, id);
            drop(listings);
            let carriers = Carriers::of(connection, id, &terms)?;
            if carriers.is_nobody() {
                return Ok(Page { items: Vec::new(), next: None });
            }
            let at = At { connection, id, listing: &listing, revision, carriers: &carriers };
            self.page_at(&at, scope, after, limit, &mut filter)
        })
    }

    fn page_at<C: Collection>(
        &self,
        at: &At<'_>,
        scope: &Scope,
        after: Option<&PageCursor>,
        limit: usize,
        filter: &mut impl FnMut(&Record<C>) -> bool,
    ) -> Result<Page<C>, StoreError> {
        let state: Arc<State> = self.core.state();
        let source = Source {
            connection: at.connection,
            sealing: &self.core.sealing,
            names_id: state.collection(NAMES).map(|names| names.id),
            collection: at.id,
            name: C::NAME,
            cache: &self.core.names.blocks,
        };
        let directory = match &at.listing.directory {
            Some(directory) => Arc::clone(directory),
            None => Arc::new(source.directory()?),
        };
        let (mut items, mut next, mut stale) = (Vec::new(), None, Vec::new());
        let (mut looked, mut last) = (0, None);
        let from = after.map(|cursor| (cursor.text.as_str(), cursor.key.as_slice()));
        source.walk(&directory, &at.listing.overlay, from, |found| {
            if !scope.allows(DomainId::from_bytes(found.domain))
                || !at.carriers.may_have(&found.key)
            {
                return Ok(true);
            }
            if items.len() >= limit || looked >= READ_ROWS_MAX {
                next = last.take();
                return Ok(false);
            }
            looked += 1;
            let place = || PageCursor { text: found.text.clone(), key: found.key.clone() };
            if !at.carriers.has(&found.key)? {
                last = Some(place());
                return Ok(true);
            }
            match read::<C>(self, at.connection, at.id, &found.key)? {
                Some((header, record)) if apply::is_entry(&header, found) => {
                    at.carriers.borne_out(C::NAME, &header.terms)?;
                    last = Some(place());
                    if filter(&record) {
                        items.push(record);
                    }
                }
                _ => stale.push(found.clone()),
            }
            Ok(true)
        })?;
        self.remember(at, directory, stale);
        Ok(Page { items, next })
    }

    /// Keeps the directory for the next page, and what no longer tells the truth for the next
    /// merge.
    fn remember(
        &self,
        at: &At<'_>,
        directory: Arc<crate::sqlite::names::Directory>,
        stale: Vec<Entry>,
    ) {
        if at.listing.directory.is_some() && stale.is_empty() {
            return;
        }
        let mut listings = self.core.names.write();
        if listings.revision != at.revision {
            return;
        }
        let listing = listings.by_collection.entry(at.id).or_default();
        listing.directory = Some(directory);
        if !stale.is_empty() {
            let overlay = Arc::make_mut(&mut listing.overlay);
            overlay.removed.extend(stale.into_iter().filter(|e| !overlay.added.contains(e)));
        }
    }

    /// Rows of the log from the one that holds `from` on, at most `max_rows` and about 16 MiB.
    ///
    /// # Errors
    /// A row that does not open, or is missing.
    pub fn read_log(&self, from: LogPosition, max_rows: usize) -> Result<Vec<LogRow>, StoreError> {
        let sealing = &self.core.sealing;
        self.core.readers.read(|connection| read_log(connection, sealing, from, max_rows))
    }
}

/// Where a page is read.
struct At<'a> {
    connection: &'a Connection,
    id: CollectionId,
    listing: &'a Listing,
    revision: u64,
    carriers: &'a Carriers<'a>,
}
