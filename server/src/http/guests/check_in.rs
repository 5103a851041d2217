//! `POST /api/stays`

use crewbell_shared::Refusal;
use crewbell_shared::ids::{GuestId, PlaceId, StayId};
use crewbell_shared::protocol::{Outcome, Verb};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::http::command::{self, Answer};
use crate::http::extract::{Body, CurrentUser, IdempotencyKey};

/// Who comes, and where to.
#[derive(Debug, Deserialize, ToSchema)]
pub struct NewStay {
    /// The stay's id; the idempotency key serves when there is none.
    #[serde(default)]
    id: Option<StayId>,
    /// The guest.
    guest_id: GuestId,
    /// The place.
    place_id: PlaceId,
}

/// Checks a guest into a place. A guest stays in one place at a time; a place may hold several.
#[utoipa::path(
    post,
    path = "/api/stays",
    tag = "guests",
    request_body = NewStay,
    responses((status = 200, body = Outcome), (status = "4XX", body = Refusal)),
    security(("bearer" = []))
)]
pub async fn check_in(who: CurrentUser, key: IdempotencyKey, Body(new): Body<NewStay>) -> Answer {
    let NewStay { id, guest_id, place_id } = new;
    let stay_id = id.unwrap_or(StayId(key.0.0));
    command::run(&who, key, Verb::CheckIn { stay_id, guest_id, place_id }).await
}
