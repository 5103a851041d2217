//! `GET /api/status/user/{id}`

use axum::Json;
use axum::extract::State;
use crewbell_shared::Refusal;
use crewbell_shared::ids::PersonId;
use serde::Serialize;
use utoipa::ToSchema;

use crate::db::people;
use crate::http::extract::{Path, Who};
use crate::http::{ApiError, App};

/// Whether somebody is there.
#[derive(Debug, Serialize, ToSchema)]
pub struct UserStatus {
    /// Whether one of their devices has a live socket at this moment.
    online: bool,
}

/// Tells whether a member of the crew is there.
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
    Who(who): Who,
    Path(id): Path<PersonId>,
) -> Result<Json<UserStatus>, ApiError> {
    let mut tx = app.house.db.read(who.site.id).await?;
    people::find(&mut tx, who.site.id, id).await?.ok_or_else(|| ApiError::not_found("person"))?;
    Ok(Json(UserStatus { online: who.site.presence.is_online(id) }))
}
