//! Requests that a caller may send again without doing them twice.

use kernel::{ActionType, Permit};
use store::Idempotency;

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
        answer: String,
    ) -> Idempotency {
        Idempotency {
            domain: permit.resource().domain,
            caller: permit.caller().principal.to_string(),
            // One key may serve different actions without meeting itself.
            key: format!("{}:{}", A::ACTION.word(), self.key),
            request: self.request,
            outcome: answer.into_bytes(),
        }
    }

    /// The identifier that was answered first.
    pub(crate) fn first_answer<I: std::str::FromStr>(outcome: &[u8]) -> Option<I> {
        std::str::from_utf8(outcome).ok()?.parse().ok()
    }
}
