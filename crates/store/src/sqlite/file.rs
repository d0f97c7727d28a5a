//! The database file: pragmas and tables.

use super::folder::{DATABASE, create_private};
use crate::{Damage, Options, StoreError};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use std::path::Path;

/// The format of the file; raised with every change of the tables or of what is sealed in them.
const FORMAT: i64 = 1;
/// "Lion" in ASCII, so that `file` tells what it is.
const APPLICATION: i64 = 0x4c69_6f6e;

const TABLES: &str = "
CREATE TABLE state(
    id INTEGER PRIMARY KEY, revision INTEGER NOT NULL, tag BLOB NOT NULL, body BLOB NOT NULL
) STRICT;
CREATE TABLE records(
    collection INTEGER NOT NULL, key BLOB NOT NULL, version INTEGER NOT NULL,
    tag BLOB NOT NULL, body BLOB NOT NULL, PRIMARY KEY(collection, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE terms(
    collection INTEGER NOT NULL, term BLOB NOT NULL, key BLOB NOT NULL,
    PRIMARY KEY(collection, term, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE log(
    first INTEGER PRIMARY KEY, count INTEGER NOT NULL, tag BLOB NOT NULL, body BLOB NOT NULL
) STRICT;
";

/// Statements that one connection keeps prepared: all that we have, with room.
const STATEMENTS_MAX: usize = 48;

fn common(connection: &Connection) -> Result<(), StoreError> {
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    // Nothing in the file may run: no views, triggers or functions that somebody put there.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    // Else the engine prepares a statement anew whenever a limit is bound to it.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.execute_batch(
        "PRAGMA cell_size_check = ON; PRAGMA foreign_keys = OFF; PRAGMA mmap_size = 0;
         PRAGMA temp_store = MEMORY;",
    )?;
    Ok(())
}

/// Opens the file for the committer, making it if there is none. True when it is new.
pub(crate) fn open_writer(
    folder: &Path,
    options: &Options,
) -> Result<(Connection, bool), StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let path = folder.join(DATABASE);
    create_private(&path)?;
    let connection = Connection::open_with_flags(path, flags)?;
    common(&connection)?;
    let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    if mode != "wal" {
        // The engine falls back silently where shared memory is not to be had.
        return Err(StoreError::ReadOnly);
    }
    connection.execute_batch(
        "PRAGMA synchronous = FULL; PRAGMA cache_size = -4000;
         PRAGMA journal_size_limit = 67108864;",
    )?;
    let checkpoint = format!("PRAGMA wal_autocheckpoint = {}", options.checkpoint_pages);
    connection.query_row(&checkpoint, [], |row| row.get::<_, i64>(0))?;
    if let Some(pages) = options.pages_max {
        set_pages_max(&connection, pages)?;
    }
    let number = |pragma: &str| connection.query_row(pragma, [], |row| row.get::<_, i64>(0));
    let tables = number("SELECT count(*) FROM sqlite_schema")?;
    if tables == 0 {
        connection.execute_batch(&format!(
            "BEGIN IMMEDIATE; {TABLES} PRAGMA application_id = {APPLICATION};
             PRAGMA user_version = {FORMAT}; COMMIT;"
        ))?;
        return Ok((connection, true));
    }
    if number("PRAGMA application_id")? != APPLICATION {
        let says = String::from("not a store of this program");
        return Err(StoreError::Damaged(Damage::File { says }));
    }
    let found = number("PRAGMA user_version")?;
    if found == FORMAT {
        Ok((connection, false))
    } else {
        Err(StoreError::Format { found, expected: FORMAT })
    }
}

/// Opens the file for reading only.
pub(crate) fn open_reader(folder: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(folder.join(DATABASE), flags)?;
    common(&connection)?;
    connection.execute_batch("PRAGMA query_only = ON; PRAGMA cache_size = -2000;")?;
    Ok(connection)
}

/// Sets the quota in pages of 4096 bytes.
pub(crate) fn set_pages_max(connection: &Connection, pages: u32) -> Result<(), StoreError> {
    let sql = format!("PRAGMA max_page_count = {pages}");
    connection.query_row(&sql, [], |row| row.get::<_, i64>(0))?;
    Ok(())
}
