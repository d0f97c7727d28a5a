//! `lionrock verify` as a program: its exit codes, and the spot of each altered byte.

use crate::whole::{Scratch, started};
use comply::pack::{Draft, STATEMENT_DETAIL};
use comply::{
    Catalogue, Checks, Glossary, HTML, Period, ReportParts, Signatories, Vocabulary, report,
};
use kernel::{Event, HeldClock, LogPosition, Secret, SeededRng, Timestamp};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use store::{Batch, Options, Store};
use strongroom::{MemoryRoot, Seal, Strongroom};

/// A log of its own over a store in a folder.
pub(crate) struct House {
    pub(crate) room: Strongroom,
    pub(crate) clock: Arc<HeldClock>,
}

impl House {
    pub(crate) fn new() -> Self {
        let now = Timestamp::parse_rfc3339("2026-11-21T04:00:00Z").unwrap();
        let clock = Arc::new(HeldClock::at(now));
        let seal = Seal::KeyFile(Secret::new(vec![7; 32]));
        let root = Arc::new(MemoryRoot::default());
        let room = Strongroom::create(root, &seal, clock.clone()).unwrap();
        Self { room, clock }
    }

    pub(crate) fn open(&self, folder: &Path, seed: u64) -> (Store, audit::Log) {
        let options = Options { reserve_bytes: 0, ..Options::default() };
        let records = self.room.records();
        let opened = Store::open(folder, records, self.clock.clone(), options).unwrap();
        let options = audit::LogOptions {
            origin: "lionrock.sample/log/0".into(),
            anchor: folder.join("anchor"),
            strongroom: self.room.clone(),
            clock: self.clock.clone(),
            rng: Arc::new(SeededRng::new(seed)),
            rollback: None,
        };
        audit::start(opened, options).unwrap()
    }
}

pub(crate) fn record(store: &Store, event: Event) -> LogPosition {
    let committed = store.commit(Batch::new().event(event)).wait().unwrap();
    LogPosition(committed.positions.start)
}

/// Writes a small pack, the key of its log and an older checkpoint into the folder.
fn pack_in(scratch: &Scratch) {
    let house = House::new();
    let folder = scratch.0.join("store");
    std::fs::create_dir(&folder).unwrap();
    let (store, log) = house.open(&folder, 3);
    let now = kernel::Clock::wall(&*house.clock);
    record(&store, Event::system("system.started", now));
    let older = log.checkpoint().unwrap().to_string();
    let catalogue = Catalogue::builtin().unwrap();
    let vocabulary = Vocabulary::builtin().unwrap();
    let checks = Checks::builtin(&catalogue, &vocabulary).unwrap();
    let made = report(ReportParts {
        catalogue: &catalogue,
        checks: &checks,
        profile: None,
        standings: &BTreeMap::new(),
        runs: &[],
        recorded: &BTreeMap::new(),
        period: Period::new(now.plus_days(-1), now).unwrap(),
        made_at: now,
        sample: true,
        show_designation: false,
        checkpoint: None,
        witnessed: None,
        signatories: Signatories::default(),
    });
    let draft = Draft::of(&made, &Glossary::builtin().unwrap()).unwrap();
    let event = Event::system("report.make", now).with(STATEMENT_DETAIL, draft.digest());
    let made_at = record(&store, event);
    let pack = draft.close(&log, made_at, [], [1]).unwrap();
    let key = format!("{}\n", log.origin_key());
    for (name, bytes) in
        [("pack.zip", pack), ("older", older.into_bytes()), ("origin.key", key.into_bytes())]
    {
        std::fs::write(scratch.0.join(name), bytes).unwrap();
    }
    store.close();
}

fn lionrock(scratch: &Scratch, arguments: &[&str]) -> (i32, String, String) {
    let program = env!("CARGO_BIN_EXE_lionrock");
    let output: Output =
        Command::new(program).args(arguments).current_dir(&scratch.0).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn a_pack_is_proven_unproven_or_failed_and_the_exit_code_says_which() {
    let scratch = Scratch::new("verify-pack");
    pack_in(&scratch);
    let key = std::fs::read_to_string(scratch.0.join("origin.key")).unwrap();
    for origin in ["origin.key", key.trim()] {
        let said = ["verify", "pack.zip", "--origin-key", origin, "--since", "older"];
        let (exit, out, err) = lionrock(&scratch, &said);
        assert_eq!(exit, 0, "{out}{err}");
        assert!(out.contains("proven: ") && out.contains("continues size 1"), "{out}");
    }
    let (exit, out, err) = lionrock(&scratch, &["verify", "pack.zip"]);
    assert_eq!(exit, 8, "{out}{err}");
    assert!(out.contains("consistent, signer unproven") && err.contains("--origin-key"), "{err}");
    let (exit, out, _) = lionrock(&scratch, &["verify", "pack.zip", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((exit, json["verdict"].as_str()), (8, Some("signer-unproven")), "{out}");
    assert_eq!(json["log"]["size"], 2, "{out}");
    assert!(!json["documents"].as_array().unwrap().is_empty(), "{out}");
    for (said, code) in [
        (vec!["verify"], 2),
        (vec!["verify", "pack.zip", "--store", "x"], 2),
        (vec!["verify", "pack.zip", "--origin-key", "nonsense"], 2),
        (vec!["verify", "missing.zip"], 5),
        (vec!["verify", "--store", "store"], 5),
    ] {
        let (exit, _, err) = lionrock(&scratch, &said);
        assert_eq!(exit, code, "{said:?}: {err}");
    }
}

#[test]
fn an_altered_file_of_a_pack_is_named() {
    let scratch = Scratch::new("verify-altered");
    pack_in(&scratch);
    let path = scratch.0.join("pack.zip");
    let mut files = documents::pack::read(&std::fs::read(&path).unwrap()).unwrap();
    let html = files.get_mut(HTML).unwrap();
    let middle = html.len() / 2;
    html[middle] ^= 1;
    files.remove(documents::pack::MANIFEST);
    let altered = documents::pack::write(&files, &|bytes| audit::Hash::of(bytes).0).unwrap();
    std::fs::write(&path, altered).unwrap();
    let said = ["verify", "pack.zip", "--origin-key", "origin.key"];
    let (exit, out, _) = lionrock(&scratch, &said);
    assert_eq!(exit, 3);
    assert!(out.contains(&format!("FAILED: `{HTML}` was altered")), "{out}");
    let (_, out, _) = lionrock(&scratch, &[said.as_slice(), &["--json"]].concat());
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(json["faults"], serde_json::json!([format!("`{HTML}` was altered")]));
    assert_eq!(json["documents"], serde_json::json!([]));
    std::fs::write(&path, b"not an archive").unwrap();
    let (exit, out, _) = lionrock(&scratch, &said);
    assert_eq!(exit, 3);
    assert!(out.contains("not a ZIP archive"), "{out}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_installation_is_sound_and_each_altered_byte_of_it_is_placed() {
    let scratch = Scratch::new("verify-store");
    let said = ["verify", "--store", "data", "--seal-key-file", "seal.key"];
    let server = started(&scratch).await;
    let (exit, _, err) = lionrock(&scratch, &said);
    assert_eq!(exit, 6, "{err}");
    assert!(err.contains("another server uses"), "{err}");
    server.stop().await;
    let (exit, out, err) = lionrock(&scratch, &said);
    assert_eq!(exit, 0, "{out}{err}");
    assert!(out.starts_with("sound: every record opens; "), "{out}");
    let (exit, _, err) = lionrock(&scratch, &said[..3]);
    assert_eq!((exit, err.contains("--seal-key-file")), (2, true), "{err}");

    let altered = |file: &str, change: &dyn Fn(&mut Vec<u8>)| {
        let path = scratch.0.join("data").join(file);
        let clean = std::fs::read(&path).unwrap();
        let mut bytes = clean.clone();
        change(&mut bytes);
        std::fs::write(&path, bytes).unwrap();
        let (exit, out, err) = lionrock(&scratch, &said);
        std::fs::write(&path, clean).unwrap();
        assert_eq!(exit, 3, "{file}: {out}{err}");
        out
    };
    let out = altered("anchor", &|bytes| bytes.truncate(9));
    assert!(out.contains("FAILED: anchor: "), "{out}");
    let out = altered("root", &|bytes| {
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
    });
    assert!(out.contains("FAILED: root: "), "{out}");
    // The sealed body of a row: the second half of the last full page of the table's leaf.
    let out = altered("store/store.db", &|bytes| {
        let events = b"people";
        let at = bytes.windows(events.len()).position(|w| w == events);
        assert_eq!(at, None, "a record lies open in the database");
        let mut pages = bytes.chunks(4_096).enumerate();
        let leaf = pages.rfind(|(_, page)| page[0] == 0x0d).unwrap().0;
        bytes[leaf * 4_096 + 4_000] ^= 1;
    });
    assert!(out.contains("FAILED: store"), "{out}");
    let (exit, ..) = lionrock(&scratch, &said);
    assert_eq!(exit, 0, "what was put back is sound");
}

#[test]
fn the_doctor_looks_at_this_machine() {
    let scratch = Scratch::new("doctor");
    let (exit, out, err) = lionrock(&scratch, &["doctor", "--data", "data", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{err}"));
    assert_eq!(exit == 0, json["worst"] != "bad", "{out}");
    let findings = json["findings"].as_array().unwrap();
    let about = |name: &str| findings.iter().find(|f| f["about"] == name).unwrap();
    assert_eq!(about("self-tests")["grade"], "good", "{out}");
    for name in
        ["memory", "core dumps", "AES instructions", "sandbox", "free space", "durable flushes"]
    {
        assert!(about(name)["says"].is_string());
    }
    assert!(matches!(about("sandbox")["grade"].as_str(), Some("good" | "weak")), "{out}");
    let (_, out, _) = lionrock(&scratch, &["doctor"]);
    assert_eq!(out.lines().filter(|line| !line.contains('→')).count(), findings.len(), "{out}");
}
