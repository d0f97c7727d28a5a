//! Requests that a caller may send again without doing them twice.
//!
//! What was made is named again; what was shown once (a link, a token's text) is not shown again.

use crate::AccessError;
use crate::access::{Access, Change};
use crate::directory::Directory;
use kernel::{ActionType, Outcome, Permit};
use std::str::FromStr;
use store::{Batch, Idempotency};

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
}

fn identifier<I: FromStr>(outcome: &[u8]) -> Option<I> {
    std::str::from_utf8(outcome).ok()?.parse().ok()
}

impl Access {
    /// What was answered to the same request before; asked before the work, which would find its
    /// own result in the way. The commit asks again, for those who come at one time.
    pub(crate) fn answered_before<A: ActionType, I: FromStr>(
        &self,
        permit: &Permit<A>,
        repeat: Option<&Repeat>,
    ) -> Result<Option<I>, AccessError> {
        let Some(repeat) = repeat else { return Ok(None) };
        if !permit.is_live(self.clock()) {
            return Err(AccessError::PermitOver);
        }
        let (domain, caller) = (permit.resource().domain, permit.caller().principal.to_string());
        let key = repeat.scoped::<A>();
        let outcome = self.store().outcome(domain, &caller, &key, &repeat.request)?;
        Ok(outcome.and_then(|outcome| identifier(&outcome)))
    }

    /// Writes down that the same answer is given again, under a decision of its own.
    pub(crate) async fn answer_again<A: ActionType>(
        &self,
        permit: Permit<A>,
    ) -> Result<(), AccessError> {
        let guard = permit.guard();
        let event = permit.into_event(Outcome::Done, self.clock()).with("replayed", "true");
        self.save(Batch::new().event(event).guard(guard), Change::Neither, |_, _| ()).await
    }

    /// [`Access::save`] of something new; gives the identifier that the same request was answered
    /// with when it came a moment before: nothing new is kept then.
    pub(crate) async fn save_new<I: FromStr>(
        &self,
        batch: Batch,
        repeat: Option<Idempotency>,
        keep: impl FnOnce(&mut Directory, &[u64]) + Send,
    ) -> Result<Option<I>, AccessError> {
        let batch = repeat.into_iter().fold(batch, Batch::idempotent);
        let committed = self.store().commit(batch).await?;
        if let Some(first) = committed.replayed {
            return Ok(identifier(&first));
        }
        self.change_directory(|d| keep(d, &committed.versions));
        Ok(None)
    }
}
