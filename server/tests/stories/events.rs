//! The log as server-sent events, and the live stream for clients without a `WebSocket`.

use std::time::Duration;

use crewbell_shared::protocol::live::FromServer;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::cast::Crew;
use crate::ship::{Ship, soon};

/// A client of the log as server-sent events.
pub struct Events {
    response: reqwest::Response,
    buffer: String,
}

impl Events {
    pub async fn open(person: &Crew, last: Option<u64>) -> Self {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut request = client.get(format!("http://{}/api/events", person.address)).bearer_auth(&person.token);
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response = soon(request.send()).await.unwrap();
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response, buffer: String::new() }
    }

    /// Waits for the first line, a comment that shows that the stream is open.
    pub async fn first_line(&mut self) {
        while !self.buffer.starts_with(':') || !self.buffer.contains("\n\n") {
            let chunk = soon(self.response.chunk()).await.unwrap().expect("the stream is on");
            self.buffer.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    /// Returns the payload of the next entry of a type.
    pub async fn see(&mut self, kind: &str) -> Value {
        loop {
            let (_, _, entry) = self.next().await.expect("the stream goes on");
            if entry["type"] == kind {
                return entry["payload"].clone();
            }
        }
    }

    /// Returns the next event: its name if it has one, its id and its data; `None` at the end.
    pub async fn next(&mut self) -> Option<(String, String, Value)> {
        loop {
            if let Some((event, rest)) = self.buffer.split_once("\n\n") {
                let field =
                    |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).unwrap_or("").trim().to_owned();
                let read =
                    (field("event:"), field("id:"), serde_json::from_str(&field("data:")).unwrap_or(Value::Null));
                let comment = event.starts_with(':');
                self.buffer = String::from(rest);
                if !comment {
                    return Some(read);
                }
            } else {
                let chunk = soon(self.response.chunk()).await.unwrap()?;
                self.buffer.push_str(std::str::from_utf8(&chunk).unwrap());
            }
        }
    }
}

#[tokio::test]
async fn events_go_on_after_the_last_one_that_the_client_has() {
    let ship = Ship::sail().await;
    let sam = ship.sam().await;
    let mut events = Events::open(&sam, None).await;
    let first = sam.asks_for(1, "ice").await;
    let (_, id, entry) = events.next().await.unwrap();
    assert_eq!(entry["payload"]["id"], first.as_str());
    assert_eq!(id, entry["meta"]["seq"].to_string());
    drop(events);

    let missed = sam.asks_for(2, "tea").await;
    let mut events = Events::open(&sam, Some(id.parse().unwrap())).await;
    assert_eq!(events.next().await.unwrap().2["payload"]["id"], missed.as_str());
    let new = sam.asks_for(3, "a pillow").await;
    assert_eq!(events.next().await.unwrap().2["payload"]["id"], new.as_str());

    let mut lost = Events::open(&sam, Some(1_000_000)).await;
    let (name, _, said) = lost.next().await.unwrap();
    assert_eq!((name.as_str(), &said["code"]), ("refused", &json!("snapshot_needed")));
    assert_eq!(lost.next().await, None);
    sam.post("/api/auth/logout", json!({})).await;
    assert_eq!(events.next().await, None);
}

/// The frames of an event stream.
struct Frames {
    response: reqwest::Response,
    rest: String,
}

impl Frames {
    async fn of(who: &Crew, after: u64) -> Self {
        let url = format!("http://{}/api/events?frames=true&after={after}", who.address);
        let response = reqwest::Client::new().get(url).bearer_auth(&who.token).send().await.unwrap();
        assert_eq!(response.headers()["x-accel-buffering"], "no");
        Self { response, rest: String::new() }
    }

    /// Returns the next frame; `None` at the end.
    async fn next(&mut self) -> Option<FromServer> {
        loop {
            if let Some((event, rest)) = self.rest.split_once("\n\n") {
                let data: String = event.lines().filter_map(|line| line.strip_prefix("data: ")).collect();
                let after = rest.to_owned();
                self.rest = after;
                return Some(serde_json::from_str(&data).unwrap());
            }
            let part = soon(self.response.chunk()).await.unwrap()?;
            self.rest.push_str(std::str::from_utf8(&part).unwrap());
        }
    }

    /// Returns the next frame that satisfies a condition.
    async fn until(&mut self, is_it: impl Fn(&FromServer) -> bool) -> FromServer {
        loop {
            let frame = self.next().await.expect("the stream goes on");
            if is_it(&frame) {
                return frame;
            }
        }
    }
}

#[tokio::test]
async fn an_event_stream_says_what_a_socket_says_and_ends_with_the_sign_in() {
    let ship = Ship::sail().await;
    let (sam, dana) = (ship.sam().await, ship.dana().await);
    let before = ship.head();
    let called = dana.asks_for(1, "ice").await;
    let mut frames = Frames::of(&sam, before).await;
    let Some(FromServer::Welcome { head, person_id, instance, .. }) = frames.next().await else { panic!("no welcome") };
    assert_eq!((head, person_id.to_string()), (ship.head(), sam.id.clone()));
    let server = reqwest::get(format!("http://{}/api/server", sam.address)).await.unwrap();
    let server: Value = server.json().await.unwrap();
    assert_eq!(server["instance"], json!(instance.unwrap()));
    let entries = frames.until(|frame| matches!(frame, FromServer::Entries { .. })).await;
    assert!(matches!(entries, FromServer::Entries { prev, entries } if prev == before && entries.len() == 1));
    let pulse = frames.until(|frame| matches!(frame, FromServer::Pulse { .. })).await;
    assert!(matches!(pulse, FromServer::Pulse { head, sent, .. } if Some(head) == sent && head == ship.head()));

    let say = async |frame: Value| sam.ask(reqwest::Method::POST, "/api/events/said", Some(frame)).await.0;
    assert_eq!(say(json!({ "t": "sound", "able": true })).await, StatusCode::NO_CONTENT);
    assert_eq!(say(json!({ "t": "heartbeat" })).await, StatusCode::NO_CONTENT);
    let at = ship.clock.now();
    assert_eq!(say(json!({ "t": "sounded", "request_id": called, "at": at })).await, StatusCode::NO_CONTENT);
    let reached = frames.until(|frame| matches!(frame, FromServer::Reached { .. })).await;
    assert!(matches!(reached, FromServer::Reached { sounded: 1, .. }), "{reached:?}");
    assert_eq!(ship.site.presence.people()[0].sounding, 1);
    for no in [json!({ "t": "hello", "token": "" }), json!({ "t": "open sesame" }), json!([])] {
        assert_eq!(say(no.clone()).await, StatusCode::UNPROCESSABLE_ENTITY, "{no}");
    }
    assert!(sam.ask(reqwest::Method::POST, "/api/auth/logout", None).await.0.is_success());
    let refused = frames.until(|frame| matches!(frame, FromServer::Refused { .. })).await;
    assert!(matches!(refused, FromServer::Refused { refusal } if refusal.code.as_str() == "not_signed_in"));
    assert_eq!(frames.next().await, None);
    assert_eq!(say(json!({ "t": "heartbeat" })).await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn an_event_stream_to_somebody_who_says_nothing_is_given_up_as_a_socket_is() {
    let ship = Ship::sail_with(|settings| settings.silence = Duration::from_secs(1)).await;
    let sam = ship.sam().await;
    let mut frames = Frames::of(&sam, ship.head()).await;
    let is_there = || ship.site.presence.is_online(sam.id.parse().unwrap());
    assert!(matches!(frames.next().await, Some(FromServer::Welcome { .. })));
    assert!(is_there());
    while frames.next().await.is_some() {}
    soon(async {
        while is_there() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}
