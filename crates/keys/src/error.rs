//! Why something with a key did not happen.

use crate::purpose::{NotUsable, StateName};
use crate::state::NotAllowed;
use crate::waiting::StillWaiting;
use access::AccessError;
use audit::LogError;
use kernel::limits::BATCH_ITEMS_MAX;
use kernel::{Problem, ProblemKind, RngUnavailable, Timestamp, VersionNo};
use store::StoreError;
use strongroom::shred::ShredError;
use strongroom::{KeyError, RootError};

/// Why a use case of this crate failed. [`KeysError::code`] is what records and programs see.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// There is no such key, or not in the key domain of the permit.
    #[error("no such key")]
    NoKey,
    /// There is no such key domain.
    #[error("no such key domain")]
    NoDomain,
    /// The key has no such version.
    #[error("the key has no version `{version}`")]
    NoVersion {
        /// The version asked for.
        version: VersionNo,
    },
    /// The name is taken in this key domain, or the key domain's name is taken.
    #[error("the name is taken, choose another")]
    NameTaken,
    /// The permit is older than five seconds.
    #[error("the permit has expired, ask again")]
    PermitExpired,
    /// The key domain was revoked between decision and commit; decide again.
    #[error("something in this key domain was revoked meanwhile, ask again")]
    StaleEpoch,
    /// The record was changed by somebody else meanwhile.
    #[error("the key was changed meanwhile, read it again")]
    Changed,
    /// The state of the version forbids the use.
    #[error(transparent)]
    NotUsable(#[from] NotUsable),
    /// The state of the version forbids the change.
    #[error(transparent)]
    NotAllowed(#[from] NotAllowed),
    /// The version is compromised and the request does not accept that.
    #[error("the version is compromised; accept that in the request to process old data with it")]
    Compromised,
    /// The key waits for its destruction.
    #[error("the key is to be destroyed, not before {not_before}; recover it first")]
    DestructionScheduled {
        /// When its waiting period ends at the earliest.
        not_before: Timestamp,
    },
    /// No destruction was asked for.
    #[error("no destruction of this key was asked for")]
    NoDestruction,
    /// The waiting period of the destruction has not ended.
    #[error(transparent)]
    StillWaiting(#[from] StillWaiting),
    /// The request's labels are not those that the gate decided about.
    #[error("the labels are not those that were decided about, ask again")]
    OtherLabels,
    /// The key was not made to be given out.
    #[error("the key is not exportable")]
    NotExportable,
    /// More versions than a key may have.
    #[error("the key has as many versions as a key may have, create a new one")]
    TooManyVersions,
    /// More key domains than an installation has.
    #[error("there are as many key domains as an installation may have")]
    TooManyDomains,
    /// More items than a batch may have.
    #[error("a batch has at most {BATCH_ITEMS_MAX} items")]
    TooManyItems,
    /// A waiting period between none and a day, or beyond a year.
    #[error("a waiting period is 0 or between 86400 and 31536000 seconds")]
    WaitingPeriod,
    /// A date lies behind another that it must precede.
    #[error("the key would end before it begins")]
    Dates,
    /// The bytes name no version of a key: not a ciphertext of ours.
    #[error("this is not a ciphertext of this key")]
    NotACiphertext,
    /// The strongroom refused or could not do it.
    #[error(transparent)]
    Room(KeyError),
    /// The root could not be changed.
    #[error(transparent)]
    Root(#[from] RootError),
    /// The material could not be shredded.
    #[error(transparent)]
    Shred(#[from] ShredError),
    /// More keys than one act can stop.
    #[error("more than `{keys_max}` keys, narrow the request")]
    TooManyKeys {
        /// The limit.
        keys_max: usize,
    },
    /// More names of what stops than a record keeps.
    #[error("at most 500 names of what stops")]
    TooManyStops,
    /// The place in the list is not one that a page gave.
    #[error("`after` is not a place in this list")]
    NoPlace,
    /// The store failed.
    #[error(transparent)]
    Store(StoreError),
    /// Others have not approved exactly this, or what they approved is used up.
    #[error(transparent)]
    Approval(Box<AccessError>),
    /// The server ends; what was begun has not happened.
    #[error("the server is stopping")]
    Stopping,
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// No randomness.
    #[error(transparent)]
    Randomness(#[from] RngUnavailable),
}

impl KeysError {
    /// The stable code, as records and programs see it.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoKey => "no-key",
            Self::NoDomain => "no-domain",
            Self::NoVersion { .. } => "no-version",
            Self::NameTaken => "name-taken",
            Self::PermitExpired => "permit-expired",
            Self::StaleEpoch => "stale-epoch",
            Self::Changed => "version-conflict",
            Self::NotUsable(NotUsable { state, .. }) => match state {
                StateName::PreActive => "key-pre-active",
                StateName::Active => "key-active",
                StateName::Suspended => "key-suspended",
                StateName::Deactivated => "key-deactivated",
                StateName::Compromised => "key-compromised",
                StateName::Destroyed | StateName::DestroyedCompromised => "key-destroyed",
            },
            Self::NotAllowed(_) => "transition-not-allowed",
            Self::Compromised => "key-compromised",
            Self::DestructionScheduled { .. } => "destruction-scheduled",
            Self::NoDestruction => "no-destruction",
            Self::StillWaiting(_) => "still-waiting",
            Self::OtherLabels => "other-labels",
            Self::NotExportable => "not-exportable",
            Self::TooManyVersions => "too-many-versions",
            Self::TooManyDomains => "too-many-domains",
            Self::TooManyItems => "too-many-items",
            Self::WaitingPeriod => "waiting-period",
            Self::Dates => "dates",
            Self::NotACiphertext => "not-a-ciphertext",
            Self::Room(cause) => match cause {
                KeyError::WrongPermit => "wrong-permit",
                KeyError::PermitExpired => "permit-expired",
                KeyError::NotCapable { .. } => "not-capable",
                KeyError::NotOpened => "not-opened",
                KeyError::TooLarge { .. } => "too-large",
                KeyError::Malformed { .. } => "malformed",
                KeyError::Forgotten => "key-not-open",
                KeyError::AllInUse => "too-many-keys-open",
                KeyError::Rng(_) => "no-randomness",
                KeyError::Root(_) => "root",
            },
            Self::Root(_) => "root",
            Self::Shred(_) => "shred",
            Self::TooManyKeys { .. } => "too-many-keys",
            Self::TooManyStops => "too-many-stops",
            Self::NoPlace => "no-place",
            Self::Store(_) => "store",
            Self::Approval(_) => "approval-needed",
            Self::Stopping => "stopping",
            Self::Log(_) => "log",
            Self::Randomness(_) => "no-randomness",
        }
    }

    /// Whether a new permit for the same request may succeed: the door decides again.
    #[must_use]
    pub const fn decide_again(&self) -> bool {
        matches!(
            self,
            Self::StaleEpoch
                | Self::Changed
                | Self::PermitExpired
                | Self::OtherLabels
                | Self::Room(KeyError::Forgotten)
        )
    }
}

impl From<KeyError> for KeysError {
    fn from(cause: KeyError) -> Self {
        match cause {
            KeyError::PermitExpired => Self::PermitExpired,
            KeyError::Rng(cause) => Self::Randomness(cause),
            KeyError::Root(cause) => Self::Root(cause),
            cause => Self::Room(cause),
        }
    }
}

impl From<AccessError> for KeysError {
    fn from(cause: AccessError) -> Self {
        Self::Approval(Box::new(cause))
    }
}

impl From<StoreError> for KeysError {
    fn from(cause: StoreError) -> Self {
        match cause {
            StoreError::StaleEpoch { .. } => Self::StaleEpoch,
            StoreError::VersionConflict { .. } => Self::Changed,
            StoreError::NotUnique { .. } => Self::NameTaken,
            cause => Self::Store(cause),
        }
    }
}

impl From<KeysError> for Problem {
    fn from(cause: KeysError) -> Self {
        let kind = match cause {
            KeysError::NoKey => return Self::not_found("key"),
            KeysError::NoDomain => return Self::not_found("key domain"),
            KeysError::Store(cause) => return cause.into(),
            KeysError::Room(cause) => return cause.into(),
            KeysError::Root(cause) => return cause.into(),
            KeysError::Shred(cause) => return cause.into(),
            KeysError::Approval(cause) => return (*cause).into(),
            KeysError::Log(cause) => return cause.into(),
            KeysError::Randomness(cause) => return cause.into(),
            KeysError::Stopping => ProblemKind::Unavailable,
            KeysError::NoVersion { .. } => ProblemKind::NotFound,
            KeysError::NameTaken
            | KeysError::StaleEpoch
            | KeysError::Changed
            | KeysError::NotUsable(_)
            | KeysError::NotAllowed(_)
            | KeysError::Compromised
            | KeysError::DestructionScheduled { .. }
            | KeysError::NoDestruction
            | KeysError::StillWaiting(_)
            | KeysError::TooManyDomains
            | KeysError::TooManyVersions => ProblemKind::Conflict,
            KeysError::PermitExpired | KeysError::NotExportable | KeysError::OtherLabels => {
                ProblemKind::Refused
            }
            KeysError::WaitingPeriod
            | KeysError::Dates
            | KeysError::NotACiphertext
            | KeysError::NoPlace => ProblemKind::Invalid,
            KeysError::TooManyItems | KeysError::TooManyKeys { .. } | KeysError::TooManyStops => {
                ProblemKind::TooLarge
            }
        };
        Self::new(kind, cause.code(), cause.to_string())
    }
}
