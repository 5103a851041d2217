//! `POST /api/service-requests/{id}/hand-over`

use crewbell_shared::Refusal;
use crewbell_shared::ids::{PersonId, RequestId};
use crewbell_shared::protocol::{Outcome, Verb};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::http::command::{self, Answer};
use crate::http::extract::{Body, CurrentUser, IdempotencyKey, Path};

/// To whom a request goes.
#[derive(Debug, Deserialize, ToSchema)]
pub struct HandOver {
    /// The colleague.
    to: PersonId,
}

/// Gives a request to a colleague.
#[utoipa::path(
    post,
    path = "/api/service-requests/{id}/hand-over",
    tag = "requests",
    params(("id" = RequestId, Path, description = "The request")),
    request_body = HandOver,
    responses((status = 200, body = Outcome), (status = "4XX", body = Refusal)),
    security(("bearer" = []))
)]
pub async fn hand_over(
    who: CurrentUser,
    key: IdempotencyKey,
    Path(request_id): Path<RequestId>,
    Body(HandOver { to }): Body<HandOver>,
) -> Answer {
    command::run(&who, key, Verb::HandOverRequest { request_id, to }).await
}
