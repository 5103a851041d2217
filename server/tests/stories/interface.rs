//! HTTP conformance: status codes, headers, and invalid requests.

use crewbell_server::config::Secret;
use crewbell_server::http::Metering;
use jiff::SignedDuration;
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use crate::cast::{Crew, Screen};
use crate::ship::{PIN, Ship, soon};

/// Builds a request with an unmodified path.
fn raw(person: &Crew, method: Method, path: &str) -> RequestBuilder {
    let client = Client::builder().no_proxy().build().unwrap();
    client.request(method, format!("http://{}{path}", person.address)).bearer_auth(&person.token)
}

async fn login(ship: &Ship, body: Value) -> (StatusCode, Value) {
    let stranger = Crew::with_token(ship.server.http, "serenity", "nobody", String::new(), String::new());
    stranger.post("/api/auth/login", body).await
}

#[tokio::test]
async fn what_can_not_be_asked_is_refused_and_never_fails() {
    let ship = Ship::sail().await;
    let alex = ship.alex().await;
    let early = "-009999-01-02T01:59:59Z";
    let table = [
        ("/api/activity?q=%00", 422),
        ("/api/activity?category=a%00b", 422),
        ("/api/activity.csv?q=%00", 422),
        ("/api/activity?form=2026-11-30", 422),
        ("/api/activity?from=yesterday", 422),
        ("/api/activity?to=2026-02-30", 422),
        ("/api/activity?limit=1&limit=2", 422),
        ("/api/people?on_duti=true", 422),
        ("/api/people?on_duty=perhaps", 422),
        ("/api/guests?q=Hartmann", 422),
        ("/api/service-requests?state=%00", 422),
        ("/api/sync/entries?after=-1", 422),
        ("/api/sync/entries?after=18446744073709551615", 410),
        ("/api/activity?before=18446744073709551615", 422),
        ("/api/activity?before=9223372036854775807", 200),
        ("/api/activity?from=2026-11-30&to=2026-11-30", 200),
        ("/api/people?on_duty=true", 200),
    ];
    let times = [
        "/api/activity?from=",
        "/api/activity?to=",
        "/api/activity.csv?to=",
        "/api/service-requests?from=",
        "/api/service-requests?before=",
        "/api/calls?from=",
        "/api/calls?before=",
        "/api/stays?ended_since=",
    ];
    let times =
        times.iter().flat_map(|path| [early, "9999-12-30T22:00:00Z", "0001-01-01"].map(|at| format!("{path}{at}")));
    let all = table.iter().map(|(path, status)| ((*path).to_owned(), *status)).chain(times.map(|path| (path, 200)));
    for (path, status) in all {
        let answer = soon(raw(&alex, Method::GET, &path).send()).await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "{path}");
        let text = answer.text().await;
        let text = text.unwrap_or_else(|error| panic!("{path} breaks off: {error}"));
        if status == 422 {
            let refusal: Value = serde_json::from_str(&text).unwrap();
            assert_eq!(refusal["code"], "invalid", "{path}: {refusal}");
        }
    }
    for body in [json!([]), json!({ "vocabulary": [] }), json!({ "services": [["aux1", "lights", "low"]] })] {
        let (status, refusal) = alex.ask(Method::PUT, "/api/site/settings", Some(body.clone())).await;
        assert_eq!((status.as_u16(), &refusal["code"]), (422, &json!("invalid")), "{body}");
    }
    let misspelt = alex.ask(Method::GET, "/api/people?on_duti=true", None).await.1;
    assert_eq!(misspelt["details"]["field"], "on_duti");
    for name in ["Sam\0", "\0", "Sam\u{7f}"] {
        assert_eq!(login(&ship, json!({ "name": name, "secret": PIN })).await.0, StatusCode::UNAUTHORIZED);
        assert_eq!(
            login(&ship, json!({ "site": name, "name": "Sam", "secret": PIN })).await.0,
            StatusCode::UNAUTHORIZED
        );
    }
    let odd = json!({ "name": "Sam", "secret": PIN, "device_name": "a\0 \r\n tablet" });
    assert_eq!(login(&ship, odd).await.0, StatusCode::OK, "a device's name keeps nobody out");
}

#[tokio::test]
async fn too_large_a_body_is_413_and_says_what_is_too_much() {
    let ship = Ship::sail().await;
    let sam = ship.recruit("Nils", crewbell_shared::person::Role::Crew).await;
    let (status, said) = sam.post("/api/commands", json!({ "commands": [], "more": "x".repeat(1024 * 1024) })).await;
    assert_eq!((status, &said["code"]), (StatusCode::PAYLOAD_TOO_LARGE, &json!("too_large")), "{said}");
    assert_eq!(said["details"]["limit"], 1024 * 1024);
}

#[tokio::test]
async fn answers_carry_the_headers_that_http_wants() {
    let ship = Ship::sail().await;
    let nobody = Crew::with_token(ship.server.http, "serenity", "nobody", String::new(), "nonsense".into());
    let answer = raw(&nobody, Method::GET, "/api/auth/me").send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    assert!(answer.headers()["www-authenticate"].to_str().unwrap().starts_with("Bearer"));
    for path in ["/docs/", "/openapi.json", "/api/server"] {
        let answer = raw(&nobody, Method::GET, path).send().await.unwrap();
        assert_eq!(answer.headers()["x-frame-options"], "DENY", "{path}");
        assert_eq!(answer.headers()["content-security-policy"], "frame-ancestors 'none'", "{path}");
        assert_eq!(answer.headers()["x-content-type-options"], "nosniff", "{path}");
    }
}

#[tokio::test]
async fn an_event_stream_says_something_at_once_and_goes_on_only_from_where_a_client_can_say() {
    let ship = Ship::sail().await;
    let sam = ship.recruit("Nils", crewbell_shared::person::Role::Crew).await;
    let mut answer = soon(raw(&sam, Method::GET, "/api/events").send()).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.headers()["x-accel-buffering"], "no");
    let first = soon(answer.chunk()).await.unwrap().unwrap();
    assert!(first.starts_with(b":"), "a comment: {first:?}");
    let id = sam.asks_for(1, "ice").await;
    let event = soon(answer.chunk()).await.unwrap().unwrap();
    assert!(String::from_utf8_lossy(&event).contains(&id));
    for garbage in ["abc", "-1", "4711x", "1.5", ""] {
        let asked = raw(&sam, Method::GET, "/api/events").header("last-event-id", garbage);
        let answer = soon(asked.send()).await.unwrap();
        assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY, "{garbage:?}");
        assert_eq!(answer.json::<Value>().await.unwrap()["details"]["field"], "Last-Event-ID");
    }
}

#[tokio::test]
async fn a_plain_date_is_a_day_of_the_site_s_time_zone() {
    let ship = Ship::sail().await;
    let alex = ship.recruit("Nora", crewbell_shared::person::Role::Admin).await;
    // The time zone is 14 hours ahead of UTC, so that the local date differs from the UTC date within this test.
    ship.settings(|settings| settings.time_zone = "Pacific/Kiritimati".into()).await;
    let zone = jiff::tz::TimeZone::get("Pacific/Kiritimati").unwrap();
    let now = ship.clock.now().to_zoned(zone);
    let noon = now.tomorrow().unwrap().start_of_day().unwrap().saturating_add(SignedDuration::from_mins(1));
    ship.clock.advance(noon.timestamp().duration_since(now.timestamp()));
    let id = alex.asks_for(1, "ice").await;
    let count = async |from: jiff::civil::Date, to: jiff::civil::Date| {
        let found = alex.get(&format!("/api/activity?entity_id={id}&from={from}&to={to}")).await;
        found["items"].as_array().unwrap().len()
    };
    let day = noon.date();
    assert_eq!(count(day, day).await, 1);
    assert_eq!(count(day.yesterday().unwrap(), day.yesterday().unwrap()).await, 0);
    assert_eq!(count(day.tomorrow().unwrap(), day.tomorrow().unwrap()).await, 0);
    let listed = async |query: String| {
        alex.get(&format!("/api/service-requests?{query}")).await["items"].as_array().unwrap().len()
    };
    assert_eq!(listed(format!("from={day}")).await, 1);
    assert_eq!(listed(format!("before={day}")).await, 0);

    let mut settings = alex.get("/api/site").await["settings"].clone();
    settings["time_zone"] = "Europe/Atlantis".into();
    let (status, said) = alex.ask(Method::PUT, "/api/site/settings", Some(settings)).await;
    assert_eq!((status, &said["details"]["field"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("time_zone")), "{said}");
}

#[tokio::test]
async fn a_socket_closes_with_a_code_and_answers_the_one_that_it_hears() {
    let ship = Ship::sail().await;
    let sam = ship.recruit("Nils", crewbell_shared::person::Role::Crew).await;
    let mut screen = sam.screen(None).await;
    screen.send(Message::Close(Some(CloseFrame { code: CloseCode::Normal, reason: "".into() }))).await;
    assert_eq!(screen.close_code().await, Some(1000));

    let mut stranger = Screen::open(ship.server.http).await;
    stranger.say(r#"{"t":"hello","token":"nonsense"}"#).await;
    assert_eq!(stranger.close_code().await, Some(3000));
    let mut babbler = Screen::open(ship.server.http).await;
    babbler.say("{").await;
    assert_eq!(babbler.close_code().await, Some(1007));
    let mut screen = sam.screen(None).await;
    screen.say(&"x".repeat(100_000)).await;
    assert_eq!(screen.close_code().await, Some(1002));
    let mut screen = sam.screen(None).await;
    ship.server.registry.stop.cancel();
    assert_eq!(screen.close_code().await, Some(1012));
}

#[tokio::test]
async fn every_example_of_the_description_is_understood() {
    let ship = Ship::sail().await;
    let alex = ship.recruit("Nora", crewbell_shared::person::Role::Admin).await;
    let document = alex.get("/openapi.json").await;
    let mut sent = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let content = &operation["requestBody"]["content"]["application/json"];
            if content.is_null() {
                continue;
            }
            let mut path = path.clone();
            while let (Some(from), Some(to)) = (path.find('{'), path.find('}')) {
                path.replace_range(from..=to, &alex.id);
            }
            let method = method.to_uppercase().parse().unwrap();
            let (status, said) = alex.ask(method, &path, Some(content["example"].clone())).await;
            let understood = status.is_success() || [401, 403, 404, 409].contains(&status.as_u16());
            assert!(understood, "{path}: {status} {said} to {}", content["example"]);
            sent += 1;
        }
    }
    assert!(sent >= 20, "{sent}");
}

#[tokio::test]
async fn the_metrics_are_for_whoever_shows_the_token_and_for_administrators_alone() {
    let counted = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder().handle();
    let status = async |ship: &Ship, token: &str| {
        let stranger = Crew::with_token(ship.server.http, "serenity", "a collector", String::new(), token.into());
        stranger.ask(Method::GET, "/metrics", None).await.0
    };
    for token in [Some("s3cret"), None] {
        let metering = Metering { counted: counted.clone(), token: token.map(Secret::new) };
        let ship = Ship::sail_with(|settings| settings.metrics = Some(metering)).await;
        // All requests come from this machine, as through a proxy that doesn't forward the client's address.
        let shown = if token.is_some() { StatusCode::OK } else { StatusCode::FORBIDDEN };
        assert_eq!(status(&ship, "s3cret").await, shown, "{token:?}");
        let nobody = Client::builder().no_proxy().build().unwrap().get(format!("http://{}/metrics", ship.server.http));
        assert_eq!(soon(nobody.send()).await.unwrap().status(), StatusCode::FORBIDDEN);
        for wrong in ["s3cre", ""] {
            assert_eq!(status(&ship, wrong).await, StatusCode::FORBIDDEN, "{wrong:?}");
        }
        assert_eq!(status(&ship, &ship.sam().await.token).await, StatusCode::FORBIDDEN);
        assert_eq!(status(&ship, &ship.alex().await.token).await, StatusCode::OK);
    }
}

#[tokio::test]
async fn whoever_watches_the_server_may_add_what_they_like_to_the_path() {
    let ship = Ship::sail().await;
    let alex = ship.alex().await;
    for path in ["/healthz?t=1", "/readyz?t=1", "/metrics?t=1"] {
        assert_eq!(raw(&alex, Method::GET, path).send().await.unwrap().status(), StatusCode::OK, "{path}");
    }
    let misspelt = raw(&alex, Method::GET, "/api/service-requests?stat=open").send().await.unwrap();
    assert_eq!(misspelt.status(), StatusCode::UNPROCESSABLE_ENTITY, "a misspelt filter is no filter");
}
