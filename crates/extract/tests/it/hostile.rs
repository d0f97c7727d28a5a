//! What no bytes may do: panic, run on, or change their meaning with the way they are read.

use crate::seeds;
use crate::support::{card, detectors, look, total, troubles};
use detect::Kind;
use extract::{Coverage, Format, Input, Inspection, Limits, TroubleKind, inspect};
use proptest::prelude::*;
use std::io::{self, Cursor, Read, Seek, SeekFrom, Write};

/// Seeds with some bytes changed, cut, doubled or put from one into another.
fn damaged() -> impl Strategy<Value = (&'static str, Vec<u8>)> {
    let seeds = seeds::all();
    let count = seeds.len();
    let change = (any::<prop::sample::Index>(), prop_oneof![any::<u8>(), Just(0), Just(0xff)]);
    (0..count, prop::collection::vec(change, 0..8), any::<prop::sample::Index>(), 0..4u8).prop_map(
        move |(which, changes, place, how)| {
            let (hint, bytes) = &seeds[which];
            let mut bytes = bytes.clone();
            for (at, byte) in changes {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            let at = place.index(bytes.len());
            match how {
                0 => bytes.truncate(at),
                1 => bytes.extend_from_within(at..),
                2 => {
                    let end = (at + 64).min(bytes.len());
                    bytes.drain(at..end);
                }
                _ => {}
            }
            (*hint, bytes)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 400, ..ProptestConfig::default() })]
    #[test]
    fn no_damaged_file_makes_it_panic((hint, bytes) in damaged()) {
        let found = look(&bytes, hint);
        prop_assert!(found.bytes <= bytes.len() as u64);
        prop_assert!(found.troubles.iter().all(|trouble| trouble.detail.len() <= 200));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn no_bytes_behind_any_signature_make_it_panic(
        signature in prop::sample::select(vec![
            &b"PK\x03\x04"[..], b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd", b"%PDF-1.7\n", b"PAR1",
            b"SQLite format 3\0", b"Obj\x01", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"From a\nTo: ",
            b"From: a\nTo: b\nSubject: c\n", b"<html", b"<?xml", b"{\"", b"\xff\xfe", b"",
        ]),
        rest in prop::collection::vec(any::<u8>(), 0..600),
    ) {
        look(&[signature, &rest].concat(), "a");
    }

    #[test]
    fn how_much_a_reader_gives_at_once_changes_nothing(
        which in 0..seeds::all().len(),
        most in 1usize..40,
    ) {
        let (hint, bytes) = seeds::all().swap_remove(which);
        let mut slow = Slow { inner: Cursor::new(bytes.clone()), most };
        let limits = Limits::default();
        let found = inspect(&mut slow, hint, &detectors(), &limits, &mut |_| {});
        prop_assert_eq!(found, look(&bytes, hint));
    }
}

#[test]
fn every_seed_is_read_whole() {
    for (hint, bytes) in seeds::all() {
        let found = look(&bytes, hint);
        assert_eq!((found.coverage, troubles(&found)), (Coverage::Whole, vec![]), "{hint}");
    }
}

/// Gives at most so many bytes at once, and is interrupted now and then.
struct Slow {
    inner: Cursor<Vec<u8>>,
    most: usize,
}

impl Read for Slow {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = buffer.len().min(self.most);
        self.inner.read(&mut buffer[..length])
    }
}

impl Seek for Slow {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
}

impl Input for Slow {}

/// A text of one line, as long as is asked, that nobody holds in memory.
struct Endless {
    line: Vec<u8>,
    size: u64,
    place: u64,
}

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.size - self.place).unwrap_or(usize::MAX);
        let count = buffer.len().min(left);
        for byte in &mut buffer[..count] {
            let at = self.place % self.line.len() as u64;
            *byte = self.line[usize::try_from(at).unwrap_or(0)];
            self.place += 1;
        }
        Ok(count)
    }
}

impl Seek for Endless {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.place = match to {
            SeekFrom::Start(place) => place,
            SeekFrom::End(_) => self.size,
            SeekFrom::Current(_) => self.place,
        };
        Ok(self.place)
    }
}

impl Input for Endless {}

#[test]
fn a_line_of_any_length_is_read_in_bounded_memory() {
    for (line, size) in [
        (b"a,HKID A123456(3),some more cells in the same record,".to_vec(), 24 << 20),
        (b"\"never closed HKID A123456(3) ".to_vec(), 8 << 20),
    ] {
        let expected = size / line.len() as u64;
        let mut input = Endless { line, size, place: 0 };
        let mut last = 0;
        let found =
            inspect(&mut input, "a.csv", &detectors(), &Limits::default(), &mut |read| last = read);
        assert_eq!((found.bytes, last, found.coverage), (size, size, Coverage::Whole));
        assert!(total(&found, Kind::HongKongIdentityCard).abs_diff(expected) <= 1);
    }
}

/// A file that fails half way.
struct Failing(Cursor<Vec<u8>>);

impl Read for Failing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.0.position() > 100_000 {
            return Err(io::Error::from_raw_os_error(5));
        }
        self.0.read(buffer)
    }
}

impl Seek for Failing {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

impl Input for Failing {}

#[test]
fn a_disk_that_fails_is_told_from_a_damaged_file() {
    let text = "HKID A123456(3) and so on\n".repeat(10_000).into_bytes();
    let found = inspect(
        &mut Failing(Cursor::new(text)),
        "a",
        &detectors(),
        &Limits::default(),
        &mut |_| {},
    );
    assert_eq!((troubles(&found), found.coverage), (vec![TroubleKind::Unreadable], Coverage::Part));
    assert!(total(&found, Kind::HongKongIdentityCard) > 2_000);
}

#[test]
fn a_sparse_file_of_ten_gigabytes_is_passed_over_quickly() {
    let path = std::env::temp_dir().join(format!("lionrock-sparse-{}", std::process::id()));
    let mut file =
        std::fs::File::options().read(true).write(true).create_new(true).open(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    file.set_len(10 << 30).unwrap();
    file.seek(SeekFrom::Start(5 << 30)).unwrap();
    file.write_all(b"HKID A123456(3) in the middle of nothing").unwrap();
    let mut calls = 0;
    let found = inspect(&mut file, "a.img", &detectors(), &Limits::default(), &mut |_| calls += 1);
    assert_eq!((found.format, found.bytes), (Format::Binary, 10 << 30));
    assert_eq!(total(&found, Kind::HongKongIdentityCard), 1);
    assert!(calls < 10_000, "holes are passed over: {calls} reads");
}

#[test]
fn columns_beyond_the_limit_are_scanned_and_not_judged() {
    let header: Vec<String> = (0..20).map(|i| format!("c{i}")).collect();
    let row = |r: u32| (0..20).map(|c| card(r * 20 + c)).collect::<Vec<_>>().join(",");
    let rows: Vec<String> = (0..10).map(row).collect();
    let text = format!("{}\n{}\n", header.join(","), rows.join("\n"));
    let limits = Limits { columns_max: 5, ..Limits::default() };
    let found: Inspection = crate::support::look_within(text.as_bytes(), "a.csv", &limits);
    assert_eq!(found.parts[0].columns.len(), 5);
    assert_eq!(total(&found, Kind::HongKongIdentityCard), 200);
}

#[test]
fn names_of_columns_are_not_held_at_any_length() {
    let long = "n".repeat(100_000);
    let members: Vec<String> =
        (0..200).map(|i| format!("\"{i}{long}\": \"{}\"", card(i))).collect();
    let found = look(format!("{{{}}}\n", members.join(",\n")).as_bytes(), "a.json");
    assert_eq!(total(&found, Kind::HongKongIdentityCard), 200);
    assert!(found.parts[0].columns.iter().all(|column| column.name.len() <= 256));
}
