//! A partition: a bounded batch of a scan's objects that one runner at a time looks into.
//!
//! The objects are written once and never changed; whose turn it is and which of them are still
//! left is a small record beside them. Both go with the report of the last object, so that a scan
//! of any length keeps no more than [`PARTITIONS_AHEAD_MAX`] of them.

use crate::lease::{Claim, LeaseLost, Tenure};
use crate::sources::Object;
use kernel::{DomainId, ScanId, SourceId, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use store::Collection;

/// Partitions of one scan that wait or are worked on at most: listing waits for the runners, so
/// that what is listed and not looked at yet stays small.
pub const PARTITIONS_AHEAD_MAX: usize = 64;

/// Whose turn it is at a partition, and what is left of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Partition {
    pub(crate) source: SourceId,
    pub(crate) domain: DomainId,
    pub(crate) tenure: Tenure,
    /// Places in the batch whose objects nobody has reported yet.
    pub(crate) left: BTreeSet<u16>,
}

/// Why a report was not taken; nothing of it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotTaken {
    /// The claim is not that of the lease that holds.
    #[error(transparent)]
    Lost(#[from] LeaseLost),
    /// It speaks of an object that is not left, or of one twice.
    #[error("an object of the report is not left in its partition")]
    NotLeft,
}

impl Partition {
    /// A partition of so many objects that nobody holds.
    pub(crate) fn new(source: SourceId, domain: DomainId, objects: u16) -> Self {
        Self { source, domain, tenure: Tenure::default(), left: (0..objects).collect() }
    }

    /// Takes the reported objects off; what is left goes on under the same lease. True when
    /// nothing is left.
    pub(crate) fn report(
        &mut self,
        claim: &Claim,
        places: &[u16],
        now: Timestamp,
    ) -> Result<bool, NotTaken> {
        let mut after = self.clone();
        after.tenure.renew(claim, !places.is_empty(), now)?;
        if !places.iter().all(|place| after.left.remove(place)) {
            return Err(NotTaken::NotLeft);
        }
        *self = after;
        Ok(self.left.is_empty())
    }
}

/// Partitions by scan and number.
pub(crate) enum Partitions {}

impl Collection for Partitions {
    const NAME: &'static str = "data-partitions";
    type Key = (ScanId, u64);
    type Value = Partition;

    fn domain(partition: &Partition) -> DomainId {
        partition.domain
    }
}

/// The objects of partitions, by the same keys.
pub(crate) enum PartitionObjects {}

impl Collection for PartitionObjects {
    const NAME: &'static str = "data-partition-objects";
    type Key = (ScanId, u64);
    type Value = Vec<Object>;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lease::{LEASE_SECONDS, Runner};
    use kernel::ServiceId;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    const PARTITIONS: usize = 3;
    const OBJECTS: u16 = 4;

    fn runner(number: u8) -> Runner {
        let name = format!("agent-{number}").parse().unwrap();
        Runner::Agent { service: ServiceId::from_bytes([number; 16]), name }
    }

    /// What anybody may do next; a runner that dies simply forgets its claims or uses them late.
    #[derive(Debug, Clone)]
    enum Step {
        Take { runner: u8, partition: usize },
        Report { claim: usize, places: Vec<u16> },
        Renew { claim: usize },
        GiveBack { claim: usize },
        Wait { seconds: i64 },
        Restart,
    }

    fn step() -> impl Strategy<Value = Step> {
        let places = proptest::collection::vec(0..OBJECTS + 1, 0..4);
        prop_oneof![
            4 => (0..4u8, 0..PARTITIONS).prop_map(|(runner, partition)| {
                Step::Take { runner, partition }
            }),
            6 => (any::<usize>(), places).prop_map(|(claim, places)| {
                Step::Report { claim, places }
            }),
            2 => any::<usize>().prop_map(|claim| Step::Renew { claim }),
            1 => any::<usize>().prop_map(|claim| Step::GiveBack { claim }),
            2 => (1..LEASE_SECONDS + 5).prop_map(|seconds| Step::Wait { seconds }),
            1 => Just(Step::Restart),
        ]
    }

    proptest! {
        #[test]
        fn whatever_runners_do_each_object_counts_once_and_none_is_lost(
            steps in proptest::collection::vec(step(), 0..80),
        ) {
            let new = |_| Partition::new(SourceId::from_bytes([1; 16]), DomainId::SYSTEM, OBJECTS);
            let mut kept: Vec<Partition> = (0..PARTITIONS).map(new).collect();
            let mut counted: BTreeMap<(usize, u16), u32> = BTreeMap::new();
            let mut claims: Vec<(usize, Claim)> = Vec::new();
            let mut now = Timestamp::EPOCH;
            for step in steps {
                match step {
                    Step::Take { runner: number, partition } => {
                        let free = kept[partition].tenure.is_free(now);
                        let taken = kept[partition].tenure.take(runner(number), now);
                        prop_assert_eq!(taken.is_some(), free);
                        claims.extend(taken.map(|claim| (partition, claim)));
                    }
                    Step::Report { claim, places } if !claims.is_empty() => {
                        let (partition, claim) = &claims[claim % claims.len()];
                        let before = kept[*partition].clone();
                        let newest = claim.fence == before.tenure.fence;
                        match kept[*partition].report(claim, &places, now) {
                            Ok(_) => {
                                prop_assert!(newest, "only the newest taking may report");
                                for place in places {
                                    *counted.entry((*partition, place)).or_default() += 1;
                                }
                            }
                            Err(_) => prop_assert_eq!(&kept[*partition], &before),
                        }
                    }
                    Step::Renew { claim } if !claims.is_empty() => {
                        let (partition, claim) = &claims[claim % claims.len()];
                        let _ = kept[*partition].tenure.renew(claim, false, now);
                    }
                    Step::GiveBack { claim } if !claims.is_empty() => {
                        let (partition, claim) = &claims[claim % claims.len()];
                        let _ = kept[*partition].tenure.give_back(claim, now);
                    }
                    Step::Wait { seconds } => now = now.plus_seconds(seconds),
                    // Only what is written down outlives a restart.
                    Step::Restart => {
                        let text = serde_json::to_string(&kept).unwrap();
                        kept = serde_json::from_str(&text).unwrap();
                    }
                    _ => {}
                }
            }
            // Somebody comes and finishes what is left.
            now = now.plus_seconds(LEASE_SECONDS);
            for (number, partition) in kept.iter_mut().enumerate() {
                let left: Vec<u16> = partition.left.iter().copied().collect();
                let claim = partition.tenure.take(runner(9), now).unwrap();
                prop_assert!(partition.report(&claim, &left, now).unwrap());
                for place in left {
                    *counted.entry((number, place)).or_default() += 1;
                }
            }
            prop_assert_eq!(counted.len(), PARTITIONS * usize::from(OBJECTS));
            prop_assert!(counted.values().all(|times| *times == 1), "{:?}", counted);
        }
    }
}
