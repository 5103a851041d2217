//! `POST /api/site/join-code`

use axum::Json;
use axum::extract::State;
use crewbell_shared::Refusal;
use crewbell_shared::protocol::Source;

use crate::actions::SetJoinCode;
use crate::auth::{hash_code, join_code};
use crate::http::buttons::set_credentials::Credentials;
use crate::http::extract::CurrentUser;
use crate::http::{ApiError, App};

/// Makes a new join code, which new buttons and gateways sign in with over MQTT; the old one is worth nothing from
/// here on. Shown once.
#[utoipa::path(
    post,
    path = "/api/site/join-code",
    tag = "site",
    responses((status = 200, body = Credentials), (status = "4XX", body = Refusal)),
    security(("bearer" = []))
)]
pub async fn set_join_code(State(app): State<App>, who: CurrentUser) -> Result<Json<Credentials>, ApiError> {
    let password = join_code(&app.registry.ids);
    let action = SetJoinCode { hash: Some(hash_code(password.as_bytes())) };
    who.0.site.act(Box::new(action), who.actor(), Source::App).await?;
    Ok(Json(Credentials { username: who.0.site.slug.to_string(), password }))
}
