//! The adapters that tell compliance what each room knows: readings of a room become facts in the
//! vocabulary of `comply`, nothing is judged here. And what the inventory learns of our keys.

mod access_facts;
mod key_facts;
mod log_facts;

pub use access_facts::AccessFacts;
pub use key_facts::{KeyFacts, key_publication};
pub use log_facts::LogFacts;

use kernel::Timestamp;

/// A date as facts write it; empty when there is none.
fn date(at: Option<Timestamp>) -> String {
    at.map(Timestamp::rfc3339).unwrap_or_default()
}
