//! `POST /api/call/mark-seen/{id}`

use axum::Json;
use axum::extract::State;
use crewbell_shared::Refusal;
use crewbell_shared::ids::CallId;
use crewbell_shared::protocol::Verb;

use super::{CallOutcome, run};
use crate::http::extract::{CurrentUser, IdempotencyKey, Path};
use crate::http::{ApiError, App};

/// Marks a missed call as seen: it no longer counts. Only who was called can.
#[utoipa::path(
    post,
    path = "/api/call/mark-seen/{id}",
    tag = "calls",
    params(("id" = CallId, Path, description = "The call")),
    responses((status = 200, body = CallOutcome), (status = "4XX", body = Refusal)),
    security(("bearer" = []))
)]
pub async fn mark_seen(
    State(app): State<App>,
    who: CurrentUser,
    key: IdempotencyKey,
    Path(call_id): Path<CallId>,
) -> Result<Json<CallOutcome>, ApiError> {
    run(&app, &who, key, Verb::SeeCall { call_id }).await
}
