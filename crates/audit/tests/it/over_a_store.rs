//! The log over the real store: restarts, yesterday's database, shredding.

use crate::house::{House, ORIGIN, event};
use audit::anchor::AnchorError;
use audit::shred::{ShredPersonalError, Shredded, finish_pending};
use audit::{Line, Log, LogOptions, OpenError, Query, start};
use kernel::{DomainId, Event, LogPosition, PersonId, Principal, SeededRng};
use std::path::Path;
use std::sync::Arc;
use store::{Batch, Store};
use strongroom::Month;

pub(crate) fn open(house: &House, folder: &Path) -> Result<(Store, Log), OpenError> {
    let options = store::Options { reserve_bytes: 0, ..store::Options::default() };
    let opened = Store::open(folder, house.room.records(), house.clock.clone(), options).unwrap();
    let options = LogOptions {
        origin: ORIGIN.into(),
        anchor: house.anchor(),
        strongroom: house.room.clone(),
        clock: house.clock.clone(),
        rng: Arc::new(SeededRng::new(3)),
        rollback: None,
    };
    start(opened, options)
}

fn grow(house: &House, store: &Store, log: &Log, count: u64) {
    let first = log.head().size;
    let tickets: Vec<_> = (first..first + count)
        .map(|n| store.commit(Batch::new().event(event(&house.clock, n))))
        .collect();
    for ticket in tickets {
        ticket.wait().unwrap();
    }
}

#[test]
fn a_log_over_the_real_store_survives_restarts_and_refuses_yesterdays_database() {
    let house = House::new();
    let folder = house.folder.path().join("store");
    let yesterday = house.folder.path().join("yesterday");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::create_dir_all(&yesterday).unwrap();
    let mut old = None;
    for step in [3, 300, 30] {
        let (store, log) = open(&house, &folder).unwrap();
        grow(&house, &store, &log, step);
        let head = log.head();
        if let Some((size, root)) = old {
            let path = log.consistency(size, head.size).unwrap();
            assert!(audit::proof::extends(size, root, head.size, head.root, &path));
        }
        old = Some((head.size, head.root));
        assert_eq!(head.state.0, store.state_digest().0);
        let mut lines: Vec<Line> = Vec::new();
        let end = LogPosition(head.size);
        log.export(LogPosition(0), end, false, |line| {
            lines.push(line.clone());
            Ok(())
        })
        .unwrap();
        assert_eq!(lines.len() as u64, head.size);
        let page = log.query(&Query::default(), 5).unwrap();
        assert_eq!(page.events[0].position.0, head.size - 1);
        store.close();
        drop(store);
        log.close().unwrap();
        drop(log);
        if step == 300 {
            for entry in std::fs::read_dir(&folder).unwrap() {
                let path = entry.unwrap().path();
                std::fs::copy(&path, yesterday.join(path.file_name().unwrap())).unwrap();
            }
        }
    }
    let refused = open(&house, &yesterday).err().unwrap();
    assert!(matches!(
        refused,
        OpenError::Anchor(AnchorError::Behind { database: 303, anchor: 333 })
    ));
}

fn by(house: &House, person: u8, address: &str) -> Event {
    let mut event = event(&house.clock, 1).with_personal("address", address);
    event.principal = Principal::Person(PersonId::from_bytes([person; 16]));
    event
}

#[tokio::test]
async fn shredding_one_person_takes_nothing_from_others_and_nothing_from_the_proofs() {
    let house = House::new();
    let folder = house.folder.path().join("store");
    std::fs::create_dir_all(&folder).unwrap();
    let (store, log) = open(&house, &folder).unwrap();
    let said = |log: &Log, position| log.event(LogPosition(position)).unwrap().event.personal;
    let add = async |person: u8, address: &str| {
        store.commit(Batch::new().event(by(&house, person, address))).await.unwrap();
    };
    for (person, address) in [(1, "192.0.2.1"), (2, "192.0.2.2"), (1, "192.0.2.3")] {
        add(person, address).await;
    }
    let head = log.head();
    let path = log.inclusion(LogPosition(0), head.size).unwrap();
    let leaf = log.evidence(LogPosition(0), head.size).unwrap().leaf();
    let whose = |person: u8| {
        let principal = Principal::Person(PersonId::from_bytes([person; 16]));
        (DomainId::SYSTEM, principal, Month::of(head.logged))
    };
    let event = || Event::system("log.personal-shredded", head.logged);
    let done = log.shred_personal(&store, &house.room, whose(1), event()).await.unwrap();
    assert_eq!(done, Shredded { keys: 1, survivors: 1 });
    let nothing = log.shred_personal(&store, &house.room, whose(9), event()).await;
    assert!(matches!(nothing, Err(ShredPersonalError::Nothing { .. })));
    let again = log.shred_personal(&store, &house.room, whose(1), event()).await;
    assert!(matches!(again, Err(ShredPersonalError::Nothing { .. })));
    // New events of the same person are readable: they have a new key.
    add(1, "192.0.2.4").await;
    add(2, "192.0.2.5").await;
    let check = |log: &Log| {
        assert_eq!(said(log, 0), []);
        assert_eq!(said(log, 1)[0].1, "192.0.2.2");
        assert_eq!(said(log, 2), []);
        assert_eq!(log.event(LogPosition(3)).unwrap().event.action, "log.personal-shredded");
        assert_eq!(said(log, 4)[0].1, "192.0.2.4");
        assert_eq!(said(log, 5)[0].1, "192.0.2.5");
        assert_eq!(log.root_at(head.size).unwrap(), head.root);
        assert!(audit::proof::includes(0, head.size, leaf, &path, head.root));
        assert_eq!(log.evidence(LogPosition(0), head.size).unwrap().leaf(), leaf);
    };
    check(&log);
    assert!(finish_pending(&store, &house.room).unwrap().is_empty());
    // A second shredding meets a survivor that has its newer form beside the log.
    let done = log.shred_personal(&store, &house.room, whose(2), event()).await.unwrap();
    assert_eq!(done.keys, 2);
    assert_eq!(said(&log, 1), []);
    assert_eq!(said(&log, 5), []);
    assert_eq!(said(&log, 4)[0].1, "192.0.2.4");
    store.close();
    drop(store);
    log.close().unwrap();
    drop(log);
    let (_, log) = open(&house, &folder).unwrap();
    assert_eq!((said(&log, 1), said(&log, 4)[0].1.as_str()), (Vec::new(), "192.0.2.4"));
}

#[test]
fn a_query_with_a_beginning_ends_there_though_nothing_matches() {
    let house = House::new();
    let folder = house.folder.path().join("store");
    std::fs::create_dir_all(&folder).unwrap();
    let (store, log) = open(&house, &folder).unwrap();
    let many = audit::query::SCAN_EVENTS_MAX + 2_000;
    let mut made = 0;
    while made < many {
        let batch = (made..made + 1_000)
            .fold(Batch::new(), |batch, number| batch.event(event(&house.clock, number)));
        store.commit(batch).wait().unwrap();
        made += 1_000;
    }
    house.clock.advance_millis(3_600_000);
    let from = kernel::Clock::wall(&*house.clock);
    grow(&house, &store, &log, 3);
    let none = Query { action: Some("nothing.like-it".into()), ..Query::default() };
    let page = log.query(&none, 10).unwrap();
    assert!(page.events.is_empty() && page.next.is_some(), "without one it goes on");
    let page = log.query(&Query { from: Some(from), ..none }, 10).unwrap();
    assert!(page.events.is_empty() && page.next.is_none());
}
