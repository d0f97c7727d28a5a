//! Prints how fast a scan is, in MB of 1,000,000 bytes for each second of processor time, over
//! texts that it makes itself: `cargo run --release -p detect --example speed [MEGABYTES [PART]]`,
//! or `speed FILE` for the rate and the hits of one file.
//!
//! Parts: a customer table, a transaction table full of digits and hexadecimal, a log, prose in
//! English, letters in both languages. Beside each stands one alternation of the `regex` crate
//! without Unicode, which neither validates nor overlaps.
#![expect(clippy::print_stdout, reason = "an example speaks on standard output")]

use parts::{PARTS, Random};

#[path = "corpus/parts.rs"]
mod parts;

const ALTERNATION: &[&str] = &[
    r"\b[A-Z]{1,2}[0-9]{6}\(?[0-9A]\)?",
    r"\b(?:[0-9][ -]?){12,18}[0-9]\b",
    r"\b[0-9]{17}[0-9X]\b",
    r"\b[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}\b",
    r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9.-]{1,255}\.[A-Za-z]{2,24}",
    r"\b(?:[0-9]{1,3}\.){3}[0-9]{1,3}\b",
    r"\b[2-9][0-9]{3}[ -]?[0-9]{4}\b",
    r"\b[HKM][0-9]{8}\b",
    r"AKIA[A-Z0-9]{16}",
];

fn main() {
    if let Some(text) = std::env::args().nth(1).and_then(|path| std::fs::read(path).ok()) {
        // The same file for us and for another tool: `bench/presidio.py`.
        let rounds = 1 + 64_000_000 / text.len().max(1);
        let (seconds, hits) = best(|| (0..rounds).map(|_| detect::scan(&text).len()).sum());
        let bytes = (text.len() * rounds) as f64;
        println!("{:.1} {}", bytes / 1e6 / seconds, hits / rounds);
        return;
    }
    let megabytes: usize = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(32);
    let alternation =
        regex::bytes::RegexBuilder::new(&ALTERNATION.join("|")).unicode(false).build();
    let only = std::env::args().nth(2).unwrap_or_default();
    let mut random = Random::new(1);
    let (mut seconds, mut seconds_regex) = (0.0, 0.0);
    println!("{:26}{:>9}{:>9}{:>8}{:>10}{:>10}", "part", "MB/s", "regex", "ratio", "hits", "regex");
    for part in PARTS.iter().filter(|part| part.0.contains(&only)) {
        let text = parts::text(part, megabytes * 1_000_000, &mut random);
        let megabytes = text.len() as f64 / 1e6;
        let (ours, hits) = best(|| detect::scan(text.as_bytes()).len());
        let find = |regex: &regex::bytes::Regex| regex.find_iter(text.as_bytes()).count();
        let (theirs, found) = best(|| alternation.as_ref().map_or(0, find));
        seconds += part.2 as f64 / 100.0 * ours / megabytes;
        seconds_regex += part.2 as f64 / 100.0 * theirs / megabytes;
        print(part.0, megabytes / ours, megabytes / theirs);
        println!("{hits:>10}{found:>10}");
    }
    print("mixed 30/30/20/20", 1.0 / seconds, 1.0 / seconds_regex);
    println!();
}

fn print(name: &str, ours: f64, theirs: f64) {
    print!("{name:26}{ours:>9.0}{theirs:>9.0}{:>8.2}", ours / theirs);
}

/// The best time of three, in seconds, for a busy machine only ever adds.
fn best(mut work: impl FnMut() -> usize) -> (f64, usize) {
    let mut best = (f64::INFINITY, 0);
    for _ in 0..3 {
        let start = processor_seconds();
        let found = work();
        let taken = processor_seconds() - start;
        if taken < best.0 {
            best = (taken, found);
        }
    }
    best
}

/// The time that this thread has had a processor, so that a busy machine counts for nothing
/// (Linux).
fn processor_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = text.split(' ').next().and_then(|n| n.parse::<f64>().ok());
    nanoseconds.unwrap_or(f64::NAN) / 1e9
}
