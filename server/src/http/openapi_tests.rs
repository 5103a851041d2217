//! Tests of the OpenAPI document: it is the committed one, each of its endpoints exists, and each is described.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use crewbell_shared::Code;
use crewbell_shared::ids::SiteId;
use reqwest::{Client, Method, StatusCode};
use serde_json::Value;
use sqlx::postgres::PgConnectOptions;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{App, openapi, router};
use crate::auth::Token;
use crate::clock::{Clock, Ids};
use crate::db::{Db, DbSettings};
use crate::ice::Ice;
use crate::site_registry::SiteRegistry;

const COMMITTED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/openapi.json");

/// Starts the endpoints without a database on a local port, and returns their address.
async fn endpoints() -> String {
    let nowhere = PgConnectOptions::new().socket("/nonexistent").username("nobody");
    let settings = DbSettings { readers: 1, ..DbSettings::new(nowhere.clone(), nowhere) };
    let registry = SiteRegistry::new(Db::new(settings), Clock::default(), Ids::seeded(1), CancellationToken::new());
    let service = router(App::new(registry, Ice::default(), None, crate::live::SILENCE), axum::Router::new())
        .into_make_service_with_connect_info::<SocketAddr>();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, service).await });
    format!("http://{address}")
}

fn client() -> Client {
    // Another test may have installed it already, with the same provider.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::new()
}

/// Returns every operation: its method, its path, and its description in the document.
fn operations() -> Vec<(Method, String, Value)> {
    let document = serde_json::to_value(openapi()).unwrap();
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let method = method.to_uppercase().parse().unwrap();
            operations.push((method, path.clone(), operation.clone()));
        }
    }
    assert!(operations.len() > 40, "{}", operations.len());
    operations
}

/// Returns a path with ids for its parameters.
fn filled(path: &str) -> String {
    let part = |part: &str| if part.starts_with('{') { Uuid::nil().to_string() } else { part.to_owned() };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

/// Returns whether a text is one sentence on one line.
fn is_sentence(text: &str) -> bool {
    text.ends_with('.') && !text.contains(". ") && !text.contains('\n')
}

#[test]
fn the_committed_description_is_the_served_one() {
    let served = openapi().to_pretty_json().unwrap();
    let committed = std::fs::read_to_string(COMMITTED).unwrap_or_default();
    let same = served.trim_end() == committed.trim_end().replace("\r\n", "\n");
    assert!(same, "docs/openapi.json is not what the server serves; `cargo xtask openapi` writes it anew");
}

#[test]
fn every_operation_says_what_it_does_and_how_it_refuses() {
    let mut ids = BTreeSet::new();
    for (method, path, operation) in operations() {
        let what = format!("{method} {path}");
        assert_eq!(operation["tags"].as_array().map(Vec::len), Some(1), "{what}: a tag");
        assert!(operation["summary"].as_str().is_some_and(is_sentence), "{what}: a summary");
        // Monitoring endpoints have no refusals.
        let refuses = operation["responses"].get("4XX").is_some();
        assert_eq!(refuses, path.starts_with("/api/"), "{what}: a response for 4XX");
        let id = operation["operationId"].as_str().unwrap().to_owned();
        assert!(ids.insert(id.clone()), "{what}: {id} names another operation too");
        let open =
            ["/api/auth/login", "/api/live", "/api/server"].contains(&path.as_str()) || !path.starts_with("/api/");
        assert_eq!(operation.get("security").is_none(), open, "{what}: who may");
    }
}

#[test]
fn every_operation_says_that_the_database_may_be_away_and_every_body_has_an_example() {
    for (method, path, operation) in operations() {
        let away = &operation["responses"]["503"];
        assert!(!away.is_null() || path == "/healthz" || path == "/metrics", "{method} {path}: 503");
        let content = &operation["requestBody"]["content"]["application/json"];
        assert!(content.is_null() || content["example"].is_object(), "{method} {path}: an example");
    }
}

/// Checks that schema names are unique, because two types of one name would share one schema.
#[test]
fn no_two_types_are_described_under_one_name() {
    fn sources(folder: &std::path::Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(std::fs::read_to_string(&path).unwrap());
            }
        }
    }
    let mut texts = Vec::new();
    for folder in ["/src", "/../shared/src"] {
        sources(std::path::Path::new(&format!("{}{folder}", env!("CARGO_MANIFEST_DIR"))), &mut texts);
    }
    let mut names = BTreeSet::new();
    for text in &texts {
        for part in text.split("ToSchema)").skip(1) {
            let head = part.lines().take(8).collect::<Vec<_>>().join(" ");
            let words: Vec<&str> = head.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
            let after = |word: &str| words.iter().position(|one| *one == word).and_then(|place| words.get(place + 1));
            let kind = ["struct", "enum"].iter().filter_map(|word| words.iter().position(|one| one == word)).min();
            let Some(kind) = kind else { continue };
            let named = after("as").filter(|_| words.iter().position(|one| *one == "as") < Some(kind));
            let name = named.or_else(|| words.get(kind + 1)).unwrap();
            // The macro for ids has no literal name.
            if name.is_empty() {
                continue;
            }
            assert!(
                names.insert((*name).to_owned()),
                "two types are described as {name}: give one of them `schema(as = …)`"
            );
        }
    }
    assert!(names.len() > 60, "{}", names.len());
}

/// Collects the paths of all strings in `schema` without a maximum length and of all arrays without a maximum size.
fn endless(document: &Value, schema: &Value, path: &str, seen: &mut BTreeSet<String>, found: &mut BTreeSet<String>) {
    if let Some(name) = schema["$ref"].as_str().and_then(|name| name.strip_prefix("#/components/schemas/")) {
        if seen.insert(name.to_owned()) {
            endless(document, &document["components"]["schemas"][name], name, seen, found);
        }
        return;
    }
    let is =
        |sort: &str| schema["type"] == sort || schema["type"].as_array().is_some_and(|all| all.contains(&sort.into()));
    let bound = ["maxLength", "format", "enum", "pattern"].iter().any(|key| schema.get(key).is_some());
    if is("string") && !bound || is("array") && schema.get("maxItems").is_none() {
        found.insert(path.to_owned());
    }
    for key in ["oneOf", "anyOf", "allOf"] {
        schema[key].as_array().into_iter().flatten().for_each(|one| endless(document, one, path, seen, found));
    }
    if is("array") {
        endless(document, &schema["items"], path, seen, found);
    }
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        endless(document, field, &format!("{path}.{name}"), seen, found);
    }
}

#[test]
fn whatever_is_asked_for_has_a_length_but_for_what_is_cut() {
    let document = serde_json::to_value(openapi()).unwrap();
    let (mut seen, mut found) = (BTreeSet::new(), BTreeSet::new());
    for (method, path, operation) in operations() {
        let what = format!("{method} {path}");
        let bodies = operation["requestBody"]["content"].as_object().into_iter().flatten();
        bodies.for_each(|(_, body)| endless(&document, &body["schema"], &what, &mut seen, &mut found));
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let name = format!("{what}?{}", parameter["name"].as_str().unwrap_or_default());
            endless(&document, &parameter["schema"], &name, &mut seen, &mut found);
        }
    }
    assert!(seen.len() > 20, "{seen:?}");
    assert_eq!(found, BTreeSet::from(["Login.device_name".to_owned()]));
}

#[test]
fn every_schema_that_is_named_is_there() {
    fn names(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(fields) => {
                let name = fields.get("$ref").and_then(Value::as_str);
                found.extend(name.and_then(|name| name.strip_prefix("#/components/schemas/")).map(str::to_owned));
                fields.values().for_each(|value| names(value, found));
            }
            Value::Array(items) => items.iter().for_each(|item| names(item, found)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let document = serde_json::to_value(openapi()).unwrap();
    let mut found = BTreeSet::new();
    names(&document, &mut found);
    let there = document["components"]["schemas"].as_object().unwrap();
    let missing: Vec<_> = found.iter().filter(|name| !there.contains_key(*name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[tokio::test]
async fn every_door_is_there_and_closed_to_those_without_a_token() {
    let (endpoints, client) = (endpoints().await, client());
    for (method, path, operation) in operations() {
        let what = format!("{method} {path}");
        let answer = client.request(method, format!("{endpoints}{}", filled(&path))).send().await.unwrap();
        let status = answer.status();
        if operation.get("security").is_some() {
            assert_eq!(status, StatusCode::UNAUTHORIZED, "{what}");
            let refusal: crewbell_shared::Refusal = answer.json().await.unwrap();
            assert_eq!(refusal.code, Code::NotSignedIn, "{what}");
        } else {
            assert!(![StatusCode::NOT_FOUND, StatusCode::METHOD_NOT_ALLOWED].contains(&status), "{what}: {status}");
        }
    }
}

#[tokio::test]
async fn a_path_and_a_method_that_are_not_there_are_refused_in_our_words() {
    let (endpoints, client) = (endpoints().await, client());
    let answer = client.get(format!("{endpoints}/api/yachts")).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    assert_eq!(answer.json::<crewbell_shared::Refusal>().await.unwrap().code, Code::NotFound);
    let answer = client.delete(format!("{endpoints}/api/places")).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(answer.json::<crewbell_shared::Refusal>().await.unwrap().code, Code::Invalid);
}

#[tokio::test]
async fn a_token_can_not_be_judged_while_the_database_is_away() {
    let (endpoints, client) = (endpoints().await, client());
    let token = Token::new(SiteId(Uuid::nil()), &Ids::seeded(2)).to_string();
    let answer = client.get(format!("{endpoints}/api/people")).bearer_auth(token).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.headers().contains_key("retry-after"));
    assert_eq!(answer.json::<crewbell_shared::Refusal>().await.unwrap().code, Code::Unavailable);
}
