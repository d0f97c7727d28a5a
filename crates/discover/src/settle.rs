//! Writing down what a scan has seen: findings, states of objects, summary and scan in one commit.
//!
//! **Invariants:** every change of a running scan's record is compared and set, whoever makes it;
//! a page of a listing becomes durable together with the partitions it is divided into, and a
//! report together with the partition that it shortens, so that each object is settled once.

use crate::act::QUARANTINE;
use crate::discover::Inner;
use crate::error::DiscoverError;
use crate::finding::{Finding, Judge, Looked, shown_name};
use crate::judgement::Judged;
use crate::lease::{Claim, Runner};
use crate::partition::{Partition, PartitionObjects, Partitions};
use crate::pass::PAGE_OBJECTS;
use crate::profile::Profile;
use crate::records::{Findings, ObjectState, ObjectStates, Scans, Summaries, object_id};
use crate::scan::{Progress, Scan};
use crate::source::SourceRecord;
use crate::sources::{Listing, Object};
use extract::{Coverage, Inspection};
use inventory::Place;
use kernel::{Event, FindingId, Guard, ScanId, Timestamp};
use std::collections::HashSet;
use std::sync::Arc;
use store::{Batch, Expect, StoreError};

/// How often something is committed anew when somebody else changed one of its records meanwhile.
pub(crate) const COMMITS_MAX: u32 = 8;

/// Everything by which one scan judges what it sees: that of the moment at which it began or went
/// on.
pub(crate) struct Outlook {
    pub(crate) inner: Arc<Inner>,
    pub(crate) source: SourceRecord,
    pub(crate) profile: Profile,
    pub(crate) judged: Judged,
    pub(crate) lens: [u8; 16],
    pub(crate) place: Place,
}

/// An object with what a look into it brought; `None` when it had not changed.
pub(crate) struct Seen {
    pub(crate) object: Object,
    pub(crate) id: FindingId,
    pub(crate) inspection: Option<Inspection>,
}

/// A page of a listing: what did not change is settled with it, the rest is looked into.
pub(crate) struct Sorted {
    pub(crate) unchanged: Vec<Seen>,
    pub(crate) changed: Vec<Object>,
    pub(crate) unreadable: Vec<(String, String)>,
    pub(crate) next: Option<String>,
}

/// Who reports what of a partition.
pub(crate) struct Report<'a> {
    pub(crate) number: u64,
    pub(crate) claim: &'a Claim,
    /// Places in the partition with what was seen there.
    pub(crate) places: &'a [u16],
    pub(crate) seen: &'a [Seen],
}

/// A permit's event and guard, where somebody else than the server itself acts.
pub(crate) type Proof = (Event, Guard);

/// A change of a scan on its way into a commit.
pub(crate) struct Change {
    pub(crate) scan: Scan,
    pub(crate) now: Timestamp,
    batch: Batch,
}

impl Change {
    pub(crate) fn with(&mut self, add: impl FnOnce(Batch) -> Batch) {
        self.batch = add(std::mem::take(&mut self.batch));
    }
}

impl Outlook {
    /// Divides a page of a listing by what is known of its objects. What this pass has settled
    /// already is left out, so that a name told twice counts once.
    pub(crate) fn sorted(&self, pass: u32, listing: Listing) -> Result<Sorted, DiscoverError> {
        let quarantine = format!("{QUARANTINE}/");
        let Listing { mut objects, next, unreadable } = listing;
        let mut names = HashSet::new();
        objects.retain(|o| !o.name.starts_with(&quarantine) && names.insert(o.name.clone()));
        let ids: Vec<_> = objects.iter().map(|o| object_id(self.source.id, &o.name)).collect();
        let keys: Vec<_> = ids.iter().map(|id| (self.source.id, *id)).collect();
        let states = self.inner.store.get_many::<ObjectStates>(&keys)?;
        let (mut unchanged, mut changed) = (Vec::new(), Vec::new());
        for ((id, object), state) in ids.into_iter().zip(objects).zip(states) {
            let state = state.map(|record| record.value);
            if state.as_ref().is_some_and(|state| state.pass == pass) {
                continue;
            }
            match state.is_some_and(|state| self.is_unchanged(&object, &state)) {
                true => unchanged.push(Seen { object, id, inspection: None }),
                false => changed.push(object),
            }
        }
        Ok(Sorted { unchanged, changed, unreadable, next })
    }

    fn is_unchanged(&self, object: &Object, state: &ObjectState) -> bool {
        object.version.is_some() && object.version == state.version && state.lens == self.lens
    }

    /// Writes a page of a listing down. The server holds the partition of its own page at once.
    pub(crate) async fn listed(
        &self,
        scan: ScanId,
        lister: Option<&Claim>,
        sorted: &Sorted,
        proof: Option<Proof>,
    ) -> Result<Scan, DiscoverError> {
        self.commit(scan, |change| {
            if let Some(claim) = lister {
                let listing = &mut change.scan.work.listing;
                listing.renew(claim, true, change.now)?;
                listing.give_back(claim, change.now)?;
            }
            change.scan.cursor.clone_from(&sorted.next);
            change.scan.work.listed = sorted.next.is_none();
            self.fold(change, &sorted.unchanged)?;
            for batch in sorted.changed.chunks(PAGE_OBJECTS) {
                let key = (scan, change.scan.work.next);
                change.scan.work.next = change.scan.work.next.saturating_add(1);
                let count = u16::try_from(batch.len()).unwrap_or(u16::MAX);
                let mut fresh = Partition::new(self.source.id, self.source.domain, count);
                if lister.is_none() {
                    fresh.tenure.take(Runner::Server, change.now);
                }
                change.with(|all| {
                    all.put::<Partitions>(&key, &fresh, Expect::Absent).put::<PartitionObjects>(
                        &key,
                        &batch.to_vec(),
                        Expect::Absent,
                    )
                });
            }
            for (place, why) in &sorted.unreadable {
                change.scan.progress.unlisted += 1;
                change.scan.trouble(shown_name(place), None, &shown_name(why));
            }
            self.told(change, "data.page-listed", proof.as_ref());
            Ok(())
        })
        .await
    }

    /// Writes a report down and shortens its partition.
    pub(crate) async fn reported(
        &self,
        scan: ScanId,
        report: &Report<'_>,
        proof: Option<Proof>,
    ) -> Result<Scan, DiscoverError> {
        let key = (scan, report.number);
        self.commit(scan, |change| {
            let kept = self.inner.store.get::<Partitions>(&key)?;
            let kept = kept.ok_or(DiscoverError::LeaseLost)?;
            let (mut partition, version) = (kept.value, Expect::Version(kept.version));
            match partition.report(report.claim, report.places, change.now)? {
                true => {
                    change.scan.work.done = change.scan.work.done.saturating_add(1);
                    change.with(|all| {
                        all.delete::<Partitions>(&key, version)
                            .delete::<PartitionObjects>(&key, Expect::Any)
                    });
                }
                false => change.with(|all| all.put::<Partitions>(&key, &partition, version)),
            }
            self.fold(change, report.seen)?;
            self.told(change, "data.page-scanned", proof.as_ref());
            Ok(())
        })
        .await
    }

    /// Commits a change of the scan; anew when somebody else changed one of its records meanwhile.
    pub(crate) async fn commit(
        &self,
        scan: ScanId,
        write: impl Fn(&mut Change) -> Result<(), DiscoverError>,
    ) -> Result<Scan, DiscoverError> {
        let key = (self.source.id, scan);
        let mut tries = 1;
        loop {
            let kept = self.inner.store.get::<Scans>(&key)?.ok_or(DiscoverError::NoScan)?;
            if !kept.value.is_running() {
                return Err(DiscoverError::LeaseLost);
            }
            let now = self.inner.clock.wall();
            let mut change = Change { scan: kept.value, now, batch: Batch::new() };
            write(&mut change)?;
            let Change { scan, batch, .. } = change;
            let batch = batch.put::<Scans>(&key, &scan, Expect::Version(kept.version));
            match self.inner.store.commit(batch).await {
                Ok(_) => return Ok(scan),
                Err(StoreError::VersionConflict { .. } | StoreError::Exists { .. })
                    if tries < COMMITS_MAX =>
                {
                    tries += 1;
                }
                Err(cause) => return Err(cause.into()),
            }
        }
    }

    fn told(&self, change: &mut Change, action: &'static str, proof: Option<&Proof>) {
        let event = match proof {
            Some((event, _)) => counted(event.clone(), &change.scan),
            None => self.event(action, &change.scan),
        };
        change.with(|all| match proof {
            Some((_, guard)) => all.guard(*guard).event(event),
            None => all.event(event),
        });
    }

    /// Counts what was seen into the scan and the summary, and writes findings and states.
    fn fold(&self, change: &mut Change, seen: &[Seen]) -> Result<(), DiscoverError> {
        if seen.is_empty() {
            return Ok(());
        }
        let source = self.source.id;
        let keys: Vec<_> = seen.iter().map(|one| (source, one.id)).collect();
        let before = self.inner.store.get_many::<Findings>(&keys)?;
        let kept = self.inner.store.get::<Summaries>(&source)?;
        let expect = kept.as_ref().map_or(Expect::Absent, |kept| Expect::Version(kept.version));
        let mut summary = kept.map(|kept| kept.value).unwrap_or_default();
        for (one, before) in seen.iter().zip(before) {
            let (version, before) = match before {
                Some(record) => (Expect::Version(record.version), Some(record.value)),
                None => (Expect::Absent, None),
            };
            let after = self.after(change.scan.id, one, before.as_ref());
            note(&mut change.scan, one, after.as_ref());
            if let Some(after) = &after {
                if let Some(before) = &before {
                    summary.remove(before);
                }
                summary.add(after);
                change.with(|all| all.put::<Findings>(&(source, one.id), after, version));
            }
            let state = self.state(change.scan.pass, one, after.as_ref());
            change.with(|all| all.put::<ObjectStates>(&(source, one.id), &state, Expect::Any));
        }
        change.with(|all| all.put::<Summaries>(&source, &summary, expect));
        Ok(())
    }

    /// The finding after a look; `None` when there is none and was none.
    fn after(&self, scan: ScanId, seen: &Seen, before: Option<&Finding>) -> Option<Finding> {
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
            finding.scan = scan;
            finding.exposure = seen.object.exposure.clone();
            finding.expire(now);
            finding.assess(&judge);
            return Some(finding);
        }
        let looked = Looked {
            source: self.source.id,
            domain: self.source.domain,
            scan,
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

    fn state(&self, pass: u32, seen: &Seen, after: Option<&Finding>) -> ObjectState {
        let unread = seen.inspection.as_ref().is_some_and(|i| i.coverage == Coverage::None);
        ObjectState {
            // What could not be read is tried again.
            version: seen.object.version.clone().filter(|_| !unread),
            lens: self.lens,
            pass,
            finding: after.is_some_and(|finding| finding.gone.is_none()),
        }
    }

    /// The installation's own event about a scan.
    pub(crate) fn event(&self, action: &'static str, scan: &Scan) -> Event {
        let mut event = Event::system(action, self.inner.clock.wall());
        event.resource = format!("data:{}", self.source.id);
        event.domain = self.source.domain;
        counted(event, scan)
    }
}

fn counted(event: Event, scan: &Scan) -> Event {
    let Progress { objects, unchanged, bytes, findings, .. } = scan.progress;
    event
        .with("scan", scan.id.to_string())
        .with("objects", objects.to_string())
        .with("unchanged", unchanged.to_string())
        .with("bytes", bytes.to_string())
        .with("findings", findings.to_string())
        .with("troubles", scan.troubles_total.to_string())
}

/// Counts an object into the scan.
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
