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

impl From<AccessError> for Problem {
    fn from(error: AccessError) -> Self {
        use ProblemKind as Kind;
        let (kind, code) = match &error {
            AccessError::SignInRefused => (Kind::Unauthenticated, "sign-in-refused"),
            AccessError::TooManyAttempts { .. } => (Kind::TooManyRequests, "too-many-attempts"),
            AccessError::SessionOver => (Kind::Unauthenticated, "session-over"),
            AccessError::TokenRefused => (Kind::Unauthenticated, "token-refused"),
            AccessError::CertificateRefused => (Kind::Unauthenticated, "certificate-refused"),
            AccessError::LinkRefused => (Kind::Unauthenticated, "link-refused"),
            AccessError::EnrolmentNotBegun => (Kind::Conflict, "enrolment-not-begun"),
            AccessError::NotFirst => (Kind::Conflict, "not-first"),
            AccessError::Password(_) => return Self::field("/password", error.to_string()),
            AccessError::NoSuch(what) => return Self::not_found(what),
            AccessError::SignInName => return Self::field("/sign_in_name", error.to_string()),
            AccessError::Text(field) => return Self::field(format!("/{field}"), error.to_string()),
            AccessError::Name(_) => return Self::field("/name", error.to_string()),
            AccessError::Separation(_) => (Kind::Conflict, "separation-of-duties"),
            AccessError::RoleNotForHolder(_) | AccessError::RoleNotForDomain(_) => {
                return Self::field("/role", error.to_string());
            }
            AccessError::TimeBox(_) => return Self::field("/until", error.to_string()),
            AccessError::Date { field, .. } => {
                return Self::field(format!("/{field}"), error.to_string());
            }
            AccessError::TooMany { .. } => (Kind::Conflict, "too-many"),
            AccessError::Owner => return Self::field("/owner", error.to_string()),
            AccessError::Last(_) => (Kind::Conflict, "last-administrator"),
            AccessError::PermitOver => (Kind::Conflict, "permit-over"),
            AccessError::Engine(_) => (Kind::Internal, "policy-failed"),
            AccessError::Approval(_)
            | AccessError::Store(_)
            | AccessError::Room(_)
            | AccessError::Rng(_) => return Self::of_cause(error),
        };
        Self::new(kind, code, error.to_string())
    }
}

/// Problems that another module words itself.
trait OfCause {
    fn of_cause(error: AccessError) -> Self;
}

impl OfCause for Problem {
    fn of_cause(error: AccessError) -> Self {
        match error {
            AccessError::Approval(cause) => cause.into(),
            AccessError::Store(cause) => cause.into(),
            AccessError::Room(cause) => cause.into(),
            AccessError::Rng(cause) => cause.into(),
            other => Self::new(ProblemKind::Internal, "access-failed", other.to_string()),
        }
    }
}
