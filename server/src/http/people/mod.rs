//! `/api/people`

mod list;
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
        .routes(routes!(list::list))
        .routes(routes!(secret::secret))
        .routes(routes!(sessions::sessions, sign_out::sign_out))
        .routes(routes!(sign_out_session::sign_out_session))
}
