//! The public handle: runs, decisions and profile kept in the store; every change by permit.

use crate::assessment::{Assessment, assess};
use crate::capabilities::Capabilities;
use crate::catalogue::{Catalogue, RequirementId};
use crate::check::{CheckId, Checks};
use crate::error::{ComplyError, DataError};
use crate::fact::{Fact, FactSource, SourceFailure, Vocabulary, gather};
use crate::glossary::Glossary;
use crate::guide::{Guide, GuideView, guide};
use crate::inventory_facts::inventory_facts;
use crate::page::{RequirementPage, page};
use crate::period::Period;
use crate::profile::Profile;
use crate::records::{CheckRuns, LatestRun, ProfileSet, Profiles, RunPositions, Standings};
use crate::report::{Report, ReportParts, Signatories, Signatory, Witnessed, report};
use crate::run::{CheckResult, CheckRun, run};
use crate::signing::Signer;
use crate::standing::{Change, Standing};
use audit::Hash;
use inventory::{Inventory, Regions};
use kernel::actions::{CheckRun as RunChecks, RequirementChange, RequirementRead};
use kernel::{ActionType, Clock, LogPosition, Outcome, Permit, Recorder, Rng, RunId, Timestamp};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};
use store::{Batch, Expect, KeyRange, Repeat, Store};

/// Most runs that one reading takes: a year of hourly runs.
const RUNS_MAX: usize = 10_000;
/// Runs that are read from the store at a time; each may be a megabyte.
const RUNS_AT_A_TIME: usize = 100;
/// Standings are as many as requirements.
const STANDINGS_MAX: usize = 10_000;

/// Compliance: cheap to clone, shared by all.
#[derive(Clone)]
pub struct Compliance {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
    inventory: Inventory,
    sources: Vec<Arc<dyn FactSource>>,
    data: ShippedData,
    every_hours: OnceLock<u32>,
}

/// When the checks run by themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunSchedule {
    /// Hours between two runs.
    pub every_hours: u32,
    /// When they ran last, by themselves or because somebody asked; none: never.
    pub last: Option<Timestamp>,
    /// When they are due; none while they have never run: then at once.
    pub next: Option<Timestamp>,
}

impl RunSchedule {
    /// Whether a run is due. A last run that lies ahead was made under a wrong clock: it keeps
    /// nobody waiting until that day comes.
    #[must_use]
    pub fn is_due(&self, now: Timestamp) -> bool {
        let ahead = self.last.is_some_and(|last| last > now);
        ahead || self.next.is_none_or(|next| next <= now)
    }
}

/// The data that ships with this version, read and held against each other.
#[derive(Debug, Clone)]
pub struct ShippedData {
    /// The requirements.
    pub catalogue: Catalogue,
    /// The kinds of fact.
    pub vocabulary: Vocabulary,
    /// The checks.
    pub checks: Checks,
    /// What is built.
    pub capabilities: Capabilities,
    /// Reviewed Chinese words.
    pub glossary: Glossary,
    /// Where regions lie.
    pub regions: Regions,
}

impl ShippedData {
    /// Reads all of it.
    ///
    /// # Errors
    /// Never for a released version; tests read it.
    pub fn read() -> Result<Self, DataError> {
        let catalogue = Catalogue::builtin()?;
        let vocabulary = Vocabulary::builtin()?;
        let checks = Checks::builtin(&catalogue, &vocabulary)?;
        Ok(Self {
            catalogue,
            vocabulary,
            checks,
            capabilities: Capabilities::builtin()?,
            glossary: Glossary::builtin()?,
            regions: Regions::builtin()?,
        })
    }
}

impl fmt::Debug for Compliance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Compliance")
    }
}

/// What a report is to be.
#[derive(Debug, Clone)]
pub struct ReportRequest {
    /// The period.
    pub period: Period,
    /// Whether it speaks of sample data.
    pub sample: bool,
    /// Whether its readers may learn of a designation.
    pub show_designation: bool,
    /// Who prepares it, as they are shown.
    pub preparer: Signer,
}

/// What can be said of the log when a report is made.
#[derive(Debug, Clone, Default)]
pub(crate) struct LogSeen {
    pub(crate) checkpoint: Option<String>,
    pub(crate) witnessed: Option<Witnessed>,
}

impl Compliance {
    /// Compliance over this store, this inventory and these further sources of facts.
    ///
    /// # Errors
    /// When the shipped data does not hold together.
    pub fn open(
        store: Store,
        clock: Arc<dyn Clock>,
        rng: Arc<dyn Rng>,
        inventory: Inventory,
        sources: Vec<Arc<dyn FactSource>>,
    ) -> Result<Self, ComplyError> {
        let data = ShippedData::read()?;
        let every_hours = OnceLock::new();
        let inner = Inner { store, clock, rng, inventory, sources, data, every_hours };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Says how often the checks run by themselves; whoever keeps the schedule says it, once.
    pub fn runs_every(&self, hours: u32) {
        let _ = self.inner.every_hours.set(hours);
    }

    /// When the checks ran and run again; none where nobody keeps a schedule.
    ///
    /// # Errors
    /// When the store fails.
    pub fn schedule(&self) -> Result<Option<RunSchedule>, ComplyError> {
        let Some(every_hours) = self.inner.every_hours.get().copied() else { return Ok(None) };
        let last = self.latest_run()?.map(|run| run.at);
        let next = last.map(|last| last.plus_seconds(i64::from(every_hours) * 3_600));
        Ok(Some(RunSchedule { every_hours, last, next }))
    }

    /// The data that ships with this version.
    #[must_use]
    pub fn data(&self) -> &ShippedData {
        &self.inner.data
    }

    /// Reads the facts, holds every check against them, and keeps the run with its event, which
    /// carries a hash of the results. Reading facts may take a second over a large bank; call it
    /// where a thread may be busy that long.
    ///
    /// # Errors
    /// When the permit has expired or the store fails. A source that fails is not an error here but
    /// the result of its checks.
    pub async fn run_checks(
        &self,
        permit: Permit<RunChecks>,
        repeat: Option<Repeat>,
    ) -> Result<CheckRun, ComplyError> {
        if let Some(first) = self.inner.store.answered(&permit, repeat.as_ref())? {
            self.inner.store.answer_again(permit, &*self.inner.clock).await?;
            return self.first_run(&first);
        }
        let made = self.live(&permit).and_then(|()| self.look(&permit));
        let made = match made {
            Ok(made) => made,
            Err(error) => return Err(self.failed(permit, error).await),
        };
        let guard = permit.guard();
        let repeat = repeat.map(|repeat| repeat.answering(&permit, &made.id));
        let mut event = permit
            .into_event(Outcome::Done, &*self.inner.clock)
            .with("run", made.id.to_string())
            .with("results-sha-256", run_digest(&made)?);
        let mut counts: BTreeMap<&'static str, usize> = BTreeMap::new();
        for result in &made.results {
            *counts.entry(result.outcome.word()).or_default() += 1;
        }
        for (word, count) in counts {
            event = event.with(word, count.to_string());
        }
        let batch = Batch::new()
            .guard(guard)
            .put::<CheckRuns>(&made.id, &made, Expect::Absent)
            .put::<LatestRun>(&(), &made.id, Expect::Any)
            .event(event);
        let batch = repeat.into_iter().fold(batch, Batch::idempotent);
        let committed = self.inner.store.commit(batch).await?;
        if let Some(first) = committed.replayed {
            return self.first_run(&first);
        }
        let position = LogPosition(committed.positions.start);
        let note = Batch::new().put::<RunPositions>(&made.id, &position, Expect::Any);
        self.inner.store.commit(note).await?;
        Ok(made)
    }

    /// The run that the same request was answered with.
    fn first_run(&self, outcome: &[u8]) -> Result<CheckRun, ComplyError> {
        let id = Repeat::first_answer(outcome).ok_or(ComplyError::NoRun)?;
        let found = self.inner.store.get::<CheckRuns>(&id)?;
        found.map(|found| found.value).ok_or(ComplyError::NoRun)
    }

    fn look(&self, permit: &Permit<RunChecks>) -> Result<CheckRun, ComplyError> {
        let inner = &self.inner;
        let at = inner.clock.wall();
        let position = inner.store.log_head().size.checked_sub(1).map(LogPosition);
        let own = InventorySource {
            inventory: &inner.inventory,
            regions: &inner.data.regions,
            vocabulary: &inner.data.vocabulary,
        };
        let mut sources: Vec<&dyn FactSource> = vec![&own];
        sources.extend(inner.sources.iter().map(|source| &**source));
        let facts = gather(&sources, permit, &inner.data.vocabulary, at);
        let id = RunId::generate(&*inner.clock, &*inner.rng)?;
        Ok(run(&inner.data.checks, &facts, id, at, position))
    }

    /// Confirms a text, assigns an owner, decides: one change of the permit's requirement.
    ///
    /// # Errors
    /// When there is no such requirement, the change breaks a rule, or the store fails.
    pub async fn change(
        &self,
        permit: Permit<RequirementChange>,
        change: Change,
    ) -> Result<Standing, ComplyError> {
        let made = self.changed(&permit, &change);
        let (next, expect) = match made {
            Ok(made) => made,
            Err(error) => return Err(self.failed(permit, error).await),
        };
        let guard = permit.guard();
        let event =
            permit.into_event(Outcome::Done, &*self.inner.clock).with("change", change.word());
        let event = match &change {
            Change::AcceptRisk { until, reason } => {
                event.with("until", until.rfc3339()).with("reason", reason.as_str())
            }
            Change::DeclareNotApplicable { reason } | Change::DoNotAdopt { reason } => {
                event.with("reason", reason.as_str())
            }
            Change::ConfirmText { text_status, reference, layer, .. } => event
                .with("text-status", text_status.word())
                .with("reference", reference.as_str())
                .with("layer", layer.word()),
            Change::AssignOwner { owner } => event.with("owner", owner.as_str()),
            Change::TakeBack => event,
        };
        let key = next.requirement.as_str().to_owned();
        let batch = Batch::new().guard(guard).put::<Standings>(&key, &next, expect).event(event);
        self.inner.store.commit(batch).await?;
        Ok(next)
    }

    fn changed(
        &self,
        permit: &Permit<RequirementChange>,
        change: &Change,
    ) -> Result<(Standing, Expect), ComplyError> {
        self.live(permit)?;
        let id = RequirementId::from(permit.resource().id.as_str());
        let found = self.inner.data.catalogue.find(&id).ok_or(ComplyError::NoRequirement)?;
        let layer = found.1.layer;
        let record = self.inner.store.get::<Standings>(&id.as_str().to_owned())?;
        let expect = record.as_ref().map_or(Expect::Absent, |r| Expect::Version(r.version));
        let standing = record.map_or_else(|| Standing::new(id), |record| record.value);
        let by = permit.caller().principal;
        let next = standing.after(change.clone(), layer, by, self.inner.clock.wall())?;
        Ok((next, expect))
    }

    /// Sets the institution's profile. The record in the log does not tell the designation.
    ///
    /// # Errors
    /// When the permit is for one requirement only, or the store fails.
    pub async fn set_profile(
        &self,
        permit: Permit<RequirementChange>,
        profile: Profile,
    ) -> Result<(), ComplyError> {
        let whole = permit.resource().id == "*";
        let allowed = if whole { self.live(&permit) } else { Err(ComplyError::OtherResource) };
        if let Err(error) = allowed {
            return Err(self.failed(permit, error).await);
        }
        let (guard, by) = (permit.guard(), permit.caller().principal);
        let set = ProfileSet { profile, by, at: self.inner.clock.wall() };
        let event = permit
            .into_event(Outcome::Done, &*self.inner.clock)
            .with("change", "set-profile")
            .with("institution", profile.institution.title())
            .with("origin", profile.origin.word());
        let batch = Batch::new().guard(guard).put::<Profiles>(&(), &set, Expect::Any).event(event);
        self.inner.store.commit(batch).await?;
        Ok(())
    }

    /// The institution's profile, once it is set. The designation in it is confidential.
    ///
    /// # Errors
    /// When the store fails.
    pub fn profile(&self) -> Result<Option<Profile>, ComplyError> {
        Ok(self.inner.store.get::<Profiles>(&())?.map(|record| record.value.profile))
    }

    /// Every requirement judged now. The reading is recorded, without waiting for the record.
    ///
    /// # Errors
    /// When the permit has expired or the store fails.
    pub fn assessment(
        &self,
        permit: Permit<RequirementRead>,
        show_designation: bool,
    ) -> Result<Assessment, ComplyError> {
        self.live(&permit)?;
        let assessment = self.judged(show_designation)?;
        self.was_read(permit);
        Ok(assessment)
    }

    /// A guideline, answered point by point.
    ///
    /// # Errors
    /// When the permit has expired or the store fails.
    pub fn guide(
        &self,
        permit: Permit<RequirementRead>,
        which: Guide,
    ) -> Result<GuideView, ComplyError> {
        self.live(&permit)?;
        let (data, standings, latest) = (&self.inner.data, self.standings()?, self.latest()?);
        let assessment = self.judged(false)?;
        let (catalogue, checks) = (&data.catalogue, &data.checks);
        let view =
            guide(which, catalogue, &data.capabilities, checks, &assessment, &standings, &latest);
        self.was_read(permit);
        view.ok_or(ComplyError::NoRequirement)
    }

    /// One requirement with its evidence over a period.
    ///
    /// # Errors
    /// When there is no such requirement, the permit has expired, or the store fails.
    pub fn requirement(
        &self,
        permit: Permit<RequirementRead>,
        period: Period,
        show_designation: bool,
    ) -> Result<RequirementPage, ComplyError> {
        self.live(&permit)?;
        let id = RequirementId::from(permit.resource().id.as_str());
        let assessment = self.judged(show_designation)?;
        let standings = self.standings()?;
        let runs = self.runs(period)?;
        let view = page(&id, &self.inner.data, &assessment, &standings, &runs, period);
        self.was_read(permit);
        view.ok_or(ComplyError::NoRequirement)
    }

    /// The report of a period, from what is recorded; [`crate::Reports::make`] keeps it.
    pub(crate) fn make_report(
        &self,
        request: ReportRequest,
        log: LogSeen,
        preparer: Signatory,
    ) -> Result<Report, ComplyError> {
        let data = &self.inner.data;
        let runs = self.runs(request.period)?;
        let recorded = self.positions(&runs)?;
        let standings = self.standings()?;
        Ok(report(ReportParts {
            catalogue: &data.catalogue,
            checks: &data.checks,
            profile: self.profile()?,
            standings: &standings,
            runs: &runs,
            recorded: &recorded,
            period: request.period,
            made_at: self.inner.clock.wall(),
            sample: request.sample,
            show_designation: request.show_designation,
            checkpoint: log.checkpoint,
            witnessed: log.witnessed,
            signatories: Signatories { preparer: Some(preparer), ..Signatories::default() },
        }))
    }

    /// What the bank decided, by requirement.
    ///
    /// # Errors
    /// When the store fails.
    pub fn standings(&self) -> Result<BTreeMap<RequirementId, Standing>, ComplyError> {
        let found = self.inner.store.scan::<Standings>(&KeyRange::all(), STANDINGS_MAX)?;
        Ok(found.into_iter().map(|r| (r.value.requirement.clone(), r.value)).collect())
    }

    /// The newest run, if there is one.
    ///
    /// # Errors
    /// When the store fails.
    pub fn latest_run(&self) -> Result<Option<CheckRun>, ComplyError> {
        let Some(latest) = self.inner.store.get::<LatestRun>(&())? else { return Ok(None) };
        Ok(self.inner.store.get::<CheckRuns>(&latest.value)?.map(|record| record.value))
    }

    /// The runs of a period, oldest first. Lists of items are kept in the newest only; counts in
    /// all.
    ///
    /// # Errors
    /// When there are more than 10,000, or the store fails.
    pub fn runs(&self, period: Period) -> Result<Vec<CheckRun>, ComplyError> {
        let mut runs: Vec<CheckRun> = Vec::new();
        let mut range = KeyRange::all().after(&first_id(period.from()));
        loop {
            let found = self.inner.store.scan::<CheckRuns>(&range, RUNS_AT_A_TIME)?;
            let full = found.len() == RUNS_AT_A_TIME;
            for record in found {
                range = range.after(&record.key);
                if record.value.at > period.to() {
                    return Ok(runs);
                }
                if runs.len() == RUNS_MAX {
                    return Err(ComplyError::TooManyRuns);
                }
                if record.value.at >= period.from() {
                    if let Some(before) = runs.last_mut() {
                        let lists = before.results.iter_mut();
                        lists.for_each(CheckResult::drop_lists);
                    }
                    runs.push(record.value);
                }
            }
            if !full {
                return Ok(runs);
            }
        }
    }

    fn positions(&self, runs: &[CheckRun]) -> Result<BTreeMap<RunId, LogPosition>, ComplyError> {
        let ids: Vec<_> = runs.iter().map(|run| run.id).collect();
        let found = self.inner.store.get_many::<RunPositions>(&ids)?;
        Ok(found.into_iter().flatten().map(|record| (record.key, record.value)).collect())
    }

    fn latest(&self) -> Result<BTreeMap<CheckId, CheckResult>, ComplyError> {
        let results = self.latest_run()?.map(|run| run.results).unwrap_or_default();
        Ok(results.into_iter().map(|result| (result.check.clone(), result)).collect())
    }

    fn judged(&self, show_designation: bool) -> Result<Assessment, ComplyError> {
        let data = &self.inner.data;
        let (profile, standings, latest) = (self.profile()?, self.standings()?, self.latest()?);
        let now = self.inner.clock.wall();
        let profile = profile.as_ref();
        let all = assess(&data.catalogue, &data.checks, profile, &standings, &latest, now);
        Ok(if show_designation { all } else { all.without_designation(&data.catalogue) })
    }

    fn was_read(&self, permit: Permit<RequirementRead>) {
        let event = permit.into_event(Outcome::Done, &*self.inner.clock);
        self.inner.store.record(event);
    }

    fn live<A: ActionType>(&self, permit: &Permit<A>) -> Result<(), ComplyError> {
        if permit.is_live(&*self.inner.clock) { Ok(()) } else { Err(ComplyError::PermitExpired) }
    }

    /// Writes down that something was allowed and did not work, and gives back why.
    async fn failed<A: ActionType>(&self, permit: Permit<A>, error: ComplyError) -> ComplyError {
        let event = permit.into_event(Outcome::Failed(error.code().into()), &*self.inner.clock);
        match self.inner.store.commit(Batch::new().essential().event(event)).await {
            Ok(_) => error,
            Err(unrecorded) => unrecorded.into(),
        }
    }
}

/// The hash of a run's results that its event carries: SHA-256 (hexadecimal) of its JSON.
///
/// # Errors
/// When the run cannot be written as JSON.
pub fn run_digest(run: &CheckRun) -> Result<String, serde_json::Error> {
    Ok(documents::hex(&Hash::of(&serde_json::to_vec(run)?).0))
}

/// The identifier just before every run of this time or later: identifiers begin with 48 bits of
/// milliseconds.
fn first_id(from: Timestamp) -> RunId {
    let millis = from.unix_millis().max(0).unsigned_abs().saturating_sub(1);
    let bits = u128::from(millis & 0xffff_ffff_ffff) << 80;
    RunId::from_bytes(bits.to_be_bytes())
}

struct InventorySource<'a> {
    inventory: &'a Inventory,
    regions: &'a Regions,
    vocabulary: &'a Vocabulary,
}

impl FactSource for InventorySource<'_> {
    fn kinds(&self) -> &[&'static str] {
        &["asset", "data-set", "cloud-account", "arrangement", "provider", "certificate"]
    }

    fn facts(&self, _: &Permit<RunChecks>, now: Timestamp) -> Result<Vec<Fact>, SourceFailure> {
        let snapshot = self.inventory.as_of(now).map_err(|_| SourceFailure::Unavailable)?;
        Ok(inventory_facts(&snapshot, self.regions, self.vocabulary))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_under_a_clock_that_was_ahead_keeps_the_checks_waiting_for_nothing() {
        let now = Timestamp::from_unix_millis(1_790_000_000_000);
        let ran = |last: Timestamp| RunSchedule {
            every_hours: 24,
            last: Some(last),
            next: Some(last.plus_days(1)),
        };
        assert!(!ran(now).is_due(now.plus_seconds(86_399)));
        assert!(ran(now).is_due(now.plus_days(1)));
        assert!(ran(now.plus_days(365)).is_due(now));
        assert!(RunSchedule { every_hours: 24, last: None, next: None }.is_due(now));
    }
}
