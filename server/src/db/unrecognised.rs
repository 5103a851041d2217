//! Unrecognised messages of devices, counted by device, reason and topic.

use crewbell_shared::ids::SiteId;
use jiff::Timestamp;
use sqlx::PgConnection;

use super::{DbError, sql};

/// Maximum kinds kept of one device, the newest.
const OF_ONE: i64 = 20;

/// Maximum kinds kept of assigned buttons, and of all other devices together, the newest: invented devices displace no
/// kind of a known button.
const OF_ALL: i64 = 500;

/// A kind of unrecognised message, with its count.
#[derive(Clone, Debug)]
pub struct StoredMessage {
    /// The device, as far as the topic names it.
    pub device: String,
    /// The reason why it is no press: a stable code.
    pub reason: String,
    /// The topic.
    pub topic: String,
    /// The first bytes of the last message.
    pub sample: Vec<u8>,
    /// The number of messages.
    pub times: i64,
    /// When the last message was received.
    pub last_at: Timestamp,
}

/// Adds to the count of a kind.
pub async fn count(conn: &mut PgConnection, site: SiteId, unrecognised: &StoredMessage) -> Result<(), DbError> {
    sqlx::query!(
        "insert into unrecognised_messages (site_id, device, reason, topic, sample, times, first_at, last_at) \
         values ($1, $2, $3, $4, $5, $6, $7, $7) on conflict on constraint unrecognised_messages_pk do update set \
         sample = excluded.sample, times = unrecognised_messages.times + excluded.times, \
         last_at = excluded.last_at",
        site.0,
        unrecognised.device,
        unrecognised.reason,
        unrecognised.topic,
        unrecognised.sample,
        unrecognised.times,
        sql(unrecognised.last_at) as _
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Deletes the oldest kinds beyond the limits.
pub async fn trim(conn: &mut PgConnection, site: SiteId) -> Result<(), DbError> {
    sqlx::query!(
        "delete from unrecognised_messages u using (select device, reason, topic, \
         row_number() over (partition by device order by last_at desc, reason, topic) as of_device, \
         row_number() over (partition by known order by last_at desc, device, reason, topic) as of_all \
         from (select m.device, m.reason, m.topic, m.last_at, exists (select from buttons b where b.site_id = $1 \
         and b.device = m.device and b.state <> 'new') as known from unrecognised_messages m where m.site_id = $1) m) r \
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

/// Returns the kinds, newest first.
pub async fn list(conn: &mut PgConnection, site: SiteId, limit: i64) -> Result<Vec<StoredMessage>, DbError> {
    let rows = sqlx::query!(
        "select device, reason, topic, sample, times, last_at from unrecognised_messages where site_id = $1 \
         order by last_at desc limit $2",
        site.0,
        limit
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| StoredMessage {
            device: row.device,
            reason: row.reason,
            topic: row.topic,
            sample: row.sample,
            times: row.times,
            last_at: row.last_at.to_jiff(),
        })
        .collect())
}
