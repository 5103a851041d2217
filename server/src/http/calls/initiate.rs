//! `POST /api/call/initiate`

use axum::Json;
use axum::extract::State;
use crewbell_shared::Refusal;
use crewbell_shared::call::About;
use crewbell_shared::ids::{CallId, EndpointId, PersonId};
use crewbell_shared::protocol::Verb;
use crewbell_shared::protocol::object_or_null;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{CallOutcome, run};
use crate::http::extract::{Body, CurrentUser, IdempotencyKey};
use crate::http::{ApiError, App};

/// Whom to call.
#[derive(Debug, Deserialize, ToSchema)]
pub struct NewCall {
    /// The new call's id, made by the client; made here when not given.
    id: Option<CallId>,
    /// Whom.
    callee_id: PersonId,
    /// What about: a request or a place.
    #[serde(default, deserialize_with = "object_or_null")]
    about: Option<About>,
    /// The run of the program that will speak, made by the client; none for one that has no voice.
    endpoint: Option<EndpointId>,
}

/// Calls a colleague. It rings on all of their devices; when they can't be called it is missed at once, and `why` says
/// whether they are `busy`, `in_call` or `offline`. If that colleague is calling the asker at this moment, that call is
/// answered instead.
#[utoipa::path(
    post,
    path = "/api/call/initiate",
    tag = "calls",
    request_body = NewCall,
    responses((status = 200, body = CallOutcome), (status = "4XX", body = Refusal)),
    security(("bearer" = []))
)]
pub async fn initiate(
    State(app): State<App>,
    who: CurrentUser,
    key: IdempotencyKey,
    Body(new): Body<NewCall>,
) -> Result<Json<CallOutcome>, ApiError> {
    let NewCall { id, callee_id, about, endpoint } = new;
    // A repeated key refers to the same call.
    let call_id = id.unwrap_or(CallId(key.0.0));
    run(&app, &who, key, Verb::StartCall { call_id, callee_id, about, endpoint }).await
}
