//! `POST /api/status/update`

use crewbell_shared::Refusal;
use crewbell_shared::person::PersonVerb;
use crewbell_shared::protocol::live::Status;
use crewbell_shared::protocol::{Outcome, Verb};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::http::command::{self, Answer};
use crate::http::extract::{Body, CurrentUser, IdempotencyKey};

/// What the asker says of themselves.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Update {
    /// `busy` or `online`; whether they are in a call or offline isn't theirs to say.
    #[schema(min_length = 4, max_length = 6)]
    status: String,
}

/// Says that the asker doesn't want to be called, or does again. It holds on all of their devices.
#[utoipa::path(
    post,
    path = "/api/status/update",
    tag = "people",
    request_body = Update,
    responses((status = 200, body = Outcome), (status = "4XX", body = Refusal)),
    security(("bearer" = []))
)]
pub async fn update(who: CurrentUser, key: IdempotencyKey, Body(Update { status }): Body<Update>) -> Answer {
    let named = |known: &Status| serde_json::to_value(known).is_ok_and(|name| name == status.as_str());
    let Some(said) = [Status::Busy, Status::Online].into_iter().find(named) else {
        return Err(Refusal::invalid("status", "Say `busy` or `online`.").into());
    };
    let person_id = who.0.person.id;
    command::run(&who, key, Verb::Person(PersonVerb::SetBusy { person_id, busy: said == Status::Busy })).await
}
