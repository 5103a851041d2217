//! `/api/sync`: what a client that was away needs to be up to date.

mod entries;
mod snapshot;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::App;

/// The endpoints of sync.
pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(entries::entries)).routes(routes!(snapshot::snapshot))
}
