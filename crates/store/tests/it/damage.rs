//! Whoever can write the database file: each change is noticed, and its place is named.

use crate::support::*;
use rusqlite::Connection;
use std::sync::Arc;
use store::{Batch, Damage, Expect, IndexTerm, Store, StoreError};

/// Ten things, a renamed one, a log of twelve events; then `tamper` on the closed file.
fn tampered(tamper: impl FnOnce(&Connection)) -> Folder {
    let folder = Folder::new();
    let store = open(&folder);
    for key in 0..10u64 {
        let batch = Batch::new()
            .put::<Things>(&key, &thing(&format!("n{key}"), "red"), Expect::Absent)
            .event(event(&key.to_string()));
        store.commit(batch).wait().unwrap();
    }
    let raised = Batch::new().raise_epoch(domain(1)).event(event("raised"));
    store.commit(raised).wait().unwrap();
    drop(store);
    let connection = Connection::open(folder.path().join("store.db")).unwrap();
    tamper(&connection);
    drop(connection);
    folder
}

fn sql(text: &'static str) -> impl FnOnce(&Connection) {
    move |connection| {
        assert!(connection.execute(text, []).unwrap() > 0, "{text}");
    }
}

const THINGS: &str = "things";
/// The key of thing 3 in hexadecimal.
const THREE: &str = "0000000000000003";

fn record() -> Damage {
    Damage::Record { collection: THINGS.to_owned(), key: THREE.to_owned() }
}

fn refused(folder: &Folder) -> Damage {
    match opened(folder) {
        Err(StoreError::Damaged(damage)) => damage,
        other => panic!("{other:?}"),
    }
}

/// Thing 3 lies at this place.
const AT_3: &str = "collection = 1 AND key = x'0000000000000003'";

#[test]
fn an_untouched_file_opens_and_has_no_findings() {
    let folder = tampered(|_| {});
    assert_eq!(open(&folder).verify().unwrap(), []);
    assert_eq!(Store::examine(folder.path(), keys()).unwrap(), []);
}

#[test]
fn an_altered_value_is_found_with_its_place_and_never_read() {
    let folder = tampered(|connection| {
        let text = format!("UPDATE records SET body = CAST(body || x'00' AS BLOB) WHERE {AT_3}");
        assert_eq!(connection.execute(&text, []).unwrap(), 1);
    });
    // Records above the floor of their names are opened at the start already.
    assert_eq!(refused(&folder), record());
    assert_eq!(Store::examine(folder.path(), keys()).unwrap(), [record()]);
}

#[test]
fn an_altered_value_that_no_start_opens_is_found_by_reading_and_by_verifying() {
    let folder = Folder::new();
    let store = open(&folder);
    let put = Batch::new().put::<Notes>(&(1, 1), &String::from("note"), Expect::Absent);
    store.commit(put).wait().unwrap();
    let connection = Connection::open(folder.path().join("store.db")).unwrap();
    let text = "UPDATE records SET body = CAST(body || x'ff' AS BLOB)";
    assert_eq!(connection.execute(text, []).unwrap(), 1);
    let found = Damage::Record {
        collection: String::from("notes"),
        key: String::from("000000000000000100000001"),
    };
    assert!(matches!(store.get::<Notes>(&(1, 1)), Err(StoreError::Damaged(d)) if d == found));
    assert_eq!(store.verify().unwrap(), [found]);
}

#[test]
fn an_altered_version_or_tag_is_found_at_the_start() {
    for change in ["version = version + 1", "tag = zeroblob(16)", "tag = x''"] {
        let folder = tampered(|connection| {
            let text = format!("UPDATE records SET {change} WHERE {AT_3}");
            assert_eq!(connection.execute(&text, []).unwrap(), 1);
        });
        assert_eq!(refused(&folder), record(), "{change}");
    }
}

#[test]
fn a_missing_record_is_found_at_the_start() {
    let folder = tampered(|connection| {
        connection.execute(&format!("DELETE FROM records WHERE {AT_3}"), []).unwrap();
    });
    assert_eq!(refused(&folder), Damage::Digest { collection: THINGS.to_owned() });
}

#[test]
fn an_added_record_is_found_at_the_start() {
    let copied = "INSERT INTO records SELECT 1, x'00000000000000ff', version, tag, body
                  FROM records WHERE collection = 1 AND key = x'0000000000000003'";
    let key = String::from("00000000000000ff");
    let folder = tampered(sql(copied));
    assert_eq!(refused(&folder), Damage::Record { collection: THINGS.to_owned(), key });
    let stranger = "INSERT INTO records SELECT 77, key, version, tag, body
                    FROM records WHERE collection = 1 AND key = x'0000000000000003'";
    let folder = tampered(sql(stranger));
    let damage = Damage::Record { collection: String::from("#77"), key: THREE.to_owned() };
    assert_eq!(refused(&folder), damage);
}

#[test]
fn two_records_that_change_places_are_found() {
    let folder = tampered(|connection| {
        let text = "UPDATE records SET key = CASE key
            WHEN x'0000000000000003' THEN x'0000000000000004' ELSE x'0000000000000003' END
            WHERE collection = 1 AND key IN (x'0000000000000003', x'0000000000000004')";
        connection.execute_batch("CREATE TEMP TABLE t AS SELECT * FROM records").unwrap();
        let _ = connection.execute(text, []);
        connection
            .execute_batch(
                "DELETE FROM records WHERE collection = 1
                    AND key IN (x'0000000000000003', x'0000000000000004');
                 INSERT INTO records SELECT collection, x'0000000000000004', version, tag, body
                    FROM t WHERE collection = 1 AND key = x'0000000000000003';
                 INSERT INTO records SELECT collection, x'0000000000000003', version, tag, body
                    FROM t WHERE collection = 1 AND key = x'0000000000000004';",
            )
            .unwrap();
    });
    assert_eq!(refused(&folder), record());
}

/// A copy of the file as it was before the last change of thing 3.
fn with_an_older(what: &str) -> Folder {
    let folder = tampered(|_| {});
    let old = folder.path().join("old.db");
    std::fs::copy(folder.path().join("store.db"), &old).unwrap();
    let store = open(&folder);
    let renamed = Batch::new()
        .put::<Things>(&3, &thing("renamed", "blue"), Expect::Any)
        .raise_epoch(domain(1))
        .event(event("renamed"));
    store.commit(renamed).wait().unwrap();
    drop(store);
    let connection = Connection::open(folder.path().join("store.db")).unwrap();
    connection.execute("ATTACH ?1 AS old", [old.display().to_string()]).unwrap();
    connection.execute_batch(what).unwrap();
    drop(connection);
    folder
}

#[test]
fn an_older_record_is_found_at_the_start() {
    let folder = with_an_older(
        "REPLACE INTO records SELECT * FROM old.records
         WHERE collection = 1 AND key = x'0000000000000003'",
    );
    assert_eq!(refused(&folder), Damage::Digest { collection: THINGS.to_owned() });
}

#[test]
fn an_older_epoch_is_found_at_the_start() {
    let folder = with_an_older(
        "REPLACE INTO records SELECT o.* FROM old.records o JOIN records n USING (collection, key)
         WHERE o.collection <> 1",
    );
    assert_eq!(refused(&folder), Damage::Digest { collection: String::from("store.epochs") });
}

#[test]
fn an_older_state_is_found_at_the_start() {
    let folder = with_an_older("REPLACE INTO state SELECT * FROM old.state");
    assert!(matches!(refused(&folder), Damage::Digest { .. } | Damage::Index { .. }));
}

#[test]
fn an_older_file_opens_with_its_older_head_for_the_anchor_to_compare() {
    let folder = tampered(|_| {});
    let file = folder.path().join("store.db");
    let old = std::fs::read(&file).unwrap();
    let store = open(&folder);
    store.commit(Batch::new().event(event("newer"))).wait().unwrap();
    let newest = (store.revision(), store.log_head());
    drop(store);
    std::fs::write(&file, old).unwrap();
    let opened = opened(&folder).unwrap();
    assert!(opened.revision() < newest.0 && opened.log_head().size < newest.1.size);
}

#[test]
fn a_missing_or_added_index_row_is_found() {
    let index = Damage::Index { collection: THINGS.to_owned() };
    let removed = "DELETE FROM terms WHERE collection = 1 AND key = x'0000000000000003'";
    assert_eq!(refused(&tampered(sql(removed))), index);
    let added = "INSERT INTO terms SELECT 1, randomblob(16), key FROM terms LIMIT 1";
    assert_eq!(refused(&tampered(sql(added))), index);
}

#[test]
fn an_index_row_added_while_running_gives_no_answer() {
    let folder = tampered(|_| {});
    let store = open(&folder);
    let connection = Connection::open(folder.path().join("store.db")).unwrap();
    let text = "INSERT INTO terms SELECT DISTINCT collection, term, x'00000000000000ff' FROM terms";
    connection.execute(text, []).unwrap();
    let found = store.find::<Things>(&coloured("red"), 100);
    assert!(matches!(found, Err(StoreError::Damaged(Damage::Index { .. }))));
    let none = store.find::<Things>(&IndexTerm::new("colour", "green"), 100).unwrap();
    assert!(none.is_empty());
    // Every thing is said to have every term: a page believes the records.
    let text = "INSERT OR IGNORE INTO terms SELECT DISTINCT one.collection, one.term, other.key \
                FROM terms one, terms other WHERE one.collection = other.collection";
    connection.execute(text, []).unwrap();
    let page =
        store
            .page_of::<Things>(&[named(domain(1), "n3")], &kernel::Scope::All, None, 100, |_| true);
    assert!(matches!(page, Err(StoreError::Damaged(Damage::Index { .. }))));
}

#[test]
fn a_missing_or_altered_row_of_the_log_is_found_with_its_position() {
    let at = |position| Damage::Log { position: kernel::LogPosition(position) };
    let last = tampered(sql("DELETE FROM log WHERE first = 10"));
    assert_eq!(refused(&last), at(10));
    for (text, position) in [
        ("DELETE FROM log WHERE first = 4", 4),
        ("UPDATE log SET body = CAST(body || x'00' AS BLOB) WHERE first = 5", 5),
        ("UPDATE log SET tag = zeroblob(16) WHERE first = 6", 6),
    ] {
        let folder = tampered(sql(text));
        let store = open(&folder);
        let found = store.read_log(kernel::LogPosition(0), 100);
        assert!(matches!(found, Err(StoreError::Damaged(d)) if d == at(position)), "{text}");
        assert_eq!(store.verify().unwrap(), [at(position)]);
    }
}

#[test]
fn other_keys_and_other_files_do_not_open() {
    let folder = tampered(|_| {});
    let stranger = Store::open(folder.path(), other_keys(), clock(), options());
    assert!(matches!(stranger, Err(StoreError::Damaged(Damage::State))));
    let folder = tampered(sql("DELETE FROM state"));
    assert_eq!(refused(&folder), Damage::State);
    let folder = tampered(|connection| {
        connection.execute_batch("PRAGMA user_version = 9").unwrap();
    });
    assert!(matches!(opened(&folder), Err(StoreError::Format { found: 9, expected: 1 })));
    let folder = tampered(|connection| {
        connection.execute_batch("PRAGMA application_id = 9").unwrap();
    });
    assert!(matches!(refused(&folder), Damage::File { .. }));
    let folder = Folder::new();
    std::fs::write(folder.path().join("store.db"), vec![b'x'; 10_000]).unwrap();
    assert!(matches!(refused(&folder), Damage::File { .. }));
    let examined = Store::examine(folder.path(), keys()).unwrap();
    assert!(matches!(examined.as_slice(), [Damage::File { .. }]));
}

#[test]
fn a_damaged_record_refuses_its_own_batch_only() {
    let folder = tampered(|_| {});
    let store = open(&folder);
    let connection = Connection::open(folder.path().join("store.db")).unwrap();
    let text = format!("UPDATE records SET body = CAST(body || x'00' AS BLOB) WHERE {AT_3}");
    connection.execute(&text, []).unwrap();
    let store = Arc::new(store);
    let put = |key| Batch::new().put::<Things>(&key, &thing(&format!("m{key}"), "x"), Expect::Any);
    let (bad, good) = (store.commit(put(3)), store.commit(put(4)));
    assert!(matches!(bad.wait(), Err(StoreError::Damaged(d)) if d == record()));
    good.wait().unwrap();
}
