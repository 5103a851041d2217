//! `/api/places`

mod list;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::App;

/// The endpoints of places.
pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list::list))
}
