//! `/api/sync`: snapshot and entries for clients that catch up after being offline.

mod entries;
mod snapshot;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::App;

/// The endpoints of sync.
pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(entries::entries)).routes(routes!(snapshot::snapshot))
}
