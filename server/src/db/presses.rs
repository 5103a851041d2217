//! Rows and queries of recorded presses.

use crewbell_shared::button::{ButtonKey, PressKind, Recorded};
use crewbell_shared::ids::{ButtonId, PressId, RequestId, SiteId};
use jiff::Timestamp;
use sqlx::PgConnection;

use super::{DbError, named};

/// A press to be recorded.
#[derive(Clone, Debug)]
pub struct Press {
    /// The press's id.
    pub id: PressId,
    /// The button.
    pub button_id: ButtonId,
    /// The key by which a resend is recognised.
    pub press_key: Option<String>,
    /// The press id given by the device.
    pub device_press_id: Option<String>,
    /// The kind of press.
    pub kind: PressKind,
    /// The key on the device.
    pub key: ButtonKey,
    /// When it happened, by the device's clock.
    pub device_time: Option<Timestamp>,
    /// When the server received it.
    pub received_at: Timestamp,
    /// The request that it created or joined.
    pub request_id: Option<RequestId>,
}

/// The summary of a recorded press.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordedPress {
    /// Its kind, key and time.
    pub seen: Recorded,
    /// The request that it created or joined.
    pub request_id: Option<RequestId>,
}

/// Returns those presses that are recorded already, by button and press key.
///
/// Each pair is looked up on its own (`lateral … limit 1`): in a set join, the planner reads all presses of a button as
/// soon as its statistics are older than a burst.
pub async fn find(
    conn: &mut PgConnection,
    site: SiteId,
    keys: &[(ButtonId, &str)],
) -> Result<Vec<(ButtonId, String, RecordedPress)>, DbError> {
    let buttons: Vec<_> = keys.iter().map(|(button, _)| button.0).collect();
    let keys: Vec<_> = keys.iter().map(|(_, key)| (*key).to_owned()).collect();
    let rows = sqlx::query!(
        "select n.button_id as \"button_id!\", n.press_key as \"press_key!\", p.id, p.request_id, p.kind, p.key, \
         p.received_at from unnest($2::uuid[], $3::text[]) as n (button_id, press_key), \
         lateral (select id, request_id, kind, key, received_at from presses where site_id is not distinct from $1 and button_id = n.button_id \
         and press_key = n.press_key limit 1) p",
        site.0,
        &buttons,
        &keys
    )
    .fetch_all(conn)
    .await?;
    let recorded = rows.into_iter().map(|row| {
        let kind = named(&PressKind::ALL, PressKind::as_str, &row.kind, "presses", row.id)?;
        let key = named(&ButtonKey::ALL, ButtonKey::as_str, &row.key, "presses", row.id)?;
        let seen = Recorded { kind, key, received_at: row.received_at.to_jiff() };
        let press = RecordedPress { seen, request_id: row.request_id.map(Into::into) };
        Ok((row.button_id.into(), row.press_key, press))
    });
    recorded.collect()
}
