//! Runs the fuzz targets by libFuzzer, one after the other, each for a time and within limits.
//!
//! The flags are those with which `cargo fuzz` instruments; without a sanitizer they need no
//! nightly compiler. What breaks a target is kept among the regressions, where the test suite
//! replays it.

use crate::say;
use std::path::Path;
use std::process::Command;

/// Memory that a target may take, in mebibytes: half of what a worker has.
const MEMORY_MEBIBYTES: u32 = 512;
/// Seconds that one input may take.
const INPUT_SECONDS: u32 = 10;
/// How each target is built: edges and comparisons are seen.
const INSTRUMENTED: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=16";
const TRIPLE: &str = "x86_64-unknown-linux-gnu";
/// What the last run of every target said.
const LAST: &str = "fuzz/last.txt";

/// Runs these targets, or all; each for so many seconds.
pub(crate) fn run(root: &Path, seconds: &str, names: &[&str]) -> bool {
    let Ok(seconds) = seconds.parse::<u32>() else {
        say("fuzz: give the seconds for each target");
        return false;
    };
    if !build(root) {
        say("fuzz: the targets do not build");
        return false;
    }
    let every = names.is_empty();
    let all = targets(root);
    let chosen = all.iter().map(String::as_str).filter(|name| every || names.contains(name));
    let (mut passed, mut failed) = (0, 0);
    let mut report = format!(
        "Each target for {seconds} s by libFuzzer, at most {MEMORY_MEBIBYTES} MiB and \
         {INPUT_SECONDS} s for an input.\ntarget: executions, new inputs kept, findings\n"
    );
    for name in chosen {
        let (sound, line) = fuzz(root, name, seconds);
        say(&line);
        report.push_str(&line);
        report.push('\n');
        if sound { passed += 1 } else { failed += 1 }
    }
    if every {
        failed += u32::from(std::fs::write(root.join(LAST), &report).is_err());
    }
    say(&format!("{passed} passed, {failed} failed"));
    failed == 0 && passed > 0
}

/// The targets are the folders of seeds; a test of theirs sees to it.
fn targets(root: &Path) -> Vec<String> {
    let folders = std::fs::read_dir(root.join("fuzz/seeds")).into_iter().flatten().flatten();
    let mut names: Vec<String> =
        folders.filter_map(|folder| folder.file_name().into_string().ok()).collect();
    names.sort();
    names
}

fn build(root: &Path) -> bool {
    let built = Command::new("cargo")
        .args(["build", "--release", "--quiet", "--manifest-path", "fuzz/libfuzzer/Cargo.toml"])
        .args(["--target", TRIPLE, "--target-dir", "target/fuzz"])
        .env("RUSTFLAGS", INSTRUMENTED)
        .current_dir(root)
        .status();
    built.is_ok_and(|status| status.success())
}

/// Runs one target; whether it stood, and its line in the report.
fn fuzz(root: &Path, name: &str, seconds: u32) -> (bool, String) {
    let grown = root.join("target/fuzz-corpus").join(name);
    let found = root.join("fuzz/regressions").join(name);
    let made = std::fs::create_dir_all(&grown).and_then(|()| std::fs::create_dir_all(&found));
    if made.is_err() {
        return (false, format!("{name}: its folders cannot be made"));
    }
    let before = count(&found);
    let output = Command::new(root.join("target/fuzz").join(TRIPLE).join("release/target"))
        .arg(&grown)
        .arg(root.join("fuzz/seeds").join(name))
        .arg(&found)
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-rss_limit_mb={MEMORY_MEBIBYTES}"))
        .arg(format!("-timeout={INPUT_SECONDS}"))
        .arg(format!("-artifact_prefix={}/", found.display()))
        .args(["-print_final_stats=1", "-use_value_profile=1", "-verbosity=1"])
        .env("LIONROCK_FUZZ", name)
        .current_dir(root)
        .output();
    let Ok(output) = output else {
        return (false, format!("{name}: could not be run"));
    };
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let stat = |word: &str| {
        let line = said.lines().find_map(|line| line.strip_prefix(word));
        line.map_or("?", str::trim).to_owned()
    };
    let findings = count(&found).saturating_sub(before);
    // An empty folder belongs to no finding.
    let _ = std::fs::remove_dir(&found);
    if !output.status.success() {
        let panic = said.lines().find(|line| line.contains("panicked") || line.contains("ERROR:"));
        say(panic.unwrap_or("it ended without saying why"));
    }
    let executions = stat("stat::number_of_executed_units:");
    let kept = stat("stat::new_units_added:");
    (output.status.success(), format!("{name}: {executions}, {kept}, {findings}"))
}

fn count(folder: &Path) -> usize {
    std::fs::read_dir(folder).map_or(0, Iterator::count)
}
