//! Behaviour of the access room, in one binary.

mod permissions;
mod policies;
