//! `GET /api/service-requests`

use axum::Json;
use axum::extract::State;
use crewbell_shared::Refusal;
use crewbell_shared::ids::{PersonId, PlaceId};
use crewbell_shared::request::{Request, RequestState};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::db::requests::{self, Filter};
use crate::http::extract::{CurrentUser, Query};
use crate::http::when::{When, begins};
use crate::http::{ApiError, App};

/// Maximum number of requests on a page, apart from those made at the same moment as the last one.
const PAGE: i64 = 200;

/// What to list; what is not given matches all.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Params {
    /// `open`, `accepted`, `completed` or `cancelled`.
    #[param(max_length = 16)]
    state: Option<String>,
    /// In this place.
    place_id: Option<PlaceId>,
    /// Accepted by this person.
    accepted_by: Option<PersonId>,
    /// Created from this time on; or from the beginning of this day (`2026-11-21`) in the site's time zone.
    #[param(schema_with = crate::http::when::schema, required = false)]
    from: Option<When>,
    /// Created before this time, or before this day: the next page begins at the last page's `next_before`.
    #[param(schema_with = crate::http::when::schema, required = false)]
    before: Option<When>,
    /// At most so many, 1 to 200; 50 when not given. Those made at the same moment as the last one come with it, so
    /// that no page begins in the middle of a moment.
    limit: Option<i64>,
}

/// A page of requests.
#[derive(Debug, Serialize, ToSchema)]
pub struct Requests {
    /// Newest first.
    items: Vec<Request>,
    /// Where the next page begins; none on the last one.
    next_before: Option<Timestamp>,
}

/// Lists requests, newest first.
#[utoipa::path(
    get,
    path = "/api/service-requests",
    tag = "requests",
    params(Params),
    responses((status = 200, body = Requests), (status = "4XX", body = Refusal)),
    security(("bearer" = []))
)]
pub async fn list(
    State(app): State<App>,
    CurrentUser(who): CurrentUser,
    Query(asked): Query<Params>,
) -> Result<Json<Requests>, ApiError> {
    if let Some(state) = asked.state.as_deref().filter(|state| !RequestState::NAMES.contains(state)) {
        return Err(Refusal::invalid("state", format!("{state:?} is no state.")).into());
    }
    let limit = asked.limit.unwrap_or(50).clamp(1, PAGE);
    let [from, before] = begins(&app.registry.db, &who.site, [asked.from, asked.before]).await?;
    let filter = Filter { state: asked.state, place: asked.place_id, person: asked.accepted_by, from, before, limit };
    let mut tx = app.registry.db.read(who.site.id).await?;
    let items = requests::list(&mut tx, who.site.id, &filter).await?;
    let full = i64::try_from(items.len()).unwrap_or(i64::MAX) >= limit;
    let next_before = items.last().filter(|_| full).map(|last| last.created_at);
    Ok(Json(Requests { items, next_before }))
}
