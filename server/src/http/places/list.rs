//! `GET /api/places`

use axum::Json;
use axum::extract::State;
use crewbell_shared::Refusal;
use crewbell_shared::place::{Place, PlaceKind};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::db::places;
use crate::http::extract::{CurrentUser, Query};
use crate::http::{ApiError, App};

/// What to list; what is not given matches all.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Params {
    /// Of this kind.
    #[param(inline)]
    kind: Option<PlaceKind>,
}

/// The places of the site.
#[derive(Debug, Serialize, ToSchema)]
pub struct Places {
    /// By position among their siblings, then by name.
    items: Vec<Place>,
}

/// Lists places: decks, and the cabins and rooms in them.
#[utoipa::path(
    get,
    path = "/api/places",
    tag = "places",
    params(Params),
    responses((status = 200, body = Places), (status = "4XX", body = Refusal)),
    security(("bearer" = []))
)]
pub async fn list(
    State(app): State<App>,
    CurrentUser(who): CurrentUser,
    Query(Params { kind }): Query<Params>,
) -> Result<Json<Places>, ApiError> {
    let mut tx = app.registry.db.read(who.site.id).await?;
    let mut items = places::all(&mut tx, who.site.id).await?;
    items.retain(|place| kind.is_none_or(|kind| place.kind == kind));
    Ok(Json(Places { items }))
}
