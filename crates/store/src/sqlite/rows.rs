//! Rows in and out of the tables: the only SQL on records, terms, state and log.

use crate::codec::{Header, damaged_record};
use crate::sealing::{Sealed, Sealing};
use crate::state::{CollectionId, LOG, STATE, State};
use crate::{Damage, LogRow, StoreError};
use kernel::LogPosition;
use rusqlite::{Connection, OptionalExtension as _, params};
use strongroom::Place;
use zeroize::Zeroizing;

/// A record as it lies in its row.
pub(crate) struct Row {
    pub(crate) version: u64,
    pub(crate) sealed: Sealed,
}

/// A record after opening.
pub(crate) struct Opened {
    pub(crate) version: u64,
    plain: Zeroizing<Vec<u8>>,
}

impl Opened {
    pub(crate) fn split(
        &self,
        collection: &str,
        key: &[u8],
    ) -> Result<(Header, &[u8]), StoreError> {
        Header::split(&self.plain).map_err(|_| StoreError::Damaged(damaged_record(collection, key)))
    }
}

/// Opens a row for its place.
pub(crate) fn open(
    sealing: &Sealing,
    collection: &str,
    key: &[u8],
    row: &Row,
) -> Result<Opened, StoreError> {
    let place = Place { collection, key, version: row.version };
    let plain = sealing
        .open(place, &row.sealed.tag, &row.sealed.body)
        .map_err(|_| StoreError::Damaged(damaged_record(collection, key)))?;
    Ok(Opened { version: row.version, plain })
}

pub(crate) fn tag(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<[u8; 16]> {
    let bytes = row.get_ref(column)?.as_blob()?;
    // A tag of another length was not written by us; all zeros opens nothing.
    Ok(bytes.try_into().unwrap_or_default())
}

pub(crate) fn number(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(column).map(i64::cast_unsigned)
}

/// The record of a key.
pub(crate) fn get(
    connection: &Connection,
    collection: CollectionId,
    key: &[u8],
) -> Result<Option<Row>, StoreError> {
    let sql = "SELECT version, tag, body FROM records WHERE collection = ?1 AND key = ?2";
    let mut statement = connection.prepare_cached(sql)?;
    let row = statement
        .query_row(params![collection, key], |row| {
            let sealed = Sealed { tag: tag(row, 1)?, body: row.get(2)? };
            Ok(Row { version: number(row, 0)?, sealed })
        })
        .optional()?;
    Ok(row)
}

/// Records of a collection whose key is at or behind `from` (behind it if `exclusive`), in order.
/// `visit` says whether to go on.
pub(crate) fn scan(
    connection: &Connection,
    collection: CollectionId,
    from: &[u8],
    exclusive: bool,
    mut visit: impl FnMut(&[u8], Row) -> Result<bool, StoreError>,
) -> Result<(), StoreError> {
    let sql = if exclusive {
        "SELECT key, version, tag, body FROM records WHERE collection = ?1 AND key > ?2 ORDER BY key"
    } else {
        "SELECT key, version, tag, body FROM records WHERE collection = ?1 AND key >= ?2 ORDER BY key"
    };
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params![collection, from])?;
    while let Some(row) = rows.next()? {
        let sealed = Sealed { tag: tag(row, 2)?, body: row.get(3)? };
        let record = Row { version: number(row, 1)?, sealed };
        let key = row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?;
        if !visit(key, record)? {
            break;
        }
    }
    Ok(())
}

/// Collection, key, version and tag of every record, in order.
pub(crate) fn scan_tags(
    connection: &Connection,
    mut visit: impl FnMut(CollectionId, &[u8], u64, &[u8]) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let sql = "SELECT collection, key, version, tag FROM records ORDER BY collection, key";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let key = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
        let tag = row.get_ref(3)?.as_blob().map_err(rusqlite::Error::from)?;
        visit(row.get(0)?, key, number(row, 2)?, tag)?;
    }
    Ok(())
}

/// Keys of the records that have a term, in order, at most `limit`.
pub(crate) fn find(
    connection: &Connection,
    collection: CollectionId,
    term: &[u8],
    limit: usize,
) -> Result<Vec<Vec<u8>>, StoreError> {
    let sql = "SELECT key FROM terms WHERE collection = ?1 AND term = ?2 ORDER BY key LIMIT ?3";
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut statement = connection.prepare_cached(sql)?;
    let keys = statement.query_map(params![collection, term, limit], |row| row.get(0))?;
    Ok(keys.collect::<Result<_, _>>()?)
}

/// Keys of the records that have a term less than `below`, at most `limit`.
pub(crate) fn find_below(
    connection: &Connection,
    collection: CollectionId,
    below: &[u8],
    limit: u32,
) -> Result<Vec<Vec<u8>>, StoreError> {
    let sql = "SELECT key FROM terms WHERE collection = ?1 AND term < ?2 ORDER BY term LIMIT ?3";
    let mut statement = connection.prepare_cached(sql)?;
    let keys = statement.query_map(params![collection, below, limit], |row| row.get(0))?;
    Ok(keys.collect::<Result<_, _>>()?)
}

/// Whether a record has a term.
pub(crate) fn has_term(
    connection: &Connection,
    collection: CollectionId,
    term: &[u8],
    key: &[u8],
) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM terms WHERE collection = ?1 AND term = ?2 AND key = ?3";
    Ok(connection.prepare_cached(sql)?.exists(params![collection, term, key])?)
}

/// Every term: collection, term, key.
pub(crate) fn scan_terms(
    connection: &Connection,
    mut visit: impl FnMut(CollectionId, &[u8], &[u8]) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let sql = "SELECT collection, term, key FROM terms ORDER BY collection, term, key";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let term = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
        let key = row.get_ref(2)?.as_blob().map_err(rusqlite::Error::from)?;
        visit(row.get(0)?, term, key)?;
    }
    Ok(())
}

/// The revision that this connection sees.
pub(crate) fn revision(connection: &Connection) -> Result<u64, StoreError> {
    let mut statement = connection.prepare_cached("SELECT revision FROM state WHERE id = 1")?;
    Ok(statement.query_row([], |row| number(row, 0))?)
}

/// The sealed state.
pub(crate) fn get_state(connection: &Connection, sealing: &Sealing) -> Result<State, StoreError> {
    let damaged = || StoreError::Damaged(Damage::State);
    let mut statement =
        connection.prepare_cached("SELECT revision, tag, body FROM state WHERE id = 1")?;
    let row = statement
        .query_row([], |row| {
            let sealed = Sealed { tag: tag(row, 1)?, body: row.get(2)? };
            Ok(Row { version: number(row, 0)?, sealed })
        })
        .optional()?
        .ok_or_else(damaged)?;
    let place = Place { collection: STATE, key: b"state", version: row.version };
    let plain = sealing.open(place, &row.sealed.tag, &row.sealed.body).map_err(|_| damaged())?;
    let state = State::from_bytes(&plain).map_err(|_| damaged())?;
    if state.revision == row.version { Ok(state) } else { Err(damaged()) }
}

/// Seals and writes the state.
pub(crate) fn put_state(
    connection: &Connection,
    sealing: &Sealing,
    state: &State,
) -> Result<(), StoreError> {
    let place = Place { collection: STATE, key: b"state", version: state.revision };
    let sealed = sealing.seal(place, &state.to_bytes())?;
    let sql = "REPLACE INTO state(id, revision, tag, body) VALUES(1, ?1, ?2, ?3)";
    connection.prepare_cached(sql)?.execute(params![
        state.revision.cast_signed(),
        sealed.tag.as_slice(),
        sealed.body
    ])?;
    Ok(())
}

/// Seals and writes one row of the log; returns what it adds to the digest.
pub(crate) fn put_log(
    connection: &Connection,
    sealing: &Sealing,
    row: &LogRow,
) -> Result<[u8; 32], StoreError> {
    let key = row.first.0.to_be_bytes();
    let place = Place { collection: LOG, key: &key, version: u64::from(row.count) };
    let sealed = sealing.seal(place, &row.body)?;
    let sql = "INSERT INTO log(first, count, tag, body) VALUES(?1, ?2, ?3, ?4)";
    connection.prepare_cached(sql)?.execute(params![
        row.first.0.cast_signed(),
        row.count,
        sealed.tag.as_slice(),
        sealed.body
    ])?;
    Ok(sealing.record_element(place, &sealed.tag))
}

/// Rows of the log from the one that holds `from` on. `visit` gets each row with what it adds to
/// the digest and says whether to go on; a row that does not open or does not follow is damage.
pub(crate) fn scan_log(
    connection: &Connection,
    sealing: &Sealing,
    from: LogPosition,
    mut visit: impl FnMut(LogRow, [u8; 32]) -> bool,
) -> Result<(), StoreError> {
    let sql = "SELECT first, count, tag, body FROM log
               WHERE first >= (SELECT coalesce(max(first), 0) FROM log WHERE first <= ?1)
               ORDER BY first";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([from.0.cast_signed()])?;
    let mut next = None;
    while let Some(row) = rows.next()? {
        let first = number(row, 0)?;
        let damaged = || StoreError::Damaged(Damage::Log { position: LogPosition(first) });
        let count: u32 = row.get(1).map_err(|_| damaged())?;
        let wrong_start = next.map_or(first > from.0, |next| first != next);
        if wrong_start || count == 0 {
            let position = LogPosition(next.unwrap_or(from.0));
            return Err(StoreError::Damaged(Damage::Log { position }));
        }
        let key = first.to_be_bytes();
        let place = Place { collection: LOG, key: &key, version: u64::from(count) };
        let (tag, body) = (tag(row, 2)?, row.get_ref(3)?);
        let body = body.as_blob().map_err(|_| damaged())?;
        let plain = sealing.open(place, &tag, body).map_err(|_| damaged())?;
        next = Some(first.saturating_add(u64::from(count)));
        let element = sealing.record_element(place, &tag);
        let row = LogRow { first: LogPosition(first), count, body: plain.to_vec() };
        if !visit(row, element) {
            break;
        }
    }
    Ok(())
}

/// Where the stored log ends.
pub(crate) fn log_end(connection: &Connection) -> Result<u64, StoreError> {
    let sql = "SELECT first, count FROM log ORDER BY first DESC LIMIT 1";
    let mut statement = connection.prepare_cached(sql)?;
    let end = statement
        .query_row([], |row| Ok(number(row, 0)?.saturating_add(number(row, 1)?)))
        .optional()?;
    Ok(end.unwrap_or(0))
}

/// Whether the file has tables and nothing in them: the first start was cut off between the two.
pub(crate) fn is_untouched(connection: &Connection) -> Result<bool, StoreError> {
    let sql = "SELECT NOT EXISTS(SELECT 1 FROM state) AND NOT EXISTS(SELECT 1 FROM records)
               AND NOT EXISTS(SELECT 1 FROM terms) AND NOT EXISTS(SELECT 1 FROM log)";
    Ok(connection.query_row(sql, [], |row| row.get(0))?)
}
