//! The public handle: what discovery stands on, and the scans that run.

use crate::error::DiscoverError;
use crate::pass::Pass;
use crate::profile::Profile;
use crate::records::{FingerprintKeys, Scans, SourceSecrets, Sources, TakenBack, running_term};
use crate::register::SOURCES_MAX;
use crate::running::Running;
use crate::scan::{Progress, Scan, ScanState, Work};
use crate::seams::{Inspector, LookFor, Opener};
use crate::settle::Outlook;
use crate::source::SourceRecord;
use access::Access;
use inventory::{Inventory, Regions};
use kernel::actions::DataScan;
use kernel::{ActionType, Clock, Outcome, Permit, Rng, ScanId, Secret, SourceId};
use keys::Keys;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use store::{Batch, Expect, Store};
use tokio::task::JoinSet;

/// Scans of one source that are kept for trends; older ones go when a new one begins.
pub const SCANS_KEPT: usize = 400;

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
        self.inner.relabel_waiting()?;
        let cut = self.inner.store.find::<Scans>(&running_term(), SOURCES_MAX)?;
        let mut resumed = 0;
        for record in cut {
            let mut scan = record.value;
            let source = self.inner.store.get::<Sources>(&scan.source)?;
            scan.resumed = scan.resumed.saturating_add(1);
            let batch =
                Batch::new().put::<Scans>(&record.key, &scan, Expect::Version(record.version));
            self.inner.store.commit(batch).await?;
            // What its cursor and its partitions name may lie elsewhere now.
            let moved = match &source {
                Some(one) => self.inner.moved_since(&one.value, scan.edits)?,
                None => false,
            };
            let source = source.filter(|_| !moved);
            let went_on = source.is_some_and(|one| self.go_on(one.value, scan.clone()).is_ok());
            match went_on {
                true => resumed += 1,
                false => {
                    scan.state = ScanState::Failed;
                    let done = if moved { "pointed elsewhere" } else { "removed" };
                    scan.failure = Some(format!("the source was {done} while it was scanned"));
                    scan.ended_at = Some(self.inner.clock.wall());
                    let batch = Batch::new().put::<Scans>(&record.key, &scan, Expect::Any);
                    self.inner.store.commit(batch).await?;
                    self.inner.drop_partitions(scan.id).await?;
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
            work: Work::default(),
            edits: source.edits,
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

    pub(crate) fn live<A: ActionType>(&self, permit: &Permit<A>) -> Result<(), DiscoverError> {
        let live = permit.is_live(&*self.inner.clock);
        if live { Ok(()) } else { Err(DiscoverError::PermitExpired) }
    }
}

impl Inner {
    pub(crate) fn running(&self) -> MutexGuard<'_, HashMap<SourceId, Arc<Running>>> {
        // A map of running scans is whole at every moment, whoever panicked while holding it.
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::SeqCst)
    }

    pub(crate) fn passes(&self) -> MutexGuard<'_, JoinSet<()>> {
        let mut passes = self.passes.lock().unwrap_or_else(PoisonError::into_inner);
        // What has ended is let go, so that the set does not grow with every scan.
        while passes.try_join_next().is_some() {}
        passes
    }

    pub(crate) const fn fingerprint_key(&self) -> [u8; 32] {
        self.fingerprint_key
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
        let lens = self.lens(&source, &detectors)?;
        let ignored = judged.values();
        let fingerprint_key = self.fingerprint_key;
        let look_for = LookFor { detectors, fingerprint_key, ignored };
        let looking = self.inspector.ready(&look_for).await.map_err(DiscoverError::NotReady)?;
        let place = source.place(&self.regions);
        let inner = Arc::clone(self);
        let outlook = Arc::new(Outlook { inner, source, profile, judged, lens, place });
        Ok(Pass { outlook, scan, running, looking })
    }

    /// With what objects are looked at: another one makes every object worth another look.
    fn lens(
        &self,
        source: &SourceRecord,
        detectors: &[crate::Detector],
    ) -> Result<[u8; 16], DiscoverError> {
        let taken_back = self.store.get::<TakenBack>(&())?.map_or(0, |record| record.value);
        let all = serde_json::to_vec(&(
            env!("CARGO_PKG_VERSION"),
            &source.setting,
            detectors,
            taken_back,
        ));
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

    /// The bytes of a source: as they were counted ahead, else as they were read.
    pub(crate) fn expected_bytes(&self, running: &Running, scan: &Scan) -> u64 {
        let expected = running.live(&*self.clock).expected;
        if expected.complete { expected.bytes } else { scan.progress.bytes }
    }
}
