//! SQL and row types. It has no rules, and no begin or commit: the caller holds the transaction.
//!
//! One file per entity: `lock` and `save` for the writer, `list`-like reads for the endpoints. Rows become domain types
//! by `TryFrom`; a row that can't be converted is reported with its table and id ([`BadRow`]).
//!
//! The writer's look-ups by id or key compare the site with `is not distinct from`, for which no index is used: see the
//! head of the first migration.

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
pub mod unrecognised;
mod writers;

pub use health::Unready;
pub use install::ensure_role;
pub use pool::{Db, DbSettings, migrate, writers_beside};
pub use writers::WriteConnection;

use jiff::Timestamp;
use uuid::Uuid;

/// An error of the database.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// The database rejected a statement, or can't be reached.
    #[error(transparent)]
    Sqlx(#[from] sqlx::Error),
    /// A row that can't be converted.
    #[error(transparent)]
    BadRow(#[from] BadRow),
    /// JSON that can't be serialised or parsed.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// The migrations failed.
    #[error(transparent)]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// The database is unsuitable; the text says what to do about it.
    #[error("{0}")]
    Unfit(String),
    /// The reply to a commit was lost, so its outcome is unknown.
    #[error("the outcome of a commit is unknown: {0}")]
    Unknown(sqlx::Error),
    /// The database didn't answer in time.
    #[error("the database did not answer in time")]
    TooSlow,
}

/// A row that can't be converted to its entity.
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
    /// Creates the error for a row.
    pub fn new(table: &'static str, id: Uuid, why: impl Into<String>) -> Self {
        Self { table, id, why: why.into() }
    }
}

impl DbError {
    /// Returns the name of the violated constraint, if it is a constraint violation.
    pub fn constraint(&self) -> Option<&str> {
        match self {
            Self::Sqlx(sqlx::Error::Database(error)) => error.constraint(),
            Self::Sqlx(_)
            | Self::BadRow(_)
            | Self::Json(_)
            | Self::Migrate(_)
            | Self::Unfit(_)
            | Self::Unknown(_)
            | Self::TooSlow => None,
        }
    }

    /// Whether the statement was delayed by others: a lock timeout or a statement timeout (SQLSTATE 55P03, 57014).
    /// Other work may succeed at once.
    pub fn is_held_up(&self) -> bool {
        let Self::Sqlx(sqlx::Error::Database(error)) = self else { return false };
        matches!(error.code().as_deref(), Some("55P03" | "57014"))
    }

    /// Whether a retry may succeed: the database is unavailable, or another node was in the way.
    ///
    /// Every other error is a rejection of the statement, or a fault of the server, and recurs on each retry: callers
    /// must not be advised to retry.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Sqlx(sqlx::Error::Database(error)) => error.code().is_some_and(|code| is_away(&code)),
            Self::Sqlx(error) => matches!(
                error,
                sqlx::Error::Io(_)
                    | sqlx::Error::Tls(_)
                    | sqlx::Error::Protocol(_)
                    | sqlx::Error::PoolTimedOut
                    | sqlx::Error::PoolClosed
                    | sqlx::Error::WorkerCrashed
                    | sqlx::Error::BeginFailed
            ),
            Self::Unknown(_) | Self::TooSlow => true,
            Self::BadRow(_) | Self::Json(_) | Self::Migrate(_) | Self::Unfit(_) => false,
        }
    }
}

/// Whether an SQLSTATE (PostgreSQL's documentation, appendix A) means that the database is unavailable or busy.
fn is_away(code: &str) -> bool {
    // Classes: 08 connection, 40 rollback, 53 resources (disk full, too many connections), 57 operator intervention
    // (shutdown, crash recovery, a statement timeout), 58 system error. Codes: a lock timeout, a read-only server such
    // as a replica, an idle-in-transaction timeout, a database that is missing while it is restored, a login that is
    // being changed.
    ["08", "40", "53", "57", "58"].iter().any(|class| code.starts_with(class))
        || ["55P03", "25006", "25P03", "3D000", "28000", "28P01"].contains(&code)
}

/// The end of the year 9999, used as an upper bound of times.
pub(crate) const LAST_DAY: Timestamp = Timestamp::constant(253_402_200_000, 0);

/// The earliest timestamp of PostgreSQL: 24 November 4714 BC, where its Julian days begin.
const FIRST_DAY: Timestamp = Timestamp::constant(-210_866_803_200, 0);

/// Converts a time for the database. An earlier time than PostgreSQL supports is raised to its minimum: a device that
/// sends one has no clock, and its press is valid all the same.
pub(crate) fn sql(at: Timestamp) -> jiff_sqlx::Timestamp {
    at.max(FIRST_DAY).into()
}

/// Converts an optional time for the database.
pub(crate) fn sql_opt(at: Option<Timestamp>) -> Option<jiff_sqlx::Timestamp> {
    at.map(sql)
}

/// Finds the variant with a name.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_database_that_is_away_is_worth_another_try() {
        let away = ["08006", "40001", "40P01", "53100", "53300", "55P03", "57014", "57P01", "57P03", "58030", "25006"];
        assert!(away.into_iter().all(is_away));
        let no = ["22008", "22021", "22003", "23505", "23503", "23514", "42601", "42501", "54000", "XX000", "P0001"];
        assert!(!no.into_iter().any(is_away));
        let transient = |error: sqlx::Error| DbError::from(error).is_transient();
        assert!(transient(std::io::Error::from(std::io::ErrorKind::ConnectionReset).into()));
        assert!(transient(sqlx::Error::PoolTimedOut) && DbError::TooSlow.is_transient());
        assert!(DbError::Unknown(sqlx::Error::RowNotFound).is_transient(), "what may be done must not be done anew");
        assert!(!transient(sqlx::Error::Encode("no such text".into())));
        assert!(!transient(sqlx::Error::RowNotFound) && !transient(sqlx::Error::ColumnNotFound("seq".into())));
    }

    #[test]
    fn every_time_that_can_be_said_is_one_that_the_database_takes() {
        assert_eq!(sql(Timestamp::MIN).to_jiff(), FIRST_DAY);
        assert_eq!(sql(Timestamp::MAX).to_jiff(), Timestamp::MAX);
        assert_eq!(
            sql_opt(Some(Timestamp::UNIX_EPOCH)).map(jiff_sqlx::Timestamp::to_jiff),
            Some(Timestamp::UNIX_EPOCH)
        );
        assert_eq!(FIRST_DAY.to_string(), "-004713-11-24T00:00:00Z");
    }
}
