//! `/api/guests` and `/api/stays`

mod list;
mod stays;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::App;

/// The endpoints of guests and their stays.
pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list::list)).routes(routes!(stays::stays))
}
