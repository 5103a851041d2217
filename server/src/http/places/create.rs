//! `POST /api/places`

use crewbell_shared::Refusal;
use crewbell_shared::ids::PlaceId;
use crewbell_shared::protocol::Outcome;
use serde::Deserialize;
use utoipa::ToSchema;

use super::save::PlaceFields;
use crate::http::command::{self, Answer};
use crate::http::extract::{Body, CurrentUser, IdempotencyKey};

/// A place that isn't there yet.
#[derive(Debug, Deserialize, ToSchema)]
pub struct NewPlace {
    /// The place's id; the idempotency key serves when there is none.
    #[serde(default)]
    id: Option<PlaceId>,
    /// What it is.
    #[serde(flatten)]
    place: PlaceFields,
}

/// Creates a place.
#[utoipa::path(
    post,
    path = "/api/places",
    tag = "places",
    request_body = NewPlace,
    responses((status = 200, body = Outcome), (status = "4XX", body = Refusal)),
    security(("bearer" = []))
)]
pub async fn create(who: CurrentUser, key: IdempotencyKey, Body(NewPlace { id, place }): Body<NewPlace>) -> Answer {
    command::run(&who, key, place.of(id.unwrap_or(PlaceId(key.0.0)))).await
}
