//! What a process may do here: locked memory, no core dumps, open files; and whether it computes
//! rightly and fast.

use super::{Finding, Grade};
use kernel::{Clock, Secret};
use rustix::process::Resource;
use std::sync::Arc;
use strongroom::{MemoryRoot, Place, Seal, Strongroom, harden_process, self_test};

/// Fewer open files than this are fewer connections than a server takes.
const OPEN_FILES_MIN: u64 = 4_096;
/// Bytes that are sealed to measure the cipher.
const SEALED_BYTES: usize = 4 * 1024 * 1024;
/// Megabytes a second below which AES is computed without the processor's instructions: those give
/// 1,000 and more, tables give 100 to 200.
const AES_MEGABYTES_MIN: u64 = 400;

pub(super) fn examine(clock: &dyn Clock) -> Vec<Finding> {
    let hardening = harden_process();
    let mut findings = vec![
        memory(hardening.memory_locked, has_swap()),
        dumps(hardening.no_core_dumps && hardening.not_dumpable),
        user(rustix::process::geteuid().is_root()),
        open_files(rustix::process::getrlimit(Resource::Nofile).current),
    ];
    findings.extend(cipher(clock));
    findings
}

/// Whether anything can be swapped out; `None` when the kernel does not say.
fn has_swap() -> Option<bool> {
    let swaps = std::fs::read_to_string("/proc/swaps").ok()?;
    Some(swaps.lines().count() > 1)
}

fn memory(locked: bool, swap: Option<bool>) -> Finding {
    let about = "memory";
    match (locked, swap) {
        (true, _) => Finding::good(about, "can be locked: keys are never swapped out"),
        (false, Some(false)) => {
            Finding::good(about, "cannot be locked, and there is no swap to go to")
        }
        (false, _) => Finding::new(about, Grade::Weak, "cannot be locked: keys may reach the swap")
            .advise("set `LimitMEMLOCK=infinity` in the unit, or turn swap off"),
    }
}

fn dumps(off: bool) -> Finding {
    let about = "core dumps";
    if off {
        return Finding::good(about, "off, and no other process may trace this one");
    }
    Finding::new(about, Grade::Weak, "cannot be turned off: a crash may write keys to the disk")
        .advise("set `LimitCORE=0` in the unit")
}

fn user(is_root: bool) -> Finding {
    let about = "user";
    if !is_root {
        return Finding::good(about, "not the superuser");
    }
    Finding::new(about, Grade::Weak, "the superuser: an intruder would have the whole machine")
        .advise("give the server an account of its own (`User=` in the unit)")
}

fn open_files(limit: Option<u64>) -> Finding {
    let about = "open files";
    match limit {
        Some(limit) if limit < OPEN_FILES_MIN => Finding::new(
            about,
            Grade::Weak,
            format!("at most {limit}: as many connections, or fewer"),
        )
        .advise("set `LimitNOFILE=65536` in the unit"),
        Some(limit) => Finding::good(about, format!("up to {limit}")),
        None => Finding::good(about, "no limit"),
    }
}

/// The known answers of every algorithm, and how fast records are sealed (AES-256-GCM).
fn cipher(clock: &dyn Clock) -> Vec<Finding> {
    let begun = clock.monotonic();
    if let Err(failed) = self_test() {
        let advice = "do not run a server on this machine";
        return vec![Finding::new("self-tests", Grade::Bad, failed.to_string()).advise(advice)];
    }
    let micros = clock.monotonic().0.saturating_sub(begun.0);
    let says =
        format!("every known answer came out, in {}.{} ms", micros / 1_000, micros % 1_000 / 100);
    vec![Finding::good("self-tests", says), aes(megabytes_a_second(clock))]
}

fn megabytes_a_second(clock: &dyn Clock) -> Option<u64> {
    let seal = Seal::KeyFile(Secret::new(vec![0; strongroom::KEY_FILE_BYTES_MIN]));
    let held = Arc::new(kernel::HeldClock::at(clock.wall()));
    let room = Strongroom::create(Arc::new(MemoryRoot::default()), &seal, held).ok()?;
    let (records, plain) = (room.records(), vec![0; SEALED_BYTES]);
    let place = Place { collection: "doctor", key: b"measured", version: 1 };
    let begun = clock.monotonic();
    records.seal(place, &plain).ok()?;
    let micros = clock.monotonic().0.saturating_sub(begun.0).max(1);
    Some(SEALED_BYTES as u64 / micros)
}

fn aes(measured: Option<u64>) -> Finding {
    let about = "AES instructions";
    match measured {
        None => Finding::new(about, Grade::Unknown, "a record could not be sealed to measure it"),
        Some(rate) if rate < AES_MEGABYTES_MIN => Finding::new(
            about,
            Grade::Weak,
            format!("AES-256-GCM at {rate} MB/s: not used, or busy"),
        )
        .advise("let the virtual machine pass the processor's AES instructions on"),
        Some(rate) => Finding::good(about, format!("AES-256-GCM at {rate} MB/s on one processor")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;

    #[test]
    fn what_cannot_be_had_is_graded_by_what_it_costs() {
        assert_eq!(memory(true, None).grade, Grade::Good);
        assert_eq!(memory(false, Some(false)).grade, Grade::Good);
        assert_eq!(memory(false, Some(true)).grade, Grade::Weak);
        assert_eq!(memory(false, None).grade, Grade::Weak);
        assert_eq!(dumps(false).grade, Grade::Weak);
        assert_eq!((user(true).grade, user(false).grade), (Grade::Weak, Grade::Good));
        assert_eq!(open_files(Some(OPEN_FILES_MIN - 1)).grade, Grade::Weak);
        assert_eq!(open_files(Some(OPEN_FILES_MIN)).grade, Grade::Good);
        assert_eq!(aes(Some(AES_MEGABYTES_MIN - 1)).grade, Grade::Weak);
        assert_eq!(
            (aes(Some(AES_MEGABYTES_MIN)).grade, aes(None).grade),
            (Grade::Good, Grade::Unknown)
        );
    }

    #[test]
    fn the_self_tests_and_the_cipher_are_measured() {
        let findings = cipher(&SystemClock);
        assert_eq!(findings.len(), 2);
        assert_eq!(findings[0].grade, Grade::Good);
        assert_ne!(findings[1].grade, Grade::Unknown);
    }
}
