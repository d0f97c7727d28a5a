//! Many at once: groups, stale epochs in a race, waiting and closing.

use crate::support::*;
use kernel::{Epochs as _, Guard, Recorder as _};
use std::future::Future as _;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};
use store::{Batch, Expect, KeyRange, StoreError};

#[test]
fn writers_share_a_flush_and_each_fails_by_itself() {
    let folder = Folder::new();
    let store = open(&folder);
    let refused = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for writer in 0..16u64 {
            let (store, refused) = (store.clone(), &refused);
            scope.spawn(move || {
                let tickets: Vec<_> = (0..50u32)
                    .map(|n| {
                        // Every fifth wants a version that is not there.
                        let expect = if n % 5 == 0 { Expect::Version(9) } else { Expect::Absent };
                        let batch = Batch::new()
                            .put::<Notes>(&(writer, n), &String::from("x"), expect)
                            .event(event(&format!("{writer}/{n}")));
                        store.commit(batch)
                    })
                    .collect();
                for ticket in tickets {
                    match ticket.wait() {
                        Ok(committed) => {
                            assert_eq!(committed.positions.end - committed.positions.start, 1);
                        }
                        Err(StoreError::VersionConflict { .. }) => {
                            refused.fetch_add(1, Ordering::SeqCst);
                        }
                        Err(error) => panic!("{error}"),
                    }
                }
            });
        }
    });
    assert_eq!(refused.load(Ordering::SeqCst), 160);
    let stats = store.stats();
    assert_eq!((stats.commits, stats.refused, stats.waiting), (640, 160, 0));
    assert!(stats.mean_group() > 1.0, "{stats:?}");
    assert_eq!(store.count::<Notes>(), 640);
    let mut logged = logged(&store);
    logged.sort();
    logged.dedup();
    assert_eq!(logged.len(), 640);
    assert!(logged.iter().all(|c| !c.ends_with("/0") && !c.ends_with("/5")));
    assert_eq!(store.verify().unwrap(), []);
}

#[test]
fn after_a_revocation_is_answered_no_commit_under_the_older_epoch_succeeds() {
    let folder = Folder::new();
    let store = open(&folder);
    let (revoked, used) = (AtomicU64::new(0), AtomicU64::new(0));
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for user in 0..4u64 {
            let (store, revoked, used, stop) = (store.clone(), &revoked, &used, &stop);
            scope.spawn(move || {
                let mut n = 0;
                while !stop.load(Ordering::SeqCst) {
                    n += 1;
                    let guard = Guard { domain: domain(1), epoch: store.current(domain(1)) };
                    let answered_before = revoked.load(Ordering::SeqCst);
                    assert!(guard.epoch.0 >= answered_before, "an answered epoch is visible");
                    let note = format!("{}", guard.epoch.0);
                    let batch = Batch::new()
                        .put::<Notes>(&(user, n), &note, Expect::Absent)
                        .event(event(&format!("use {note}")))
                        .guard(guard);
                    match store.commit(batch).wait() {
                        Ok(_) => _ = used.fetch_add(1, Ordering::SeqCst),
                        Err(StoreError::StaleEpoch { .. }) => {}
                        Err(error) => panic!("{error}"),
                    }
                }
            });
        }
        // At least a hundred, and until each user has had its turn.
        for n in (1u64..).take_while(|n| *n <= 100 || used.load(Ordering::SeqCst) < 50) {
            let batch = Batch::new().raise_epoch(domain(1)).event(event(&format!("revoke {n}")));
            store.commit(batch).wait().unwrap();
            revoked.store(n, Ordering::SeqCst);
        }
        stop.store(true, Ordering::SeqCst);
    });
    // In the log, no use under epoch n stands behind the revocation that ended n.
    let (mut epoch, mut uses) = (0, 0u64);
    for word in logged(&store) {
        match word.split_once(' ') {
            Some(("revoke", n)) => epoch = n.parse::<u64>().unwrap(),
            Some(("use", n)) => {
                // Events of one group stand in the order of its batches.
                assert_eq!(n.parse::<u64>().unwrap(), epoch, "a use outlived its epoch");
                uses += 1;
            }
            _ => panic!("{word}"),
        }
    }
    assert!(epoch >= 100 && uses == used.load(Ordering::SeqCst) && uses >= 50);
}

#[test]
fn one_of_many_creates_a_name() {
    let folder = Folder::new();
    let store = open(&folder);
    let tickets: Vec<_> = (0..100)
        .map(|key| Batch::new().put::<Things>(&key, &thing("same", "red"), Expect::Absent))
        .map(|batch| store.commit(batch))
        .collect();
    let won = tickets.into_iter().filter_map(|ticket| ticket.wait().ok()).count();
    assert_eq!((won, store.count::<Things>()), (1, 1));
}

#[test]
fn watching_ends_with_the_next_revision() {
    let folder = Folder::new();
    let store = open(&folder);
    let mut context = Context::from_waker(Waker::noop());
    let mut watch = pin!(store.watch(0));
    assert!(watch.as_mut().poll(&mut context).is_pending());
    store.commit(Batch::new().event(event("a"))).wait().unwrap();
    assert!(matches!(watch.as_mut().poll(&mut context), Poll::Ready(Ok(1))));
    let mut earlier = pin!(store.watch(0));
    assert!(matches!(earlier.as_mut().poll(&mut context), Poll::Ready(Ok(1))));
    let mut never = pin!(store.watch(1));
    assert!(never.as_mut().poll(&mut context).is_pending());
    store.close();
    assert!(matches!(never.as_mut().poll(&mut context), Poll::Ready(Err(StoreError::Closed))));
}

#[test]
fn closing_commits_what_waits_and_refuses_what_comes() {
    let folder = Folder::new();
    let store = open(&folder);
    let put = |n| Batch::new().put::<Notes>(&(0, n), &String::new(), Expect::Absent);
    let tickets: Vec<_> = (0..50).map(|n| store.commit(put(n))).collect();
    store.record(event("recorded"));
    store.close();
    assert!(tickets.into_iter().all(|ticket| ticket.wait().is_ok()));
    assert!(matches!(store.commit(put(99)).wait(), Err(StoreError::Closed)));
    assert!(matches!(store.flush().wait(), Err(StoreError::Closed)));
    assert_eq!(store.scan::<Notes>(&KeyRange::all(), 99).unwrap().len(), 50);
    assert_eq!(logged(&store), ["recorded"]);
}

#[test]
fn a_second_server_on_the_folder_is_refused() {
    let folder = Folder::new();
    let store = open(&folder);
    match opened(&folder) {
        Err(StoreError::InUse { folder: named }) => {
            assert_eq!(named, folder.path().display().to_string());
        }
        other => panic!("{other:?}"),
    }
    let examined = store::Store::examine(folder.path(), keys());
    assert!(matches!(examined, Err(StoreError::InUse { .. })));
    drop(store);
    assert!(opened(&folder).is_ok());
}

#[test]
fn a_full_queue_of_events_fails_the_next_flush_and_only_that() {
    let folder = Folder::new();
    let (store, told) = start(opened(&folder).unwrap());
    told.refuse.store(true, Ordering::SeqCst);
    let most = store::limits::QUEUE_EVENTS_MAX;
    for _ in 0..most + 10 {
        store.record(event("r"));
    }
    assert!(matches!(store.flush().wait(), Err(StoreError::Append(_))));
    told.refuse.store(false, Ordering::SeqCst);
    let dropped = match store.flush().wait() {
        Err(StoreError::EventsDropped { dropped }) => dropped,
        other => panic!("{other:?}"),
    };
    assert!(dropped >= 10, "{dropped}");
    store.flush().wait().unwrap();
    assert_eq!(store.log_head().size, (most + 10) as u64 - dropped);
}

#[test]
fn a_queue_that_is_full_refuses_as_busy() {
    let folder = Folder::new();
    let opened = opened(&folder).unwrap();
    let (lines, _) = Lines::after(opened.log_head());
    let gate = Arc::new(std::sync::Barrier::new(2));
    let store = opened.start(Box::new(Gated { lines, gate: Some(Arc::clone(&gate)) })).unwrap();
    let commit = || store.commit(Batch::new().event(event("e")));
    let first = commit();
    // The committer is held in its first group, which has taken at most a group from the queue,
    // while more than the queue takes comes in.
    let most = store::limits::QUEUE_BATCHES_MAX + store::limits::GROUP_BATCHES_MAX;
    let tickets: Vec<_> = (0..most + 1).map(|_| commit()).collect();
    gate.wait();
    first.wait().unwrap();
    let (mut busy, mut done) = (0, 0);
    for ticket in tickets {
        match ticket.wait() {
            Ok(_) => done += 1,
            Err(StoreError::Busy) => busy += 1,
            Err(error) => panic!("{error}"),
        }
    }
    assert!(busy > 0 && done >= store::limits::QUEUE_BATCHES_MAX, "{busy} {done}");
    assert_eq!(store.log_head().size, done as u64 + 1);
}

struct Gated {
    lines: Box<Lines>,
    gate: Option<Arc<std::sync::Barrier>>,
}

impl store::Appender for Gated {
    fn append(
        &mut self,
        events: Vec<kernel::Event>,
        now: kernel::Timestamp,
        state: &store::StateDigest,
    ) -> Result<store::LogRows, store::AppendError> {
        if let Some(gate) = self.gate.take() {
            gate.wait();
        }
        self.lines.append(events, now, state)
    }
    fn committed(&mut self) {
        self.lines.committed();
    }
    fn abandoned(&mut self) {
        self.lines.abandoned();
    }
}
