//! Work of a fixed amount, for counting instructions: `counted_store seal`,
//! `counted_store commit FOLDER`, and `counted_store start` for what both begin with.
//!
//! `cargo xtask counts` runs it under callgrind; counts do not depend on the machine's mood.

#![expect(clippy::unwrap_used, reason = "a measurement that fails has nothing else to do")]

use kernel::{Event, HeldClock, LogPosition, Timestamp};
use std::sync::Arc;
use store::{
    AppendError, Appender, Batch, Collection, Expect, IndexTerm, LogRows, Options, StateDigest,
    Store,
};
use strongroom::{MemoryRoot, Place, RecordKeys, Seal, Strongroom};

/// Records sealed and opened again, of one kibibyte each.
const SEALS: u64 = 20_000;
/// Commits of one record, one after the other.
const COMMITS: u64 = 1_000;

enum Notes {}

impl Collection for Notes {
    const NAME: &'static str = "notes";
    type Key = u64;
    type Value = String;
    fn indexes(note: &String) -> Vec<IndexTerm> {
        vec![IndexTerm::new("text", note)]
    }
}

/// The least that a log does: one body for each group.
struct Bodies(u64);

impl Appender for Bodies {
    fn append(
        &mut self,
        events: Vec<Event>,
        _: Timestamp,
        state: &StateDigest,
    ) -> Result<LogRows, AppendError> {
        let (first, count) = (LogPosition(self.0), u32::try_from(events.len()).unwrap());
        self.0 += u64::from(count);
        Ok(LogRows { first, count, body: Vec::new(), head: state.0.to_vec() })
    }
    fn committed(&mut self) {}
    fn abandoned(&mut self) {}
}

fn keys() -> RecordKeys {
    let seal = Seal::KeyFile(kernel::Secret::new(vec![7; 64]));
    let clock = Arc::new(HeldClock::at(Timestamp::EPOCH));
    Strongroom::create(Arc::new(MemoryRoot::default()), &seal, clock).unwrap().records()
}

fn seal(keys: &RecordKeys) {
    let plain = [42; 1_024];
    for number in 0..SEALS {
        let place = Place { collection: "notes", key: &number.to_be_bytes(), version: number };
        let sealed = keys.seal(place, &plain).unwrap();
        let place = Place { collection: "notes", key: &number.to_be_bytes(), version: number };
        assert_eq!(keys.open(place, &sealed).unwrap().len(), plain.len());
    }
}

fn commit(keys: RecordKeys, folder: &str) {
    let clock = Arc::new(HeldClock::at(Timestamp::EPOCH));
    let opened = Store::open(folder.as_ref(), keys, clock, Options::default()).unwrap();
    let store = opened.start(Box::new(Bodies(0))).unwrap();
    for number in 0..COMMITS {
        let note = format!("note {number}");
        let batch = Batch::new().put::<Notes>(&number, &note, Expect::Absent);
        store.commit(batch).wait().unwrap();
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    match arguments.next().as_deref() {
        Some("commit") => commit(keys(), &arguments.next().unwrap()),
        Some("seal") => seal(&keys()),
        _ => drop(keys()),
    }
}
