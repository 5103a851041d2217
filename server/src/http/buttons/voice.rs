//! `GET /api/buttons/{id}/voice`

use axum::extract::State;
use axum::response::IntoResponse;
use crewbell_shared::Refusal;
use crewbell_shared::ids::ButtonId;
use crewbell_shared::person::Right;

use crate::db::recordings;
use crate::http::extract::{CurrentUser, Path};
use crate::http::requests::voice::{Sound, TOGETHER, answer};
use crate::http::{ApiError, App};

/// What was said to a button while it had no place, as a WAV file; for whoever assigns it.
#[utoipa::path(
    get,
    path = "/api/buttons/{id}/voice",
    tag = "buttons",
    params(("id" = ButtonId, Path, description = "The button")),
    responses(
        (status = 200, content((Sound = "audio/wav"), (Sound = "application/octet-stream"))),
        (status = "4XX", body = Refusal)
    ),
    security(("bearer" = []))
)]
pub async fn voice(
    State(app): State<App>,
    who: CurrentUser,
    Path(id): Path<ButtonId>,
) -> Result<impl IntoResponse, ApiError> {
    who.need(Right::AssignButtons)?;
    let site = who.0.site.id;
    let mut tx = app.registry.db.read(site).await?;
    answer(recordings::of_button(&mut tx, site, id, TOGETHER).await?)
}
