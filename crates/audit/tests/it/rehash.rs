//! Hashing a stored log again: it gives its roots, and what was altered is found and placed.

use crate::house::House;
use audit::{RehashError, rehash};

#[test]
fn a_log_hashed_again_has_the_root_of_its_head_and_those_it_had_before() {
    let house = House::new();
    let mut running = house.open();
    running.grow(5);
    let older = running.log.head();
    running.grow(300);
    let newest = running.log.head();
    let again = rehash(&*house.shelf, [0, 5, 305, 9_000]).unwrap();
    assert_eq!(again.head, newest);
    assert_eq!(again.root_at(5), Some(older.root));
    assert_eq!(again.root_at(305), Some(newest.root));
    assert_eq!(again.root_at(0), Some(audit::Hash::empty_root()));
    assert_eq!((again.root_at(9_000), again.root_at(7)), (None, None));
}

#[test]
fn a_store_without_events_is_a_log_without_events() {
    let house = House::new();
    assert_eq!(rehash(&*house.shelf, []).unwrap().head.size, 0);
}

#[test]
fn an_altered_event_a_missing_row_and_other_records_are_found() {
    let house = House::new();
    let mut running = house.open();
    running.grow(40);
    let broken = |change: &dyn Fn(&mut crate::house::Shelved)| {
        let copy = house.shelf.copy();
        copy.alter(|shelved| change(shelved));
        rehash(&*copy, []).unwrap_err()
    };
    let text = broken(&|(rows, ..)| {
        let body = &mut rows[0].body;
        let at = body.windows(8).position(|w| w == b"\"action\"").unwrap();
        body[at + 1] ^= 1;
    });
    assert!(matches!(text, RehashError::Root { size: 40 }), "{text}");
    let missing = broken(&|(rows, ..)| {
        rows.pop();
    });
    assert!(matches!(missing, RehashError::Short { size: 40, .. }), "{missing}");
    let head = broken(&|(_, head, _)| head.head.truncate(3));
    assert!(matches!(head, RehashError::Head { size: 40 }), "{head}");
    let state = broken(&|(.., state)| state.0[0] ^= 1);
    assert!(matches!(state, RehashError::State { size: 40 }), "{state}");
}
