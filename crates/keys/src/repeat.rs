//! Requests that a caller may send again without doing them twice; see [`store::Repeat`].

use crate::{Keys, KeysError};
use kernel::{ActionType, Permit};
use std::str::FromStr;
use store::Repeat;

impl Keys {
    /// What was answered to the same request before.
    pub(crate) fn answered_before<A: ActionType, I: FromStr>(
        &self,
        permit: &Permit<A>,
        repeat: Option<&Repeat>,
    ) -> Result<Option<I>, KeysError> {
        if repeat.is_some() {
            self.live(permit)?;
        }
        let outcome = self.inner.store.answered(permit, repeat)?;
        Ok(outcome.and_then(|outcome| Repeat::first_answer(&outcome)))
    }

    /// Writes down that the same answer is given again, under a decision of its own.
    pub(crate) async fn answer_again<A: ActionType>(
        &self,
        permit: Permit<A>,
    ) -> Result<(), KeysError> {
        Ok(self.inner.store.answer_again(permit, &*self.inner.clock).await?)
    }
}
