//! The sealed state: one small record, written with every group, from which the store knows what
//! must be there.

use crate::codec::{Reader, Unreadable, Writer};
use crate::digest::Multiset;
use crate::sealing::Sealing;
use crate::{LogHead, StateDigest};
use std::sync::Arc;
use strongroom::Place;

/// Where the state is sealed.
pub(crate) const STATE: &str = "store.state";
/// Where rows of the log are sealed.
pub(crate) const LOG: &str = "store.log";
/// Epochs of key domains: key = the domain's 16 bytes, or none for all domains; value = a number.
pub(crate) const EPOCHS: &str = "store.epochs";
/// Outcomes under their idempotency keys.
pub(crate) const OUTCOMES: &str = "store.outcomes";
/// Blocks of sorted names: key = collection id, block id.
pub(crate) const NAMES: &str = "store.names";

/// The number that stands for a collection in rows.
pub(crate) type CollectionId = u32;

/// What must be there of one collection.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct CollectionState {
    pub(crate) id: CollectionId,
    pub(crate) name: Arc<str>,
    pub(crate) records: Multiset,
    pub(crate) terms: Multiset,
    /// Some record has terms or a name, so replacing one means opening the old one.
    pub(crate) indexed: bool,
    /// Some record has a name.
    pub(crate) sorted: bool,
    /// Names of records up to this version are in blocks; later ones are found in the records.
    pub(crate) names_floor: u64,
}

/// Everything that a group of commits moves on.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct State {
    pub(crate) revision: u64,
    /// Greater than every version ever given to a record.
    pub(crate) next_version: u64,
    /// The latest time written in the log, in microseconds since 1970.
    pub(crate) log_micros: i64,
    pub(crate) log: LogHead,
    pub(crate) log_rows: Multiset,
    pub(crate) collections: Vec<CollectionState>,
}

const STATE_FORM: u8 = 1;

impl State {
    pub(crate) fn fresh() -> Self {
        Self { next_version: 1, ..Self::default() }
    }

    pub(crate) fn collection(&self, name: &str) -> Option<&CollectionState> {
        self.collections.iter().find(|c| *c.name == *name)
    }

    pub(crate) fn by_id(&self, id: CollectionId) -> Option<&CollectionState> {
        self.collections.iter().find(|c| c.id == id)
    }

    /// The collection of this name, with a number of its own if it is new.
    pub(crate) fn collection_mut(&mut self, name: &str) -> &mut CollectionState {
        let at = self.collections.iter().position(|c| *c.name == *name).unwrap_or_else(|| {
            let id = self.collections.iter().map(|c| c.id).max().unwrap_or(0).saturating_add(1);
            self.collections.push(CollectionState {
                id,
                name: Arc::from(name),
                records: Multiset::default(),
                terms: Multiset::default(),
                indexed: false,
                sorted: false,
                names_floor: 0,
            });
            self.collections.len() - 1
        });
        #[expect(clippy::indexing_slicing, reason = "the position was found or pushed just above")]
        &mut self.collections[at]
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut to = Writer::default();
        to.u8(STATE_FORM);
        to.u64(self.revision);
        to.u64(self.next_version);
        to.u64(self.log_micros.cast_unsigned());
        to.u64(self.log.size);
        to.bytes(&self.log.head);
        self.log_rows.write(&mut to);
        to.u32(u32::try_from(self.collections.len()).unwrap_or(u32::MAX));
        for collection in &self.collections {
            to.u32(collection.id);
            to.bytes(collection.name.as_bytes());
            collection.records.write(&mut to);
            collection.terms.write(&mut to);
            to.u8(u8::from(collection.indexed) | u8::from(collection.sorted) << 1);
            to.u64(collection.names_floor);
        }
        to.0
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, Unreadable> {
        let mut from = Reader(bytes);
        if from.u8()? != STATE_FORM {
            return Err(Unreadable);
        }
        let revision = from.u64()?;
        let next_version = from.u64()?;
        let log_micros = from.u64()?.cast_signed();
        let log = LogHead { size: from.u64()?, head: from.bytes()?.to_vec() };
        let log_rows = Multiset::read(&mut from)?;
        let mut collections = Vec::new();
        for _ in 0..from.u32()? {
            let id = from.u32()?;
            let name = Arc::from(from.text()?);
            let records = Multiset::read(&mut from)?;
            let terms = Multiset::read(&mut from)?;
            let flags = from.u8()?;
            let (indexed, sorted) = (flags & 1 != 0, flags & 2 != 0);
            let names_floor = from.u64()?;
            collections.push(CollectionState {
                id,
                name,
                records,
                terms,
                indexed,
                sorted,
                names_floor,
            });
        }
        Ok(Self { revision, next_version, log_micros, log, log_rows, collections })
    }

    /// What the log's head binds: revision and records, but not the log itself.
    pub(crate) fn digest(&self, sealing: &Sealing) -> StateDigest {
        let mut to = Writer::default();
        for collection in &self.collections {
            to.bytes(collection.name.as_bytes());
            collection.records.write(&mut to);
            collection.terms.write(&mut to);
        }
        let place = Place { collection: STATE, key: b"digest", version: self.revision };
        StateDigest(sealing.0.digest_element(place, &to.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_state_reads_back() {
        let mut state = State::fresh();
        state.revision = 7;
        state.log_micros = -5;
        state.log = LogHead { size: 3, head: b"root".to_vec() };
        state.collection_mut("keys").records.add(&[9; 32]);
        state.collection_mut("people").sorted = true;
        assert_eq!(state.collection_mut("keys").id, 1);
        assert_eq!(State::from_bytes(&state.to_bytes()), Ok(state));
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_state_panic(bytes: Vec<u8>) {
            let _ = State::from_bytes(&bytes);
        }
    }
}
