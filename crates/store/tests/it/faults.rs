//! Power loss and flipped bits.
//!
//! Both files are copied after each acknowledged commit. Between two copies lie the writes of one
//! commit; a power loss leaves any part of those that were not flushed yet. SQLite flushes at three
//! places: the header of the write-ahead log when it begins anew, the log at the commit, the
//! database at a checkpoint, and each flush lets nothing behind it begin earlier. Within one
//! stretch anything goes: sectors written, lost, in any order, the file long or short, the last
//! sector torn.

use crate::support::*;
use kernel::{Epoch, Epochs as _, LogPosition, Rng as _, Scope, SeededRng};
use std::fs;
use std::path::Path;
use store::{Batch, Damage, Expect, KeyRange, Options, Store, StoreError};

const SECTOR: usize = 512;
/// The header of the write-ahead log, which is flushed by itself.
const WAL_HEADER: usize = 32;

/// Both files at one time.
#[derive(Clone)]
struct Image {
    database: Vec<u8>,
    wal: Vec<u8>,
}

fn image(folder: &Folder) -> Image {
    let read = |name| fs::read(folder.path().join(name)).unwrap_or_default();
    Image { database: read("store.db"), wal: read("store.db-wal") }
}

fn lay_out(image: &Image, folder: &Path) {
    let _ = fs::remove_file(folder.join("store.db-shm"));
    fs::write(folder.join("store.db"), &image.database).unwrap();
    fs::write(folder.join("store.db-wal"), &image.wal).unwrap();
}

fn small() -> Options {
    // A checkpoint every few commits, so that all three stretches are cut.
    Options { reserve_bytes: 0, checkpoint_pages: 24, ..Options::default() }
}

fn open_image(folder: &Folder) -> Result<Store, StoreError> {
    let opened = Store::open(folder.path(), keys(), clock(), small())?;
    Ok(start(opened).0)
}

struct Dice(SeededRng);

impl Dice {
    fn below(&self, end: usize) -> usize {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes).unwrap();
        usize::try_from(u64::from_le_bytes(bytes) % end.max(1) as u64).unwrap()
    }
}

/// `old` after an unknown part of the writes that would have made it `new`, the first `synced`
/// bytes being there for certain.
fn torn(old: &[u8], new: &[u8], synced: usize, dice: &Dice) -> Vec<u8> {
    let mut bytes = old.to_vec();
    let longest = old.len().max(new.len());
    bytes.resize(longest, 0);
    let style = dice.below(4);
    let cut = dice.below(new.len() + 1);
    for start in (0..new.len()).step_by(SECTOR) {
        let end = (start + SECTOR).min(new.len());
        let written = match style {
            // In order up to a byte, the last sector torn.
            0 => start < cut,
            // In reverse order.
            1 => start >= cut,
            // Any sectors, half or few of them.
            2 => dice.below(2) == 0,
            _ => dice.below(8) == 0,
        };
        let end = if style == 0 { end.min(cut.max(start)) } else { end };
        if written {
            bytes[start..end].copy_from_slice(&new[start..end]);
        }
    }
    let synced = synced.min(new.len());
    bytes[..synced].copy_from_slice(&new[..synced]);
    if new.len() > old.len() {
        // The file may not have grown to its end yet.
        let shortest = old.len().max(synced);
        bytes.truncate(shortest + dice.below(new.len() - shortest + 1));
    }
    bytes
}

/// What a power loss between two acknowledged commits may leave.
fn cut(old: &Image, new: &Image, dice: &Dice) -> Image {
    let checkpointed = old.database != new.database;
    if checkpointed && dice.below(2) == 0 {
        // The log was flushed; the database was being written.
        let database = torn(&old.database, &new.database, 0, dice);
        return Image { database, wal: new.wal.clone() };
    }
    let same_header = old.wal.get(..WAL_HEADER) == new.wal.get(..WAL_HEADER);
    let synced = if same_header { 0 } else { WAL_HEADER };
    let wal = if !same_header && dice.below(8) == 0 {
        // Not even the new header came through.
        old.wal.clone()
    } else {
        torn(&old.wal, &new.wal, synced, dice)
    };
    Image { database: old.database.clone(), wal }
}

fn commit(store: &Store, number: u64) {
    let named = thing(&format!("name {}", number % 7), &format!("{}", number % 3));
    let mut batch = Batch::new()
        .put::<Notes>(
            &(number, 0),
            &"x".repeat(usize::try_from(number).unwrap() * 37 % 900),
            Expect::Absent,
        )
        .put::<Things>(&(number % 7), &named, Expect::Any)
        .event(event(&number.to_string()));
    if number.is_multiple_of(5) {
        batch = batch.raise_epoch(domain(1));
    }
    store.commit(batch).wait().unwrap();
}

/// Everything that a store of so many commits answers.
#[derive(PartialEq, Eq, Debug)]
struct Answers {
    notes: Vec<(u64, String)>,
    things: Vec<(u64, Thing)>,
    listed: Vec<String>,
    found: Vec<u64>,
    epoch: Epoch,
    log: Vec<u8>,
}

fn answers(store: &Store) -> Result<Answers, StoreError> {
    let notes = store.scan::<Notes>(&KeyRange::all(), 1_000)?;
    let things = store.scan::<Things>(&KeyRange::all(), 1_000)?;
    let listed = store.page::<Things>(&Scope::All, None, 100, |_| true)?.items;
    let found = store.find::<Things>(&coloured("1"), 100)?;
    let log = store.read_log(LogPosition(0), 1_000)?;
    for record in &things {
        let got = store.get::<Things>(&record.key)?.map(|got| got.value);
        assert_eq!(got.as_ref(), Some(&record.value));
    }
    Ok(Answers {
        notes: notes.into_iter().map(|record| (record.key.0, record.value)).collect(),
        things: things.into_iter().map(|record| (record.key, record.value)).collect(),
        listed: listed.into_iter().map(|record| record.value.name).collect(),
        found: found.into_iter().map(|record| record.key).collect(),
        epoch: store.current(domain(1)),
        log: log.into_iter().flat_map(|row| row.body).collect(),
    })
}

/// Copies and answers after each of `commits` acknowledged commits; the first is the empty store.
fn record(commits: u64) -> Vec<(Image, Answers)> {
    let folder = Folder::new();
    let store = open_image(&folder).unwrap();
    let mut recorded = vec![(image(&folder), answers(&store).unwrap())];
    for number in 0..commits {
        commit(&store, number);
        recorded.push((image(&folder), answers(&store).unwrap()));
    }
    recorded
}

/// Cuts of power in the fast test; `LIONROCK_CUTS` asks for more.
const CUTS: usize = 2_400;
/// Flipped bits in the fast test; `LIONROCK_FLIPS` asks for more.
const FLIPS: usize = 10_000;

fn asked_for(variable: &str, least: usize) -> usize {
    std::env::var(variable).ok().and_then(|n| n.parse().ok()).unwrap_or(least).max(least)
}

#[test]
fn power_may_fail_at_any_instant() {
    let recorded = record(60);
    let checkpoints = recorded.windows(2).filter(|w| w[0].0.database != w[1].0.database).count();
    let restarts =
        recorded.windows(2).filter(|w| w[0].0.wal.get(..32) != w[1].0.wal.get(..32)).count();
    assert!(checkpoints >= 5 && restarts >= 5, "{checkpoints} {restarts}");
    let (dice, folder) = (Dice(SeededRng::new(41)), Folder::new());
    let (mut kept, mut complete) = (0, 0);
    for turn in 0..asked_for("LIONROCK_CUTS", CUTS) {
        let at = turn % (recorded.len() - 1);
        let (before, after) = (&recorded[at], &recorded[at + 1]);
        lay_out(&cut(&before.0, &after.0, &dice), folder.path());
        let store = open_image(&folder).unwrap_or_else(|error| panic!("{turn} at {at}: {error}"));
        let found = answers(&store).unwrap();
        // What was acknowledged is there; what was not is there as a whole or not at all.
        if found == before.1 {
            kept += 1;
        } else {
            assert_eq!(found, after.1, "{turn} at {at}");
            complete += 1;
        }
        if turn % 16 == 0 {
            assert_eq!(store.verify().unwrap(), []);
            commit(&store, 900);
            assert_eq!(store.verify().unwrap(), []);
        }
    }
    assert!(kept > 100 && complete > 100, "{kept} {complete}");
}

#[test]
fn power_may_fail_during_the_very_first_start() {
    let recorded = record(0);
    let (first, empty) = &recorded[0];
    let dice = Dice(SeededRng::new(43));
    for turn in 0..200 {
        // The engine flushes the first page of the database before it begins the log.
        let database = if turn == 0 { Vec::new() } else { first.database.clone() };
        let wal = if turn == 0 { Vec::new() } else { torn(&[], &first.wal, 0, &dice) };
        let folder = Folder::new();
        lay_out(&Image { database, wal }, folder.path());
        let store = open_image(&folder).unwrap_or_else(|error| panic!("{turn}: {error}"));
        assert_eq!(answers(&store).unwrap(), *empty);
        commit(&store, 1);
        assert_eq!(store.verify().unwrap(), []);
    }
}

/// How a flipped bit came out.
#[derive(Default, Debug, Clone, Copy)]
struct Tally {
    refused: usize,
    older: usize,
    found: usize,
    harmless: usize,
}

#[test]
fn a_flipped_bit_is_reported_or_changes_nothing() {
    let flips = asked_for("LIONROCK_FLIPS", FLIPS) / 2;
    // Once as a crash leaves it, with much in the write-ahead log, and once after an orderly end,
    // with everything in the database.
    let crashed = || record(17).pop().unwrap();
    let closed = || {
        let folder = Folder::new();
        let store = open_image(&folder).unwrap();
        (0..24).for_each(|number| commit(&store, number));
        let given = answers(&store).unwrap();
        drop(store);
        (image(&folder), given)
    };
    let tallies = std::thread::scope(|scope| {
        let other = scope.spawn(|| flip(&closed(), 24, 2, flips));
        [flip(&crashed(), 17, 1, flips), other.join().unwrap()]
    });
    for tally in tallies {
        let Tally { refused, older, found, harmless } = tally;
        assert_eq!(refused + older + found + harmless, flips);
        assert!(refused > 0 && found > 0 && harmless > 0, "{tally:?}");
    }
    assert!(tallies[0].older > 0 && tallies[1].older == 0, "{tallies:?}");
}

fn flip(whole: &(Image, Answers), revision: u64, seed: u64, count: usize) -> Tally {
    let (image, expected) = whole;
    let database = image.database.len();
    let (dice, folder) = (Dice(SeededRng::new(seed)), Folder::new());
    let mut tally = Tally::default();
    for _ in 0..count {
        let (byte, bit) = (dice.below(database + image.wal.len()), dice.below(8));
        let mut image = image.clone();
        match image.database.get_mut(byte) {
            Some(at) => *at ^= 1 << bit,
            None => image.wal[byte - database] ^= 1 << bit,
        }
        lay_out(&image, folder.path());
        judge(&folder, revision, expected, &mut tally, &format!("bit {bit} of byte {byte}"));
    }
    tally
}

fn judge(folder: &Folder, revision: u64, expected: &Answers, tally: &mut Tally, what: &str) {
    let opened = match Store::open(folder.path(), keys(), clock(), small()) {
        Ok(opened) => opened,
        Err(StoreError::Damaged(_) | StoreError::Format { .. } | StoreError::ReadOnly) => {
            tally.refused += 1;
            return;
        }
        Err(error) => panic!("{what}: {error:?}"),
    };
    // The newest revision and head are anchored outside the database.
    if opened.revision() < revision {
        tally.older += 1;
        return;
    }
    let store = start(opened).0;
    let given = answers(&store);
    let findings: Vec<Damage> = store.verify().unwrap();
    match given {
        Ok(given) => assert_eq!(given, *expected, "{what}: an answer changed unnoticed"),
        Err(StoreError::Damaged(_)) => assert!(!findings.is_empty(), "{what}: not verified"),
        Err(error) => panic!("{what}: {error:?}"),
    }
    if findings.is_empty() {
        tally.harmless += 1;
    } else {
        tally.found += 1;
    }
}
