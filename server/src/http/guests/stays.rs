//! `GET /api/stays`

use axum::Json;
use axum::extract::State;
use crewbell_shared::Refusal;
use crewbell_shared::guest::Stay;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::db::stays;
use crate::http::extract::{CurrentUser, Query};
use crate::http::when::{When, begins};
use crate::http::{ApiError, App};

/// Default age up to which ended stays are listed.
const RECENT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// What to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Params {
    /// Whether to leave out stays that ended; `false` when not given.
    #[serde(default)]
    current: bool,
    /// Of the stays that ended, those that did so since this time, or since the beginning of this day (`2026-11-21`) in
    /// the site's time zone; the last 30 days when not given.
    #[param(schema_with = crate::http::when::schema, required = false)]
    ended_since: Option<When>,
}

/// Stays at the site.
#[derive(Debug, Serialize, ToSchema)]
pub struct Stays {
    /// By check-in, oldest first.
    items: Vec<Stay>,
}

/// Lists who stays where, and who stayed.
#[utoipa::path(
    get,
    path = "/api/stays",
    tag = "guests",
    params(Params),
    responses((status = 200, body = Stays), (status = "4XX", body = Refusal)),
    security(("bearer" = []))
)]
pub async fn stays(
    State(app): State<App>,
    CurrentUser(who): CurrentUser,
    Query(Params { current, ended_since }): Query<Params>,
) -> Result<Json<Stays>, ApiError> {
    let now = app.registry.clock.now();
    let recently = now.saturating_sub(RECENT).unwrap_or(Timestamp::UNIX_EPOCH);
    let [ended_since, _] = begins(&app.registry.db, &who.site, [ended_since, None]).await?;
    let since = if current { now } else { ended_since.unwrap_or(recently) };
    let mut tx = app.registry.db.read(who.site.id).await?;
    let mut items = stays::recent(&mut tx, who.site.id, since).await?;
    items.retain(|stay| !current || stay.checked_out_at.is_none());
    Ok(Json(Stays { items }))
}
