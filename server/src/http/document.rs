//! Completes the OpenAPI document with the parts that operations share.

use axum::Router;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{Content, ContentBuilder, PathItem, Ref, RefOr, Required, Response, ResponseBuilder};
use utoipa_axum::router::OpenApiRouter;

use super::App;
use super::examples::example;

/// Returns the router and its OpenAPI document. The document from the handlers is completed with unique operation ids,
/// because handlers are named by their verb alone; the idempotency key of every command; the 503 response; and an
/// example of each body.
pub(super) fn described(api: OpenApiRouter<App>) -> (Router<App>, utoipa::openapi::OpenApi) {
    let (router, mut document) = api.split_for_parts();
    for (path, item) in &mut document.paths.paths {
        for operation in operations(item) {
            let tag = operation.tags.iter().flatten().next().map_or("crewbell", String::as_str);
            let name = |id: &str| if id.starts_with(tag) { id.to_owned() } else { format!("{tag}_{id}") };
            operation.operation_id = operation.operation_id.as_deref().map(name);
            shorten(operation);
            if answers(operation, "Outcome") || answers(operation, "CallOutcome") {
                operation.parameters.get_or_insert_default().push(idempotency_key().into());
            }
            if path.starts_with("/api/") {
                operation.responses.responses.insert("503".to_owned(), away().into());
            }
            if let Some(RefOr::T(body)) = &mut operation.request_body {
                for content in body.content.values_mut() {
                    if let RefOr::T(content) = content
                        && content.example.is_none()
                    {
                        content.example = schema_of(content).and_then(example);
                    }
                }
            }
        }
    }
    (router, document)
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let item = [&mut item.get, &mut item.post, &mut item.put, &mut item.delete];
    item.into_iter().flatten()
}

/// Returns the 503 response of every operation for when the database is unavailable, with the `Retry-After` header.
fn away() -> Response {
    let seconds = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1));
    let retry_after =
        HeaderBuilder::new().schema(Some(seconds)).description(Some("Seconds after which to try again.")).build();
    let refusal = ContentBuilder::new().schema(Some(Ref::from_schema_name("Refusal"))).build();
    ResponseBuilder::new()
        .description("`unavailable`: the database is away, or the answer took too long. The same again is right.")
        .header("Retry-After", retry_after)
        .content("application/json", refusal)
        .build()
}

fn schema_of(content: &Content) -> Option<&str> {
    let Some(RefOr::Ref(schema)) = &content.schema else { return None };
    schema.ref_location.rsplit('/').next()
}

/// Splits an operation's text into its first sentence as the summary and the rest as the description. A summary is one
/// line in a list of endpoints.
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

/// Returns whether an operation's 200 response has a schema.
fn answers(operation: &Operation, schema: &str) -> bool {
    let Some(RefOr::T(response)) = operation.responses.responses.get("200") else { return false };
    let contents = response.content.values();
    contents
        .filter_map(|content| if let RefOr::T(content) = content { schema_of(content) } else { None })
        .any(|it| it == schema)
}

fn idempotency_key() -> Parameter {
    let schema =
        ObjectBuilder::new().schema_type(Type::String).format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)));
    let description = "The command's id: sending it twice does it once. A new one when not given.";
    let header = ParameterBuilder::new().name("Idempotency-Key").parameter_in(ParameterIn::Header);
    header.required(Required::False).description(Some(description)).schema(Some(schema)).build()
}
