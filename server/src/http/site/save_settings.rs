//! `PUT /api/site/settings`

use crewbell_shared::Refusal;
use crewbell_shared::protocol::{Outcome, Verb};
use crewbell_shared::site::SiteSettings;
use crewbell_shared::site::SiteVerb;

use crate::http::command::{self, Answer};
use crate::http::extract::{Body, CurrentUser, IdempotencyKey};

/// Changes how the site is run. These are all the settings: what is left out goes to its default.
#[utoipa::path(
    put,
    path = "/api/site/settings",
    tag = "site",
    request_body = SiteSettings,
    responses((status = 200, body = Outcome), (status = "4XX", body = Refusal)),
    security(("bearer" = []))
)]
pub async fn save_settings(who: CurrentUser, key: IdempotencyKey, Body(settings): Body<SiteSettings>) -> Answer {
    command::run(&who, key, Verb::Site(SiteVerb::SaveSettings { settings })).await
}
