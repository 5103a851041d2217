//! Rows and queries of guests.

use crewbell_shared::guest::Guest;
use crewbell_shared::ids::SiteId;
use crewbell_shared::names;
use sqlx::PgConnection;
use uuid::Uuid;

use super::DbError;

/// Locks and loads guests by id.
pub async fn lock(conn: &mut PgConnection, site: SiteId, ids: &[Uuid]) -> Result<Vec<Guest>, DbError> {
    let rows = sqlx::query_as!(
        Guest,
        "select id, name, notes from guests where site_id is not distinct from $1 and id = any($2) order by id for no key update",
        site.0,
        ids
    );
    Ok(rows.fetch_all(conn).await?)
}

/// Returns all guests of the site, by name.
pub async fn all(conn: &mut PgConnection, site: SiteId) -> Result<Vec<Guest>, DbError> {
    let rows = sqlx::query_as!(Guest, "select id, name, notes from guests where site_id = $1 and name > ''", site.0);
    let mut guests = rows.fetch_all(conn).await?;
    guests.sort_by_cached_key(|guest: &Guest| names::key(&guest.name));
    Ok(guests)
}

/// Inserts or updates a guest.
pub async fn save(conn: &mut PgConnection, site: SiteId, guest: &Guest) -> Result<(), DbError> {
    sqlx::query!(
        "insert into guests (site_id, id, name, notes) values ($1, $2, $3, $4) \
         on conflict on constraint guests_pk do update set name = excluded.name, notes = excluded.notes",
        site.0,
        guest.id.0,
        guest.name,
        guest.notes
    )
    .execute(conn)
    .await?;
    Ok(())
}
