//! Backup and restore, with PostgreSQL's own `pg_dump` and `pg_restore`.
//!
//! A dump is written to a temporary file beside its final name and renamed when it is complete and synced to disk. A
//! restore fills a fresh database, which replaces the old one only when it is complete. A dump holds personal data and
//! is readable by its owner alone. This module handles files and whole databases; the only table that it reads is the
//! sessions', because a restore must not reactivate sessions that have ended.

mod daily;
mod dump;
mod restore;
mod sessions;
mod target;

#[cfg(test)]
mod tests;

pub use daily::{Plan, daily, plan};
pub use dump::backup;
pub use restore::{Existing, restore, restore_with};
pub use sessions::Sessions;
pub use target::BackupTarget;

use crate::cluster::last_lines;
use std::io;
use std::path::{Path, PathBuf};

/// The error of a backup or a restore; the database and the older backups are unchanged.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// `pg_dump` or `pg_restore` failed.
    #[error("{tool} failed ({status}):\n{}{}", last_lines(said, 10), hint(said))]
    Tool {
        /// The tool's name.
        tool: &'static str,
        /// Its exit status.
        status: String,
        /// Its standard error output.
        said: String,
    },
    /// The database to back up is empty.
    #[error("the database {0} is empty: there is nothing to back up; is it the right one?")]
    Empty(String),
    /// The server's role is missing, or the schema can't be installed.
    #[error(transparent)]
    Unfit(#[from] crate::db::DbError),
    /// The database to restore into is not empty.
    #[error("the database {0} is not empty; to put the backup in its place, say --replace")]
    NotEmpty(String),
    /// The database's URL can't be parsed; it may hold a password and isn't shown.
    #[error("the database's address is not of the form postgres://USER:PASSWORD@HOST:PORT/DATABASE")]
    Address,
    /// A database operation failed.
    #[error("the database refused: {0}")]
    Database(#[from] sqlx::Error),
    /// A file system operation failed.
    #[error("{what} {}: {source}", .path.display())]
    Io {
        /// The failed operation.
        what: &'static str,
        /// The path it was on.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
}

/// Returns the remedy for a tool's error, where one is known.
fn hint(said: &str) -> &'static str {
    if said.contains("unsupported version") {
        "\nThe backup was made with a newer PostgreSQL than the one here: install that version's client tools."
    } else {
        ""
    }
}

impl BackupError {
    fn io(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { what, path: path.to_owned(), source }
    }
}
