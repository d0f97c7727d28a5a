//! One pass over a source: pages of objects, looks at what changed, commits with the cursor.
//!
//! **Invariants:** findings, states of objects, summary and cursor of a page are one commit, so a
//! crash costs at most one page of work; one event tells of a page, never one of an object; nothing
//! that an object or a place does ends the pass.

use crate::act::QUARANTINE;
use crate::discover::Inner;
use crate::error::DiscoverError;
use crate::finding::{Finding, Handled, Judge, Looked, shown_name};
use crate::judgement::Judged;
use crate::profile::Profile;
use crate::records::{Findings, ObjectState, ObjectStates, Scans, Sources, Summaries, object_id};
use crate::running::{Running, Stop};
use crate::scan::{Expected, Progress, Scan, ScanState};
use crate::seams::Looking;
use crate::source::SourceRecord;
use crate::sources::{Listing, Object, Source, SourceError};
use extract::{Coverage, Inspection, TroubleKind};
use inventory::Place;
use kernel::{Event, FindingId, SourceId};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use store::{Batch, Expect, KeyRange, StoreError};
use tokio::task::JoinSet;

/// Objects of one page: at ten a second its work is lost in ten seconds, and its commit is small.
pub const PAGE_OBJECTS: usize = 128;
/// Objects that are counted ahead for the time left; beyond it no time is told.
const COUNTED_OBJECTS_MAX: u64 = 5_000_000;
/// Objects of one page of the count.
const COUNTED_AT_ONCE: usize = 1_000;
/// States of objects that the sweep for what is gone reads at once.
const SWEPT_AT_ONCE: usize = 500;
/// How often a page is committed anew when somebody decided on one of its findings meanwhile.
const COMMITS_MAX: u32 = 5;

/// How a pass ended.
enum End {
    Complete,
    Stopped(Stop),
}

/// A pass on its way.
pub(crate) struct Pass {
    pub(crate) inner: Arc<Inner>,
    pub(crate) source: SourceRecord,
    pub(crate) scan: Scan,
    pub(crate) running: Arc<Running>,
    pub(crate) profile: Profile,
    pub(crate) judged: Judged,
    pub(crate) lens: [u8; 16],
    pub(crate) looking: Arc<dyn Looking>,
    pub(crate) place: Place,
}

/// An object with what a look into it brought; `None` when it had not changed.
struct Seen {
    object: Object,
    id: FindingId,
    inspection: Option<Inspection>,
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

    async fn go(&mut self) -> Result<End, DiscoverError> {
        let (opener, setting) = (&self.inner.opener, &self.source.setting);
        let secret = || self.inner.secret(self.source.id);
        let opened = opener.open(setting, secret()?).await?;
        // Counting has the source opened for itself: a listing may remember where it was.
        let counted = opener.open(setting, secret()?).await?;
        let mut counting = JoinSet::new();
        counting.spawn(count_ahead(counted, Arc::clone(&self.running)));
        loop {
            if let Some(stop) = self.running.stop() {
                return Ok(End::Stopped(stop));
            }
            let listing = opened.list(self.scan.cursor.as_deref(), PAGE_OBJECTS).await?;
            let next = listing.next.clone();
            let Some(seen) = self.look_at(&opened, &listing).await? else {
                let stop = self.running.stop().unwrap_or(Stop::Closing);
                return Ok(End::Stopped(stop));
            };
            self.commit(&listing, &seen, next.clone()).await?;
            if next.is_none() {
                self.sweep().await?;
                return Ok(End::Complete);
            }
        }
    }

    /// Looks at each object of a page that changed; `None` when it was told to stop.
    async fn look_at(
        &self,
        opened: &Arc<dyn Source>,
        listing: &Listing,
    ) -> Result<Option<Vec<Seen>>, DiscoverError> {
        let quarantine = format!("{QUARANTINE}/");
        let objects = listing.objects.iter().filter(|o| !o.name.starts_with(&quarantine));
        let named: Vec<(FindingId, Object)> =
            objects.map(|o| (object_id(self.source.id, &o.name), o.clone())).collect();
        let keys: Vec<_> = named.iter().map(|(id, _)| (self.source.id, *id)).collect();
        let states = self.inner.store.get_many::<ObjectStates>(&keys)?;
        let mut seen = Vec::with_capacity(named.len());
        let mut looks: JoinSet<Seen> = JoinSet::new();
        let at_once = self.inner.inspector.at_once().max(1);
        for ((id, object), state) in named.into_iter().zip(states) {
            let state = state.map(|record| record.value);
            if state.as_ref().is_some_and(|state| self.is_unchanged(&object, state)) {
                self.running.object_done();
                seen.push(Seen { object, id, inspection: None });
                continue;
            }
            while looks.len() >= at_once {
                if !self.gather(&mut looks, &mut seen).await {
                    return Ok(None);
                }
            }
            let (opened, looking) = (Arc::clone(opened), Arc::clone(&self.looking));
            let running = Arc::clone(&self.running);
            looks.spawn(async move {
                let inspection = look(&*opened, &*looking, &running, &object).await;
                running.object_done();
                Seen { object, id, inspection: Some(inspection) }
            });
        }
        while !looks.is_empty() {
            if !self.gather(&mut looks, &mut seen).await {
                return Ok(None);
            }
        }
        Ok(Some(seen))
    }

    /// Takes one look that is done; false when it was told to stop.
    async fn gather(&self, looks: &mut JoinSet<Seen>, seen: &mut Vec<Seen>) -> bool {
        tokio::select! {
            () = self.running.stopped() => return false,
            done = looks.join_next() => {
                if let Some(Ok(one)) = done {
                    seen.push(one);
                }
            }
        }
        let Some(limit) = self.source.bytes_per_second.filter(|limit| *limit > 0) else {
            return true;
        };
        // The time that so many bytes may take, less what they took.
        let due = u128::from(self.running.bytes()) * 1_000_000 / u128::from(limit);
        let spent = u128::from(self.running.elapsed_micros(&*self.inner.clock));
        let ahead = u64::try_from(due.saturating_sub(spent)).unwrap_or(u64::MAX);
        if ahead == 0 {
            return true;
        }
        tokio::select! {
            () = self.running.stopped() => false,
            () = tokio::time::sleep(Duration::from_micros(ahead)) => true,
        }
    }

    fn is_unchanged(&self, object: &Object, state: &ObjectState) -> bool {
        object.version.is_some() && object.version == state.version && state.lens == self.lens
    }

    /// Writes a page down; anew when somebody decided on one of its findings meanwhile.
    async fn commit(
        &mut self,
        listing: &Listing,
        seen: &[Seen],
        next: Option<String>,
    ) -> Result<(), DiscoverError> {
        let mut tries = 1;
        loop {
            let (batch, scan) = self.page(listing, seen, next.clone())?;
            match self.inner.store.commit(batch).await {
                Ok(_) => {
                    self.scan = scan;
                    return Ok(());
                }
                Err(StoreError::VersionConflict { .. } | StoreError::Exists { .. })
                    if tries < COMMITS_MAX =>
                {
                    tries += 1
                }
                Err(cause) => return Err(cause.into()),
            }
        }
    }

    fn page(
        &self,
        listing: &Listing,
        seen: &[Seen],
        next: Option<String>,
    ) -> Result<(Batch, Scan), DiscoverError> {
        let source = self.source.id;
        let keys: Vec<_> = seen.iter().map(|one| (source, one.id)).collect();
        let before = self.inner.store.get_many::<Findings>(&keys)?;
        let kept = self.inner.store.get::<Summaries>(&source)?;
        let expect = kept.as_ref().map_or(Expect::Absent, |kept| Expect::Version(kept.version));
        let mut summary = kept.map(|kept| kept.value).unwrap_or_default();
        let mut scan = self.scan.clone();
        scan.cursor = next;
        let mut batch = Batch::new();
        for (one, before) in seen.iter().zip(before) {
            let (version, before) = match before {
                Some(record) => (Expect::Version(record.version), Some(record.value)),
                None => (Expect::Absent, None),
            };
            let after = self.after(one, before.as_ref());
            note(&mut scan, one, after.as_ref());
            if let Some(after) = &after {
                if let Some(before) = &before {
                    summary.remove(before);
                }
                summary.add(after);
                batch = batch.put::<Findings>(&(source, one.id), after, version);
            }
            let state = self.state(one, after.as_ref());
            batch = batch.put::<ObjectStates>(&(source, one.id), &state, Expect::Any);
        }
        for (place, why) in &listing.unreadable {
            scan.progress.unlisted += 1;
            scan.trouble(shown_name(place), None, why);
        }
        let told = self.event("data.page-scanned", &scan);
        batch = batch
            .put::<Summaries>(&source, &summary, expect)
            .put::<Scans>(&(source, scan.id), &scan, Expect::Any)
            .event(told);
        Ok((batch, scan))
    }

    /// The finding after a look; `None` when there is none and was none.
    fn after(&self, seen: &Seen, before: Option<&Finding>) -> Option<Finding> {
        let judge = Judge { profile: &self.profile, judged: &self.judged, place: &self.place };
        let now = self.inner.clock.wall();
        let unread = seen.inspection.as_ref().is_none_or(|i| i.coverage == Coverage::None);
        if unread {
            // Nothing new is known but who can reach it, and that it is there.
            let mut finding = before?.clone();
            if finding.gone.is_some() && seen.inspection.is_none() {
                return Some(finding);
            }
            finding.last_seen = now;
            finding.scan = self.scan.id;
            finding.exposure = seen.object.exposure.clone();
            finding.expire(now);
            finding.assess(&judge);
            return Some(finding);
        }
        let looked = Looked {
            source: self.source.id,
            domain: self.source.domain,
            scan: self.scan.id,
            object: &seen.object,
            inspection: seen.inspection.as_ref()?,
            now,
        };
        looked.finding(before, &judge).or_else(|| {
            let mut finding = before?.clone();
            finding.gone.get_or_insert(now);
            Some(finding)
        })
    }

    fn state(&self, seen: &Seen, after: Option<&Finding>) -> ObjectState {
        let unread = seen.inspection.as_ref().is_some_and(|i| i.coverage == Coverage::None);
        ObjectState {
            // What could not be read is tried again.
            version: seen.object.version.clone().filter(|_| !unread),
            lens: self.lens,
            pass: self.scan.pass,
            finding: after.is_some_and(|finding| finding.gone.is_none()),
        }
    }

    fn event(&self, action: &'static str, scan: &Scan) -> Event {
        let mut event = Event::system(action, self.inner.clock.wall());
        event.resource = format!("data:{}", self.source.id);
        event.domain = self.source.domain;
        let Progress { objects, unchanged, bytes, findings, .. } = scan.progress;
        event
            .with("scan", scan.id.to_string())
            .with("objects", objects.to_string())
            .with("unchanged", unchanged.to_string())
            .with("bytes", bytes.to_string())
            .with("findings", findings.to_string())
            .with("troubles", scan.troubles_total.to_string())
    }

    /// Marks what this pass did not see as gone. Where a place could not be listed, nothing is:
    /// what lies there may still be there.
    async fn sweep(&mut self) -> Result<(), DiscoverError> {
        if self.scan.progress.unlisted > 0 {
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
                .filter(|state| state.value.pass != self.scan.pass)
                .map(|state| state.key)
                .collect();
            if unseen.is_empty() {
                continue;
            }
            let mut tries = 1;
            loop {
                let (batch, gone) = self.gone(&unseen)?;
                match self.inner.store.commit(batch).await {
                    Ok(_) => {
                        self.scan.progress.gone += gone;
                        break;
                    }
                    Err(StoreError::VersionConflict { .. } | StoreError::Exists { .. })
                        if tries < COMMITS_MAX =>
                    {
                        tries += 1
                    }
                    Err(cause) => return Err(cause.into()),
                }
            }
        }
    }

    fn gone(&self, unseen: &[(SourceId, FindingId)]) -> Result<(Batch, u64), DiscoverError> {
        let source = self.source.id;
        let kept = self.inner.store.get::<Summaries>(&source)?;
        let expect = kept.as_ref().map_or(Expect::Absent, |kept| Expect::Version(kept.version));
        let mut summary = kept.map(|kept| kept.value).unwrap_or_default();
        let now = self.inner.clock.wall();
        let (mut batch, mut gone) = (Batch::new(), 0);
        for (key, found) in unseen.iter().zip(self.inner.store.get_many::<Findings>(unseen)?) {
            gone += 1;
            batch = batch.delete::<ObjectStates>(key, Expect::Any);
            let Some(record) = found else { continue };
            let mut finding = record.value;
            // What we put away ourselves is not gone.
            let ours = matches!(
                finding.handled,
                Some(
                    Handled::Quarantined { .. } | Handled::Encrypted { .. } | Handled::Begun { .. }
                )
            );
            if ours || finding.gone.is_some() {
                continue;
            }
            summary.remove(&finding);
            finding.gone = Some(now);
            summary.add(&finding);
            batch = batch.put::<Findings>(key, &finding, Expect::Version(record.version));
        }
        Ok((batch.put::<Summaries>(&source, &summary, expect), gone))
    }

    /// Writes the end down and tells the inventory.
    async fn end(
        &mut self,
        state: ScanState,
        failure: Option<String>,
    ) -> Result<(), DiscoverError> {
        let source = self.source.id;
        let now = self.inner.clock.wall();
        let mut tries = 1;
        loop {
            let kept = self.inner.store.get::<Summaries>(&source)?;
            let expect = kept.as_ref().map_or(Expect::Absent, |k| Expect::Version(k.version));
            let mut summary = kept.map(|kept| kept.value).unwrap_or_default();
            if state == ScanState::Done {
                summary.objects = self.scan.progress.objects;
                summary.bytes = self.inner.expected_bytes(&self.running, &self.scan);
                summary.complete_at = Some(now);
                summary.score = self.inner.highest(source)?;
            }
            self.scan.state = state;
            self.scan.failure.clone_from(&failure);
            self.scan.ended_at = Some(now);
            self.scan.classes = crate::Class::ALL
                .iter()
                .map(|class| (*class, summary.of_class(*class)))
                .filter(|(_, count)| *count > 0)
                .collect();
            let told = self.event("data.scan-ended", &self.scan).with("state", state.word());
            let batch = Batch::new()
                .put::<Summaries>(&source, &summary, expect)
                .put::<Scans>(&(source, self.scan.id), &self.scan, Expect::Any)
                .event(told);
            match self.inner.store.commit(batch).await {
                Ok(_) => break,
                Err(StoreError::VersionConflict { .. } | StoreError::Exists { .. })
                    if tries < COMMITS_MAX =>
                {
                    tries += 1
                }
                Err(cause) => return Err(cause.into()),
            }
        }
        // The source may have been changed or removed meanwhile: its newest record is told.
        match self.inner.store.get::<Sources>(&source)? {
            Some(record) if state == ScanState::Done => self.inner.publish(&record.value).await,
            _ => Ok(()),
        }
    }
}

/// Looks into one object; what the source cannot open comes back as a trouble.
async fn look(
    source: &dyn Source,
    looking: &dyn Looking,
    running: &Running,
    object: &Object,
) -> Inspection {
    let opened = match source.open(object).await {
        Ok(opened) => opened,
        Err(cause) => return unopened(&cause),
    };
    let told = AtomicU64::new(0);
    let progress = |done: u64| {
        let before = told.fetch_max(done, Ordering::Relaxed);
        running.bytes_done(done.saturating_sub(before));
    };
    let inspection = looking.look(opened, &progress).await;
    progress(inspection.bytes);
    inspection
}

fn unopened(cause: &SourceError) -> Inspection {
    let detail = match cause {
        // The name of the object is shown beside it, masked; the cause would repeat it.
        SourceError::Unreachable(_) => "its store cannot be reached",
        SourceError::Refused(_) => "its store refuses access",
        SourceError::Gone(_) => "it went while it was scanned",
        _ => "it cannot be read",
    };
    Inspection {
        format: extract::Format::Binary,
        bytes: 0,
        text_bytes: 0,
        coverage: Coverage::None,
        parts: Vec::new(),
        troubles: vec![extract::Trouble {
            path: Vec::new(),
            kind: TroubleKind::Unreadable,
            detail: detail.to_owned(),
        }],
    }
}

/// Counts an object of a page into the scan.
fn note(scan: &mut Scan, seen: &Seen, after: Option<&Finding>) {
    let progress = &mut scan.progress;
    progress.objects += 1;
    progress.findings += u64::from(after.is_some_and(|finding| finding.gone.is_none()));
    let Some(inspection) = &seen.inspection else {
        progress.unchanged += 1;
        return;
    };
    progress.bytes = progress.bytes.saturating_add(inspection.bytes);
    progress.text_bytes = progress.text_bytes.saturating_add(inspection.text_bytes);
    match inspection.coverage {
        Coverage::Whole => {}
        Coverage::Part => progress.partial += 1,
        Coverage::None => progress.unreadable += 1,
    }
    for trouble in &inspection.troubles {
        let way = std::iter::once(seen.object.name.as_str());
        let way: Vec<_> = way.chain(trouble.path.iter().map(String::as_str)).collect();
        scan.trouble(shown_name(&way.join(" › ")), Some(trouble.kind), &trouble.detail);
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
