//! `DELETE /api/people/{id}/sessions/{session_id}`

use axum::http::StatusCode;
use crewbell_shared::Refusal;
use crewbell_shared::ids::{PersonId, SessionId};
use crewbell_shared::protocol::Source;

use crate::actions::SignOut;
use crate::http::ApiError;
use crate::http::extract::{CurrentUser, Path};

/// Signs a person out of one device: a tablet that was lost. A session that has ended already is a success.
#[utoipa::path(
    delete,
    path = "/api/people/{id}/sessions/{session_id}",
    tag = "people",
    params(
        ("id" = PersonId, Path, description = "The person"),
        ("session_id" = SessionId, Path, description = "The session")
    ),
    responses((status = 204), (status = "4XX", body = Refusal)),
    security(("bearer" = []))
)]
pub async fn sign_out_session(
    who: CurrentUser,
    Path((person_id, session_id)): Path<(PersonId, SessionId)>,
) -> Result<StatusCode, ApiError> {
    let action = SignOut { person_id, session_id: Some(session_id) };
    who.0.site.act(Box::new(action), who.actor(), Source::App).await?;
    Ok(StatusCode::NO_CONTENT)
}
