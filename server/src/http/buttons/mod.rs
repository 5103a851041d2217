//! `/api/buttons`

mod clear_credentials;
mod list;
pub(super) mod set_credentials;
mod unrecognised;
mod voice;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::App;

/// The endpoints of buttons.
pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list::list))
        .routes(routes!(unrecognised::unrecognised))
        .routes(routes!(voice::voice))
        .routes(routes!(set_credentials::set_credentials, clear_credentials::clear_credentials))
}
