//! `POST /api/people/{id}/duty`

use crewbell_shared::Refusal;
use crewbell_shared::ids::PersonId;
use crewbell_shared::protocol::{Outcome, Verb};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::http::command::{self, Answer};
use crate::http::extract::{Body, CurrentUser, IdempotencyKey, Path};

/// On or off.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Duty {
    /// Whether they are on duty.
    on_duty: bool,
}

/// Goes on or off duty, or sends somebody.
#[utoipa::path(
    post,
    path = "/api/people/{id}/duty",
    tag = "people",
    params(("id" = PersonId, Path, description = "The person")),
    request_body = Duty,
    responses((status = 200, body = Outcome), (status = "4XX", body = Refusal)),
    security(("bearer" = []))
)]
pub async fn duty(
    who: CurrentUser,
    key: IdempotencyKey,
    Path(person_id): Path<PersonId>,
    Body(Duty { on_duty }): Body<Duty>,
) -> Answer {
    command::run(&who, key, Verb::SetDuty { person_id, on_duty }).await
}
