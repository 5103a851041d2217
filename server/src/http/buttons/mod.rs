//! `/api/buttons`

use utoipa_axum::router::OpenApiRouter;

use super::App;

/// The endpoints.
pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
}
