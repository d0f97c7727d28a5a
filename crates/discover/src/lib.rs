//! Where sensitive data lies: sources, scans, findings, and what to do about them.
//!
//! **For:** walking the bank's stores (folders, object stores, databases, repositories), having
//! each object inspected by the `work` process, keeping what was found, scoring the risk, and
//! acting on it. **Not for:** parsing formats (that is `extract`, inside the `work` process),
//! recognising values (that is `detect`), judging requirements (that is `comply`).
//!
//! **The way of a scan:** a [`Source`] lists objects in a stable order, page by page; unchanged
//! ones are skipped by their version; each other one is opened as a file descriptor and handed to
//! a worker, whose [`extract::Inspection`] becomes findings in one commit with the scan's cursor.
//!
//! **Invariants:** no byte of an object is parsed in the process that holds keys; values are kept
//! masked and fingerprinted only; a scan resumes at its last committed cursor.

mod act;
mod checks;
mod class;
mod decide;
mod detectors;
mod discover;
mod edit;
mod ending;
mod error;
mod finding;
mod folder;
mod judgement;
mod lease;
mod looks;
mod partition;
mod pass;
mod profile;
mod profiles;
mod publish;
mod reading;
mod records;
mod register;
mod relabel;
pub mod report;
mod risk;
mod running;
mod sandboxed;
mod scan;
mod seams;
mod settle;
mod source;
pub mod sources;
mod summary;
mod told;
pub mod work;

pub use act::{Act, ActRequest};
pub use checks::SourceReading;
pub use class::{Category, Class};
pub use decide::{ACCEPT_DAYS_MAX, SaidNoFind};
pub use detectors::{
    DETECTORS_MAX, Detector, DetectorRule, EXACT_VALUES_MAX, NewDetector, NewRule, TRIED_BYTES_MAX,
    Tried, TriedSpan,
};
pub use discover::{Discover, Ground, SCANS_KEPT};
pub use edit::{EDITS_KEPT, Edit, FieldChange, SourceChange, SourceEdited};
pub use error::DiscoverError;
pub use finding::{
    Acceptance, Finding, FoundColumn, FoundKind, Handled, ShownSample, Standing, shown_name,
};
pub use judgement::{FALSE_POSITIVES_MAX, FalsePositive, NoFind};
pub use lease::{LEASE_PROGRESS_SECONDS_MAX, LEASE_SECONDS, Lease, Runner};
pub use partition::PARTITIONS_AHEAD_MAX;
pub use pass::PAGE_OBJECTS;
pub use profile::{
    Because, Classified, PROFILE_BYTES_MAX, Profile, ProfileError, REASON_CHARS_MAX, RULES_MAX,
    Rule, Tallies, Tally,
};
pub use profiles::{
    Move, PROFILE_VERSIONS_MAX, PROFILES_MAX, ProfileTrial, ProfileVersion, ProfileView,
    TRIED_FINDINGS_MAX, Under,
};
pub use reading::{FindingPage, SourceView, Wanted};
pub use register::{SECRET_BYTES_MAX, SOURCES_MAX};
pub use risk::{Aspect, Circumstances, FEW_READERS, Factor, Level, Risk, Safeguard};
pub use sandboxed::Sandboxed;
pub use scan::{
    Expected, Live, Progress, Scan, ScanState, ScanTrouble, ScanView, TROUBLES_LISTED_MAX,
};
pub use seams::{Inspector, Look, LookFor, Looking, NotReady, OpenSources, Opener, Readying};
pub use source::{
    EVERY_MINUTES_MAX, EVERY_MINUTES_MIN, NewSource, SourceRecord, THROTTLE_BYTES_MIN,
};
pub use sources::{Exposure, Listing, Object, Opened, Source, SourceError, SourceSetting};
pub use summary::Summary;
pub use told::{finding_told, fingerprint_of, hexadecimal, loss_told, source_told};
