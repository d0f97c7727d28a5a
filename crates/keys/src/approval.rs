//! What others must agree to: one exact request, used up in the commit of the act itself.
//!
//! `access` has the rules (which action needs how many others) and keeps what was asked and
//! answered. Here it is bound: each use case that needs others spends the approval of exactly its
//! request, in its own batch, so that no door can forget to.

use self::parts::Parts;
use crate::suspend::OfCloud;
use crate::uses::release::Export;
use crate::{Destroy, Keys, KeysError, Resume, Suspend};
use access::Spent;
use access::approvals::request_hash;
use kernel::{Action, ActionType, Event, Permit, Resource};
use store::Batch;

/// A request that others may have to approve.
pub trait Approvable: Parts {}

impl<T: Parts> Approvable for T {}

pub(crate) mod parts {
    /// The bytes of a request that its approval is bound to.
    pub trait Parts {
        /// Calls `take` with every part of the request, always in the same order; a list tells its
        /// length first, so that no two requests have the same parts.
        fn parts(&self, take: &mut dyn FnMut(&[u8]));
    }
}

/// The hash that an approval of this request is bound to. A door puts it into the request for
/// approval; the use case computes it again.
#[must_use]
pub fn approval_hash(action: Action, resource: &Resource, request: &impl Approvable) -> [u8; 32] {
    let mut bytes = Vec::new();
    request.parts(&mut |part| {
        bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
        bytes.extend_from_slice(part);
    });
    request_hash(action, resource, &bytes)
}

impl Parts for Suspend {
    fn parts(&self, take: &mut dyn FnMut(&[u8])) {
        take(self.reason.as_str().as_bytes());
        take(&(self.stops.len() as u64).to_be_bytes());
        for name in &self.stops {
            take(name.as_str().as_bytes());
        }
    }
}

impl Parts for Resume {
    fn parts(&self, take: &mut dyn FnMut(&[u8])) {
        take(self.reason.as_str().as_bytes());
    }
}

impl Parts for Destroy {
    fn parts(&self, take: &mut dyn FnMut(&[u8])) {
        take(self.reason.as_str().as_bytes());
    }
}

impl Parts for Export {
    fn parts(&self, take: &mut dyn FnMut(&[u8])) {
        take(&self.recipient_der);
        take(&self.version.map_or(0, |version| version.0).to_be_bytes());
        take(self.reason.as_str().as_bytes());
    }
}

impl<R: Parts> Parts for OfCloud<R> {
    fn parts(&self, take: &mut dyn FnMut(&[u8])) {
        take(self.cloud.as_str().as_bytes());
        self.request.parts(take);
    }
}

impl Keys {
    /// The approval of exactly this request, if the act needs one.
    pub(crate) fn spend<A: ActionType>(
        &self,
        permit: &Permit<A>,
        request: &impl Approvable,
    ) -> Result<Option<Spent>, KeysError> {
        let hash = approval_hash(A::ACTION, permit.resource(), request);
        Ok(self.inner.access.spend(permit, hash)?)
    }
}

/// Adds the approval, if there is one, to an act and to its record.
pub(crate) fn with_approval(spent: Option<Spent>, batch: Batch, event: Event) -> (Batch, Event) {
    match spent {
        Some(spent) => {
            let event = event.with("approval", spent.id().to_string());
            (batch.and(spent.into_batch()), event)
        }
        None => (batch, event),
    }
}
