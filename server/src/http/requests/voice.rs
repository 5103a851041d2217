//! `GET /api/service-requests/{id}/voice`

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use crewbell_shared::Refusal;
use crewbell_shared::ids::RequestId;
use utoipa::ToSchema;

use crate::db::recordings;
use crate::devices::sound;
use crate::http::extract::{Path, Who};
use crate::http::{ApiError, App};

/// A sound, as bytes.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
#[expect(dead_code, reason = "read by the derive alone")]
struct Sound(Vec<u8>);

/// What the guest said, as a WAV file: 16-bit PCM, one channel, 16 kHz. What can't be made one is answered as it was
/// sent.
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
    Who(who): Who,
    Path(id): Path<RequestId>,
) -> Result<impl IntoResponse, ApiError> {
    let mut tx = app.house.db.read(who.site.id).await?;
    let recording = recordings::of_request(&mut tx, who.site.id, id).await?;
    let (format, bytes) = recording.ok_or_else(|| ApiError::not_found("recording"))?;
    let (media_type, sound) = match sound::to_wav(&format, &bytes) {
        Ok(wav) => ("audio/wav", wav),
        Err(error) => {
            tracing::warn!(request = %id, format, %error, "A recording is served as it was sent.");
            ("application/octet-stream", bytes)
        }
    };
    Ok(([(header::CONTENT_TYPE, media_type), (header::CACHE_CONTROL, "private, max-age=3600")], sound))
}
