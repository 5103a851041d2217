//! `POST /api/buttons/{id}/retire`

use crewbell_shared::Refusal;
use crewbell_shared::ids::ButtonId;
use crewbell_shared::protocol::{Outcome, Verb};

use crate::http::command::{self, Answer};
use crate::http::extract::{CurrentUser, IdempotencyKey, Path};

/// Takes a button out of use: its presses are recorded and don't ring.
#[utoipa::path(
    post,
    path = "/api/buttons/{id}/retire",
    tag = "buttons",
    params(("id" = ButtonId, Path, description = "The button")),
    responses((status = 200, body = Outcome), (status = "4XX", body = Refusal)),
    security(("bearer" = []))
)]
pub async fn retire(who: CurrentUser, key: IdempotencyKey, Path(button_id): Path<ButtonId>) -> Answer {
    command::run(&who, key, Verb::RetireButton { button_id }).await
}
