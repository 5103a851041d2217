//! `/api/site`

mod clear_join_code;
mod get;
mod save_settings;
mod set_join_code;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::App;

/// The endpoints of the site itself.
pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(get::get))
        .routes(routes!(save_settings::save_settings))
        .routes(routes!(set_join_code::set_join_code, clear_join_code::clear_join_code))
}
