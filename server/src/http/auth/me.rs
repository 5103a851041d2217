//! `GET /api/auth/me`

use axum::Json;
use axum::extract::State;
use crewbell_shared::Refusal;
use crewbell_shared::person::{Person, Right, allows};
use crewbell_shared::site::Site;
use serde::Serialize;
use utoipa::ToSchema;

use crate::db::sites;
use crate::http::extract::CurrentUser;
use crate::http::{ApiError, App};

/// Who is asking, and what they may do.
#[derive(Serialize, ToSchema)]
pub struct Me {
    /// Who.
    person: Person,
    /// What their role lets them do.
    rights: Vec<Right>,
    /// Where.
    site: Site,
}

/// Tells who the token belongs to.
#[utoipa::path(
    get,
    path = "/api/auth/me",
    tag = "auth",
    responses((status = 200, body = Me), (status = "4XX", body = Refusal)),
    security(("bearer" = []))
)]
pub async fn me(State(app): State<App>, CurrentUser(who): CurrentUser) -> Result<Json<Me>, ApiError> {
    let mut tx = app.registry.db.read_sites().await?;
    let site = sites::find(&mut tx, who.site.id).await?.ok_or_else(|| ApiError::not_found("site"))?.site;
    let rights = Right::ALL.into_iter().filter(|&right| allows(who.person.role, right)).collect();
    Ok(Json(Me { person: who.person, rights, site }))
}
