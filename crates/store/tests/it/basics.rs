//! One store, one thing at a time.

use crate::support::*;
use store::{Batch, Expect, KeyRange, Store};

#[test]
fn what_was_committed_is_read_back_and_survives_a_restart() {
    let folder = Folder::new();
    let store = open(&folder);
    let batch = Batch::new()
        .put::<Things>(&1, &thing("Ledger", "red"), Expect::Absent)
        .put::<Notes>(&(1, 2), &String::from("note"), Expect::Absent)
        .event(event("a"))
        .event(event("b"));
    let committed = store.commit(batch).wait().unwrap();
    assert_eq!((committed.revision, committed.positions), (1, 0..2));
    let check = |store: &Store| {
        let record = store.get::<Things>(&1).unwrap().unwrap();
        assert_eq!((record.version, record.value), (committed.versions[0], thing("Ledger", "red")));
        assert_eq!(store.scan::<Notes>(&KeyRange::prefix(&1u64), 9).unwrap().len(), 1);
        assert_eq!(logged(store), ["a", "b"]);
        assert_eq!(store.verify().unwrap(), []);
    };
    check(&store);
    drop(store);
    check(&open(&folder));
}
