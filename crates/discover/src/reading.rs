//! Reading: sources, scans and findings as a caller may see them.

use crate::discover::{Discover, Inner, SCANS_KEPT};
use crate::error::DiscoverError;
use crate::finding::{Finding, Standing};
use crate::records::{Findings, Scans, Sources, Summaries, finding_term, scan_term};
use crate::register::SOURCES_MAX;
use crate::scan::{Scan, ScanView};
use crate::source::SourceRecord;
use crate::summary::Summary;
use crate::{Class, Level};
use extract::KindName;
use kernel::actions::DataRead;
use kernel::{
    ActionType, DomainId, FindingId, Outcome, Permit, Recorder, Resource, ResourceKind, ScanId,
    Scope, SourceId,
};
use std::sync::Arc;
use store::{KeyRange, PageCursor, Record};

/// Which findings are wanted.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Of this source.
    pub source: Option<SourceId>,
    /// Of this class.
    pub class: Option<Class>,
    /// That hold this kind.
    pub kind: Option<KindName>,
    /// That stand so; everything but what is gone when not said.
    pub standing: Option<Standing>,
    /// Of this level of risk or above.
    pub level: Option<Level>,
    /// At most so many.
    pub limit: usize,
    /// After this place.
    pub after: Option<PageCursor>,
}

/// Findings, the highest risk first.
#[derive(Debug)]
pub struct FindingPage {
    /// The findings.
    pub items: Vec<Finding>,
    /// Where the next page begins.
    pub next: Option<PageCursor>,
}

/// A source with where it stands.
#[derive(Debug, Clone)]
pub struct SourceView {
    /// What is kept.
    pub source: SourceRecord,
    /// Where it stands.
    pub summary: Summary,
    /// Its newest scan.
    pub scan: Option<ScanView>,
    /// Where it lies.
    pub place: inventory::Place,
}

impl SourceView {
    /// Whether it holds sensitive data outside Hong Kong, or where nobody knows.
    #[must_use]
    pub fn leaves_hong_kong(&self) -> bool {
        !self.place.is_hong_kong() && self.summary.class().is_some_and(|c| c > Class::Internal)
    }
}

impl Discover {
    /// The thing that a permit is asked for: a source, by its key domain.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn source_resource(&self, id: SourceId, own: DomainId) -> Result<Resource, DiscoverError> {
        let found = self.inner.store.get::<Sources>(&id)?;
        let domain = found.map_or(own, |record| record.value.domain);
        Ok(Resource::new(ResourceKind::Data, id.to_string(), domain))
    }

    /// The thing that a permit is asked for: a finding, by its key domain.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn finding_resource(
        &self,
        id: FindingId,
        own: DomainId,
    ) -> Result<Resource, DiscoverError> {
        let found = self.inner.store.find_one::<Findings>(&finding_term(id))?;
        let domain = found.map_or(own, |record| record.value.domain);
        Ok(Resource::new(ResourceKind::Data, id.to_string(), domain))
    }

    /// Sources that the caller may see, by name, each with where it stands.
    ///
    /// # Errors
    /// When the permit has expired or the store cannot be read.
    pub fn sources(&self, permit: Permit<DataRead>) -> Result<Vec<SourceView>, DiscoverError> {
        self.live(&permit)?;
        let found = self.inner.sources_within(&permit.scope())?;
        let event = permit.into_event(Outcome::Done, &*self.inner.clock);
        self.inner.store.record(event.with("sources", found.len().to_string()));
        Ok(found)
    }

    /// The source of the permit.
    ///
    /// # Errors
    /// When there is none, the permit has expired or the store cannot be read.
    pub fn source(&self, permit: Permit<DataRead>) -> Result<SourceView, DiscoverError> {
        self.live(&permit)?;
        let record = self.inner.source_of(&permit)?;
        let view = self.inner.view(record.value)?;
        self.inner.store.record(permit.into_event(Outcome::Done, &*self.inner.clock));
        Ok(view)
    }

    /// Scans of the permit's source, newest first.
    ///
    /// # Errors
    /// When there is no such source, the permit has expired or the store cannot be read.
    pub fn scans(&self, permit: Permit<DataRead>) -> Result<Vec<ScanView>, DiscoverError> {
        self.live(&permit)?;
        let id = self.inner.source_of(&permit)?.key;
        let scans = self.inner.scans_of(id)?;
        self.inner.store.record(permit.into_event(Outcome::Done, &*self.inner.clock));
        Ok(scans.into_iter().map(|scan| self.inner.live_view(scan)).collect())
    }

    /// The source of a scan, for asking the gate about it.
    ///
    /// # Errors
    /// When there is no such scan or the store cannot be read.
    pub fn source_of_scan(&self, id: ScanId) -> Result<SourceId, DiscoverError> {
        let found = self.inner.store.find_one::<Scans>(&scan_term(id))?;
        found.map(|record| record.value.source).ok_or(DiscoverError::NoScan)
    }

    /// Findings that the caller may see, the highest risk first. At most 10,000 are looked at: a
    /// page may come back short, with a place to go on from.
    ///
    /// # Errors
    /// When the permit has expired or the store cannot be read.
    pub fn findings(
        &self,
        permit: Permit<DataRead>,
        wanted: &Wanted,
    ) -> Result<FindingPage, DiscoverError> {
        self.live(&permit)?;
        let scope = permit.scope();
        let now = self.inner.clock.wall();
        let page = self.inner.store.page::<Findings>(
            &scope,
            wanted.after.as_ref(),
            wanted.limit,
            |record| {
                let mut finding = record.value.clone();
                finding.expire(now);
                wanted.fits(&finding)
            },
        )?;
        let mut items: Vec<_> = page.items.into_iter().map(|record| record.value).collect();
        for finding in &mut items {
            finding.expire(now);
        }
        let event = permit.into_event(Outcome::Done, &*self.inner.clock);
        self.inner.store.record(event.with("findings", items.len().to_string()));
        Ok(FindingPage { items, next: page.next })
    }

    /// The finding of the permit.
    ///
    /// # Errors
    /// When there is none, the permit has expired or the store cannot be read.
    pub fn finding(&self, permit: Permit<DataRead>) -> Result<Finding, DiscoverError> {
        self.live(&permit)?;
        let mut finding = self.inner.finding_of(&permit)?.value;
        finding.expire(self.inner.clock.wall());
        self.inner.store.record(permit.into_event(Outcome::Done, &*self.inner.clock));
        Ok(finding)
    }

    /// The name of a source, for showing it beside a finding.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn source_name(&self, id: SourceId) -> Result<String, DiscoverError> {
        let found = self.inner.store.get::<Sources>(&id)?;
        Ok(found.map_or_else(|| id.to_string(), |record| record.value.name.as_str().to_owned()))
    }

    /// Sources whose scan is due by their schedule and not under way.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn due(&self) -> Result<Vec<SourceId>, DiscoverError> {
        let now = self.inner.clock.wall();
        let all = self.inner.store.scan::<Sources>(&KeyRange::all(), SOURCES_MAX)?;
        let running = self.inner.running();
        let due = all.into_iter().map(|record| record.value).filter(|source| {
            source.due_at().is_some_and(|at| at <= now) && !running.contains_key(&source.id)
        });
        Ok(due.map(|source| source.id).collect())
    }
}

impl Wanted {
    pub(crate) fn fits(&self, finding: &Finding) -> bool {
        let standing = finding.standing();
        self.source.is_none_or(|source| finding.source == source)
            && self.class.is_none_or(|class| finding.class == class)
            && self.kind.is_none_or(|kind| finding.kinds.iter().any(|k| k.kind == kind))
            && self.standing.map_or(standing != Standing::Gone, |wanted| standing == wanted)
            && self.level.is_none_or(|level| finding.risk.level() >= level)
    }
}

impl Inner {
    /// The source that a permit names, in the key domain for which it was given.
    pub(crate) fn source_of<A: ActionType>(
        &self,
        permit: &Permit<A>,
    ) -> Result<Record<Sources>, DiscoverError> {
        let id: SourceId = permit.resource_id().ok_or(DiscoverError::NoSource)?;
        let found = self.store.get::<Sources>(&id)?.ok_or(DiscoverError::NoSource)?;
        let own = found.value.domain == permit.resource().domain;
        if own { Ok(found) } else { Err(DiscoverError::NoSource) }
    }

    /// The finding that a permit names, in the key domain for which it was given.
    pub(crate) fn finding_of<A: ActionType>(
        &self,
        permit: &Permit<A>,
    ) -> Result<Record<Findings>, DiscoverError> {
        let id: FindingId = permit.resource_id().ok_or(DiscoverError::NoFinding)?;
        let found = self.store.find_one::<Findings>(&finding_term(id))?;
        let found = found.ok_or(DiscoverError::NoFinding)?;
        let own = found.value.domain == permit.resource().domain;
        if own { Ok(found) } else { Err(DiscoverError::NoFinding) }
    }

    /// Scans of a source, newest first.
    pub(crate) fn scans_of(&self, id: SourceId) -> Result<Vec<Scan>, DiscoverError> {
        let found = self.store.scan::<Scans>(&KeyRange::prefix(&id), SCANS_KEPT * 2)?;
        let mut scans: Vec<_> = found.into_iter().map(|record| record.value).collect();
        scans.sort_by_key(|scan| std::cmp::Reverse(scan.pass));
        Ok(scans)
    }

    pub(crate) fn live_view(&self, scan: Scan) -> ScanView {
        let running = self.running().get(&scan.source).map(Arc::clone);
        let live = running.filter(|_| scan.is_running()).map(|one| one.live(&*self.clock));
        ScanView { scan, live }
    }

    pub(crate) fn sources_within(&self, scope: &Scope) -> Result<Vec<SourceView>, DiscoverError> {
        let page = self.store.page::<Sources>(scope, None, SOURCES_MAX, |_| true)?;
        page.items.into_iter().map(|record| self.view(record.value)).collect()
    }

    pub(crate) fn view(&self, source: SourceRecord) -> Result<SourceView, DiscoverError> {
        let summary = self.store.get::<Summaries>(&source.id)?;
        let scan = self.scans_of(source.id)?.into_iter().next();
        let place = source.place(&self.regions);
        Ok(SourceView {
            summary: summary.map(|record| record.value).unwrap_or_default(),
            scan: scan.map(|scan| self.live_view(scan)),
            place,
            source,
        })
    }

    /// Every finding of a source, page by page.
    pub(crate) fn each_finding(
        &self,
        source: SourceId,
        mut tell: impl FnMut(Finding),
    ) -> Result<(), DiscoverError> {
        let mut range = KeyRange::prefix(&source);
        loop {
            let found = self.store.scan::<Findings>(&range, 500)?;
            let Some(last) = found.last() else { return Ok(()) };
            range = range.after(&last.key);
            found.into_iter().for_each(|record| tell(record.value));
        }
    }

    /// The highest score among the open findings of a source.
    pub(crate) fn highest(&self, source: SourceId) -> Result<u8, DiscoverError> {
        let mut highest = 0;
        self.each_finding(source, |finding| {
            if finding.standing() == Standing::Open {
                highest = highest.max(finding.risk.score);
            }
        })?;
        Ok(highest)
    }
}
