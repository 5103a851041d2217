//! `POST /api/places/{id}/do-not-disturb`

use crewbell_shared::Refusal;
use crewbell_shared::ids::PlaceId;
use crewbell_shared::protocol::{Outcome, Verb};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::http::command::{self, Answer};
use crate::http::extract::{Body, CurrentUser, IdempotencyKey, Path};

/// On or off.
#[derive(Debug, Deserialize, ToSchema)]
pub struct DoNotDisturb {
    /// Whether the guest doesn't want to be disturbed.
    on: bool,
}

/// Switches a place's do-not-disturb. It is shown, and never suppresses a press.
#[utoipa::path(
    post,
    path = "/api/places/{id}/do-not-disturb",
    tag = "places",
    params(("id" = PlaceId, Path, description = "The place")),
    request_body = DoNotDisturb,
    responses((status = 200, body = Outcome), (status = "4XX", body = Refusal)),
    security(("bearer" = []))
)]
pub async fn do_not_disturb(
    who: CurrentUser,
    key: IdempotencyKey,
    Path(place_id): Path<PlaceId>,
    Body(DoNotDisturb { on }): Body<DoNotDisturb>,
) -> Answer {
    command::run(&who, key, Verb::SetDoNotDisturb { place_id, on }).await
}
