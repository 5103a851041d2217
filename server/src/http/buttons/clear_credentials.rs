//! `DELETE /api/buttons/{id}/credentials`

use axum::http::StatusCode;
use crewbell_shared::Refusal;
use crewbell_shared::ids::ButtonId;
use crewbell_shared::protocol::Source;

use crate::actions::SetButtonSecret;
use crate::http::ApiError;
use crate::http::extract::{CurrentUser, Path};

/// Takes a button's own credentials away: it signs in with the site's join code again.
#[utoipa::path(
    delete,
    path = "/api/buttons/{id}/credentials",
    tag = "buttons",
    params(("id" = ButtonId, Path, description = "The button")),
    responses((status = 204), (status = "4XX", body = Refusal)),
    security(("bearer" = []))
)]
pub async fn clear_credentials(who: CurrentUser, Path(button_id): Path<ButtonId>) -> Result<StatusCode, ApiError> {
    let action = SetButtonSecret { button_id, hash: None };
    who.0.site.act(Box::new(action), who.actor(), Source::App).await?;
    Ok(StatusCode::NO_CONTENT)
}
