//! Measures the store beside bare SQLite in the same run.
//!
//! `cargo run --release -p store --example measure -- FOLDER`; the folder must lie on the disk that
//! is to be measured. Every figure depends on that disk's flushes, which are measured too.

#![expect(clippy::print_stdout, reason = "its output is its purpose")]
#![expect(clippy::disallowed_methods, reason = "it measures real time")]
#![expect(clippy::unwrap_used, reason = "a measurement that fails has nothing else to do")]

use kernel::{Clock, DomainId, Event, HeldClock, LogPosition, MonotonicMicros, Scope, Timestamp};
use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Instant;
use store::{
    AppendError, Appender, Batch, Collection, Expect, IndexTerm, LogRows, Options, StateDigest,
    Store,
};
use strongroom::{MemoryRoot, RecordKeys, Seal, Strongroom};

const WRITERS: u64 = 64;
const COMMITS_EACH: u64 = 300;
const MANY: u64 = 100_000;

#[derive(Serialize, Deserialize)]
struct Key {
    name: String,
    algorithm: String,
    state: String,
    wrapped: String,
}

enum Keys {}

impl Collection for Keys {
    const NAME: &'static str = "keys";
    type Key = u64;
    type Value = Key;
    fn indexes(key: &Key) -> Vec<IndexTerm> {
        vec![IndexTerm::new("name", &key.name).within(DomainId::SYSTEM).unique()]
    }
    fn sort_name(key: &Key) -> Option<Cow<'_, str>> {
        Some(Cow::Borrowed(&key.name))
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
        let body = serde_json::to_vec(&events).unwrap();
        Ok(LogRows { first, count, body, head: state.0.to_vec() })
    }
    fn committed(&mut self) {}
    fn abandoned(&mut self) {}
}

struct RealClock(Instant);

impl Clock for RealClock {
    fn wall(&self) -> Timestamp {
        Timestamp::from_unix_millis(1_790_000_000_000)
    }
    fn monotonic(&self) -> MonotonicMicros {
        MonotonicMicros(u64::try_from(self.0.elapsed().as_micros()).unwrap())
    }
}

fn key(number: u64) -> Key {
    Key {
        name: format!("workload-{:016x}", number.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
        algorithm: String::from("aes-256-gcm"),
        state: String::from("active"),
        wrapped: "w".repeat(160),
    }
}

fn event(number: u64) -> Event {
    let mut event = Event::system("key.create", Timestamp::EPOCH);
    event.resource = format!("key:{number}");
    event
}

fn create(number: u64) -> Batch {
    Batch::new().put::<Keys>(&number, &key(number), Expect::Absent).event(event(number))
}

fn start(folder: &Path, keys: &RecordKeys) -> Store {
    let clock = Arc::new(RealClock(Instant::now()));
    let opened = Store::open(folder, keys.clone(), clock, Options::default()).unwrap();
    let size = opened.log_head().size;
    opened.start(Box::new(Bodies(size))).unwrap()
}

fn fresh(base: &Path, name: &str) -> PathBuf {
    let folder = base.join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// Flushes of a small write to a file that has its length already.
fn flushes_per_second(base: &Path) -> f64 {
    let path = base.join("flush");
    let mut file = std::fs::File::create(&path).unwrap();
    let started = Instant::now();
    for _ in 0..200 {
        file.write_all(&[1; 4096]).unwrap();
        file.sync_data().unwrap();
    }
    let rate = 200.0 / started.elapsed().as_secs_f64();
    std::fs::remove_file(path).unwrap();
    rate
}

fn ours(base: &Path, keys: &RecordKeys) -> (f64, f64) {
    let folder = fresh(base, "ours");
    let store = start(&folder, keys);
    // Real identifiers begin with the time, so whoever writes them, they come in order.
    let next = AtomicU64::new(0);
    let started = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..WRITERS {
            let (store, next) = (store.clone(), &next);
            scope.spawn(move || {
                for _ in 0..COMMITS_EACH {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    store.commit(create(number)).wait().unwrap();
                }
            });
        }
    });
    let rate = (WRITERS * COMMITS_EACH) as f64 / started.elapsed().as_secs_f64();
    let stats = store.stats();
    println!("  flush and commit: {} us a group", stats.sync_micros / stats.groups.max(1));
    (rate, stats.mean_group())
}

/// The same rows without sealing, digests or preconditions: as many writers, one thread that
/// gathers what waits into one transaction, one row of the log for each.
fn bare(base: &Path) -> (f64, f64) {
    let folder = fresh(base, "bare");
    let connection = Connection::open(folder.join("bare.db")).unwrap();
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
             PRAGMA wal_autocheckpoint = 4096; PRAGMA cache_size = -16000;
             CREATE TABLE records(key BLOB PRIMARY KEY, body BLOB) WITHOUT ROWID;
             CREATE TABLE terms(term BLOB, key BLOB, PRIMARY KEY(term, key)) WITHOUT ROWID;
             CREATE TABLE log(first INTEGER PRIMARY KEY, body BLOB);",
        )
        .unwrap();
    let (queue, waiting) = mpsc::channel::<(u64, Vec<u8>, Event, mpsc::SyncSender<()>)>();
    let next = AtomicU64::new(0);
    let (started, total) = (Instant::now(), WRITERS * COMMITS_EACH);
    let mut groups = 0;
    std::thread::scope(|scope| {
        for _ in 0..WRITERS {
            let (queue, next) = (queue.clone(), &next);
            scope.spawn(move || {
                let (done, answer) = mpsc::sync_channel(1);
                for _ in 0..COMMITS_EACH {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let body = serde_json::to_vec(&key(number)).unwrap();
                    queue.send((number, body, event(number), done.clone())).unwrap();
                    answer.recv().unwrap();
                }
            });
        }
        drop(queue);
        while let Ok(first) = waiting.recv() {
            let group: Vec<_> = std::iter::once(first).chain(waiting.try_iter()).collect();
            groups += 1;
            connection.execute_batch("BEGIN IMMEDIATE").unwrap();
            let mut events = Vec::new();
            for (number, body, event, _) in &group {
                let key = number.to_be_bytes();
                let term = number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes().repeat(2);
                let insert = |sql, first: &[u8], second: &[u8]| {
                    let mut statement = connection.prepare_cached(sql).unwrap();
                    statement.execute(params![first, second]).unwrap();
                };
                insert("INSERT INTO records VALUES(?1, ?2)", &key, body);
                insert("INSERT INTO terms VALUES(?1, ?2)", &term, &key);
                events.push(event);
            }
            let body = serde_json::to_vec(&events).unwrap();
            let mut statement =
                connection.prepare_cached("INSERT INTO log(body) VALUES(?1)").unwrap();
            statement.execute(params![body]).unwrap();
            connection.execute_batch("COMMIT").unwrap();
            for (.., done) in group {
                done.send(()).unwrap();
            }
        }
    });
    (total as f64 / started.elapsed().as_secs_f64(), total as f64 / f64::from(groups))
}

fn many(base: &Path, keys: &RecordKeys) {
    let folder = fresh(base, "many");
    let store = start(&folder, keys);
    for first in (0..MANY).step_by(1_000) {
        let batch = (first..first + 1_000).fold(Batch::new(), |batch, number| {
            batch.put::<Keys>(&number, &key(number), Expect::Absent)
        });
        store.commit(batch).wait().unwrap();
    }
    drop(store);
    for _ in 0..3 {
        let started = Instant::now();
        let store = start(&folder, keys);
        println!("open with {MANY} keys: {:.1} ms", millis(started));
        let (mut pages, mut after, mut worst) = (0, None, 0f64);
        let all = Instant::now();
        loop {
            let one = Instant::now();
            let page = store.page::<Keys>(&Scope::All, after.as_ref(), 50, |_| true).unwrap();
            worst = worst.max(millis(one));
            pages += 1;
            match page.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        let mean = millis(all) / f64::from(pages);
        println!("page of 50: {mean:.2} ms mean, {worst:.2} ms worst of {pages}");
        let reads = Instant::now();
        for number in 0..10_000 {
            store.get::<Keys>(&number).unwrap().unwrap();
        }
        println!("get: {:.1} us", millis(reads) / 10.0);
    }
    let started = Instant::now();
    let store = start(&folder, keys);
    assert_eq!(store.verify().unwrap(), []);
    println!("open and verify: {:.0} ms", millis(started));
}

fn millis(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1_000.0
}

fn main() {
    let base = std::env::args_os().nth(1).map_or_else(std::env::temp_dir, PathBuf::from);
    let base = base.join("lionrock-measure");
    std::fs::create_dir_all(&base).unwrap();
    let seal = Seal::KeyFile(kernel::Secret::new(vec![7; 64]));
    let clock: Arc<dyn Clock> = Arc::new(HeldClock::at(Timestamp::EPOCH));
    let keys = Strongroom::create(Arc::new(MemoryRoot::default()), &seal, clock).unwrap().records();
    println!("flushes: {:.0} a second", flushes_per_second(&base));
    for _ in 0..5 {
        let (rate, group) = ours(&base, &keys);
        let (bare, bare_group) = bare(&base);
        println!("ours: {rate:.0} creations a second, mean group {group:.1}");
        println!("bare SQLite: {bare:.0} a second, mean group {bare_group:.1}");
        println!("ours has {:.0} %", 100.0 * rate / bare);
    }
    if std::env::args_os().nth(2).is_none() {
        many(&base, &keys);
    }
    std::fs::remove_dir_all(base).unwrap();
}
