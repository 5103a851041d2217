//! The walkthrough of one press with its latencies: pressed, committed, acknowledged, on the screens, accepted,
//! completed. It uses real sockets, as a button and the crew's devices do.

use crewbell_shared::request::RequestVerb;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use crewbell_shared::protocol::live::FromClient;
use crewbell_shared::protocol::{Command, Verb};
use futures_util::{SinkExt, StreamExt};
use rumqttc::mqttbytes::QoS;
use rumqttc::{AsyncClient, Event, Incoming, MqttOptions, PublishOptions};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use crate::cli::lan;
use crate::demo::{DemoButton, DemoPerson, DemoSite};
use crate::log::RecentEntries;
use crate::serve::Server;

/// Timeout of each step of the walkthrough.
const PATIENCE: Duration = Duration::from_secs(10);

/// Prints the addresses of the started server.
pub(super) fn introduce(server: &Server, site: &DemoSite) {
    println!("{} is at sea: {} of the crew, {} buttons.", site.site.name, site.people.len(), site.buttons.len());
    println!("  http  http://{}   (interface: /docs)", server.http);
    if std::io::stdout().is_terminal() {
        println!("  app   {}   (the address to type into it)", lan::urls(server.http, false).join("  or  "));
    }
    if let Some(mqtt) = server.mqtt {
        println!("  mqtt  {mqtt}");
        println!("  page  http://{}/demo   (the buttons, to press them)", server.http);
    }
    println!();
}

/// Prints the commands to try next.
pub(super) fn how_to_go_on(server: &Server, site: &DemoSite, terminal: bool) {
    let mqtt = server.mqtt.map(|address| address.to_string()).unwrap_or_default();
    let here = std::env::current_exe().map_or_else(|_| "crewbell-server".to_owned(), |path| path.display().to_string());
    println!();
    if terminal {
        println!("Press Enter for another press, Ctrl-C to stop. Or from another terminal:");
    } else {
        println!("Stop it with Ctrl-C. From another terminal:");
    }
    if let Some(button) = site.buttons.first() {
        println!(
            "  {here} press {} --server {mqtt} --user {} --password {}",
            button.id, button.username, button.password
        );
    }
    if let Some(person) = site.people.iter().find(|person| person.name == "Siri").or(site.people.first()) {
        println!("  {here} watch --server http://{} --name {} --pin {}", server.http, person.name, person.pin);
    }
}

/// Presses a button and prints each step with its latency.
pub(super) async fn tell(server: &Server, site: &DemoSite, number: usize) -> anyhow::Result<()> {
    let button = site.buttons.get(number % site.buttons.len().max(1)).context("The demo has no button.")?;
    let mut screens = Vec::new();
    for person in site.people.iter().filter(|person| matches!(person.role.as_str(), "crew" | "dispatcher")) {
        screens.push(Screen::open(server, person).await?);
    }
    let committed = server.registry.site(site.site.id).await?.context("The demo's site is gone.")?;
    let mut log = committed.reader(committed.recent.head());
    let mut gus = Gus::connect(server, button).await?;

    let press_id = format!("demo-{}-{number}", std::process::id());
    // Waits for the press's own entry: an entry that the button came online may precede it.
    let commit = async {
        loop {
            let entries = log.next().await?;
            if let Some(entry) = entries.iter().find(|entry| entry.payload.get().contains(&press_id)) {
                return anyhow::Ok(entry.seq);
            }
        }
    };
    let pressed = Instant::now();
    let says = |at: Instant, what: &str| {
        println!("{:>8.1} ms  {what}", at.duration_since(pressed).as_secs_f64() * 1000.0);
    };
    gus.press(&press_id).await?;
    says(pressed, &format!("Gus presses the button: {}", button.place));
    let all = async {
        let mut last = pressed;
        let mut request = Value::Null;
        for screen in &mut screens {
            let (at, payload) = screen.see(|payload| payload["last_press_id"] == press_id.as_str()).await?;
            last = last.max(at);
            request = payload;
        }
        anyhow::Ok((last, request))
    };
    let (seq, acknowledged, seen) = tokio::join!(commit, gus.acknowledged(), all);
    let (seq, acknowledged, (seen_at, request)) = (seq?, acknowledged?, seen?);
    let names: Vec<&str> = screens.iter().map(|screen| screen.name.as_str()).collect();
    for (at, line) in what_became(&committed.recent, seq, acknowledged, (seen_at, &names))? {
        says(at, &line);
    }

    let id = request["id"].as_str().context("The request has no id.")?.parse()?;
    for (verb, state, what) in [
        (Verb::Request(RequestVerb::Accept { request_id: id }), "accepted", "accepts"),
        (Verb::Request(RequestVerb::Complete { request_id: id }), "completed", "has served the guest, and completes"),
    ] {
        let siri = site.people.iter().find(|person| person.name == "Siri").context("Siri is not aboard.")?;
        let opened = &committed;
        let who = crate::auth::of_token(&server.registry, &siri.token).await?.context("Siri is not signed in.")?;
        says(Instant::now(), &format!("Siri {what}"));
        let command = Command {
            id: server.registry.ids.next(server.registry.clock.now()),
            made_at: None,
            depends_on: None,
            verb,
        };
        let outcome = opened.command(&who.person, command).await?;
        if let Some(refusal) = outcome.refusal {
            bail!("{}", refusal.message);
        }
        let mut last = Instant::now();
        for screen in &mut screens {
            let (at, _) = screen.see(|payload| payload["id"] == request["id"] && payload["state"] == state).await?;
            last = last.max(at);
        }
        says(last, &format!("every screen shows it: {state} by Siri"));
    }
    Ok(())
}

/// Returns the steps of a press that made an entry, sorted by time.
///
/// The commit time is the one that the server's log recorded. A log reader is notified some time after the commit, on a
/// busy machine after the PUBACK, which would look as if the press had been acknowledged before it was durable.
fn what_became(
    recent: &RecentEntries,
    seq: u64,
    acknowledged: Instant,
    (seen, screens): (Instant, &[&str]),
) -> anyhow::Result<[(Instant, String); 3]> {
    let committed = recent.committed_at(seq).context("The press is not in the log.")?;
    let mut lines = [
        (committed, format!("committed: entry {seq} of the log")),
        (acknowledged, "PUBACK: the button knows that it was heard".to_owned()),
        (seen, format!("on all {} screens: {}", screens.len(), screens.join(", "))),
    ];
    lines.sort_by_key(|(at, _)| *at);
    Ok(lines)
}

/// A crew member's device, reduced to the live WebSocket.
struct Screen {
    name: String,
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Screen {
    async fn open(server: &Server, person: &DemoPerson) -> anyhow::Result<Self> {
        let (socket, _) = tokio_tungstenite::connect_async(format!("ws://{}/api/live", server.http)).await?;
        let mut screen = Self { name: person.name.clone(), socket };
        let hello = FromClient::Hello {
            token: person.token.clone(),
            cursor: None,
            event_id: None,
            categories: Vec::new(),
            endpoint: None,
        };
        screen.socket.send(Message::text(serde_json::to_string(&hello)?)).await?;
        screen.frame().await?;
        Ok(screen)
    }

    async fn frame(&mut self) -> anyhow::Result<Value> {
        loop {
            let message =
                tokio::time::timeout(PATIENCE, self.socket.next()).await.context("A screen hears nothing.")?;
            if let Message::Text(text) = message.context("A screen was closed.")?? {
                return Ok(serde_json::from_str(&text)?);
            }
        }
    }

    /// Waits for an entry whose payload matches.
    async fn see(&mut self, wanted: impl Fn(&Value) -> bool) -> anyhow::Result<(Instant, Value)> {
        loop {
            let frame = self.frame().await?;
            let at = Instant::now();
            let entries = frame["entries"].as_array().into_iter().flatten();
            if let Some(entry) = entries.into_iter().find(|entry| wanted(&entry["payload"])) {
                return Ok((at, entry["payload"].clone()));
            }
        }
    }
}

/// A button: an MQTT client that uses nothing but the protocol.
struct Gus {
    client: AsyncClient,
    events: rumqttc::EventLoop,
    topic: String,
}

impl Gus {
    async fn connect(server: &Server, button: &DemoButton) -> anyhow::Result<Self> {
        let address = server.mqtt.context("The demo has no listener of its own.")?;
        let mut options = MqttOptions::new(&button.id, (address.ip().to_string(), address.port()));
        options.set_credentials(&button.username, button.password.clone());
        let (client, events) = AsyncClient::builder(options).capacity(10).build();
        let mut gus = Self { client, events, topic: format!("obedio/button/{}/pressed", button.id) };
        while !matches!(gus.event().await?, Event::Incoming(Incoming::ConnAck(_))) {}
        Ok(gus)
    }

    async fn press(&mut self, press_id: &str) -> anyhow::Result<()> {
        let payload = json!({ "press_id": press_id, "kind": "single", "key": "main", "battery": 87, "rssi": -61 });
        let options = PublishOptions::new(QoS::AtLeastOnce);
        Ok(self.client.publish(self.topic.clone(), payload.to_string().into_bytes(), options).await?)
    }

    async fn acknowledged(&mut self) -> anyhow::Result<Instant> {
        while !matches!(self.event().await?, Event::Incoming(Incoming::PubAck(_))) {}
        Ok(Instant::now())
    }

    async fn event(&mut self) -> anyhow::Result<Event> {
        let event = tokio::time::timeout(PATIENCE, self.events.poll()).await;
        Ok(event.context("The button hears nothing.")??)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::entry;

    #[test]
    fn the_commit_is_told_before_puback_however_late_the_teller_hears_of_it() {
        let recent = RecentEntries::new(4);
        recent.push(vec![entry(5)]);
        let acknowledged = Instant::now();
        let seen = acknowledged + Duration::from_millis(3);
        // The reader is the last to see the entry.
        let told = what_became(&recent, 5, acknowledged, (seen, &["Siri", "Sam"])).unwrap();
        let lines = told.each_ref().map(|(_, line)| line.as_str());
        assert_eq!(
            lines,
            [
                "committed: entry 5 of the log",
                "PUBACK: the button knows that it was heard",
                "on all 2 screens: Siri, Sam"
            ]
        );
        assert_eq!(told[0].0, recent.committed_at(5).unwrap());
        // A screen may be notified before the button is acknowledged; the commit still comes first.
        let told = what_became(&recent, 5, seen, (acknowledged, &["Siri"])).unwrap();
        assert!(told[0].1.starts_with("committed") && told[1].1.starts_with("on all 1 screens"), "{told:?}");
        assert!(what_became(&recent, 6, acknowledged, (seen, &[])).is_err(), "no time is made up");
    }
}
