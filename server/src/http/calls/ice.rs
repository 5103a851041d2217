//! `GET /api/call/ice`

use axum::Json;
use axum::extract::State;
use crewbell_shared::Refusal;

use crate::http::App;
use crate::http::extract::CurrentUser;
use crate::ice::IceServers;

/// The servers that help two devices to find a way to each other, with the asker's credentials for them. On one ship's
/// network none is needed, and the list may be empty.
#[utoipa::path(
    get,
    path = "/api/call/ice",
    tag = "calls",
    responses((status = 200, body = IceServers), (status = "4XX", body = Refusal)),
    security(("bearer" = []))
)]
pub async fn ice(State(app): State<App>, CurrentUser(who): CurrentUser) -> Json<IceServers> {
    Json(app.ice.servers_for(who.person.id, app.registry.clock.now()))
}
