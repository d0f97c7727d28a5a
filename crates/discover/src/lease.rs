//! Leases: work that one runner at a time holds until a moment, under a number that only rises.
//!
//! **Invariants:** whoever takes gets a number that nobody had before, so that what an older holder
//! says later is known to be late; a lease that was not renewed is over at its moment, whether
//! somebody else takes the work then or not; renewing without ever finishing anything ends too.

use kernel::{Name, ServiceId, Timestamp};
use serde::{Deserialize, Serialize};

/// How long a lease holds without being renewed, in seconds: a runner renews it three times in
/// between, and what a dead one held waits no longer than this.
pub const LEASE_SECONDS: i64 = 30;
/// How long a lease can be renewed without anything being finished, in seconds: twice as long as
/// one object may take.
pub const LEASE_PROGRESS_SECONDS_MAX: i64 = 3_600;

/// Who works on a part of a scan.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Runner {
    /// The server itself.
    Server,
    /// An agent near the data.
    Agent {
        /// The service that its certificate stands for.
        service: ServiceId,
        /// Its own name: several agents may be one service.
        name: Name,
    },
}

impl Runner {
    /// The runner as it is shown and recorded.
    #[must_use]
    pub fn shown(&self) -> String {
        match self {
            Self::Server => String::from("server"),
            Self::Agent { service, name } => format!("{name} ({service})"),
        }
    }
}

/// A hold on a piece of work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// Who holds it.
    pub holder: Runner,
    /// Since when.
    pub since: Timestamp,
    /// When something was last finished under it.
    pub progress_at: Timestamp,
    /// Until when, if it is not renewed.
    pub until: Timestamp,
}

/// What a runner shows to prove that a piece of work is its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Claim {
    pub(crate) holder: Runner,
    pub(crate) fence: u64,
}

/// Why a claim counts for nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the lease is over or somebody else's")]
pub(crate) struct LeaseLost;

/// Whose turn it is at a piece of work.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Tenure {
    /// The number of the newest taking; it only rises.
    pub(crate) fence: u64,
    /// The newest lease, over or not; none when it was never taken or was given back.
    pub(crate) lease: Option<Lease>,
}

impl Tenure {
    /// Whether somebody may take it now.
    pub(crate) fn is_free(&self, now: Timestamp) -> bool {
        self.lease.as_ref().is_none_or(|lease| lease.until <= now)
    }

    /// The lease that holds now.
    pub(crate) fn held(&self, now: Timestamp) -> Option<&Lease> {
        self.lease.as_ref().filter(|lease| now < lease.until)
    }

    /// Gives it to a runner; the number is the runner's proof. `None` when it is held.
    pub(crate) fn take(&mut self, holder: Runner, now: Timestamp) -> Option<Claim> {
        if !self.is_free(now) {
            return None;
        }
        self.fence = self.fence.saturating_add(1);
        let until = now.plus_seconds(LEASE_SECONDS);
        self.lease = Some(Lease { holder: holder.clone(), since: now, progress_at: now, until });
        Some(Claim { holder, fence: self.fence })
    }

    /// Whether the claim is that of the lease that holds now.
    pub(crate) fn check(&self, claim: &Claim, now: Timestamp) -> Result<&Lease, LeaseLost> {
        let lease = self.held(now).ok_or(LeaseLost)?;
        let own = self.fence == claim.fence && lease.holder == claim.holder;
        if own { Ok(lease) } else { Err(LeaseLost) }
    }

    /// Holds it longer; `progress` says that something was finished.
    pub(crate) fn renew(
        &mut self,
        claim: &Claim,
        progress: bool,
        now: Timestamp,
    ) -> Result<Timestamp, LeaseLost> {
        let mut lease = self.check(claim, now)?.clone();
        if progress {
            lease.progress_at = now;
        }
        let last = lease.progress_at.plus_seconds(LEASE_PROGRESS_SECONDS_MAX);
        lease.until = now.plus_seconds(LEASE_SECONDS).min(last);
        let until = lease.until;
        self.lease = Some(lease);
        if until <= now { Err(LeaseLost) } else { Ok(until) }
    }

    /// Gives it back before its time.
    pub(crate) fn give_back(&mut self, claim: &Claim, now: Timestamp) -> Result<(), LeaseLost> {
        self.check(claim, now)?;
        self.lease = None;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agent(number: u8) -> Runner {
        let name = format!("agent-{number}").parse().unwrap();
        Runner::Agent { service: ServiceId::from_bytes([number; 16]), name }
    }

    #[test]
    fn one_holds_it_until_its_moment_and_a_late_claim_counts_for_nothing() {
        let (mut tenure, now) = (Tenure::default(), Timestamp::EPOCH);
        let first = tenure.take(agent(1), now).unwrap();
        assert_eq!(tenure.take(agent(2), now), None);
        let over = now.plus_seconds(LEASE_SECONDS);
        assert!(tenure.check(&first, now.plus_seconds(LEASE_SECONDS - 1)).is_ok());
        assert_eq!(tenure.check(&first, over), Err(LeaseLost), "over, though nobody took it");
        let second = tenure.take(agent(1), over).unwrap();
        assert!(second.fence > first.fence);
        assert_eq!(tenure.renew(&first, true, over), Err(LeaseLost));
        assert_eq!(tenure.give_back(&first, over), Err(LeaseLost));
        let stolen = Claim { holder: agent(2), ..second.clone() };
        assert_eq!(tenure.renew(&stolen, true, over), Err(LeaseLost));
        assert!(tenure.give_back(&second, over).is_ok());
        assert_eq!(tenure.check(&second, over), Err(LeaseLost));
        assert!(tenure.is_free(over));
    }

    #[test]
    fn renewing_without_finishing_anything_ends() {
        let (mut tenure, mut now) = (Tenure::default(), Timestamp::EPOCH);
        let claim = tenure.take(agent(1), now).unwrap();
        let mut renewed = 0;
        while tenure.renew(&claim, false, now).is_ok() {
            now = now.plus_seconds(LEASE_SECONDS - 1);
            renewed += 1;
        }
        let most = LEASE_PROGRESS_SECONDS_MAX / (LEASE_SECONDS - 1) + 1;
        assert!(renewed > 10 && renewed <= most, "{renewed}");
        assert!(tenure.is_free(now));
        let again = tenure.take(agent(1), now).unwrap();
        let later = now.plus_seconds(LEASE_SECONDS - 1);
        assert!(tenure.renew(&again, true, later).is_ok());
    }
}
