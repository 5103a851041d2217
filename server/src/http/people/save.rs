//! `PUT /api/people/{id}`

use crewbell_shared::Refusal;
use crewbell_shared::ids::PersonId;
use crewbell_shared::person::Role;
use crewbell_shared::protocol::{Outcome, Verb};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::http::command::{self, Answer};
use crate::http::extract::{Body, CurrentUser, IdempotencyKey, Path};

/// What can be said of a member of the crew.
#[derive(Debug, Deserialize, ToSchema)]
pub struct PersonFields {
    /// The name they sign in with, unique at the site whatever its case; 200 characters at most.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// What they do.
    role: Role,
    /// Whether they may sign in; `true` when not given. Their sessions end when they no longer may.
    #[serde(default = "yes")]
    active: bool,
}

fn yes() -> bool {
    true
}

impl PersonFields {
    /// Builds the command that saves a person with these fields.
    pub(super) fn of(self, person_id: PersonId) -> Verb {
        let Self { name, role, active } = self;
        Verb::SavePerson { person_id, name, role, active }
    }
}

/// Changes a member of the crew, or creates them when there is none with the id. What is left out goes to its default.
#[utoipa::path(
    put,
    path = "/api/people/{id}",
    tag = "people",
    params(("id" = PersonId, Path, description = "The person")),
    request_body = PersonFields,
    responses((status = 200, body = Outcome), (status = "4XX", body = Refusal)),
    security(("bearer" = []))
)]
pub async fn save(
    who: CurrentUser,
    key: IdempotencyKey,
    Path(person_id): Path<PersonId>,
    Body(person): Body<PersonFields>,
) -> Answer {
    command::run(&who, key, person.of(person_id)).await
}
