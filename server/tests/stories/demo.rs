//! The demo from a visitor's view: MY Serenity with a week of history.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crewbell_server::clock::Clock;
use crewbell_server::db::DbSettings;
use crewbell_server::demo::{self, DemoSite};
use crewbell_server::serve::Server;
use crewbell_shared::person::Role;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::PgConnection;

use crate::cast::{Crew, Gus};
use crate::database;
use crate::ship::{embedded, start};

struct Serenity {
    server: Server,
    db: DbSettings,
    demo: DemoSite,
}

impl Serenity {
    async fn load() -> Self {
        let db = database::fresh().await;
        let server = start(&db, Clock::default(), embedded()).await;
        let demo = demo::load(&server.registry, server.registry.clock.now()).await.unwrap();
        Self { server, db, demo }
    }

    /// Returns the crew with the tokens that the demo gave them.
    fn crew(&self) -> impl Iterator<Item = (Role, Crew)> {
        let slug = &self.demo.site.slug;
        self.demo.people.iter().map(move |person| {
            let id = person.id.to_string();
            (person.role, Crew::with_token(self.server.http, slug, &person.name, id, person.token.clone()))
        })
    }

    fn admin(&self) -> Crew {
        self.crew().find(|(role, _)| *role == Role::Admin).unwrap().1
    }

    async fn root(&self) -> PgConnection {
        database::superuser(&self.db).await
    }
}

/// Returns the row count of each table.
async fn rows(root: &mut PgConnection) -> BTreeMap<String, i64> {
    let sql = "select relname::text, (xpath('/row/n/text()', query_to_xml(format('select count(*) as n from %I', relname), \
               false, true, '')))[1]::text::bigint from pg_class where relnamespace = 'public'::regnamespace \
               and relkind in ('r', 'p') and not relispartition";
    sqlx::query_as(sql).fetch_all(root).await.unwrap().into_iter().collect()
}

#[tokio::test]
async fn a_week_is_loaded_within_20_seconds_with_requests_in_every_state() {
    let began = Instant::now();
    let serenity = Serenity::load().await;
    let took = began.elapsed();
    println!("loaded in {took:?}");
    assert!(took < Duration::from_secs(20), "{took:?}");
    let states = "select state::text, count(*) from requests group by state";
    let counted: Vec<(String, i64)> = sqlx::query_as(states).fetch_all(&mut serenity.root().await).await.unwrap();
    let counted: BTreeMap<_, _> = counted.into_iter().collect();
    assert_eq!((counted["open"], counted["accepted"]), (3, 2), "{counted:?}");
    assert!(counted["completed"] > 280 && counted["cancelled"] >= 4, "{counted:?}");

    let admin = serenity.admin();
    for (state, expected) in [("open", 3), ("accepted", 2)] {
        let shown = admin.get(&format!("/api/service-requests?state={state}")).await;
        assert_eq!(shown["items"].as_array().unwrap().len(), expected, "{state}");
    }
}

/// Returns the paths that answer with a list, according to the OpenAPI document.
fn lists() -> Vec<String> {
    let document = serde_json::to_value(crewbell_server::http::openapi()).unwrap();
    let is_list = |get: &Value| {
        let answer = &get["responses"]["200"]["content"]["application/json"]["schema"]["$ref"];
        let Some(schema) = answer.as_str().and_then(|to| to.strip_prefix('#')) else { return false };
        let properties = &document.pointer(schema).unwrap()["properties"];
        ["items", "entries"].iter().any(|list| properties[list]["type"] == "array")
    };
    let paths = document["paths"].as_object().unwrap();
    paths.iter().filter(|(_, path)| is_list(&path["get"])).map(|(path, _)| path.clone()).collect()
}

fn length(body: &Value) -> usize {
    let list = body["items"].as_array().or(body["entries"].as_array());
    list.unwrap_or_else(|| panic!("no list: {body}")).len()
}

#[tokio::test]
async fn every_list_has_something_in_it() {
    let serenity = Serenity::load().await;
    let admin = serenity.admin();
    let mut asked: Vec<String> = lists();
    assert!(asked.len() >= 9, "{asked:?}");
    let filters = [
        ("service-requests?state=", ["open", "accepted", "completed", "cancelled"].as_slice()),
        ("buttons?state=", &["assigned"]),
        ("places?kind=", &["deck", "cabin"]),
        ("people?role=", &["crew", "supervisor", "technician", "dispatcher", "admin"]),
        ("people?on_duty=", &["true", "false"]),
        ("stays?current=", &["true"]),
        ("activity?category=", &["requests", "buttons", "people"]),
        ("activity?q=", &["cabin"]),
    ];
    for (path, values) in filters {
        asked.extend(values.iter().map(|value| format!("/api/{path}{value}")));
    }
    for path in asked {
        let path = match path.as_str() {
            "/api/people/{id}/sessions" => path.replace("{id}", &admin.id),
            "/api/sync/entries" => format!("{path}?after=0"),
            // Call signals aren't stored.
            "/api/call/signals" => continue,
            _ => path,
        };
        assert!(!path.contains('{'), "which one of {path}?");
        assert!(length(&admin.get(&path).await) > 0, "{path} is empty");
    }
    for path in ["/api/sync/snapshot", "/api/activity.csv"] {
        let (status, body) = admin.ask(Method::GET, path, None).await;
        assert_eq!(status, StatusCode::OK, "{path}");
        assert!(body.as_str().unwrap().lines().count() > 2, "{path}");
    }
}

#[tokio::test]
async fn a_second_load_changes_nothing_but_the_tokens() {
    let serenity = Serenity::load().await;
    let mut root = serenity.root().await;
    let mut before = rows(&mut root).await;
    let requests = "select md5(string_agg(r::text, '|' order by id)) from requests r";
    let was: String = sqlx::query_scalar(requests).fetch_one(&mut root).await.unwrap();
    let old = serenity.admin();
    let registry = &serenity.server.registry;
    let again = demo::load(registry, registry.clock.now()).await.unwrap();

    let mut after = rows(&mut root).await;
    assert_eq!(was, sqlx::query_scalar::<_, String>(requests).fetch_one(&mut root).await.unwrap());
    let signed_in = i64::try_from(again.people.len()).unwrap();
    for (table, each) in [("entries", 2), ("sessions", 1)] {
        let grown = after.remove(table).unwrap() - before.remove(table).unwrap();
        assert!(grown <= each * signed_in, "{table} has grown by {grown}, not only by who signed in");
    }
    assert_eq!(after, before, "no other table has grown");
    let live = "select count(*) from sessions where ended_at is null";
    let live: i64 = sqlx::query_scalar(live).fetch_one(&mut root).await.unwrap();
    assert_eq!(live, signed_in, "everybody has one device");
    let told = |site: &DemoSite| {
        let mut told = serde_json::to_value(site).unwrap();
        for person in told["people"].as_array_mut().unwrap() {
            person.as_object_mut().unwrap().remove("token");
        }
        told
    };
    assert_eq!(told(&again), told(&serenity.demo));
    let (status, _) = old.ask(Method::GET, "/api/auth/me", None).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED, "the token of the earlier load has ended");
    Serenity { demo: again, ..serenity }.admin().get("/api/auth/me").await;
}

#[tokio::test]
async fn every_token_pin_password_and_the_join_code_open_their_doors() {
    let serenity = Serenity::load().await;
    for (role, crew) in serenity.crew() {
        let me = crew.get("/api/auth/me").await;
        assert_eq!((&me["person"]["id"], &me["person"]["role"]), (&json!(crew.id), &json!(role)));
    }
    let address = serenity.server.http;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    for person in &serenity.demo.people {
        let login = json!({ "site": "serenity", "name": person.name, "secret": person.pin, "device_name": "a tablet" });
        let answer = client.post(format!("http://{address}/api/auth/login")).json(&login).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{}", person.name);
    }
    let mqtt = serenity.server.mqtt.unwrap();
    for button in &serenity.demo.buttons {
        Gus::connect(mqtt, &button.id, &button.username, &button.password).await;
    }
    Gus::connect(mqtt, "a-new-button", &serenity.demo.join.username, &serenity.demo.join.password).await;
    let wrong = &serenity.demo.buttons[0];
    assert!(!Gus::try_connect(mqtt, &wrong.id, &wrong.username, "wrong").await);
}
