//! Labels anew: when a profile or a place changes, findings follow without another scan.
//!
//! Which sources are to be labelled anew is committed with the change, and taken off the list only
//! when every finding of the source has been: a server that stops in between goes on at its start.

use crate::discover::{Discover, Inner};
use crate::error::DiscoverError;
use crate::finding::{Finding, Judge};
use crate::judgement::Judged;
use crate::records::{Findings, Relabels, Sources, Summaries};
use kernel::{Event, SourceId};
use std::sync::Arc;
use store::{Batch, Expect, KeyRange, StoreError};

/// Findings that are labelled in one commit.
const LABELLED_AT_ONCE: usize = 200;
/// Sources whose labels are asked for at one start.
const SOURCES_AT_ONCE: usize = crate::register::SOURCES_MAX;

impl Discover {
    /// Waits until no source is to be labelled anew.
    pub async fn labelled(&self) {
        let mut tick = tokio::time::interval(std::time::Duration::from_millis(20));
        while self.inner.store.count::<Relabels>() > 0 {
            tick.tick().await;
        }
    }
}

impl Inner {
    /// Labels what waits for it; called at the start.
    pub(crate) fn relabel_waiting(self: &Arc<Self>) -> Result<(), DiscoverError> {
        let found = self.store.scan::<Relabels>(&KeyRange::all(), SOURCES_AT_ONCE)?;
        self.relabel_soon(found.into_iter().map(|record| record.key).collect());
        Ok(())
    }

    /// Labels these sources one after the other, as a task that closing waits for.
    pub(crate) fn relabel_soon(self: &Arc<Self>, sources: Vec<SourceId>) {
        if sources.is_empty() {
            return;
        }
        let ours = Arc::clone(self);
        self.passes().spawn(async move {
            for source in sources {
                if ours.is_closing() {
                    return;
                }
                if let Err(cause) = ours.relabel(source).await {
                    tracing::warn!(%source, %cause, "findings could not be labelled anew");
                }
            }
        });
    }

    async fn relabel(&self, source: SourceId) -> Result<(), DiscoverError> {
        loop {
            let Some(waiting) = self.store.get::<Relabels>(&source)? else { return Ok(()) };
            let Some(kept) = self.store.get::<Sources>(&source)? else { return Ok(()) };
            let findings = self.label_all(source).await?;
            let told = Event::system("data.relabelled", self.clock.wall())
                .with("source", source.to_string())
                .with("findings", findings.to_string());
            let mut batch =
                Batch::new().delete::<Relabels>(&source, Expect::Version(waiting.version));
            if let Some(summary) = self.store.get::<Summaries>(&source)? {
                let mut after = summary.value;
                after.score = self.highest(source)?;
                batch = batch.put::<Summaries>(&source, &after, Expect::Version(summary.version));
            }
            match self.store.commit(batch.event(told)).await {
                Ok(_) => {}
                // Somebody changed it again, or a scan wrote meanwhile: once more.
                Err(StoreError::VersionConflict { .. }) => continue,
                Err(cause) => return Err(cause.into()),
            }
            let scanned = self.store.get::<Summaries>(&source)?;
            let complete = scanned.is_some_and(|found| found.value.complete_at.is_some());
            return if complete { self.publish(&kept.value).await } else { Ok(()) };
        }
    }

    /// Labels every finding of a source by its profile and place of now; says how many changed.
    async fn label_all(&self, source: SourceId) -> Result<u64, DiscoverError> {
        let mut range = KeyRange::prefix(&source);
        let mut count = 0;
        loop {
            let Some(kept) = self.store.get::<Sources>(&source)? else { return Ok(count) };
            let profile = self.profile(kept.value.profile.as_deref())?;
            let (judged, place) = (Judged::default(), kept.value.place(&self.regions));
            let judge = Judge { profile: &profile, judged: &judged, place: &place };
            let mut found = self.store.scan::<Findings>(&range, LABELLED_AT_ONCE)?;
            let Some(last) = found.last() else { return Ok(count) };
            let next = range.clone().after(&last.key);
            found.retain(|record| {
                let mut after = record.value.clone();
                after.assess(&judge);
                after != record.value
            });
            let other = found.len() as u64;
            if other > 0 {
                let (batch, _) = self.changed(found, &|_: &mut Finding| Ok(()))?;
                match self.store.commit(batch).await {
                    Ok(_) => {}
                    // A scan wrote one of them: this page is read again.
                    Err(StoreError::VersionConflict { .. }) => continue,
                    Err(cause) => return Err(cause.into()),
                }
            }
            count += other;
            range = next;
        }
    }
}
