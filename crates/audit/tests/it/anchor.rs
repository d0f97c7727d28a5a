//! The anchor against older, other and missing databases, and the acceptance of a rollback.

use crate::house::{House, ORIGIN};
use audit::anchor::{AnchorError, AnchorFile};
use audit::{Incarnation, OpenError, Rollback};
use kernel::LogPosition;

#[test]
fn an_older_database_is_refused_and_both_sizes_are_named() {
    let house = House::new();
    let mut running = house.open();
    running.grow(10);
    let old = house.shelf.copy();
    running.grow(5);
    running.log.close().unwrap();
    let house = House { shelf: old, ..house };
    let refused = house.try_open(None).err().unwrap();
    assert!(matches!(refused, OpenError::Anchor(AnchorError::Behind { database: 10, anchor: 15 })));
    assert!(refused.to_string().contains("ends at 10 events and the anchor at 15"));
    // Nothing was changed by the refusal.
    assert!(house.try_open(None).is_err());
}

#[test]
fn a_database_with_other_events_is_refused() {
    let house = House::new();
    let mut running = house.open();
    running.grow(10);
    let fork = house.shelf.copy();
    running.grow(5);
    running.log.close().unwrap();
    let anchor = std::fs::read(house.anchor()).unwrap();
    for (more, sizes) in [(5, (15, 15)), (300, (310, 15))] {
        let fork = House { shelf: fork.copy(), ..House::new() };
        let other = House { room: house.room.clone(), ..fork };
        std::fs::write(other.anchor(), anchor_at(&house, 10)).unwrap();
        let mut forked = other.open();
        house.clock.advance_millis(1);
        other.clock.advance_millis(9);
        forked.grow(more);
        forked.log.close().unwrap();
        std::fs::write(other.anchor(), &anchor).unwrap();
        let refused = other.try_open(None).err().unwrap();
        let OpenError::Anchor(AnchorError::Rewritten { database, anchor }) = refused else {
            panic!("{refused}")
        };
        assert_eq!((database, anchor), sizes);
    }
}

/// The anchor as it was when the log had `size` events.
fn anchor_at(house: &House, size: u64) -> Vec<u8> {
    let running = house.open();
    let root = running.log.root_at(size).unwrap();
    let mut anchored = AnchorFile::at(house.anchor()).read().unwrap().unwrap();
    (anchored.size, anchored.root, anchored.revision) = (size, root, 0);
    serde_json::to_vec(&anchored).unwrap()
}

#[test]
fn a_missing_anchor_is_refused_once_there_are_events_and_there_from_the_first_start() {
    let house = House::new();
    let mut running = house.open();
    assert!(house.anchor().exists());
    running.grow(3);
    running.log.close().unwrap();
    std::fs::remove_file(house.anchor()).unwrap();
    let refused = house.try_open(None).err().unwrap();
    assert!(matches!(refused, OpenError::Anchor(AnchorError::Missing { database: 3, .. })));
}

#[test]
fn the_anchor_follows_at_most_every_fifth_of_a_second_and_at_close() {
    let house = House::new();
    let mut running = house.open();
    let size = || AnchorFile::at(house.anchor()).read().unwrap().unwrap().size;
    running.grow(4);
    assert_eq!(size(), 0);
    house.clock.advance_millis(200);
    running.grow(2);
    house.clock.advance_millis(200);
    running.log.refresh_anchor();
    // The anchor's thread has had its order; close waits for it and writes the newest.
    running.log.close().unwrap();
    assert_eq!(size(), running.log.head().size);
}

#[test]
fn an_accepted_rollback_opens_a_new_origin_whose_first_event_commits_to_the_last_checkpoint() {
    let house = House::new();
    let mut running = house.open();
    running.grow(10);
    let old = house.shelf.copy();
    running.grow(5);
    let known = running.log.head();
    running.log.close().unwrap();
    let house = House { shelf: old, ..house };
    let rollback = Rollback { known_size: 15, known_root: known.root };
    let wrong = Rollback { known_size: 14, ..rollback };
    let refused = house.try_open(Some(wrong)).err().unwrap();
    assert!(matches!(refused, OpenError::OtherRollback { named: 14, anchor: 15 }));

    let mut second = house.try_open(Some(rollback)).unwrap();
    assert_eq!(second.log.origin(), format!("{ORIGIN}/r2"));
    assert_eq!(second.log.origin_key().name().as_str(), format!("{ORIGIN}/r2"));
    let refused = second.stage(vec![crate::house::event(&house.clock, 1)]).unwrap_err();
    assert!(refused.cause.to_string().contains("log.rollback-accepted"));
    let first = second.log.rollback_event().unwrap();
    assert_eq!(first.detail("last_known_root"), Some(known.root.to_string().as_str()));
    assert_eq!(first.detail("events_missing"), Some("5"));
    let mut belittled = first.clone();
    belittled.details.pop();
    assert!(second.stage(vec![belittled]).is_err(), "the gap is stated whole");
    let first = first.with("reason", "the disk is lost").with("accepted-by", "A");
    second.commit(vec![first.clone(), crate::house::event(&house.clock, 1)]);
    assert_eq!(second.log.rollback_event(), None);
    assert_eq!(second.log.event(LogPosition(10)).unwrap().event, first);
    second.log.close().unwrap();

    // The new life goes on by itself; the old one never signs again.
    let third = house.open();
    assert_eq!(third.log.head().incarnation, Incarnation(2));
    assert!(third.log.checkpoint().unwrap().text().starts_with(&format!("{ORIGIN}/r2\n12\n")));
    assert!(matches!(house.try_open(Some(rollback)).err(), Some(OpenError::NoRollback)));
}

#[test]
fn a_rollback_that_was_not_recorded_is_asked_for_again() {
    let house = House::new();
    let mut running = house.open();
    running.grow(10);
    let old = house.shelf.copy();
    running.grow(5);
    let known_root = running.log.head().root;
    running.log.close().unwrap();
    let house = House { shelf: old, ..house };
    let rollback = Rollback { known_size: 15, known_root };
    let second = house.try_open(Some(rollback)).unwrap();
    // The server stops before the first event of the new life is durable.
    second.log.close().unwrap();
    drop(second);
    assert!(house.try_open(None).is_err());
    assert!(house.try_open(Some(rollback)).is_ok());
}

#[test]
fn a_stop_between_the_record_of_a_rollback_and_its_anchor_does_no_harm() {
    let house = House::new();
    let mut running = house.open();
    running.grow(10);
    let old = house.shelf.copy();
    running.grow(5);
    let known_root = running.log.head().root;
    running.log.close().unwrap();
    let anchor = std::fs::read(house.anchor()).unwrap();
    let house = House { shelf: old, ..house };
    let rollback = Rollback { known_size: 15, known_root };
    let mut second = house.try_open(Some(rollback)).unwrap();
    assert!(second.log.checkpoint().is_err());
    // A commit without events is of the old life still.
    second.commit(Vec::new());
    assert_eq!(second.log.head().incarnation, Incarnation::FIRST);
    second.log.close().unwrap();
    assert_eq!(std::fs::read(house.anchor()).unwrap(), anchor);
    assert!(house.try_open(None).is_err());
    let mut third = house.try_open(Some(rollback)).unwrap();
    let first = third.log.rollback_event().unwrap();
    third.commit(vec![first]);
    assert_eq!(third.log.head().incarnation, Incarnation(2));
    drop(third);
    // The power failed before the anchor was written.
    std::fs::write(house.anchor(), &anchor).unwrap();
    let fourth = house.open();
    assert_eq!(fourth.log.origin(), format!("{ORIGIN}/r2"));
    assert!(fourth.log.checkpoint().unwrap().text().starts_with(&format!("{ORIGIN}/r2\n11\n")));
}

#[test]
fn an_altered_head_or_tail_is_noticed_at_the_start() {
    let house = House::new();
    let mut running = house.open();
    running.grow(700);
    running.log.close().unwrap();
    let refused = |change: &dyn Fn(&mut crate::house::Shelved)| {
        let shelf = house.shelf.copy();
        shelf.alter(change);
        house.opening(None).open(&*shelf).is_err()
    };
    assert!(!refused(&|_| {}));
    assert!(refused(&|(_, head, _)| head.size -= 1));
    assert!(refused(&|(_, head, _)| head.head.truncate(70)));
    assert!(refused(&|(_, head, _)| *head.head.last_mut().unwrap() ^= 1));
    assert!(refused(&|(_, _, state)| state.0[0] ^= 1));
    assert!(refused(&|(rows, _, _)| drop(rows.pop())));
    assert!(refused(&|(rows, _, _)| {
        let body = &mut rows.last_mut().unwrap().body;
        body[40] ^= 1;
    }));
}
