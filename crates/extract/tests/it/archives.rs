//! Archives in archives, bombs, damaged and protected ones.

use crate::support::{look, look_within, part, total, troubles};
use detect::Kind;
use extract::{Coverage, Format, Limits, TroubleKind};
use std::io::{Cursor, Write};
use zip::write::SimpleFileOptions;

pub(crate) const CARD: &[u8] = b"HKID A123456(3) stands here\n";

pub(crate) fn zipped(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, body) in members {
        writer.start_file(*name, SimpleFileOptions::default()).unwrap();
        writer.write_all(body).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

pub(crate) fn gzipped(body: &[u8]) -> Vec<u8> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    writer.write_all(body).unwrap();
    writer.finish().unwrap()
}

pub(crate) fn tarred(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = tar::Builder::new(Vec::new());
    for (name, body) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(body.len() as u64);
        header.set_mode(0o600);
        header.set_cksum();
        writer.append_data(&mut header, name, *body).unwrap();
    }
    writer.into_inner().unwrap()
}

#[test]
fn members_of_every_archive_come_through_the_same_door() {
    let long = format!("{}/客戶.txt", "folder/".repeat(20));
    let tar = tarred(&[("a.txt", CARD), (&long, CARD)]);
    for (bytes, format, path) in [
        (zipped(&[("b/a.txt", CARD)]), Format::Zip, vec!["b/a.txt"]),
        (tar.clone(), Format::Tar, vec!["a.txt"]),
        (gzipped(CARD), Format::Gzip, vec!["x"]),
        (zstd::encode_all(CARD, 3).unwrap(), Format::Zstd, vec!["content"]),
        (gzipped(&tar), Format::Gzip, vec!["x", "a.txt"]),
        (zipped(&[("in.zip", &zipped(&[("a.txt", CARD)]))]), Format::Zip, vec!["in.zip", "a.txt"]),
    ] {
        let found = look(&bytes, if format == Format::Gzip { "b/x.gz" } else { "x" });
        assert_eq!((found.format, found.coverage), (format, Coverage::Whole), "{found:#?}");
        let part = part(&found, &path);
        assert_eq!((part.format, part.kinds[0].sure), (Format::Text, 1));
    }
    assert_eq!(part(&look(&tar, "x"), &[&long]).kinds[0].sure, 1);
}

#[test]
fn a_name_in_big5_is_read() {
    let name = encoding_rs::BIG5.encode("客戶資料.txt").0;
    // Stored under a name of the same length, which is then replaced.
    let plain = "n".repeat(name.len() - 4) + ".txt";
    let mut bytes = zipped(&[(&plain, CARD)]);
    for place in 0..bytes.len() - name.len() {
        if bytes[place..].starts_with(plain.as_bytes()) {
            bytes[place..place + name.len()].copy_from_slice(&name);
        }
    }
    assert_eq!(part(&look(&bytes, "x"), &["客戶資料.txt"]).kinds[0].sure, 1);
}

#[test]
fn what_lies_too_deep_is_reported_and_the_rest_is_read() {
    let mut bytes = CARD.to_vec();
    for _ in 0..6 {
        bytes = zipped(&[("in", &bytes), ("beside.txt", CARD)]);
    }
    let found = look(&bytes, "x.zip");
    assert_eq!(troubles(&found), [TroubleKind::TooDeep]);
    assert_eq!(found.troubles[0].path, ["in"; 5]);
    assert_eq!(total(&found, Kind::HongKongIdentityCard), 5);
    assert_eq!(found.coverage, Coverage::Part);
}

#[test]
fn bombs_end_at_the_limit_and_are_reported() {
    let zeros = vec![0; 100 << 20];
    let inner = gzipped(&zeros);
    assert!(inner.len() < 110_000);
    let found = look(&inner, "x.gz");
    assert_eq!(troubles(&found), [TroubleKind::TooLarge]);

    // Sixteen times the same, as the famous 42 kB do it, in two storeys.
    let floor = zipped(&[("0", &zeros)]);
    let names: Vec<String> = (0..16).map(|i| format!("{i}.zip")).collect();
    let members: Vec<(&str, &[u8])> = names.iter().map(|n| (n.as_str(), &floor[..])).collect();
    let bomb = zipped(&[("lib.zip", &zipped(&members))]);
    assert!(bomb.len() < 42_000, "{}", bomb.len());
    let found = look(&bomb, "bomb.zip");
    assert!(troubles(&found).iter().all(|kind| *kind == TroubleKind::TooLarge));
    assert!(!found.troubles.is_empty());
}

#[test]
fn members_that_overlap_are_not_unpacked() {
    // One member, told of twice by the directory.
    let bytes = zipped(&[("a.txt", CARD), ("b.txt", CARD)]);
    let text = |needle: &[u8], from: usize| {
        from + bytes[from..].windows(needle.len()).position(|w| w == needle).unwrap()
    };
    let first = text(b"PK\x01\x02", 0);
    let second = text(b"PK\x01\x02", first + 4);
    let mut bomb = bytes.clone();
    let offset: [u8; 4] = bytes[first + 42..first + 46].try_into().unwrap();
    bomb[second + 42..second + 46].copy_from_slice(&offset);
    let found = look(&bomb, "x.zip");
    assert_eq!(troubles(&found), [TroubleKind::Corrupt]);
}

#[test]
fn members_are_counted_up_to_the_limit() {
    let limits = Limits { members_max: 3, ..Limits::default() };
    let names: Vec<String> = (0..5).map(|i| format!("{i}.txt")).collect();
    let members: Vec<(&str, &[u8])> = names.iter().map(|n| (n.as_str(), CARD)).collect();
    for bytes in [zipped(&members), tarred(&members)] {
        let found = look_within(&bytes, "x", &limits);
        assert_eq!(troubles(&found), [TroubleKind::TooMany]);
        assert_eq!(total(&found, Kind::HongKongIdentityCard), 3);
    }
}

#[test]
fn parts_and_troubles_are_told_up_to_the_limit() {
    let limits = Limits { parts_max: 2, troubles_max: 1, ..Limits::default() };
    let names: Vec<String> = (0..5).map(|i| format!("{i}.txt")).collect();
    let members: Vec<(&str, &[u8])> = names.iter().map(|n| (n.as_str(), CARD)).collect();
    let found = look_within(&zipped(&members), "x", &limits);
    assert_eq!((found.parts.len(), troubles(&found)), (2, vec![TroubleKind::TooMany]));
}

#[test]
fn an_archive_inside_another_is_held_up_to_the_limit() {
    let limits = Limits { held_bytes_max: 100, ..Limits::default() };
    let found = look_within(&zipped(&[("in.zip", &zipped(&[("a.txt", CARD)]))]), "x", &limits);
    assert_eq!(troubles(&found), [TroubleKind::TooLarge]);
}

#[test]
fn damaged_and_protected_archives_are_called_so() {
    let whole = zipped(&[("a.txt", &CARD.repeat(100))]);
    let cut = look(&whole[..whole.len() - 30], "x.zip");
    assert_eq!((troubles(&cut), cut.coverage), (vec![TroubleKind::Corrupt], Coverage::None));

    let mut broken = gzipped(&CARD.repeat(10_000));
    let end = broken.len();
    broken.truncate(end - 12);
    let found = look(&broken, "x.gz");
    assert_eq!(troubles(&found), [TroubleKind::Corrupt]);
    assert!(total(&found, Kind::HongKongIdentityCard) > 5_000);

    // The flag of encryption, in the member's header and in the directory.
    let mut locked = whole;
    for (signature, place) in [(b"PK\x03\x04", 6), (b"PK\x01\x02", 8)] {
        let at = locked.windows(4).position(|bytes| bytes == signature).unwrap();
        locked[at + place] |= 1;
    }
    let found = look(&locked, "x.zip");
    assert_eq!(troubles(&found), [TroubleKind::Protected]);
    assert_eq!(found.troubles[0].path, ["a.txt"]);
    assert_eq!(troubles(&look(b"7z\xbc\xaf\x27\x1c rest", "x.7z")), [TroubleKind::Unsupported]);
}
