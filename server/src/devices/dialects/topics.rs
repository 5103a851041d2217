//! Topic parsing: the device, dialect and channel of a topic; and the topic filters for a broker.
//!
//! Makers let the owner prepend levels to the device's name, or reorder them. A device's id is then all levels except
//! the dialect's own words, joined by `/`: two devices of one name on two decks are two devices.

use std::borrow::Cow;

use crewbell_shared::button::{DeviceTopic, Dialect, Vocabulary};

use super::Dialects;
use super::{lorawan, shelly, tasmota, zigbee2mqtt};

/// Maximum number of levels before a bridge's or a device's own; the topic filters cover as many.
const BEFORE_MAX: usize = 3;

/// A parsed topic.
#[derive(Debug)]
pub(super) struct Address<'t> {
    pub(super) device: Option<Cow<'t, str>>,
    pub(super) channel: Channel<'t>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Channel<'t> {
    Ours(Ours),
    Tasmota(tasmota::Part),
    Shelly(shelly::Part),
    Zigbee2mqtt(zigbee2mqtt::Part),
    /// An attribute of a Zigbee device on a topic of its own.
    Attribute(&'t str),
    Chirpstack(lorawan::Event),
    ThingsStack(lorawan::Event),
    Thingpark(lorawan::Event),
    /// A module of the gateway, by name.
    Openmqttgateway(&'t str),
    Plain,
}

/// A channel under our own prefix, shared by our firmware and the original one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ours {
    Press,
    Status,
    Voice,
}

impl Channel<'_> {
    pub(super) fn dialect(self) -> Dialect {
        match self {
            // The payload's shape may change this.
            Self::Ours(_) => Dialect::Original,
            Self::Tasmota(_) => Dialect::Tasmota,
            Self::Shelly(_) => Dialect::Shelly,
            Self::Zigbee2mqtt(_) | Self::Attribute(_) => Dialect::Zigbee2mqtt,
            Self::Chirpstack(_) => Dialect::Chirpstack,
            Self::ThingsStack(_) => Dialect::ThingsStack,
            Self::Thingpark(_) => Dialect::Thingpark,
            Self::Openmqttgateway(_) => Dialect::Openmqttgateway,
            Self::Plain => Dialect::Plain,
        }
    }

    /// Whether a device's id is an address of hexadecimal digits, whose case doesn't matter.
    pub(super) fn is_radio(self) -> bool {
        matches!(self, Self::Chirpstack(_) | Self::Thingpark(_))
    }
}

impl Dialects {
    /// The topic filters to subscribe to at an external broker.
    ///
    /// They overlap only on topics that no device has, as a broker may deliver a message once for each filter (MQTT 5,
    /// section 3.3.4). A filter has no wildcard for several levels in the middle, so the filters cover devices with up
    /// to three levels before their own; others need a topic in the site's [`Vocabulary`].
    pub fn subscriptions(&self, vocabulary: &Vocabulary) -> Vec<String> {
        let ours = [
            "button/+/pressed",
            "button/+/press",
            "button/+/status",
            "button/+/voice",
            "device/register",
            "device/heartbeat",
            "device/+/telemetry",
            "device/+/heartbeat",
        ];
        let foreign = [
            "stat/#",
            "tele/#",
            "+/stat/#",
            "+/tele/#",
            "+/+/stat/#",
            "+/+/tele/#",
            "+/+/+/stat/#",
            "+/+/+/tele/#",
            "+/events/rpc",
            "+/+/events/rpc",
            "+/+/+/events/rpc",
            "+/+/+/+/events/rpc",
            "+/blu/+/button",
            "+/+/blu/+/button",
            "+/online",
            "+/+/online",
            "+/+/+/online",
            "shellies/+/input_event/+",
            "shellies/+/+/input_event/+",
            "shellies/+/info",
            "zigbee2mqtt/#",
            "+/zigbee2mqtt/#",
            "+/+/zigbee2mqtt/#",
            "+/+/+/zigbee2mqtt/#",
            "application/+/device/+/event/up",
            "application/+/device/+/event/status",
            "application/+/device/+/event/join",
            "v3/+/devices/+/up",
            "v3/+/devices/+/join",
            "things/+/uplink",
            "things/+/join",
            "+/things/+/uplink",
            "+/things/+/join",
            "home/+/433toMQTT/#",
            "home/+/RFtoMQTT/#",
            "home/+/RF2toMQTT/#",
            "home/+/SRFBtoMQTT/#",
            "home/+/RTL_433toMQTT/#",
            "home/+/PilighttoMQTT/#",
            "home/+/IRtoMQTT/#",
        ];
        let ours = ours.iter().map(|filter| format!("{}/{filter}", self.prefix));
        let mut all: Vec<String> = ours.chain(foreign.map(str::to_owned)).collect();
        for topic in &vocabulary.topics {
            let filter = topic.filter();
            if !all.contains(&filter) {
                all.push(filter);
            }
        }
        all
    }

    /// Parses a topic. The site's topics take precedence over the built-in ones, and our own prefix over both.
    pub(super) fn address<'t>(&self, vocabulary: &Vocabulary, topic: &'t str) -> Option<Address<'t>> {
        if let Some(rest) = topic.strip_prefix(&self.prefix).and_then(|rest| rest.strip_prefix('/')) {
            return ours(rest);
        }
        let of_site = vocabulary.topics.iter().find_map(|known| Some((known, known.device(topic)?)));
        if let Some((known, device)) = of_site {
            return of_the_site(known, device, topic);
        }
        let levels: Vec<&str> = topic.split('/').collect();
        let base = levels.iter().take(BEFORE_MAX + 1).position(|level| *level == "zigbee2mqtt");
        if let Some(base) = base.filter(|base| base + 1 < levels.len()) {
            return zigbee(&levels[..base], &levels[base + 1..]);
        }
        let (device, channel): (Cow<'_, str>, _) = match levels[..] {
            [.., "application", _, "device", id, "event", event] => {
                (id.into(), Channel::Chirpstack(lorawan::Event::from_level(event)?))
            }
            ["v3", _, "devices", id, event] => {
                let event = lorawan::Event::from_level(event).unwrap_or(lorawan::Event::Other);
                (id.into(), Channel::ThingsStack(event))
            }
            ["v3", _, "devices", id, ..] => (id.into(), Channel::ThingsStack(lorawan::Event::Other)),
            ["things", id, event] | [_, "things", id, event] => {
                (id.into(), Channel::Thingpark(lorawan::Event::from_level(event)?))
            }
            ["home", gateway, module, ..] if module.ends_with("toMQTT") => {
                (gateway.into(), Channel::Openmqttgateway(module.strip_suffix("toMQTT")?))
            }
            ["shellies", .., "input_event", input] => {
                let input = input.parse().ok()?;
                (joined(&levels[1..levels.len() - 2]), Channel::Shelly(shelly::Part::InputEvent(input)))
            }
            [.., "events", "rpc"] => (prefix(&levels, 2), Channel::Shelly(shelly::Part::Rpc)),
            [.., "blu", id, "button"] => (id.into(), Channel::Shelly(shelly::Part::BluButton)),
            ["shellies", _, "info"] => (prefix(&levels, 1), Channel::Shelly(shelly::Part::Info)),
            _ => match tasmota_device(&levels) {
                Some(device) => {
                    let last = levels.last().copied().unwrap_or_default();
                    (device, Channel::Tasmota(tasmota::Part::from_level(last)))
                }
                None => match levels[..] {
                    [.., "online"] => (prefix(&levels, 1), Channel::Shelly(shelly::Part::Online)),
                    ["shellies", _, _, ..] => (levels[1].into(), Channel::Shelly(shelly::Part::Other)),
                    _ => return None,
                },
            },
        };
        Some(Address { device: Some(device), channel })
    }
}

fn ours(rest: &str) -> Option<Address<'_>> {
    let (device, ours) = match rest.split('/').collect::<Vec<_>>()[..] {
        ["button", id, "pressed" | "press"] => (Some(id), Ours::Press),
        ["button", id, "status"] | ["device", id, "telemetry" | "heartbeat"] => (Some(id), Ours::Status),
        ["button", id, "voice"] => (Some(id), Ours::Voice),
        ["device", "register" | "heartbeat"] => (None, Ours::Status),
        _ => return None,
    };
    Some(Address { device: device.map(Cow::Borrowed), channel: Channel::Ours(ours) })
}

/// Parses a topic of the site's own: the site gives the dialect, the last level the channel.
fn of_the_site<'t>(known: &DeviceTopic, device: &'t str, topic: &'t str) -> Option<Address<'t>> {
    let last = topic.rsplit('/').next().unwrap_or_default();
    let radio = || lorawan::Event::from_level(last).unwrap_or(lorawan::Event::Up);
    let channel = match known.dialect {
        Dialect::Crewbell | Dialect::Original => Channel::Ours(match last {
            "status" | "telemetry" | "heartbeat" => Ours::Status,
            "voice" => Ours::Voice,
            _ => Ours::Press,
        }),
        Dialect::Tasmota => Channel::Tasmota(match tasmota::Part::from_level(last) {
            tasmota::Part::Other => tasmota::Part::Result,
            part @ (tasmota::Part::Result
            | tasmota::Part::Trigger { .. }
            | tasmota::Part::LastWill
            | tasmota::Part::State
            | tasmota::Part::Sensor) => part,
        }),
        Dialect::Shelly => Channel::Shelly(if last == "online" { shelly::Part::Online } else { shelly::Part::Rpc }),
        Dialect::Zigbee2mqtt => return zigbee(&[], &device.split('/').collect::<Vec<_>>()),
        Dialect::Chirpstack => Channel::Chirpstack(radio()),
        Dialect::ThingsStack => Channel::ThingsStack(radio()),
        Dialect::Thingpark => Channel::Thingpark(radio()),
        Dialect::Openmqttgateway => {
            let module = topic.split('/').find_map(|level| level.strip_suffix("toMQTT"));
            Channel::Openmqttgateway(module.unwrap_or("radio"))
        }
        Dialect::Plain => Channel::Plain,
    };
    Some(Address { device: Some(device.into()), channel })
}

/// Attributes that a Zigbee bridge publishes on topics of their own, if so configured.
const ATTRIBUTES: [&str; 16] = [
    "battery",
    "battery_low",
    "linkquality",
    "voltage",
    "last_seen",
    "update",
    "update_available",
    "update_state",
    "device",
    "device_temperature",
    "power_outage_count",
    "temperature",
    "humidity",
    "action_group",
    "action_rate",
    "trigger_count",
];

/// Parses a topic of a Zigbee bridge. Names in `Zigbee2MQTT` may contain slashes; the last level decides whether it is
/// a suffix.
fn zigbee<'t>(base: &[&'t str], name: &[&'t str]) -> Option<Address<'t>> {
    if name.first() == Some(&"bridge") {
        return None;
    }
    let (last, head) = name.split_last()?;
    let (own, channel) = match *last {
        _ if head.is_empty() => (name, Channel::Zigbee2mqtt(zigbee2mqtt::Part::State)),
        "availability" => (head, Channel::Zigbee2mqtt(zigbee2mqtt::Part::Availability)),
        "action" | "click" => (head, Channel::Zigbee2mqtt(zigbee2mqtt::Part::Action)),
        "set" | "get" => return None,
        attribute if ATTRIBUTES.contains(&attribute) => (head, Channel::Attribute(attribute)),
        _ => (name, Channel::Zigbee2mqtt(zigbee2mqtt::Part::State)),
    };
    // Names are unique only within a bridge: two bridges may each have a "cabin 7".
    let device = if base.is_empty() && own.len() == 1 { own[0].into() } else { joined(&[base, own].concat()) };
    Some(Address { device: Some(device), channel })
}

/// The device of a Tasmota topic, with `%prefix%` and `%topic%` in either order.
fn tasmota_device<'t>(levels: &[&'t str]) -> Option<Cow<'t, str>> {
    let (_, levels) = levels.split_last()?;
    let at = levels.iter().take(BEFORE_MAX + 1).position(|level| matches!(*level, "stat" | "tele"))?;
    let mut own = [&levels[..at], &levels[at + 1..]].concat();
    if own.len() > 1 && own[0] == "tasmota" {
        own.remove(0);
    }
    (!own.is_empty()).then(|| joined(&own))
}

/// A Shelly's own prefix: the levels before the last ones, without the maker's `shellies`.
fn prefix<'t>(levels: &[&'t str], last: usize) -> Cow<'t, str> {
    match &levels[..levels.len() - last] {
        ["shellies", own @ ..] if !own.is_empty() => joined(own),
        own => joined(own),
    }
}

fn joined<'t>(levels: &[&'t str]) -> Cow<'t, str> {
    match levels {
        &[one] => Cow::Borrowed(one),
        several => Cow::Owned(several.join("/")),
    }
}
