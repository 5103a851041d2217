//! `PUT /api/guests/{id}`

use crewbell_shared::Refusal;
use crewbell_shared::ids::GuestId;
use crewbell_shared::protocol::{Outcome, Verb};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::http::command::{self, Answer};
use crate::http::extract::{Body, CurrentUser, IdempotencyKey, Path};

/// What can be said of a guest.
#[derive(Deserialize, ToSchema)]
pub struct GuestFields {
    /// How they like to be called; 200 characters at most.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// What the crew should know: preferences, allergies; 2,000 characters at most.
    #[serde(default)]
    #[schema(max_length = 2000)]
    notes: String,
}

impl GuestFields {
    /// Builds the command that saves a guest with these fields.
    pub(super) fn of(self, guest_id: GuestId) -> Verb {
        let Self { name, notes } = self;
        Verb::SaveGuest { guest_id, name, notes }
    }
}

/// Changes a guest, or creates them when there is none with the id. What is left out goes to its default.
#[utoipa::path(
    put,
    path = "/api/guests/{id}",
    tag = "guests",
    params(("id" = GuestId, Path, description = "The guest")),
    request_body = GuestFields,
    responses((status = 200, body = Outcome), (status = "4XX", body = Refusal)),
    security(("bearer" = []))
)]
pub async fn save(
    who: CurrentUser,
    key: IdempotencyKey,
    Path(guest_id): Path<GuestId>,
    Body(guest): Body<GuestFields>,
) -> Answer {
    command::run(&who, key, guest.of(guest_id)).await
}
