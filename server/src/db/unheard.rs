//! Messages of devices that are no press.

use crewbell_shared::ids::SiteId;
use jiff::Timestamp;
use sqlx::PgConnection;

use super::{DbError, sql};

/// Sorts of one device that are kept, the newest.
const OF_ONE: i64 = 20;

/// Sorts that are kept of buttons which somebody assigned, and as many of all others together, the newest: what is
/// invented takes no line from what is known.
const OF_ALL: i64 = 500;

/// A sort of message that wasn't heard, and how often.
#[derive(Clone, Debug)]
pub struct Unheard {
    /// The device, as far as the topic told.
    pub device: String,
    /// Why it is no press: a stable code.
    pub reason: String,
    /// The topic.
    pub topic: String,
    /// The first bytes of the last one.
    pub sample: Vec<u8>,
    /// How many came.
    pub times: i64,
    /// When the last one came.
    pub last_at: Timestamp,
}

/// Counts messages of a sort.
pub async fn count(conn: &mut PgConnection, site: SiteId, unheard: &Unheard) -> Result<(), DbError> {
    sqlx::query!(
        "insert into unheard_messages (site_id, device, reason, topic, sample, times, first_at, last_at) \
         values ($1, $2, $3, $4, $5, $6, $7, $7) on conflict on constraint unheard_messages_pk do update set \
         sample = excluded.sample, times = unheard_messages.times + excluded.times, \
         last_at = excluded.last_at",
        site.0,
        unheard.device,
        unheard.reason,
        unheard.topic,
        unheard.sample,
        unheard.times,
        sql(unheard.last_at) as _
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Forgets the oldest sorts beyond what is kept.
pub async fn trim(conn: &mut PgConnection, site: SiteId) -> Result<(), DbError> {
    sqlx::query!(
        "delete from unheard_messages u using (select device, reason, topic, \
         row_number() over (partition by device order by last_at desc, reason, topic) as of_device, \
         row_number() over (partition by known order by last_at desc, device, reason, topic) as of_all \
         from (select m.device, m.reason, m.topic, m.last_at, exists (select from buttons b where b.site_id = $1 \
         and b.device = m.device and b.state <> 'new') as known from unheard_messages m where m.site_id = $1) m) r \
         where u.site_id = $1 and u.device = r.device and u.reason = r.reason and u.topic = r.topic \
         and ((r.of_device > $2 and r.device <> '') or r.of_all > $3)",
        site.0,
        OF_ONE,
        OF_ALL
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What wasn't heard, the newest first.
pub async fn list(conn: &mut PgConnection, site: SiteId, limit: i64) -> Result<Vec<Unheard>, DbError> {
    let rows = sqlx::query!(
        "select device, reason, topic, sample, times, last_at from unheard_messages where site_id = $1 \
         order by last_at desc limit $2",
        site.0,
        limit
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Unheard {
            device: row.device,
            reason: row.reason,
            topic: row.topic,
            sample: row.sample,
            times: row.times,
            last_at: row.last_at.to_jiff(),
        })
        .collect())
}
