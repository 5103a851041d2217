//! `/api/places`

mod create;
mod do_not_disturb;
mod list;
mod save;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::App;

/// The endpoints of places.
pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list::list, create::create))
        .routes(routes!(save::save))
        .routes(routes!(do_not_disturb::do_not_disturb))
}
