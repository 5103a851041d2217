//! `GET /api/activity`

/// The activity.
#[utoipa::path(get, path = "/api/activity", tag = "activity")]
pub async fn activity() {}
