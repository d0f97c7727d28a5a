//! Requests that a caller may send again without doing them twice.

use crate::{Keys, KeysError};
use kernel::{ActionType, Outcome, Permit};
use std::str::FromStr;
use store::{Batch, Idempotency};

/// What makes a request repeatable for 24 hours: the caller's own key and a hash of the body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repeat {
    /// What the caller sent as its idempotency key.
    pub key: String,
    /// SHA-256 of the request: another body under the same key is refused.
    pub request: [u8; 32],
}

impl Repeat {
    /// The store's form of it. The answer is an identifier, never a secret.
    pub(crate) fn answering<A: ActionType>(
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

    /// One key may serve different actions without meeting itself.
    fn scoped<A: ActionType>(&self) -> String {
        format!("{}:{}", A::ACTION.word(), self.key)
    }

    /// The identifier that was answered first.
    pub(crate) fn first_answer<I: FromStr>(outcome: &[u8]) -> Option<I> {
        std::str::from_utf8(outcome).ok()?.parse().ok()
    }
}

impl Keys {
    /// What was answered to the same request before; asked before the work, because the work would
    /// find its own result in the way. The commit asks again, for those who come at one time.
    pub(crate) fn answered_before<A: ActionType, I: FromStr>(
        &self,
        permit: &Permit<A>,
        repeat: Option<&Repeat>,
    ) -> Result<Option<I>, KeysError> {
        let Some(repeat) = repeat else { return Ok(None) };
        self.live(permit)?;
        let (domain, caller) = (permit.resource().domain, permit.caller().principal.to_string());
        let key = repeat.scoped::<A>();
        let outcome = self.inner.store.outcome(domain, &caller, &key, &repeat.request)?;
        Ok(outcome.and_then(|outcome| Repeat::first_answer(&outcome)))
    }

    /// Writes down that the same answer is given again, under a decision of its own.
    pub(crate) async fn answer_again<A: ActionType>(
        &self,
        permit: Permit<A>,
    ) -> Result<(), KeysError> {
        let guard = permit.guard();
        let event = permit.into_event(Outcome::Done, &*self.inner.clock).with("replayed", "true");
        self.inner.store.commit(Batch::new().guard(guard).event(event)).await?;
        Ok(())
    }
}
