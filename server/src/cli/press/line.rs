//! The MQTT connection of `press`: sends presses and prints the answers in the order of their arrival.

use std::io::Write;
use std::time::Duration;

use anyhow::{Context, bail};
use crewbell_shared::button::ButtonKey;
use rumqttc::mqttbytes::QoS;
use rumqttc::{AsyncClient, Broker, Event, EventLoop, Incoming, MqttOptions, Outgoing, PublishOptions};
use serde_json::json;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout};

use super::outcomes::Story;
use super::{PressArgs, trouble};
use crate::cli::format::{millis, plain};
use crate::clock::Ids;
use crate::devices::acks::Ack;

/// Timeout of a connection. The server hashes nothing and reads one row for it.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);

/// Timeout of a PUBACK: longer than the server's own, after which it closes the connection instead.
const ACKNOWLEDGE_WITHIN: Duration = Duration::from_secs(30);

/// Timeout of the lamp's message after the PUBACK. The server reads its log in milliseconds.
const LIT_WITHIN: Duration = Duration::from_secs(3);

/// A connected button.
pub(super) struct Line {
    args: PressArgs,
    client: AsyncClient,
    events: EventLoop,
    story: Story,
    began: Instant,
    /// When each press was made, oldest first.
    pressed_at: Vec<Instant>,
    /// Whether the subscription to the lamp's messages succeeded.
    lamp: bool,
}

impl Line {
    /// Connects and subscribes to the lamp's messages.
    pub(super) async fn connect(args: PressArgs, ids: &Ids) -> anyhow::Result<Self> {
        let boot = format!("{:08x}", u32::from_be_bytes(ids.bytes()));
        let client_id = format!("crewbell-press-{boot}");
        let mut options = MqttOptions::new(client_id, Broker::tcp(args.server.host.clone(), args.server.port));
        options.set_keep_alive(30);
        if let Some(user) = &args.user {
            options.set_credentials(user.clone(), args.password.clone().unwrap_or_default());
        }
        let (client, events) = AsyncClient::builder(options).capacity(100).build();
        let story = Story::new(boot, args.times);
        let began = Instant::now();
        let mut line = Self { args, client, events, story, began, pressed_at: Vec::new(), lamp: false };
        let patience = format!("{} didn't answer within {} s.", line.args.server, CONNECT_WITHIN.as_secs());
        timeout(CONNECT_WITHIN, line.open()).await.context(patience)??;
        Ok(line)
    }

    async fn open(&mut self) -> anyhow::Result<()> {
        let filter = format!("{}/button/{}/ack", self.args.prefix, self.args.button);
        loop {
            let event = self.events.poll().await;
            match event.map_err(|error| anyhow::Error::msg(trouble::connecting(&error, &self.args)))? {
                Event::Incoming(Incoming::ConnAck(_)) => {
                    self.say(&format!("connected to {}", self.args.server))?;
                    self.client.subscribe(filter.clone(), QoS::AtLeastOnce).await?;
                }
                Event::Incoming(Incoming::SubAck(answer)) => {
                    let trouble = trouble::lamp(&answer.return_codes, &self.args.button);
                    self.lamp = trouble.is_none();
                    if let Some(trouble) = trouble {
                        self.say(&format!("no lamp: {trouble}"))?;
                    }
                    return Ok(());
                }
                Event::Incoming(_) | Event::Outgoing(_) | Event::Auth(_) => {}
            }
        }
    }

    /// Sends the presses and prints the answers, until all are complete or the deadline has passed.
    pub(super) async fn press(mut self) -> anyhow::Result<()> {
        let mut every = interval(Duration::from_millis(self.args.every.max(1)));
        every.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut end = None;
        let mut refused = None;
        let mut interrupted = std::pin::pin!(tokio::signal::ctrl_c());
        loop {
            let all_pressed = self.pressed_at.len() >= self.args.times as usize;
            tokio::select! {
                _ = every.tick(), if !all_pressed => {
                    self.send().await?;
                    end = Some(Instant::now() + ACKNOWLEDGE_WITHIN);
                }
                event = self.events.poll() => {
                    let unacknowledged = self.story.unacknowledged();
                    let event = event.map_err(|error| anyhow::Error::msg(trouble::broken(&error, unacknowledged)))?;
                    let before = (self.story.is_told(), self.story.is_lit());
                    self.heard(event, &mut refused)?;
                    end = self.deadline(before, end);
                }
                () = sleep_until(end.unwrap_or_else(Instant::now)), if end.is_some() => break,
                interrupted = &mut interrupted => { interrupted?; break }
            }
            if self.story.is_over() || (self.story.is_told() && refused.is_some()) {
                break;
            }
        }
        self.close().await;
        self.outcome(refused)
    }

    /// Returns the deadline, extended when an event changed the state.
    fn deadline(&self, before: (bool, bool), end: Option<Instant>) -> Option<Instant> {
        let now = (self.story.is_told(), self.story.is_lit());
        if now == before || !now.0 {
            return end;
        }
        let wait = Duration::from_secs(self.args.wait);
        match (now.1, self.lamp) {
            (true, _) | (_, false) => Some(Instant::now() + wait),
            (false, true) => Some(Instant::now() + LIT_WITHIN.max(wait)),
        }
    }

    async fn send(&mut self) -> anyhow::Result<()> {
        let Some((number, press_id)) = self.story.next() else {
            return Ok(());
        };
        let kind = self.args.way.kind();
        let key = ButtonKey::from(self.args.key);
        let uptime_ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let mut message = json!({
            "press_id": press_id, "kind": kind.as_str(), "key": key.as_str(), "uptime_ms": uptime_ms,
        });
        if let Some(battery) = self.args.battery {
            message["battery"] = battery.into();
        }
        if let Some(rssi) = self.args.rssi {
            message["rssi"] = rssi.into();
        }
        let key = if key == ButtonKey::Main { String::new() } else { format!(", {}", key.as_str()) };
        self.say(&format!("{} {} ({}{key}), press {press_id}", self.number(number), self.args.button, kind.as_str()))?;
        let topic = format!("{}/button/{}/pressed", self.args.prefix, self.args.button);
        self.pressed_at.push(Instant::now());
        self.client.publish(topic, message.to_string(), PublishOptions::new(QoS::AtLeastOnce)).await?;
        Ok(())
    }

    fn heard(&mut self, event: Event, refused: &mut Option<String>) -> anyhow::Result<()> {
        match event {
            Event::Outgoing(Outgoing::Publish(packet_id)) => self.story.sent(packet_id),
            Event::Incoming(Incoming::PubAck(answer)) => {
                let Some(number) = self.story.acknowledged(answer.pkid) else {
                    return Ok(());
                };
                let pressed_at = self.pressed_at.get(number as usize - 1);
                let after = pressed_at.map(Instant::elapsed).unwrap_or_default();
                let which = if self.args.times == 1 { String::new() } else { format!(" of press {number}") };
                match trouble::press(answer.reason, &self.args) {
                    None => self.say(&format!("PUBACK{which} after {}: it is recorded", millis(after)))?,
                    Some(why) => {
                        self.say(&format!("refused{which} after {}", millis(after)))?;
                        refused.get_or_insert(why);
                    }
                }
            }
            Event::Incoming(Incoming::Publish(message)) => match serde_json::from_slice::<Ack>(&message.payload) {
                Ok(lamp) => {
                    let (words, ours) = self.story.lit(&lamp);
                    let whose = if ours { "" } else { "  (of an earlier press)" };
                    self.say(&format!("lamp: {}{whose}", plain(&words)))?;
                }
                Err(_) => self.say(&format!("lamp: {}", plain(&String::from_utf8_lossy(&message.payload))))?,
            },
            Event::Incoming(_) | Event::Outgoing(_) | Event::Auth(_) => {}
        }
        Ok(())
    }

    fn outcome(&self, refused: Option<String>) -> anyhow::Result<()> {
        if let Some(refused) = refused {
            bail!(refused);
        }
        match self.story.unacknowledged() {
            0 => {}
            1 => bail!("The press wasn't acknowledged; whether it is recorded isn't known."),
            many => {
                bail!("{many} presses weren't acknowledged; whether they are recorded isn't known.")
            }
        }
        if self.story.is_told() && self.lamp && !self.story.is_lit() {
            self.say(
                "the lamp stayed dark: the button has no place yet or is out of use, or its key asks for nobody to come",
            )?;
        }
        Ok(())
    }

    /// Sends DISCONNECT, so that the server doesn't count the end as a failure.
    async fn close(&mut self) {
        let goodbye = async {
            self.client.try_disconnect_now().ok()?;
            while self.events.poll().await.is_ok() {}
            Some(())
        };
        // Limited to a second: the DISCONNECT is optional.
        let _ = timeout(Duration::from_secs(1), goodbye).await;
    }

    fn number(&self, number: u32) -> String {
        if self.args.times == 1 { "pressed".to_owned() } else { format!("pressed {number} of {}:", self.args.times) }
    }

    fn say(&self, words: &str) -> anyhow::Result<()> {
        let since = self.began.elapsed().as_secs_f64() * 1000.0;
        writeln!(std::io::stdout(), "{since:>9.1} ms  {words}").context("Standard output can't be written")
    }
}
