//! Which records carry a term, asked of the index alone: no record is opened for it.

use crate::codec::TermHash;
use crate::sqlite::rows;
use crate::state::CollectionId;
use crate::{Damage, StoreError};
use rusqlite::Connection;
use std::collections::HashSet;

/// Most carriers that are held at once; a term with more is looked up entry by entry, and is so
/// common that a page is full before many were looked at.
pub(crate) const CARRIERS_HELD_MAX: usize = 4_096;

/// The records that carry some terms, all of them.
pub(crate) struct Carriers<'a> {
    connection: &'a Connection,
    collection: CollectionId,
    terms: &'a [TermHash],
    rare: Vec<HashSet<Vec<u8>>>,
    common: Vec<TermHash>,
}

impl<'a> Carriers<'a> {
    pub(crate) fn of(
        connection: &'a Connection,
        collection: CollectionId,
        terms: &'a [TermHash],
    ) -> Result<Self, StoreError> {
        let (mut rare, mut common) = (Vec::new(), Vec::new());
        for term in terms {
            let keys = rows::find(connection, collection, term, CARRIERS_HELD_MAX + 1)?;
            if keys.len() > CARRIERS_HELD_MAX {
                common.push(*term);
            } else {
                rare.push(keys.into_iter().collect());
            }
        }
        Ok(Self { connection, collection, terms, rare, common })
    }

    /// Whether there is none.
    pub(crate) fn is_nobody(&self) -> bool {
        self.rare.iter().any(HashSet::is_empty)
    }

    /// Whether the record may be one, as far as is held in memory.
    pub(crate) fn may_have(&self, key: &[u8]) -> bool {
        self.rare.iter().all(|keys| keys.contains(key))
    }

    /// Whether the record is one of those that [`Self::may_have`] let through.
    pub(crate) fn has(&self, key: &[u8]) -> Result<bool, StoreError> {
        for term in &self.common {
            if !rows::has_term(self.connection, self.collection, term, key)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Holds the index against the record that was opened: what the record does not bear out was
    /// added by somebody.
    pub(crate) fn borne_out(&self, name: &str, terms: &[TermHash]) -> Result<(), StoreError> {
        if self.terms.iter().all(|term| terms.contains(term)) {
            return Ok(());
        }
        Err(StoreError::Damaged(Damage::Index { collection: name.to_owned() }))
    }
}
