//! The tables of a PostgreSQL database, as CSV that the server itself writes.
//!
//! Everything happens in read-only transactions with a statement and a lock timeout. A small table
//! is read whole; of a large one the server draws pages at random (`TABLESAMPLE SYSTEM`), the same
//! ones while the table stays unchanged. Where row security would hide rows, the table is refused
//! rather than read in part. Views and foreign tables are passed over: what they show lies
//! elsewhere.

use super::spool::Spool;
use super::tables::{Done, joined, split};
use super::{
    DatabaseSetting, Exposure, Listing, Object, Opened, Pending, Source, SourceError, postgres_tls,
    tls,
};
use kernel::Secret;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::pin::pin;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio_postgres::config::SslMode;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Config, NoTls};

/// The usual port.
const PORT: u16 = 5_432;
/// Longest wait for a connection.
const CONNECT_SECONDS: u64 = 15;
/// Bytes of text that are reserved for each byte of a table, and for the smallest one.
const TEXT_FACTOR: u64 = 8;
const ROOM_BYTES_MIN: u64 = 4 * 1024 * 1024;
/// Longest wait for somebody who has locked a table.
const LOCK_SECONDS: u32 = 10;
/// Tables in a page.
const PAGE_MAX: usize = 500;

/// Tables after a place, in the order of their bytes. A version counts what was ever written since
/// the statistics began; a standby does not count, and has none.
const TABLES: &str = "
select n.nspname, c.relname, pg_get_userbyid(c.relowner)::text,
       pg_table_size(c.oid),
       case when pg_is_in_recovery() or not current_setting('track_counts')::bool then null else
         concat_ws('.', c.oid, pg_relation_filenode(c.oid), pg_stat_get_tuples_inserted(c.oid),
           pg_stat_get_tuples_updated(c.oid), pg_stat_get_tuples_deleted(c.oid),
           extract(epoch from pg_stat_get_db_stat_reset_time(d.oid))) end,
       array(select distinct case g.grantee when 0 then 'PUBLIC'
                     else pg_get_userbyid(g.grantee)::text end
             from aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) g
             where g.privilege_type = 'SELECT' order by 1 limit 100),
       exists (select from aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) g
               where g.privilege_type = 'SELECT' and g.grantee = 0)
         and exists (select from aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) g
                     where g.privilege_type = 'USAGE' and g.grantee = 0),
       has_schema_privilege(n.oid, 'USAGE') and has_table_privilege(c.oid, 'SELECT')
from pg_class c join pg_namespace n on n.oid = c.relnamespace,
     pg_database d
where d.datname = current_database() and c.relkind in ('r', 'm') and c.relpersistence <> 't'
  and n.nspname not in ('pg_catalog', 'information_schema') and n.nspname not like 'pg\\_toast%'
  and (n.nspname::text collate \"C\", c.relname::text collate \"C\") > ($1, $2)
order by n.nspname::text collate \"C\", c.relname::text collate \"C\" limit $3";

/// The source; one connection, opened when it is needed and again when it broke.
#[derive(Debug)]
pub(super) struct Postgres {
    config: Config,
    tls: Option<postgres_tls::Tls>,
    name: String,
    table_bytes_max: u64,
    statement_seconds_max: u32,
    client: Mutex<Option<Client>>,
}

impl Postgres {
    pub(super) fn new(
        setting: &DatabaseSetting,
        password: Secret<String>,
    ) -> Result<Self, SourceError> {
        let database = setting.database.as_deref().ok_or(SourceError::Setting("database"))?;
        if setting.host.is_empty() || setting.host.contains(['/', '\0']) {
            return Err(SourceError::Setting("host"));
        }
        let mut config = Config::new();
        config
            .host(&setting.host)
            .port(setting.port.unwrap_or(PORT))
            .dbname(database)
            .user(&setting.user)
            .password(password.expose().as_bytes())
            .application_name("lionrock")
            .connect_timeout(Duration::from_secs(CONNECT_SECONDS));
        // This machine is asked for TLS only when it is said whom to believe there.
        let plain = tls::is_loopback(&setting.host) && setting.authority.is_none();
        let tls = match plain {
            true => None,
            false => Some(postgres_tls::Tls::new(tls::client(setting.authority.as_deref())?)),
        };
        config.ssl_mode(if plain { SslMode::Disable } else { SslMode::Require });
        Ok(Self {
            config,
            tls,
            name: format!("{}/{database}", setting.host),
            table_bytes_max: setting.table_bytes_max.min(super::spool::SPOOL_BYTES_MAX),
            statement_seconds_max: setting.statement_seconds_max,
            client: Mutex::new(None),
        })
    }

    async fn connect(&self) -> Result<Client, SourceError> {
        let failed = |error: tokio_postgres::Error| self.failure(&error, &self.name);
        let client = match &self.tls {
            None => {
                let (client, connection) = self.config.connect(NoTls).await.map_err(failed)?;
                tokio::spawn(connection);
                client
            }
            Some(tls) => {
                let connected = self.config.connect(tls.clone()).await;
                let (client, connection) = connected.map_err(failed)?;
                tokio::spawn(connection);
                client
            }
        };
        let settings = format!(
            "set default_transaction_read_only = on; set statement_timeout = '{}s';
             set lock_timeout = '{LOCK_SECONDS}s'; set row_security = off;
             set idle_in_transaction_session_timeout = '{0}s'",
            self.statement_seconds_max
        );
        client.batch_execute(&settings).await.map_err(failed)?;
        Ok(client)
    }

    /// Runs one thing on the connection; what was interrupted leaves no transaction behind, because
    /// its connection is not used again.
    async fn with<T>(
        &self,
        work: impl AsyncFnOnce(&mut Client) -> Result<Done<T>, SourceError>,
    ) -> Result<T, SourceError> {
        let mut held = self.client.lock().await;
        let mut client = match held.take().filter(|client| !client.is_closed()) {
            Some(client) => client,
            None => self.connect().await?,
        };
        match work(&mut client).await? {
            Done::Clean(result) => {
                *held = Some(client);
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
        let most = i64::try_from(max).unwrap_or(i64::MAX);
        let rows = self
            .with(async |client| {
                let rows = client.query(TABLES, &[&schema, &table, &most]).await;
                rows.map(Done::Clean).map_err(|error| self.failure(&error, &self.name))
            })
            .await?;
        let mut listing = Listing { objects: Vec::new(), next: None, unreadable: Vec::new() };
        let (count, mut last) = (rows.len(), None);
        for row in rows {
            let read = || -> Result<(Object, bool), tokio_postgres::Error> {
                let name = joined(row.try_get(0)?, row.try_get(1)?);
                let exposure = Exposure {
                    public: Some(row.try_get(6)?),
                    readers: row.try_get(5)?,
                    owner: Some(row.try_get(2)?),
                    ..Exposure::default()
                };
                let bytes = u64::try_from(row.try_get::<_, i64>(3)?).ok();
                let version = row.try_get(4)?;
                Ok((Object { name, bytes, version, exposure }, row.try_get(7)?))
            };
            let (object, readable) = read().map_err(|error| self.failure(&error, &self.name))?;
            last = Some(object.name.clone());
            match readable {
                true => listing.objects.push(object),
                false => {
                    let why = "the user has no right to read it".to_owned();
                    listing.unreadable.push((object.name, why));
                }
            }
        }
        listing.next = last.filter(|_| count == max);
        Ok(listing)
    }

    async fn fetch(&self, object: &Object) -> Result<Opened, SourceError> {
        let gone = || SourceError::Gone(object.name.clone());
        let (schema, table) = split(&object.name).ok_or_else(gone)?;
        let size = object.bytes.unwrap_or(u64::MAX);
        let sample = (size > self.table_bytes_max)
            .then(|| sample(size, self.table_bytes_max, object.version.as_deref()));
        let statement = format!(
            "copy (select * from only {}.{} {}) to stdout with (format csv, header)",
            quoted(&schema),
            quoted(&table),
            sample.as_deref().unwrap_or_default()
        );
        // Text can be much larger than the pages that hold it, which are compressed.
        let most = self.table_bytes_max.saturating_mul(2);
        let room = size.saturating_mul(TEXT_FACTOR).max(ROOM_BYTES_MIN).min(most);
        let mut spool = Spool::reserve(room).await?;
        let fits = self
            .with(async |client| {
                let failed = |error: tokio_postgres::Error| self.failure(&error, &object.name);
                let transaction =
                    client.build_transaction().read_only(true).start().await.map_err(failed)?;
                let mut rows = pin!(transaction.copy_out(&statement).await.map_err(failed)?);
                while let Some(piece) = futures_util::StreamExt::next(&mut rows).await {
                    if !spool.write(&piece.map_err(failed)?)? {
                        return Ok(Done::Abandoned(false));
                    }
                }
                transaction.rollback().await.map_err(failed)?;
                Ok(Done::Clean(true))
            })
            .await?;
        let whole = sample.is_none() && fits;
        spool.opened(&format!("{}.csv", object.name), !whole)
    }

    fn failure(&self, error: &tokio_postgres::Error, place: &str) -> SourceError {
        let Some(code) = error.code() else {
            return SourceError::Unreachable(self.name.clone());
        };
        let refused = [
            SqlState::INSUFFICIENT_PRIVILEGE,
            SqlState::INVALID_PASSWORD,
            SqlState::INVALID_AUTHORIZATION_SPECIFICATION,
            SqlState::INVALID_CATALOG_NAME,
        ];
        let place = place.to_owned();
        match code {
            code if refused.contains(code) => SourceError::Refused(place),
            code if [SqlState::UNDEFINED_TABLE, SqlState::INVALID_SCHEMA_NAME].contains(code) => {
                SourceError::Gone(place)
            }
            _ => SourceError::Unreadable(place),
        }
    }
}

impl Source for Postgres {
    fn list<'a>(&'a self, after: Option<&'a str>, max: usize) -> Pending<'a, Listing> {
        Box::pin(self.tables(after, max))
    }

    fn open<'a>(&'a self, object: &'a Object) -> Pending<'a, Opened> {
        Box::pin(self.fetch(object))
    }
}

/// The clause that draws about so many bytes of a table, the same pages while its version stays.
fn sample(size: u64, wanted: u64, version: Option<&str>) -> String {
    let mut hasher = DefaultHasher::new();
    version.hash(&mut hasher);
    let seed = hasher.finish() % 1_000_000;
    // In thousandths of a per cent, and at least one of them.
    let share = u128::from(wanted) * 100_000 / u128::from(size.max(1));
    let share = share.clamp(1, 100_000);
    format!("tablesample system ({}.{:03}) repeatable ({seed})", share / 1_000, share % 1_000)
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_a_share_of_the_table_and_stays_while_its_version_does() {
        let clause = sample(400, 100, Some("7"));
        assert!(clause.starts_with("tablesample system (25.000) repeatable ("), "{clause}");
        assert_eq!(clause, sample(400, 100, Some("7")));
        assert_ne!(clause, sample(400, 100, Some("8")));
        assert!(sample(u64::MAX, 1, None).contains("(0.001)"));
        assert!(sample(1, u64::MAX, None).contains("(100.000)"));
    }

    #[test]
    fn a_quoted_name_cannot_end_its_quotes() {
        assert_eq!(quoted("a\"; drop table b; --"), "\"a\"\"; drop table b; --\"");
    }
}
