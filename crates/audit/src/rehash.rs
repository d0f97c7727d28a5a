//! Hashing a stored log again from its events: the deep check of an installation that does not run.

use crate::hash::Hash;
use crate::head::{Head, StoredHead};
use crate::log::LogError;
use crate::shared::{Rows, read};
use crate::tree::Tip;
use kernel::LogPosition;
use std::collections::{BTreeMap, BTreeSet};

/// Rows that are read at one time.
const ROWS_AT_ONCE: usize = 256;

/// Why the events and the head of a stored log are not one log.
#[derive(Debug, thiserror::Error)]
pub enum RehashError {
    /// A row cannot be read.
    #[error(transparent)]
    Read(#[from] LogError),
    /// The head cannot be read.
    #[error("the head of the log at position {size} is damaged")]
    Head {
        /// Events that the store counts.
        size: u64,
    },
    /// The events end before the head.
    #[error("the log ends at position {found} and its head says {size}")]
    Short {
        /// Events that are there.
        found: u64,
        /// Events of the head.
        size: u64,
    },
    /// The events hash to another root than the head's.
    #[error("the {size} events of the log do not hash to the root of its head")]
    Root {
        /// Events of the head.
        size: u64,
    },
    /// The records of the store are not those that the head has bound.
    #[error("the records of the store are not those that the log of {size} events has bound")]
    State {
        /// Events of the head.
        size: u64,
    },
}

/// A log whose events were hashed again and gave the root of its head.
#[derive(Clone, Debug)]
pub struct Rehashed {
    /// The newest head.
    pub head: Head,
    roots: BTreeMap<u64, Hash>,
}

impl Rehashed {
    /// The root at one of the sizes that were asked for; `None` for another, or a larger log.
    #[must_use]
    pub fn root_at(&self, size: u64) -> Option<Hash> {
        self.roots.get(&size).copied()
    }
}

/// Hashes every event again, compares the result with the stored head and the records with what the
/// head has bound, and notes the roots at `sizes`. Nothing is written.
///
/// # Errors
/// What does not fit, with its place.
pub fn rehash(
    rows: &dyn Rows,
    sizes: impl IntoIterator<Item = u64>,
) -> Result<Rehashed, RehashError> {
    let stored = rows.head();
    let size = stored.size;
    let new = size == 0 && stored.head.is_empty();
    let head = if new {
        Head::empty()
    } else {
        let head = StoredHead::read(&stored.head).filter(|head| head.size == size);
        head.ok_or(RehashError::Head { size })?.head()
    };
    let sizes: BTreeSet<u64> = sizes.into_iter().collect();
    let mut roots = BTreeMap::new();
    let (mut tip, mut full) = (Tip::new(), Vec::new());
    if sizes.contains(&0) {
        roots.insert(0, tip.root());
    }
    while tip.size() < size {
        let before = tip.size();
        for row in rows.rows(LogPosition(before), ROWS_AT_ONCE).map_err(LogError::from)? {
            if row.first.0 != tip.size() {
                return Err(RehashError::Short { found: tip.size(), size });
            }
            for event in read(&row.body, tip.size())?.events {
                tip.push(event.leaf(), &mut full);
                full.clear();
                if sizes.contains(&tip.size()) {
                    roots.insert(tip.size(), tip.root());
                }
            }
        }
        if tip.size() == before {
            return Err(RehashError::Short { found: before, size });
        }
    }
    if tip.size() != size || tip.root() != head.root {
        return Err(RehashError::Root { size });
    }
    if head.revision > 0 && head.state.0 != rows.state().0 {
        return Err(RehashError::State { size });
    }
    Ok(Rehashed { head, roots })
}
