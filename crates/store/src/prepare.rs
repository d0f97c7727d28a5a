//! What is done on the caller's thread before a batch waits: limits, sealing, index terms, digests.
//! The committer is one thread for all, so whatever can be done elsewhere is done here.

use crate::batch::{Change, Idempotency};
use crate::codec::{Header, TermHash};
use crate::limits::IDEMPOTENCY_SECONDS;
use crate::sealing::{Sealed, Sealing};
use crate::state::OUTCOMES;
use crate::ticket::Reply;
use crate::{Batch, Expect, StoreError};
use kernel::{DomainId, Event, Guard, Timestamp};
use std::sync::atomic::{AtomicU64, Ordering};
use strongroom::Place;

/// A batch, sealed and ready for the committer.
pub(crate) struct Prepared {
    pub(crate) changes: Vec<PreparedChange>,
    pub(crate) guards: Vec<Guard>,
    pub(crate) raises: Vec<DomainId>,
    pub(crate) raise_all: bool,
    pub(crate) events: Vec<Event>,
    pub(crate) outcome: Option<Box<PreparedOutcome>>,
    pub(crate) essential: bool,
    /// It waits for the events of the recorder rather than for changes of its own.
    pub(crate) flush: bool,
    pub(crate) bytes: usize,
    pub(crate) reply: Reply,
}

pub(crate) struct PreparedChange {
    pub(crate) collection: &'static str,
    pub(crate) key: Vec<u8>,
    pub(crate) expect: Expect,
    pub(crate) put: Option<PreparedPut>,
}

pub(crate) struct PreparedPut {
    pub(crate) version: u64,
    pub(crate) sealed: Sealed,
    pub(crate) header: Header,
    /// What the record adds to its collection's digest.
    pub(crate) element: [u8; 32],
    /// What each term of the header adds to the digest of the terms.
    pub(crate) term_elements: Vec<[u8; 32]>,
    /// Terms that no other record may have, with the name of the index for the refusal.
    pub(crate) unique: Vec<(TermHash, &'static str)>,
}

/// The outcome of a repeatable request, as a record of its own.
pub(crate) struct PreparedOutcome {
    pub(crate) request: [u8; 32],
    pub(crate) change: PreparedChange,
}

/// Seals what batches put.
pub(crate) struct Preparer<'a> {
    pub(crate) sealing: &'a Sealing,
    pub(crate) next_version: &'a AtomicU64,
}

impl Preparer<'_> {
    pub(crate) fn batch(
        &self,
        batch: Batch,
        now: Timestamp,
        reply: Reply,
    ) -> Result<Prepared, (Reply, StoreError)> {
        match self.parts(batch, now) {
            Ok(build) => Ok(build(reply)),
            Err(error) => Err((reply, error)),
        }
    }

    fn parts(
        &self,
        batch: Batch,
        now: Timestamp,
    ) -> Result<impl FnOnce(Reply) -> Prepared, StoreError> {
        batch.check()?;
        let (guards, raises, raise_all) = (batch.guards, batch.raises, batch.raise_all);
        let (events, essential) = (batch.events, batch.essential);
        let outcome = batch.idempotency.map(|kept| self.outcome(&kept, now)).transpose()?;
        let outcome = outcome.map(Box::new);
        let changes = batch
            .changes
            .into_iter()
            .map(|change| self.change(change))
            .collect::<Result<Vec<_>, _>>()?;
        let bytes = changes.iter().map(PreparedChange::bytes).sum();
        Ok(move |reply| Prepared {
            changes,
            guards,
            raises,
            raise_all,
            events,
            outcome,
            essential,
            flush: false,
            bytes,
            reply,
        })
    }

    fn change(&self, change: Change) -> Result<PreparedChange, StoreError> {
        let Change { collection, key, expect, put } = change;
        let Some(put) = put else {
            return Ok(PreparedChange { collection, key, expect, put: None });
        };
        let mut unique = Vec::new();
        let mut terms = Vec::with_capacity(put.terms.len());
        for term in &put.terms {
            let hash = self.sealing.term(collection, term.index, &term.hashed_value());
            terms.push(hash);
            if term.unique {
                unique.push((hash, term.index));
            }
        }
        terms.sort_unstable();
        terms.dedup();
        let header = Header { domain: put.domain.to_bytes(), terms, sort: put.sort };
        let put = self.seal(collection, &key, header, &put.json)?;
        let put = Some(PreparedPut { unique, ..put });
        Ok(PreparedChange { collection, key, expect, put })
    }

    /// Seals a record under a version that no other write ever has.
    pub(crate) fn seal(
        &self,
        collection: &str,
        key: &[u8],
        header: Header,
        value: &[u8],
    ) -> Result<PreparedPut, StoreError> {
        let version = self.next_version.fetch_add(1, Ordering::SeqCst);
        let plain = zeroize::Zeroizing::new(header.with_value(value));
        let place = Place { collection, key, version };
        let sealed = self.sealing.seal(place, &plain)?;
        let element = self.sealing.record_element(place, &sealed.tag);
        let of_term = |term: &TermHash| self.sealing.term_element(collection, term, key);
        let term_elements = header.terms.iter().map(of_term).collect();
        Ok(PreparedPut { version, sealed, header, element, term_elements, unique: Vec::new() })
    }

    fn outcome(&self, kept: &Idempotency, now: Timestamp) -> Result<PreparedOutcome, StoreError> {
        let key = outcome_key(self.sealing, kept.domain, &kept.caller, &kept.key);
        let expires = now.plus_seconds(IDEMPOTENCY_SECONDS);
        let terms = vec![expiry_term(expires)];
        let header = Header { domain: kept.domain.to_bytes(), terms, sort: None };
        let mut value = Vec::with_capacity(32 + kept.outcome.len());
        value.extend_from_slice(&kept.request);
        value.extend_from_slice(&kept.outcome);
        let put = Some(self.seal(OUTCOMES, &key, header, &value)?);
        let key = key.to_vec();
        let change = PreparedChange { collection: OUTCOMES, key, expect: Expect::Any, put };
        Ok(PreparedOutcome { request: kept.request, change })
    }
}

impl PreparedChange {
    fn bytes(&self) -> usize {
        self.key.len() + self.put.as_ref().map_or(0, |put| put.sealed.body.len() + 64)
    }
}

/// The key under which an outcome lies.
pub(crate) fn outcome_key(
    sealing: &Sealing,
    domain: DomainId,
    caller: &str,
    key: &str,
) -> TermHash {
    let mut to = crate::codec::Writer::default();
    to.raw(&domain.to_bytes());
    to.bytes(caller.as_bytes());
    to.bytes(key.as_bytes());
    sealing.term(OUTCOMES, "key", &to.0)
}

/// The time of expiry as a term: not hashed, so that expired outcomes are found by their order.
pub(crate) fn expiry_term(expires: Timestamp) -> TermHash {
    u128::from(expires.unix_seconds().max(0).cast_unsigned()).to_be_bytes()
}
