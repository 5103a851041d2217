//! `POST /api/auth/login`

use axum::Json;
use axum::extract::State;
use crewbell_shared::Refusal;
use crewbell_shared::ids::DeviceId;
use crewbell_shared::person::Person;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::auth;
use crate::http::extract::{Address, Body};
use crate::http::{ApiError, App};

/// Who signs in, and on what.
#[derive(Deserialize, ToSchema)]
pub struct Login {
    /// The site's slug; not needed where there is one site only.
    #[serde(default)]
    #[schema(max_length = 63)]
    site: Option<String>,
    /// The person's name.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// Their PIN or password.
    #[schema(min_length = 4, max_length = 200)]
    secret: String,
    /// The device; the app makes the id at its first start, and tells nobody else. A new one when not given.
    #[serde(default)]
    device_id: Option<DeviceId>,
    /// How the device is called in the list of sessions; what is longer than 200 characters is cut.
    #[serde(default)]
    device_name: Option<String>,
}

/// Somebody is signed in.
#[derive(Serialize, ToSchema)]
pub struct SignedIn {
    /// For `Authorization: Bearer`, and the `hello` of the live socket. Shown once.
    token: String,
    /// Who.
    person: Person,
    /// The site's slug.
    site: String,
}

/// Signs in. Wrong PINs and passwords are slowed down, by device and person: then `slow_down` says for how long.
#[utoipa::path(
    post,
    path = "/api/auth/login",
    tag = "auth",
    request_body = Login,
    responses((status = 200, body = SignedIn), (status = "4XX", body = Refusal))
)]
pub async fn login(
    State(app): State<App>,
    Address(address): Address,
    Body(login): Body<Login>,
) -> Result<Json<SignedIn>, ApiError> {
    let device_id = login.device_id.unwrap_or_else(|| app.registry.ids.next(app.registry.clock.now()));
    let device_name = device_name(login.device_name.as_deref().unwrap_or_default());
    let login =
        auth::Login { site: login.site, name: login.name, secret: login.secret, device_id, device_name, address };
    let (token, who) = auth::sign_in(&app.registry, &app.limiter, login).await?;
    Ok(Json(SignedIn { token: token.to_string(), person: who.person, site: who.site.slug.to_string() }))
}

/// Cleans a device's name for the list of sessions: one line, at most 200 characters, never empty. A bad name doesn't
/// refuse the sign-in.
fn device_name(said: &str) -> String {
    let clean: String = said.trim().chars().filter(|c| !c.is_control()).take(200).collect();
    if clean.is_empty() { "unnamed".to_owned() } else { clean }
}
