//! The words that every room of the house shares: who asks, what for, whether it may, and what is
//! written down about it.
//!
//! **For:** identifiers, time, randomness, limits, callers, actions, resources, the [`Gate`]
//! with its
//! [`Permit`]s, [`Event`]s of the log and the [`Problem`] that a stranger sees when something
//! fails.
//!
//! **Not for:** input or output of any kind, async, policy (that is `access`), key bytes (that is
//! `strongroom`), HTTP (that is a door's business).
//!
//! **The way of a request:** a door makes a [`Caller`]; the [`Gate`] turns caller, action and
//! [`Resource`] into a [`Permit`] or a [`Refusal`]; a use case takes the permit by value, does the
//! work, and turns the permit into exactly one [`Event`], which is committed with the change.
//!
//! **Invariants:** only [`Gate`] constructs a [`Permit`] (see the compile-fail test there); a
//! permit
//! cannot be cloned, stored or outlive five seconds; a [`Secret`] cannot be printed, compared or
//! serialised.

mod action;
mod caller;
mod clock;
mod event;
mod gate;
mod ids;
mod labels;
pub mod limits;
mod parsed;
mod problem;
mod resource;
mod rng;
mod secret;
mod words;

pub use action::{Action, ActionType, actions};
pub use caller::{
    AuthStrength, Caller, Credential, CredentialScope, Door, Factor, Origin, Principal,
};
pub use clock::{Clock, HeldClock, MonotonicMicros, Timestamp};
pub use event::{Decision, Event, LogPosition, Outcome};
pub use gate::{
    Decider, Epoch, Epochs, Gate, Grant, Guard, Permit, PolicyVersion, Recorder, Refusal, Scope,
};
pub use ids::{
    ApprovalId, AssetId, DomainId, FindingId, GroupId, IdError, KeyId, PersonId, ReportId,
    RequestId, RunId, ScanId, ServiceId, SessionId, SourceId, TokenId, VersionNo,
};
pub use labels::{Label, LabelError, Labels, Name};
pub use problem::{FieldProblem, Problem, ProblemKind};
pub use resource::{Resource, ResourceKind};
pub use rng::{Rng, RngUnavailable, SeededRng};
pub use secret::Secret;
