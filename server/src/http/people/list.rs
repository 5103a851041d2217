//! `GET /api/people`

use axum::Json;
use axum::extract::State;
use crewbell_shared::Refusal;
use crewbell_shared::person::{Person, Role};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::db::people;
use crate::http::extract::{CurrentUser, Query};
use crate::http::{ApiError, App};

/// What to list; what is not given matches all.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Params {
    /// With this role.
    #[param(inline)]
    role: Option<Role>,
    /// Those on duty, or those who aren't.
    on_duty: Option<bool>,
    /// Those who may sign in, or those who left.
    active: Option<bool>,
}

/// A member of the crew, and whether they are there.
#[derive(Debug, Serialize, ToSchema)]
pub struct ListedPerson {
    /// Who.
    #[serde(flatten)]
    person: Person,
    /// Whether they are there: one of their devices has a live socket or an event stream, or sent a heartbeat within
    /// 30 s.
    online: bool,
}

/// The crew of the site.
#[derive(Debug, Serialize, ToSchema)]
pub struct People {
    /// By name.
    items: Vec<ListedPerson>,
}

/// Lists the crew, also those who left.
#[utoipa::path(
    get,
    path = "/api/people",
    tag = "people",
    params(Params),
    responses((status = 200, body = People), (status = "4XX", body = Refusal)),
    security(("bearer" = []))
)]
pub async fn list(
    State(app): State<App>,
    CurrentUser(who): CurrentUser,
    Query(asked): Query<Params>,
) -> Result<Json<People>, ApiError> {
    let mut tx = app.registry.db.read(who.site.id).await?;
    let mut people = people::all(&mut tx, who.site.id).await?;
    people.retain(|person| {
        asked.role.is_none_or(|role| person.role == role)
            && asked.on_duty.is_none_or(|on_duty| person.on_duty == on_duty)
            && asked.active.is_none_or(|active| person.active == active)
    });
    let listed = |person: Person| ListedPerson { online: who.site.presence.is_online(person.id), person };
    Ok(Json(People { items: people.into_iter().map(listed).collect() }))
}
