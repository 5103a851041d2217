//! Rows and queries of the crew.

use crewbell_shared::ids::{PersonId, SiteId};
use crewbell_shared::names;
use crewbell_shared::person::{Person, Role};
use crewbell_shared::protocol::live::LastSeen;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{BadRow, DbError, named, sql};

struct Row {
    id: Uuid,
    name: String,
    role: String,
    on_duty: bool,
    busy: bool,
    active: bool,
}

macro_rules! select {
    ($tail:tt, $($argument:expr),*) => {
        sqlx::query_as!(Row, "select id, name, role, on_duty, busy, active from people " + $tail, $($argument),*)
    };
}

/// Locks and loads people by id.
pub async fn lock(conn: &mut PgConnection, site: SiteId, ids: &[Uuid]) -> Result<Vec<Person>, DbError> {
    let rows = select!("where site_id = $1 and id = any($2) order by id for no key update", site.0, ids);
    read(rows.fetch_all(conn).await?)
}

/// Returns people by id, without locks.
pub async fn some(conn: &mut PgConnection, site: SiteId, ids: &[Uuid]) -> Result<Vec<Person>, DbError> {
    read(select!("where site_id = $1 and id = any($2) order by id", site.0, ids).fetch_all(conn).await?)
}

/// Returns all people of the site, including inactive ones.
pub async fn all(conn: &mut PgConnection, site: SiteId) -> Result<Vec<Person>, DbError> {
    read(select!("where site_id = $1 order by name_key", site.0).fetch_all(conn).await?)
}

/// Returns one person.
pub async fn find(conn: &mut PgConnection, site: SiteId, id: PersonId) -> Result<Option<Person>, DbError> {
    let row = select!("where site_id = $1 and id = $2", site.0, id.0).fetch_optional(conn).await?;
    row.map(|row| row.try_into().map_err(Into::into)).transpose()
}

/// Returns the id and secret hash of an active person by sign-in name, in any spelling.
pub async fn by_name(
    conn: &mut PgConnection,
    site: SiteId,
    name: &str,
) -> Result<Option<(PersonId, Option<String>)>, DbError> {
    let row = sqlx::query!(
        "select id, secret_hash from people where site_id = $1 and name_key = $2 and active",
        site.0,
        names::key(name)
    );
    Ok(row.fetch_optional(conn).await?.map(|row| (row.id.into(), row.secret_hash)))
}

/// Inserts or updates a person.
pub async fn save(conn: &mut PgConnection, site: SiteId, person: &Person) -> Result<(), DbError> {
    sqlx::query!(
        "insert into people (site_id, id, name, role, on_duty, busy, active, name_key) \
         values ($1, $2, $3, $4, $5, $6, $7, $8) \
         on conflict on constraint people_pk do update set name = excluded.name, name_key = excluded.name_key, \
         role = excluded.role, on_duty = excluded.on_duty, busy = excluded.busy, active = excluded.active",
        site.0,
        person.id.0,
        person.name,
        person.role.as_str(),
        person.on_duty,
        person.busy,
        person.active,
        names::key(&person.name)
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Sets the hash of a person's secret.
pub async fn save_secret(conn: &mut PgConnection, site: SiteId, id: PersonId, hash: &str) -> Result<(), DbError> {
    sqlx::query!("update people set secret_hash = $3 where site_id = $1 and id = $2", site.0, id.0, hash)
        .execute(conn)
        .await?;
    Ok(())
}

/// Returns the hash of a person's secret; `None` if there is no secret, or no such person.
pub async fn secret(conn: &mut PgConnection, site: SiteId, id: PersonId) -> Result<Option<String>, DbError> {
    let row = sqlx::query_scalar!("select secret_hash from people where site_id = $1 and id = $2", site.0, id.0);
    Ok(row.fetch_optional(conn).await?.flatten())
}

/// Stores people's last-seen times; a later stored time stays.
pub async fn see(conn: &mut PgConnection, site: SiteId, seen: &[LastSeen]) -> Result<(), DbError> {
    sqlx::query!(
        "update people p set last_seen_at = n.at from unnest($2::uuid[], $3::timestamptz[]) as n (id, at) \
         where p.site_id = $1 and p.id = n.id and (p.last_seen_at is null or p.last_seen_at < n.at)",
        site.0,
        &seen.iter().map(|seen| seen.person_id.0).collect::<Vec<_>>(),
        &seen.iter().map(|seen| sql(seen.at)).collect::<Vec<_>>() as _
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Returns people's last-seen times, where known.
pub async fn last_seen(conn: &mut PgConnection, site: SiteId) -> Result<Vec<LastSeen>, DbError> {
    let rows = sqlx::query!(
        "select id, last_seen_at as \"at!\" from people where site_id = $1 and last_seen_at is not null",
        site.0
    );
    let rows = rows.fetch_all(conn).await?;
    Ok(rows.into_iter().map(|row| LastSeen { person_id: row.id.into(), at: row.at.to_jiff() }).collect())
}

fn read(rows: Vec<Row>) -> Result<Vec<Person>, DbError> {
    rows.into_iter().map(|row| row.try_into().map_err(Into::into)).collect()
}

impl TryFrom<Row> for Person {
    type Error = BadRow;

    fn try_from(row: Row) -> Result<Self, BadRow> {
        Ok(Self {
            id: row.id.into(),
            role: named(&Role::ALL, Role::as_str, &row.role, "people", row.id)?,
            name: row.name,
            on_duty: row.on_duty,
            busy: row.busy,
            active: row.active,
        })
    }
}
