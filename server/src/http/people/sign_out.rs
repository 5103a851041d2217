//! `DELETE /api/people/{id}/sessions`

use axum::http::StatusCode;
use crewbell_shared::Refusal;
use crewbell_shared::ids::PersonId;
use crewbell_shared::protocol::Source;

use crate::actions::SignOut;
use crate::http::ApiError;
use crate::http::extract::{CurrentUser, Path};

/// Signs a person out of all their devices: oneself, or anybody with the right to change the crew.
#[utoipa::path(
    delete,
    path = "/api/people/{id}/sessions",
    tag = "people",
    params(("id" = PersonId, Path, description = "The person")),
    responses((status = 204), (status = "4XX", body = Refusal)),
    security(("bearer" = []))
)]
pub async fn sign_out(who: CurrentUser, Path(person_id): Path<PersonId>) -> Result<StatusCode, ApiError> {
    let action = SignOut { person_id, session_id: None };
    who.0.site.act(Box::new(action), who.actor(), Source::App).await?;
    Ok(StatusCode::NO_CONTENT)
}
