//! Deleting what has had its time: a few rows at a time, each kind by one statement.
//!
//! Nothing points at these rows by a foreign key, and no rule reads them but to know a repetition: the log, requests,
//! people and places are never deleted.

use crewbell_shared::ids::SiteId;
use jiff::Timestamp;
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use super::pool::see;
use super::{DbError, commands, sql};

/// What is deleted when it is old.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// What guests said while they held a button.
    Recordings,
    /// Presses.
    Presses,
    /// Commands and what became of them.
    Commands,
    /// Sessions that ended.
    Sessions,
    /// Messages of devices that were no press.
    Unrecognised,
}

impl Kind {
    /// All of them; the most personal first.
    pub const ALL: [Self; 5] = [Self::Recordings, Self::Presses, Self::Commands, Self::Sessions, Self::Unrecognised];

    /// Its name in settings and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Recordings => "recordings",
            Self::Presses => "presses",
            Self::Commands => "commands",
            Self::Sessions => "sessions",
            Self::Unrecognised => "unrecognised",
        }
    }

    /// Deletes at most `$3` rows of the site `$1` from before `$2`. Rows that somebody has locked wait for the next time.
    ///
    /// Ids that the server makes begin with their time, so that the primary key finds the old ones; `$4` is the first id
    /// that isn't old. Commands have ids of their clients' making and are found by their time.
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
                "delete from unheard_messages where ctid = any(array(select ctid from unheard_messages \
                 where site_id = $1 and last_at < $2 and $4::uuid is not null limit $3 for update skip locked))"
            }
        }
    }
}

/// Prepares a connection of one's own for deleting: it waits for nobody, and nobody for its flush to disk.
pub async fn begin(conn: &mut PgConnection) -> Result<(), DbError> {
    let settings = "set lock_timeout = '2s'; set statement_timeout = '20s'; set synchronous_commit = off";
    sqlx::raw_sql(settings).execute(conn).await?;
    Ok(())
}

/// Deletes what is from before a time, at most `limit` rows; returns how many went. Of commands the site remembers that they
/// did, in the same transaction: its row, which presses count on, is held for that one statement and for no flush to disk.
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

/// The least id of version 7 of a time (RFC 9562, 5.7).
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
