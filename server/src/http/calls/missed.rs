//! `GET /api/call/missed`

use axum::Json;
use axum::extract::State;
use crewbell_shared::Refusal;
use crewbell_shared::call::Call;
use serde::Serialize;
use utoipa::ToSchema;

use crate::db::calls;
use crate::http::extract::CurrentUser;
use crate::http::{ApiError, App};

/// Maximum number of calls listed; the count includes all.
const LISTED: i64 = 200;

/// What the asker missed.
#[derive(Debug, Serialize, ToSchema)]
pub struct Missed {
    /// How many they missed and haven't seen: the number on the badge.
    count: i64,
    /// Those, newest first; the newest 200.
    items: Vec<Call>,
}

/// What the asker missed and hasn't seen, also what its caller gave up.
#[utoipa::path(
    get,
    path = "/api/call/missed",
    tag = "calls",
    responses((status = 200, body = Missed), (status = "4XX", body = Refusal)),
    security(("bearer" = []))
)]
pub async fn missed(State(app): State<App>, CurrentUser(who): CurrentUser) -> Result<Json<Missed>, ApiError> {
    let (site, me) = (who.site.id, who.person.id);
    let mut tx = app.registry.db.read(site).await?;
    let count = calls::count_unseen(&mut tx, site, me).await?;
    let items = calls::unseen(&mut tx, site, me, LISTED).await?;
    Ok(Json(Missed { count, items }))
}
