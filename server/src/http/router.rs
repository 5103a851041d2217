//! The router of all endpoints, and the OpenAPI document.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::IntoResponse;
use crewbell_shared::Code;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::trace::TraceLayer;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use utoipa_swagger_ui::{Config, SwaggerUi};

use super::questions::{self, Questions};
use super::{
    ApiError, App, activity, activity_csv, auth, buttons, calls, commands, document, events, guests, live, people,
    places, requests, server, site, status, sync, system, verbs,
};

/// Maximum size of a request body in bytes: a batch of some hundred commands fits.
pub(super) const LARGEST_BODY: usize = 1024 * 1024;

/// Time limit of a request. It doesn't apply to live sockets and event streams once they are open.
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
        .merge(verbs::router())
        .merge(requests::router())
        .merge(buttons::router())
        .merge(places::router())
        .merge(guests::router())
        .merge(people::router())
        .merge(calls::router())
        .merge(status::router())
        .merge(site::router())
        .merge(sync::router())
        .routes(routes!(activity::activity))
        .routes(routes!(activity_csv::activity_csv))
        .routes(routes!(commands::commands))
        .routes(routes!(events::events))
        .routes(routes!(events::said))
        .routes(routes!(live::live))
        .routes(routes!(server::server))
        .routes(routes!(system::healthz))
        .routes(routes!(system::readyz))
        .routes(routes!(system::metrics))
}

/// Returns the OpenAPI document of all endpoints.
pub fn openapi() -> utoipa::openapi::OpenApi {
    document::described(api()).1
}

/// Returns the router of all endpoints, with the routes in `more` that only this server has.
pub fn router(app: App, more: Router) -> Router {
    let (router, document) = document::described(api());
    let questions = Arc::new(Questions::of(&document));
    let docs = SwaggerUi::new("/docs").url("/openapi.json", document).config(Config::default().validator_url("none"));
    router
        .layer(axum::middleware::from_fn_with_state(questions, questions::refuse_unknown))
        .merge(docs)
        .merge(more.with_state(()))
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
            // The query may contain names that are searched for; the path doesn't.
            tracing::debug_span!("http", method = %request.method(), path = request.uri().path())
        }))
        .layer(axum::middleware::map_response(|mut response: axum::response::Response| async {
            let headers = response.headers_mut();
            headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
            // Forbids showing a response within another page (HTML standard, 7.5; RFC 7034 for old browsers).
            headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
            let frames = HeaderValue::from_static("frame-ancestors 'none'");
            headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(frames);
            headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
            response
        }))
        .with_state(app)
}
