//! A full disk: what is refused, what goes on, and the return of space.

use crate::support::*;
use kernel::{Epochs as _, Recorder as _};
use store::{Batch, Expect, KeyRange, Options, Store, StoreError};

/// The database may have 64 pages of 4096 bytes.
fn small(folder: &Folder) -> Store {
    let options = Options { pages_max: Some(64), ..options() };
    start(Store::open(folder.path(), keys(), clock(), options).unwrap()).0
}

fn big(key: u32) -> Batch {
    Batch::new()
        .put::<Notes>(&(1, key), &"x".repeat(8_000), Expect::Absent)
        .event(event(&key.to_string()))
}

fn fill(store: &Store) -> u32 {
    (0..1_000).find(|key| store.commit(big(*key)).wait().is_err()).expect("it fills up")
}

#[test]
fn a_full_disk_refuses_changes_and_lets_revocation_and_reading_go_on() {
    let folder = Folder::new();
    let store = small(&folder);
    let stored = fill(&store);
    assert!(matches!(store.commit(big(5_000)).wait(), Err(StoreError::StorageFull)));
    assert_eq!(store.scan::<Notes>(&KeyRange::all(), 1_000).unwrap().len(), stored as usize);
    for n in 0..50u64 {
        let revoke = Batch::new().raise_epoch(domain(1)).event(event("revoked")).essential();
        store.commit(revoke).wait().unwrap();
        assert_eq!(store.current(domain(1)).0, n + 1);
        store.record(event("refused"));
        store.flush().wait().unwrap();
        assert!(matches!(store.commit(big(6_000)).wait(), Err(StoreError::StorageFull)));
    }
    let words = logged(&store);
    assert_eq!(words.len(), stored as usize + 100);
    assert!(!words.contains(&String::from("5000")));
    assert_eq!(store.verify().unwrap(), []);
    drop(store);
    // A larger quota is space that returns.
    let store = open(&folder);
    assert_eq!(logged(&store), words);
    store.commit(big(5_000)).wait().unwrap();
    assert_eq!(store.verify().unwrap(), []);
}

#[test]
fn service_resumes_when_space_returns() {
    let folder = Folder::new();
    let store = small(&folder);
    let stored = fill(&store);
    let delete = |key: u32| Batch::new().delete::<Notes>(&(1, key), Expect::Any);
    for key in 0..stored {
        store.commit(delete(key).essential()).wait().unwrap();
    }
    store.commit(big(5_000)).wait().unwrap();
    assert_eq!(store.count::<Notes>(), 1);
    assert_eq!(store.verify().unwrap(), []);
}

#[test]
fn one_group_may_hold_what_fits_and_what_does_not() {
    let folder = Folder::new();
    let store = small(&folder);
    fill(&store);
    let tickets: Vec<_> = (0..40)
        .map(|n| {
            let batch = Batch::new().event(event(&format!("essential {n}"))).essential();
            (store.commit(big(7_000 + n)), store.commit(batch))
        })
        .collect();
    for (large, essential) in tickets {
        assert!(matches!(large.wait(), Err(StoreError::StorageFull)));
        essential.wait().unwrap();
    }
}

#[test]
fn a_log_whose_disk_is_full_gets_the_reserve_for_what_is_essential() {
    let folder = Folder::new();
    let (store, told) = start(Store::open(folder.path(), keys(), clock(), options()).unwrap());
    *told.wants_space_of.lock().unwrap() = Some(folder.path().join("store.reserve"));
    assert!(matches!(store.commit(big(1)).wait(), Err(StoreError::StorageFull)));
    let revoke = || Batch::new().raise_epoch(domain(1)).event(event("revoked")).essential();
    store.commit(revoke()).wait().unwrap();
    // The test's disk has room, so the reserve is taken again, and with it the room of the log.
    store.commit(revoke()).wait().unwrap();
    assert_eq!(logged(&store), ["revoked", "revoked"]);
    *told.wants_space_of.lock().unwrap() = None;
    store.commit(big(1)).wait().unwrap();
    assert_eq!(store.verify().unwrap(), []);
}

#[test]
fn files_are_readable_by_their_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::new();
    let store = open(&folder);
    store.commit(big(1)).wait().unwrap();
    let files: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(Result::unwrap).collect();
    assert!(files.len() >= 5, "{files:?}");
    for file in files {
        let mode = file.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file:?}");
    }
}

#[test]
fn the_reserve_is_held_on_the_disk() {
    let folder = Folder::new();
    let _store = small(&folder);
    let reserve = std::fs::metadata(folder.path().join("store.reserve")).unwrap();
    assert_eq!(reserve.len(), 64 * 1024);
}

#[test]
fn a_folder_that_is_not_there_is_an_error() {
    let folder = Folder::new();
    let missing = folder.path().join("missing");
    let refused = Store::open(&missing, keys(), clock(), options());
    assert!(matches!(refused, Err(StoreError::Disk { .. })));
    let examined = Store::examine(folder.path(), keys());
    assert!(matches!(examined, Err(StoreError::Disk { .. })));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing was made");
}
