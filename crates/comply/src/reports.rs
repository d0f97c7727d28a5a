//! Reports that were made: each has its record, its event in the log, and its pack on disk.
//!
//! The order is such that a crash leaves nothing that claims more than it is: documents are written
//! in memory, then event and record become durable in one commit, then the pack is closed with the
//! proof of that event and put in its place in one step. A record without a pack says so.

use crate::error::ComplyError;
use crate::keep::{Compliance, LogSeen, ReportRequest};
use crate::pack::{Draft, MakePackError, STATEMENT_DETAIL};
use crate::report::{Signatory, Witnessed};
use crate::signing::{ReportState, Signature, SigningError};
use audit::outlet::{Outside, outside};
use audit::{Hash, Log, LogError};
use documents::hex;
use kernel::actions::{ReportMake, ReportRead};
use kernel::{
    Clock, DomainId, LogPosition, Outcome, Permit, Problem, ProblemKind, ReportId, Resource,
    ResourceKind, Rng, RngUnavailable, Scope, Timestamp,
};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use store::{Batch, Collection, Expect, Repeat, Store, StoreError};

/// Most reports of one list.
pub const REPORTS_LISTED_MAX: usize = 500;
/// Largest pack that is read back, in bytes.
const PACK_BYTES_MAX: u64 = documents::pack::PACK_BYTES_MAX;

/// Why a report was not made or read.
#[derive(Debug, thiserror::Error)]
pub enum ReportsError {
    /// There is no such report, or it is another key domain's.
    #[error("no such report")]
    NoReport,
    /// The record is there and the pack is not: making it was interrupted.
    #[error("the pack of this report is not there; make the report again")]
    NoPack,
    /// The permit ran out before the work began.
    #[error("the permit has run out; ask again")]
    PermitOver,
    /// The pack.
    #[error(transparent)]
    Pack(#[from] MakePackError),
    /// What is recorded cannot be read.
    #[error(transparent)]
    Compliance(#[from] ComplyError),
    /// The log.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A signature was not taken.
    #[error(transparent)]
    Signing(#[from] SigningError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The disk.
    #[error("the folder of reports cannot be read or written")]
    Disk(#[from] io::Error),
    /// No randomness.
    #[error(transparent)]
    Rng(#[from] RngUnavailable),
}

impl ReportsError {
    /// The stable code, as records see it.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoReport => "no-report",
            Self::NoPack => "pack-not-there",
            Self::PermitOver => "permit-over",
            Self::Pack(_) => "report-not-made",
            Self::Compliance(cause) => cause.code(),
            Self::Log(_) => "log-failed",
            Self::Signing(cause) => cause.code(),
            Self::Store(_) => "store-failed",
            Self::Disk(_) => "reports-folder",
            Self::Rng(_) => "no-randomness",
        }
    }
}

impl From<ReportsError> for Problem {
    fn from(cause: ReportsError) -> Self {
        match cause {
            ReportsError::NoReport => Self::not_found("report"),
            ReportsError::NoPack => {
                Self::new(ProblemKind::Conflict, "pack-not-there", cause.to_string())
            }
            ReportsError::PermitOver => {
                Self::new(ProblemKind::Unavailable, "permit-over", cause.to_string())
            }
            ReportsError::Store(cause) => cause.into(),
            ReportsError::Log(cause) => cause.into(),
            ReportsError::Signing(cause) => cause.into(),
            ReportsError::Compliance(cause) => cause.into(),
            ReportsError::Rng(cause) => cause.into(),
            ReportsError::Disk(_) => {
                Self::new(ProblemKind::StorageFull, "reports-folder", cause.to_string())
            }
            ReportsError::Pack(_) => {
                Self::new(ProblemKind::Internal, "report-not-made", cause.to_string())
            }
        }
    }
}

/// What is known of a report that was made.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ReportRecord {
    /// Its identifier.
    pub id: ReportId,
    /// When it was made.
    pub made_at: Timestamp,
    /// Who made it.
    pub made_by: String,
    /// First instant of its period.
    pub from: Timestamp,
    /// Last instant of its period.
    pub to: Timestamp,
    /// Whether it speaks of sample data.
    pub sample: bool,
    /// SHA-256 of the list of its documents, which the log vouches for.
    pub statement: String,
    /// Who prepared it, as they are shown.
    #[serde(default)]
    pub preparer: Option<Signatory>,
    /// SHA-256 of the pack; none until the pack lies in its place.
    #[serde(default)]
    pub pack: Option<String>,
    /// Where in the log its making stands; noted together with the pack.
    #[serde(default)]
    pub recorded_at: Option<LogPosition>,
    /// Signatures, oldest first: at most a review and an approval or a return.
    #[serde(default)]
    pub signatures: Vec<Signature>,
    /// SHA-256 of the list of documents of the final pack, once it is approved.
    #[serde(default)]
    pub approved: Option<String>,
}

enum Records {}

impl Collection for Records {
    const NAME: &'static str = "reports";
    type Key = ReportId;
    type Value = ReportRecord;

    fn sort_name(record: &ReportRecord) -> Option<Cow<'_, str>> {
        // Newest first: the complement of the time sorts before that of an earlier one.
        let micros = i64::MAX - record.made_at.unix_micros();
        Some(Cow::Owned(format!("{micros:020}/{}", record.id)))
    }
}

/// Makes and keeps reports. Cheap to clone.
#[derive(Clone)]
pub struct Reports {
    pub(crate) compliance: Compliance,
    pub(crate) store: Store,
    pub(crate) log: Log,
    folder: PathBuf,
    pub(crate) clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
}

impl fmt::Debug for Reports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reports")
    }
}

impl Reports {
    /// The reports of an installation; packs lie in `folder`, which is made when it is not there.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn open(
        compliance: Compliance,
        store: Store,
        log: Log,
        folder: PathBuf,
        clock: Arc<dyn Clock>,
        rng: Arc<dyn Rng>,
    ) -> io::Result<Self> {
        std::fs::create_dir_all(&folder)?;
        Ok(Self { compliance, store, log, folder, clock, rng })
    }

    /// What the gate is asked about for making and listing reports.
    #[must_use]
    pub fn resource() -> Resource {
        Resource::all(ResourceKind::Report, DomainId::SYSTEM)
    }

    /// Makes the report of what is recorded, its documents and the record, and closes the pack.
    /// The report prints the log's checkpoint and the last that a witness signed; the pack
    /// continues the checkpoints that left the house.
    ///
    /// # Errors
    /// When a document, the log, the store or the disk fails; nothing is recorded before the
    /// documents exist.
    pub async fn make(
        &self,
        permit: Permit<ReportMake>,
        request: ReportRequest,
        repeat: Option<Repeat>,
    ) -> Result<ReportRecord, ReportsError> {
        if !permit.is_live(&*self.clock) {
            return Err(ReportsError::PermitOver);
        }
        if let Some(first) = self.store.answered(&permit, repeat.as_ref())? {
            self.store.answer_again(permit, &*self.clock).await?;
            return self.first_report(&first);
        }
        let outside = outside(&self.store)?;
        let preparer = Signatory {
            who: permit.caller().principal.to_string(),
            name: request.preparer.name.clone(),
            role: request.preparer.role.clone(),
            at: permit.decided_at(),
        };
        let seen = self.log_seen(&outside)?;
        let report = self.compliance.make_report(request, seen, preparer.clone())?;
        let draft =
            Draft::of(&report, &self.compliance.data().glossary).map_err(MakePackError::from)?;
        let mut record = ReportRecord {
            id: ReportId::generate(&*self.clock, &*self.rng)?,
            made_at: report.made_at,
            made_by: preparer.who.clone(),
            from: report.period.from(),
            to: report.period.to(),
            sample: report.sample,
            statement: draft.digest(),
            preparer: Some(preparer),
            pack: None,
            recorded_at: None,
            signatures: Vec::new(),
            approved: None,
        };
        let guard = permit.guard();
        let repeat = repeat.map(|repeat| repeat.answering(&permit, &record.id));
        let mut event = permit.into_event(Outcome::Done, &*self.clock);
        event.resource = format!("report:{}", record.id);
        let event = event.with(STATEMENT_DETAIL, record.statement.clone());
        let batch = Batch::new()
            .guard(guard)
            .put::<Records>(&record.id, &record, Expect::Absent)
            .event(event);
        let batch = repeat.into_iter().fold(batch, Batch::idempotent);
        let committed = self.store.commit(batch).await?;
        if let Some(first) = committed.replayed {
            return self.first_report(&first);
        }
        let made = LogPosition(committed.positions.start);
        let relied_on = report.checks.iter().filter_map(|check| check.recorded_at);
        let pack = draft.close(&self.log, made, relied_on, outside.sizes())?;
        put_in_place(&self.path(record.id), &pack)?;
        record.pack = Some(hex(&Hash::of(&pack).0));
        record.recorded_at = Some(made);
        self.store.commit(self.keep(&record, Expect::Any)).await?;
        Ok(record)
    }

    /// The report that the same request was answered with; its pack may still be on its way.
    fn first_report(&self, outcome: &[u8]) -> Result<ReportRecord, ReportsError> {
        let id = Repeat::first_answer(outcome).ok_or(ReportsError::NoReport)?;
        self.record(id)?.map(|(record, _)| record).ok_or(ReportsError::NoReport)
    }

    /// The write of a record.
    pub(crate) fn keep(&self, record: &ReportRecord, expect: Expect) -> Batch {
        Batch::new().put::<Records>(&record.id, record, expect)
    }

    /// A record, and the version of it that a change must still find.
    pub(crate) fn record(
        &self,
        id: ReportId,
    ) -> Result<Option<(ReportRecord, Expect)>, ReportsError> {
        let found = self.store.get::<Records>(&id)?;
        Ok(found.map(|found| (found.value, Expect::Version(found.version))))
    }

    /// The checkpoint of now, and the last that a witness signed.
    fn log_seen(&self, outside: &Outside) -> Result<LogSeen, LogError> {
        let checkpoint = self.log.checkpoint()?.to_string();
        let witnessed = outside.last_witness().zip(outside.last_cosigned());
        let witnessed = witnessed.map(|((name, left), note)| Witnessed {
            name: name.to_owned(),
            size: left.size,
            at: left.at,
            note: note.to_owned(),
        });
        Ok(LogSeen { checkpoint: Some(checkpoint), witnessed })
    }

    /// What is on the shelf, newest first, with the size of each pack in bytes; `None`: the pack is
    /// not there. For a door that asks the gate and records the reading itself.
    ///
    /// # Errors
    /// When the store fails.
    pub fn shelf(&self) -> Result<Vec<(ReportRecord, Option<u64>)>, ReportsError> {
        let page = self.store.page::<Records>(&Scope::All, None, REPORTS_LISTED_MAX, |_| true)?;
        let with_size = |record: store::Record<Records>| {
            let size = std::fs::metadata(self.path(record.value.id)).ok().map(|file| file.len());
            (record.value, size)
        };
        Ok(page.items.into_iter().map(with_size).collect())
    }

    /// The pack of a report, if both are there: the final one once it is approved. As for
    /// [`Reports::shelf`].
    ///
    /// # Errors
    /// When the store or the disk fails.
    pub fn pack(&self, id: ReportId) -> Result<Option<Vec<u8>>, ReportsError> {
        let Some((record, _)) = self.record(id)? else { return Ok(None) };
        match self.newest_pack(&record) {
            Ok(pack) => Ok(Some(pack)),
            Err(ReportsError::NoPack) => Ok(None),
            Err(other) => Err(other),
        }
    }

    fn newest_pack(&self, record: &ReportRecord) -> Result<Vec<u8>, ReportsError> {
        match record.state() {
            ReportState::Approved => self.final_pack(record),
            _ => self.read_pack(&self.path(record.id)),
        }
    }

    /// A pack within its limit.
    pub(crate) fn read_pack(&self, path: &Path) -> Result<Vec<u8>, ReportsError> {
        let length = std::fs::metadata(path).map_err(|_| ReportsError::NoPack)?.len();
        if length > PACK_BYTES_MAX {
            return Err(ReportsError::NoPack);
        }
        Ok(std::fs::read(path)?)
    }

    /// Reports, newest first, and whether the pack of each is there.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn list(
        &self,
        permit: Permit<ReportRead>,
    ) -> Result<Vec<(ReportRecord, bool)>, ReportsError> {
        let page =
            self.store.page::<Records>(&permit.scope(), None, REPORTS_LISTED_MAX, |_| true)?;
        self.told(permit).await?;
        let with_pack = |record: store::Record<Records>| {
            let there = self.path(record.value.id).exists();
            (record.value, there)
        };
        Ok(page.items.into_iter().map(with_pack).collect())
    }

    /// One report and its pack: the final one once it is approved.
    ///
    /// # Errors
    /// When there is no such report, or its pack is not there.
    pub async fn read(
        &self,
        permit: Permit<ReportRead>,
    ) -> Result<(ReportRecord, Vec<u8>), ReportsError> {
        let id: Option<ReportId> = permit.resource_id();
        let found = match id {
            Some(id) => self.record(id)?,
            None => None,
        };
        self.told(permit).await?;
        let (record, _) = found.ok_or(ReportsError::NoReport)?;
        let pack = self.newest_pack(&record)?;
        Ok((record, pack))
    }

    /// Where the pack of an approved report lies.
    #[must_use]
    pub fn final_path(&self, id: ReportId) -> PathBuf {
        self.folder.join(format!("{id}.approved.zip"))
    }

    /// Where the pack of a report lies, as it was prepared.
    #[must_use]
    pub fn path(&self, id: ReportId) -> PathBuf {
        self.folder.join(format!("{id}.zip"))
    }

    async fn told(&self, permit: Permit<ReportRead>) -> Result<(), StoreError> {
        let guard = permit.guard();
        let event = permit.into_event(Outcome::Done, &*self.clock);
        self.store.commit(Batch::new().guard(guard).event(event)).await.map(drop)
    }
}

/// Writes a file, mode 0600, under another name first, so that it is there whole or not at all.
pub(crate) fn put_in_place(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let part = path.with_extension("part");
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&part)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&part, path)?;
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}
