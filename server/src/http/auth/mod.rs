//! `/api/auth`

mod login;
mod logout;
mod me;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::App;

/// The endpoints of signing in.
pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(login::login)).routes(routes!(logout::logout)).routes(routes!(me::me))
}
