//! The head of the log: the row that the store rewrites, sealed, in every commit.

use crate::hash::Hash;
use crate::record::Bytes;
use crate::tree::root_of;
use kernel::Timestamp;
use serde::{Deserialize, Serialize};
use wire::checkpoint::{Checkpoint, hash_text};

const FORMAT: u8 = 1;
/// The word of the checkpoint's extension line that binds the state of the store.
pub const STATE_EXTENSION: &str = "state";

/// Which life of the store signs: 1 at first, one more after every accepted rollback.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Incarnation(pub u32);

impl Incarnation {
    /// The first life.
    pub const FIRST: Self = Self(1);

    /// The log's name in this life: `base`, then `base/r2`, `base/r3`, …
    #[must_use]
    pub fn origin(self, base: &str) -> String {
        if self == Self::FIRST { base.to_owned() } else { format!("{base}/r{}", self.0) }
    }
}

/// How far the log has come, durably.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Head {
    /// How many events there are.
    pub size: u64,
    /// The root of the tree over them.
    pub root: Hash,
    /// The digest of the store's records at that moment.
    pub state: Hash,
    /// The time of the log, which never goes back.
    pub logged: Timestamp,
    /// Which life of the store signs.
    pub incarnation: Incarnation,
    /// How many group commits there were; grows also when a commit has no event.
    pub revision: u64,
}

impl Head {
    /// The head of a log without events.
    #[must_use]
    pub(crate) fn empty() -> Self {
        Self {
            size: 0,
            root: Hash::empty_root(),
            state: Hash::ZERO,
            logged: Timestamp::EPOCH,
            incarnation: Incarnation::FIRST,
            revision: 0,
        }
    }

    /// The checkpoint that this head is signed as.
    #[must_use]
    pub fn checkpoint(&self, origin_base: &str) -> Checkpoint {
        Checkpoint {
            origin: self.incarnation.origin(origin_base),
            size: self.size,
            root: self.root.0,
            extensions: vec![format!("{STATE_EXTENSION} {}", hash_text(&self.state.0))],
        }
    }
}

/// The head as it is stored: the root as the compact range that it is made of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct StoredHead {
    pub(crate) size: u64,
    pub(crate) frontier: Vec<Hash>,
    pub(crate) state: Hash,
    pub(crate) logged: Timestamp,
    pub(crate) incarnation: Incarnation,
    pub(crate) revision: u64,
}

impl StoredHead {
    pub(crate) fn head(&self) -> Head {
        let Self { size, state, logged, incarnation, revision, .. } = *self;
        Head { size, root: root_of(&self.frontier), state, logged, incarnation, revision }
    }

    pub(crate) fn write(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(64 + 32 * self.frontier.len());
        bytes.push(FORMAT);
        bytes.extend_from_slice(&self.size.to_be_bytes());
        bytes.extend_from_slice(&self.state.0);
        bytes.extend_from_slice(&self.logged.unix_micros().to_be_bytes());
        bytes.extend_from_slice(&self.incarnation.0.to_be_bytes());
        bytes.extend_from_slice(&self.revision.to_be_bytes());
        self.frontier.iter().for_each(|hash| bytes.extend_from_slice(&hash.0));
        bytes
    }

    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let mut bytes = Bytes(bytes);
        if bytes.u8().ok()? != FORMAT {
            return None;
        }
        let size = bytes.u64().ok()?;
        let state = Hash(bytes.array().ok()?);
        let logged = Timestamp::from_unix_micros(i64::from_be_bytes(bytes.array().ok()?));
        let incarnation = Incarnation(bytes.u32().ok()?);
        let revision = bytes.u64().ok()?;
        let frontier: Vec<Hash> = (0..size.count_ones())
            .map(|_| bytes.array().map(Hash))
            .collect::<Result<_, _>>()
            .ok()?;
        let whole = bytes.0.is_empty();
        whole.then_some(Self { size, frontier, state, logged, incarnation, revision })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_head_reads_back_and_becomes_a_checkpoint() {
        let stored = StoredHead {
            size: 5,
            frontier: vec![Hash([1; 32]), Hash([2; 32])],
            state: Hash([3; 32]),
            logged: Timestamp::from_unix_millis(7),
            incarnation: Incarnation(2),
            revision: 9,
        };
        assert_eq!(StoredHead::read(&stored.write()), Some(stored.clone()));
        let checkpoint = stored.head().checkpoint("lionrock.sample/log/0");
        assert_eq!(checkpoint.origin, "lionrock.sample/log/0/r2");
        assert_eq!(checkpoint.extension("state"), Some(Hash([3; 32]).to_string().as_str()));
        assert_eq!(Incarnation::FIRST.origin("a"), "a");
        let mut long = stored.write();
        long.push(0);
        assert_eq!(StoredHead::read(&long), None);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = StoredHead::read(&bytes);
            if let Some(first) = bytes.first_mut() {
                *first = FORMAT;
            }
            let _ = StoredHead::read(&bytes);
        }
    }
}
