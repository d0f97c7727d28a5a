//! One pass over a source: listed page by page, divided into partitions, looked into, settled.
//!
//! The server lists and looks itself. Of a source whose objects an agent reaches it only watches:
//! agents list and look, and the pass ends when nothing is left.
//!
//! **Invariants:** what is durable of a pass is its record, its partitions and what was settled; a
//! crash costs what was not reported yet; one event tells of a page or a report, never one of an
//! object; nothing that an object or a place does ends the pass.

use crate::error::DiscoverError;
use crate::lease::{Claim, Runner};
use crate::looks::{Desk, Looked, Looks, Tally, Worked};
use crate::partition::{PARTITIONS_AHEAD_MAX, PartitionObjects, Partitions};
use crate::records::object_id;
use crate::running::{Running, Stop};
use crate::scan::{Expected, Scan, ScanState};
use crate::seams::Looking;
use crate::settle::{Outlook, Report, Seen};
use crate::sources::{Object, Source};
use kernel::ScanId;
use std::collections::BTreeMap;
use std::sync::Arc;
use store::{Batch, Expect, KeyRange, StoreError};
use tokio::task::JoinSet;

/// Objects of one page and of one partition: at ten a second its work is lost in ten seconds, and
/// its commit is small.
pub const PAGE_OBJECTS: usize = 128;
/// Objects that are counted ahead for the time left; beyond it no time is told.
const COUNTED_OBJECTS_MAX: u64 = 5_000_000;
/// Objects of one page of the count.
const COUNTED_AT_ONCE: usize = 1_000;

/// How a pass ended.
enum End {
    Complete,
    Stopped(Stop),
}

/// A pass on its way.
pub(crate) struct Pass {
    pub(crate) outlook: Arc<Outlook>,
    pub(crate) scan: Scan,
    pub(crate) running: Arc<Running>,
    pub(crate) looking: Arc<dyn Looking>,
}

/// A partition that the server holds.
struct Turn {
    number: u64,
    claim: Claim,
    objects: BTreeMap<u16, Object>,
}

impl Pass {
    /// Goes to the end, whatever comes.
    pub(crate) async fn run(mut self) {
        let ended = self.go().await;
        let settled = match ended {
            Ok(End::Complete) => self.end(ScanState::Done, None).await,
            Ok(End::Stopped(Stop::Cancelled)) => self.end(ScanState::Cancelled, None).await,
            // It goes on at the next start.
            Ok(End::Stopped(Stop::Closing)) => Ok(()),
            Err(cause) => self.end(ScanState::Failed, Some(cause.to_string())).await,
        };
        if let Err(cause) = settled {
            tracing::warn!(scan = %self.scan.id, %cause, "the end of a scan could not be written");
        }
    }

    async fn end(&self, state: ScanState, failure: Option<String>) -> Result<(), DiscoverError> {
        self.outlook.end(self.scan.id, &self.running, state, failure).await
    }

    async fn go(&mut self) -> Result<End, DiscoverError> {
        let (inner, source) = (&self.outlook.inner, &self.outlook.source);
        let secret = || inner.secret(source.id);
        let opened = inner.opener.open(&source.setting, secret()?).await?;
        // Counting has the source opened for itself: a listing may remember where it was.
        let counted = inner.opener.open(&source.setting, secret()?).await?;
        let at_once = inner.inspector.at_once();
        let mut counting = JoinSet::new();
        counting.spawn(count_ahead(counted, Arc::clone(&self.running)));
        let looking = Arc::clone(&self.looking);
        let looks = Looks { source: Arc::clone(&opened), looking, at_once };
        loop {
            if let Some(stop) = self.running.stop() {
                return Ok(End::Stopped(stop));
            }
            if let Some(turn) = self.turn().await? {
                self.work(&looks, turn).await?;
            } else if self.scan.work.listed {
                self.outlook.sweep(&self.scan).await?;
                return Ok(End::Complete);
            } else {
                let listing = opened.list(self.scan.cursor.as_deref(), PAGE_OBJECTS).await?;
                let sorted = self.outlook.sorted(self.scan.pass, listing)?;
                self.scan = self.outlook.listed(self.scan.id, None, &sorted, None).await?;
                sorted.unchanged.iter().for_each(|_| self.running.object_done());
            }
        }
    }

    /// The next partition for the server: one that it holds from its listing or from before a
    /// restart, or one whose lease is over.
    async fn turn(&self) -> Result<Option<Turn>, DiscoverError> {
        let store = &self.outlook.inner.store;
        let range = KeyRange::prefix(&self.scan.id);
        let kept = store.scan::<Partitions>(&range, PARTITIONS_AHEAD_MAX)?;
        for record in kept {
            let (key, mut partition) = (record.key, record.value);
            let now = self.outlook.inner.clock.wall();
            let own = partition.tenure.held(now).filter(|lease| lease.holder == Runner::Server);
            let claim = match own {
                Some(_) => Claim { holder: Runner::Server, fence: partition.tenure.fence },
                None => {
                    let Some(claim) = partition.tenure.take(Runner::Server, now) else { continue };
                    let expect = Expect::Version(record.version);
                    let batch = Batch::new().put::<Partitions>(&key, &partition, expect);
                    match store.commit(batch).await {
                        Ok(_) => claim,
                        Err(StoreError::VersionConflict { .. }) => continue,
                        Err(cause) => return Err(cause.into()),
                    }
                }
            };
            let objects = store.get::<PartitionObjects>(&key)?.map(|record| record.value);
            let objects = (0..).zip(objects.unwrap_or_default());
            let objects = objects.filter(|(place, _)| partition.left.contains(place)).collect();
            return Ok(Some(Turn { number: key.1, claim, objects }));
        }
        Ok(None)
    }

    async fn work(&self, looks: &Looks, turn: Turn) -> Result<(), DiscoverError> {
        let Turn { number, claim, objects } = turn;
        let (outlook, running) = (Arc::clone(&self.outlook), Arc::clone(&self.running));
        let desk = Here { outlook, running, scan: self.scan.id, number, claim };
        match looks.work(objects, &desk).await {
            // Told to stop: what was seen and not reported is looked at again.
            Ok(Worked::Done | Worked::Stopped) => {}
            // A clock that jumped, a machine that slept: somebody takes it again.
            Err(DiscoverError::LeaseLost) => {}
            Err(cause) => return Err(cause),
        }
        Ok(())
    }
}

/// The server's own desk: straight to the store.
struct Here {
    outlook: Arc<Outlook>,
    running: Arc<Running>,
    scan: ScanId,
    number: u64,
    claim: Claim,
}

impl Desk for Here {
    type Error = DiscoverError;

    async fn report(&self, looked: Vec<Looked>) -> Result<(), DiscoverError> {
        let source = self.outlook.source.id;
        let (places, seen): (Vec<u16>, Vec<Seen>) = looked
            .into_iter()
            .map(|one| {
                let id = object_id(source, &one.object.name);
                let inspection = Some(one.inspection);
                (one.place, Seen { object: one.object, id, inspection })
            })
            .unzip();
        let report =
            Report { number: self.number, claim: &self.claim, places: &places, seen: &seen };
        self.outlook.reported(self.scan, &report, None).await.map(drop)
    }

    async fn renew(&self) -> Result<(), DiscoverError> {
        self.outlook.inner.renew(self.scan, self.number, &self.claim).await.map(drop)
    }

    async fn stopped(&self) {
        self.running.stopped().await;
    }

    fn ahead_micros(&self) -> u64 {
        let limit = self.outlook.source.bytes_per_second.filter(|limit| *limit > 0);
        let Some(limit) = limit else { return 0 };
        // The time that so many bytes may take, less what they took.
        let due = u128::from(self.running.bytes()) * 1_000_000 / u128::from(limit);
        let spent = u128::from(self.running.elapsed_micros(&*self.outlook.inner.clock));
        u64::try_from(due.saturating_sub(spent)).unwrap_or(u64::MAX)
    }

    fn tally(&self) -> Arc<dyn Tally> {
        Arc::clone(&self.running) as Arc<dyn Tally>
    }
}

/// Counts what there is, for the time left; a source that cannot be listed is told by the pass.
async fn count_ahead(source: Arc<dyn Source>, running: Arc<Running>) {
    let (mut after, mut expected) = (None, Expected::default());
    while expected.objects < COUNTED_OBJECTS_MAX {
        let Ok(listing) = source.list(after.as_deref(), COUNTED_AT_ONCE).await else { return };
        expected.objects += listing.objects.len() as u64;
        expected.bytes += listing.objects.iter().filter_map(|object| object.bytes).sum::<u64>();
        after = listing.next;
        expected.complete = after.is_none();
        running.expect(expected);
        if expected.complete {
            return;
        }
    }
}
