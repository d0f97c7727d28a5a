//! The end of a pass: what it did not see is gone, what is left of its work goes, and the source's
//! place in the inventory is told.

use crate::error::DiscoverError;
use crate::finding::Handled;
use crate::partition::{PartitionObjects, Partitions};
use crate::records::{Findings, ObjectStates, Relabels, Sources, Summaries};
use crate::running::Running;
use crate::scan::{Scan, ScanState};
use crate::settle::{COMMITS_MAX, Outlook};
use kernel::{FindingId, ScanId, SourceId};
use store::{Batch, Expect, KeyRange, StoreError};

/// States of objects that the sweep for what is gone reads at once.
const SWEPT_AT_ONCE: usize = 500;
/// Partitions that are removed in one commit.
const REMOVED_AT_ONCE: usize = 500;

impl Outlook {
    /// Marks what this pass did not see as gone. Where a place could not be listed, nothing is:
    /// what lies there may still be there.
    pub(crate) async fn sweep(&self, scan: &Scan) -> Result<(), DiscoverError> {
        if scan.progress.unlisted > 0 {
            return Ok(());
        }
        let source = self.source.id;
        let mut range = KeyRange::prefix(&source);
        loop {
            let states = self.inner.store.scan::<ObjectStates>(&range, SWEPT_AT_ONCE)?;
            let Some(last) = states.last() else { return Ok(()) };
            range = range.after(&last.key);
            let unseen: Vec<(SourceId, FindingId)> = states
                .iter()
                .filter(|state| state.value.pass != scan.pass)
                .map(|state| state.key)
                .collect();
            if !unseen.is_empty() {
                self.gone(scan.id, &unseen).await?;
            }
        }
    }

    async fn gone(
        &self,
        scan: ScanId,
        unseen: &[(SourceId, FindingId)],
    ) -> Result<(), DiscoverError> {
        let source = self.source.id;
        let swept = self.commit(scan, |change| {
            let kept = self.inner.store.get::<Summaries>(&source)?;
            let expect = kept.as_ref().map_or(Expect::Absent, |k| Expect::Version(k.version));
            let mut summary = kept.map(|kept| kept.value).unwrap_or_default();
            let found = self.inner.store.get_many::<Findings>(unseen)?;
            for (key, found) in unseen.iter().zip(found) {
                change.scan.progress.gone += 1;
                change.with(|all| all.delete::<ObjectStates>(key, Expect::Any));
                let Some(record) = found else { continue };
                let mut finding = record.value;
                // What we put away ourselves is not gone.
                let ours = matches!(
                    finding.handled,
                    Some(
                        Handled::Quarantined { .. }
                            | Handled::Encrypted { .. }
                            | Handled::Begun { .. }
                    )
                );
                if ours || finding.gone.is_some() {
                    continue;
                }
                summary.remove(&finding);
                finding.gone = Some(change.now);
                summary.add(&finding);
                let expect = Expect::Version(record.version);
                change.with(|all| all.put::<Findings>(key, &finding, expect));
            }
            change.with(|all| all.put::<Summaries>(&source, &summary, expect));
            Ok(())
        });
        swept.await.map(drop)
    }

    /// Writes the end down and tells the inventory.
    pub(crate) async fn end(
        &self,
        id: ScanId,
        running: &Running,
        state: ScanState,
        failure: Option<String>,
    ) -> Result<(), DiscoverError> {
        let source = self.source.id;
        let ended = self.commit(id, |change| {
            let (now, scan) = (change.now, &mut change.scan);
            let kept = self.inner.store.get::<Summaries>(&source)?;
            let expect = kept.as_ref().map_or(Expect::Absent, |k| Expect::Version(k.version));
            let mut summary = kept.map(|kept| kept.value).unwrap_or_default();
            if state == ScanState::Done {
                summary.objects = scan.progress.objects;
                summary.bytes = self.inner.expected_bytes(running, scan);
                summary.complete_at = Some(now);
                summary.score = self.inner.highest(source)?;
            }
            scan.state = state;
            scan.failure.clone_from(&failure);
            scan.ended_at = Some(now);
            scan.work.listing.lease = None;
            scan.classes = crate::Class::ALL
                .iter()
                .map(|class| (*class, summary.of_class(*class)))
                .filter(|(_, count)| *count > 0)
                .collect();
            let told = self.event("data.scan-ended", scan).with("state", state.word());
            change.with(|all| all.put::<Summaries>(&source, &summary, expect).event(told));
            Ok(())
        });
        ended.await?;
        self.inner.drop_partitions(id).await?;
        // The source may have been changed or removed meanwhile: its newest record is told.
        match self.inner.store.get::<Sources>(&source)? {
            Some(record) => {
                let profile = self.inner.profile(record.value.profile.as_deref())?;
                let place = record.value.place(&self.inner.regions);
                if profile != self.profile || place != self.place {
                    // Some of it was labelled by what held when the pass began.
                    let batch = Batch::new().put::<Relabels>(&source, &(), Expect::Any);
                    self.inner.store.commit(batch).await?;
                    self.inner.relabel_soon(vec![source]);
                }
                self.inner.look_again_since(source, &self.judged).await?;
                match state {
                    ScanState::Done => self.inner.publish(&record.value).await,
                    _ => Ok(()),
                }
            }
            None => Ok(()),
        }
    }
}

impl crate::discover::Inner {
    /// Removes the partitions of a scan that has ended before all of them were done.
    pub(crate) async fn drop_partitions(&self, scan: ScanId) -> Result<(), DiscoverError> {
        loop {
            let left = self.store.scan::<Partitions>(&KeyRange::prefix(&scan), REMOVED_AT_ONCE)?;
            if left.is_empty() {
                return Ok(());
            }
            let batch = left.iter().fold(Batch::new(), |batch, record| {
                batch
                    .delete::<Partitions>(&record.key, Expect::Any)
                    .delete::<PartitionObjects>(&record.key, Expect::Any)
            });
            self.store.commit(batch).await?;
        }
    }

    /// Renews the lease of a partition; the moment until which it holds now.
    pub(crate) async fn renew(
        &self,
        scan: ScanId,
        number: u64,
        claim: &crate::lease::Claim,
    ) -> Result<kernel::Timestamp, DiscoverError> {
        let key = (scan, number);
        let mut tries = 1;
        loop {
            let kept = self.store.get::<Partitions>(&key)?.ok_or(DiscoverError::LeaseLost)?;
            let mut partition = kept.value;
            let until = partition.tenure.renew(claim, false, self.clock.wall())?;
            let expect = Expect::Version(kept.version);
            let batch = Batch::new().put::<Partitions>(&key, &partition, expect);
            match self.store.commit(batch).await {
                Ok(_) => return Ok(until),
                Err(StoreError::VersionConflict { .. }) if tries < COMMITS_MAX => tries += 1,
                Err(cause) => return Err(cause.into()),
            }
        }
    }
}
