//! `POST /api/call/answer`

use axum::Json;
use axum::extract::State;
use crewbell_shared::Refusal;
use crewbell_shared::ids::{CallId, EndpointId};
use crewbell_shared::protocol::Verb;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{CallOutcome, run};
use crate::http::extract::{Body, CurrentUser, IdempotencyKey};
use crate::http::{ApiError, App};

/// Which call to answer.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Answered {
    /// Which.
    call_id: CallId,
    /// The run of the program that will speak; none for one that has no voice.
    endpoint: Option<EndpointId>,
}

/// Answers a call. The first device to do so has it; the others are refused with `answered_elsewhere`.
#[utoipa::path(
    post,
    path = "/api/call/answer",
    tag = "calls",
    request_body = Answered,
    responses((status = 200, body = CallOutcome), (status = "4XX", body = Refusal)),
    security(("bearer" = []))
)]
pub async fn answer(
    State(app): State<App>,
    who: CurrentUser,
    key: IdempotencyKey,
    Body(Answered { call_id, endpoint }): Body<Answered>,
) -> Result<Json<CallOutcome>, ApiError> {
    run(&app, &who, key, Verb::AnswerCall { call_id, endpoint }).await
}
