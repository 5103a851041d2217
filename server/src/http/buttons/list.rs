//! `GET /api/buttons`

use axum::Json;
use axum::extract::State;
use crewbell_shared::Refusal;
use crewbell_shared::button::{Button, ButtonState};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::db::buttons;
use crate::http::extract::{CurrentUser, Query};
use crate::http::{ApiError, App};

/// What to list; what is not given matches all.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Params {
    /// Of this state.
    #[param(inline)]
    state: Option<ButtonState>,
}

/// A button, and when it was heard.
#[derive(Debug, Serialize, ToSchema)]
pub struct ListedButton {
    /// The button, as last logged.
    #[serde(flatten)]
    button: Button,
    /// When it was last heard, to the message; the log tells of it every quarter of an hour only.
    seen_at: Option<Timestamp>,
}

/// The buttons of the site.
#[derive(Debug, Serialize, ToSchema)]
pub struct Buttons {
    /// By their ids on the wire.
    items: Vec<ListedButton>,
}

/// Lists buttons. Those in state `new` wait for somebody to say where they are.
#[utoipa::path(
    get,
    path = "/api/buttons",
    tag = "buttons",
    params(Params),
    responses((status = 200, body = Buttons), (status = "4XX", body = Refusal)),
    security(("bearer" = []))
)]
pub async fn list(
    State(app): State<App>,
    CurrentUser(who): CurrentUser,
    Query(Params { state }): Query<Params>,
) -> Result<Json<Buttons>, ApiError> {
    let mut tx = app.registry.db.read(who.site.id).await?;
    let known = buttons::all(&mut tx, who.site.id).await?;
    let meant = known.into_iter().filter(|known| state.is_none_or(|state| known.button.state == state));
    let items = meant.map(|known| ListedButton { button: known.button, seen_at: known.seen_at }).collect();
    Ok(Json(Buttons { items }))
}
