//! `PUT /api/places/{id}`

use crewbell_shared::Refusal;
use crewbell_shared::ids::PlaceId;
use crewbell_shared::place::PlaceKind;
use crewbell_shared::protocol::{Outcome, Verb};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::http::command::{self, Answer};
use crate::http::extract::{Body, CurrentUser, IdempotencyKey, Path};

/// What can be said of a place.
#[derive(Debug, Deserialize, ToSchema)]
pub struct PlaceFields {
    /// The deck or floor that it stands in.
    #[serde(default)]
    parent_id: Option<PlaceId>,
    /// Its name, unique at the site; 200 characters at most.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// What sort of place.
    kind: PlaceKind,
    /// Where it stands among its siblings; 0 when not given.
    #[serde(default)]
    position: i32,
}

impl PlaceFields {
    /// Builds the command that saves a place with these fields.
    pub(super) fn of(self, place_id: PlaceId) -> Verb {
        let Self { parent_id, name, kind, position } = self;
        Verb::SavePlace { place_id, parent_id, name, kind, position }
    }
}

/// Changes a place, or creates it when there is none with the id. What is left out goes to its default.
#[utoipa::path(
    put,
    path = "/api/places/{id}",
    tag = "places",
    params(("id" = PlaceId, Path, description = "The place")),
    request_body = PlaceFields,
    responses((status = 200, body = Outcome), (status = "4XX", body = Refusal)),
    security(("bearer" = []))
)]
pub async fn save(
    who: CurrentUser,
    key: IdempotencyKey,
    Path(place_id): Path<PlaceId>,
    Body(place): Body<PlaceFields>,
) -> Answer {
    command::run(&who, key, place.of(place_id)).await
}
