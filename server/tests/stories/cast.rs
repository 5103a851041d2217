//! The cast of the stories: crew members with their devices, and Gus with his button.

use std::net::SocketAddr;

use crewbell_shared::Refusal;
use crewbell_shared::ids::EndpointId;
use crewbell_shared::protocol::Entry;
use crewbell_shared::protocol::live::{FromClient, FromServer};
use futures_util::{SinkExt, StreamExt};
use reqwest::{Method, StatusCode};
use rumqttc::mqttbytes::QoS;
use rumqttc::{AsyncClient, Event, EventLoop, Incoming, MqttOptions, PublishOptions};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};
use uuid::Uuid;

use crate::ship::{PIN, soon};

/// A crew member on a device.
#[derive(Clone)]
pub struct Crew {
    pub address: SocketAddr,
    client: reqwest::Client,
    site: String,
    name: String,
    pub token: String,
    pub id: String,
}

impl Crew {
    /// Creates a person with an existing token.
    pub fn with_token(address: SocketAddr, site: &str, name: &str, id: String, token: String) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { address, client, site: site.into(), name: name.into(), token, id }
    }

    pub async fn sign_in(address: SocketAddr, site: &str, name: &str) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let login = json!({ "site": site, "name": name, "secret": PIN, "device_name": "a tablet" });
        let url = format!("http://{address}/api/auth/login");
        let response = soon(client.post(url).json(&login).send()).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{name} signs in");
        let body: Value = response.json().await.unwrap();
        let (token, id) = (text(&body["token"]), text(&body["person"]["id"]));
        Self { address, client, site: site.into(), name: name.into(), token, id }
    }

    /// Returns the same device with another address of the server.
    pub fn at(self, address: SocketAddr) -> Self {
        Self { address, ..self }
    }

    /// Signs the same person in on another device.
    pub async fn second_device(&self) -> Self {
        Self::sign_in(self.address, &self.site, &self.name).await
    }

    pub async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        self.ask_keyed(method, path, body, None).await
    }

    pub async fn ask_keyed(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
        key: Option<&str>,
    ) -> (StatusCode, Value) {
        let mut request =
            self.client.request(method, format!("http://{}{path}", self.address)).bearer_auth(&self.token);
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = soon(request.send()).await.unwrap();
        let status = response.status();
        let text = response.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    pub async fn get(&self, path: &str) -> Value {
        let (status, body) = self.ask(Method::GET, path, None).await;
        assert_eq!(status, StatusCode::OK, "{path}: {body}");
        body
    }

    pub async fn post(&self, path: &str, body: Value) -> (StatusCode, Value) {
        self.ask(Method::POST, path, Some(body)).await
    }

    /// Acts on a request: `accept`, `complete`, …
    pub async fn answer(&self, request: &str, verb: &str) -> (StatusCode, Value) {
        self.post(&format!("/api/service-requests/{request}/{verb}"), json!({})).await
    }

    /// Returns the open requests that this person sees.
    pub async fn open_requests(&self) -> Vec<Value> {
        self.get("/api/service-requests?state=open&limit=200").await["items"].as_array().unwrap().clone()
    }

    /// Makes a request for a cabin without a button; returns the request's id.
    pub async fn asks_for(&self, cabin: u128, text: &str) -> String {
        let id = fresh_id();
        let place = Uuid::from_u128(cabin);
        let body = json!({ "id": id, "place_id": place, "kind": "call", "text": text });
        let (status, said) = self.post("/api/service-requests", body).await;
        assert_eq!(status, StatusCode::OK, "{said}");
        id
    }

    /// Returns the current state of a request.
    pub async fn request(&self, id: &str) -> Value {
        self.get(&format!("/api/service-requests/{id}")).await["request"].clone()
    }

    /// Returns the history of a request in order: actor and type of each entry.
    pub async fn timeline(&self, id: &str) -> Vec<(String, String)> {
        let story = self.get(&format!("/api/service-requests/{id}")).await;
        let entry = |entry: &Value| (text(&entry["meta"]["actor"]["name"]), text(&entry["type"]));
        story["timeline"].as_array().unwrap().iter().map(entry).collect()
    }

    /// Sends a batch of commands as the app does; returns the outcome of each.
    pub async fn sends(&self, commands: &[Value]) -> Vec<Value> {
        let (status, body) = self.post("/api/commands", json!({ "commands": commands })).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        body["outcomes"].as_array().unwrap().clone()
    }

    /// Sends one command; returns the code of its refusal, if it was refused.
    pub async fn does(&self, verb: Value) -> Option<String> {
        let outcome = self.sends(&[command(verb)]).await.remove(0);
        outcome["refusal"]["code"].as_str().map(str::to_owned)
    }

    /// Opens a live socket, from the head or from after an entry.
    pub async fn screen(&self, cursor: Option<u64>) -> Screen {
        self.screen_of(cursor, &[]).await
    }

    /// Opens a live socket for some categories only.
    pub async fn screen_of(&self, cursor: Option<u64>, categories: &[&str]) -> Screen {
        self.hello(cursor, None, categories).await
    }

    /// Opens a live socket that resumes after an entry, with the entry's event id.
    pub async fn screen_after(&self, cursor: u64, event_id: &Value) -> Screen {
        self.hello(Some(cursor), event_id.as_str(), &[]).await
    }

    /// Opens the live socket of an app that can make calls.
    pub async fn phone(&self, endpoint: EndpointId) -> Screen {
        self.greet(None, None, &[], Some(endpoint)).await
    }

    async fn hello(&self, cursor: Option<u64>, event_id: Option<&str>, categories: &[&str]) -> Screen {
        self.greet(cursor, event_id, categories, None).await
    }

    async fn greet(
        &self,
        cursor: Option<u64>,
        event_id: Option<&str>,
        categories: &[&str],
        endpoint: Option<EndpointId>,
    ) -> Screen {
        let mut screen = Screen::open(self.address).await;
        let event_id = event_id.map(|id| id.parse().unwrap());
        let categories = categories.iter().map(|&category| category.to_owned()).collect();
        let hello = FromClient::Hello { token: self.token.clone(), cursor, event_id, categories, endpoint };
        screen.say(&serde_json::to_string(&hello).unwrap()).await;
        match screen.frame().await {
            Some(FromServer::Welcome { head, .. }) => screen.cursor = cursor.unwrap_or(head),
            other => panic!("no welcome but {other:?}"),
        }
        screen
    }
}

/// A device's live socket.
pub struct Screen {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    pub cursor: u64,
    waiting: Vec<Value>,
    /// Notices: presence, and the number of devices that an alert reached. Methods that wait for other frames skip
    /// them.
    pub notices: Vec<FromServer>,
    /// Call frames: signals, their refusals, and the state of the other end. They are skipped like notices.
    pub heard: Vec<FromServer>,
    /// Received voice packets.
    pub packets: Vec<Vec<u8>>,
}

impl Screen {
    pub async fn open(address: SocketAddr) -> Self {
        let (socket, _) = soon(tokio_tungstenite::connect_async(format!("ws://{address}/api/live"))).await.unwrap();
        let (heard, packets) = (Vec::new(), Vec::new());
        Self { socket, cursor: 0, waiting: Vec::new(), notices: Vec::new(), heard, packets }
    }

    pub async fn say(&mut self, text: &str) {
        self.send(Message::text(text)).await;
    }

    pub async fn send(&mut self, message: Message) {
        soon(self.socket.send(message)).await.unwrap();
    }

    /// Sends a message; returns whether the socket is still open.
    pub async fn try_send(&mut self, message: Message) -> bool {
        soon(self.socket.send(message)).await.is_ok()
    }

    /// Returns the close code of the socket; skips the frames before it.
    pub async fn close_code(&mut self) -> Option<u16> {
        loop {
            match soon(self.socket.next()).await {
                Some(Ok(Message::Close(frame))) => return frame.map(|frame| frame.code.into()),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return None,
            }
        }
    }

    /// Returns the code of the refusal with which the server ends the connection; skips the frames before it.
    pub async fn refusal(&mut self) -> String {
        self.refused().await.code.to_string()
    }

    /// Returns the refusal with which the server ends the connection; skips the frames before it.
    pub async fn refused(&mut self) -> Refusal {
        loop {
            match self.frame().await {
                Some(FromServer::Refused { refusal }) => {
                    assert_eq!(self.frame().await, None, "a refusal is the last frame");
                    return refusal;
                }
                Some(_) => {}
                None => panic!("closed without a word"),
            }
        }
    }

    /// Returns all entries up to and including the first one of a type.
    pub async fn until(&mut self, kind: &str) -> Vec<Value> {
        let mut seen = Vec::new();
        loop {
            seen.push(self.next().await);
            if seen.last().unwrap()["type"] == kind {
                return seen;
            }
        }
    }

    /// Returns the next notice; skips everything else.
    pub async fn notice(&mut self) -> FromServer {
        let known = self.notices.len();
        while self.notices.len() == known {
            let frame = soon(self.any_frame()).await;
            assert!(frame.is_some(), "closed while a notice was waited for");
        }
        self.notices.last().unwrap().clone()
    }

    /// Returns the next frame except notices and call frames; `None` when the socket is closed.
    pub async fn frame(&mut self) -> Option<FromServer> {
        soon(self.frame_whenever()).await
    }

    /// Returns the next frame except notices and call frames, without a time limit.
    pub async fn frame_whenever(&mut self) -> Option<FromServer> {
        loop {
            match self.any_frame().await {
                Some(frame) if is_notice(&frame) || is_of_a_call(&frame) => {}
                other => return other,
            }
        }
    }

    /// Returns the next frame of any type; notices and call frames are also stored.
    pub async fn any_frame(&mut self) -> Option<FromServer> {
        loop {
            match self.take_in().await {
                None => return None,
                Some(None) => {}
                Some(Some(frame)) => return Some(frame),
            }
        }
    }

    /// Reads one message: `None` when the socket is closed, `Some(None)` for a voice packet.
    async fn take_in(&mut self) -> Option<Option<FromServer>> {
        match self.socket.next().await {
            Some(Ok(Message::Text(text))) => {
                let frame: FromServer = serde_json::from_str(&text).unwrap();
                if is_notice(&frame) {
                    self.notices.push(frame.clone());
                }
                if is_of_a_call(&frame) {
                    self.heard.push(frame.clone());
                }
                Some(Some(frame))
            }
            Some(Ok(Message::Binary(packet))) => {
                self.packets.push(packet.to_vec());
                Some(None)
            }
            Some(Ok(Message::Close(_)) | Err(_)) | None => None,
            Some(Ok(_)) => Some(None),
        }
    }

    /// Returns the next voice packet; queues entries that come before it.
    pub async fn packet(&mut self) -> Vec<u8> {
        while self.packets.is_empty() {
            match soon(self.take_in()).await {
                Some(Some(FromServer::Entries { prev, entries })) => self.keep(prev, &entries),
                Some(_) => {}
                None => panic!("closed while voice was waited for"),
            }
        }
        self.packets.remove(0)
    }

    /// Returns the next entry; checks that none was missed.
    pub async fn next(&mut self) -> Value {
        while self.waiting.is_empty() {
            match self.frame().await {
                Some(FromServer::Entries { prev, entries }) => self.keep(prev, &entries),
                other => panic!("no entries but {other:?}"),
            }
        }
        self.waiting.pop().unwrap()
    }

    /// Queues entries until they are read; checks that none was missed.
    fn keep(&mut self, prev: u64, entries: &[Entry]) {
        assert_eq!(prev, self.cursor, "a frame was missed");
        self.cursor = entries.last().unwrap().meta.seq;
        self.waiting.splice(0..0, entries.iter().rev().map(|entry| serde_json::to_value(entry).unwrap()));
    }

    /// Returns the next call frame; queues entries that come before it.
    pub async fn hears(&mut self) -> FromServer {
        while self.heard.is_empty() {
            match soon(self.any_frame()).await {
                Some(FromServer::Entries { prev, entries }) => self.keep(prev, &entries),
                Some(_) => {}
                None => panic!("closed while a signal was waited for"),
            }
        }
        self.heard.remove(0)
    }

    /// Exchanges several heartbeats with the server, so that every frame due for this socket has arrived.
    pub async fn settles(&mut self) {
        for _ in 0..4 {
            self.say(r#"{"t":"heartbeat"}"#).await;
            loop {
                match soon(self.any_frame()).await {
                    Some(FromServer::Pulse { .. }) => break,
                    Some(FromServer::Entries { prev, entries }) => self.keep(prev, &entries),
                    Some(_) => {}
                    None => panic!("closed while a pulse was waited for"),
                }
            }
        }
    }

    /// Returns the next entry of a type.
    pub async fn see(&mut self, kind: &str) -> Value {
        loop {
            let entry = self.next().await;
            if entry["type"] == kind {
                return entry;
            }
        }
    }
}

fn is_notice(frame: &FromServer) -> bool {
    matches!(frame, FromServer::Present { .. } | FromServer::Seen { .. } | FromServer::Reached { .. })
}

fn is_of_a_call(frame: &FromServer) -> bool {
    matches!(frame, FromServer::Signal { .. } | FromServer::SignalRefused { .. } | FromServer::Peer { .. })
}

/// Creates an id, as an app does.
pub fn fresh_id() -> String {
    Uuid::now_v7().to_string()
}

/// Creates a command with a new id.
pub fn command(verb: Value) -> Value {
    command_as(&fresh_id(), verb)
}

/// Creates a command with a given id.
pub fn command_as(id: &str, mut verb: Value) -> Value {
    verb["id"] = id.into();
    verb
}

/// Returns a JSON string's text.
pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

/// A person's running app that can make calls.
pub struct Phone {
    pub who: Crew,
    pub end: EndpointId,
    pub screen: Screen,
}

impl Phone {
    pub async fn of(who: Crew) -> Self {
        Self::again(who, EndpointId(Uuid::now_v7())).await
    }

    /// Connects the same run of the app on another socket.
    pub async fn again(who: Crew, end: EndpointId) -> Self {
        let screen = who.phone(end).await;
        Self { who, end, screen }
    }

    /// Calls a person; returns the call's id, or the code of the refusal.
    pub async fn calls(&self, callee: &Crew) -> Result<String, String> {
        let id = fresh_id();
        let verb = json!({ "type": "start_call", "call_id": id, "callee_id": callee.id, "endpoint": self.end });
        self.who.does(verb).await.map_or(Ok(id), Err)
    }

    /// Answers a call; returns the code of the refusal, if it was refused.
    pub async fn answers(&self, call: &str) -> Option<String> {
        self.who.does(json!({ "type": "answer_call", "call_id": call, "endpoint": self.end })).await
    }

    pub async fn hangs_up(&self, call: &str) -> Option<String> {
        self.who.does(json!({ "type": "end_call", "call_id": call })).await
    }

    /// Sends a signal to another endpoint.
    pub async fn signals(&mut self, call: &str, to: EndpointId, signal: Value) {
        let frame = json!({ "t": "signal", "call_id": call, "to": to, "signal": signal });
        self.screen.say(&frame.to_string()).await;
    }

    /// Returns the code of the next refused signal.
    pub async fn is_refused(&mut self) -> String {
        let frame = self.screen.hears().await;
        let FromServer::SignalRefused { refusal, .. } = frame else { panic!("no refusal but {frame:?}") };
        refusal.code.to_string()
    }
}

impl Crew {
    /// Returns the current state of a call.
    pub async fn call(&self, id: &str) -> Value {
        self.get(&format!("/api/call/{id}")).await
    }

    /// Returns the number of missed calls that the person hasn't seen.
    pub async fn missed(&self) -> i64 {
        self.get("/api/call/missed").await["count"].as_i64().unwrap()
    }
}

/// Gus with a button: a foreign MQTT client.
pub struct Gus {
    pub device: String,
    client: AsyncClient,
    events: EventLoop,
    presses: u32,
}

impl Gus {
    pub async fn connect(address: SocketAddr, device: &str, user: &str, password: &str) -> Self {
        let mut gus = Self::begin(address, device, user, password);
        loop {
            if let Event::Incoming(Incoming::ConnAck(_)) = soon(gus.events.poll()).await.expect("the button is let in")
            {
                return gus;
            }
        }
    }

    /// Connects, and returns whether the server accepted the credentials.
    pub async fn try_connect(address: SocketAddr, device: &str, user: &str, password: &str) -> bool {
        let mut gus = Self::begin(address, device, user, password);
        loop {
            match soon(gus.events.poll()).await {
                Ok(Event::Incoming(Incoming::ConnAck(_))) => return true,
                Ok(_) => {}
                Err(_) => return false,
            }
        }
    }

    fn begin(address: SocketAddr, device: &str, user: &str, password: &str) -> Self {
        let mut options = MqttOptions::new(device, (address.ip().to_string(), address.port()));
        options.set_credentials(user, password.to_owned());
        options.set_keep_alive(30);
        let (client, events) = AsyncClient::builder(options).capacity(1000).build();
        Self { device: device.into(), client, events, presses: 0 }
    }

    /// Publishes without waiting for the acknowledgement.
    pub async fn say(&mut self, topic: &str, payload: &str, retain: bool) {
        let mut options = PublishOptions::new(QoS::AtLeastOnce);
        if retain {
            options = options.retain(true);
        }
        self.client.publish(topic, payload.as_bytes().to_vec(), options).await.unwrap();
    }

    /// Waits for the next acknowledgement; returns the name of its reason code.
    pub async fn acknowledged(&mut self) -> String {
        loop {
            if let Event::Incoming(Incoming::PubAck(ack)) =
                soon(self.events.poll()).await.expect("the connection holds")
            {
                return format!("{:?}", ack.reason);
            }
        }
    }

    /// Publishes and waits for the acknowledgement.
    pub async fn tell(&mut self, topic: &str, payload: Value) -> String {
        self.say(topic, &payload.to_string(), false).await;
        self.acknowledged().await
    }

    /// Presses, waits for the PUBACK, and returns the press's id.
    pub async fn press(&mut self, kind: &str) -> String {
        self.press_key(kind, "main").await
    }

    pub async fn press_key(&mut self, kind: &str, key: &str) -> String {
        self.presses += 1;
        let press_id = format!("{}-{}", self.device, self.presses);
        self.press_as(&press_id, kind, key).await;
        press_id
    }

    /// Presses with a given id; the same id again is a resend.
    pub async fn press_as(&mut self, press_id: &str, kind: &str, key: &str) {
        let payload = json!({ "press_id": press_id, "kind": kind, "key": key, "battery": 87, "rssi": -61 });
        let topic = format!("obedio/button/{}/pressed", self.device);
        let reason = self.tell(&topic, payload).await;
        assert_eq!(reason, "Success");
    }
}
