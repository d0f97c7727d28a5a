//! Scans a long mixed corpus on one core in bounded memory: `stream [BYTES]`, 1 GB if not said.
//! The corpus is the one that `corpus` writes, made here piece by piece; making it is not counted.
#![expect(clippy::print_stdout, reason = "an example speaks on standard output")]

use parts::{PARTS, Random};

#[path = "corpus/parts.rs"]
mod parts;

/// What is scanned between two looks at the clock, which has a resolution of milliseconds.
const BATCH: usize = 16 << 20;
/// What the scanner is given at a time.
const PIECE: usize = 1 << 20;
/// Bytes of one part at a time, for each percent of its share.
const PART: usize = 6_554;

fn main() {
    let wanted = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(1_000_000_000);
    let mut random = Random::new(1);
    let mut scanner = detect::Scanner::default();
    let (mut bytes, mut hits, mut seconds) = (0, 0, 0.0);
    let mut batch = Vec::with_capacity(BATCH + PART * 100);
    while bytes < wanted {
        batch.clear();
        while batch.len() < BATCH {
            for part in PARTS.iter().filter(|part| part.2 > 0) {
                let share = usize::try_from(part.2).unwrap_or(1);
                batch.extend_from_slice(parts::text(part, PART * share, &mut random).as_bytes());
            }
        }
        let start = processor_seconds();
        for piece in batch.chunks(PIECE) {
            hits += scanner.feed(piece).len();
        }
        seconds += processor_seconds() - start;
        bytes += batch.len();
    }
    hits += scanner.finish().len();
    let megabytes = bytes as f64 / 1e6;
    println!(
        "{megabytes:.0} MB in {seconds:.2} s of one core: {:.0} MB/s, {hits} hits, {} MB of memory \
        at most, of which {} MB hold the corpus",
        megabytes / seconds,
        peak_megabytes(),
        batch.capacity() / 1_000_000,
    );
}

/// The time that this thread has had a processor, in seconds (Linux).
fn processor_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = text.split(' ').next().and_then(|n| n.parse::<f64>().ok());
    nanoseconds.unwrap_or(f64::NAN) / 1e9
}

/// The most memory that this process has had, in MB (Linux).
fn peak_megabytes() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|l| l.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1_024 / 1_000_000
}
