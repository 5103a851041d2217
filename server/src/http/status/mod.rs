//! `/api/status`: presence, kept in memory only.

mod heartbeat;
mod update;
mod user;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::App;

/// The endpoints of presence.
pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(heartbeat::heartbeat))
        .routes(routes!(user::user))
        .routes(routes!(update::update))
}
