//! `GET /api/service-requests/{id}/voice`

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use crewbell_shared::Refusal;
use crewbell_shared::ids::RequestId;
use utoipa::ToSchema;

use crate::db::recordings;
use crate::devices::sound;
use crate::http::extract::{CurrentUser, Path};
use crate::http::{ApiError, App};

/// A sound, as bytes.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
#[expect(dead_code, reason = "read by the derive alone")]
pub(in crate::http) struct Sound(Vec<u8>);

/// Maximum number of recordings of a request or button that are joined into one sound; a request has few.
pub(in crate::http) const TOGETHER: i64 = 20;

/// What the guest said, as a WAV file: 16-bit PCM, one channel, 16 kHz; all of it when they spoke several times, the
/// oldest first and the last 20. What can't be made one is answered as it was sent.
#[utoipa::path(
    get,
    path = "/api/service-requests/{id}/voice",
    tag = "requests",
    params(("id" = RequestId, Path, description = "The request")),
    responses(
        (status = 200, content((Sound = "audio/wav"), (Sound = "application/octet-stream"))),
        (status = "4XX", body = Refusal)
    ),
    security(("bearer" = []))
)]
pub async fn voice(
    State(app): State<App>,
    CurrentUser(who): CurrentUser,
    Path(id): Path<RequestId>,
) -> Result<impl IntoResponse, ApiError> {
    let mut tx = app.registry.db.read(who.site.id).await?;
    answer(recordings::of_request(&mut tx, who.site.id, id, TOGETHER).await?)
}

/// Returns the response with all recordings joined into one sound. Clients must not reuse a cached one, because another
/// recording may be added.
pub(in crate::http) fn answer(recordings: Vec<(String, Vec<u8>)>) -> Result<impl IntoResponse, ApiError> {
    let (media_type, sound) = match sound::together(&recordings) {
        Ok(wav) => ("audio/wav", wav),
        Err(error) => {
            let newest = recordings.into_iter().next_back();
            let (format, bytes) = newest.ok_or_else(|| ApiError::not_found("recording"))?;
            tracing::warn!(format, %error, "A recording is served as it was sent.");
            ("application/octet-stream", bytes)
        }
    };
    Ok(([(header::CONTENT_TYPE, media_type), (header::CACHE_CONTROL, "private, no-cache")], sound))
}
