//! Keys for the store: each record sealed and bound to its place, index terms, digests.
//!
//! A sealed record is `1 ‖ salt[16] ‖ ciphertext ‖ tag[16]`: AES-256-GCM under a key of the
//! message's own (see `derive`), bound to collection, key and version, each with its length in
//! front.

use crate::derive::{Cipher, Label, MessageKeys, SALT_LEN, TAG_LEN, derive, push_part, tag_bytes};
use aws_lc_rs::hmac;
use kernel::{Problem, ProblemKind, RngUnavailable};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use zeroize::Zeroizing;

/// Bytes that sealing adds to a record.
pub const RECORD_OVERHEAD: usize = 1 + SALT_LEN + TAG_LEN;
const FORMAT: u8 = 1;

/// Where a record lies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place<'a> {
    /// The collection's name.
    pub collection: &'a str,
    /// The record's key within it.
    pub key: &'a [u8],
    /// The record's version.
    pub version: u64,
}

/// Why a record cannot be sealed or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// Not sealed by this installation for this place, or altered.
    #[error("the record is not what was stored in this place")]
    NotOpened,
    /// No randomness.
    #[error(transparent)]
    Rng(#[from] RngUnavailable),
}

impl From<RecordError> for Problem {
    fn from(cause: RecordError) -> Self {
        match cause {
            RecordError::NotOpened => {
                Self::new(ProblemKind::Internal, "record-damaged", cause.to_string())
            }
            RecordError::Rng(cause) => cause.into(),
        }
    }
}

/// Seals and opens records. Cheap to clone; shared by all threads.
#[derive(Clone)]
pub struct RecordKeys {
    inner: Arc<Inner>,
}

struct Inner {
    master: Zeroizing<[u8; 32]>,
    collections: RwLock<HashMap<Box<str>, Arc<CollectionKeys>>>,
}

struct CollectionKeys {
    records: MessageKeys,
    index: hmac::Key,
    digest: hmac::Key,
}

impl fmt::Debug for RecordKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecordKeys")
    }
}

impl RecordKeys {
    pub(crate) fn new(barrier: &[u8]) -> Self {
        let master = derive(Label::Record, barrier, &[]);
        Self { inner: Arc::new(Inner { master, collections: RwLock::default() }) }
    }

    fn of(&self, collection: &str) -> Arc<CollectionKeys> {
        let known = self.inner.collections.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(keys) = known.get(collection) {
            return Arc::clone(keys);
        }
        drop(known);
        let master = self.inner.master.as_slice();
        let mac = |label| {
            let key = derive(label, master, collection.as_bytes());
            hmac::Key::new(hmac::HMAC_SHA256, key.as_slice())
        };
        let key = derive(Label::Record, master, collection.as_bytes());
        let keys = Arc::new(CollectionKeys {
            records: MessageKeys::new(Label::Record, key.as_slice(), Cipher::Aes256Gcm),
            index: mac(Label::Index),
            digest: mac(Label::Digest),
        });
        let mut known = self.inner.collections.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(known.entry(collection.into()).or_insert(keys))
    }

    /// Seals `plain` for its place; the result is [`RECORD_OVERHEAD`] bytes longer.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn seal(&self, place: Place<'_>, plain: &[u8]) -> Result<Vec<u8>, RecordError> {
        let aad = place.bind();
        Ok(self.of(place.collection).records.seal(&[FORMAT], &aad, plain)?)
    }

    /// Opens what was sealed for this place.
    ///
    /// # Errors
    /// [`RecordError::NotOpened`] for another place, another installation or altered bytes.
    pub fn open(&self, place: Place<'_>, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, RecordError> {
        let rest = sealed.strip_prefix(&[FORMAT]).ok_or(RecordError::NotOpened)?;
        let keys = self.of(place.collection);
        keys.records.open(&place.bind(), rest).map_err(|_| RecordError::NotOpened)
    }

    /// The term under which an index finds `value`: equal values have equal terms within one index
    /// of one collection, and nothing else can be told from a term.
    #[must_use]
    pub fn index_term(&self, collection: &str, index: &str, value: &[u8]) -> [u8; 16] {
        let mut input = Vec::with_capacity(8 + index.len() + value.len());
        push_part(&mut input, index.as_bytes());
        push_part(&mut input, value);
        let tag = hmac::sign(&self.of(collection).index, &input);
        let mut term = [0; 16];
        for (to, from) in term.iter_mut().zip(tag.as_ref()) {
            *to = *from;
        }
        term
    }

    /// What one record adds to its collection's digest: changes with every byte and with its place.
    #[must_use]
    pub fn digest_element(&self, place: Place<'_>, sealed: &[u8]) -> [u8; 32] {
        self.digests(place.collection).element(place.key, place.version, sealed)
    }

    /// The digest elements of one collection, for whoever computes many one after another.
    #[must_use]
    pub fn digests(&self, collection: &str) -> CollectionDigests {
        let mut bound = Vec::with_capacity(BOUND_BYTES_EXPECTED);
        push_part(&mut bound, collection.as_bytes());
        CollectionDigests { keys: self.of(collection), name: bound.len(), bound }
    }
}

/// Room for a collection's name, a record's key and its version.
const BOUND_BYTES_EXPECTED: usize = 96;

/// Computes digest elements of one collection: its key is looked up once, its buffer is kept.
pub struct CollectionDigests {
    keys: Arc<CollectionKeys>,
    bound: Vec<u8>,
    /// How much of `bound` is the collection's name.
    name: usize,
}

impl fmt::Debug for CollectionDigests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CollectionDigests")
    }
}

impl CollectionDigests {
    /// As [`RecordKeys::digest_element`], for a record of this collection.
    #[must_use]
    pub fn element(&mut self, key: &[u8], version: u64, sealed: &[u8]) -> [u8; 32] {
        self.bound.truncate(self.name);
        push_part(&mut self.bound, key);
        self.bound.extend_from_slice(&version.to_be_bytes());
        let mut context = hmac::Context::with_key(&self.keys.digest);
        context.update(&self.bound);
        context.update(sealed);
        tag_bytes(context.sign())
    }
}

impl Place<'_> {
    fn bind(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(16 + self.collection.len() + self.key.len());
        push_part(&mut out, self.collection.as_bytes());
        push_part(&mut out, self.key);
        out.extend_from_slice(&self.version.to_be_bytes());
        out
    }
}
