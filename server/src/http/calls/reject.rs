//! `POST /api/call/reject`

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

/// Which call to reject.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Rejected {
    /// Which.
    call_id: CallId,
}

/// Says no to a call that rings: it stops on all devices.
#[utoipa::path(
    post,
    path = "/api/call/reject",
    tag = "calls",
    request_body = Rejected,
    responses((status = 200, body = CallOutcome), (status = "4XX", body = Refusal)),
    security(("bearer" = []))
)]
pub async fn reject(
    State(app): State<App>,
    who: CurrentUser,
    key: IdempotencyKey,
    Body(Rejected { call_id }): Body<Rejected>,
) -> Result<Json<CallOutcome>, ApiError> {
    run(&app, &who, key, Verb::RejectCall { call_id }).await
}
