//! The house's own tool: sets a machine up, runs every test in order, and checks the house itself.
//!
//! **For:** `cargo xtask test` (what a landing must pass), `ci --fast` (the desk version), `tidy`,
//! `setup`, `golden`, `bench`. **Not for:** anything that ships.

mod bench;
mod count;
mod counts;
mod fuzz;
mod setup;
mod steps;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask COMMAND

  test        install what the tests need, run everything, end with `N passed, N failed`
  ci          the same without installing
  ci --fast   without browsers, benchmarks and end to end
  ci --long   with the full counts of the faults and every fuzz target for 30 s; keeps what they said
              in tests/faults/ and fuzz/
  setup       install what the tests need (Debian packages by apt-get, Python and npm tools
              pinned, in .tools/)
  tidy        check the house: direction of dependencies, file sizes, licences, head comments, …
  golden      write the golden files anew (then read the difference before you commit it)
  counts      count instructions of fixed work under callgrind against bench/counts.json
              (--write agrees to what was counted)
  fuzz SECONDS [TARGET…]
              look for bytes that break a decoder, by libFuzzer; see fuzz/README.md
  bench       measure beside the peers; see README.md
";

/// Prints a line; the one place of this tool that writes to standard output.
#[expect(clippy::print_stdout, reason = "a command-line tool speaks on standard output")]
fn say(line: &str) {
    println!("{line}");
}

/// The root of the checkout.
fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().map_or_else(|| here.to_path_buf(), Path::to_path_buf)
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let root = root();
    let good = match words.as_slice() {
        ["test"] => setup::run(&root) && steps::run(&root, steps::Depth::Full),
        ["ci"] => steps::run(&root, steps::Depth::Full),
        ["ci", "--fast"] => steps::run(&root, steps::Depth::Fast),
        ["ci", "--long"] => steps::run(&root, steps::Depth::Long),
        ["setup"] => setup::run(&root),
        ["tidy"] => tidy::run(&root),
        ["golden"] => steps::golden(&root),
        ["counts"] => counts::run(&root, false),
        ["counts", "--write"] => counts::run(&root, true),
        ["fuzz", seconds, targets @ ..] => fuzz::run(&root, seconds, targets),
        ["bench"] => bench::run(&root),
        _ => {
            say(USAGE);
            false
        }
    };
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
