//! What others agreed to, used up in the commit of the act itself.

use kernel::{ApprovalId, Event};
use store::Batch;

/// An approval as `access` gives it: its identifier for the record, and the change that uses it up.
#[derive(Debug)]
pub struct Approved {
    id: ApprovalId,
    uses_up: Batch,
}

impl Approved {
    /// The approval `id`, which `uses_up` takes away; the batch fails if it is gone already.
    #[must_use]
    pub const fn new(id: ApprovalId, uses_up: Batch) -> Self {
        Self { id, uses_up }
    }
}

/// Adds the approval, if there is one, to an act and to its record.
pub(crate) fn with_approval(
    approved: Option<Approved>,
    batch: Batch,
    event: Event,
) -> (Batch, Event) {
    match approved {
        Some(Approved { id, uses_up }) => {
            (batch.and(uses_up), event.with("approval", id.to_string()))
        }
        None => (batch, event),
    }
}
