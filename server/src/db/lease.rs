//! Leader election among several nodes by PostgreSQL's advisory locks, held by a connection.
//!
//! The lock lasts exactly as long as its connection: a node that crashes releases it. It needs a direct connection to
//! PostgreSQL; behind a pooler that shares connections per transaction, [`is_held`] soon returns false.

use crewbell_shared::ids::SiteId;
use sha2::{Digest, Sha256};
use sqlx::PgConnection;

use super::DbError;

/// Returns the key of the advisory lock for the site's single ingester; the same in every version of the server.
pub fn broker_key(site: SiteId) -> i64 {
    let digest = Sha256::new().chain_update("crewbell broker").chain_update(site.0.as_bytes()).finalize();
    let bits = digest.iter().take(8).fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
    bits.cast_signed()
}

/// Takes the lock for this connection, if it is free.
///
/// It also makes PostgreSQL send TCP keepalives, so that the lock of a node that lost power or network is released
/// within 20 seconds instead of after TCP's default of two hours. (Unix sockets ignore that.)
pub async fn try_take(conn: &mut PgConnection, key: i64) -> Result<bool, DbError> {
    sqlx::query!(
        "select set_config('tcp_keepalives_idle', '5', false) as idle, \
         set_config('tcp_keepalives_interval', '5', false) as interval, \
         set_config('tcp_keepalives_count', '3', false) as count"
    )
    .fetch_one(&mut *conn)
    .await?;
    Ok(sqlx::query_scalar!(r#"select pg_try_advisory_lock($1) as "taken!""#, key).fetch_one(conn).await?)
}

/// Whether this connection still has the lock.
pub async fn is_held(conn: &mut PgConnection, key: i64) -> Result<bool, DbError> {
    // `pg_locks` shows a lock on one bigint in halves, with objsubid 1 (PostgreSQL's documentation of `pg_locks`).
    Ok(sqlx::query_scalar!(
        r#"select exists(select 1 from pg_locks where locktype = 'advisory' and pid = pg_backend_pid() and granted
           and objsubid = 1 and (classid::bigint << 32 | objid::bigint) = $1) as "held!""#,
        key
    )
    .fetch_one(conn)
    .await?)
}
