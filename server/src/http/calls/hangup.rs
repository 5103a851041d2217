//! `POST /api/call/hangup`

use axum::Json;
use axum::extract::State;
use crewbell_shared::Refusal;
use crewbell_shared::ids::CallId;
use crewbell_shared::protocol::Verb;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{CallOutcome, run};
use crate::http::extract::{Body, CurrentUser, IdempotencyKey};
use crate::http::{ApiError, App};

/// Which call to hang up.
#[derive(Debug, Deserialize, ToSchema)]
pub struct HungUp {
    /// Which.
    call_id: CallId,
    /// Whether it broke off: the other side's voice is gone.
    #[serde(default)]
    dropped: bool,
}

/// Hangs up. While the call rings, a caller gives up by this and a callee rejects the call; hanging up a call that is
/// over is a success.
#[utoipa::path(
    post,
    path = "/api/call/hangup",
    tag = "calls",
    request_body = HungUp,
    responses((status = 200, body = CallOutcome), (status = "4XX", body = Refusal)),
    security(("bearer" = []))
)]
pub async fn hangup(
    State(app): State<App>,
    who: CurrentUser,
    key: IdempotencyKey,
    Body(HungUp { call_id, dropped }): Body<HungUp>,
) -> Result<Json<CallOutcome>, ApiError> {
    run(&app, &who, key, Verb::EndCall { call_id, dropped }).await
}
