//! What can go wrong in this room.

use crate::approvals::ApprovalError;
use crate::duties::Conflict;
use crate::password::PasswordProblem;
use crate::policy::EngineError;
use crate::roles::Role;
use kernel::{LabelError, Problem, ProblemKind, RngUnavailable};
use store::StoreError;
use strongroom::PasswordError;

/// Why something was not done. Refused proofs are one variant each and never say which part failed.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// Name and password do not go together, or the account cannot sign in.
    #[error("the name, the password or the code is not right")]
    SignInRefused,
    /// Too many attempts from this source.
    #[error("too many attempts from here, try again in {seconds} seconds")]
    TooManyAttempts {
        /// How long to wait.
        seconds: u64,
    },
    /// A proof that the person was to give once more is wrong.
    #[error("the password or the code is not right, nothing was changed")]
    ProofRefused,
    /// The session is unknown or over.
    #[error("the session is over, sign in again")]
    SessionOver,
    /// The token is unknown, expired or revoked.
    #[error("the token is not accepted")]
    TokenRefused,
    /// The certificate belongs to no service.
    #[error("the client certificate belongs to no service")]
    CertificateRefused,
    /// The one-time link is unknown, used or over.
    #[error("the link is not valid any more, ask for a new one")]
    LinkRefused,
    /// The first step of enrolment, which shows the seed of codes, was left out.
    #[error("the one-time code is not set up yet, open the link again")]
    EnrolmentNotBegun,
    /// There are people already: the first administrator is made once.
    #[error("the first administrator exists already")]
    NotFirst,
    /// The way in of an installation where nobody has enrolled is the first administrator's link.
    #[error("nobody has enrolled yet: use the first administrator's link")]
    NobodyLost,
    /// Somebody has the sign-in name already.
    #[error("somebody has this sign-in name already")]
    NameTaken,
    /// It was done under the same idempotency key, and its secret was shown then.
    #[error("this was done before, and what it gave is shown once only")]
    ShownOnce,
    /// The password is not acceptable.
    #[error(transparent)]
    Password(#[from] PasswordProblem),
    /// No such person, service, token or assignment.
    #[error("no such {0}")]
    NoSuch(&'static str),
    /// A sign-in name breaks the rule.
    #[error("a sign-in name has 1 to 64 of a-z, 0-9, `.`, `-`, `_`")]
    SignInName,
    /// A text is empty or too long.
    #[error("`{0}` has 1 to 2000 characters")]
    Text(&'static str),
    /// A name breaks the rule.
    #[error(transparent)]
    Name(#[from] LabelError),
    /// Two roles do not go together.
    #[error("`{}` does not go together with `{}`: {}", .0.other, .0.held, .0.reason)]
    Separation(Conflict),
    /// The role is not for people, not for services, or never given by hand.
    #[error("`{0}` cannot be given to this identity")]
    RoleNotForHolder(Role),
    /// The role is for the whole installation only.
    #[error("`{0}` is given for the installation, not for one key domain")]
    RoleNotForDomain(Role),
    /// The role needs an end, at most 90 days ahead.
    #[error("`{0}` is given until a date at most 90 days ahead")]
    TimeBox(Role),
    /// A date lies behind us or too far ahead.
    #[error("`{field}` must lie between now and {days_max} days ahead")]
    Date {
        /// The field.
        field: &'static str,
        /// How far ahead it may lie.
        days_max: i64,
    },
    /// The limit of something is reached.
    #[error("at most {max} {what}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// The limit.
        max: usize,
    },
    /// The owner of a service may not be one who manages users or policy.
    #[error("the owner of a service must be an active person who does not manage users or policy")]
    Owner,
    /// Whoever gives rights does not give them to themselves, nor to a group they are in.
    #[error("nobody gives rights to themselves, somebody else must do it")]
    Own,
    /// Nobody else could do it any more.
    #[error("this person is the last `{0}`, appoint another first")]
    Last(Role),
    /// The permit was held for more than five seconds.
    #[error("the permit has run out, ask again")]
    PermitOver,
    /// Others must approve first.
    #[error(transparent)]
    Approval(#[from] ApprovalError),
    /// The store did not take or give it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The strongroom could not judge a password or a code.
    #[error(transparent)]
    Room(#[from] PasswordError),
    /// The policies cannot be loaded.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// No randomness.
    #[error(transparent)]
    Rng(#[from] RngUnavailable),
}

impl AccessError {
    /// The stable code of this refusal or failure.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::SignInRefused => "sign-in-refused",
            Self::TooManyAttempts { .. } => "too-many-attempts",
            Self::ProofRefused => "proof-refused",
            Self::SessionOver => "session-over",
            Self::TokenRefused => "token-refused",
            Self::CertificateRefused => "certificate-refused",
            Self::LinkRefused => "link-refused",
            Self::EnrolmentNotBegun => "enrolment-not-begun",
            Self::NotFirst => "not-first",
            Self::NobodyLost => "nobody-lost",
            Self::NameTaken => "name-taken",
            Self::ShownOnce => "shown-once",
            Self::NoSuch(_) => "not-found",
            Self::Separation(_) => "separation-of-duties",
            Self::TooMany { .. } => "too-many",
            Self::Last(_) => "last-administrator",
            Self::Own => "own-rights",
            Self::PermitOver => "permit-over",
            Self::Password(_)
            | Self::SignInName
            | Self::Text(_)
            | Self::Name(_)
            | Self::RoleNotForHolder(_)
            | Self::RoleNotForDomain(_)
            | Self::TimeBox(_)
            | Self::Date { .. }
            | Self::Owner => "invalid-field",
            Self::Approval(error) => error.code(),
            Self::Store(_) => "store-failed",
            Self::Room(_) => "password-store",
            Self::Engine(_) => "policy-failed",
            Self::Rng(_) => "no-randomness",
        }
    }
}

impl From<AccessError> for Problem {
    fn from(error: AccessError) -> Self {
        use ProblemKind as Kind;
        let kind = match &error {
            AccessError::SignInRefused
            | AccessError::SessionOver
            | AccessError::TokenRefused
            | AccessError::CertificateRefused
            | AccessError::LinkRefused => Kind::Unauthenticated,
            AccessError::ProofRefused => Kind::Refused,
            AccessError::TooManyAttempts { .. } => Kind::TooManyRequests,
            AccessError::EnrolmentNotBegun
            | AccessError::NotFirst
            | AccessError::NobodyLost
            | AccessError::NameTaken
            | AccessError::ShownOnce
            | AccessError::Separation(_)
            | AccessError::TooMany { .. }
            | AccessError::Last(_)
            | AccessError::Own
            | AccessError::PermitOver => Kind::Conflict,
            AccessError::Engine(_) => Kind::Internal,
            AccessError::NoSuch(what) => return Self::not_found(what),
            AccessError::Password(_) => return Self::field("/password", error.to_string()),
            AccessError::SignInName => return Self::field("/sign_in_name", error.to_string()),
            AccessError::Name(_) => return Self::field("/name", error.to_string()),
            AccessError::Owner => return Self::field("/owner", error.to_string()),
            AccessError::TimeBox(_) => return Self::field("/until", error.to_string()),
            AccessError::RoleNotForHolder(_) | AccessError::RoleNotForDomain(_) => {
                return Self::field("/role", error.to_string());
            }
            AccessError::Text(field) | AccessError::Date { field, .. } => {
                return Self::field(format!("/{field}"), error.to_string());
            }
            AccessError::Approval(_)
            | AccessError::Store(_)
            | AccessError::Room(_)
            | AccessError::Rng(_) => return of_cause(error),
        };
        Self::new(kind, error.code(), error.to_string())
    }
}

/// Problems that another module words itself.
fn of_cause(error: AccessError) -> Problem {
    match error {
        AccessError::Approval(cause) => cause.into(),
        AccessError::Store(cause) => cause.into(),
        AccessError::Room(cause) => cause.into(),
        AccessError::Rng(cause) => cause.into(),
        other => Problem::new(ProblemKind::Internal, other.code(), other.to_string()),
    }
}
