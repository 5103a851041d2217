//! `GET /api/call/{id}`

use axum::Json;
use axum::extract::State;
use crewbell_shared::Refusal;
use crewbell_shared::call::Call;
use crewbell_shared::ids::CallId;

use crate::http::extract::{CurrentUser, Path};
use crate::http::{ApiError, App};

/// One call as it is now.
#[utoipa::path(
    get,
    path = "/api/call/{id}",
    tag = "calls",
    params(("id" = CallId, Path, description = "The call")),
    responses((status = 200, body = Call), (status = "4XX", body = Refusal)),
    security(("bearer" = []))
)]
pub async fn get(State(app): State<App>, who: CurrentUser, Path(id): Path<CallId>) -> Result<Json<Call>, ApiError> {
    super::find(&app, &who, id).await.map(Json)
}
