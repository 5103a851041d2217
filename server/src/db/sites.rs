//! Rows and queries of sites.

use crewbell_shared::ids::SiteId;
use crewbell_shared::site::Site;
use jiff::Timestamp;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{BadRow, DbError, sql};

/// A site, with the state that only the server has.
#[derive(Clone, Debug)]
pub struct KnownSite {
    /// The site.
    pub site: Site,
    /// SHA-256 of its join code.
    pub join_code_hash: Option<Vec<u8>>,
    /// Sequence number of its last entry.
    pub head: u64,
    /// Sequence number of the first entry that isn't archived.
    pub first_seq: u64,
}

struct Row {
    id: Uuid,
    slug: String,
    name: String,
    settings: serde_json::Value,
    join_code_hash: Option<Vec<u8>>,
    head: i64,
    first_seq: i64,
}

macro_rules! select {
    ($tail:tt, $($argument:expr),*) => {
        sqlx::query_as!(
            Row,
            "select id, slug, name, settings, join_code_hash, head, first_seq from sites " + $tail,
            $($argument),*
        )
    };
}

/// Returns one site.
pub async fn find(conn: &mut PgConnection, id: SiteId) -> Result<Option<KnownSite>, DbError> {
    select!("where id = $1", id.0).fetch_optional(conn).await?.map(|row| row.try_into().map_err(Into::into)).transpose()
}

/// Returns one site by its slug.
pub async fn by_slug(conn: &mut PgConnection, slug: &str) -> Result<Option<KnownSite>, DbError> {
    let row = select!("where slug = $1", slug).fetch_optional(conn).await?;
    row.map(|row| row.try_into().map_err(Into::into)).transpose()
}

/// Returns all sites.
pub async fn all(conn: &mut PgConnection) -> Result<Vec<KnownSite>, DbError> {
    let rows = select!("where true order by slug",).fetch_all(conn).await?;
    rows.into_iter().map(|row| row.try_into().map_err(Into::into)).collect()
}

/// Returns the sequence numbers of the first entry that isn't archived, and of the last entry.
pub async fn extent(conn: &mut PgConnection, id: SiteId) -> Result<(u64, u64), DbError> {
    let row = sqlx::query!("select first_seq, head from sites where id = $1", id.0).fetch_one(conn).await?;
    Ok((unsigned(row.first_seq), unsigned(row.head)))
}

/// Inserts a site.
pub async fn insert(conn: &mut PgConnection, site: &Site, at: Timestamp) -> Result<(), DbError> {
    sqlx::query!(
        "insert into sites (id, slug, name, settings, created_at) values ($1, $2, $3, $4, $5)",
        site.id.0,
        site.slug,
        site.name,
        serde_json::to_value(&site.settings)?,
        sql(at) as _
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Updates a site's name and settings.
pub async fn save(conn: &mut PgConnection, site: &Site) -> Result<(), DbError> {
    sqlx::query!(
        "update sites set name = $2, settings = $3 where id = $1",
        site.id.0,
        site.name,
        serde_json::to_value(&site.settings)?
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Sets or clears the join code.
pub async fn save_join_code(conn: &mut PgConnection, id: SiteId, hash: Option<&[u8]>) -> Result<(), DbError> {
    sqlx::query!("update sites set join_code_hash = $2 where id = $1", id.0, hash).execute(conn).await?;
    Ok(())
}

/// Writes the site's row unchanged: the commit shows whether the database takes writes.
pub async fn touch(conn: &mut PgConnection, id: SiteId) -> Result<(), DbError> {
    sqlx::query!("update sites set head = head where id = $1", id.0).execute(conn).await?;
    Ok(())
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}

impl TryFrom<Row> for KnownSite {
    type Error = BadRow;

    fn try_from(row: Row) -> Result<Self, BadRow> {
        let settings =
            serde_json::from_value(row.settings).map_err(|error| BadRow::new("sites", row.id, error.to_string()))?;
        Ok(Self {
            site: Site { id: row.id.into(), slug: row.slug, name: row.name, settings },
            join_code_hash: row.join_code_hash,
            head: unsigned(row.head),
            first_seq: unsigned(row.first_seq),
        })
    }
}
