//! `POST /api/service-requests`

use crewbell_shared::Refusal;
use crewbell_shared::ids::{PlaceId, RequestId};
use crewbell_shared::protocol::{Outcome, Verb};
use crewbell_shared::request::{Kind, Priority};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::http::command::{self, Answer};
use crate::http::extract::{Body, CurrentUser, IdempotencyKey};

/// What is asked for.
#[derive(Debug, Deserialize, ToSchema)]
pub struct NewRequest {
    /// The request's id; the idempotency key serves when there is none.
    #[serde(default)]
    id: Option<RequestId>,
    /// Where.
    place_id: PlaceId,
    /// What sort.
    kind: Kind,
    /// Which service, for a service.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 200)]
    service: Option<String>,
    /// How much it matters; by its kind when not given.
    #[serde(default)]
    priority: Option<Priority>,
    /// What is wanted, in words; 2,000 characters at most.
    #[serde(default)]
    #[schema(max_length = 2000)]
    text: Option<String>,
}

/// Asks for something without a button.
#[utoipa::path(
    post,
    path = "/api/service-requests",
    tag = "requests",
    request_body = NewRequest,
    responses((status = 200, body = Outcome), (status = "4XX", body = Refusal)),
    security(("bearer" = []))
)]
pub async fn create(who: CurrentUser, key: IdempotencyKey, Body(new): Body<NewRequest>) -> Answer {
    let NewRequest { id, place_id, kind, service, priority, text } = new;
    let request_id = id.unwrap_or(RequestId(key.0.0));
    command::run(&who, key, Verb::CreateRequest { request_id, place_id, kind, service, priority, text }).await
}
