//! `POST /api/buttons/{id}/credentials`

use axum::Json;
use axum::extract::State;
use crewbell_shared::Refusal;
use crewbell_shared::ids::ButtonId;
use crewbell_shared::protocol::Source;
use serde::Serialize;
use utoipa::ToSchema;

use crate::actions::SetButtonSecret;
use crate::auth::{hash_code, join_code};
use crate::db::buttons;
use crate::http::extract::{CurrentUser, Path};
use crate::http::{ApiError, App};

/// What a device signs in with over MQTT. The server keeps a hash of the password only, so this is shown once.
#[derive(Serialize, ToSchema)]
pub struct Credentials {
    /// The MQTT user name.
    pub(in crate::http) username: String,
    /// The MQTT password: 26 letters and digits.
    pub(in crate::http) password: String,
}

/// Makes new MQTT credentials for one button; those that it had are worth nothing from here on. Each call makes
/// others, so there is no idempotency key.
#[utoipa::path(
    post,
    path = "/api/buttons/{id}/credentials",
    tag = "buttons",
    params(("id" = ButtonId, Path, description = "The button")),
    responses((status = 200, body = Credentials), (status = "4XX", body = Refusal)),
    security(("bearer" = []))
)]
pub async fn set_credentials(
    State(app): State<App>,
    who: CurrentUser,
    Path(button_id): Path<ButtonId>,
) -> Result<Json<Credentials>, ApiError> {
    let site = &who.0.site;
    let mut tx = app.registry.db.read(site.id).await?;
    let known = buttons::all(&mut tx, site.id).await?;
    drop(tx);
    let button = known.into_iter().map(|known| known.button).find(|button| button.id == button_id);
    let button = button.ok_or_else(|| ApiError::not_found("button"))?;
    let password = join_code(&app.registry.ids);
    let action = SetButtonSecret { button_id, hash: Some(hash_code(password.as_bytes())) };
    site.act(Box::new(action), who.actor(), Source::App).await?;
    Ok(Json(Credentials { username: format!("{}/{}", site.slug, button.device), password }))
}
