//! Repositories that git itself has packed, and packs that nobody should believe.

use crate::support::{card, count, look, total, troubles};
use detect::Kind;
use extract::{Coverage, Format, TroubleKind};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A repository that goes with the test.
struct Repository(PathBuf);

impl Repository {
    fn new(name: &str) -> Self {
        let name = format!("lionrock-git-{name}-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        let repository = Self(path);
        repository.git(&["init", "-q", "."]);
        repository
    }

    fn git(&self, arguments: &[&str]) {
        let done = Command::new("git")
            .args(["-c", "user.name=n", "-c", "user.email=n@localhost", "-c", "gc.auto=0"])
            .args(arguments)
            .current_dir(&self.0)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("HOME", &self.0)
            .output()
            .unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }

    fn commit(&self, name: &str, content: &str) {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", "change"]);
    }

    fn files(&self, below: &str, ending: &str) -> Vec<Vec<u8>> {
        let (mut files, mut folders) = (Vec::new(), vec![self.0.join(below)]);
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path: PathBuf = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.to_str().unwrap().ends_with(ending) {
                    files.push(path);
                }
            }
        }
        files.sort();
        files.iter().map(|path: &PathBuf| fs::read(path as &Path).unwrap()).collect()
    }
}

impl Drop for Repository {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A small pack by hand: a blob, and a delta over it that doubles it with a line between.
pub(crate) fn by_hand() -> Vec<u8> {
    let base = b"A123456(3)\n";
    let delta = [&[11, 24, 0x90, 11, 2][..], b"x\n", &[0x90, 11]].concat();
    let head = b"PACK\0\0\0\x02\0\0\0\x02".to_vec();
    let first = [&[0x30 | 11][..], &deflated(base)].concat();
    let back = u8::try_from(first.len()).unwrap();
    let length = u8::try_from(delta.len()).unwrap();
    [head, first, vec![0x60 | length, back], deflated(&delta), vec![0; 20]].concat()
}

/// A loose object by hand.
pub(crate) fn loose() -> Vec<u8> {
    deflated(b"blob 11\0A123456(3)\n")
}

fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A long text in which one card number stands; texts differ in a line only, so that git makes
/// deltas.
fn version(number: u32) -> String {
    let lines: String = (0..400).map(|line| format!("line {line} of the register\n")).collect();
    format!("{lines}HKID {}\n{lines}", card(number))
}

fn repository(name: &str) -> Repository {
    let repository = Repository::new(name);
    for number in 0..12 {
        repository.commit("deep/register.txt", &version(number));
    }
    repository.commit("deep/register.txt", "nothing is left of it\n");
    repository
}

#[test]
fn every_version_in_a_pack_is_looked_at_once_and_named() {
    let repository = repository("packed");
    repository.git(&["repack", "-q", "-a", "-d", "-f"]);
    let packs = repository.files(".git/objects/pack", ".pack");
    let found = look(&packs[0], "pack-1.pack");
    assert_eq!((found.format, found.coverage), (Format::GitPack, Coverage::Whole), "{found:?}");
    assert_eq!(total(&found, Kind::HongKongIdentityCard), 12);
    assert_eq!(found.parts.len(), 12);
    assert!(found.parts.iter().all(|part| part.path[0].starts_with("register.txt (blob ")));
    assert!(packs[0].len() < 8 * 1_024, "git made deltas of it: {} bytes", packs[0].len());
}

#[test]
fn a_delta_is_applied_to_its_base() {
    let found = look(&by_hand(), "a.pack");
    assert_eq!((found.coverage, troubles(&found)), (Coverage::Whole, vec![]));
    let counts: Vec<u64> =
        found.parts.iter().map(|p| count(p, Kind::HongKongIdentityCard)).collect();
    assert_eq!(counts, [1, 2], "the base holds one, the delta two");
}

#[test]
fn loose_objects_are_read_one_by_one() {
    let repository = repository("loose");
    let mut cards = 0;
    for bytes in repository.files(".git/objects", "") {
        let found = look(&bytes, "0123456789abcdef0123456789abcdef012345");
        assert_eq!((found.format, troubles(&found)), (Format::GitObject, vec![]));
        cards += total(&found, Kind::HongKongIdentityCard);
    }
    assert_eq!(cards, 12);
}

#[test]
fn a_damaged_pack_is_reported_wherever_the_damage_is() {
    let repository = repository("damaged");
    repository.git(&["repack", "-q", "-a", "-d", "-f"]);
    let pack = repository.files(".git/objects/pack", ".pack").swap_remove(0);
    let whole = look(&pack, "a.pack");
    for place in (8..pack.len() - 20).step_by(101) {
        for byte in [0, 0x61, 0xff] {
            let mut damaged = pack.clone();
            damaged[place] = byte;
            let found = look(&damaged, "a.pack");
            assert!(found == whole || !found.troubles.is_empty() || damaged == pack, "{place}");
        }
    }
    let cut = look(&pack[..pack.len() / 2], "a.pack");
    assert!(troubles(&cut).contains(&TroubleKind::Corrupt), "{cut:?}");
}
