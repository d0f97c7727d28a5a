//! Requests that a caller may send again without doing them twice.
//!
//! A use case asks [`Store::answered`] before its work, because the work would find its own result
//! in the way; the commit asks again, for those who come at one time. What is answered again is
//! what was answered first, under a decision and a record of its own.

use crate::{Batch, Idempotency, Store, StoreError};
use kernel::{ActionType, Clock, Outcome, Permit};
use std::str::FromStr;

/// What makes a request repeatable for 24 hours: the caller's own key and a hash of all it asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repeat {
    /// What the caller sent as its idempotency key.
    pub key: String,
    /// SHA-256 of the request: another one under the same key is refused.
    pub request: [u8; 32],
}

impl Repeat {
    /// One key may serve different actions without meeting itself.
    fn scoped<A: ActionType>(&self) -> String {
        format!("{}:{}", A::ACTION.word(), self.key)
    }

    /// What the batch of the request says of it. The answer is never a secret: most are
    /// identifiers.
    pub fn answering<A: ActionType>(
        self,
        permit: &Permit<A>,
        answer: &impl ToString,
    ) -> Idempotency {
        Idempotency {
            domain: permit.resource().domain,
            caller: permit.caller().principal.to_string(),
            key: self.scoped::<A>(),
            request: self.request,
            outcome: answer.to_string().into_bytes(),
        }
    }

    /// An answer that is an identifier, or another text that reads back.
    #[must_use]
    pub fn first_answer<I: FromStr>(outcome: &[u8]) -> Option<I> {
        std::str::from_utf8(outcome).ok()?.parse().ok()
    }
}

impl Store {
    /// What was answered to the same request of the same caller before; none when there was none,
    /// or when it may not be repeated.
    ///
    /// # Errors
    /// [`StoreError::IdempotencyMismatch`] when another request came under the key, and when the
    /// store does not read.
    pub fn answered<A: ActionType>(
        &self,
        permit: &Permit<A>,
        repeat: Option<&Repeat>,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(repeat) = repeat else { return Ok(None) };
        let (domain, caller) = (permit.resource().domain, permit.caller().principal.to_string());
        self.outcome(domain, &caller, &repeat.scoped::<A>(), &repeat.request)
    }

    /// Writes down that the same answer is given again.
    ///
    /// # Errors
    /// When the store does not take it, or the decision does not hold any more.
    pub async fn answer_again<A: ActionType>(
        &self,
        permit: Permit<A>,
        clock: &dyn Clock,
    ) -> Result<(), StoreError> {
        let guard = permit.guard();
        let event = permit.into_event(Outcome::Done, clock).with("replayed", "true");
        self.commit(Batch::new().event(event).guard(guard)).await?;
        Ok(())
    }
}
