//! What every engine must do. Each case is a function over a bench that opens the same data as
//! often as it is asked, so that another engine runs them unchanged: add a bench, call [`run_all`].

use crate::support::*;
use kernel::{Clock, Epoch, Epochs as _, Guard, HeldClock, Recorder as _, Scope};
use std::sync::Arc;
use store::{Batch, BatchError, Expect, Idempotency, KeyRange, Store, StoreError, limits};

/// Opens a store over data of its own; the one before must have been dropped.
pub(crate) trait Bench {
    fn open(&self) -> (Store, Arc<Told>);
    /// The clock that the stores are opened with.
    fn clock(&self) -> &HeldClock;
}

/// A collection of whatever a test wants: long keys, many terms, long names.
enum Odd {}

impl store::Collection for Odd {
    const NAME: &'static str = "odd";
    type Key = String;
    type Value = (u16, String);
    fn indexes((terms, _): &Self::Value) -> Vec<store::IndexTerm> {
        (0..*terms).map(|n| store::IndexTerm::new("n", n.to_be_bytes())).collect()
    }
    fn sort_name((_, name): &Self::Value) -> Option<std::borrow::Cow<'_, str>> {
        Some(name.into())
    }
}

type Case = (&'static str, fn(&dyn Bench));

/// Every case by its name.
pub(crate) const CASES: [Case; 18] = [
    ("preconditions hold or nothing happens", preconditions),
    ("versions are never used twice", versions),
    ("a batch names a record once and keeps its limits", limits_of_a_batch),
    ("keys, terms and names keep their limits", limits_of_a_record),
    ("reads are bounded", limits_of_reads),
    ("a refused batch leaves no trace", refused_leaves_no_trace),
    ("a unique term has one holder", unique),
    ("unique terms may be exchanged in one batch", exchange),
    ("a stale epoch is refused", stale_epoch),
    ("every epoch is raised at once", every_epoch),
    ("a repeated request has its first outcome", idempotent),
    ("an outcome is kept for a day", idempotent_for_a_day),
    ("finding follows changes", finding),
    ("scans keep order, range and limit", scanning),
    ("events and state are one", events_with_state),
    ("recorded events are durable after a flush", recorder),
    ("a stamp changes with its collection and with nothing else", stamps),
    ("the appender is given the digest of the state", digest_is_bound),
];

pub(crate) fn run_all(mut bench: impl FnMut() -> Box<dyn Bench>) {
    for (name, case) in CASES {
        println!("{name}");
        case(&*bench());
    }
}

struct Sqlite {
    folder: Folder,
    clock: Arc<HeldClock>,
}

impl Bench for Sqlite {
    fn open(&self) -> (Store, Arc<Told>) {
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        start(Store::open(self.folder.path(), keys(), clock, options()).unwrap())
    }
    fn clock(&self) -> &HeldClock {
        &self.clock
    }
}

#[test]
fn sqlite_conforms() {
    run_all(|| Box::new(Sqlite { folder: Folder::new(), clock: clock() }));
}

fn put(key: u64, name: &str, expect: Expect) -> Batch {
    Batch::new().put::<Things>(&key, &thing(name, "red"), expect)
}

fn preconditions(bench: &dyn Bench) {
    let (store, _) = bench.open();
    let missing = store.commit(put(1, "a", Expect::Version(1))).wait();
    assert!(matches!(missing, Err(StoreError::VersionConflict { collection: "things" })));
    let first = store.commit(put(1, "a", Expect::Absent)).wait().unwrap().versions[0];
    let again = store.commit(put(1, "a", Expect::Absent)).wait();
    assert!(matches!(again, Err(StoreError::Exists { collection: "things" })));
    let second = store.commit(put(1, "b", Expect::Version(first))).wait().unwrap().versions[0];
    let stale = store.commit(put(1, "c", Expect::Version(first))).wait();
    assert!(matches!(stale, Err(StoreError::VersionConflict { .. })));
    let gone = store.commit(Batch::new().delete::<Things>(&1, Expect::Version(first))).wait();
    assert!(matches!(gone, Err(StoreError::VersionConflict { .. })));
    assert_eq!(store.get::<Things>(&1).unwrap().unwrap().version, second);
    store.commit(Batch::new().delete::<Things>(&1, Expect::Version(second))).wait().unwrap();
    assert!(store.get::<Things>(&1).unwrap().is_none());
    store.commit(Batch::new().delete::<Things>(&1, Expect::Any)).wait().unwrap();
    assert_eq!(store.count::<Things>(), 0);
}

fn stamps(bench: &dyn Bench) {
    let (store, _) = bench.open();
    let empty = store.stamp::<Things>();
    store.commit(put(1, "a", Expect::Absent)).wait().unwrap();
    let one = store.stamp::<Things>();
    let tick = kernel::Event::system("system.tick", kernel::Timestamp::EPOCH);
    store.commit(Batch::new().event(tick)).wait().unwrap();
    assert_eq!(store.stamp::<Things>(), one, "what happens elsewhere is no change");
    store.commit(put(1, "a", Expect::Any)).wait().unwrap();
    let again = store.stamp::<Things>();
    store.commit(Batch::new().delete::<Things>(&1, Expect::Any)).wait().unwrap();
    let gone = store.stamp::<Things>();
    assert!(empty != one && one != again && again != gone);
}

fn versions(bench: &dyn Bench) {
    let mut seen = std::collections::HashSet::new();
    for _ in 0..3 {
        let (store, _) = bench.open();
        for _ in 0..3 {
            let version = store.commit(put(1, "a", Expect::Any)).wait().unwrap().versions[0];
            assert!(seen.insert(version), "a deleted record's version comes back");
            store.commit(Batch::new().delete::<Things>(&1, Expect::Any)).wait().unwrap();
        }
    }
}

fn limits_of_a_batch(bench: &dyn Bench) {
    let (store, _) = bench.open();
    let refusal = |batch: Batch| match store.commit(batch).wait() {
        Err(StoreError::Batch(refusal)) => refusal,
        other => panic!("{other:?}"),
    };
    let twice = put(1, "a", Expect::Any).delete::<Things>(&1, Expect::Any);
    assert_eq!(refusal(twice), BatchError::Twice { collection: "things" });
    let many = |n: u64| {
        (0..n)
            .fold(Batch::new(), |batch, i| batch.put::<Notes>(&(i, 0), &String::new(), Expect::Any))
    };
    let most = limits::BATCH_CHANGES_MAX as u64;
    assert_eq!(refusal(many(most + 1)), BatchError::TooManyChanges);
    assert_eq!(store.commit(many(most)).wait().unwrap().versions.len() as u64, most);
    let events = (0..=limits::BATCH_EVENTS_MAX).fold(Batch::new(), |b, _| b.event(event("e")));
    assert_eq!(refusal(events), BatchError::TooManyEvents);
    let large =
        |bytes: usize| Batch::new().put::<Notes>(&(1, 1), &"x".repeat(bytes - 2), Expect::Any);
    let large_refused = BatchError::RecordTooLarge { collection: "notes" };
    assert_eq!(refusal(large(limits::RECORD_BYTES_MAX + 1)), large_refused);
    store.commit(large(limits::RECORD_BYTES_MAX)).wait().unwrap();
    assert!(store.get::<Notes>(&(1, 1)).unwrap().is_some());
}

fn limits_of_a_record(bench: &dyn Bench) {
    let (store, _) = bench.open();
    let put = |key: usize, terms: usize, name: String| {
        let value = (u16::try_from(terms).unwrap(), name);
        store.commit(Batch::new().put::<Odd>(&"k".repeat(key), &value, Expect::Absent)).wait()
    };
    let (key, terms) = (limits::KEY_BYTES_MAX, limits::TERMS_MAX);
    let long = put(key + 1, 1, String::new());
    assert!(matches!(long, Err(StoreError::Batch(BatchError::KeyTooLong { .. }))));
    let many = put(1, terms + 1, String::new());
    assert!(matches!(many, Err(StoreError::Batch(BatchError::TooManyTerms { .. }))));
    put(key, terms, String::from("b")).unwrap();
    // A name longer than what sorts is cut for sorting, between characters, and shown whole.
    let name = format!("a{}", "密".repeat(limits::SORT_TEXT_BYTES_MAX));
    put(1, 0, name.clone()).unwrap();
    let page = store.page::<Odd>(&Scope::All, None, 9, |_| true).unwrap();
    let names: Vec<_> = page.items.into_iter().map(|record| record.value.1).collect();
    assert_eq!(names, [name, String::from("b")]);
    assert_eq!(store.verify().unwrap(), []);
}

fn limits_of_reads(bench: &dyn Bench) {
    let (store, _) = bench.open();
    let most = limits::READ_ROWS_MAX;
    for first in (0..=most).step_by(4_000) {
        let numbers = first..(first + 4_000).min(most + 1);
        let batch = numbers.fold(Batch::new(), |batch, n| {
            batch.put::<Odd>(&format!("{n:06}"), &(1, format!("{n:06}")), Expect::Absent)
        });
        store.commit(batch).wait().unwrap();
    }
    assert_eq!(store.count::<Odd>(), most as u64 + 1);
    assert_eq!(store.scan::<Odd>(&KeyRange::all(), usize::MAX).unwrap().len(), most);
    let term = store::IndexTerm::new("n", 0u16.to_be_bytes());
    assert_eq!(store.find::<Odd>(&term, usize::MAX).unwrap().len(), most);
    let none = store.page::<Odd>(&Scope::All, None, 1, |_| false).unwrap();
    assert!(none.items.is_empty());
    let rest = store.page::<Odd>(&Scope::All, none.next.as_ref(), 9, |_| true).unwrap();
    assert_eq!(rest.items.first().unwrap().key, format!("{most:06}"));
}

fn refused_leaves_no_trace(bench: &dyn Bench) {
    let (store, told) = bench.open();
    store.commit(put(1, "a", Expect::Absent).event(event("kept"))).wait().unwrap();
    let (revision, digest) = (store.revision(), store.state_digest());
    let batch = put(2, "b", Expect::Absent)
        .put::<Things>(&1, &thing("c", "red"), Expect::Absent)
        .raise_epoch(domain(1))
        .event(event("lost"));
    assert!(store.commit(batch).wait().is_err());
    told.refuse.store(true, std::sync::atomic::Ordering::SeqCst);
    let refused = store.commit(put(3, "c", Expect::Absent).event(event("lost"))).wait();
    assert!(matches!(refused, Err(StoreError::Append(_))));
    told.refuse.store(false, std::sync::atomic::Ordering::SeqCst);
    assert_eq!((store.revision(), store.state_digest()), (revision, digest));
    assert_eq!(store.count::<Things>(), 1);
    assert_eq!(store.current(domain(1)), Epoch(0));
    assert_eq!(logged(&store), ["kept"]);
    store.commit(put(3, "c", Expect::Absent)).wait().unwrap();
    assert_eq!(store.verify().unwrap(), []);
}

fn unique(bench: &dyn Bench) {
    let (store, _) = bench.open();
    store.commit(put(1, "a", Expect::Absent)).wait().unwrap();
    let refused = store.commit(put(2, "a", Expect::Absent)).wait();
    assert!(matches!(refused, Err(StoreError::NotUnique { collection: "things", index: "name" })));
    let both = put(3, "b", Expect::Absent).put::<Things>(&4, &thing("b", "red"), Expect::Absent);
    assert!(matches!(store.commit(both).wait(), Err(StoreError::NotUnique { .. })));
    let elsewhere = Thing { domain: domain(2), ..thing("a", "red") };
    store.commit(Batch::new().put::<Things>(&5, &elsewhere, Expect::Absent)).wait().unwrap();
    store.commit(put(1, "a", Expect::Any)).wait().unwrap();
    store.commit(Batch::new().delete::<Things>(&1, Expect::Any)).wait().unwrap();
    store.commit(put(2, "a", Expect::Absent)).wait().unwrap();
    assert_eq!(store.find_one::<Things>(&named(domain(1), "a")).unwrap().unwrap().key, 2);
}

fn exchange(bench: &dyn Bench) {
    let (store, _) = bench.open();
    let both = |first: &str, second: &str| {
        put(1, first, Expect::Any).put::<Things>(&2, &thing(second, "red"), Expect::Any)
    };
    store.commit(both("a", "b")).wait().unwrap();
    store.commit(both("b", "a")).wait().unwrap();
    assert_eq!(store.find_one::<Things>(&named(domain(1), "a")).unwrap().unwrap().key, 2);
    assert!(matches!(store.commit(both("c", "c")).wait(), Err(StoreError::NotUnique { .. })));
    assert_eq!(store.verify().unwrap(), []);
}

fn stale_epoch(bench: &dyn Bench) {
    let (store, _) = bench.open();
    let old = Guard { domain: domain(1), epoch: store.current(domain(1)) };
    store.commit(put(1, "a", Expect::Any).guard(old)).wait().unwrap();
    let raised = store.commit(Batch::new().raise_epoch(domain(1)).guard(old)).wait().unwrap();
    assert_eq!(raised.epochs, [(domain(1), store.current(domain(1)))]);
    let stale = store.commit(put(1, "b", Expect::Any).guard(old)).wait();
    assert!(matches!(stale, Err(StoreError::StaleEpoch { domain: d }) if d == domain(1)));
    let other = Guard { domain: domain(2), epoch: store.current(domain(2)) };
    store.commit(put(1, "c", Expect::Any).guard(other)).wait().unwrap();
    let both = store.commit(put(1, "d", Expect::Any).guard(other).guard(old)).wait();
    assert!(matches!(both, Err(StoreError::StaleEpoch { .. })));
    let now = store.current(domain(1));
    drop(store);
    let (store, _) = bench.open();
    assert_eq!(store.current(domain(1)), now);
    assert!(store.commit(put(1, "e", Expect::Any).guard(old)).wait().is_err());
}

fn every_epoch(bench: &dyn Bench) {
    let (store, _) = bench.open();
    let guard = |n| Guard { domain: domain(n), epoch: store.current(domain(n)) };
    let before = [guard(1), guard(2)];
    store.commit(Batch::new().raise_epoch(domain(1))).wait().unwrap();
    let between = guard(1);
    store.commit(Batch::new().raise_every_epoch()).wait().unwrap();
    for stale in [before[0], before[1], between] {
        assert!(store.commit(Batch::new().guard(stale).event(event("no"))).wait().is_err());
    }
    let now = [store.current(domain(1)), store.current(domain(2))];
    drop(store);
    let (store, _) = bench.open();
    assert_eq!([store.current(domain(1)), store.current(domain(2))], now);
}

fn asked(request: u8, outcome: &str) -> Idempotency {
    Idempotency {
        domain: domain(1),
        caller: String::from("service:svc"),
        key: String::from("abc"),
        request: [request; 32],
        outcome: outcome.as_bytes().to_vec(),
    }
}

fn idempotent(bench: &dyn Bench) {
    let (store, _) = bench.open();
    let create = |key, kept| put(key, "a", Expect::Absent).event(event("create")).idempotent(kept);
    assert_eq!(store.outcome(domain(1), "service:svc", "abc", &[1; 32]).unwrap(), None);
    let first = store.commit(create(1, asked(1, "one"))).wait().unwrap();
    assert_eq!(first.replayed, None);
    let second = store.commit(create(2, asked(1, "two"))).wait().unwrap();
    assert_eq!(second.replayed.as_deref(), Some(b"one".as_slice()));
    assert!(second.versions.is_empty());
    assert!(store.get::<Things>(&2).unwrap().is_none());
    let details: Vec<_> = log(&store).into_iter().map(|event| event.details).collect();
    assert_eq!(details, [vec![], vec![("replayed".into(), String::from("true"))]]);
    let other = store.commit(create(3, asked(2, "three"))).wait();
    assert!(matches!(other, Err(StoreError::IdempotencyMismatch)));
    let stranger = Idempotency { caller: String::from("service:other"), ..asked(9, "x") };
    let batch =
        Batch::new().put::<Notes>(&(1, 1), &String::new(), Expect::Any).idempotent(stranger);
    assert_eq!(store.commit(batch).wait().unwrap().replayed, None);
    drop(store);
    let (store, _) = bench.open();
    let kept = store.outcome(domain(1), "service:svc", "abc", &[1; 32]).unwrap();
    assert_eq!(kept.as_deref(), Some(b"one".as_slice()));
    let mismatch = store.outcome(domain(1), "service:svc", "abc", &[2; 32]);
    assert!(matches!(mismatch, Err(StoreError::IdempotencyMismatch)));
}

fn idempotent_for_a_day(bench: &dyn Bench) {
    let (store, _) = bench.open();
    let failing = put(1, "a", Expect::Version(7)).idempotent(asked(1, "one"));
    assert!(store.commit(failing).wait().is_err());
    let kept = |request| store.outcome(domain(1), "service:svc", "abc", &[request; 32]);
    assert_eq!(kept(1).unwrap(), None, "what failed has no outcome");
    let working = |n| put(n, &n.to_string(), Expect::Absent).idempotent(asked(2, "two"));
    assert_eq!(store.commit(working(1)).wait().unwrap().replayed, None);
    let day = u32::try_from(limits::IDEMPOTENCY_SECONDS * 1_000).unwrap();
    bench.clock().advance_millis(day - 1_000);
    assert!(store.commit(working(2)).wait().unwrap().replayed.is_some());
    bench.clock().advance_millis(1_000);
    assert_eq!(kept(1).unwrap(), None, "another request may use the key after a day");
    assert_eq!(store.commit(working(3)).wait().unwrap().replayed, None);
    bench.clock().advance_millis(day);
    store.commit(Batch::new().event(event("any"))).wait().unwrap();
    drop(store);
    let (store, _) = bench.open();
    assert_eq!(store.outcome(domain(1), "service:svc", "abc", &[2; 32]).unwrap(), None);
    assert_eq!(store.verify().unwrap(), []);
}

fn finding(bench: &dyn Bench) {
    let (store, _) = bench.open();
    let all = [(1, "a", "red"), (2, "b", "blue"), (3, "c", "red")];
    for (key, name, colour) in all {
        let batch = Batch::new().put::<Things>(&key, &thing(name, colour), Expect::Absent);
        store.commit(batch).wait().unwrap();
    }
    let keys = |store: &Store, colour| -> Vec<u64> {
        let found = store.find::<Things>(&coloured(colour), 10).unwrap();
        found.into_iter().map(|record| record.key).collect()
    };
    assert_eq!((keys(&store, "red"), keys(&store, "blue")), (vec![1, 3], vec![2]));
    assert_eq!(store.find::<Things>(&coloured("red"), 1).unwrap().len(), 1);
    store.commit(Batch::new().put::<Things>(&1, &thing("a", "blue"), Expect::Any)).wait().unwrap();
    store.commit(Batch::new().delete::<Things>(&3, Expect::Any)).wait().unwrap();
    assert_eq!((keys(&store, "red"), keys(&store, "blue")), (vec![], vec![1, 2]));
    drop(store);
    let (store, _) = bench.open();
    assert_eq!((keys(&store, "red"), keys(&store, "blue")), (vec![], vec![1, 2]));
}

fn scanning(bench: &dyn Bench) {
    let (store, _) = bench.open();
    let batch = [(1, 1), (1, 2), (1, 300), (2, 1), (u64::MAX, 0)]
        .iter()
        .fold(Batch::new(), |batch, key| {
            batch.put::<Notes>(key, &format!("{key:?}"), Expect::Absent)
        });
    store.commit(batch).wait().unwrap();
    let keys = |range: &KeyRange, limit| -> Vec<(u64, u32)> {
        let found = store.scan::<Notes>(range, limit).unwrap();
        found.into_iter().map(|record| record.key).collect()
    };
    let all = KeyRange::all();
    assert_eq!(keys(&all, 9), [(1, 1), (1, 2), (1, 300), (2, 1), (u64::MAX, 0)]);
    assert_eq!(keys(&all, 2), [(1, 1), (1, 2)]);
    assert_eq!(keys(&all, 0), []);
    assert_eq!(keys(&all.after(&(1u64, 2u32)), 2), [(1, 300), (2, 1)]);
    let ones = KeyRange::prefix(&1u64);
    assert_eq!(keys(&ones, 9), [(1, 1), (1, 2), (1, 300)]);
    assert_eq!(keys(&ones.clone().after(&(1u64, 2u32)), 9), [(1, 300)]);
    assert_eq!(keys(&ones.after(&(0u64, 9u32)), 9), [(1, 1), (1, 2), (1, 300)]);
    assert_eq!(keys(&KeyRange::prefix(&u64::MAX), 9), [(u64::MAX, 0)]);
    let many = store.get_many::<Notes>(&[(2, 1), (9, 9), (1, 1)]).unwrap();
    let found: Vec<_> = many.into_iter().map(|record| record.map(|r| r.value)).collect();
    assert_eq!(found, [Some("(2, 1)".into()), None, Some("(1, 1)".into())]);
    let page = store.page::<Notes>(&Scope::All, None, 9, |_| true).unwrap();
    assert!(page.items.is_empty(), "records without a name are in no list");
}

fn events_with_state(bench: &dyn Bench) {
    let (store, told) = bench.open();
    let one = put(1, "a", Expect::Any).event(event("1")).event(event("2"));
    assert_eq!(store.commit(one).wait().unwrap().positions, 0..2);
    let none = store.commit(put(1, "b", Expect::Any)).wait().unwrap();
    assert_eq!(none.positions, 2..2);
    let alone = store.commit(Batch::new().event(event("3"))).wait().unwrap();
    assert_eq!(alone.positions, 2..3);
    let nothing = store.commit(Batch::new()).wait().unwrap();
    assert_eq!(nothing.revision, alone.revision);
    drop(store);
    let (store, _) = bench.open();
    assert_eq!(logged(&store), ["1", "2", "3"]);
    assert_eq!(store.log_head().size, 3);
    assert_eq!(told.committed.load(std::sync::atomic::Ordering::SeqCst), 3);
    assert_eq!(told.abandoned.load(std::sync::atomic::Ordering::SeqCst), 0);
}

fn recorder(bench: &dyn Bench) {
    let (store, _) = bench.open();
    for n in 0..100 {
        store.record(event(&n.to_string()));
    }
    store.flush().wait().unwrap();
    assert_eq!(logged(&store).len(), 100);
    store.record(event("last"));
    drop(store);
    let (store, _) = bench.open();
    assert_eq!(logged(&store).last().unwrap(), "last");
}

fn digest_is_bound(bench: &dyn Bench) {
    let (store, told) = bench.open();
    let given = || told.last_digest.lock().unwrap().unwrap();
    store.commit(put(1, "a", Expect::Any)).wait().unwrap();
    let first = given();
    assert_eq!(first, store.state_digest());
    assert_eq!(store.log_head().head[8..], first.0);
    store.commit(put(1, "b", Expect::Any)).wait().unwrap();
    assert_ne!(given(), first);
    let last = store.state_digest();
    drop(store);
    assert_eq!(bench.open().0.state_digest(), last);
}
