//! `POST /api/stays/{id}/check-out`

use crewbell_shared::Refusal;
use crewbell_shared::ids::StayId;
use crewbell_shared::protocol::{Outcome, Verb};

use crate::http::command::{self, Answer};
use crate::http::extract::{CurrentUser, IdempotencyKey, Path};

/// Checks a guest out; the place's do-not-disturb goes with them.
#[utoipa::path(
    post,
    path = "/api/stays/{id}/check-out",
    tag = "guests",
    params(("id" = StayId, Path, description = "The stay")),
    responses((status = 200, body = Outcome), (status = "4XX", body = Refusal)),
    security(("bearer" = []))
)]
pub async fn check_out(who: CurrentUser, key: IdempotencyKey, Path(stay_id): Path<StayId>) -> Answer {
    command::run(&who, key, Verb::CheckOut { stay_id }).await
}
