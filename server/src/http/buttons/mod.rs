//! `/api/buttons`

mod assign;
mod clear_credentials;
mod create;
mod list;
mod retire;
pub(super) mod set_credentials;
mod unrecognised;
mod voice;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::App;

/// The endpoints of buttons.
pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list::list, create::create))
        .routes(routes!(unrecognised::unheard))
        .routes(routes!(voice::voice))
        .routes(routes!(assign::assign))
        .routes(routes!(retire::retire))
        .routes(routes!(set_credentials::set_credentials, clear_credentials::clear_credentials))
}
