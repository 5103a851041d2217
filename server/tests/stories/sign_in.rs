//! Sign-in: the public server information, and repeated sign-ins of a device.

use jiff::Timestamp;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::cast::{Crew, fresh_id};
use crate::ship::{PIN, Ship, found};

#[tokio::test]
async fn who_is_not_signed_in_sees_which_server_it_is_and_its_sites() {
    let ship = Ship::sail().await;
    found(&ship.server, 200, "aurora").await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("http://{}/api/server", ship.server.http);
    let response = client.get(&url).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let said: Value = response.json().await.unwrap();
    assert_eq!(said["version"], env!("CARGO_PKG_VERSION"));
    let sites = json!([{ "slug": "aurora", "name": "aurora" }, { "slug": "serenity", "name": "serenity" }]);
    assert_eq!(said["sites"], sites, "and nothing else of them");
    let time: Timestamp = said["time"].as_str().unwrap().parse().unwrap();
    assert!(time.duration_since(ship.clock.now()).abs().as_secs() < 10);
    assert!(said["instance"].as_str().unwrap().parse::<uuid::Uuid>().is_ok(), "{said}");
    assert_eq!(said.as_object().unwrap().len(), 4);
}

#[tokio::test]
async fn a_device_that_was_signed_out_signs_in_again_and_goes_on() {
    let ship = Ship::sail().await;
    let (alex, device) = (ship.alex().await, fresh_id());
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let sign_in = async |secret: &str| {
        let login = json!({ "site": "serenity", "name": "Sam", "secret": secret, "device_id": device,
                            "device_name": "the pantry's tablet" });
        let url = format!("http://{}/api/auth/login", ship.server.http);
        let response = client.post(url).json(&login).send().await.unwrap();
        let status = response.status();
        (status, response.json::<Value>().await.unwrap())
    };
    let sam = |answer: &Value| {
        let (id, token) = (answer["person"]["id"].as_str().unwrap(), answer["token"].as_str().unwrap());
        Crew::with_token(ship.server.http, "serenity", "Sam", id.into(), token.into())
    };

    let (status, first) = sign_in(PIN).await;
    assert_eq!(status, StatusCode::OK);
    let first = sam(&first);
    let mut screen = first.screen(None).await;
    let cursor = screen.cursor;

    // Alex ends the sessions of the lost tablet.
    let path = format!("/api/people/{}/sessions", first.id);
    let (status, said) = alex.ask(Method::DELETE, &path, None).await;
    assert!(status.is_success(), "{said}");
    assert_eq!(screen.refusal().await, "not_signed_in");
    assert_eq!(first.post("/api/service-requests", json!({})).await.0, StatusCode::UNAUTHORIZED);
    let missed = alex.asks_for(1, "ice").await;

    // It is found again; a wrong PIN is refused, the right one is accepted, and the stream resumes where it was cut.
    assert_eq!(sign_in("0000").await.0, StatusCode::UNAUTHORIZED);
    let (status, second) = sign_in(PIN).await;
    assert_eq!(status, StatusCode::OK);
    let second = sam(&second);
    assert_ne!(second.token, first.token);
    assert_eq!(second.get("/api/auth/me").await["person"]["name"], "Sam");
    let mut screen = second.screen(Some(cursor)).await;
    assert_eq!(screen.see("request_created").await["payload"]["id"], missed.as_str());
    assert_eq!(
        first.post("/api/service-requests", json!({})).await.0,
        StatusCode::UNAUTHORIZED,
        "the old token stays ended"
    );

    // Another sign-in ends the device's previous session and its socket; one session is left.
    let (_, third) = sign_in(PIN).await;
    let third = sam(&third);
    assert_eq!(screen.refusal().await, "not_signed_in");
    assert_eq!(second.post("/api/service-requests", json!({})).await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(third.answer(&missed, "accept").await.0, StatusCode::OK);
    let sessions = alex.get(&format!("/api/people/{}/sessions", third.id)).await;
    let listed = sessions["items"].as_array().unwrap();
    assert_eq!(
        listed.iter().filter(|session| session["device_name"] == "the pantry's tablet").count(),
        1,
        "{sessions}"
    );
}
