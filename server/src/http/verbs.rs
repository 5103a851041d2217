//! The REST endpoints of the verbs, one line each: [`ROUTES`].
//!
//! A body has the verb's own fields, as in `POST /api/commands`. The id of its entity comes from the path; that of a new
//! one from the field `id` or, without it, from the idempotency key, so that a repeated request names the same one. The
//! OpenAPI document takes fields and texts from the verb's schema.

use std::collections::BTreeMap;

use axum::RequestExt;
use axum::extract::{FromRequest, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter, on};
use crewbell_shared::Code;
use crewbell_shared::protocol::{Outcome, Verb};
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::openapi::path::{HttpMethod, OperationBuilder, ParameterBuilder, ParameterIn, PathItem, PathsBuilder};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{Object, ObjectBuilder, OneOfBuilder, Schema, Type};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Required, ResponseBuilder};
use utoipa::{PartialSchema, ToSchema};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};
use uuid::Uuid;

use super::calls::{self, CallOutcome};
use super::examples::verb_example;
use super::extract::{Body, CurrentUser, IdempotencyKey, Path};
use super::{ApiError, App, command};

/// The endpoint of a verb.
#[derive(Clone, Copy)]
struct Route {
    tag: &'static str,
    /// The operation's name, unique beneath its tag.
    name: &'static str,
    /// Whether the method is PUT instead of POST.
    put: bool,
    path: &'static str,
    verb: &'static str,
    /// The field that comes from the path.
    on: Option<&'static str>,
    /// The field with the id of what is new.
    new: Option<&'static str>,
}

const fn post(tag: &'static str, name: &'static str, path: &'static str, verb: &'static str) -> Route {
    Route { tag, name, put: false, path, verb, on: None, new: None }
}

impl Route {
    const fn put(self) -> Self {
        Self { put: true, ..self }
    }

    const fn on(self, field: &'static str) -> Self {
        Self { on: Some(field), ..self }
    }

    const fn makes(self, field: &'static str) -> Self {
        Self { new: Some(field), ..self }
    }
}

/// The endpoints of all verbs that have one.
const ROUTES: [Route; 25] = [
    post("requests", "create", "/api/service-requests", "create_request").makes("request_id"),
    post("requests", "accept", "/api/service-requests/{id}/accept", "accept_request").on("request_id"),
    post("requests", "release", "/api/service-requests/{id}/release", "release_request").on("request_id"),
    post("requests", "hand_over", "/api/service-requests/{id}/hand-over", "hand_over_request").on("request_id"),
    post("requests", "complete", "/api/service-requests/{id}/complete", "complete_request").on("request_id"),
    post("requests", "cancel", "/api/service-requests/{id}/cancel", "cancel_request").on("request_id"),
    post("requests", "note", "/api/service-requests/{id}/notes", "note_request").on("request_id").makes("note_id"),
    post("buttons", "create", "/api/buttons", "create_button").makes("button_id"),
    post("buttons", "assign", "/api/buttons/{id}/assign", "assign_button").on("button_id"),
    post("buttons", "retire", "/api/buttons/{id}/retire", "retire_button").on("button_id"),
    post("places", "create", "/api/places", "save_place").makes("place_id"),
    post("places", "save", "/api/places/{id}", "save_place").put().on("place_id"),
    post("places", "do_not_disturb", "/api/places/{id}/do-not-disturb", "set_do_not_disturb").on("place_id"),
    post("guests", "create", "/api/guests", "save_guest").makes("guest_id"),
    post("guests", "save", "/api/guests/{id}", "save_guest").put().on("guest_id"),
    post("guests", "check_in", "/api/stays", "check_in").makes("stay_id"),
    post("guests", "check_out", "/api/stays/{id}/check-out", "check_out").on("stay_id"),
    post("people", "create", "/api/people", "save_person").makes("person_id"),
    post("people", "save", "/api/people/{id}", "save_person").put().on("person_id"),
    post("people", "duty", "/api/people/{id}/duty", "set_duty").on("person_id"),
    post("calls", "initiate", "/api/call/initiate", "start_call").makes("call_id"),
    post("calls", "answer", "/api/call/answer", "answer_call"),
    post("calls", "reject", "/api/call/reject", "reject_call"),
    post("calls", "hangup", "/api/call/hangup", "end_call"),
    post("calls", "mark_seen", "/api/call/mark-seen/{id}", "see_call").on("call_id"),
];

/// The router of all verbs.
pub(super) fn router() -> OpenApiRouter<App> {
    let schemas = schemas();
    ROUTES.iter().fold(OpenApiRouter::new(), |router, route| match schemas.get(route.verb) {
        Some(schema) => router.routes(route.endpoint(schema)),
        None => router,
    })
}

/// Returns each verb's schema, by its name.
fn schemas() -> BTreeMap<String, Object> {
    let mut named = Vec::new();
    Verb::schemas(&mut named);
    let mut verbs = BTreeMap::new();
    for (_, schema) in named {
        let RefOr::T(Schema::OneOf(set)) = schema else { continue };
        for item in set.items {
            let RefOr::T(Schema::Object(verb)) = item else { continue };
            let Some(RefOr::T(Schema::Object(name))) = verb.properties.get("type") else { continue };
            let name = name.enum_values.iter().flatten().next().and_then(Value::as_str).map(str::to_owned);
            verbs.extend(name.map(|name| (name, verb)));
        }
    }
    verbs
}

impl Route {
    fn endpoint(self, schema: &Object) -> UtoipaMethodRouter<App> {
        let body = self.body(schema);
        let outcome = if self.tag == "calls" { CallOutcome::name() } else { Outcome::name() };
        let json = |schema: RefOr<Schema>| ContentBuilder::new().schema(Some(schema)).build();
        let answer = |name: &str| {
            ResponseBuilder::new().content("application/json", json(Ref::from_schema_name(name).into())).build()
        };
        let operation = OperationBuilder::new()
            .tag(self.tag)
            .operation_id(Some(self.name))
            .summary(schema.description.clone())
            .response("200", answer(&outcome))
            .response("4XX", answer("Refusal"))
            .security(SecurityRequirement::new("bearer", Vec::<String>::new()))
            .parameters(Some(self.on.map(|field| {
                ParameterBuilder::new()
                    .name("id")
                    .parameter_in(ParameterIn::Path)
                    .required(Required::True)
                    .description(Some(format!("The {}.", field.trim_end_matches("_id"))))
                    .schema(schema.properties.get(field).cloned())
                    .build()
            })))
            .request_body(body.clone().map(|body| {
                let content = ContentBuilder::new()
                    .schema(Some(RefOr::T(Schema::Object(body))))
                    .example(verb_example(self.verb))
                    .build();
                RequestBodyBuilder::new().content("application/json", content).required(Some(Required::True)).build()
            }));
        let method = if self.put { HttpMethod::Put } else { HttpMethod::Post };
        let paths = PathsBuilder::new().path(self.path, PathItem::new(method, operation)).build();
        let mut schemas = vec![(CallOutcome::name().into_owned(), CallOutcome::schema())];
        CallOutcome::schemas(&mut schemas);
        (schemas, paths, self.handler(body.is_some()))
    }

    /// Returns the schema of the body: the verb's fields that come from nowhere else, and the `id` of what is new. None
    /// if there are none.
    fn body(&self, schema: &Object) -> Option<Object> {
        let mut body = schema.clone();
        body.description = None;
        for field in ["type"].into_iter().chain(self.on).chain(self.new) {
            body.properties.shift_remove(field);
            body.required.retain(|required| required != field);
        }
        if let Some(id) = self.new.and_then(|field| schema.properties.get(field)) {
            let text = "The new one's id; by default the idempotency key.";
            let id = OneOfBuilder::new().item(id.clone()).item(ObjectBuilder::new().schema_type(Type::Null));
            body.properties.insert("id".to_owned(), RefOr::T(Schema::OneOf(id.description(Some(text)).build())));
        }
        (!body.properties.is_empty()).then_some(body)
    }

    fn handler(self, has_body: bool) -> MethodRouter<App> {
        let filter = if self.put { MethodFilter::PUT } else { MethodFilter::POST };
        on(filter, async move |State(app): State<App>, who: CurrentUser, key: IdempotencyKey, request: Request| {
            self.run(&app, &who, key, request, has_body).await
        })
    }

    async fn run(
        self,
        app: &App,
        who: &CurrentUser,
        key: IdempotencyKey,
        mut request: Request,
        has_body: bool,
    ) -> Result<Response, ApiError> {
        let on = match self.on {
            Some(field) => Some((field, request.extract_parts::<Path<Uuid>>().await?.0)),
            None => None,
        };
        let fields =
            if has_body { Body::<Map<String, Value>>::from_request(request, &()).await?.0 } else { Map::new() };
        let verb = self.verb(fields, on, key.0.0)?;
        if self.tag == "calls" {
            return Ok(calls::run(app, who, key, verb).await?.into_response());
        }
        Ok(command::run(who, key, verb).await?.into_response())
    }

    /// Builds the verb from a body's fields, the id in the path and the idempotency key.
    fn verb(&self, mut fields: Map<String, Value>, on: Option<(&str, Uuid)>, key: Uuid) -> Result<Verb, ApiError> {
        if let Some(new) = self.new {
            let id = fields.remove("id").filter(|id| !id.is_null());
            fields.insert(new.to_owned(), id.unwrap_or_else(|| key.to_string().into()));
        }
        fields.extend(on.map(|(field, id)| (field.to_owned(), id.to_string().into())));
        fields.insert("type".to_owned(), self.verb.into());
        Verb::deserialize(Value::Object(fields))
            .map_err(|error| ApiError::new(Code::Invalid, format!("The body can't be read: {error}.")))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_verb_has_its_endpoint_or_is_part_of_another() {
        let routed: BTreeSet<&str> = ROUTES.iter().map(|route| route.verb).collect();
        let all: BTreeSet<&str> = Verb::NAMES.concat().into_iter().collect();
        assert!(routed.is_subset(&all), "{routed:?}");
        // Both have endpoints of their own shape.
        let others: Vec<_> = all.difference(&routed).copied().collect();
        assert_eq!(others, ["save_settings", "set_busy"]);
        assert_eq!(schemas().into_keys().collect::<BTreeSet<_>>(), all.into_iter().map(str::to_owned).collect());
    }

    #[test]
    fn the_fields_of_a_route_are_fields_of_its_verb() {
        let schemas = schemas();
        for route in ROUTES {
            let schema = &schemas[route.verb];
            for field in route.on.into_iter().chain(route.new) {
                assert!(schema.properties.contains_key(field), "{}: {field}", route.path);
            }
            assert_eq!(route.path.contains("{id}"), route.on.is_some(), "{}", route.path);
        }
    }

    #[test]
    fn a_new_one_is_named_by_its_id_or_by_the_key_and_never_by_what_else_a_body_says() {
        let route = ROUTES.iter().find(|route| route.verb == "note_request").unwrap();
        let (request, key, other) = (Uuid::from_u128(1), Uuid::from_u128(2), Uuid::from_u128(3));
        let verb = |fields: Value| {
            let Value::Object(fields) = fields else { panic!("it is an object") };
            route.verb(fields, Some(("request_id", request)), key).map(|verb| serde_json::to_value(verb).unwrap())
        };
        let note = |id: Uuid| serde_json::json!({ "type": "note_request", "request_id": request, "note_id": id, "text": "Ice" });
        assert_eq!(verb(serde_json::json!({ "text": "Ice" })).unwrap(), note(key));
        assert_eq!(verb(serde_json::json!({ "text": "Ice", "id": null })).unwrap(), note(key));
        let all = serde_json::json!({ "text": "Ice", "id": other, "request_id": other, "type": "accept_request" });
        assert_eq!(verb(all).unwrap(), note(other));
        assert_eq!(verb(serde_json::json!({})).unwrap_err().0.code, Code::Invalid);
    }
}
