//! One file of SQLite, and the one connection to it.

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{SqliteArguments, SqliteConnectOptions, SqliteJournalMode, SqliteRow, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, Sqlite, SqliteConnection};

use super::super::StoreError;

/// A query with its arguments.
pub(super) type Query = sqlx::query::Query<'static, Sqlite, SqliteArguments>;

/// What of a file must survive what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Care {
    /// A commit may be lost when the power fails, the file may not.
    Cache,
    /// A commit is on the disk when it returns.
    Keep,
    /// A file in the making, which nobody opens before it is whole.
    Making,
}

/// One file, open.
#[derive(Debug)]
pub(super) struct Db {
    connection: SqliteConnection,
    /// A transaction was begun and didn't come to its end: it failed, or whoever waited for it gave up.
    begun: bool,
}

impl Db {
    /// Opens a file, which must be there unless it is in the making.
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
            // A salvage must not find what was dropped.
            .pragma("secure_delete", if care == Care::Cache { "off" } else { "on" })
            // The log of what is kept holds whole commits, but for one that failed: damage can be told from that.
            .pragma("cache_spill", if care == Care::Keep { "off" } else { "on" })
            // Without it, macOS says that it is on the disk when it is in the disk's own memory. Elsewhere nothing.
            .pragma("fullfsync", if care == Care::Cache { "off" } else { "on" })
            .pragma("checkpoint_fullfsync", "on")
            .disable_statement_logging();
        Ok(Self { connection: options.connect().await?, begun: false })
    }

    /// Begins to write.
    ///
    /// Not with sqlx's transactions: when SQLite itself has rolled back, as it does when the disk is full, they never
    /// notice, and the connection can't begin another.
    pub async fn begin(&mut self) -> Result<(), sqlx::Error> {
        self.roll_back().await;
        self.begun = true;
        self.run(sqlx::query("begin immediate")).await.map(drop)
    }

    /// Makes it last.
    pub async fn commit(&mut self) -> Result<(), sqlx::Error> {
        self.run(sqlx::query("commit")).await?;
        self.begun = false;
        Ok(())
    }

    /// Makes it undone, if there is something to undo.
    pub async fn roll_back(&mut self) {
        if std::mem::take(&mut self.begun) {
            // It fails when SQLite has done it already.
            self.run(sqlx::query("rollback")).await.ok();
        }
    }

    /// Tries whether it can be written to, with a statement that changes nothing. SQLite opens a file that it can't write
    /// to, also where only the file's own header says so.
    pub async fn check_writing(&mut self, statement: &'static str) -> Result<(), sqlx::Error> {
        self.run(sqlx::query(statement)).await.map(drop)
    }

    /// Sees to it that a commit that failed isn't there at the next start: when it failed at its very end, it stands in
    /// the log whole. Whatever is committed next is written over it, and this needs no room.
    pub async fn bury(&mut self) {
        // "crew" in ASCII. Should it fail, too, the next write does it.
        self.run(sqlx::query("pragma application_id = 1668441463")).await.ok();
    }

    /// Runs a statement and says how many rows it changed.
    pub async fn run(&mut self, query: Query) -> Result<u64, sqlx::Error> {
        Ok(query.execute(&mut self.connection).await?.rows_affected())
    }

    /// Runs a script.
    pub async fn run_all(&mut self, script: &'static str) -> Result<(), sqlx::Error> {
        sqlx::raw_sql(script).execute(&mut self.connection).await.map(drop)
    }

    /// Reads rows.
    pub async fn rows(&mut self, query: Query) -> Result<Vec<SqliteRow>, sqlx::Error> {
        query.fetch_all(&mut self.connection).await
    }

    /// Which version the file is of; 0 before it has one.
    pub async fn version(&mut self) -> Result<i64, sqlx::Error> {
        sqlx::query_scalar("pragma user_version").fetch_one(&mut self.connection).await
    }

    /// Runs a check that says `ok`, or what is wrong.
    pub async fn check(&mut self, pragma: &'static str) -> Result<(), sqlx::Error> {
        let said: String = sqlx::query_scalar(pragma).fetch_one(&mut self.connection).await?;
        if said == "ok" { Ok(()) } else { Err(sqlx::Error::Decode(said.into())) }
    }

    /// Writes the file anew without what was deleted from it, and empties its log. It is done again at the next start where
    /// it fails.
    pub async fn leave_nothing_behind(&mut self) -> Result<(), sqlx::Error> {
        self.run(sqlx::query("vacuum")).await?;
        self.empty_log().await
    }

    /// Takes the log into the file, and empties it.
    pub async fn empty_log(&mut self) -> Result<(), sqlx::Error> {
        self.rows(sqlx::query("pragma wal_checkpoint(truncate)")).await.map(drop)
    }

    /// Whether the file has pages of what was deleted from it.
    pub async fn has_remains(&mut self) -> Result<bool, sqlx::Error> {
        let pages: i64 = sqlx::query_scalar("pragma freelist_count").fetch_one(&mut self.connection).await?;
        Ok(pages > 0)
    }

    /// Closes the file, and returns when it is closed.
    pub async fn close(self) {
        self.connection.close().await.ok();
    }
}

/// What SQLite's error means to a store.
pub(super) fn store_error(error: &sqlx::Error) -> StoreError {
    let is_garbled = matches!(error, sqlx::Error::Decode(_) | sqlx::Error::ColumnDecode { .. });
    match code(error) {
        // SQLITE_FULL; SQLITE_IOERR_WRITE, _FSYNC, _TRUNCATE and _SHMSIZE, which some file systems and quotas say instead.
        Some(13 | 778 | 1034 | 1546 | 4874) => StoreError::Full,
        // SQLITE_CORRUPT and SQLITE_NOTADB.
        Some(code) if matches!(code & 0xff, 11 | 26) => StoreError::Corrupt(error.to_string()),
        None if is_garbled => StoreError::Corrupt(error.to_string()),
        Some(_) | None => StoreError::Failed(error.to_string()),
    }
}

/// Whether it is the file's fault, and a new one would do: not the disk's, nor that of whoever else has it open.
pub(super) fn is_damage(error: &sqlx::Error, path: &Path) -> bool {
    match code(error).map(|code| code & 0xff) {
        // SQLITE_BUSY, LOCKED, NOMEM, INTERRUPT, FULL.
        Some(5 | 6 | 7 | 9 | 13) => false,
        // SQLITE_PERM, READONLY, CANTOPEN: also said of a file whose header asks for what SQLite can't do.
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
