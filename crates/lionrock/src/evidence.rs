//! What the slices can say of themselves, as facts for the checks: one adapter for each slice.
//!
//! An adapter translates and judges nothing; the vocabulary is `comply/data/facts.yaml`. What the
//! inventory knows is read by `comply` itself.

mod data_facts;
mod identities;
mod key_facts;
mod log_facts;
pub mod publishing;

use access::Access;
use audit::Log;
use comply::FactSource;
use discover::Discover;
use inventory::Inventory;
use keys::Keys;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use store::Store;

/// What the adapters read.
#[derive(Debug)]
pub struct Witnesses {
    /// Keys and key domains.
    pub keys: Keys,
    /// People, services, tokens.
    pub access: Access,
    /// The log.
    pub log: Log,
    /// Sources of data and what was found there, once that is open.
    pub discover: Arc<OnceLock<Discover>>,
    /// What is known about stores beside that.
    pub inventory: Inventory,
    /// Where outlets of the log keep how far they have come.
    pub store: Store,
    /// The file with the log's newest head, outside the database.
    pub anchor: PathBuf,
    /// What opens the seal: `passphrase` or `key-file`.
    pub seal: &'static str,
}

/// Every source of facts of this installation.
#[must_use]
pub fn sources(witnesses: Witnesses) -> Vec<Arc<dyn FactSource>> {
    let Witnesses { keys, access, log, discover, inventory, store, anchor, seal } = witnesses;
    vec![
        Arc::new(key_facts::KeyFacts { keys, log: log.clone(), seal }),
        Arc::new(identities::Identities { access }),
        Arc::new(data_facts::DataFacts { discover, inventory }),
        Arc::new(log_facts::LogFacts { log, store, anchor }),
    ]
}
