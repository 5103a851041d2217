//! The table of contents.

use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use crewbell_shared::Code;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::trace::TraceLayer;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Content, RefOr, Required};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use utoipa_swagger_ui::{Config, SwaggerUi};

use super::{
    ApiError, App, activity, activity_csv, auth, buttons, calls, commands, events, guests, live, people, places,
    requests, server, site, status, sync, system,
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

/// The OpenAPI document of all doors.
pub fn openapi() -> utoipa::openapi::OpenApi {
    described(api()).1
}

/// The doors and their document. What the document has from the handlers is completed with what they have in common:
/// operation ids that are unique, because handlers are named by their verb alone, and the key of every command.
fn described(api: OpenApiRouter<App>) -> (Router<App>, utoipa::openapi::OpenApi) {
    let (router, mut document) = api.split_for_parts();
    for item in document.paths.paths.values_mut() {
        let item: [&mut Option<Operation>; 4] = [&mut item.get, &mut item.post, &mut item.put, &mut item.delete];
        for operation in item.into_iter().flatten() {
            let tag = operation.tags.iter().flatten().next().map_or("crewbell", String::as_str);
            let name = |id: &str| if id.starts_with(tag) { id.to_owned() } else { format!("{tag}_{id}") };
            operation.operation_id = operation.operation_id.as_deref().map(name);
            shorten(operation);
            if answers(operation, "Outcome") || answers(operation, "CallOutcome") {
                operation.parameters.get_or_insert_default().push(idempotency_key().into());
            }
        }
    }
    (router, document)
}

/// Makes the first sentence of an operation its summary, and what follows its description: a summary is a line in a
/// list of doors.
fn shorten(operation: &mut Operation) {
    let Some(summary) = operation.summary.take().map(|summary| summary.replace('\n', " ")) else { return };
    let Some((first, rest)) = summary.split_once(". ") else {
        operation.summary = Some(summary);
        return;
    };
    let more = operation.description.take().map(|more| format!("\n\n{more}")).unwrap_or_default();
    operation.description = Some(format!("{rest}{more}"));
    operation.summary = Some(format!("{first}."));
}

/// Whether an operation answers with a schema when it is done.
fn answers(operation: &Operation, schema: &str) -> bool {
    let Some(RefOr::T(response)) = operation.responses.responses.get("200") else { return false };
    let named = |location: &str| location.rsplit('/').next() == Some(schema);
    response.content.values().any(|content| {
        matches!(content, RefOr::T(Content { schema: Some(RefOr::Ref(schema)), .. }) if named(&schema.ref_location))
    })
}

fn idempotency_key() -> Parameter {
    let schema =
        ObjectBuilder::new().schema_type(Type::String).format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)));
    let description = "The command's id: sending it twice does it once. A new one when not given.";
    let header = ParameterBuilder::new().name("Idempotency-Key").parameter_in(ParameterIn::Header);
    header.required(Required::False).description(Some(description)).schema(Some(schema)).build()
}

/// All doors, with `more` that only this server has.
pub fn router(app: App, more: Router) -> Router {
    let (router, document) = described(api());
    let docs = SwaggerUi::new("/docs").url("/openapi.json", document).config(Config::default().validator_url("none"));
    router
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
