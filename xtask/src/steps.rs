//! The steps of a full test run, cheapest refusal first, each with its allowance in seconds.

use crate::count::Count;
use crate::{say, tidy};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

/// How much to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Depth {
    /// What a developer runs between two thoughts.
    Fast,
    /// Everything a landing must pass.
    Full,
    /// The same with the full counts of the faults and the fuzz targets: some fifty minutes more.
    Long,
}

struct Step {
    name: &'static str,
    /// What the step may take on two cores, from a clean clone; more is said, not refused.
    allowance_seconds: u64,
    depth: Depth,
    program: &'static str,
    arguments: &'static [&'static str],
    /// A file without which the step does not exist yet.
    needs: Option<&'static str>,
}

const CARGO_TEST: &[&str] = &["test", "--workspace", "--quiet", "--no-fail-fast"];
const CLIPPY: &[&str] =
    &["clippy", "--workspace", "--all-targets", "--quiet", "--", "--deny", "warnings"];
const PYTHON: &str = ".tools/venv/bin/python";
/// Steps that take `--long`, and the file that keeps what such a run said last.
const LONGER: &[(&str, &str)] = &[("faults", "tests/faults/last-long.txt")];

const STEPS: &[Step] = &[
    Step {
        name: "format",
        allowance_seconds: 10,
        depth: Depth::Fast,
        program: "cargo",
        arguments: &["fmt", "--all", "--check"],
        needs: None,
    },
    Step {
        name: "clippy",
        allowance_seconds: 400,
        depth: Depth::Fast,
        program: "cargo",
        arguments: CLIPPY,
        needs: None,
    },
    Step {
        name: "tests",
        allowance_seconds: 600,
        depth: Depth::Fast,
        program: "cargo",
        arguments: CARGO_TEST,
        needs: None,
    },
    Step {
        name: "binary",
        allowance_seconds: 60,
        depth: Depth::Full,
        program: "cargo",
        arguments: &["build", "--quiet", "--package", "lionrock"],
        needs: None,
    },
    Step {
        name: "strangers",
        allowance_seconds: 540,
        depth: Depth::Full,
        program: PYTHON,
        arguments: &["tests/strangers/run.py", "target/debug/lionrock"],
        needs: Some("tests/strangers/run.py"),
    },
    Step {
        name: "faults",
        allowance_seconds: 280,
        depth: Depth::Full,
        program: "python3",
        arguments: &["tests/faults/run.py", "target/debug/lionrock"],
        needs: Some("tests/faults/run.py"),
    },
    Step {
        name: "counts",
        allowance_seconds: 180,
        depth: Depth::Full,
        program: "cargo",
        arguments: &["run", "--quiet", "--package", "xtask", "--", "counts"],
        needs: Some("bench/counts.json"),
    },
    Step {
        name: "fuzz",
        allowance_seconds: 3_000,
        depth: Depth::Long,
        program: "cargo",
        arguments: &["run", "--quiet", "--package", "xtask", "--", "fuzz", "30"],
        needs: Some("fuzz/libfuzzer/Cargo.toml"),
    },
];

/// Runs the steps up to the depth and prints the sum; true when nothing failed.
pub(crate) fn run(root: &Path, depth: Depth) -> bool {
    let mut sum = Count::default();
    let mut good = true;
    let start = now();
    good &= tidy::run(root);
    for step in STEPS.iter().filter(|step| step.depth <= depth) {
        if step.needs.is_some_and(|file| !root.join(file).exists()) {
            continue;
        }
        let begin = now();
        let keep = LONGER.iter().find(|(name, _)| depth == Depth::Long && *name == step.name);
        let more: &[&str] = if keep.is_some() { &["--long"] } else { &[] };
        let (passed, output) = execute(root, step, more);
        let seconds = now().saturating_sub(begin);
        let over = if seconds > step.allowance_seconds { " OVER ITS ALLOWANCE" } else { "" };
        let word = if passed { "ok" } else { "FAILED" };
        let allowed = step.allowance_seconds;
        say(&format!("== {}: {word} in {seconds} s of {allowed} s{over}", step.name));
        let mut count = Count::read(&output);
        if !passed && count.failed == 0 {
            count.failed = 1;
        }
        sum = sum.plus(count);
        good &= passed;
        if let Some((_, file)) = keep {
            good &= std::fs::write(root.join(file), &output).is_ok();
        }
    }
    say(&format!("== all steps in {} s", now().saturating_sub(start)));
    if !good && sum.failed == 0 {
        sum.failed = 1;
    }
    say(&sum.to_string());
    good && sum.failed == 0 && sum.passed > 0
}

/// Writes the golden files anew.
pub(crate) fn golden(root: &Path) -> bool {
    Command::new("cargo")
        .args(CARGO_TEST)
        .env("LIONROCK_GOLDEN", "write")
        .current_dir(root)
        .status()
        .is_ok_and(|status| status.success())
}

#[expect(clippy::disallowed_methods, reason = "step times of a build tool are the machine's")]
fn now() -> u64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |elapsed| elapsed.as_secs())
}

/// Runs one step, shows its output as it comes, and keeps it for counting.
fn execute(root: &Path, step: &Step, more: &[&str]) -> (bool, String) {
    say(&format!("== {}", step.name));
    let program = if step.program.contains('/') {
        root.join(step.program).into_os_string()
    } else {
        step.program.into()
    };
    let child = Command::new(program)
        .args(step.arguments)
        .args(more)
        .current_dir(root)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn();
    let mut child = match child {
        Ok(child) => child,
        Err(cause) => {
            say(&format!("{}: {cause}", step.program));
            return (false, String::new());
        }
    };
    let mut output = String::new();
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line);
            say(&line);
            output.push_str(&line);
            output.push('\n');
        }
    }
    (child.wait().is_ok_and(|status| status.success()), output)
}
