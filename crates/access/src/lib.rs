//! Who may do what: people and services, how they prove themselves, their roles, the policies, and
//! the approvals of others.
//!
//! **For:** signing in and staying signed in, API tokens and client certificates; roles, groups
//! ([`Group`]) and who may hold what together ([`roles`], [`duties`]); the Cedar policies
//! ([`policy`]) and the decision for the gate ([`Access`] implements [`kernel::Decider`]);
//! approvals bound to one exact request
//! ([`approvals`]); what this room can say of itself as evidence ([`checks`]).
//!
//! **Not for:** key bytes and hashes of secrets (the strongroom's work), HTTP and cookies (a
//! door's), the wording on screen.
//!
//! **The way of a request:** a door hands over what it received and gets a [`kernel::Caller`]
//! ([`Access::caller_for_session`], [`Access::caller_for_token`],
//! [`Access::caller_for_certificate`]); the gate asks [`Access`] to decide, from memory; a use case
//! takes its permit by value and commits change and event together. What gives rights counts when
//! it is durable; what takes rights away is forgotten first, committed with every epoch raised, and
//! only then acknowledged.
//!
//! **Invariants:**
//! - What one principal must not join is refused twice: when a role is given, to it or to a group
//!   that it is in, and by `forbid` policies.
//! - Nobody gives rights to themselves: not a role, not by a group.
//! - A policy that cannot be evaluated never allows.
//! - No secret is stored: passwords are hashed under a pepper, tokens, cookies and links under a
//!   key, seeds of codes are sealed. One code opens one session; one link lets one person in.
//! - An attacker's failures delay the attacker, never the account's owner elsewhere.
//! - A clock set back prolongs no grant; a clock set forward ends no waiting period ([`times`]).

mod access;
pub mod approvals;
mod approving;
mod break_glass;
mod callers;
pub mod checks;
mod decide;
mod directory;
pub mod duties;
mod enrolment;
mod error;
mod grants;
mod groups;
mod held;
mod identity;
mod membership;
mod own_proofs;
mod password;
mod people;
pub mod policy;
mod pre_auth;
mod repeat;
pub mod roles;
mod services;
mod sessions;
pub mod throttle;
pub mod times;
mod tokens;

pub use access::Access;
pub use approving::{ApprovalView, NewApproval, Spent};
pub use break_glass::{
    BREAK_GLASS_ROLES, BROKEN_GLASS_DAYS, BreakGlass, BrokenGlass, CUSTODIANS_MAX,
};
pub use callers::Arrival;
pub use decide::{ANSWERS_MAX, Explanation, STANDINGS_MAX};
pub use enrolment::{
    Bootstrap, Enrolment, FIRST_LINK_SECONDS, Invitation, LINK_PREFIX, LINK_SECONDS,
};
pub use error::AccessError;
pub use grants::GiveRole;
pub use groups::{
    ChangeGroup, GROUPS_MAX, GROUPS_OF_ONE_MAX, Group, MEMBERS_MAX, Member, NewGroup,
};
pub use held::HeldRole;
pub use identity::{
    CERTIFICATES_MAX, CertificateBinding, Lock, Made, Person, ProofDates, SIGN_IN_NAME_CHARS_MAX,
    Service, SignInName, WORKLOADS_MAX,
};
pub use own_proofs::{NEW_DEVICE_SECONDS, NewSeed, OldProofs};
pub use password::{
    PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN, PASSWORD_DIFFERENT_MIN, PasswordProblem, check_password,
};
pub use people::{NewPerson, PEOPLE_MAX, PersonView};
pub use pre_auth::{PreAuthRefusal, PreAuthRefusals, SOURCES_MAX};
pub use services::{NewService, SERVICES_MAX, ServiceView};
pub use sessions::{
    HALF_OPEN_SECONDS, IDLE_SECONDS, SESSION_SECONDS, SESSIONS_MAX, Session, SignIn, SignedIn,
};
pub use store::Repeat;
pub use tokens::{
    MadeToken, NewToken, TOKEN_DAYS_MAX, TOKEN_PREFIX, TOKEN_USE_SECONDS, TOKENS_MAX, Token,
};
