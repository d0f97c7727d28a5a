//! The committer's statements, taken from the cache once for each transaction: looking them up for
//! each row would cost as much as some of them.

use super::rows::{Row, number, tag};
use crate::StoreError;
use crate::sealing::{Sealed, Tag};
use crate::state::CollectionId;
use rusqlite::{CachedStatement, Connection, OptionalExtension as _, params};

/// Statements on records and terms for one transaction.
pub(crate) struct Writes<'c> {
    get: CachedStatement<'c>,
    get_tag: CachedStatement<'c>,
    put: CachedStatement<'c>,
    delete: CachedStatement<'c>,
    owners: CachedStatement<'c>,
    put_term: CachedStatement<'c>,
    delete_term: CachedStatement<'c>,
}

impl<'c> Writes<'c> {
    pub(crate) fn new(connection: &'c Connection) -> Result<Self, StoreError> {
        let prepare = |sql| connection.prepare_cached(sql);
        Ok(Self {
            get: prepare(
                "SELECT version, tag, body FROM records WHERE collection = ?1 AND key = ?2",
            )?,
            get_tag: prepare(
                "SELECT version, tag FROM records WHERE collection = ?1 AND key = ?2",
            )?,
            put: prepare(
                "REPLACE INTO records(collection, key, version, tag, body)
                 VALUES(?1, ?2, ?3, ?4, ?5)",
            )?,
            delete: prepare("DELETE FROM records WHERE collection = ?1 AND key = ?2")?,
            owners: prepare("SELECT key FROM terms WHERE collection = ?1 AND term = ?2")?,
            put_term: prepare(
                "INSERT OR IGNORE INTO terms(collection, term, key) VALUES(?1, ?2, ?3)",
            )?,
            delete_term: prepare(
                "DELETE FROM terms WHERE collection = ?1 AND term = ?2 AND key = ?3",
            )?,
        })
    }

    /// The record of a key.
    pub(crate) fn get(
        &mut self,
        collection: CollectionId,
        key: &[u8],
    ) -> Result<Option<Row>, StoreError> {
        let row = self.get.query_row(params![collection, key], |row| {
            let sealed = Sealed { tag: tag(row, 1)?, body: row.get(2)? };
            Ok(Row { version: number(row, 0)?, sealed })
        });
        Ok(row.optional()?)
    }

    /// Version and tag of a record, without reading the rest.
    pub(crate) fn get_tag(
        &mut self,
        collection: CollectionId,
        key: &[u8],
    ) -> Result<Option<(u64, Tag)>, StoreError> {
        let row = self
            .get_tag
            .query_row(params![collection, key], |row| Ok((number(row, 0)?, tag(row, 1)?)));
        Ok(row.optional()?)
    }

    /// Writes a record, new or in place of the old one.
    pub(crate) fn put(
        &mut self,
        collection: CollectionId,
        key: &[u8],
        version: u64,
        sealed: &Sealed,
    ) -> Result<(), StoreError> {
        let (version, tag) = (version.cast_signed(), sealed.tag.as_slice());
        self.put.execute(params![collection, key, version, tag, sealed.body])?;
        Ok(())
    }

    /// Removes a record.
    pub(crate) fn delete(
        &mut self,
        collection: CollectionId,
        key: &[u8],
    ) -> Result<(), StoreError> {
        self.delete.execute(params![collection, key])?;
        Ok(())
    }

    /// Whether a term has an owner other than those that `own` says are not to be counted.
    pub(crate) fn has_other_owner(
        &mut self,
        collection: CollectionId,
        term: &[u8],
        own: impl Fn(&[u8]) -> bool,
    ) -> Result<bool, StoreError> {
        let mut rows = self.owners.query(params![collection, term])?;
        while let Some(row) = rows.next()? {
            if !own(row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Adds a term of a record.
    pub(crate) fn put_term(
        &mut self,
        collection: CollectionId,
        term: &[u8],
        key: &[u8],
    ) -> Result<(), StoreError> {
        self.put_term.execute(params![collection, term, key])?;
        Ok(())
    }

    /// Removes a term of a record.
    pub(crate) fn delete_term(
        &mut self,
        collection: CollectionId,
        term: &[u8],
        key: &[u8],
    ) -> Result<(), StoreError> {
        self.delete_term.execute(params![collection, term, key])?;
        Ok(())
    }
}
