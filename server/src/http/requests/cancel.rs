//! `POST /api/service-requests/{id}/cancel`

use crewbell_shared::Refusal;
use crewbell_shared::ids::RequestId;
use crewbell_shared::protocol::{Outcome, Verb};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::http::command::{self, Answer};
use crate::http::extract::{Body, CurrentUser, IdempotencyKey, Path};

/// Why a request came to nothing.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Cancel {
    /// In words; 2,000 characters at most.
    #[serde(default)]
    #[schema(max_length = 2000)]
    reason: Option<String>,
}

/// Says that a request came to nothing.
#[utoipa::path(
    post,
    path = "/api/service-requests/{id}/cancel",
    tag = "requests",
    params(("id" = RequestId, Path, description = "The request")),
    request_body = Cancel,
    responses((status = 200, body = Outcome), (status = "4XX", body = Refusal)),
    security(("bearer" = []))
)]
pub async fn cancel(
    who: CurrentUser,
    key: IdempotencyKey,
    Path(request_id): Path<RequestId>,
    Body(Cancel { reason }): Body<Cancel>,
) -> Answer {
    command::run(&who, key, Verb::CancelRequest { request_id, reason }).await
}
