//! Connection to one SQLite file.

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{SqliteArguments, SqliteConnectOptions, SqliteJournalMode, SqliteRow, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, Sqlite, SqliteConnection};

use super::super::StoreError;

/// A query with its arguments.
pub(super) type Query = sqlx::query::Query<'static, Sqlite, SqliteArguments>;

/// The durability requirements of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Care {
    /// A commit may be lost in a power failure, but the file must stay intact.
    Cache,
    /// A commit is on the disk when it returns.
    Keep,
    /// A file under construction, which is not opened by others before it is complete.
    Making,
}

/// An open file, with its only connection.
#[derive(Debug)]
pub(super) struct Db {
    connection: SqliteConnection,
    /// Whether a transaction is unfinished: it failed, or its future was dropped.
    begun: bool,
}

impl Db {
    /// Opens a file, which must exist unless it is under construction.
    pub async fn open(path: &Path, care: Care) -> Result<Self, sqlx::Error> {
        let journal = if care == Care::Making { SqliteJournalMode::Delete } else { SqliteJournalMode::Wal };
        let synchronous = if care == Care::Cache { SqliteSynchronous::Normal } else { SqliteSynchronous::Full };
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(care == Care::Making)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(5))
            .journal_mode(journal)
            .synchronous(synchronous)
            // A salvage must not find deleted rows.
            .pragma("secure_delete", if care == Care::Cache { "off" } else { "on" })
            // The write-ahead log of `local.db` then holds only whole commits, except for a failed one, so that damage
            // can be detected.
            .pragma("cache_spill", if care == Care::Keep { "off" } else { "on" })
            // Without it, a sync on macOS returns when the data is in the disk's cache. No effect elsewhere.
            .pragma("fullfsync", if care == Care::Cache { "off" } else { "on" })
            .pragma("checkpoint_fullfsync", "on")
            .disable_statement_logging();
        Ok(Self { connection: options.connect().await?, begun: false })
    }

    /// Begins a write transaction.
    ///
    /// sqlx's transactions are unsuitable: they don't notice when SQLite itself has rolled back, as it does when the
    /// disk is full, and the connection then can't begin another.
    pub async fn begin(&mut self) -> Result<(), sqlx::Error> {
        self.roll_back().await;
        self.begun = true;
        self.run(sqlx::query("begin immediate")).await.map(drop)
    }

    /// Commits the transaction.
    pub async fn commit(&mut self) -> Result<(), sqlx::Error> {
        self.run(sqlx::query("commit")).await?;
        self.begun = false;
        Ok(())
    }

    /// Rolls an unfinished transaction back.
    pub async fn roll_back(&mut self) {
        if std::mem::take(&mut self.begun) {
            // The rollback fails if SQLite has already rolled back.
            self.run(sqlx::query("rollback")).await.ok();
        }
    }

    /// Checks that the file is writable, with a statement that changes nothing. SQLite opens read-only files without an
    /// error, also where only the file's own header makes it read-only.
    pub async fn check_writing(&mut self, statement: &'static str) -> Result<(), sqlx::Error> {
        self.run(sqlx::query(statement)).await.map(drop)
    }

    /// Overwrites a failed commit so that it can't reappear at the next start: if it failed at its very end, it is
    /// complete in the write-ahead log. The next commit overwrites it, and this one needs no disk space.
    pub async fn bury(&mut self) {
        // "crew" in ASCII. If this fails too, the next write has the same effect.
        self.run(sqlx::query("pragma application_id = 1668441463")).await.ok();
    }

    /// Runs a statement and returns the number of changed rows.
    pub async fn run(&mut self, query: Query) -> Result<u64, sqlx::Error> {
        Ok(query.execute(&mut self.connection).await?.rows_affected())
    }

    /// Runs a script.
    pub async fn run_all(&mut self, script: &'static str) -> Result<(), sqlx::Error> {
        sqlx::raw_sql(script).execute(&mut self.connection).await.map(drop)
    }

    /// Returns the rows of a query.
    pub async fn rows(&mut self, query: Query) -> Result<Vec<SqliteRow>, sqlx::Error> {
        query.fetch_all(&mut self.connection).await
    }

    /// Returns the schema version of the file; 0 before it has one.
    pub async fn version(&mut self) -> Result<i64, sqlx::Error> {
        sqlx::query_scalar("pragma user_version").fetch_one(&mut self.connection).await
    }

    /// Runs a check that returns `ok`, or a description of the damage.
    pub async fn check(&mut self, pragma: &'static str) -> Result<(), sqlx::Error> {
        let said: String = sqlx::query_scalar(pragma).fetch_one(&mut self.connection).await?;
        if said == "ok" { Ok(()) } else { Err(sqlx::Error::Decode(said.into())) }
    }

    /// Rewrites the file without its deleted data, and empties its write-ahead log. If this fails, it is repeated at
    /// the next start.
    pub async fn leave_nothing_behind(&mut self) -> Result<(), sqlx::Error> {
        self.run(sqlx::query("vacuum")).await?;
        self.empty_log().await
    }

    /// Checkpoints the write-ahead log into the file, and truncates it.
    pub async fn empty_log(&mut self) -> Result<(), sqlx::Error> {
        self.rows(sqlx::query("pragma wal_checkpoint(truncate)")).await.map(drop)
    }

    /// Returns whether the file has free pages with deleted data.
    pub async fn has_remains(&mut self) -> Result<bool, sqlx::Error> {
        let pages: i64 = sqlx::query_scalar("pragma freelist_count").fetch_one(&mut self.connection).await?;
        Ok(pages > 0)
    }

    /// Closes the file and waits until it is closed.
    pub async fn close(self) {
        self.connection.close().await.ok();
    }
}

/// Converts an SQLite error to a store error.
pub(super) fn store_error(error: &sqlx::Error) -> StoreError {
    let is_garbled = matches!(error, sqlx::Error::Decode(_) | sqlx::Error::ColumnDecode { .. });
    match code(error) {
        // SQLITE_FULL; SQLITE_IOERR_WRITE, _FSYNC, _TRUNCATE and _SHMSIZE, which some file systems and quotas return
        // instead.
        Some(13 | 778 | 1034 | 1546 | 4874) => StoreError::Full,
        // SQLITE_CORRUPT and SQLITE_NOTADB.
        Some(code) if matches!(code & 0xff, 11 | 26) => StoreError::Corrupt(error.to_string()),
        None if is_garbled => StoreError::Corrupt(error.to_string()),
        Some(_) | None => StoreError::Failed(error.to_string()),
    }
}

/// Returns whether an error means that the file is damaged, so that a new one would help. Errors of the disk, and locks
/// of other processes, don't.
pub(super) fn is_damage(error: &sqlx::Error, path: &Path) -> bool {
    match code(error).map(|code| code & 0xff) {
        // SQLITE_BUSY, LOCKED, NOMEM, INTERRUPT, FULL.
        Some(5 | 6 | 7 | 9 | 13) => false,
        // SQLITE_PERM, READONLY, CANTOPEN: also returned for a file whose header demands unsupported features.
        Some(3 | 8 | 14) => std::fs::OpenOptions::new().read(true).write(true).open(path).is_ok(),
        Some(10) => store_error(error) != StoreError::Full,
        Some(_) => true,
        None => {
            matches!(error, sqlx::Error::Decode(_) | sqlx::Error::ColumnDecode { .. } | sqlx::Error::RowNotFound)
        }
    }
}

/// SQLite's extended result code.
fn code(error: &sqlx::Error) -> Option<i32> {
    error.as_database_error()?.code()?.parse().ok()
}
