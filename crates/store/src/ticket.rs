//! The answer to a commit, which comes when the commit is durable.

use crate::StoreError;
use kernel::{DomainId, Epoch};
use std::future::Future;
use std::ops::Range;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// What a durable commit did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Committed {
    /// The revision of the store that has it; several commits of one group share a revision.
    pub revision: u64,
    /// The positions of its events in the log.
    pub positions: Range<u64>,
    /// The new versions of the records it put, in the order of the puts.
    pub versions: Vec<u64>,
    /// The new epochs of the key domains it raised.
    pub epochs: Vec<(DomainId, Epoch)>,
    /// The first outcome, when the idempotency key had been used for the same request: then nothing
    /// but the events was written.
    pub replayed: Option<Vec<u8>>,
}

#[derive(Default)]
struct Slot {
    answer: Option<Result<Committed, StoreError>>,
    waker: Option<Waker>,
}

#[derive(Default)]
struct Shared {
    slot: Mutex<Slot>,
    answered: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Slot> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits for a commit: a future, or [`CommitTicket::wait`] on a thread that may block.
///
/// Dropping it does not undo the commit.
#[must_use = "nothing may leave before the commit is durable: await the ticket"]
pub struct CommitTicket(Arc<Shared>);

impl std::fmt::Debug for CommitTicket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CommitTicket")
    }
}

/// The committer's end of a ticket. Dropped without an answer, it answers "closed".
pub(crate) struct Reply(Option<Arc<Shared>>);

pub(crate) fn ticket() -> (Reply, CommitTicket) {
    let shared = Arc::new(Shared::default());
    (Reply(Some(Arc::clone(&shared))), CommitTicket(shared))
}

impl CommitTicket {
    /// Blocks the thread until the commit is durable or has failed; not for async code.
    ///
    /// # Errors
    /// Why nothing was committed.
    pub fn wait(self) -> Result<Committed, StoreError> {
        let mut slot = self.0.lock();
        loop {
            if let Some(answer) = slot.answer.take() {
                return answer;
            }
            slot = self.0.answered.wait(slot).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Future for CommitTicket {
    type Output = Result<Committed, StoreError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut slot = self.0.lock();
        if let Some(answer) = slot.answer.take() {
            return Poll::Ready(answer);
        }
        slot.waker = Some(context.waker().clone());
        Poll::Pending
    }
}

impl Reply {
    pub(crate) fn send(&mut self, answer: Result<Committed, StoreError>) {
        self.put(answer);
    }

    fn put(&mut self, answer: Result<Committed, StoreError>) {
        let Some(shared) = self.0.take() else { return };
        let waker = {
            let mut slot = shared.lock();
            slot.answer = Some(answer);
            slot.waker.take()
        };
        shared.answered.notify_one();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        self.put(Err(StoreError::Closed));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_committer_that_ends_leaves_no_one_waiting() {
        let (reply, ticket) = ticket();
        drop(reply);
        assert!(matches!(ticket.wait(), Err(StoreError::Closed)));
    }

    #[test]
    fn a_future_is_woken_by_the_answer() {
        let (mut reply, mut ticket) = ticket();
        let mut context = Context::from_waker(Waker::noop());
        assert!(Pin::new(&mut ticket).poll(&mut context).is_pending());
        reply.send(Err(StoreError::Busy));
        let answer = Pin::new(&mut ticket).poll(&mut context);
        assert!(matches!(answer, Poll::Ready(Err(StoreError::Busy))));
    }
}
