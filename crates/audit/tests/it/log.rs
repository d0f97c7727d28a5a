//! Events in, events out: restarts, proofs, queries, exports, and a stranger's recomputation.

use crate::house::{House, ORIGIN, event};
use audit::proof::{extends, includes};
use audit::verify::{Claim, Since, Trust, verify};
use audit::{Hash, Query};
use kernel::{Event, LogPosition, Principal};
use std::process::Command;

#[test]
fn events_come_back_as_they_went_in_and_the_log_survives_a_restart_at_any_size() {
    let house = House::new();
    for step in [1, 2, 250, 3, 1, 300, 511, 1] {
        let mut running = house.open();
        let before = running.log.head();
        running.grow(step);
        let head = running.log.head();
        assert_eq!(head.size, before.size + step);
        let path = running.log.consistency(before.size, head.size).unwrap();
        assert!(extends(before.size, before.root, head.size, head.root, &path));
        for position in [0, head.size / 2, head.size - 1] {
            let read = running.log.event(LogPosition(position)).unwrap();
            assert_eq!(read.event, event(&house.clock, position));
            assert_eq!(read.position, LogPosition(position));
        }
        running.log.close().unwrap();
    }
}

#[test]
fn every_event_of_a_log_with_two_levels_of_tiles_is_proven() {
    let house = House::new();
    let mut running = house.open();
    running.grow(1_400);
    let head = running.log.head();
    let again = house.open();
    for log in [&running.log, &again.log] {
        for position in (0..1_400).step_by(37) {
            let line = log.evidence(LogPosition(position), head.size).unwrap();
            assert!(includes(position, head.size, line.leaf(), &line.path, head.root));
        }
        let old = log.root_at(700).unwrap();
        let path = log.consistency(700, 1_400).unwrap();
        assert!(extends(700, old, 1_400, head.root, &path));
        assert!(log.evidence(LogPosition(1_400), 1_400).is_err());
        assert!(log.inclusion(LogPosition(3), 1_401).is_err());
    }
}

#[test]
fn what_is_not_committed_leaves_no_trace() {
    let house = House::new();
    let mut running = house.open();
    running.grow(300);
    let head = running.log.head();
    let events: Vec<Event> = (0..600).map(|n| event(&house.clock, n)).collect();
    running.stage(events.clone()).unwrap();
    assert_eq!(running.log.head(), head);
    running.stage(events).unwrap_err();
    store::Appender::abandoned(&mut running.appender);
    running.grow(300);
    let restarted = house.open();
    assert_eq!(restarted.log.head(), running.log.head());
    let path = restarted.log.consistency(300, 600).unwrap();
    assert!(extends(300, head.root, 600, restarted.log.head().root, &path));
}

#[test]
fn the_time_of_the_log_never_goes_back() {
    let house = House::new();
    let mut running = house.open();
    running.grow(1);
    house.clock.jump_wall_seconds(-3_600);
    running.grow(1);
    let times: Vec<_> = (0..2).map(|p| running.log.event(LogPosition(p)).unwrap()).collect();
    assert_eq!(times[0].logged, times[1].logged);
    assert!(times[1].event.at < times[1].logged);
}

#[test]
fn a_pack_is_proven_offline_and_an_altered_byte_is_named() {
    let house = House::new();
    let mut running = house.open();
    running.grow(20);
    let older = running.log.checkpoint().unwrap().to_string();
    running.grow(500);
    let newer = running.log.checkpoint().unwrap().to_string();
    assert!(newer.starts_with(&format!("{ORIGIN}\n520\n")), "{newer}");
    let mut lines: Vec<_> =
        (100..140).map(|p| running.log.evidence(LogPosition(p), 520).unwrap()).collect();
    let proof = running.log.consistency(20, 520).unwrap();
    let key = running.log.origin_key().clone();
    let trust = Trust { origin: Some(&key), witnesses: &[] };
    let since = Some(Since { checkpoint: older.as_bytes(), proof: &proof });
    let claim = Claim { checkpoint: newer.as_bytes(), lines: &lines, since };
    let verdict = verify(&claim, &trust);
    assert!(verdict.is_proven(), "{verdict}");
    assert_eq!((verdict.events_proven, verdict.continues), (40, Some(20)));
    lines[11].public = lines[11].public.replace("key.encrypt", "key.decrypt");
    let claim = Claim { checkpoint: newer.as_bytes(), lines: &lines, since };
    let verdict = verify(&claim, &trust);
    assert_eq!(verdict.faults, [audit::verify::Fault::Event(111)]);
}

#[test]
fn queries_find_newest_first_page_by_page() {
    let house = House::new();
    let mut running = house.open();
    running.grow(400);
    house.clock.advance_millis(60_000);
    running.grow(400);
    let log = &running.log;
    let all = |query: Query| {
        let (mut query, mut found) = (query, Vec::new());
        loop {
            let page = log.query(&query, 7).unwrap();
            assert!(page.events.len() <= 7);
            found.extend(page.events.into_iter().map(|e| e.position.0));
            match page.next {
                Some(next) => query.before = Some(next),
                None => return found,
            }
        }
    };
    let resource = Query { resource: Some("key:key_3".into()), ..Query::default() };
    assert_eq!(all(resource), (0..800).rev().filter(|n| n % 10 == 3).collect::<Vec<_>>());
    let one = Query { correlation: Some("c-5".into()), ..Query::default() };
    assert_eq!(all(one), [5]);
    let action = |word: &str| Query { action: Some(word.into()), ..Query::default() };
    assert_eq!(all(action("key.")).len(), 800);
    assert_eq!(all(action("key.decrypt")).len(), 0);
    let system = Query { principal: Some(Principal::System), ..Query::default() };
    assert_eq!(all(system).len(), 800);
    let times = |n| log.event(LogPosition(n)).unwrap().logged;
    let late = Query { from: Some(times(400)), ..Query::default() };
    assert_eq!(all(late), (400..800).rev().collect::<Vec<_>>());
    let early = Query { until: Some(times(400)), ..Query::default() };
    assert_eq!(all(early), (0..400).rev().collect::<Vec<_>>());
    let none = Query { domains: Some(Vec::new()), ..Query::default() };
    assert_eq!(all(none).len(), 0);
    let odd = Query { correlation: Some("\"\n密".into()), ..Query::default() };
    assert_eq!(all(odd).len(), 0);
    let page = log.query(&Query::default(), 3).unwrap();
    assert_eq!(page.events[2].event.personal, event(&house.clock, 797).personal);
}

#[test]
fn python_recomputes_root_and_proof_from_an_export() {
    let house = House::new();
    let mut running = house.open();
    running.grow(777);
    let path = |name: &str| house.folder.path().join(name);
    let mut export = String::new();
    running
        .log
        .export(LogPosition(0), LogPosition(u64::MAX), true, |line| {
            export.push_str(&serde_json::to_string(line).unwrap());
            export.push('\n');
            Ok(())
        })
        .unwrap();
    assert_eq!(export.lines().count(), 777);
    assert!(export.contains("192.0.2.249"));
    std::fs::write(path("export.jsonl"), &export).unwrap();
    std::fs::write(path("checkpoint"), running.log.checkpoint().unwrap().to_string()).unwrap();
    let evidence = running.log.evidence(LogPosition(300), 777).unwrap();
    std::fs::write(path("evidence.json"), serde_json::to_string(&evidence).unwrap()).unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/recompute.py");
    let run = || {
        let mut python = Command::new("python3");
        python.arg(script).args(["export.jsonl", "checkpoint", "evidence.json"].map(path));
        python.output().unwrap()
    };
    let good = run();
    assert!(good.status.success(), "{}", String::from_utf8_lossy(&good.stderr));
    assert_eq!(String::from_utf8(good.stdout).unwrap(), "root and proof recomputed: 777 events\n");
    let altered = export.replacen("key.encrypt", "key.decrypt", 1);
    std::fs::write(path("export.jsonl"), altered).unwrap();
    assert!(!run().status.success());
}

#[test]
fn a_shredded_month_of_a_person_leaves_the_proofs_whole() {
    let house = House::new();
    let mut running = house.open();
    running.grow(10);
    let lines = |log: &audit::Log| {
        let mut lines = Vec::new();
        let until = LogPosition(10);
        log.export(LogPosition(0), until, true, |line| {
            lines.push(line.clone());
            Ok(())
        })
        .unwrap();
        lines
    };
    let before = lines(&running.log);
    assert!(before[3].personal.is_some() && before.iter().all(audit::Line::personal_fits));
    // Another root cannot open what this one sealed, exactly as if the shred key were deleted.
    let other = House { shelf: house.shelf.copy(), ..House::new() };
    std::fs::copy(house.anchor(), other.anchor()).unwrap();
    let shredded = other.open();
    let after = lines(&shredded.log);
    assert!(after.iter().all(|line| line.personal.is_none()));
    assert!(shredded.log.event(LogPosition(3)).unwrap().event.personal.is_empty());
    let leaves = |lines: &[audit::Line]| lines.iter().map(audit::Line::leaf).collect::<Vec<Hash>>();
    assert_eq!(leaves(&before), leaves(&after));
    assert_eq!(shredded.log.head().root, running.log.head().root);
}

#[test]
fn a_mirror_rebuilds_the_root_from_tiles_and_the_tiles_from_entries() {
    let house = House::new();
    let mut running = house.open();
    running.grow(700);
    let log = &running.log;
    let file = |path: &str| log.mirror_file(path).unwrap();
    let mut leaves = Vec::new();
    for (hashes, entries) in [
        ("tile/0/000", "tile/entries/000"),
        ("tile/0/001", "tile/entries/001"),
        ("tile/0/002.p/188", "tile/entries/002.p/188"),
    ] {
        let bundle = file(entries).unwrap();
        let from_entries: Vec<Hash> =
            bundle.chunks_exact(67).map(|entry| Hash::leaf(&entry[2..])).collect();
        let tile: Vec<u8> = from_entries.iter().flat_map(|hash| hash.0).collect();
        assert_eq!(file(hashes).unwrap(), tile);
        leaves.extend(from_entries);
    }
    let mut tip = audit::tree::Tip::new();
    leaves.iter().for_each(|leaf| tip.push(*leaf, &mut Vec::new()));
    assert_eq!((tip.size(), tip.root()), (700, log.head().root));
    assert_eq!(file("tile/1/000.p/2").unwrap().len(), 64);
    assert_eq!(file("tile/0/002.p/9").unwrap().len(), 9 * 32);
    assert!(file("checkpoint").unwrap().starts_with(ORIGIN.as_bytes()));
    for absent in
        ["tile/0/002", "tile/0/002.p/189", "tile/1/000", "tile/1/000.p/3", "tile/2/000.p/1"]
    {
        assert_eq!(file(absent), None, "{absent}");
    }
    for absent in ["", "tile/entries/003.p/1", "tile/7/000.p/1", "../anchor"] {
        assert_eq!(file(absent), None, "{absent}");
    }
}

#[test]
fn a_log_of_more_than_one_segment_restarts_proves_and_is_searched_in_stretches() {
    let house = House::new();
    let mut running = house.open();
    for _ in 0..7 {
        let first = running.log.head().size;
        running.commit((first..first + 10_000).map(|n| event(&house.clock, n * 3 + 1)).collect());
    }
    running.grow(5);
    running.log.close().unwrap();
    let log = house.open().log;
    let size = 70_005;
    assert_eq!(log.head(), running.log.head());
    for position in [0, 255, 256, 65_535, 65_536, 69_999, 70_004] {
        let line = log.evidence(LogPosition(position), size).unwrap();
        assert!(includes(position, size, line.leaf(), &line.path, log.head().root));
    }
    // One call looks at so many events and no more, and says where it stopped.
    let query = Query { correlation: Some("c-4".into()), ..Query::default() };
    let page = log.query(&query, 10).unwrap();
    assert!(page.events.is_empty());
    assert_eq!(page.next, Some(LogPosition(size - audit::query::SCAN_EVENTS_MAX)));
    let page = log.query(&Query { before: page.next, ..query }, 10).unwrap();
    assert_eq!(page.events.iter().map(|e| e.position.0).collect::<Vec<_>>(), [1]);
    assert_eq!(page.next, None);
}

#[test]
fn more_people_than_keys_are_held_open_are_all_readable() {
    let house = House::new();
    let mut running = house.open();
    let by = |n: u32| {
        let mut event = event(&house.clock, 1).with_personal("address", format!("p{n}"));
        let mut id = [0; 16];
        id[..4].copy_from_slice(&n.to_be_bytes());
        event.principal = Principal::Person(kernel::PersonId::from_bytes(id));
        event
    };
    for start in (0..5_000).step_by(1_000) {
        running.commit((start..start + 1_000).map(by).collect());
    }
    running.commit(vec![by(0)]);
    let log = house.open().log;
    for position in [0, 999, 4_096, 4_999] {
        let said = log.event(LogPosition(position)).unwrap().event.personal;
        assert_eq!(said[0].1, format!("p{position}"));
    }
    assert_eq!(log.event(LogPosition(5_000)).unwrap().event.personal[0].1, "p0");
}

#[tokio::test]
async fn whoever_waits_for_an_event_is_told_when_it_is_durable() {
    let house = House::new();
    let mut running = house.open();
    let log = running.log.clone();
    let waiting = tokio::spawn(async move { log.wait_durable(LogPosition(4)).await });
    running.grow(4);
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished());
    running.grow(1);
    waiting.await.unwrap().unwrap();
}
