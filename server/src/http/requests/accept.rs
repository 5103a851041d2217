//! `POST /api/service-requests/{id}/accept`

use crewbell_shared::Refusal;
use crewbell_shared::ids::RequestId;
use crewbell_shared::protocol::{Outcome, Verb};

use crate::http::command::{self, Answer};
use crate::http::extract::{CurrentUser, IdempotencyKey, Path};

/// Takes a request. The first to do so has it; the second is told who.
#[utoipa::path(
    post,
    path = "/api/service-requests/{id}/accept",
    tag = "requests",
    params(("id" = RequestId, Path, description = "The request")),
    responses((status = 200, body = Outcome), (status = "4XX", body = Refusal)),
    security(("bearer" = []))
)]
pub async fn accept(who: CurrentUser, key: IdempotencyKey, Path(request_id): Path<RequestId>) -> Answer {
    command::run(&who, key, Verb::AcceptRequest { request_id }).await
}
