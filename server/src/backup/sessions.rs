//! The sessions after a restore: sessions that ended after the backup must not become live again.

use sqlx::PgConnection;
use uuid::Uuid;

use super::BackupError;

/// The handling of the sessions in a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sessions {
    /// Keeps only the sessions that are live in the replaced database. If there is none, all end: a lost tablet that
    /// was signed out after the backup must not become signed in again, and that sign-out is unknown.
    EndUnlessLive,
    /// Keeps all sessions that were live when the backup was made.
    Keep,
}

/// Returns the live sessions of a database, by site and id; none if it has no such table.
pub(super) async fn live(conn: &mut PgConnection) -> Result<Vec<(Uuid, Uuid)>, BackupError> {
    if !has_sessions(conn).await? {
        return Ok(Vec::new());
    }
    let live = sqlx::query_as("select site_id, id from public.sessions where ended_at is null");
    Ok(live.fetch_all(conn).await?)
}

/// Ends all sessions but these; returns the number of ended ones.
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
