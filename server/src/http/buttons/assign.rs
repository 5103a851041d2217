//! `POST /api/buttons/{id}/assign`

use crewbell_shared::Refusal;
use crewbell_shared::ids::{ButtonId, PlaceId};
use crewbell_shared::protocol::{Outcome, Verb};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::http::command::{self, Answer};
use crate::http::extract::{Body, CurrentUser, IdempotencyKey, Path};

/// Where a button is.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Assignment {
    /// The place.
    place_id: PlaceId,
    /// Its name, where the place alone doesn't tell; 200 characters at most.
    #[serde(default)]
    #[schema(max_length = 200)]
    name: Option<String>,
}

/// Says where a button is: a new one begins to ring, another moves, a retired one comes back.
#[utoipa::path(
    post,
    path = "/api/buttons/{id}/assign",
    tag = "buttons",
    params(("id" = ButtonId, Path, description = "The button")),
    request_body = Assignment,
    responses((status = 200, body = Outcome), (status = "4XX", body = Refusal)),
    security(("bearer" = []))
)]
pub async fn assign(
    who: CurrentUser,
    key: IdempotencyKey,
    Path(button_id): Path<ButtonId>,
    Body(Assignment { place_id, name }): Body<Assignment>,
) -> Answer {
    command::run(&who, key, Verb::AssignButton { button_id, place_id, name }).await
}
