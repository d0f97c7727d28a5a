//! Measures us beside the peers. The scripts under `bench/` do the work; this runs them in order.

use crate::say;
use std::path::Path;
use std::process::Command;

/// Builds what a bank installs (profile `dist`) and the store's measurement, and runs
/// `bench/run.py`.
pub(crate) fn run(root: &Path) -> bool {
    let build = |what: &[&str]| {
        let cargo = Command::new("cargo")
            .args(["build", "--profile", "dist"])
            .args(what)
            .current_dir(root)
            .status();
        cargo.is_ok_and(|status| status.success())
    };
    let built =
        build(&["--package", "lionrock"]) && build(&["--package", "store", "--example", "measure"]);
    let script = root.join("bench/run.py");
    if !script.exists() {
        say("bench: nothing to measure yet");
        return false;
    }
    built
        && Command::new(root.join(".tools/venv/bin/python"))
            .arg(script)
            .arg(root.join("target/dist/lionrock"))
            .arg(root.join("target/dist/examples/measure"))
            .current_dir(root)
            .status()
            .is_ok_and(|status| status.success())
}
