//! The tables of a MySQL or MariaDB server, as CSV.
//!
//! Everything happens in read-only transactions with a statement and a lock timeout. A small table
//! is read whole. A large one with a number as its key is read in blocks that begin at keys spread
//! over the key's range, found by its index; one without gives its first rows. Nothing is ever
//! sorted.

use super::spool::Spool;
use super::tables::{Done, joined, split, write_row};
use super::{
    DatabaseSetting, Exposure, Listing, Object, Opened, Pending, Source, SourceError, tls,
};
use kernel::Secret;
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Error, OptsBuilder, Row, SslOpts, Value};
use std::borrow::Cow;
use std::time::Duration;
use tokio::sync::Mutex;

/// The usual port.
const PORT: u16 = 3_306;
/// Longest wait for a connection.
const CONNECT_SECONDS: u64 = 15;
/// Longest wait for somebody who has locked a table.
const LOCK_SECONDS: u32 = 10;
/// Tables in a page.
const PAGE_MAX: usize = 500;
/// Readers that are told of one table.
const READERS_MAX: usize = 100;
/// Places in the range of a key from which rows are read.
const BLOCKS: u32 = 64;

/// Tables after a place, in the order of their bytes. The time of the last change is exact to a
/// second and lost with a restart: a fresh one and none at all are no version.
const TABLES: &str = "
select t.table_schema, t.table_name, coalesce(t.data_length, 0), coalesce(t.table_rows, 0),
  if(t.update_time < now() - interval 5 second,
     concat_ws('.', unix_timestamp(t.create_time), unix_timestamp(t.update_time), t.data_length),
     null),
  concat_ws('\\n',
    (select group_concat(distinct p.grantee separator '\\n')
     from information_schema.user_privileges p where p.privilege_type = 'SELECT'),
    (select group_concat(distinct p.grantee separator '\\n')
     from information_schema.schema_privileges p
     where p.privilege_type = 'SELECT' and t.table_schema like p.table_schema),
    (select group_concat(distinct p.grantee separator '\\n')
     from information_schema.table_privileges p where p.privilege_type = 'SELECT'
       and p.table_schema = t.table_schema and p.table_name = t.table_name))
from information_schema.tables t
where t.table_type = 'BASE TABLE' and (? = '' or t.table_schema = ?)
  and t.table_schema not in ('mysql', 'information_schema', 'performance_schema', 'sys')
  and (cast(t.table_schema as binary) > ?
       or (cast(t.table_schema as binary) = ? and cast(t.table_name as binary) > ?))
order by cast(t.table_schema as binary), cast(t.table_name as binary) limit ?";

/// The first column of the primary key, when it is a whole number.
const KEY: &str = "
select c.column_name from information_schema.statistics s
  join information_schema.columns c using (table_schema, table_name, column_name)
where s.index_name = 'PRIMARY' and s.seq_in_index = 1 and s.table_schema = ? and s.table_name = ?
  and c.data_type in ('tinyint', 'smallint', 'mediumint', 'int', 'bigint')";

/// Bytes of a short row: a sample asks for as many rows as would fill its memory with such.
const ROW_BYTES: u64 = 100;

/// A row of [`TABLES`].
type Table = (String, String, u64, u64, Option<String>, Option<String>);

/// The source; one connection, opened when it is needed and again when it broke.
#[derive(Debug)]
pub(super) struct Mysql {
    options: OptsBuilder,
    name: String,
    database: String,
    table_bytes_max: u64,
    statement_seconds_max: u32,
    connection: Mutex<Option<Conn>>,
}

impl Mysql {
    pub(super) fn new(
        setting: &DatabaseSetting,
        password: Secret<String>,
    ) -> Result<Self, SourceError> {
        if setting.host.is_empty() {
            return Err(SourceError::Setting("host"));
        }
        // Checked here in our own way, so that a wrong one is not found out only while connecting.
        tls::client(setting.authority.as_deref())?;
        let plain = tls::is_loopback(&setting.host) && setting.authority.is_none();
        let mut believed = SslOpts::default().with_disable_built_in_roots(true);
        if let Some(pem) = &setting.authority {
            believed = believed.with_root_certs(vec![pem.clone().into_bytes().into()]);
        } else if let Some(path) = tls::machine_authorities() {
            believed = believed.with_root_certs(vec![path.to_path_buf().into()]);
        }
        let options = OptsBuilder::default()
            .ip_or_hostname(&setting.host)
            .tcp_port(setting.port.unwrap_or(PORT))
            .user(Some(&setting.user))
            .pass(Some(password.expose().as_str()))
            .prefer_socket(Some(false))
            .ssl_opts((!plain).then_some(believed));
        Ok(Self {
            options,
            name: setting.host.clone(),
            database: setting.database.clone().unwrap_or_default(),
            table_bytes_max: setting.table_bytes_max.min(super::spool::SPOOL_BYTES_MAX),
            statement_seconds_max: setting.statement_seconds_max,
            connection: Mutex::new(None),
        })
    }

    async fn connect(&self) -> Result<Conn, SourceError> {
        let failed = |error| self.failure(&error, &self.name);
        let connecting = Conn::new(self.options.clone());
        let mut connection = tokio::time::timeout(Duration::from_secs(CONNECT_SECONDS), connecting)
            .await
            .map_err(|_| SourceError::Unreachable(self.name.clone()))?
            .map_err(failed)?;
        let version: Option<String> =
            connection.query_first("select version()").await.map_err(failed)?;
        let seconds = u64::from(self.statement_seconds_max);
        let own = match version.is_some_and(|version| version.contains("MariaDB")) {
            true => format!("set session max_statement_time = {seconds}"),
            false => format!(
                "set session max_execution_time = {}, information_schema_stats_expiry = 0",
                seconds.saturating_mul(1_000)
            ),
        };
        let common =
            format!("set session lock_wait_timeout = {LOCK_SECONDS}, group_concat_max_len = 65536");
        for statement in [own.as_str(), &common, "set session transaction read only"] {
            connection.query_drop(statement).await.map_err(failed)?;
        }
        Ok(connection)
    }

    /// Runs one thing on the connection; one on which something failed or was interrupted is not
    /// used again.
    async fn with<T>(
        &self,
        work: impl AsyncFnOnce(&mut Conn) -> Result<Done<T>, SourceError>,
    ) -> Result<T, SourceError> {
        let mut held = self.connection.lock().await;
        let mut connection = match held.take().filter(|held| !held.is_disconnected()) {
            Some(connection) => connection,
            None => self.connect().await?,
        };
        match work(&mut connection).await? {
            Done::Clean(result) => {
                *held = Some(connection);
                Ok(result)
            }
            Done::Abandoned(result) => Ok(result),
        }
    }

    async fn tables(&self, after: Option<&str>, max: usize) -> Result<Listing, SourceError> {
        let (schema, table) = after.map_or(Ok((String::new(), String::new())), |after| {
            split(after).ok_or(SourceError::Setting("cursor"))
        })?;
        let max = max.clamp(1, PAGE_MAX);
        let place = (&self.database, &self.database, &schema, &schema, &table, max as u64);
        let found: Vec<Table> = self
            .with(async |connection| {
                let found = connection.exec(TABLES, place).await;
                found.map(Done::Clean).map_err(|error| self.failure(&error, &self.name))
            })
            .await?;
        let count = found.len();
        let objects: Vec<Object> = found.into_iter().map(object).collect();
        let next = objects.last().filter(|_| count == max).map(|last| last.name.clone());
        Ok(Listing { objects, next, unreadable: Vec::new() })
    }

    async fn fetch(&self, object: &Object) -> Result<Opened, SourceError> {
        let names = split(&object.name).ok_or_else(|| SourceError::Gone(object.name.clone()))?;
        let spool = Spool::reserve(self.table_bytes_max).await?;
        let small = object.bytes.is_some_and(|bytes| bytes <= self.table_bytes_max);
        let mut sheet = Sheet { spool, headed: false, last: None, full: false };
        let sheet = self
            .with(async move |connection| {
                let failed = |error| self.failure(&error, &object.name);
                connection.query_drop("start transaction read only").await.map_err(failed)?;
                let (key, blocks) = match small {
                    true => (None, vec![Block::whole(&names)]),
                    false => self.sample(connection, &names).await.map_err(failed)?,
                };
                for block in blocks {
                    let statement = block.statement(sheet.last);
                    let mut rows = connection.query_iter(statement).await.map_err(failed)?;
                    while let Some(row) = rows.next().await.map_err(failed)? {
                        if !sheet.take(&row, key.as_deref())? {
                            // The rest of the rows goes with the connection.
                            return Ok(Done::Abandoned(sheet));
                        }
                    }
                }
                connection.query_drop("rollback").await.map_err(failed)?;
                Ok(Done::Clean(sheet))
            })
            .await?;
        let whole = small && !sheet.full;
        sheet.spool.opened(&format!("{}.csv", object.name), !whole)
    }

    /// The key of a large table and the blocks from which its sample is taken.
    async fn sample(
        &self,
        connection: &mut Conn,
        names: &(String, String),
    ) -> Result<(Option<String>, Vec<Block>), Error> {
        let place = placed(names);
        let rows = self.table_bytes_max / ROW_BYTES;
        let key: Option<String> = connection.exec_first(KEY, (&names.0, &names.1)).await?;
        let Some(key) = key else {
            return Ok((None, vec![Block { place, key: None, rows: Some(rows) }]));
        };
        let name = quoted(&key);
        let ends =
            format!("select cast(min({name}) as char), cast(max({name}) as char) from {place}");
        let ends: Option<(Option<String>, Option<String>)> = connection.query_first(ends).await?;
        let number = |text: Option<String>| text.and_then(|text| text.parse::<i128>().ok());
        let (low, high) = ends.map(|(low, high)| (number(low), number(high))).unwrap_or_default();
        let (Some(low), Some(high)) = (low, high) else {
            return Ok((Some(key), Vec::new()));
        };
        // Keys are whole numbers of at most 64 bits: nothing here overflows 128.
        let step = high.saturating_sub(low) / i128::from(BLOCKS);
        let block = |number: u32| Block {
            place: place.clone(),
            key: Some((name.clone(), low.saturating_add(step * i128::from(number)))),
            rows: Some(rows / u64::from(BLOCKS)),
        };
        Ok((Some(key), (0..BLOCKS).map(block).collect()))
    }

    fn failure(&self, error: &Error, place: &str) -> SourceError {
        let place = place.to_owned();
        match error {
            Error::Server(error) => match error.code {
                1044 | 1045 | 1049 | 1142 | 1143 | 1370 | 1698 => SourceError::Refused(place),
                1146 | 1051 => SourceError::Gone(place),
                _ => SourceError::Unreadable(place),
            },
            _ => SourceError::Unreachable(self.name.clone()),
        }
    }
}

impl Source for Mysql {
    fn list<'a>(&'a self, after: Option<&'a str>, max: usize) -> Pending<'a, Listing> {
        Box::pin(self.tables(after, max))
    }

    fn open<'a>(&'a self, object: &'a Object) -> Pending<'a, Opened> {
        Box::pin(self.fetch(object))
    }
}

fn object((schema, table, bytes, _, version, readers): Table) -> Object {
    let mut readers: Vec<String> = readers.unwrap_or_default().lines().map(str::to_owned).collect();
    readers.sort_unstable();
    readers.dedup();
    readers.truncate(READERS_MAX);
    // Privileges of others are seen by a user who may read them; not to see any says nothing.
    let everybody = |reader: &String| reader == "PUBLIC" || reader.starts_with("''@");
    let public = readers.iter().any(everybody).then_some(true);
    let exposure = Exposure { public, readers, ..Exposure::default() };
    Object { name: joined(&schema, &table), bytes: Some(bytes), version, exposure }
}

/// Rows of a table: all, or so many from a key on.
#[derive(Debug)]
struct Block {
    place: String,
    key: Option<(String, i128)>,
    rows: Option<u64>,
}

impl Block {
    fn whole(names: &(String, String)) -> Self {
        Self { place: placed(names), key: None, rows: None }
    }

    /// What is asked, after the last key that was read, so that no row comes twice.
    fn statement(&self, last: Option<i128>) -> String {
        let place = &self.place;
        let mut statement = format!("select * from {place}");
        if let Some((key, from)) = &self.key {
            let from = last.map_or(*from, |last| last.saturating_add(1).max(*from));
            statement.push_str(&format!(" where {key} >= {from} order by {key}"));
        }
        if let Some(rows) = self.rows {
            statement.push_str(&format!(" limit {}", rows.max(1)));
        }
        statement
    }
}

/// The CSV that is being written.
#[derive(Debug)]
struct Sheet {
    spool: Spool,
    headed: bool,
    /// The last key that was read.
    last: Option<i128>,
    full: bool,
}

impl Sheet {
    /// Adds a row; false when there is no more room.
    fn take(&mut self, row: &Row, key: Option<&str>) -> Result<bool, SourceError> {
        let columns = row.columns_ref();
        let mut line = Vec::new();
        if !self.headed {
            write_row(&mut line, columns.iter().map(mysql_async::Column::name_str));
            self.headed = true;
        }
        let cells = (0..columns.len()).map(|place| match row.as_ref(place) {
            Some(Value::Bytes(bytes)) => String::from_utf8_lossy(bytes),
            _ => Cow::Borrowed(""),
        });
        let cells: Vec<Cow<'_, str>> = cells.collect();
        if let Some(key) = key
            && let Some(place) = columns.iter().position(|column| column.name_str() == key)
        {
            self.last = cells.get(place).and_then(|cell| cell.parse().ok()).or(self.last);
        }
        write_row(&mut line, cells.iter());
        self.full = !self.spool.write(&line)?;
        Ok(!self.full)
    }
}

fn placed((schema, table): &(String, String)) -> String {
    format!("{}.{}", quoted(schema), quoted(table))
}

fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_ask_by_the_key_and_never_twice_for_a_row() {
        let names = ("a`b".to_owned(), "c".to_owned());
        assert_eq!(Block::whole(&names).statement(None), "select * from `a``b`.`c`");
        let block = Block { place: placed(&names), key: Some((quoted("id"), -5)), rows: Some(0) };
        let asked = "select * from `a``b`.`c` where `id` >= -5 order by `id` limit 1";
        assert_eq!(block.statement(None), asked);
        assert_eq!(block.statement(Some(-90)), asked);
        assert!(block.statement(Some(7)).contains(">= 8 "));
    }

    #[test]
    fn a_grant_to_everybody_is_seen_and_none_says_nothing() {
        let table = |readers: Option<&str>| {
            object(("s".into(), "t".into(), 1, 1, None, readers.map(str::to_owned)))
        };
        assert_eq!(table(None).exposure.public, None);
        let some = table(Some("'b'@'%'\n'a'@'%'\n'b'@'%'"));
        assert_eq!(some.exposure.readers, ["'a'@'%'", "'b'@'%'"]);
        assert_eq!(some.exposure.public, None);
        assert_eq!(table(Some("''@'localhost'")).exposure.public, Some(true));
    }
}
