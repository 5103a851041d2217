//! Backups and how they come back, by PostgreSQL's own `pg_dump` and `pg_restore`.
//!
//! A dump is written beside its final name and renamed when it is whole and on the disk; a restore goes into a fresh
//! database that takes the old one's place only when it is whole. A dump holds personal data: it is readable by its
//! owner alone. This room knows files and databases as wholes; of tables it knows the sessions alone, which a restore
//! must not bring back to life.

mod daily;
mod dump;
mod place;
mod restore;
mod sessions;

#[cfg(test)]
mod tests;

pub use daily::{Plan, daily, plan};
pub use dump::backup;
pub use place::Place;
pub use restore::{Existing, restore, restore_with};
pub use sessions::Sessions;

use crate::cluster::last_lines;
use std::io;
use std::path::{Path, PathBuf};

/// Why a backup or a restore didn't happen; the database and the older backups are as they were.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// `pg_dump` or `pg_restore` failed.
    #[error("{tool} failed ({status}):\n{}{}", last_lines(said, 10), hint(said))]
    Tool {
        /// Which of the two.
        tool: &'static str,
        /// How it ended.
        status: String,
        /// What it said.
        said: String,
    },
    /// There is nothing in the database that could be backed up.
    #[error("the database {0} is empty: there is nothing to back up; is it the right one?")]
    Empty(String),
    /// The server's role is missing, or the schema can't go there.
    #[error(transparent)]
    Unfit(#[from] crate::db::DbError),
    /// The database to restore into holds something.
    #[error("the database {0} is not empty; to put the backup in its place, say --replace")]
    NotEmpty(String),
    /// The database's address can't be read; the address itself may hold a password and isn't shown.
    #[error("the database's address is not of the form postgres://USER:PASSWORD@HOST:PORT/DATABASE")]
    Address,
    /// The database said no.
    #[error("the database refused: {0}")]
    Database(#[from] sqlx::Error),
    /// The file system said no.
    #[error("{what} {}: {source}", .path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// On what.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}

/// What to do about what a tool said, where that is known.
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
