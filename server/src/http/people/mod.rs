//! `/api/people`

mod create;
mod duty;
mod list;
mod save;
mod secret;
mod sessions;
mod sign_out;
mod sign_out_session;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::App;

/// The endpoints of the crew.
pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list::list, create::create))
        .routes(routes!(save::save))
        .routes(routes!(duty::duty))
        .routes(routes!(secret::secret))
        .routes(routes!(sessions::sessions, sign_out::sign_out))
        .routes(routes!(sign_out_session::sign_out_session))
}
