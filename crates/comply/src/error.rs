//! What can go wrong with compliance, and how it is told.

use crate::capabilities::CapabilitiesError;
use crate::catalogue::CatalogueError;
use crate::check::CheckError;
use crate::fact::VocabularyError;
use crate::glossary::GlossaryError;
use crate::standing::StandingError;
use inventory::{InventoryError, RegionsError};
use kernel::{Problem, ProblemKind, RngUnavailable};
use store::StoreError;

/// Why something was not done; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ComplyError {
    /// The permit is too old.
    #[error("the permit has expired, ask again")]
    PermitExpired,
    /// No such requirement in the catalogue.
    #[error("no such requirement")]
    NoRequirement,
    /// No such run.
    #[error("no such run of the checks")]
    NoRun,
    /// The permit is for one requirement where it must be for all, or the other way round.
    #[error("the permit is for something else")]
    OtherResource,
    /// A change that breaks a rule.
    #[error(transparent)]
    Standing(#[from] StandingError),
    /// More runs than one reading takes.
    #[error("the period holds more than 10,000 runs, shorten it")]
    TooManyRuns,
    /// A result could not be written as JSON.
    #[error("a result could not be written")]
    Encoding(#[from] serde_json::Error),
    /// The inventory failed.
    #[error(transparent)]
    Inventory(#[from] InventoryError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No identifier could be made.
    #[error(transparent)]
    Randomness(#[from] RngUnavailable),
    /// Data that ships with this version does not hold together.
    #[error(transparent)]
    Data(#[from] DataError),
}

/// Data that ships with this version does not hold together: never happens to a released one.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// The catalogue.
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
    /// The vocabulary of facts.
    #[error(transparent)]
    Vocabulary(#[from] VocabularyError),
    /// The checks.
    #[error(transparent)]
    Checks(#[from] CheckError),
    /// The capabilities.
    #[error(transparent)]
    Capabilities(#[from] CapabilitiesError),
    /// The glossary.
    #[error(transparent)]
    Glossary(#[from] GlossaryError),
    /// The table of regions.
    #[error(transparent)]
    Regions(#[from] RegionsError),
}

impl ComplyError {
    /// The stable code, as records and programs see it.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::PermitExpired => "permit-expired",
            Self::NoRequirement => "no-requirement",
            Self::NoRun => "no-run",
            Self::OtherResource => "wrong-resource",
            Self::Standing(StandingError::Expiry) => "expiry",
            Self::Standing(StandingError::Reason) => "reason",
            Self::Standing(StandingError::NotGoodPractice) => "not-good-practice",
            Self::Standing(StandingError::TextStatus) => "text-status",
            Self::Standing(StandingError::Layer) => "layer",
            Self::Standing(StandingError::Nothing) => "no-decision",
            Self::TooManyRuns => "too-many-runs",
            Self::Encoding(_) => "encoding",
            Self::Inventory(_) => "inventory-failed",
            Self::Store(_) => "store-failed",
            Self::Randomness(_) => "no-randomness",
            Self::Data(_) => "data",
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

impl From<ComplyError> for Problem {
    fn from(error: ComplyError) -> Self {
        let code = error.code();
        let kind = match error {
            ComplyError::NoRequirement => return Self::not_found("requirement"),
            ComplyError::NoRun => return Self::not_found("run"),
            ComplyError::Standing(cause) => return cause.into(),
            ComplyError::Inventory(cause) => return cause.into(),
            ComplyError::Store(cause) => return cause.into(),
            ComplyError::Randomness(cause) => return cause.into(),
            ComplyError::PermitExpired => ProblemKind::Conflict,
            ComplyError::OtherResource => ProblemKind::Invalid,
            ComplyError::TooManyRuns => ProblemKind::TooLarge,
            ComplyError::Encoding(_) | ComplyError::Data(_) => ProblemKind::Internal,
        };
        Self::new(kind, code, error.to_string())
    }
}
