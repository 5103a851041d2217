//! `DELETE /api/site/join-code`

use axum::http::StatusCode;
use crewbell_shared::Refusal;
use crewbell_shared::protocol::Source;

use crate::actions::SetJoinCode;
use crate::http::ApiError;
use crate::http::extract::CurrentUser;

/// Takes the join code away: only buttons with credentials of their own may connect.
#[utoipa::path(
    delete,
    path = "/api/site/join-code",
    tag = "site",
    responses((status = 204), (status = "4XX", body = Refusal)),
    security(("bearer" = []))
)]
pub async fn clear_join_code(who: CurrentUser) -> Result<StatusCode, ApiError> {
    who.0.site.act(Box::new(SetJoinCode { hash: None }), who.actor(), Source::App).await?;
    Ok(StatusCode::NO_CONTENT)
}
