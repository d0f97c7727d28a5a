//! What can go wrong with the inventory, and how it is told.

use crate::{AssetRef, RegisterError};
use kernel::{Problem, ProblemKind};
use store::StoreError;

/// Why the inventory did not do what was asked; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum InventoryError {
    /// The permit is too old.
    #[error("the permit has expired, ask again")]
    PermitExpired,
    /// A publication touches more records than one commit takes.
    #[error("the publication touches {0} records; one commit takes 4,000, split it")]
    TooLarge(usize),
    /// What is told belongs to another key domain than the one that was allowed.
    #[error("`{0}` belongs to another key domain")]
    OtherDomain(AssetRef),
    /// The register does not take it.
    #[error("the register does not take it")]
    Register(#[from] RegisterError),
    /// What came of an import could not be written down or read back.
    #[error("what came of the import could not be written down")]
    Encoding(#[from] serde_json::Error),
    /// The store failed.
    #[error("the store failed")]
    Store(#[from] StoreError),
}

impl InventoryError {
    /// The code in the log for what was allowed and failed.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::PermitExpired => "permit-expired",
            Self::TooLarge(_) => "too-large",
            Self::OtherDomain(_) => "other-domain",
            Self::Register(RegisterError::Unknown(_)) => "unknown-asset",
            Self::Register(RegisterError::Twice(_)) => "told-twice",
            Self::Register(RegisterError::KnownBetter { .. }) => "known-better",
            Self::Register(RegisterError::History { .. }) => "history-full",
            Self::Register(RegisterError::Randomness(_)) => "no-randomness",
            Self::Encoding(_) => "encoding-failed",
            Self::Store(_) => "store-failed",
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

impl From<InventoryError> for Problem {
    fn from(error: InventoryError) -> Self {
        let code = error.code();
        match error {
            InventoryError::Store(cause) => cause.into(),
            InventoryError::Register(RegisterError::Randomness(cause)) => cause.into(),
            InventoryError::PermitExpired => {
                Self::new(ProblemKind::Conflict, code, error.to_string())
            }
            InventoryError::Encoding(_) => {
                Self::new(ProblemKind::Internal, code, error.to_string())
            }
            InventoryError::TooLarge(_) => {
                Self::new(ProblemKind::TooLarge, code, error.to_string())
            }
            InventoryError::OtherDomain(_) => {
                Self::new(ProblemKind::Conflict, code, error.to_string())
            }
            InventoryError::Register(
                cause @ (RegisterError::Unknown(_) | RegisterError::Twice(_)),
            ) => Self::new(ProblemKind::Invalid, code, cause.to_string()),
            InventoryError::Register(cause) => {
                Self::new(ProblemKind::Conflict, code, cause.to_string())
            }
        }
    }
}
