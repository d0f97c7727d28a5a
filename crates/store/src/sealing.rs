//! The store's side of the strongroom: sealing with the tag apart, terms and digest elements.

use crate::StoreError;
use crate::codec::TermHash;
use strongroom::{CollectionDigests, Place, RecordKeys};
use zeroize::Zeroizing;

/// The AEAD's tag: 16 bytes that stand for the whole sealed record, since nobody without the key
/// makes another record with the same tag.
pub(crate) type Tag = [u8; 16];

/// A sealed record with its tag apart, so that the digest is checked without reading the rest.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Sealed {
    pub(crate) body: Vec<u8>,
    pub(crate) tag: Tag,
}

#[derive(Clone, Debug)]
pub(crate) struct Sealing(pub(crate) RecordKeys);

/// Not what was sealed for this place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotOpened;

impl Sealing {
    pub(crate) fn seal(&self, place: Place<'_>, plain: &[u8]) -> Result<Sealed, StoreError> {
        let mut body = self.0.seal(place, plain).map_err(|_| StoreError::Seal)?;
        let tag = body.split_last_chunk::<16>().map(|(_, tag)| *tag).ok_or(StoreError::Seal)?;
        body.truncate(body.len() - tag.len());
        Ok(Sealed { body, tag })
    }

    pub(crate) fn open(
        &self,
        place: Place<'_>,
        tag: &[u8],
        body: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, NotOpened> {
        if tag.len() != size_of::<Tag>() {
            return Err(NotOpened);
        }
        let mut sealed = Vec::with_capacity(body.len() + tag.len());
        sealed.extend_from_slice(body);
        sealed.extend_from_slice(tag);
        self.0.open(place, &sealed).map_err(|_| NotOpened)
    }

    /// What a record adds to the digest of its collection.
    pub(crate) fn record_element(&self, place: Place<'_>, tag: &[u8]) -> [u8; 32] {
        self.0.digest_element(place, tag)
    }

    /// The elements of one collection, for whoever computes many.
    pub(crate) fn digests(&self, collection: &str) -> Digests {
        Digests(self.0.digests(collection))
    }

    /// What an index term adds to the digest of the collection's terms.
    pub(crate) fn term_element(&self, collection: &str, term: &[u8], key: &[u8]) -> [u8; 32] {
        // Record versions start at 1, so no record shares this place.
        self.0.digest_element(Place { collection, key, version: 0 }, term)
    }

    pub(crate) fn term(&self, collection: &str, index: &str, value: &[u8]) -> TermHash {
        self.0.index_term(collection, index, value)
    }
}

/// Digest elements of one collection.
#[derive(Debug)]
pub(crate) struct Digests(CollectionDigests);

impl Digests {
    pub(crate) fn record(&mut self, key: &[u8], version: u64, tag: &[u8]) -> [u8; 32] {
        self.0.element(key, version, tag)
    }

    /// See [`Sealing::term_element`].
    pub(crate) fn term(&mut self, term: &[u8], key: &[u8]) -> [u8; 32] {
        self.0.element(key, 0, term)
    }
}
