//! The demo's panel: a page whose buttons press over MQTT, and whose lamps show the acknowledgements.

use crewbell_server::clock::Clock;
use crewbell_server::db::DbSettings;
use crewbell_server::demo::panel::Panel;
use crewbell_server::demo::{self, DemoSite};
use crewbell_server::serve::Server;
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};

use crate::cast::Crew;
use crate::database;
use crate::ship::{embedded, soon, start, start_with};

struct Props {
    server: Server,
    db: DbSettings,
    demo: DemoSite,
    client: reqwest::Client,
}

impl Props {
    async fn set_up() -> Self {
        let db = database::fresh().await;
        let panel = Panel::default();
        let server = start_with(&db, Clock::default(), embedded(), panel.router()).await;
        let demo = demo::load(&server.registry, server.registry.clock.now()).await.unwrap();
        panel.connect(demo.clone(), server.mqtt.unwrap(), &server.registry.ids, server.registry.stop.clone());
        Self { server, db, demo, client: client() }
    }

    async fn get(&self, path: &str) -> Response {
        soon(self.client.get(format!("http://{}{path}", self.server.http)).send()).await.unwrap()
    }

    async fn press(&self, body: Value) -> (StatusCode, Value) {
        let url = format!("http://{}/demo/press", self.server.http);
        let answer = soon(self.client.post(url).json(&body).send()).await.unwrap();
        (answer.status(), answer.json().await.unwrap())
    }

    fn siri(&self) -> Crew {
        let siri = self.demo.people.iter().find(|person| person.name == "Siri").unwrap();
        Crew::with_token(self.server.http, "serenity", "Siri", siri.id.to_string(), siri.token.clone())
    }
}

fn client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().unwrap()
}

/// The page's event stream of lamp states.
struct Lamps {
    stream: Response,
    heard: String,
}

impl Lamps {
    /// Waits until the lamp of a button shows a state; returns the person who caused it.
    async fn show(&mut self, device: &str, state: &str) -> Value {
        loop {
            while let Some(end) = self.heard.find("\n\n") {
                let event: String = self.heard.drain(..end + 2).collect();
                let data = event.trim_end().strip_prefix("data: ");
                let shown = data.map(|data| serde_json::from_str::<Value>(data).unwrap());
                if let Some(shown) = shown.filter(|shown| shown[device]["state"] == state) {
                    return shown[device]["by"].clone();
                }
            }
            let more = soon(self.stream.chunk()).await.unwrap().expect("the stream goes on");
            self.heard.push_str(std::str::from_utf8(&more).unwrap());
        }
    }
}

#[tokio::test]
async fn a_finger_on_the_page_is_a_press_by_mqtt_and_the_lamp_tells_what_became_of_it() {
    let props = Props::set_up().await;
    let mut lamps = Lamps { stream: props.get("/demo/lamps").await, heard: String::new() };
    // This cabin has no do-not-disturb and no open request when the demo starts.
    let (status, said) = props.press(json!({ "device": "cabin-07", "kind": "single", "key": "main" })).await;
    assert_eq!(status, StatusCode::OK, "{said}");
    assert!(said["puback_ms"].as_f64().unwrap() > 0.0, "{said}");

    let press_id = said["press_id"].as_str().unwrap();
    let mut root = database::superuser(&props.db).await;
    let recorded = "select r.id::text, r.state::text from presses p join requests r on r.id = p.request_id \
                    where p.device_press_id = $1";
    let (request, state): (String, String) =
        sqlx::query_as(recorded).bind(press_id).fetch_one(&mut root).await.unwrap();
    assert_eq!(state, "open");
    assert_eq!(lamps.show("cabin-07", "received").await, Value::Null);

    let siri = props.siri();
    siri.answer(&request, "accept").await;
    assert_eq!(lamps.show("cabin-07", "accepted").await, "Siri");
    siri.answer(&request, "complete").await;
    assert_eq!(lamps.show("cabin-07", "completed").await, "Siri");

    // The same button again, on its existing connection.
    let (status, again) = props.press(json!({ "device": "cabin-07", "kind": "shake", "key": "main" })).await;
    assert_eq!(status, StatusCode::OK, "{again}");
    assert_ne!(again["press_id"], said["press_id"]);
    lamps.show("cabin-07", "received").await;
    let urgent = siri.open_requests().await.into_iter().find(|request| request["last_press_id"] == again["press_id"]);
    assert_eq!(urgent.unwrap()["priority"], "emergency");
}

#[tokio::test]
async fn the_page_shows_every_button_on_its_deck_and_loads_nothing_from_elsewhere() {
    let props = Props::set_up().await;
    let standing: Value = props.get("/demo/buttons").await.json().await.unwrap();
    let decks = standing["decks"].as_array().unwrap();
    let names: Vec<_> = decks.iter().map(|deck| deck["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["Upper Deck", "Main Deck", "Lower Deck"]);
    let buttons: usize = decks.iter().map(|deck| deck["buttons"].as_array().unwrap().len()).sum();
    assert_eq!(buttons, props.demo.buttons.len());
    assert!(!standing.to_string().contains("demo-cabin"), "a password stands on the page");

    for (path, kind) in [
        ("/demo", "text/html; charset=utf-8"),
        ("/demo/panel.css", "text/css; charset=utf-8"),
        ("/demo/panel.js", "text/javascript; charset=utf-8"),
    ] {
        let answer = props.get(path).await;
        assert_eq!((answer.status(), &answer.headers()["content-type"]), (StatusCode::OK, &kind.parse().unwrap()));
        let policy = answer.headers()["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        let text = answer.text().await.unwrap();
        assert!(!text.contains("://"), "{path} names another place");
    }
}

#[tokio::test]
async fn what_is_no_press_is_refused() {
    let props = Props::set_up().await;
    let (status, said) = props.press(json!({ "device": "cabin-99", "kind": "single", "key": "main" })).await;
    assert_eq!((status, &said["code"]), (StatusCode::NOT_FOUND, &json!("not_found")));
    let (status, _) = props.press(json!({ "device": "cabin-07", "kind": "tap", "key": "main" })).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    // A request that a form of another page could send.
    let url = format!("http://{}/demo/press", props.server.http);
    let form = props.client.post(url).header("content-type", "text/plain");
    let form = form.body(r#"{"device":"cabin-07","kind":"shake","key":"main"}"#).send();
    assert!(soon(form).await.unwrap().status().is_client_error());
}

#[tokio::test]
async fn a_server_that_is_no_demo_has_no_panel() {
    let server = start(&database::fresh().await, Clock::default(), embedded()).await;
    let answer = soon(client().get(format!("http://{}/demo", server.http)).send()).await.unwrap();
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
}
