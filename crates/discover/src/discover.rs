//! The public handle: sources, scans, findings as a caller may see them.

use crate::error::DiscoverError;
use crate::finding::{Finding, Standing};
use crate::pass::Pass;
use crate::profile::Profile;
use crate::records::{
    Findings, FingerprintKeys, ObjectStates, Scans, SourceSecrets, Sources, Summaries, TakenBack,
    finding_term, running_term, scan_term,
};
use crate::running::Running;
use crate::scan::{Progress, Scan, ScanState, ScanView};
use crate::seams::{Inspector, LookFor, Opener};
use crate::source::{
    EVERY_MINUTES_MAX, EVERY_MINUTES_MIN, NewSource, SourceRecord, THROTTLE_BYTES_MIN,
};
use crate::summary::Summary;
use crate::{Class, Level};
use access::Access;
use extract::KindName;
use inventory::{AssetKind, AssetRef, Inventory, Regions};
use kernel::actions::{DataRead, DataScan, DataSource};
use kernel::{
    ActionType, Clock, DomainId, FindingId, Outcome, Permit, Recorder, Resource, ResourceKind, Rng,
    ScanId, Scope, Secret, SourceId,
};
use keys::Keys;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use store::{Batch, Expect, KeyRange, PageCursor, Record, Store, StoreError};
use tokio::task::JoinSet;

/// Most sources of one installation.
pub const SOURCES_MAX: usize = 2_000;
/// Scans of one source that are kept for trends; older ones go when a new one begins.
pub const SCANS_KEPT: usize = 400;
/// Longest secret of a source, in bytes: a private key in PEM fits.
pub const SECRET_BYTES_MAX: usize = 16 * 1024;

/// What discovery stands on.
pub struct Ground {
    /// Records and events.
    pub store: Store,
    /// Approvals.
    pub access: Access,
    /// Data keys for what is encrypted in place.
    pub keys: Keys,
    /// Where sources are told.
    pub inventory: Inventory,
    /// Opens sources.
    pub opener: Arc<dyn Opener>,
    /// Looks into objects.
    pub inspector: Arc<dyn Inspector>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub rng: Arc<dyn Rng>,
}

impl fmt::Debug for Ground {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ground")
    }
}

/// Discovery: cheap to clone, shared by all.
#[derive(Clone)]
pub struct Discover {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) store: Store,
    pub(crate) access: Access,
    pub(crate) keys: Keys,
    pub(crate) inventory: Inventory,
    pub(crate) opener: Arc<dyn Opener>,
    pub(crate) inspector: Arc<dyn Inspector>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) rng: Arc<dyn Rng>,
    pub(crate) regions: Regions,
    pub(crate) builtin: Profile,
    fingerprint_key: [u8; 32],
    running: Mutex<HashMap<SourceId, Arc<Running>>>,
    passes: Mutex<JoinSet<()>>,
    closing: AtomicBool,
}

impl fmt::Debug for Discover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Discover")
    }
}

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
    /// Discovery over this ground. Scans that were under way wait for [`Discover::resume`].
    ///
    /// # Errors
    /// When the store cannot be read or written, or there is no randomness.
    pub async fn open(ground: Ground) -> Result<Self, DiscoverError> {
        let Ground { store, access, keys, inventory, opener, inspector, clock, rng } = ground;
        let fingerprint_key = match store.get::<FingerprintKeys>(&())? {
            Some(found) => found.value,
            None => {
                let mut key = [0; 32];
                rng.fill(&mut key)?;
                let batch = Batch::new().put::<FingerprintKeys>(&(), &key, Expect::Absent);
                store.commit(batch).await?;
                key
            }
        };
        let (regions, builtin) = (Regions::builtin()?, Profile::builtin()?);
        let inner = Inner {
            store,
            access,
            keys,
            inventory,
            opener,
            inspector,
            clock,
            rng,
            regions,
            builtin,
            fingerprint_key,
            running: Mutex::new(HashMap::new()),
            passes: Mutex::new(JoinSet::new()),
            closing: AtomicBool::new(false),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Goes on with every scan that was under way when the server stopped, each from its last
    /// committed page, and settles acts that were cut short. Says how many scans go on.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn resume(&self) -> Result<usize, DiscoverError> {
        self.settle().await?;
        let cut = self.inner.store.find::<Scans>(&running_term(), SOURCES_MAX)?;
        let mut resumed = 0;
        for record in cut {
            let mut scan = record.value;
            let source = self.inner.store.get::<Sources>(&scan.source)?;
            scan.resumed = scan.resumed.saturating_add(1);
            let went_on = source.is_some_and(|one| self.go_on(one.value, scan.clone()).is_ok());
            match went_on {
                true => resumed += 1,
                false => {
                    scan.state = ScanState::Failed;
                    scan.failure = Some("the source was removed while it was scanned".to_owned());
                    scan.ended_at = Some(self.inner.clock.wall());
                    let batch = Batch::new().put::<Scans>(&record.key, &scan, Expect::Any);
                    self.inner.store.commit(batch).await?;
                }
            }
        }
        Ok(resumed)
    }

    /// Stops every scan at its last committed page and waits until they have; they go on at the
    /// next start.
    pub async fn close(&self) {
        self.inner.closing.store(true, Ordering::SeqCst);
        for running in self.inner.running().values() {
            running.close();
        }
        let mut passes = std::mem::take(&mut *self.inner.passes());
        while passes.join_next().await.is_some() {}
    }

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

    /// Adds a source in the permit's key domain. Nothing is asked of it before its first scan.
    ///
    /// # Errors
    /// When a value breaks a rule, the name is taken, or the store fails.
    pub async fn add_source(
        &self,
        permit: Permit<DataSource>,
        new: NewSource,
        secret: Option<Secret<String>>,
    ) -> Result<SourceRecord, DiscoverError> {
        self.live(&permit)?;
        let inner = &self.inner;
        check(&new, secret.as_ref())?;
        inner.profile(new.profile.as_deref())?;
        if inner.store.count::<Sources>() >= SOURCES_MAX as u64 {
            return Err(DiscoverError::TooMany("sources"));
        }
        let copy = secret.as_ref().map(|secret| Secret::new(secret.expose().clone()));
        drop(inner.opener.open(&new.setting, copy).await?);
        let id = SourceId::generate(&*inner.clock, &*inner.rng)?;
        let own = || id.to_string().parse().map(|name| AssetRef::new(AssetKind::DataStore, name));
        let asset = match new.asset {
            Some(asset) => asset,
            None => own().map_err(|_| DiscoverError::NoSource)?,
        };
        let source = SourceRecord {
            id,
            domain: permit.resource().domain,
            name: new.name,
            setting: new.setting,
            profile: new.profile,
            every_minutes: new.every_minutes,
            bytes_per_second: new.bytes_per_second,
            owner: new.owner,
            asset,
            provider: new.provider,
            region: new.region,
            added_at: inner.clock.wall(),
            added_by: permit.caller().principal,
            passes: 0,
            scanned_at: None,
        };
        let guard = permit.guard();
        let event = permit
            .into_event(Outcome::Done, &*inner.clock)
            .with("source", id.to_string())
            .with("name", source.name.as_str())
            .with("asset", source.asset.to_string());
        let mut batch = Batch::new()
            .put::<Sources>(&id, &source, Expect::Absent)
            .put::<Summaries>(&id, &Summary::default(), Expect::Absent)
            .guard(guard)
            .event(event);
        if let Some(secret) = secret {
            batch = batch.put::<SourceSecrets>(&id, secret.expose(), Expect::Absent);
        }
        match inner.store.commit(batch).await {
            Ok(_) => Ok(source),
            Err(StoreError::NotUnique { .. }) => Err(DiscoverError::NameTaken),
            Err(cause) => Err(cause.into()),
        }
    }

    /// Removes a source with its findings and scans. What it told the inventory stays as history.
    ///
    /// # Errors
    /// When it is being scanned, there is none, or the store fails.
    pub async fn remove_source(&self, permit: Permit<DataSource>) -> Result<(), DiscoverError> {
        self.live(&permit)?;
        let inner = &self.inner;
        let record = inner.source_of(&permit)?;
        let id = record.key;
        if inner.running().contains_key(&id) {
            return Err(DiscoverError::Scanning);
        }
        let guard = permit.guard();
        let event = permit
            .into_event(Outcome::Done, &*inner.clock)
            .with("name", record.value.name.as_str())
            .with("removed", "true");
        let batch = Batch::new()
            .delete::<Sources>(&id, Expect::Version(record.version))
            .delete::<SourceSecrets>(&id, Expect::Any)
            .delete::<Summaries>(&id, Expect::Any)
            .guard(guard)
            .event(event);
        inner.store.commit(batch).await?;
        // What belongs to it follows page by page; whatever is left of a crash harms nobody.
        inner.drop_all::<Findings>(id).await?;
        inner.drop_all::<ObjectStates>(id).await?;
        inner.drop_all::<Scans>(id).await
    }

    /// Begins a scan of the permit's source.
    ///
    /// # Errors
    /// When one is under way, there is no such source, or the store fails.
    pub async fn start_scan(&self, permit: Permit<DataScan>) -> Result<Scan, DiscoverError> {
        self.live(&permit)?;
        let inner = &self.inner;
        let record = inner.source_of(&permit)?;
        if inner.running().contains_key(&record.key) {
            return Err(DiscoverError::Scanning);
        }
        let now = inner.clock.wall();
        let mut source = record.value;
        source.passes = source.passes.saturating_add(1);
        source.scanned_at = Some(now);
        let scan = Scan {
            id: ScanId::generate(&*inner.clock, &*inner.rng)?,
            source: source.id,
            domain: source.domain,
            pass: source.passes,
            started_at: now,
            started_by: permit.caller().principal,
            ended_at: None,
            state: ScanState::Running,
            failure: None,
            cursor: None,
            progress: Progress::default(),
            troubles: Vec::new(),
            troubles_total: 0,
            classes: BTreeMap::new(),
            resumed: 0,
        };
        let guard = permit.guard();
        let event = permit
            .into_event(Outcome::Done, &*inner.clock)
            .with("scan", scan.id.to_string())
            .with("source", source.name.as_str());
        // The version of the source stands for "nobody else began one".
        let mut batch = Batch::new()
            .put::<Sources>(&source.id, &source, Expect::Version(record.version))
            .put::<Scans>(&(source.id, scan.id), &scan, Expect::Absent)
            .guard(guard)
            .event(event);
        for old in inner.scans_of(source.id)?.into_iter().skip(SCANS_KEPT) {
            batch = batch.delete::<Scans>(&(source.id, old.id), Expect::Any);
        }
        inner.store.commit(batch).await?;
        self.go_on(source, scan.clone())?;
        Ok(scan)
    }

    /// Lets a scan run, as a task of its own that [`Discover::close`] waits for.
    fn go_on(&self, source: SourceRecord, scan: Scan) -> Result<(), DiscoverError> {
        let inner = &self.inner;
        if inner.closing.load(Ordering::SeqCst) {
            return Err(DiscoverError::Closing);
        }
        let running = Arc::new(Running::new(&*inner.clock, scan.progress));
        match inner.running().entry(source.id) {
            std::collections::hash_map::Entry::Occupied(_) => return Err(DiscoverError::Scanning),
            std::collections::hash_map::Entry::Vacant(free) => free.insert(Arc::clone(&running)),
        };
        let ours = Arc::clone(inner);
        inner.passes().spawn(async move {
            let id = source.id;
            match ours.pass(source, scan.clone(), running).await {
                Ok(pass) => pass.run().await,
                Err(cause) => ours.not_begun(scan, &cause).await,
            }
            ours.running().remove(&id);
        });
        Ok(())
    }

    /// Asks the scan of the permit's source to stop; what it has found stays.
    ///
    /// # Errors
    /// When none is under way, there is no such source, or the store fails.
    pub async fn cancel_scan(&self, permit: Permit<DataScan>) -> Result<(), DiscoverError> {
        self.live(&permit)?;
        let inner = &self.inner;
        let id = inner.source_of(&permit)?.key;
        let running = inner.running().get(&id).map(Arc::clone).ok_or(DiscoverError::NotScanning)?;
        let guard = permit.guard();
        let event = permit.into_event(Outcome::Done, &*inner.clock).with("cancel", "true");
        inner.store.commit(Batch::new().guard(guard).event(event)).await?;
        running.cancel();
        Ok(())
    }

    /// Waits until no scan of the source is under way.
    pub async fn settled(&self, id: SourceId) {
        let mut tick = tokio::time::interval(std::time::Duration::from_millis(20));
        while self.inner.running().contains_key(&id) {
            tick.tick().await;
        }
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

    pub(crate) fn live<A: ActionType>(&self, permit: &Permit<A>) -> Result<(), DiscoverError> {
        let live = permit.is_live(&*self.inner.clock);
        if live { Ok(()) } else { Err(DiscoverError::PermitExpired) }
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

fn check(new: &NewSource, secret: Option<&Secret<String>>) -> Result<(), DiscoverError> {
    let every = new.every_minutes;
    if every.is_some_and(|every| !(EVERY_MINUTES_MIN..=EVERY_MINUTES_MAX).contains(&every)) {
        let rule = "is 15 minutes to a year";
        return Err(DiscoverError::Value { field: "/every_minutes", rule });
    }
    if new.bytes_per_second.is_some_and(|rate| rate < THROTTLE_BYTES_MIN) {
        let rule = "is at least 16,384";
        return Err(DiscoverError::Value { field: "/bytes_per_second", rule });
    }
    if secret.is_some_and(|secret| secret.expose().len() > SECRET_BYTES_MAX) {
        let rule = "has at most 16 KiB";
        return Err(DiscoverError::Value { field: "/secret", rule });
    }
    if let Some(asset) = &new.asset
        && !matches!(
            asset.kind,
            AssetKind::DataStore | AssetKind::FileSet | AssetKind::ColumnSet | AssetKind::Backup
        )
    {
        let rule = "is a data-store, file-set, column-set or backup";
        return Err(DiscoverError::Value { field: "/asset", rule });
    }
    Ok(())
}

impl Inner {
    pub(crate) fn running(&self) -> MutexGuard<'_, HashMap<SourceId, Arc<Running>>> {
        // A map of running scans is whole at every moment, whoever panicked while holding it.
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn passes(&self) -> MutexGuard<'_, JoinSet<()>> {
        let mut passes = self.passes.lock().unwrap_or_else(PoisonError::into_inner);
        // What has ended is let go, so that the set does not grow with every scan.
        while passes.try_join_next().is_some() {}
        passes
    }

    pub(crate) const fn fingerprint_key(&self) -> [u8; 32] {
        self.fingerprint_key
    }

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
    fn scans_of(&self, id: SourceId) -> Result<Vec<Scan>, DiscoverError> {
        let found = self.store.scan::<Scans>(&KeyRange::prefix(&id), SCANS_KEPT * 2)?;
        let mut scans: Vec<_> = found.into_iter().map(|record| record.value).collect();
        scans.sort_by_key(|scan| std::cmp::Reverse(scan.pass));
        Ok(scans)
    }

    fn live_view(&self, scan: Scan) -> ScanView {
        let running = self.running().get(&scan.source).map(Arc::clone);
        let live = running.filter(|_| scan.is_running()).map(|one| one.live(&*self.clock));
        ScanView { scan, live }
    }

    pub(crate) fn sources_within(&self, scope: &Scope) -> Result<Vec<SourceView>, DiscoverError> {
        let page = self.store.page::<Sources>(scope, None, SOURCES_MAX, |_| true)?;
        page.items.into_iter().map(|record| self.view(record.value)).collect()
    }

    fn view(&self, source: SourceRecord) -> Result<SourceView, DiscoverError> {
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

    /// A pass made ready: profile, detectors and what was judged are those of now.
    async fn pass(
        self: &Arc<Self>,
        source: SourceRecord,
        scan: Scan,
        running: Arc<Running>,
    ) -> Result<Pass, DiscoverError> {
        let (profile, judged) = (self.profile(source.profile.as_deref())?, self.judged()?);
        let detectors = self.all_detectors()?;
        let lens = self.lens(&profile, &detectors)?;
        let look_for = LookFor { detectors, fingerprint_key: self.fingerprint_key };
        let looking = self.inspector.ready(&look_for).await.map_err(DiscoverError::NotReady)?;
        let place = source.place(&self.regions);
        let inner = Arc::clone(self);
        Ok(Pass { inner, source, scan, running, profile, judged, lens, looking, place })
    }

    /// With what objects are looked at: another one makes every object worth another look.
    fn lens(
        &self,
        profile: &Profile,
        detectors: &[crate::Detector],
    ) -> Result<[u8; 16], DiscoverError> {
        let taken_back = self.store.get::<TakenBack>(&())?.map_or(0, |record| record.value);
        let all = serde_json::to_vec(&(env!("CARGO_PKG_VERSION"), profile, detectors, taken_back));
        let bytes = all.map_err(|cause| DiscoverError::NotReady(Box::new(cause)))?;
        Ok(audit::Hash::of(&bytes).0.first_chunk().copied().unwrap_or_default())
    }

    async fn not_begun(&self, mut scan: Scan, cause: &DiscoverError) {
        scan.state = ScanState::Failed;
        scan.failure = Some(cause.to_string());
        scan.ended_at = Some(self.clock.wall());
        let batch = Batch::new().put::<Scans>(&(scan.source, scan.id), &scan, Expect::Any);
        if let Err(cause) = self.store.commit(batch).await {
            tracing::warn!(%cause, "a scan that did not begin could not be written down");
        }
    }

    /// The secret that opens a source.
    pub(crate) fn secret(&self, id: SourceId) -> Result<Option<Secret<String>>, DiscoverError> {
        Ok(self.store.get::<SourceSecrets>(&id)?.map(|record| Secret::new(record.value)))
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

    /// The bytes of a source: as they were counted ahead, else as they were read.
    pub(crate) fn expected_bytes(&self, running: &Running, scan: &Scan) -> u64 {
        let expected = running.live(&*self.clock).expected;
        if expected.complete { expected.bytes } else { scan.progress.bytes }
    }

    async fn drop_all<C>(&self, source: SourceId) -> Result<(), DiscoverError>
    where
        C: store::Collection,
        C::Key: store::RecordKey,
    {
        loop {
            let found = self.store.scan::<C>(&KeyRange::prefix(&source), 1_000)?;
            if found.is_empty() {
                return Ok(());
            }
            let batch = found.iter().fold(Batch::new(), |b, r| b.delete::<C>(&r.key, Expect::Any));
            self.store.commit(batch).await?;
        }
    }
}
