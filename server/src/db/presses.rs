//! Presses: every one that was taken.

use crewbell_shared::button::{Key, PressKind, Recorded};
use crewbell_shared::ids::{ButtonId, PressId, RequestId, SiteId};
use jiff::Timestamp;
use sqlx::PgConnection;

use super::{DbError, named};

/// A press to be recorded.
#[derive(Clone, Debug)]
pub struct Press {
    /// Its id.
    pub id: PressId,
    /// The button.
    pub button_id: ButtonId,
    /// The identity that makes a resend no second press.
    pub press_key: Option<String>,
    /// The id that the device gave it.
    pub device_press_id: Option<String>,
    /// How it was pressed.
    pub kind: PressKind,
    /// Where on the device.
    pub key: Key,
    /// When, by the device's clock.
    pub device_time: Option<Timestamp>,
    /// When it reached us.
    pub received_at: Timestamp,
    /// The request that it made or joined.
    pub request_id: Option<RequestId>,
}

/// A press that is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordedPress {
    /// What it was.
    pub seen: Recorded,
    /// The request that it made or joined.
    pub request_id: Option<RequestId>,
}

/// Finds those presses that are recorded already, as pairs of button and key.
///
/// Each pair is looked up on its own (`lateral … limit 1`): joined as sets, the planner reads all presses of a button
/// as soon as its statistics are older than a storm.
pub async fn find(
    conn: &mut PgConnection,
    site: SiteId,
    keys: &[(ButtonId, &str)],
) -> Result<Vec<(ButtonId, String, RecordedPress)>, DbError> {
    let buttons: Vec<_> = keys.iter().map(|(button, _)| button.0).collect();
    let keys: Vec<_> = keys.iter().map(|(_, key)| (*key).to_owned()).collect();
    let rows = sqlx::query!(
        "select n.button_id as \"button_id!\", n.press_key as \"press_key!\", p.request_id, p.kind, p.key, \
         p.received_at from unnest($2::uuid[], $3::text[]) as n (button_id, press_key), \
         lateral (select request_id, kind, key, received_at from presses where site_id is not distinct from $1 and button_id = n.button_id \
         and press_key = n.press_key limit 1) p",
        site.0,
        &buttons,
        &keys
    )
    .fetch_all(conn)
    .await?;
    let recorded = rows.into_iter().map(|row| {
        let kind = named(&PressKind::ALL, PressKind::as_str, &row.kind, "presses", row.button_id)?;
        let key = named(&Key::ALL, Key::as_str, &row.key, "presses", row.button_id)?;
        let seen = Recorded { kind, key, received_at: row.received_at.to_jiff() };
        let press = RecordedPress { seen, request_id: row.request_id.map(Into::into) };
        Ok((row.button_id.into(), row.press_key, press))
    });
    recorded.collect()
}
