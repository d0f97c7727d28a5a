//! Who may do what: roles, separation of duties and the policies that decide for the gate.
//!
//! **For:** the roles of a bank and who may hold them together ([`roles`], [`duties`]); the Cedar
//! policies and the engine that asks them ([`policy`]).
//!
//! **Not for:** key bytes, HTTP, the wording of refusals on screen.
//!
//! **The way of a request:** a door learns who is calling; the gate asks whether it may; the engine
//! answers with the policies that decided, from the few entities that the question needs.
//!
//! **Invariants:** what one person must not join is refused twice, when a role is given and when it is
//! used; a policy that cannot be evaluated never allows.

pub mod duties;
pub mod policy;
pub mod roles;
