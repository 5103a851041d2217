//! `POST /api/buttons`

use crewbell_shared::Refusal;
use crewbell_shared::ids::{ButtonId, PlaceId};
use crewbell_shared::protocol::{Outcome, Verb};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::http::command::{self, Answer};
use crate::http::extract::{Body, CurrentUser, IdempotencyKey};

/// A button that hasn't pressed yet.
#[derive(Debug, Deserialize, ToSchema)]
pub struct NewButton {
    /// The button's id; the idempotency key serves when there is none.
    #[serde(default)]
    id: Option<ButtonId>,
    /// Its id on the wire, as in the topic; 1 to 64 bytes.
    #[schema(min_length = 1, max_length = 64)]
    device: String,
    /// Where it is.
    place_id: PlaceId,
    /// Its name, where the place alone doesn't tell; 200 characters at most.
    #[serde(default)]
    #[schema(max_length = 200)]
    name: Option<String>,
}

/// Makes a button known before its first press.
#[utoipa::path(
    post,
    path = "/api/buttons",
    tag = "buttons",
    request_body = NewButton,
    responses((status = 200, body = Outcome), (status = "4XX", body = Refusal)),
    security(("bearer" = []))
)]
pub async fn create(who: CurrentUser, key: IdempotencyKey, Body(new): Body<NewButton>) -> Answer {
    let NewButton { id, device, place_id, name } = new;
    let button_id = id.unwrap_or(ButtonId(key.0.0));
    command::run(&who, key, Verb::CreateButton { button_id, device, place_id, name }).await
}
