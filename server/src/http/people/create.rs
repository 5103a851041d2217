//! `POST /api/people`

use crewbell_shared::Refusal;
use crewbell_shared::ids::PersonId;
use crewbell_shared::protocol::Outcome;
use serde::Deserialize;
use utoipa::ToSchema;

use super::save::PersonFields;
use crate::http::command::{self, Answer};
use crate::http::extract::{Body, CurrentUser, IdempotencyKey};

/// Somebody who isn't of the crew yet.
#[derive(Debug, Deserialize, ToSchema)]
pub struct NewPerson {
    /// The person's id; the idempotency key serves when there is none.
    #[serde(default)]
    id: Option<PersonId>,
    /// Who they are.
    #[serde(flatten)]
    person: PersonFields,
}

/// Creates a member of the crew. They can sign in once their secret is set.
#[utoipa::path(
    post,
    path = "/api/people",
    tag = "people",
    request_body = NewPerson,
    responses((status = 200, body = Outcome), (status = "4XX", body = Refusal)),
    security(("bearer" = []))
)]
pub async fn create(who: CurrentUser, key: IdempotencyKey, Body(NewPerson { id, person }): Body<NewPerson>) -> Answer {
    command::run(&who, key, person.of(id.unwrap_or(PersonId(key.0.0)))).await
}
