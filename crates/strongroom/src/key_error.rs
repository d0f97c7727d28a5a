//! Why an operation with a key did not happen.

use crate::algorithm::{Algorithm, Capability};
use crate::derive::NotOpened;
use crate::room::RootError;
use kernel::{Problem, ProblemKind, RngUnavailable};

/// Why an operation with a key did not happen.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The permit is for another key or another key domain.
    #[error("the permit is not for this key")]
    WrongPermit,
    /// The permit is older than five seconds.
    #[error("the permit has expired; ask again")]
    PermitExpired,
    /// The key does not do this.
    #[error("a key of `{algorithm}` cannot `{needed}`")]
    NotCapable {
        /// The key's algorithm.
        algorithm: Algorithm,
        /// What was asked.
        needed: &'static str,
    },
    /// A cryptographic check failed: wrong key, wrong version, wrong context or altered bytes.
    #[error("the input does not belong to this key or was altered")]
    NotOpened,
    /// An input is longer than a limit.
    #[error("`{field}` is longer than {bytes_max} bytes")]
    TooLarge {
        /// Which input.
        field: &'static str,
        /// The limit.
        bytes_max: usize,
    },
    /// An input is not what it must be.
    #[error("`{field}` is not {wanted}")]
    Malformed {
        /// Which input.
        field: &'static str,
        /// What it must be.
        wanted: &'static str,
    },
    /// The key was suspended, destroyed or shredded since it was opened.
    #[error("the key is no longer open")]
    Forgotten,
    /// More keys are in use at one time than fit.
    #[error("too many keys are in use at this moment")]
    AllInUse,
    /// No randomness.
    #[error(transparent)]
    Rng(#[from] RngUnavailable),
    /// The root does not give what is needed.
    #[error(transparent)]
    Root(#[from] RootError),
}

impl KeyError {
    /// A shred key that is gone looks like any other wrong wrapping.
    pub(crate) fn of_shred_key(cause: RootError) -> Self {
        match cause {
            RootError::Sealed => Self::Root(cause),
            _ => Self::NotOpened,
        }
    }

    pub(crate) const fn lacks(algorithm: Algorithm, capability: Capability) -> Self {
        let needed = match capability {
            Capability::Encrypt => "encrypt",
            Capability::DataKey => "data-key",
            Capability::Sign => "sign",
            Capability::Mac => "mac",
            Capability::Agree => "agree",
            Capability::Encapsulate => "encapsulate",
            Capability::Wrap => "wrap",
            Capability::Export => "export",
        };
        Self::NotCapable { algorithm, needed }
    }
}

impl From<NotOpened> for KeyError {
    fn from(_: NotOpened) -> Self {
        Self::NotOpened
    }
}

impl From<aws_lc_rs::error::Unspecified> for KeyError {
    fn from(_: aws_lc_rs::error::Unspecified) -> Self {
        Self::NotOpened
    }
}

impl From<KeyError> for Problem {
    fn from(cause: KeyError) -> Self {
        let text = cause.to_string();
        match cause {
            KeyError::WrongPermit => Self::new(ProblemKind::Refused, "wrong-permit", text),
            KeyError::PermitExpired => Self::new(ProblemKind::Refused, "permit-expired", text),
            KeyError::NotCapable { .. } => Self::new(ProblemKind::Invalid, "not-capable", text),
            KeyError::NotOpened => Self::new(ProblemKind::Invalid, "not-opened", text),
            KeyError::TooLarge { field, .. } => {
                let mut problem = Self::field(format!("/{field}"), text);
                problem.kind = ProblemKind::TooLarge;
                problem
            }
            KeyError::Malformed { field, .. } => Self::field(format!("/{field}"), text),
            KeyError::Forgotten => Self::new(ProblemKind::Conflict, "key-not-open", text),
            KeyError::AllInUse => Self::new(ProblemKind::Unavailable, "too-many-keys", text),
            KeyError::Rng(cause) => cause.into(),
            KeyError::Root(cause) => cause.into(),
        }
    }
}
