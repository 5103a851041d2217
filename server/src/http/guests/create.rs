//! `POST /api/guests`

use crewbell_shared::Refusal;
use crewbell_shared::ids::GuestId;
use crewbell_shared::protocol::Outcome;
use serde::Deserialize;
use utoipa::ToSchema;

use super::save::GuestFields;
use crate::http::command::{self, Answer};
use crate::http::extract::{Body, CurrentUser, IdempotencyKey};

/// A guest who isn't known yet.
#[derive(Deserialize, ToSchema)]
pub struct NewGuest {
    /// The guest's id; the idempotency key serves when there is none.
    #[serde(default)]
    id: Option<GuestId>,
    /// Who they are.
    #[serde(flatten)]
    guest: GuestFields,
}

/// Creates a guest.
#[utoipa::path(
    post,
    path = "/api/guests",
    tag = "guests",
    request_body = NewGuest,
    responses((status = 200, body = Outcome), (status = "4XX", body = Refusal)),
    security(("bearer" = []))
)]
pub async fn create(who: CurrentUser, key: IdempotencyKey, Body(NewGuest { id, guest }): Body<NewGuest>) -> Answer {
    command::run(&who, key, guest.of(id.unwrap_or(GuestId(key.0.0)))).await
}
