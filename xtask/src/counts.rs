//! Counts instructions of fixed work under callgrind. Clocks inform, counts gate: a landing that
//! makes one of these dearer by more than the tolerance fails until somebody says that it may.

use crate::say;
use serde_json::{Map, Value, json};
use std::path::Path;
use std::process::Command;

/// Work that is counted: its name, the room, its example, and what that is to do.
const WORK: &[(&str, &str, &str, &str)] = &[
    ("seal and open 20,000 records", "store", "counted_store", "seal"),
    ("commit 1,000 records", "store", "counted_store", "commit"),
    ("scan 0.5 MB", "detect", "counted_scan", "scan"),
];
/// What an example does without work: self-tests and gathering of entropy, which are taken off.
const START: &str = "start";
/// A count may grow by this share before it fails; threads and tables of hashes wander a little.
const TOLERANCE: f64 = 0.05;
/// Where the counts lie that were agreed on.
const AGREED: &str = "bench/counts.json";

/// Counts everything and compares; with `write`, agrees to what was counted.
pub(crate) fn run(root: &Path, write: bool) -> bool {
    let agreed = agreed(root);
    let mut counted = Map::new();
    let (mut passed, mut failed) = (0, 0);
    for (name, package, example, work) in WORK {
        let counts = (count(root, package, example, work), count(root, package, example, START));
        let (Some(whole), Some(start)) = counts else {
            say(&format!("counts: {name}: could not be counted"));
            failed += 1;
            continue;
        };
        let count = whole - start;
        let before = agreed.get(*name).and_then(Value::as_f64);
        let change = before.map_or(0.0, |before| count / before - 1.0);
        say(&format!("{name}: {:.1} million instructions, {:+.1} %", count / 1e6, change * 1e2));
        if before.is_some() && change <= TOLERANCE || write {
            passed += 1;
        } else {
            say(&format!("counts: {name} is dearer or new; `cargo xtask counts --write` agrees"));
            failed += 1;
        }
        counted.insert((*name).to_owned(), json!(count.round()));
    }
    say(&format!("{passed} passed, {failed} failed"));
    failed == 0 && (!write || save(root, counted))
}

fn agreed(root: &Path) -> Map<String, Value> {
    let text = std::fs::read_to_string(root.join(AGREED)).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}

fn save(root: &Path, counted: Map<String, Value>) -> bool {
    serde_json::to_string_pretty(&Value::Object(counted))
        .is_ok_and(|text| std::fs::write(root.join(AGREED), text + "\n").is_ok())
}

/// Instructions of one piece of work, of all its threads.
fn count(root: &Path, package: &str, example: &str, work: &str) -> Option<f64> {
    let built = Command::new("cargo")
        .args(["build", "--quiet", "--package", package, "--example", example])
        .current_dir(root)
        .status();
    if !built.is_ok_and(|status| status.success()) {
        return None;
    }
    let folder = root.join("target/counts");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).ok()?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(root.join("target/debug/examples").join(example))
        .arg(work)
        .arg(&folder)
        .output()
        .ok()?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let line = said.lines().find(|line| line.contains("Collected :"))?;
    let count = line.rsplit(':').next()?.trim().parse().ok()?;
    output.status.success().then_some(count)
}
