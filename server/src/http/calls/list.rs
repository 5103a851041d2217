//! `GET /api/calls`

use axum::Json;
use axum::extract::State;
use crewbell_shared::Refusal;
use crewbell_shared::call::{Call, CallState};
use crewbell_shared::ids::PersonId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::db::calls::{self, Filter};
use crate::http::extract::{CurrentUser, Query};
use crate::http::when::{When, begins};
use crate::http::{ApiError, App};

/// Maximum number of calls on a page, apart from those made at the same moment as the last one.
const PAGE: i64 = 200;

/// What to list; what is not given matches all.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Params {
    /// In which this person called or was called.
    person_id: Option<PersonId>,
    /// About the request or place with this id.
    about_id: Option<Uuid>,
    /// `ringing`, `ongoing` or `ended`.
    #[param(max_length = 16)]
    state: Option<String>,
    /// Made from this time on; or from the beginning of this day (`2026-11-21`) in the site's time zone.
    #[param(schema_with = crate::http::when::schema, required = false)]
    from: Option<When>,
    /// Made before this time, or before this day: the next page begins at the last page's `next_before`.
    #[param(schema_with = crate::http::when::schema, required = false)]
    before: Option<When>,
    /// At most so many, 1 to 200; 50 when not given. Those made at the same moment as the last one come with it.
    limit: Option<i64>,
}

/// A page of calls.
#[derive(Debug, Serialize, ToSchema)]
pub struct Calls {
    /// Newest first.
    items: Vec<Call>,
    /// Where the next page begins; none on the last one.
    next_before: Option<Timestamp>,
}

/// Lists calls, newest first.
#[utoipa::path(
    get,
    path = "/api/calls",
    tag = "calls",
    params(Params),
    responses((status = 200, body = Calls), (status = "4XX", body = Refusal)),
    security(("bearer" = []))
)]
pub async fn list(
    State(app): State<App>,
    CurrentUser(who): CurrentUser,
    Query(asked): Query<Params>,
) -> Result<Json<Calls>, ApiError> {
    if let Some(state) = asked.state.as_deref().filter(|state| !CallState::NAMES.contains(state)) {
        return Err(Refusal::invalid("state", format!("{state:?} is no state.")).into());
    }
    let limit = asked.limit.unwrap_or(50).clamp(1, PAGE);
    let Params { person_id, about_id, state, from, before, limit: _ } = asked;
    let [from, before] = begins(&app.registry.db, &who.site, [from, before]).await?;
    let filter = Filter { person: person_id, about: about_id, state, from, before, limit };
    let mut tx = app.registry.db.read(who.site.id).await?;
    let items = calls::list(&mut tx, who.site.id, &filter).await?;
    let full = i64::try_from(items.len()).unwrap_or(i64::MAX) >= limit;
    let next_before = items.last().filter(|_| full).map(|last| last.call_time);
    Ok(Json(Calls { items, next_before }))
}
