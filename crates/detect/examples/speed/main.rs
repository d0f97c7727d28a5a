//! Prints how fast a scan is, in MB of 1,000,000 bytes for each second of processor time, over
//! texts that it makes itself: `cargo run --release -p detect --example speed [MEGABYTES [PART]]`,
//! or `speed FILE` for the rate and the hits of one file.
//!
//! Parts: a customer table, a transaction table full of digits and hexadecimal, a log, prose in
//! English, letters in both languages. Beside each stand two alternations of the `regex` crate
//! without Unicode, which neither validate nor overlap: one of nine kinds, and one of all the kinds
//! that the scan looks for, made of the same tables of words.
#![expect(clippy::print_stdout, reason = "an example speaks on standard output")]

use parts::{PARTS, Random};
use regex::bytes::Regex;

mod alternation;
#[path = "../corpus/parts.rs"]
mod parts;

/// What the scanner is given at a time.
const PIECE: usize = 256 << 10;

fn main() -> Result<(), regex::Error> {
    if let Some(text) = std::env::args().nth(1).and_then(|path| std::fs::read(path).ok()) {
        // The same file for us and for another tool: `bench/presidio.py`.
        let rounds = 1 + 64_000_000 / text.len().max(1);
        let (seconds, hits) = best(|| (0..rounds).map(|_| detect::scan(&text).len()).sum());
        let bytes = (text.len() * rounds) as f64;
        println!("{:.1} {}", bytes / 1e6 / seconds, hits / rounds);
        return Ok(());
    }
    let megabytes: usize = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(32);
    let (nine, all) = (alternation::nine()?, alternation::all()?);
    let only = std::env::args().nth(2).unwrap_or_default();
    let mut random = Random::new(1);
    let mut total = Rates { ours: 0.0, nine: 0.0, all: 0.0 };
    println!(
        "{:26}{:>9}{:>9}{:>8}{:>9}{:>8}{:>10}{:>10}{:>10}",
        "part", "MB/s", "nine", "ratio", "all", "ratio", "hits", "nine", "all"
    );
    for part in PARTS.iter().filter(|part| part.0.contains(&only)) {
        let text = parts::text(part, megabytes * 1_000_000, &mut random);
        let megabytes = text.len() as f64 / 1e6;
        let find = |regex: &Regex| regex.find_iter(text.as_bytes()).count();
        let (ours, hits) = best(|| scan(text.as_bytes()));
        let (seconds_nine, hits_nine) = best(|| find(&nine));
        let (seconds_all, hits_all) = best(|| find(&all));
        let share = part.2 as f64 / 100.0 / megabytes;
        total.ours += share * ours;
        total.nine += share * seconds_nine;
        total.all += share * seconds_all;
        let rates = Rates { ours, nine: seconds_nine, all: seconds_all };
        rates.print(part.0, megabytes);
        println!("{hits:>10}{hits_nine:>10}{hits_all:>10}");
    }
    total.print("mixed 30/30/20/20", 1.0);
    println!();
    Ok(())
}

/// Scans a long text as files are scanned: piece by piece, so that its hits need not all be held.
fn scan(text: &[u8]) -> usize {
    let mut scanner = detect::Scanner::default();
    let hits: usize = text.chunks(PIECE).map(|piece| scanner.feed(piece).len()).sum();
    hits + scanner.finish().len()
}

/// Seconds that each took.
struct Rates {
    ours: f64,
    nine: f64,
    all: f64,
}

impl Rates {
    fn print(&self, name: &str, megabytes: f64) {
        let Self { ours, nine, all } = self;
        print!("{name:26}{:>9.0}{:>9.0}{:>8.2}", megabytes / ours, megabytes / nine, nine / ours);
        print!("{:>9.1}{:>8.1}", megabytes / all, all / ours);
    }
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
