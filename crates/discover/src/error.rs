//! What can go wrong with discovery, and how it is told.

use crate::lease::LeaseLost;
use crate::partition::NotTaken;
use crate::profile::ProfileError;
use crate::sources::SourceError;
use access::AccessError;
use inventory::InventoryError;
use kernel::{Problem, ProblemKind, RngUnavailable};
use keys::KeysError;
use keys::envelope::EnvelopeError;
use store::StoreError;

/// Why something was not done; nothing was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DiscoverError {
    /// The permit is too old.
    #[error("the permit has expired, ask again")]
    PermitExpired,
    /// No such source, or it is another key domain's.
    #[error("no such source")]
    NoSource,
    /// No such scan.
    #[error("no such scan")]
    NoScan,
    /// The lease is over, or it is somebody else's.
    #[error("the lease is over or somebody else's; take new work")]
    LeaseLost,
    /// A report speaks of an object that is not left in its partition.
    #[error("an object of the report is not left in its partition")]
    NotLeft,
    /// No such finding, or it is another key domain's.
    #[error("no such finding")]
    NoFinding,
    /// Nothing of that name was said to be no find.
    #[error("nothing of that name was said to be no find")]
    NoNoFind,
    /// No such detector.
    #[error("no such detector")]
    NoDetector,
    /// No such profile.
    #[error("no classification profile is called `{0}`")]
    NoProfile(String),
    /// A source of this name exists.
    #[error("a source of this name exists in the key domain")]
    NameTaken,
    /// The source is being scanned.
    #[error("the source is being scanned; cancel the scan first")]
    Scanning,
    /// No scan of the source is under way.
    #[error("no scan of the source is under way")]
    NotScanning,
    /// The installation is being closed.
    #[error("the installation is being closed")]
    Closing,
    /// A value breaks a rule.
    #[error("`{field}`: {rule}")]
    Value {
        /// The JSON pointer of the field.
        field: &'static str,
        /// What it must be.
        rule: &'static str,
    },
    /// More of something than there may be.
    #[error("there are too many {0} already")]
    TooMany(&'static str),
    /// This kind of source cannot do that.
    #[error("objects of this kind of source cannot be acted on from here")]
    CannotAct,
    /// The finding stands where the act makes no sense.
    #[error("the finding is `{0}`; this cannot be done to it now")]
    Standing(&'static str),
    /// The object is not what it was when it was found.
    #[error("the object has changed or is gone; scan again first")]
    Changed,
    /// The disk refuses.
    #[error("the object cannot be moved, read or written")]
    Disk(#[source] std::io::Error),
    /// A detector is none.
    #[error(transparent)]
    Detector(#[from] detect::CustomError),
    /// A profile is none.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// The source.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The detectors cannot be made ready.
    #[error("the detectors of the scan cannot be made ready")]
    NotReady(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Approvals.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// Keys.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// Envelope files.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
    /// The inventory.
    #[error(transparent)]
    Inventory(#[from] InventoryError),
    /// The table of regions.
    #[error(transparent)]
    Regions(#[from] inventory::RegionsError),
    /// A report could not be written.
    #[error(transparent)]
    Workbook(#[from] documents::xlsx::WorkbookError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No randomness.
    #[error(transparent)]
    Randomness(#[from] RngUnavailable),
}

impl DiscoverError {
    /// The stable code, as records and programs see it.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::PermitExpired => "permit-expired",
            Self::NoSource => "no-source",
            Self::NoScan => "no-scan",
            Self::LeaseLost => "lease-lost",
            Self::NotLeft => "not-left",
            Self::NoFinding => "no-finding",
            Self::NoNoFind => "no-no-find",
            Self::NoDetector => "no-detector",
            Self::NoProfile(_) => "no-profile",
            Self::NameTaken => "name-taken",
            Self::Scanning => "scanning",
            Self::NotScanning => "not-scanning",
            Self::Closing => "closing",
            Self::Value { .. } => "invalid-field",
            Self::TooMany(_) => "too-many",
            Self::CannotAct => "cannot-act",
            Self::Standing(_) => "standing",
            Self::Changed => "object-changed",
            Self::Disk(_) => "object-disk",
            Self::Detector(_) => "detector",
            Self::Profile(_) => "profile",
            Self::Source(_) => "source",
            Self::NotReady(_) => "detectors-not-ready",
            Self::Access(_) => "access",
            Self::Keys(_) => "keys",
            Self::Envelope(_) => "envelope",
            Self::Inventory(_) => "inventory-failed",
            Self::Regions(_) => "regions",
            Self::Workbook(_) => "workbook",
            Self::Store(_) => "store-failed",
            Self::Randomness(_) => "no-randomness",
        }
    }

    /// Whether the same request may succeed when the gate is asked again.
    #[must_use]
    pub const fn decide_again(&self) -> bool {
        match self {
            Self::PermitExpired => true,
            Self::Store(error) => error.is_retryable(),
            _ => false,
        }
    }
}

impl From<LeaseLost> for DiscoverError {
    fn from(_: LeaseLost) -> Self {
        Self::LeaseLost
    }
}

impl From<NotTaken> for DiscoverError {
    fn from(why: NotTaken) -> Self {
        match why {
            NotTaken::Lost(_) => Self::LeaseLost,
            NotTaken::NotLeft => Self::NotLeft,
        }
    }
}

impl From<DiscoverError> for Problem {
    fn from(error: DiscoverError) -> Self {
        let code = error.code();
        let kind = match error {
            DiscoverError::NoSource => return Self::not_found("source"),
            DiscoverError::NoScan => return Self::not_found("scan"),
            DiscoverError::NoFinding => return Self::not_found("finding"),
            DiscoverError::NoNoFind => return Self::not_found("decision"),
            DiscoverError::NoDetector => return Self::not_found("detector"),
            DiscoverError::Value { field, rule } => return Self::field(field, rule),
            DiscoverError::NoProfile(_) => return Self::field("/profile", error.to_string()),
            DiscoverError::Profile(cause) => {
                let pointer = format!("/profile{}", cause.pointer());
                return Self::field(pointer, cause.to_string());
            }
            DiscoverError::Detector(cause) => return cause.into(),
            DiscoverError::Store(cause) => return cause.into(),
            DiscoverError::Access(cause) => return cause.into(),
            DiscoverError::Keys(cause) => return cause.into(),
            DiscoverError::Inventory(cause) => return cause.into(),
            DiscoverError::Randomness(cause) => return cause.into(),
            DiscoverError::PermitExpired
            | DiscoverError::NameTaken
            | DiscoverError::LeaseLost
            | DiscoverError::NotLeft
            | DiscoverError::Scanning
            | DiscoverError::NotScanning
            | DiscoverError::CannotAct
            | DiscoverError::Standing(_)
            | DiscoverError::Changed => ProblemKind::Conflict,
            DiscoverError::Source(SourceError::Setting(_)) => ProblemKind::Invalid,
            DiscoverError::TooMany(_) => ProblemKind::TooLarge,
            DiscoverError::Closing
            | DiscoverError::Source(_)
            | DiscoverError::Disk(_)
            | DiscoverError::NotReady(_)
            | DiscoverError::Envelope(_) => ProblemKind::Unavailable,
            DiscoverError::Regions(_) | DiscoverError::Workbook(_) => ProblemKind::Internal,
        };
        Self::new(kind, code, error.to_string())
    }
}
