//! Review and approval: a report is prepared, reviewed and approved by three different people.
//!
//! Each puts their name to the very bytes of the pack: the event of a signature carries the pack's
//! SHA-256, and whoever signs says which pack they have in hand. With the approval a final pack is
//! made: the same report with three names in it, and the pack that was signed inside, byte for
//! byte, as `draft.zip`. The approver's event vouches for the final documents, so one file tells
//! and proves the whole path. What a signature is: a record in the log of what an authenticated
//! person did with a fresh second factor; it is no signature by a key of their own.
//!
//! The gate keeps preparer, reviewer and approver apart (the resource tells it who has signed), and
//! so does the use case, which also keeps the order. A report that was returned stays returned: the
//! remedy is a new report.

use crate::error::ComplyError;
use crate::pack::{Draft, MakePackError, PACK_DETAIL, STATEMENT_DETAIL, STEP_DETAIL};
use crate::report::{Report, Signatory};
use crate::reports::{ReportRecord, Reports, ReportsError, put_in_place};
use audit::outlet::outside;
use audit::{Hash, Query};
use documents::hex;
use kernel::actions::ReportSign;
use kernel::{
    DomainId, Label, Labels, LogPosition, Name, Outcome, Permit, PersonId, Principal, Problem,
    ProblemKind, ReportId, Resource, ResourceKind,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use store::{Batch, Expect};

/// Longest reason for returning a report, in characters: a paragraph.
pub const RETURN_REASON_CHARS_MAX: usize = 1_000;

/// How someone who signs is shown: the name, and the role in which they do it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Signer {
    /// The name on screen.
    pub name: String,
    /// The role.
    pub role: String,
}

/// A step on the way of a report.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// Reviewed and found right.
    Review,
    /// Approved: the report is final.
    Approve,
    /// Returned to whoever prepared it.
    Return,
}

impl Step {
    /// The word in records and requests.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Review => "review",
            Self::Approve => "approve",
            Self::Return => "return",
        }
    }
}

/// What someone wants to sign.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Signing {
    /// The step.
    pub step: Step,
    /// SHA-256 (hexadecimal) of the pack they have in hand.
    pub pack: String,
    /// Why; wanted for a return and for nothing else.
    pub reason: Option<String>,
}

/// One signature as the record keeps it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Signature {
    /// The step.
    pub step: Step,
    /// Who, in what role, when.
    pub by: Signatory,
    /// SHA-256 (hexadecimal) of the pack that was signed.
    pub pack: String,
    /// Why it was returned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Where in the log it stands; none for the instant between the two writings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorded_at: Option<LogPosition>,
}

/// Where a report stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReportState {
    /// Prepared, and nothing more.
    Draft,
    /// Reviewed; waits for approval.
    Reviewed,
    /// Approved by a third person: final.
    Approved,
    /// Returned with a reason: a new one must be made.
    Returned,
}

impl ReportState {
    /// The word in data and on screen.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Reviewed => "reviewed",
            Self::Approved => "approved",
            Self::Returned => "returned",
        }
    }
}

impl fmt::Display for ReportState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Why a signature was not taken; nothing was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SigningError {
    /// Only people sign.
    #[error("only a person signs a report")]
    NotAPerson,
    /// One person, two signatures.
    #[error("preparer, reviewer and approver are three different people")]
    SamePerson,
    /// Approval before review.
    #[error("the report is not reviewed yet")]
    NotReviewed,
    /// A second review.
    #[error("the report is reviewed already")]
    AlreadyReviewed,
    /// Approved or returned.
    #[error("the report is {0}: nobody signs it any more")]
    Closed(ReportState),
    /// Another pack than the one that is kept.
    #[error("the pack you name is not the pack of this report: fetch it and read it again")]
    OtherPack,
    /// The kept pack is not the one that was made.
    #[error("the pack that is kept is not the one that was made; make the report again")]
    PackAltered,
    /// No reason for a return, or one where none is wanted.
    #[error("a return has a reason of 1 to {RETURN_REASON_CHARS_MAX} characters, other steps none")]
    Reason,
}

impl SigningError {
    /// The stable code, as records and programs see it.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotAPerson => "not-a-person",
            Self::SamePerson => "same-person",
            Self::NotReviewed => "not-reviewed",
            Self::AlreadyReviewed => "already-reviewed",
            Self::Closed(_) => "report-closed",
            Self::OtherPack => "other-pack",
            Self::PackAltered => "pack-altered",
            Self::Reason => "reason",
        }
    }
}

impl From<SigningError> for Problem {
    fn from(cause: SigningError) -> Self {
        let kind = match cause {
            SigningError::Reason => return Self::field("/reason", cause.to_string()),
            SigningError::NotAPerson | SigningError::SamePerson => ProblemKind::Refused,
            _ => ProblemKind::Conflict,
        };
        Self::new(kind, cause.code(), cause.to_string())
    }
}

impl ReportRecord {
    /// Where the report stands: what its last signature made of it.
    #[must_use]
    pub fn state(&self) -> ReportState {
        match self.signatures.last().map(|signature| signature.step) {
            None => ReportState::Draft,
            Some(Step::Review) => ReportState::Reviewed,
            Some(Step::Approve) => ReportState::Approved,
            Some(Step::Return) => ReportState::Returned,
        }
    }

    /// Who reviewed it.
    #[must_use]
    pub fn reviewed_by(&self) -> Option<&Signatory> {
        let review = self.signatures.iter().find(|signature| signature.step == Step::Review);
        review.map(|review| &review.by)
    }

    /// The report as the gate is asked about it: with the people who have signed, so that policy
    /// can keep them apart.
    #[must_use]
    pub fn resource(&self) -> Resource {
        let signed = [
            ("prepared-by", Some(self.made_by.as_str())),
            ("reviewed-by", self.reviewed_by().map(|by| by.who.as_str())),
        ];
        let labels: BTreeMap<Label, Name> = signed
            .into_iter()
            .filter_map(|(name, who)| {
                let label = Label::try_from(name.to_owned()).ok()?;
                // The installation itself is nobody who could sign a second time.
                who?.parse::<PersonId>().ok()?;
                Some((label, who?.parse().ok()?))
            })
            .collect();
        // Two labels are never too many.
        resource_of(self.id).with_labels(Labels::try_from(labels).unwrap_or_default())
    }

    /// The next step that a signature would be, if there is one.
    #[must_use]
    pub fn next_step(&self) -> Option<Step> {
        match self.state() {
            ReportState::Draft => Some(Step::Review),
            ReportState::Reviewed => Some(Step::Approve),
            ReportState::Approved | ReportState::Returned => None,
        }
    }
}

fn resource_of(id: ReportId) -> Resource {
    Resource::new(ResourceKind::Report, id.to_string(), DomainId::SYSTEM)
}

/// A signature that can be taken.
struct Taken {
    record: ReportRecord,
    expect: Expect,
    approved: Option<Draft>,
}

impl Reports {
    /// What the gate is asked about one report: with the people who have signed it. Of a report
    /// that is not there nobody has signed anything, and the use case says that it is not there.
    ///
    /// # Errors
    /// When the store fails.
    pub fn resource_of(&self, id: ReportId) -> Result<Resource, ReportsError> {
        Ok(self.record(id)?.map_or_else(|| resource_of(id), |(record, _)| record.resource()))
    }

    /// Reviews, approves or returns the permit's report. An approval makes the final pack, which
    /// may take a second.
    ///
    /// # Errors
    /// When there is no such report or pack, the order or the separation of duties would be broken,
    /// or another pack is meant; that is recorded as a failure. Or when store or disk fail.
    pub async fn sign(
        &self,
        permit: Permit<ReportSign>,
        signer: Signer,
        signing: Signing,
    ) -> Result<ReportRecord, ReportsError> {
        let taken = match self.taken(&permit, signer, &signing) {
            Ok(taken) => taken,
            Err(cause) => {
                let failed = Outcome::Failed(cause.code().into());
                let event =
                    permit.into_event(failed, &*self.clock).with(STEP_DETAIL, signing.step.word());
                self.store.commit(Batch::new().essential().event(event)).await?;
                return Err(cause);
            }
        };
        let Taken { mut record, expect, approved } = taken;
        let guard = permit.guard();
        let signed = record.signatures.last();
        let mut event = permit
            .into_event(Outcome::Done, &*self.clock)
            .with(STEP_DETAIL, signing.step.word())
            .with(PACK_DETAIL, signing.pack)
            .with("role", signed.map_or("", |signature| signature.by.role.as_str()));
        if let Some(reason) = signing.reason {
            event = event.with("reason", reason);
        }
        if let Some(statement) = &record.approved {
            event = event.with(STATEMENT_DETAIL, statement.clone());
        }
        let batch = self.keep(&record, expect).guard(guard).event(event);
        let committed = self.store.commit(batch).await?;
        if let Some(signature) = record.signatures.last_mut() {
            signature.recorded_at = Some(LogPosition(committed.positions.start));
        }
        self.store.commit(self.keep(&record, Expect::Any)).await?;
        if let Some(draft) = approved {
            self.close_final(&record, draft)?;
        }
        Ok(record)
    }

    fn taken(
        &self,
        permit: &Permit<ReportSign>,
        signer: Signer,
        signing: &Signing,
    ) -> Result<Taken, ReportsError> {
        if !permit.is_live(&*self.clock) {
            return Err(ReportsError::PermitOver);
        }
        let id: ReportId = permit.resource_id().ok_or(ReportsError::NoReport)?;
        let (mut record, expect) = self.record(id)?.ok_or(ReportsError::NoReport)?;
        let Principal::Person(person) = permit.caller().principal else {
            return Err(SigningError::NotAPerson.into());
        };
        let who = person.to_string();
        may_follow(&record, &who, signing)?;
        let pack = self.kept_pack(&record)?;
        if record.pack.as_deref() != Some(signing.pack.as_str()) {
            return Err(SigningError::OtherPack.into());
        }
        let by = Signatory { who, name: signer.name, role: signer.role, at: permit.decided_at() };
        let (pack_hash, reason) = (signing.pack.clone(), signing.reason.clone());
        let step = signing.step;
        record.signatures.push(Signature { step, by, pack: pack_hash, reason, recorded_at: None });
        let approved = match step {
            Step::Approve => {
                let draft = self.final_draft(&record, pack)?;
                record.approved = Some(draft.digest());
                Some(draft)
            }
            Step::Review | Step::Return => None,
        };
        Ok(Taken { record, expect, approved })
    }

    /// The pack as it was made; one that was altered on disk is not signed.
    fn kept_pack(&self, record: &ReportRecord) -> Result<Vec<u8>, ReportsError> {
        let known = record.pack.as_deref().ok_or(ReportsError::NoPack)?;
        let bytes = std::fs::read(self.path(record.id)).map_err(|_| ReportsError::NoPack)?;
        if hex(&Hash::of(&bytes).0) != known {
            return Err(SigningError::PackAltered.into());
        }
        Ok(bytes)
    }

    /// The documents of the final pack: the report that was signed, with three names in it.
    fn final_draft(&self, record: &ReportRecord, signed: Vec<u8>) -> Result<Draft, ReportsError> {
        let files = documents::pack::read(&signed).map_err(MakePackError::from)?;
        let json = files.get(crate::JSON).map_or(&[][..], Vec::as_slice);
        let mut report: Report = serde_json::from_slice(json).map_err(ComplyError::from)?;
        for signature in &record.signatures {
            let by = Some(signature.by.clone());
            match signature.step {
                Step::Review => report.signatories.reviewer = by,
                Step::Approve => report.signatories.approver = by,
                Step::Return => {}
            }
        }
        let draft = Draft::approved(&report, &self.compliance.data().glossary, signed);
        Ok(draft.map_err(MakePackError::from)?)
    }

    /// Closes the final pack with the proofs of all three signatures and of what the report rests
    /// on.
    fn close_final(&self, record: &ReportRecord, draft: Draft) -> Result<(), ReportsError> {
        let older = outside(&self.store)?.sizes();
        let json = draft.file(crate::JSON);
        let report: Report = serde_json::from_slice(json).map_err(ComplyError::from)?;
        let mut relied_on: Vec<LogPosition> =
            report.checks.iter().filter_map(|check| check.recorded_at).collect();
        relied_on.push(self.place(record, "report.make", record.recorded_at)?);
        let mut made = None;
        for signature in &record.signatures {
            let at = self.place(record, "report.sign", signature.recorded_at)?;
            relied_on.push(at);
            made = Some(at);
        }
        let made = made.ok_or(ReportsError::NoPack)?;
        let pack = draft.close(&self.log, made, relied_on, older)?;
        put_in_place(&self.final_path(record.id), &pack)?;
        Ok(())
    }

    /// Where an event of a report stands in the log: as noted, or, when the noting was interrupted,
    /// as the newest that the log has.
    fn place(
        &self,
        record: &ReportRecord,
        action: &str,
        noted: Option<LogPosition>,
    ) -> Result<LogPosition, ReportsError> {
        if let Some(position) = noted {
            return Ok(position);
        }
        let mut query = Query {
            action: Some(action.to_owned()),
            resource: Some(format!("report:{}", record.id)),
            from: Some(record.made_at),
            ..Query::default()
        };
        loop {
            let page = self.log.query(&query, 100)?;
            let done = page.events.iter().find(|logged| logged.event.outcome == Outcome::Done);
            if let Some(logged) = done {
                return Ok(logged.position);
            }
            query.before = Some(page.next.ok_or(ReportsError::NoPack)?);
        }
    }

    /// The final pack of an approved report; made again when a stop came between the approval and
    /// the writing. The documents must come out as the approver's event has them.
    pub(crate) fn final_pack(&self, record: &ReportRecord) -> Result<Vec<u8>, ReportsError> {
        let path = self.final_path(record.id);
        if !path.exists() {
            let draft = self.final_draft(record, self.kept_pack(record)?)?;
            if record.approved != Some(draft.digest()) {
                return Err(ReportsError::NoPack);
            }
            self.close_final(record, draft)?;
        }
        self.read_pack(&path)
    }
}

/// Whether this person may take this step now.
fn may_follow(record: &ReportRecord, who: &str, signing: &Signing) -> Result<(), SigningError> {
    let state = record.state();
    match (state, signing.step) {
        (ReportState::Approved | ReportState::Returned, _) => {
            return Err(SigningError::Closed(state));
        }
        (ReportState::Draft, Step::Approve) => return Err(SigningError::NotReviewed),
        (ReportState::Reviewed, Step::Review) => return Err(SigningError::AlreadyReviewed),
        (ReportState::Draft, Step::Review | Step::Return)
        | (ReportState::Reviewed, Step::Approve | Step::Return) => {}
    }
    let signed = record.signatures.iter().any(|signature| signature.by.who == who);
    if record.made_by == who || signed {
        return Err(SigningError::SamePerson);
    }
    let fits = |reason: &String| {
        let hidden = reason.chars().any(|c| c.is_control() && c != '\n');
        !reason.trim().is_empty() && reason.chars().count() <= RETURN_REASON_CHARS_MAX && !hidden
    };
    match (signing.step, &signing.reason) {
        (Step::Return, Some(reason)) if fits(reason) => Ok(()),
        (Step::Review | Step::Approve, None) => Ok(()),
        _ => Err(SigningError::Reason),
    }
}
