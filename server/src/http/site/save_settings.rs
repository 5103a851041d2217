//! `PUT /api/site/settings`

use crewbell_shared::Refusal;
use crewbell_shared::protocol::{Outcome, Verb};
use crewbell_shared::site::Settings;

use crate::http::command::{self, Answer};
use crate::http::extract::{Body, IdempotencyKey, Who};

/// Changes how the site is run. These are all the settings: what is left out goes to its default.
#[utoipa::path(
    put,
    path = "/api/site/settings",
    tag = "site",
    request_body = Settings,
    responses((status = 200, body = Outcome), (status = "4XX", body = Refusal)),
    security(("bearer" = []))
)]
pub async fn save_settings(who: Who, key: IdempotencyKey, Body(settings): Body<Settings>) -> Answer {
    command::run(&who, key, Verb::SaveSettings { settings }).await
}
