//! The table of contents.

use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use crewbell_shared::Code;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::trace::TraceLayer;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use utoipa_swagger_ui::{Config, SwaggerUi};

use super::{
    ApiError, App, activity, auth, buttons, commands, events, guests, live, people, places, requests, site, sync,
    system,
};

/// The largest body that is read, in bytes: a batch of some hundred commands.
const LARGEST_BODY: usize = 1024 * 1024;

/// How long a request may take. Sockets and event streams aren't requests any more once they stand.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Crewbell",
        description = "The crew's side of a call button. Times are UTC (RFC 3339); errors are {code, message, details} \
                       with stable codes; writes take an `Idempotency-Key`.",
        license(name = "MIT OR Apache-2.0")
    ),
    modifiers(&Bearer)
)]
struct Document;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        let components = openapi.components.get_or_insert_default();
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
    }
}

fn api() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(Document::openapi())
        .merge(auth::router())
        .merge(requests::router())
        .merge(buttons::router())
        .merge(places::router())
        .merge(guests::router())
        .merge(people::router())
        .merge(site::router())
        .merge(sync::router())
        .routes(routes!(activity::activity))
        .routes(routes!(commands::commands))
        .routes(routes!(events::events))
        .routes(routes!(live::live))
        .routes(routes!(system::healthz))
        .routes(routes!(system::readyz))
        .routes(routes!(system::metrics))
}

/// The OpenAPI document of all doors.
pub fn openapi() -> utoipa::openapi::OpenApi {
    api().split_for_parts().1
}

/// All doors.
pub fn router(app: App) -> Router {
    let (router, document) = api().split_for_parts();
    let docs = SwaggerUi::new("/docs").url("/openapi.json", document).config(Config::default().validator_url("none"));
    router
        .merge(docs)
        .fallback(|| async { ApiError::not_found("path") })
        .method_not_allowed_fallback(|| async {
            (StatusCode::METHOD_NOT_ALLOWED, ApiError::new(Code::Invalid, "The path doesn't take that method."))
        })
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .layer(tower_http::timeout::TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, PATIENCE))
        .layer(CatchPanicLayer::custom(|_: Box<dyn std::any::Any + Send>| {
            tracing::error!("A request panicked.");
            ApiError::new(Code::Internal, "The server failed; it has been logged there.").into_response()
        }))
        .layer(TraceLayer::new_for_http().make_span_with(|request: &axum::http::Request<_>| {
            // The query may hold names to search for; the path doesn't.
            tracing::debug_span!("http", method = %request.method(), path = request.uri().path())
        }))
        .layer(axum::middleware::map_response(|mut response: axum::response::Response| async {
            let headers = response.headers_mut();
            headers.insert(header::X_CONTENT_TYPE_OPTIONS, header::HeaderValue::from_static("nosniff"));
            headers.entry(header::CACHE_CONTROL).or_insert(header::HeaderValue::from_static("no-store"));
            response
        }))
        .with_state(app)
}
