//! `POST /api/service-requests/{id}/release`

use crewbell_shared::Refusal;
use crewbell_shared::ids::RequestId;
use crewbell_shared::protocol::{Outcome, Verb};

use crate::http::command::{self, Answer};
use crate::http::extract::{CurrentUser, IdempotencyKey, Path};

/// Gives a request back: it is open, and rings, again.
#[utoipa::path(
    post,
    path = "/api/service-requests/{id}/release",
    tag = "requests",
    params(("id" = RequestId, Path, description = "The request")),
    responses((status = 200, body = Outcome), (status = "4XX", body = Refusal)),
    security(("bearer" = []))
)]
pub async fn release(who: CurrentUser, key: IdempotencyKey, Path(request_id): Path<RequestId>) -> Answer {
    command::run(&who, key, Verb::ReleaseRequest { request_id }).await
}
