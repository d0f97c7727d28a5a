//! Requests that a caller may send again without doing them twice; see [`store::Repeat`].
//!
//! What was made is named again; what was shown once (a link, a token's text) is not shown again.

use crate::AccessError;
use crate::access::Access;
use crate::directory::Directory;
use kernel::{ActionType, Permit};
use std::str::FromStr;
use store::{Batch, Idempotency, Repeat};

impl Access {
    /// What was answered to the same request before.
    pub(crate) fn answered_before<A: ActionType, I: FromStr>(
        &self,
        permit: &Permit<A>,
        repeat: Option<&Repeat>,
    ) -> Result<Option<I>, AccessError> {
        if repeat.is_some() && !permit.is_live(self.clock()) {
            return Err(AccessError::PermitOver);
        }
        let outcome = self.store().answered(permit, repeat)?;
        Ok(outcome.and_then(|outcome| Repeat::first_answer(&outcome)))
    }

    /// Writes down that the same answer is given again, under a decision of its own.
    pub(crate) async fn answer_again<A: ActionType>(
        &self,
        permit: Permit<A>,
    ) -> Result<(), AccessError> {
        Ok(self.store().answer_again(permit, self.clock()).await?)
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
            return Ok(Repeat::first_answer(&first));
        }
        self.change_directory(|d| keep(d, &committed.versions));
        Ok(None)
    }
}
