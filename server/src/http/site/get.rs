//! `GET /api/site`

use axum::Json;
use axum::extract::State;
use crewbell_shared::Refusal;
use crewbell_shared::site::Site;

use crate::db::sites;
use crate::http::extract::CurrentUser;
use crate::http::{ApiError, App};

/// Tells how the site is called and run.
#[utoipa::path(
    get,
    path = "/api/site",
    tag = "site",
    responses((status = 200, body = Site), (status = "4XX", body = Refusal)),
    security(("bearer" = []))
)]
pub async fn get(State(app): State<App>, CurrentUser(who): CurrentUser) -> Result<Json<Site>, ApiError> {
    let mut tx = app.registry.db.read(who.site.id).await?;
    let known = sites::find(&mut tx, who.site.id).await?.ok_or_else(|| ApiError::not_found("site"))?;
    Ok(Json(known.site))
}
