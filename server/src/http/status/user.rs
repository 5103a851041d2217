//! `GET /api/status/user/{id}`

use axum::Json;
use axum::extract::State;
use crewbell_shared::Refusal;
use crewbell_shared::ids::PersonId;
use crewbell_shared::protocol::live::Status;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::db::people;
use crate::http::extract::{CurrentUser, Path};
use crate::http::{ApiError, App};

/// Whether somebody is there.
#[derive(Debug, Serialize, ToSchema)]
pub struct UserStatus {
    /// Whether they are there: one of their devices has a live socket or an event stream, or sent a heartbeat within
    /// 30 s.
    online: bool,
    /// Whether they can be called.
    status: Status,
    /// When they were last there: now, for somebody with a live socket; none for somebody who never was. After a crash of
    /// the server it may be a minute too early.
    last_seen_at: Option<Timestamp>,
}

/// Tells whether a member of the crew is there, and can be called.
#[utoipa::path(
    get,
    path = "/api/status/user/{id}",
    tag = "people",
    params(("id" = PersonId, Path, description = "The person")),
    responses((status = 200, body = UserStatus), (status = "4XX", body = Refusal)),
    security(("bearer" = []))
)]
pub async fn user(
    State(app): State<App>,
    CurrentUser(who): CurrentUser,
    Path(id): Path<PersonId>,
) -> Result<Json<UserStatus>, ApiError> {
    let mut tx = app.registry.db.read(who.site.id).await?;
    people::find(&mut tx, who.site.id, id).await?.ok_or_else(|| ApiError::not_found("person"))?;
    drop(tx);
    who.site.switchboard.until(who.site.recent.head()).await;
    let presence = &who.site.presence;
    let status = presence.status(id);
    Ok(Json(UserStatus { online: status != Status::Offline, status, last_seen_at: presence.last_seen(id) }))
}
