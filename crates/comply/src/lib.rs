//! Where the bank stands against each requirement, and why: catalogue, checks, statuses, guides.
//!
//! **For:** the catalogue of requirements with what is and is not official about its text, the
//! institution's profile, checks as data over facts, runs of them over a period, the status of each
//! requirement, the guidelines answered point by point, and the [`Report`] as plain data.
//!
//! **Not for:** gathering facts (each slice's adapter is a [`FactSource`]; what the inventory knows
//! is read by [`inventory_facts`]), writing documents (that is `documents`), legal advice.
//!
//! **The way of a status:** sources give [`Fact`]s, checked against the vocabulary in
//! `data/facts.yaml`; [`run`] holds the checks of `data/checks.yaml` over them and gives a
//! [`CheckRun`]; [`judge`] turns the newest result of each check of a requirement, the profile and
//! what the bank decided ([`Standing`]) into a [`Judgement`]; [`assess`] does so for all.
//!
//! **Invariants:** no data, an error, a stale reading or an empty population is never a pass; the
//! worst check decides; a status is no stronger than its weakest input; *met* and *not met* are
//! said only of text that the bank has confirmed; nothing leaves the denominator: the counts of an
//! assessment add up to the whole catalogue, and there is no percentage.

mod assessment;
mod capabilities;
mod catalogue;
mod check;
mod document;
mod error;
mod expression;
mod fact;
mod glossary;
mod guide;
mod inventory_facts;
mod keep;
pub mod pack;
mod page;
mod period;
mod profile;
mod records;
mod report;
mod reports;
mod run;
mod signing;
mod standing;
mod status;

pub use assessment::{Assessment, Judged, SourceCounts, assess};
pub use capabilities::{Capabilities, CapabilitiesError, Capability, CapabilityState};
pub use catalogue::{
    AppliesTo, Catalogue, CatalogueError, CheckKind, Confidence, Layer, ReadDepth, Requirement,
    RequirementId, Responsibility, Source, Stage, TextStatus,
};
pub use check::{Check, CheckError, CheckId, Checks, Severity};
pub use document::{DocumentError, HTML, JSON, OSCAL_CATALOG, OSCAL_RESULTS, WORKBOOK, documents};
pub use error::{ComplyError, DataError};
pub use expression::{Expression, ExpressionError};
pub use fact::{
    Answered, Fact, FactSource, Facts, SourceFailure, Vocabulary, VocabularyError, gather,
};
pub use glossary::{FORBIDDEN_WORDS, Glossary, GlossaryError};
pub use guide::{Answer, Guide, GuideItem, GuideSection, GuideView, LiveResult, guide};
pub use inventory_facts::inventory_facts;
pub use keep::{Compliance, ReportRequest, RunSchedule, ShippedData, run_digest};
pub use page::RequirementPage;
pub use period::{CheckPeriod, Period, PeriodError, Stretch, over_period};
pub use profile::{Institution, Origin, Profile};
pub use report::{
    CheckReport, Report, ReportParts, RequirementReport, Signatories, Signatory, Witnessed, report,
};
pub use reports::{REPORTS_LISTED_MAX, ReportRecord, Reports, ReportsError};
pub use run::{CheckResult, CheckRun, FailingItem, ItemError, Outcome, run};
pub use signing::{
    RETURN_REASON_CHARS_MAX, ReportState, Signature, Signer, Signing, SigningError, Step,
};
pub use standing::{Change, ConfirmedText, Decision, DecisionKind, Standing, StandingError};
pub use status::{Judgement, Status, Subject, judge};
