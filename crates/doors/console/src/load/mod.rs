//! From the answers of the rooms to the views of the pages. Every loader asks the gate for what it
//! reads, and what it read is written down.

pub(crate) mod data;
pub(crate) mod guide;
pub(crate) mod key;
pub(crate) mod keys;
pub(crate) mod log;
pub(crate) mod map;
pub(crate) mod overview;
pub(crate) mod people;
pub(crate) mod record;
pub(crate) mod reports;
pub(crate) mod requests;
pub(crate) mod requirement;
pub(crate) mod requirements;
pub(crate) mod source;
