//! `GET /api/guests`

use axum::Json;
use axum::extract::State;
use crewbell_shared::Refusal;
use crewbell_shared::guest::Guest;
use serde::Serialize;
use utoipa::ToSchema;

use crate::db::guests;
use crate::http::extract::CurrentUser;
use crate::http::{ApiError, App};

/// The guests of the site.
#[derive(Debug, Serialize, ToSchema)]
pub struct Guests {
    /// By name.
    items: Vec<Guest>,
}

/// Lists guests; where they are is in their stays.
#[utoipa::path(
    get,
    path = "/api/guests",
    tag = "guests",
    responses((status = 200, body = Guests), (status = "4XX", body = Refusal)),
    security(("bearer" = []))
)]
pub async fn list(State(app): State<App>, CurrentUser(who): CurrentUser) -> Result<Json<Guests>, ApiError> {
    let mut tx = app.registry.db.read(who.site.id).await?;
    Ok(Json(Guests { items: guests::all(&mut tx, who.site.id).await? }))
}
