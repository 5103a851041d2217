//! Deletion of rows past their retention: a few rows at a time, one statement per kind.
//!
//! No foreign key references these rows, and rules read them only to recognise repetitions. The log, requests, people
//! and places are never deleted.

use crewbell_shared::ids::SiteId;
use jiff::Timestamp;
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use super::pool::see;
use super::{DbError, commands, sql};

/// A kind of rows that is deleted by age.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Voice recordings of guests.
    Recordings,
    /// Presses.
    Presses,
    /// Commands and their outcomes.
    Commands,
    /// Sessions that ended.
    Sessions,
    /// Unrecognised messages of devices.
    Unrecognised,
}

impl Kind {
    /// All kinds, the most personal first.
    pub const ALL: [Self; 5] = [Self::Recordings, Self::Presses, Self::Commands, Self::Sessions, Self::Unrecognised];

    /// Returns its name in settings and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Recordings => "recordings",
            Self::Presses => "presses",
            Self::Commands => "commands",
            Self::Sessions => "sessions",
            Self::Unrecognised => "unrecognised",
        }
    }

    /// Returns the statement that deletes at most `$3` rows of the site `$1` from before `$2`. Locked rows are skipped
    /// until the next run.
    ///
    /// Ids made by the server begin with their timestamp, so the primary key finds the old ones; `$4` is the first id
    /// that isn't old. Commands have ids made by clients and are found by their time.
    fn statement(self) -> &'static str {
        match self {
            Self::Recordings => {
                "delete from recordings where ctid = any(array(select ctid from recordings where site_id = $1 and id < $4 \
                 and received_at < $2 order by id limit $3 for update skip locked))"
            }
            Self::Presses => {
                "delete from presses where ctid = any(array(select ctid from presses where site_id = $1 and id < $4 \
                 and received_at < $2 order by id limit $3 for update skip locked))"
            }
            Self::Commands => {
                "delete from commands where ctid = any(array(select ctid from commands where site_id = $1 and at < $2 \
                 and $4::uuid is not null limit $3 for update skip locked))"
            }
            Self::Sessions => {
                "delete from sessions where ctid = any(array(select ctid from sessions where site_id = $1 \
                 and ended_at < $2 and $4::uuid is not null limit $3 for update skip locked))"
            }
            Self::Unrecognised => {
                "delete from unrecognised_messages where ctid = any(array(select ctid from unrecognised_messages \
                 where site_id = $1 and last_at < $2 and $4::uuid is not null limit $3 for update skip locked))"
            }
        }
    }
}

/// Prepares a separate connection for deleting: it waits only briefly for locks, and commits without waiting for the
/// flush to disk.
pub async fn begin(conn: &mut PgConnection) -> Result<(), DbError> {
    let settings = "set lock_timeout = '2s'; set statement_timeout = '20s'; set synchronous_commit = off";
    sqlx::raw_sql(settings).execute(conn).await?;
    Ok(())
}

/// Deletes rows from before a time, at most `limit`, and returns how many.
///
/// For commands, the same transaction records the time at the site: the site's row, which presses also lock, is locked
/// for that one statement and without a flush to disk.
pub async fn delete(
    conn: &mut PgConnection,
    site: SiteId,
    kind: Kind,
    before: Timestamp,
    limit: u32,
) -> Result<u64, DbError> {
    see(conn, site).await?;
    let mut tx = conn.begin().await?;
    let deleted = sqlx::query(kind.statement())
        .bind(site.0)
        .bind(sql(before))
        .bind(i64::from(limit))
        .bind(first_id_at(before))
        .execute(&mut *tx)
        .await?
        .rows_affected();
    if kind == Kind::Commands && deleted > 0 {
        commands::forget_before(&mut tx, site, before).await?;
    }
    tx.commit().await?;
    Ok(deleted)
}

/// Returns the smallest `UUIDv7` of a time (RFC 9562, 5.7).
fn first_id_at(at: Timestamp) -> Uuid {
    let millis = u64::try_from(at.as_millisecond()).unwrap_or_default();
    uuid::Builder::from_unix_timestamp_millis(millis, &[0; 10]).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_a_moment_are_not_before_it_and_those_of_the_millisecond_before_are() {
        let at = Timestamp::constant(1_800_000_000, 0);
        let ids = crate::clock::Ids::seeded(7);
        let earlier = Timestamp::constant(1_799_999_999, 999_000_000);
        for _ in 0..100 {
            assert!(ids.next::<Uuid>(at) >= first_id_at(at));
            assert!(ids.next::<Uuid>(earlier) < first_id_at(at));
        }
    }
}
