//! Voice recordings of guests.

use crewbell_shared::ids::{ButtonId, RecordingId, RequestId, SiteId};
use jiff::Timestamp;
use sqlx::PgConnection;

use super::{DbError, sql};

/// A recording, as received.
#[derive(Clone, Debug)]
pub struct Recording {
    /// Its id.
    pub id: RecordingId,
    /// The button.
    pub button_id: ButtonId,
    /// The request that it belongs to; `None` for a button without a place.
    pub request_id: Option<RequestId>,
    /// When the server received it.
    pub received_at: Timestamp,
    /// Its format, as the device names it: `adpcm`, `pcm`, `wav`.
    pub format: String,
    /// Its duration in milliseconds.
    pub duration_ms: Option<u32>,
    /// The audio.
    pub bytes: Vec<u8>,
}

/// Inserts a recording.
pub async fn insert(conn: &mut PgConnection, site: SiteId, recording: &Recording) -> Result<(), DbError> {
    sqlx::query!(
        "insert into recordings (site_id, id, button_id, request_id, received_at, format, duration_ms, bytes) \
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        site.0,
        recording.id.0,
        recording.button_id.0,
        recording.request_id.map(|id| id.0),
        sql(recording.received_at) as _,
        recording.format,
        recording.duration_ms.and_then(|ms| i32::try_from(ms).ok()),
        recording.bytes
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Returns format and audio of a request's newest recordings, at most `limit`, oldest first.
pub async fn of_request(
    conn: &mut PgConnection,
    site: SiteId,
    request: RequestId,
    limit: i64,
) -> Result<Vec<(String, Vec<u8>)>, DbError> {
    let rows = sqlx::query!(
        "select format, bytes from recordings where site_id = $1 and request_id = $2 \
         order by received_at desc, id desc limit $3",
        site.0,
        request.0,
        limit
    );
    Ok(rows.fetch_all(conn).await?.into_iter().rev().map(|row| (row.format, row.bytes)).collect())
}

/// Returns format and audio of a button's newest recordings without a request, at most `limit`, oldest first.
pub async fn of_button(
    conn: &mut PgConnection,
    site: SiteId,
    button: ButtonId,
    limit: i64,
) -> Result<Vec<(String, Vec<u8>)>, DbError> {
    let rows = sqlx::query!(
        "select format, bytes from recordings where site_id = $1 and button_id = $2 and request_id is null \
         order by received_at desc, id desc limit $3",
        site.0,
        button.0,
        limit
    );
    Ok(rows.fetch_all(conn).await?.into_iter().rev().map(|row| (row.format, row.bytes)).collect())
}
