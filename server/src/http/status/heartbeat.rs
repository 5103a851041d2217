//! `POST /api/status/heartbeat`

use axum::Json;
use axum::extract::State;
use crewbell_shared::Refusal;
use crewbell_shared::protocol::live::Status;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::App;
use crate::http::extract::CurrentUser;

/// The answer to a heartbeat.
#[derive(Debug, Serialize, ToSchema)]
pub struct Pulse {
    /// Whether the asker can be called.
    status: Status,
    /// The server's clock.
    server_time: Timestamp,
}

/// Says that the asker is there, for a client without a live socket. It holds for 30 s; every 10 s is right.
#[utoipa::path(
    post,
    path = "/api/status/heartbeat",
    tag = "people",
    responses((status = 200, body = Pulse), (status = "4XX", body = Refusal)),
    security(("bearer" = []))
)]
pub async fn heartbeat(State(app): State<App>, CurrentUser(who): CurrentUser) -> Json<Pulse> {
    who.site.presence.heartbeat(who.person.id);
    who.site.switchboard.until(who.site.recent.head()).await;
    Json(Pulse { status: who.site.presence.status(who.person.id), server_time: app.registry.clock.now() })
}
