//! Rows and queries of guests' stays in places.

use crewbell_shared::guest::Stay;
use crewbell_shared::ids::SiteId;
use jiff::Timestamp;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{DbError, sql, sql_opt};

struct Row {
    id: Uuid,
    guest_id: Uuid,
    place_id: Uuid,
    checked_in_at: jiff_sqlx::Timestamp,
    checked_out_at: Option<jiff_sqlx::Timestamp>,
}

impl From<Row> for Stay {
    fn from(row: Row) -> Self {
        Self {
            id: row.id.into(),
            guest_id: row.guest_id.into(),
            place_id: row.place_id.into(),
            checked_in_at: row.checked_in_at.to_jiff(),
            checked_out_at: row.checked_out_at.map(jiff_sqlx::Timestamp::to_jiff),
        }
    }
}

macro_rules! select {
    ($tail:tt, $($argument:expr),*) => {
        sqlx::query_as!(
            Row,
            "select id, guest_id, place_id, checked_in_at, checked_out_at from stays " + $tail,
            $($argument),*
        )
    };
}

/// Locks and loads stays by id.
pub async fn lock(conn: &mut PgConnection, site: SiteId, ids: &[Uuid]) -> Result<Vec<Stay>, DbError> {
    let rows =
        select!("where site_id is not distinct from $1 and id = any($2) order by id for no key update", site.0, ids);
    Ok(rows.fetch_all(conn).await?.into_iter().map(Into::into).collect())
}

/// Returns the current stays in places, the longest first.
pub async fn current_at(conn: &mut PgConnection, site: SiteId, places: &[Uuid]) -> Result<Vec<Stay>, DbError> {
    let rows = select!(
        "where site_id is not distinct from $1 and place_id = any($2) and checked_out_at is null order by checked_in_at, id",
        site.0,
        places
    );
    Ok(rows.fetch_all(conn).await?.into_iter().map(Into::into).collect())
}

/// Returns the current stays, and those that ended since a time.
pub async fn recent(conn: &mut PgConnection, site: SiteId, since: Timestamp) -> Result<Vec<Stay>, DbError> {
    let rows = select!(
        "where site_id = $1 and (checked_out_at is null or checked_out_at >= $2) order by checked_in_at, id",
        site.0,
        sql(since) as _
    );
    Ok(rows.fetch_all(conn).await?.into_iter().map(Into::into).collect())
}

/// Returns the places of stays, without locks: a stay never moves.
pub async fn places(conn: &mut PgConnection, site: SiteId, ids: &[Uuid]) -> Result<Vec<Uuid>, DbError> {
    let places = sqlx::query_scalar!(
        "select place_id from stays where site_id is not distinct from $1 and id = any($2)",
        site.0,
        ids
    );
    Ok(places.fetch_all(conn).await?)
}

/// Inserts or updates a stay.
pub async fn save(conn: &mut PgConnection, site: SiteId, stay: &Stay) -> Result<(), DbError> {
    sqlx::query!(
        "insert into stays (site_id, id, guest_id, place_id, checked_in_at, checked_out_at) \
         values ($1, $2, $3, $4, $5, $6) \
         on conflict on constraint stays_pk do update set checked_out_at = excluded.checked_out_at",
        site.0,
        stay.id.0,
        stay.guest_id.0,
        stay.place_id.0,
        sql(stay.checked_in_at) as _,
        sql_opt(stay.checked_out_at) as _
    )
    .execute(conn)
    .await?;
    Ok(())
}
