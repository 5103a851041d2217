//! `/api/service-requests`

pub(super) mod get;
mod list;
pub(in crate::http) mod voice;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::App;

/// The endpoints of requests.
pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list::list)).routes(routes!(get::get)).routes(routes!(voice::voice))
}
