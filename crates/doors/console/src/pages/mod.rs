//! The pages: each is a function from a view to markup, and knows nothing of rooms or HTTP.

pub(crate) mod account;
pub(crate) mod data;
pub(crate) mod guide;
pub(crate) mod key;
pub(crate) mod keys;
pub(crate) mod log;
pub(crate) mod map;
pub(crate) mod overview;
pub(crate) mod people;
pub(crate) mod problem;
pub(crate) mod record;
pub(crate) mod reports;
pub(crate) mod requests;
pub(crate) mod requirement;
pub(crate) mod requirements;
pub(crate) mod set_up;
pub(crate) mod sign_in;

#[cfg(test)]
mod gallery;
