//! Who is signed in after a restore: nobody whom somebody has signed out since the backup.

use sqlx::PgConnection;
use uuid::Uuid;

use super::BackupError;

/// What becomes of the sessions that a backup holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sessions {
    /// Those stay that are live in the database that is replaced. Where there is none, all end: a tablet that was lost and
    /// signed out since the backup must not come back, and nobody knows of it.
    EndUnlessLive,
    /// All stay that were live when the backup was made.
    Keep,
}

/// The live sessions of a database, by site and id; none where it has no such table.
pub(super) async fn live(conn: &mut PgConnection) -> Result<Vec<(Uuid, Uuid)>, BackupError> {
    if !has_sessions(conn).await? {
        return Ok(Vec::new());
    }
    let live = sqlx::query_as("select site_id, id from public.sessions where ended_at is null");
    Ok(live.fetch_all(conn).await?)
}

/// Ends all sessions but these; tells how many ended.
pub(super) async fn end_all_but(conn: &mut PgConnection, live: &[(Uuid, Uuid)]) -> Result<u64, BackupError> {
    if !has_sessions(conn).await? {
        return Ok(0);
    }
    let (sites, ids): (Vec<Uuid>, Vec<Uuid>) = live.iter().copied().unzip();
    let ended = sqlx::query(
        "update public.sessions s set ended_at = now() where ended_at is null and not exists \
         (select from unnest($1::uuid[], $2::uuid[]) as l (site_id, id) where l.site_id = s.site_id and l.id = s.id)",
    )
    .bind(sites)
    .bind(ids)
    .execute(conn)
    .await?;
    Ok(ended.rows_affected())
}

async fn has_sessions(conn: &mut PgConnection) -> Result<bool, BackupError> {
    let there = sqlx::query_scalar("select to_regclass('public.sessions') is not null").fetch_one(conn).await?;
    Ok(there)
}
