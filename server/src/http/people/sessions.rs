//! `GET /api/people/{id}/sessions`

use axum::Json;
use axum::extract::State;
use crewbell_shared::Refusal;
use crewbell_shared::ids::{PersonId, SessionId};
use crewbell_shared::person::Right;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::db::{people, sessions};
use crate::http::extract::{CurrentUser, Path};
use crate::http::{ApiError, App};

/// A session of a person on a device. The device's id isn't disclosed, because with it somebody could slow down a
/// colleague's sign-in on a shared tablet.
#[derive(Debug, Serialize, ToSchema)]
pub struct ListedSession {
    /// Which session.
    id: SessionId,
    /// The device's name, as its user gave it.
    device_name: String,
    /// When they signed in.
    created_at: Timestamp,
    /// When it was last used, to the hour.
    used_at: Timestamp,
    /// Whether it is the session that asks.
    current: bool,
}

/// The devices that somebody is signed in on.
#[derive(Debug, Serialize, ToSchema)]
pub struct Sessions {
    /// Newest first.
    items: Vec<ListedSession>,
}

/// Lists where a person is signed in: one's own devices, or anybody's with the right to change the crew.
#[utoipa::path(
    get,
    path = "/api/people/{id}/sessions",
    tag = "people",
    params(("id" = PersonId, Path, description = "The person")),
    responses((status = 200, body = Sessions), (status = "4XX", body = Refusal)),
    security(("bearer" = []))
)]
pub async fn sessions(
    State(app): State<App>,
    who: CurrentUser,
    Path(person_id): Path<PersonId>,
) -> Result<Json<Sessions>, ApiError> {
    who.be_or_need(person_id, Right::EditPeople)?;
    let site = who.0.site.id;
    let mut tx = app.registry.db.read(site).await?;
    people::find(&mut tx, site, person_id).await?.ok_or_else(|| ApiError::not_found("person"))?;
    let live = sessions::of_person(&mut tx, site, person_id).await?;
    let listed = live.into_iter().map(|session| ListedSession {
        current: session.id == who.0.session_id,
        id: session.id,
        device_name: session.device_name,
        created_at: session.created_at,
        used_at: session.used_at,
    });
    Ok(Json(Sessions { items: listed.collect() }))
}
