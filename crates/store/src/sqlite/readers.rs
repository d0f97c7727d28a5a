//! A few connections that only read, opened when they are first needed.

use super::file;
use crate::StoreError;
use rusqlite::Connection;
use std::path::PathBuf;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Most connections that read at one time; others wait their turn.
const READERS_MAX: usize = 8;

#[derive(Default)]
struct Pool {
    idle: Vec<Connection>,
    open: usize,
}

/// The pool.
pub(crate) struct Readers {
    folder: PathBuf,
    pool: Mutex<Pool>,
    returned: Condvar,
}

impl Readers {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder, pool: Mutex::default(), returned: Condvar::new() }
    }

    fn pool(&self) -> MutexGuard<'_, Pool> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Result<Connection, StoreError> {
        let mut pool = self.pool();
        loop {
            if let Some(connection) = pool.idle.pop() {
                return Ok(connection);
            }
            if pool.open < READERS_MAX {
                pool.open += 1;
                drop(pool);
                return file::open_reader(&self.folder).inspect_err(|_| self.forget());
            }
            pool = self.returned.wait(pool).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn give_back(&self, connection: Connection) {
        self.pool().idle.push(connection);
        self.returned.notify_one();
    }

    fn forget(&self) {
        let mut pool = self.pool();
        pool.open = pool.open.saturating_sub(1);
        self.returned.notify_one();
    }

    /// Runs `read` on a connection; each statement sees the last durable commit.
    pub(crate) fn read<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let connection = self.take()?;
        let result = read(&connection);
        if connection.is_autocommit() {
            self.give_back(connection);
        } else {
            drop(connection);
            self.forget();
        }
        result
    }

    /// Runs `read` inside one snapshot: all its statements see the same commit.
    pub(crate) fn snapshot<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.read(|connection| {
            connection.prepare_cached("BEGIN")?.execute([])?;
            let result = read(connection);
            connection.prepare_cached("ROLLBACK")?.execute([])?;
            result
        })
    }
}
