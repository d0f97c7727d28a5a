//! The one way of every use of a key: find, check, compute, record, and only then answer.
//!
//! A request type is its own operation (the trait [`Use`]). The computation comes before the record
//! is durable, the answer after it; when the key domain was revoked in between, the answer is
//! thrown away and [`KeysError::StaleEpoch`] tells the door to decide again. What fails after the
//! gate said yes leaves a record too, with the code of the failure.
//!
//! **Batches** rest on one permit per item and are one commit. An item that fails does not stop the
//! others: each has its own result in the order of the request, and its own record. When anything
//! the batch rests on was revoked, or the record cannot be made durable, no item is answered.

pub(crate) mod agree;
pub(crate) mod encrypt;
pub(crate) mod mac;
pub(crate) mod release;
pub(crate) mod sign;

use crate::approval::with_approval;
use crate::cache::Opened;
use crate::key::Compromise;
use crate::purpose::{Leave, Purpose};
use crate::{Keys, KeysError};
use access::Spent;
use kernel::limits::BATCH_ITEMS_MAX;
use kernel::{ActionType, Event, KeyId, Outcome, Permit, VersionNo};
use store::Batch;
use strongroom::{Algorithm, KeyHandle};

/// A use of a key: the request, the action it needs, the answer it gives.
pub trait Use: attempt::Attempt {}

impl<T: attempt::Attempt> Use for T {}

pub(crate) mod attempt {
    use super::{ActionType, Keys, KeysError, Performed, Permit};

    /// What each use does between permit and record.
    pub trait Attempt {
        /// The action of its permit.
        type Action: ActionType;
        /// What the caller gets.
        type Answer;

        /// Computes the answer, which must not leave before the record is durable.
        fn attempt(
            &self,
            keys: &Keys,
            permit: &Permit<Self::Action>,
        ) -> Result<Performed<Self::Answer>, KeysError>;
    }
}

/// An answer that has not left, and what its record says.
#[derive(Debug)]
pub struct Performed<T> {
    pub(crate) answer: T,
    pub(crate) by: Chosen,
    pub(crate) details: Vec<(&'static str, String)>,
}

/// The version that a use chose.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Chosen {
    pub(crate) key: KeyId,
    pub(crate) version: VersionNo,
    pub(crate) algorithm: Algorithm,
    pub(crate) purpose: Purpose,
    pub(crate) leave: Leave,
}

impl Chosen {
    pub(crate) const fn gives<T>(self, answer: T) -> Performed<T> {
        Performed { answer, by: self, details: Vec::new() }
    }
}

impl<T> Performed<T> {
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.details.push((name, value.into()));
        self
    }
}

impl Keys {
    /// The version that protects now.
    pub(crate) fn protect(&self, opened: &Opened) -> Result<(Chosen, KeyHandle), KeysError> {
        let version = opened.key.protecting(self.now())?;
        let chosen = Chosen {
            key: opened.key.id,
            version,
            algorithm: opened.key.about.algorithm,
            purpose: Purpose::Protect,
            leave: Leave::Plain,
        };
        Ok((chosen, self.handle(opened, version)?))
    }

    /// A version that processes what it protected.
    pub(crate) fn process(
        &self,
        opened: &Opened,
        version: VersionNo,
        compromise: Compromise,
    ) -> Result<(Chosen, KeyHandle), KeysError> {
        let leave = opened.key.processing(version, compromise, self.now())?;
        let chosen = Chosen {
            key: opened.key.id,
            version,
            algorithm: opened.key.about.algorithm,
            purpose: Purpose::Process,
            leave,
        };
        Ok((chosen, self.handle(opened, version)?))
    }

    /// The version that a request names, or the newest: for what carries no version itself.
    pub(crate) fn process_any(
        &self,
        opened: &Opened,
        version: Option<VersionNo>,
        compromise: Compromise,
    ) -> Result<(Chosen, KeyHandle), KeysError> {
        let newest = || opened.key.newest().map(|version| version.number);
        let version = version.or_else(newest).ok_or(KeysError::NoKey)?;
        self.process(opened, version, compromise)
    }

    /// One use under one permit, whatever the use; the methods with names of their own are this.
    ///
    /// # Errors
    /// See [`KeysError`]; with [`KeysError::decide_again`], ask the gate again.
    pub async fn once<U: Use>(
        &self,
        permit: Permit<U::Action>,
        request: &U,
    ) -> Result<U::Answer, KeysError> {
        let attempted = request.attempt(self, &permit);
        self.conclude(permit, attempted, None).await
    }

    /// Writes down what came of one use, uses up its approval, and lets the answer go.
    pub(crate) async fn conclude<A: ActionType, T>(
        &self,
        permit: Permit<A>,
        attempted: Result<Performed<T>, KeysError>,
        spent: Option<Spent>,
    ) -> Result<T, KeysError> {
        let performed = match attempted {
            Ok(performed) => performed,
            Err(cause) => return Err(self.refuse(permit, cause).await),
        };
        let guard = permit.guard();
        let event = performed.describe(permit.into_event(Outcome::Done, &*self.inner.clock));
        let (batch, event) = with_approval(spent, Batch::new().guard(guard), event);
        self.inner.store.commit(batch.event(event)).await?;
        self.inner.memory.usage.count(&performed.by);
        Ok(performed.answer)
    }

    /// Many uses of one kind in one commit, each under its own permit; up to
    /// [`kernel::limits::BATCH_ITEMS_MAX`]. Results come in the order of the items.
    ///
    /// # Errors
    /// When there are too many items, something was revoked meanwhile, or the record is not
    /// durable: then no item has an answer.
    pub async fn batch<U: Use>(
        &self,
        items: Vec<(Permit<U::Action>, U)>,
    ) -> Result<Vec<Result<U::Answer, KeysError>>, KeysError> {
        if items.len() > BATCH_ITEMS_MAX {
            let events = items.into_iter().take(BATCH_ITEMS_MAX).map(|(permit, _)| {
                let code = KeysError::TooManyItems.code();
                permit.into_event(Outcome::Failed(code.into()), &*self.inner.clock)
            });
            let batch = events.fold(Batch::new().essential(), Batch::event);
            self.inner.store.commit(batch).await?;
            return Err(KeysError::TooManyItems);
        }
        let mut batch = Batch::new();
        let mut results = Vec::with_capacity(items.len());
        for (permit, request) in items {
            let attempted = request.attempt(self, &permit);
            let (next, result) = self.concluded(batch, permit, attempted);
            batch = next;
            results.push(result);
        }
        self.inner.store.commit(batch).await?;
        let answer = |result: Result<Performed<U::Answer>, KeysError>| {
            let performed = result?;
            self.inner.memory.usage.count(&performed.by);
            Ok(performed.answer)
        };
        Ok(results.into_iter().map(answer).collect())
    }

    /// Adds the record of one item to a batch.
    fn concluded<A: ActionType, T>(
        &self,
        batch: Batch,
        permit: Permit<A>,
        attempted: Result<Performed<T>, KeysError>,
    ) -> (Batch, Result<Performed<T>, KeysError>) {
        match attempted {
            Ok(performed) => {
                let guard = permit.guard();
                let event = permit.into_event(Outcome::Done, &*self.inner.clock);
                let event = performed.describe(event);
                (batch.guard(guard).event(event), Ok(performed))
            }
            Err(cause) => {
                let event = self.failed(permit, &cause);
                (batch.event(event), Err(cause))
            }
        }
    }

    /// The record of what the gate allowed and did not work.
    pub(crate) fn failed<A: ActionType>(&self, permit: Permit<A>, cause: &KeysError) -> Event {
        permit.into_event(Outcome::Failed(cause.code().into()), &*self.inner.clock)
    }
}

impl<T> Performed<T> {
    fn describe(&self, event: Event) -> Event {
        let mut event = event
            .with("version", self.by.version.to_string())
            .with("algorithm", self.by.algorithm.name());
        if self.by.leave == Leave::AcceptingCompromise {
            event = event.with("compromised", "accepted");
        }
        for (name, value) in &self.details {
            event = event.with(name, value.clone());
        }
        event
    }
}
