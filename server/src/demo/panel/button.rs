//! One button of the panel: an MQTT client that uses nothing but the protocol. It connects at the first press, stays
//! connected for its lamp, and reconnects at the next press after the connection broke.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crewbell_shared::button::{ButtonKey, PressKind};
use rumqttc::mqttbytes::QoS;
use rumqttc::mqttbytes::v5::PubAckReason;
use rumqttc::{AsyncClient, Event, EventLoop, Incoming, MqttOptions, PublishOptions};
use serde::Serialize;
use serde_json::json;
use tokio::sync::{mpsc, oneshot, watch};

use super::super::DemoButton;
use super::Lamps;
use crate::devices::acks::Ack;

/// Timeout of a connection.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);

/// The result of a press: its press id and the time until the PUBACK, or an error sentence.
type Outcome = Result<(String, Duration), String>;

/// A request to press the button.
#[derive(Debug)]
pub(super) struct Order {
    pub(super) kind: PressKind,
    pub(super) key: ButtonKey,
    pub(super) done: oneshot::Sender<Outcome>,
}

/// The state of a lamp.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Lamp {
    /// The request's state: `received`, `accepted`, `completed` or `cancelled`.
    state: String,
    /// The name of the person who changed it.
    by: Option<String>,
}

/// A simulated button.
#[derive(Debug)]
pub(super) struct Button {
    known: DemoButton,
    mqtt: SocketAddr,
    boot: String,
    pressed: u64,
    on_since: Instant,
    lamps: Arc<watch::Sender<Lamps>>,
}

/// An unacknowledged press, and the time of its PUBLISH.
struct Flying {
    press_id: String,
    left: Instant,
    done: oneshot::Sender<Outcome>,
}

/// An MQTT connection. PUBACKs arrive in the order of the presses [MQTT-4.6.0-2].
struct Line {
    client: AsyncClient,
    events: EventLoop,
    flying: VecDeque<Flying>,
}

impl Button {
    /// Creates a button of the site that was just switched on.
    pub(super) fn new(known: DemoButton, mqtt: SocketAddr, boot: &str, lamps: Arc<watch::Sender<Lamps>>) -> Self {
        let boot = format!("{boot}-{}", known.id);
        Self { known, mqtt, boot, pressed: 0, on_since: Instant::now(), lamps }
    }

    /// Presses once for each order, until the order channel is closed.
    pub(super) async fn run(mut self, mut orders: mpsc::Receiver<Order>) {
        while let Some(order) = orders.recv().await {
            let connected = tokio::time::timeout(CONNECT_WITHIN, self.connect()).await;
            let connected = connected.unwrap_or_else(|_| Err("it doesn't answer".to_owned()));
            let broke = match connected {
                Ok(mut line) => match self.press(&mut line, order).await {
                    Ok(()) => self.serve(line, &mut orders).await,
                    Err(why) => why,
                },
                Err(why) => {
                    // The caller may have gone.
                    let _ = order.done.send(Err(format!("The button can't reach the server: {why}.")));
                    continue;
                }
            };
            tracing::info!(device = %self.known.id, "A button of the panel lost its connection: {broke}.");
        }
    }

    async fn connect(&self) -> Result<Line, String> {
        let broker = (self.mqtt.ip().to_string(), self.mqtt.port());
        let mut options = MqttOptions::new(&self.known.id, broker);
        options.set_keep_alive(30);
        options.set_credentials(&self.known.username, self.known.password.clone());
        let (client, events) = AsyncClient::builder(options).capacity(10).build();
        let mut line = Line { client, events, flying: VecDeque::new() };
        loop {
            match line.events.poll().await.map_err(|error| error.to_string())? {
                Event::Incoming(Incoming::ConnAck(_)) => {
                    let topic = self.topic("ack");
                    line.client.subscribe(topic, QoS::AtLeastOnce).await.map_err(|error| error.to_string())?;
                }
                Event::Incoming(Incoming::SubAck(_)) => return Ok(line),
                Event::Incoming(_) | Event::Outgoing(_) | Event::Auth(_) => {}
            }
        }
    }

    /// Serves the connection until it breaks; returns the reason.
    async fn serve(&mut self, mut line: Line, orders: &mut mpsc::Receiver<Order>) -> String {
        loop {
            tokio::select! {
                order = orders.recv() => {
                    let Some(order) = order else { return "nobody presses any more".to_owned() };
                    if let Err(why) = self.press(&mut line, order).await {
                        return why;
                    }
                }
                event = line.events.poll() => match event {
                    Ok(Event::Incoming(Incoming::PubAck(answer))) => line.acknowledged(answer.reason),
                    Ok(Event::Incoming(Incoming::Publish(message))) => self.light(&message.payload),
                    Ok(Event::Incoming(_) | Event::Outgoing(_) | Event::Auth(_)) => {}
                    Err(error) => return error.to_string(),
                },
            }
        }
    }

    async fn press(&mut self, line: &mut Line, order: Order) -> Result<(), String> {
        self.pressed += 1;
        let press_id = format!("{}-{}", self.boot, self.pressed);
        let uptime_ms = u64::try_from(self.on_since.elapsed().as_millis()).unwrap_or(u64::MAX);
        let (kind, key) = (order.kind.as_str(), order.key.as_str());
        let message = json!({ "press_id": press_id, "kind": kind, "key": key, "uptime_ms": uptime_ms }).to_string();
        line.flying.push_back(Flying { press_id, left: Instant::now(), done: order.done });
        let options = PublishOptions::new(QoS::AtLeastOnce);
        line.client.publish(self.topic("pressed"), message, options).await.map_err(|error| error.to_string())
    }

    fn light(&self, payload: &[u8]) {
        match serde_json::from_slice::<Ack>(payload) {
            Ok(Ack { state, by, .. }) => self.lamps.send_modify(|lamps| {
                lamps.insert(self.known.id.clone(), Lamp { state, by });
            }),
            Err(error) => tracing::warn!(device = %self.known.id, "A lamp can't read what it is told: {error}."),
        }
    }

    fn topic(&self, what: &str) -> String {
        format!("obedio/button/{}/{what}", self.known.id)
    }
}

impl Line {
    fn acknowledged(&mut self, reason: PubAckReason) {
        let Some(Flying { press_id, left, done }) = self.flying.pop_front() else { return };
        let outcome = if reason == PubAckReason::Success {
            Ok((press_id, left.elapsed()))
        } else {
            Err(format!("The server refused the press: {reason:?}."))
        };
        // The caller may have gone.
        let _ = done.send(outcome);
    }
}
