//! SQL and row types. No rules here, and no begin or commit: whoever calls holds the transaction.
//!
//! One file per noun: `lock` and `save` for the writer, `list`-like reads for the doors. Rows become domain types by
//! `TryFrom`; a row that can't names its table and id ([`BadRow`]).
//!
//! What a writer looks up by an id or a key compares the site with `is not distinct from`, which no index answers: see the
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
    /// The answer to a commit got lost: what was to be written may be written, or not.
    #[error("the outcome of a commit is unknown: {0}")]
    Unknown(sqlx::Error),
    /// The database didn't answer in time.
    #[error("the database did not answer in time")]
    TooSlow,
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
            Self::Sqlx(_)
            | Self::BadRow(_)
            | Self::Json(_)
            | Self::Migrate(_)
            | Self::Unfit(_)
            | Self::Unknown(_)
            | Self::TooSlow => None,
        }
    }

    /// Whether the database is there, and somebody in it was in the way: a lock that wasn't had in time, or a statement that
    /// took too long. What needs neither may work at once.
    pub fn is_held_up(&self) -> bool {
        let Self::Sqlx(sqlx::Error::Database(error)) = self else { return false };
        matches!(error.code().as_deref(), Some("55P03" | "57014"))
    }

    /// Whether the same thing may work a moment later: the database is away, or another node was in the way.
    ///
    /// Everything else is the database's "no" to what was asked, or a fault of ours, and comes again however often it is
    /// tried: whoever asked must not be told to try again.
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

/// Whether a code of PostgreSQL's (its documentation, appendix A) says that the database is away or busy.
fn is_away(code: &str) -> bool {
    // Classes: 08 connection, 40 rollback, 53 resources (disk full, too many connections), 57 operator intervention
    // (shutdown, crash recovery, a statement that took too long), 58 system error. Codes: a lock that wasn't had in
    // time, a server that is a replica for now, a transaction that idled, a database that is being put in its place, a
    // login that is being changed.
    ["08", "40", "53", "57", "58"].iter().any(|class| code.starts_with(class))
        || ["55P03", "25006", "25P03", "3D000", "28000", "28P01"].contains(&code)
}

/// The end of the year 9999: later than anything that is asked for.
pub(crate) const LAST_DAY: Timestamp = Timestamp::constant(253_402_200_000, 0);

/// The first moment that PostgreSQL knows: 24 November 4714 BC, where its Julian days begin.
const FIRST_DAY: Timestamp = Timestamp::constant(-210_866_803_200, 0);

/// A time as the database takes it. What is before the first moment that it knows becomes that moment: a device that
/// says such a thing has no clock, and its press is one all the same.
pub(crate) fn sql(at: Timestamp) -> jiff_sqlx::Timestamp {
    at.max(FIRST_DAY).into()
}

/// A time that may be missing, as the database takes it.
pub(crate) fn sql_opt(at: Option<Timestamp>) -> Option<jiff_sqlx::Timestamp> {
    at.map(sql)
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
