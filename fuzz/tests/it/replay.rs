//! Every seed, every input that ever broke a decoder, and some thousand small changes of them,
//! through the functions that the fuzzer runs.

use fuzz::{TARGETS, Target, find};
use std::fs;
use std::path::{Path, PathBuf};

/// Changed inputs that each seed grows into: each time the same ones.
const CHANGES: u64 = 24;

fn files(folder: &str, target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).join(target);
    let Ok(entries) = fs::read_dir(path) else { return Vec::new() };
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

fn each(act: impl Fn(&Target, &Path, &[u8])) {
    for target in TARGETS {
        for folder in ["seeds", "regressions"] {
            for (path, bytes) in files(folder, target.name) {
                act(target, &path, &bytes);
            }
        }
    }
}

#[test]
fn every_target_has_seeds_and_every_folder_has_its_target() {
    for target in TARGETS {
        assert!(!files("seeds", target.name).is_empty(), "no seed of `{}`", target.name);
        assert!(find(target.name).is_some());
    }
    for folder in ["seeds", "regressions"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        for entry in fs::read_dir(path).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            assert!(find(&name).is_some(), "{folder}/{name} belongs to no target");
        }
    }
}

#[test]
fn seeds_and_inputs_that_once_broke_something_break_nothing() {
    each(|target, path, bytes| {
        assert!(bytes.len() <= target.bytes_max, "{}: longer than is tried", path.display());
        (target.run)(bytes);
    });
}

#[test]
fn changed_seeds_break_nothing() {
    each(|target, path, bytes| {
        for round in 0..CHANGES {
            let changed = changed(bytes, round);
            let broken = std::panic::catch_unwind(|| (target.run)(&changed)).is_err();
            assert!(!broken, "`{}` breaks at change {round} of {}", target.name, path.display());
        }
    });
}

/// A small change, always the same for the same round: bytes overwritten, cut, doubled.
fn changed(bytes: &[u8], round: u64) -> Vec<u8> {
    let mut state = round.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ bytes.len() as u64;
    let mut next = move |below: usize| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below.max(1)
    };
    let mut bytes = bytes.to_vec();
    for _ in 0..=next(4) {
        let place = next(bytes.len());
        match next(5) {
            0 => bytes.truncate(place),
            1 => bytes.extend_from_within(place..(place + next(64)).min(bytes.len()).max(place)),
            2 => drop(bytes.drain(place..(place + next(16)).min(bytes.len()).max(place))),
            3 => {
                if let Some(byte) = bytes.get_mut(place) {
                    *byte = [0, 0xff, 0x7f, 0x80][next(4)];
                }
            }
            _ => {
                if let Some(byte) = bytes.get_mut(place) {
                    *byte ^= 1 << next(8);
                }
            }
        }
    }
    bytes
}
