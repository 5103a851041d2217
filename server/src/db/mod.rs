//! SQL and row types. No rules here, and no begin or commit: whoever calls holds the transaction.
//!
//! One file per noun: `lock` and `save` for the writer, `list`-like reads for the doors. Rows become domain types by
//! `TryFrom`; a row that can't names its table and id ([`BadRow`]).

pub mod append;
pub mod buttons;
pub mod calls;
pub mod clean_up;
pub mod commands;
pub mod entries;
pub mod guests;
mod health;
mod install;
pub mod instance;
pub mod lease;
pub mod people;
pub mod places;
mod pool;
pub mod presses;
pub mod recordings;
pub mod requests;
mod search;
pub mod sessions;
pub mod sites;
pub mod stays;
pub mod unheard;
mod writers;

pub use health::Unready;
pub use install::ensure_role;
pub use pool::{Db, DbSettings, migrate, writers_beside};
pub use writers::WriteConnection;

use jiff::Timestamp;
use uuid::Uuid;

/// What can go wrong between us and the database.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// The database said no, or can't be reached.
    #[error(transparent)]
    Sqlx(#[from] sqlx::Error),
    /// A row that no version of this program wrote.
    #[error(transparent)]
    BadRow(#[from] BadRow),
    /// JSON that can't be written or read.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// The migrations failed.
    #[error(transparent)]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// The database can't be used as it is; the sentence says what to do about it.
    #[error("{0}")]
    Unfit(String),
}

/// A row that can't be read as the noun it should be.
#[derive(Debug, thiserror::Error)]
#[error("{table} {id}: {why}")]
pub struct BadRow {
    /// The table.
    pub table: &'static str,
    /// The row's id.
    pub id: Uuid,
    /// What is wrong.
    pub why: String,
}

impl BadRow {
    /// Names a row.
    pub fn new(table: &'static str, id: Uuid, why: impl Into<String>) -> Self {
        Self { table, id, why: why.into() }
    }
}

impl DbError {
    /// The constraint that refused, where one did.
    pub fn constraint(&self) -> Option<&str> {
        match self {
            Self::Sqlx(sqlx::Error::Database(error)) => error.constraint(),
            Self::Sqlx(_) | Self::BadRow(_) | Self::Json(_) | Self::Migrate(_) | Self::Unfit(_) => None,
        }
    }

    /// Whether the same thing may work a moment later: the database is away, or another node was in the way.
    pub fn is_transient(&self) -> bool {
        match self {
            // Classes 08 connection, 40 rollback, 53 resources (disk full, too many connections), 57 operator
            // intervention (shutdown, crash recovery), 58 system error; PostgreSQL's appendix A.
            Self::Sqlx(sqlx::Error::Database(error)) => error
                .code()
                .is_some_and(|code| ["08", "40", "53", "57", "58"].iter().any(|class| code.starts_with(class))),
            Self::Sqlx(error) => !matches!(
                error,
                sqlx::Error::ColumnDecode { .. }
                    | sqlx::Error::Decode(_)
                    | sqlx::Error::Encode(_)
                    | sqlx::Error::RowNotFound
                    | sqlx::Error::TypeNotFound { .. }
            ),
            Self::BadRow(_) | Self::Json(_) | Self::Migrate(_) | Self::Unfit(_) => false,
        }
    }
}

/// The end of the year 9999: later than anything that is asked for.
pub(crate) const LAST_DAY: Timestamp = Timestamp::constant(253_402_200_000, 0);

/// A time as the database takes it.
pub(crate) fn sql(at: Timestamp) -> jiff_sqlx::Timestamp {
    at.into()
}

/// A time that may be missing, as the database takes it.
pub(crate) fn sql_opt(at: Option<Timestamp>) -> Option<jiff_sqlx::Timestamp> {
    at.map(Into::into)
}

/// Finds the variant that a text names.
pub(crate) fn named<T: Copy>(
    all: &[T],
    name: fn(T) -> &'static str,
    text: &str,
    table: &'static str,
    id: Uuid,
) -> Result<T, BadRow> {
    all.iter()
        .copied()
        .find(|value| name(*value) == text)
        .ok_or_else(|| BadRow::new(table, id, format!("what is {text:?}?")))
}
