//! `/api/guests` and `/api/stays`

mod check_in;
mod check_out;
mod create;
mod list;
mod save;
mod stays;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::App;

/// The endpoints of guests and their stays.
pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list::list, create::create))
        .routes(routes!(save::save))
        .routes(routes!(stays::stays, check_in::check_in))
        .routes(routes!(check_out::check_out))
}
