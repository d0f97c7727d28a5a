//! What a stranger is told when something does not work (RFC 9457 in HTTP, reasons in KMIP).
//!
//! Each slice turns its own errors into a [`Problem`]; each door turns a problem into its protocol.
//! A problem never says which cryptographic check failed, nor whether a thing exists that the
//! caller
//! may not see.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// Families of problems; a door maps each to one status of its protocol.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProblemKind {
    /// The request is not understood or breaks a rule; `fields` says where.
    Invalid,
    /// The caller has not proven who it is.
    Unauthenticated,
    /// The gate refused.
    Refused,
    /// There is no such thing, or the caller may not know of it.
    NotFound,
    /// The thing has changed, exists already, or is in a state that forbids the action.
    Conflict,
    /// Larger than a limit.
    TooLarge,
    /// Too often.
    TooManyRequests,
    /// Sealed, or a part that is needed does not answer; try later.
    Unavailable,
    /// The disk is full or read-only; reading and revoking go on.
    StorageFull,
    /// Our fault; the log has the cause under the correlation id.
    Internal,
}

/// What was wrong with one field.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FieldProblem {
    /// JSON pointer (RFC 6901) to the field.
    pub pointer: String,
    /// What is wrong and what would be right.
    pub detail: String,
}

/// A problem as it is told.
/// ```
/// use kernel::{Problem, ProblemKind};
/// let problem = Problem::field("/name", "expected 1 to 128 characters");
/// assert_eq!(problem.kind, ProblemKind::Invalid);
/// assert_eq!(problem.to_string(), "`/name`: expected 1 to 128 characters");
/// assert_eq!(Problem::not_found("key").code, "not-found");
/// ```
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{detail}")]
pub struct Problem {
    /// The family.
    pub kind: ProblemKind,
    /// A stable code for programs: `key-suspended`, `no-policy-allows`.
    pub code: Cow<'static, str>,
    /// For people: lower case, names the thing, says what to do next.
    pub detail: String,
    /// Fields at fault.
    pub fields: Vec<FieldProblem>,
}

impl Problem {
    /// A problem of a family with its code and its text.
    #[must_use]
    pub fn new(
        kind: ProblemKind,
        code: impl Into<Cow<'static, str>>,
        detail: impl Into<String>,
    ) -> Self {
        Self { kind, code: code.into(), detail: detail.into(), fields: Vec::new() }
    }

    /// A request that breaks a rule at one field.
    #[must_use]
    pub fn field(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        let (pointer, detail) = (pointer.into(), detail.into());
        let mut problem =
            Self::new(ProblemKind::Invalid, "invalid-field", format!("`{pointer}`: {detail}"));
        problem.fields.push(FieldProblem { pointer, detail });
        problem
    }

    /// Nothing there, or nothing that this caller may know of.
    #[must_use]
    pub fn not_found(what: &str) -> Self {
        Self::new(ProblemKind::NotFound, "not-found", format!("no such {what}"))
    }
}

impl From<crate::Refusal> for Problem {
    fn from(refusal: crate::Refusal) -> Self {
        Self::new(ProblemKind::Refused, refusal.code, "the policy does not allow this")
    }
}

impl From<crate::RngUnavailable> for Problem {
    fn from(cause: crate::RngUnavailable) -> Self {
        Self::new(ProblemKind::Unavailable, "no-randomness", cause.to_string())
    }
}
