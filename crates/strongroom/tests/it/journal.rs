//! The boot journal keeps its order, its whole and its word.

use crate::hall::Hall;
use crate::root::Folder;
use kernel::{Event, Timestamp};
use proptest::prelude::*;
use std::io::Write;
use strongroom::{JOURNAL_ENTRIES_MAX, Journal, JournalError};

fn event(action: &'static str) -> Event {
    Event::system(action, Timestamp::EPOCH).with("version", "0.1.0")
}

fn actions(journal: &Journal, taken_over: Option<[u8; 32]>) -> Vec<String> {
    let events = journal.events_after(taken_over).unwrap();
    events.into_iter().map(|e| e.action.to_string()).collect()
}

#[test]
fn what_happened_before_unsealing_reaches_the_log_once_and_in_order() {
    let folder = Folder::new("journal");
    let path = folder.0.join("boot.journal");
    let hall = Hall::new();
    let mut journal = Journal::open(&path).unwrap();
    journal.append(&event("system.started")).unwrap();
    journal.append(&event("system.unseal-failed")).unwrap();
    drop(journal);

    let mut journal = Journal::open(&path).unwrap();
    journal.append(&event("system.unsealed")).unwrap();
    let taken_over = hall.room.journal_head();
    assert_eq!(
        actions(&journal, taken_over),
        ["system.started", "system.unseal-failed", "system.unsealed"]
    );
    // The log commits, the root notes it; a crash here must not write the events twice.
    hall.room.note_journal_head(journal.head()).unwrap();
    drop(journal);
    let mut journal = Journal::open(&path).unwrap();
    let noted = hall.restarted().journal_head();
    assert!(actions(&journal, noted).is_empty());
    // A new boot may write before the journal is drained.
    journal.append(&event("system.between")).unwrap();
    assert_eq!(actions(&journal, noted), ["system.between"]);
    assert!(matches!(journal.drain(noted.unwrap()), Err(JournalError::NotContinued)));
    hall.room.note_journal_head(journal.head()).unwrap();
    let noted = hall.room.journal_head();
    journal.drain(noted.unwrap()).unwrap();
    assert!(actions(&journal, noted).is_empty());
    drop(journal);
    let mut journal = Journal::open(&path).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 1);
    journal.append(&event("system.next")).unwrap();
    assert_eq!(actions(&journal, noted), ["system.next"]);
    assert_eq!(actions(&Journal::open(&path).unwrap(), noted), ["system.next"]);
    // Without its file the journal begins anew, and the root's note tells.
    std::fs::remove_file(&path).unwrap();
    let journal = Journal::open(&path).unwrap();
    assert!(matches!(journal.events_after(noted), Err(JournalError::NotContinued)));
}

#[test]
fn a_journal_put_in_its_place_is_noticed() {
    let folder = Folder::new("journal-swapped");
    let path = folder.0.join("boot.journal");
    let mut journal = Journal::open(&path).unwrap();
    journal.append(&event("system.started")).unwrap();
    let elsewhere = Some([7; 32]);
    assert!(matches!(journal.events_after(elsewhere), Err(JournalError::NotContinued)));
    assert!(matches!(journal.drain([7; 32]), Err(JournalError::NotContinued)));
}

#[test]
fn every_altered_byte_of_a_line_breaks_the_chain() {
    let folder = Folder::new("journal-altered");
    let path = folder.0.join("boot.journal");
    let mut journal = Journal::open(&path).unwrap();
    journal.append(&event("system.started")).unwrap();
    journal.append(&event("system.unsealed")).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    let first = bytes.iter().position(|b| *b == b'\n').unwrap();
    for i in 0..first {
        let mut altered = bytes.clone();
        altered[i] ^= 1;
        std::fs::write(&path, &altered).unwrap();
        // A first line that begins elsewhere is a journal of another boot: the root tells.
        match Journal::open(&path) {
            Err(JournalError::Broken { line }) => assert!(line <= 2),
            Ok(journal) => assert!(journal.events_after(None).is_err(), "byte {i}"),
            Err(other) => panic!("{other}"),
        }
    }
    // A missing first line is noticed by the root's note.
    std::fs::write(&path, &bytes[first + 1..]).unwrap();
    let journal = Journal::open(&path).unwrap();
    assert!(matches!(journal.events_after(None), Err(JournalError::NotContinued)));
}

#[test]
fn half_a_line_from_a_power_cut_is_cut_off() {
    let folder = Folder::new("journal-torn");
    let path = folder.0.join("boot.journal");
    Journal::open(&path).unwrap().append(&event("system.started")).unwrap();
    let whole = std::fs::metadata(&path).unwrap().len();
    let mut file = std::fs::OpenOptions::new().append(true).open(&path).unwrap();
    file.write_all(b"{\"seq\":1,\"prev\":\"AAAA").unwrap();
    let mut journal = Journal::open(&path).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().len(), whole);
    journal.append(&event("system.unsealed")).unwrap();
    let again = Journal::open(&path).unwrap();
    assert_eq!(actions(&again, None), ["system.started", "system.unsealed"]);
}

#[test]
fn a_stranger_cannot_fill_the_journal() {
    let folder = Folder::new("journal-full");
    let mut journal = Journal::open(folder.0.join("boot.journal")).unwrap();
    for _ in 0..JOURNAL_ENTRIES_MAX {
        journal.append(&event("x")).unwrap();
    }
    assert!(matches!(journal.append(&event("x")), Err(JournalError::Full)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_bytes_in_the_place_of_a_journal_are_opened_or_refused(
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        let folder = Folder::new("journal-bytes");
        let path = folder.0.join("boot.journal");
        std::fs::write(&path, &bytes).unwrap();
        match Journal::open(&path) {
            // Without a line end it is one torn line.
            Ok(journal) => prop_assert_eq!(journal.events_after(None).unwrap().len(), 0),
            Err(JournalError::Broken { .. }) => prop_assert!(bytes.contains(&b'\n')),
            Err(other) => return Err(TestCaseError::fail(other.to_string())),
        }
    }
}
