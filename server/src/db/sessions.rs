//! Rows and queries of sessions: people signed in on devices.

use crewbell_shared::ids::{DeviceId, PersonId, SessionId, SiteId};
use jiff::Timestamp;
use sqlx::PgConnection;

use super::{DbError, sql};

/// A session: a person signed in on a device.
#[derive(Clone, Debug)]
pub struct Session {
    /// The session's id.
    pub id: SessionId,
    /// The person.
    pub person_id: PersonId,
    /// The device; the app creates the id at its first start.
    pub device_id: DeviceId,
    /// The device's name, as its user gave it.
    pub device_name: String,
    /// When they signed in.
    pub created_at: Timestamp,
    /// When it was last used, as written once an hour.
    pub used_at: Timestamp,
}

/// A live session, with its count of unused days.
#[derive(Clone, Debug)]
pub struct IdleSession {
    /// The session's id.
    pub id: SessionId,
    /// The person.
    pub person_id: PersonId,
    /// The person's name.
    pub name: String,
    /// Days, by the server's clock, that have begun without a use since the last use.
    pub unused_days: u32,
    /// The last counted day, in days since 1970-01-01 UTC.
    pub counted_day: i32,
}

/// Returns the day of a time, in days since 1970-01-01 UTC.
pub fn day(at: Timestamp) -> i32 {
    i32::try_from(at.as_second().div_euclid(24 * 60 * 60)).unwrap_or_default()
}

/// Returns the live session of a token, and the log's head at the same moment.
pub async fn by_token(
    conn: &mut PgConnection,
    site: SiteId,
    token_hash: &[u8],
) -> Result<Option<(Session, u64)>, DbError> {
    let row = sqlx::query!(
        "select s.id, s.person_id, s.device_id, s.device_name, s.created_at, s.used_at, \
         (select head from sites where id = s.site_id) as \"head!\" from sessions s \
         join people p on p.site_id = s.site_id and p.id = s.person_id and p.active \
         where s.site_id = $1 and s.token_hash = $2 and s.ended_at is null",
        site.0,
        token_hash
    );
    Ok(row.fetch_optional(conn).await?.map(|row| {
        let session = Session {
            id: row.id.into(),
            person_id: row.person_id.into(),
            device_id: row.device_id.into(),
            device_name: row.device_name,
            created_at: row.created_at.to_jiff(),
            used_at: row.used_at.to_jiff(),
        };
        (session, u64::try_from(row.head).unwrap_or_default())
    }))
}

/// Returns the live sessions of a person, newest first.
pub async fn of_person(conn: &mut PgConnection, site: SiteId, person: PersonId) -> Result<Vec<Session>, DbError> {
    let rows = sqlx::query!(
        "select id, person_id, device_id, device_name, created_at, used_at from sessions \
         where site_id = $1 and person_id = $2 and ended_at is null order by created_at desc",
        site.0,
        person.0
    );
    let rows = rows.fetch_all(conn).await?;
    Ok(rows
        .into_iter()
        .map(|row| Session {
            id: row.id.into(),
            person_id: row.person_id.into(),
            device_id: row.device_id.into(),
            device_name: row.device_name,
            created_at: row.created_at.to_jiff(),
            used_at: row.used_at.to_jiff(),
        })
        .collect())
}

/// Inserts a session.
pub async fn insert(
    conn: &mut PgConnection,
    site: SiteId,
    session: &Session,
    token_hash: &[u8],
) -> Result<(), DbError> {
    sqlx::query!(
        "insert into sessions (site_id, id, person_id, device_id, device_name, token_hash, created_at, used_at, \
         counted_day) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        site.0,
        session.id.0,
        session.person_id.0,
        session.device_id.0,
        session.device_name,
        token_hash,
        sql(session.created_at) as _,
        sql(session.used_at) as _,
        day(session.created_at)
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Whether a person has signed in on a device before, including ended sessions.
pub async fn was_on(
    conn: &mut PgConnection,
    site: SiteId,
    person: PersonId,
    device: DeviceId,
) -> Result<bool, DbError> {
    let found = sqlx::query_scalar!(
        "select exists (select from sessions where site_id = $1 and person_id = $2 and device_id = $3) as \"found!\"",
        site.0,
        person.0,
        device.0
    );
    Ok(found.fetch_one(conn).await?)
}

/// Returns all live sessions of the site, with their counts of unused days.
pub async fn idle(conn: &mut PgConnection, site: SiteId) -> Result<Vec<IdleSession>, DbError> {
    let rows = sqlx::query!(
        "select s.id, s.person_id, p.name, s.unused_days, s.counted_day from sessions s \
         join people p on p.site_id = s.site_id and p.id = s.person_id \
         where s.site_id = $1 and s.ended_at is null order by s.person_id, s.id",
        site.0
    );
    let rows = rows.fetch_all(conn).await?;
    Ok(rows
        .into_iter()
        .map(|row| IdleSession {
            id: row.id.into(),
            person_id: row.person_id.into(),
            name: row.name,
            unused_days: u32::try_from(row.unused_days).unwrap_or_default(),
            counted_day: row.counted_day,
        })
        .collect())
}

/// Marks sessions as used at a time.
pub async fn used(conn: &mut PgConnection, site: SiteId, sessions: &[SessionId], at: Timestamp) -> Result<(), DbError> {
    sqlx::query!(
        "update sessions set used_at = $3, unused_days = 0, counted_day = $4 where site_id = $1 and id = any($2)",
        site.0,
        &sessions.iter().map(|id| id.0).collect::<Vec<_>>(),
        sql(at) as _,
        day(at)
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Counts an unused day for sessions.
pub async fn unused(
    conn: &mut PgConnection,
    site: SiteId,
    sessions: &[SessionId],
    at: Timestamp,
) -> Result<(), DbError> {
    sqlx::query!(
        "update sessions set unused_days = unused_days + 1, counted_day = $3 where site_id = $1 and id = any($2)",
        site.0,
        &sessions.iter().map(|id| id.0).collect::<Vec<_>>(),
        day(at)
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Ends a session.
pub async fn end(conn: &mut PgConnection, site: SiteId, session: SessionId, at: Timestamp) -> Result<(), DbError> {
    sqlx::query!(
        "update sessions set ended_at = $3 where site_id = $1 and id = $2 and ended_at is null",
        site.0,
        session.0,
        sql(at) as _
    )
    .execute(conn)
    .await?;
    Ok(())
}
