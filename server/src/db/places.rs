//! Rows and queries of places.

use crewbell_shared::ids::SiteId;
use crewbell_shared::names;
use crewbell_shared::place::{Place, PlaceKind};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{BadRow, DbError, named};

struct Row {
    id: Uuid,
    parent_id: Option<Uuid>,
    name: String,
    kind: String,
    position: i32,
    do_not_disturb: bool,
}

macro_rules! select {
    ($tail:tt, $($argument:expr),*) => {
        sqlx::query_as!(
            Row,
            "select id, parent_id, name, kind, position, do_not_disturb from places " + $tail,
            $($argument),*
        )
    };
}

/// Locks and loads places by id.
pub async fn lock(conn: &mut PgConnection, site: SiteId, ids: &[Uuid]) -> Result<Vec<Place>, DbError> {
    let rows = select!("where site_id = $1 and id = any($2) order by id for no key update", site.0, ids);
    read(rows.fetch_all(conn).await?)
}

/// Returns all places of the site, by position and name.
pub async fn all(conn: &mut PgConnection, site: SiteId) -> Result<Vec<Place>, DbError> {
    read(select!("where site_id = $1 order by position, name_key", site.0).fetch_all(conn).await?)
}

/// Inserts or updates a place.
pub async fn save(conn: &mut PgConnection, site: SiteId, place: &Place) -> Result<(), DbError> {
    sqlx::query!(
        "insert into places (site_id, id, parent_id, name, kind, position, do_not_disturb, name_key) \
         values ($1, $2, $3, $4, $5, $6, $7, $8) \
         on conflict on constraint places_pk do update set parent_id = excluded.parent_id, name = excluded.name, \
         name_key = excluded.name_key, kind = excluded.kind, position = excluded.position, do_not_disturb = excluded.do_not_disturb",
        site.0,
        place.id.0,
        place.parent_id.map(|id| id.0),
        place.name,
        place.kind.as_str(),
        place.position,
        place.do_not_disturb,
        names::key(&place.name)
    )
    .execute(conn)
    .await?;
    Ok(())
}

fn read(rows: Vec<Row>) -> Result<Vec<Place>, DbError> {
    rows.into_iter().map(|row| row.try_into().map_err(Into::into)).collect()
}

impl TryFrom<Row> for Place {
    type Error = BadRow;

    fn try_from(row: Row) -> Result<Self, BadRow> {
        Ok(Self {
            id: row.id.into(),
            parent_id: row.parent_id.map(Into::into),
            kind: named(&PlaceKind::ALL, PlaceKind::as_str, &row.kind, "places", row.id)?,
            name: row.name,
            position: row.position,
            do_not_disturb: row.do_not_disturb,
        })
    }
}
