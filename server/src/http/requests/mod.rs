//! `/api/service-requests`

mod accept;
mod cancel;
mod complete;
mod create;
pub(super) mod get;
mod hand_over;
mod list;
mod note;
mod release;
pub(in crate::http) mod voice;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::App;

/// The endpoints of requests.
pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list::list, create::create))
        .routes(routes!(get::get))
        .routes(routes!(accept::accept))
        .routes(routes!(release::release))
        .routes(routes!(hand_over::hand_over))
        .routes(routes!(complete::complete))
        .routes(routes!(cancel::cancel))
        .routes(routes!(note::note))
        .routes(routes!(voice::voice))
}
