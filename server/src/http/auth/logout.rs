//! `POST /api/auth/logout`

use axum::http::StatusCode;
use crewbell_shared::Refusal;
use crewbell_shared::person::Actor;
use crewbell_shared::protocol::Source;

use crate::actions::SignOut;
use crate::http::ApiError;
use crate::http::extract::CurrentUser;

/// Signs out: the token is worth nothing from here on, and its sockets are closed.
#[utoipa::path(
    post,
    path = "/api/auth/logout",
    tag = "auth",
    responses((status = 204), (status = "4XX", body = Refusal)),
    security(("bearer" = []))
)]
pub async fn logout(CurrentUser(who): CurrentUser) -> Result<StatusCode, ApiError> {
    let action = SignOut { person_id: who.person.id, session_id: Some(who.session_id) };
    who.site.act(Box::new(action), Actor::Person(who.person), Source::App).await?;
    Ok(StatusCode::NO_CONTENT)
}
