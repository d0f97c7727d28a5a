use crate::house::{House, ORIGIN, event};
use audit::anchor::AnchorError;
use audit::{Line, Log, LogOptions, OpenError, Query, start};
use kernel::{LogPosition, SeededRng};
use std::path::Path;
use std::sync::Arc;
use store::{Batch, Store};

fn open(house: &House, folder: &Path) -> Result<(Store, Log), OpenError> {
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
