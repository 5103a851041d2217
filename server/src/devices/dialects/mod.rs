//! The languages of buttons: topic and payload in, meaning out.
//!
//! Pure: no I/O, no SQL, no clock, and no rule but one: only a recognised press rings. What is retained, a
//! heartbeat, an empty action, a release or an unknown shape never does. The topic says who speaks and in which
//! dialect; the payload's shape tells builds of one dialect apart. What a payload says of its sender's identity
//! is not read.
//!
//! To add a dialect: a file with `decode`, an arm in [`Dialects::decode`], its filters in
//! [`Dialects::subscriptions`], a variant of [`Dialect`], and its vectors in `vectors/`.

mod chirpstack;
mod crewbell;
mod fields;
mod original;
mod radio_table;
mod said;
mod shelly;
mod tasmota;
#[cfg(test)]
mod tests;
mod words;
mod zigbee2mqtt;

pub use radio_table::{RadioPort, RadioPress, RadioTable};
pub use said::{Decoded, Dialect, Ignored, Said, VoiceChunk};

/// Largest payload of a message other than speech, in bytes; real ones stay below 2 KiB.
pub const PAYLOAD_MAX: usize = 16 * 1024;
/// Largest payload of a message with speech, in bytes: 20 s of it are 300 kB in base64.
pub const VOICE_MAX: usize = 512 * 1024;
/// Longest device id, in bytes.
const DEVICE_ID_MAX: usize = 64;

/// All dialects, set up for one site.
#[derive(Clone, Debug)]
pub struct Dialects {
    prefix: String,
    radio_table: RadioTable,
}

impl Default for Dialects {
    fn default() -> Self {
        Self::new("obedio", RadioTable::default())
    }
}

impl Dialects {
    /// Sets up the dialects with the first level (or levels) of our own topics, and the site's radio table.
    pub fn new(prefix: &str, radio_table: RadioTable) -> Self {
        Self { prefix: prefix.trim_matches('/').to_owned(), radio_table }
    }

    /// The topic filters to subscribe to at an external broker.
    ///
    /// They don't overlap, as a broker may deliver a message once for each filter (MQTT 5, section 3.3.4).
    pub fn subscriptions(&self) -> Vec<String> {
        let ours = [
            "button/+/pressed",
            "button/+/press",
            "button/+/status",
            "button/+/voice",
            "device/register",
            "device/heartbeat",
            "device/+/telemetry",
        ];
        let foreign = [
            "stat/+/RESULT",
            "tele/+/LWT",
            "tele/+/STATE",
            "+/events/rpc",
            "+/online",
            "shellies/+/input_event/+",
            "shellies/+/online",
            "shellies/+/info",
            "zigbee2mqtt/#",
            "application/+/device/+/event/up",
            "application/+/device/+/event/status",
            "application/+/device/+/event/join",
        ];
        let ours = ours.iter().map(|filter| format!("{}/{filter}", self.prefix));
        ours.chain(foreign.map(str::to_owned)).collect()
    }

    /// Decodes one message. `retained` is the RETAIN flag of the message as delivered.
    ///
    /// Never fails and never panics: what can't be understood says so. Costs one parse of the payload.
    pub fn decode(&self, topic: &str, payload: &[u8], retained: bool) -> Decoded {
        let Some(address) = self.address(topic).filter(|to| to.device.is_none_or(is_device_id)) else {
            return Decoded { device: None, dialect: None, said: Said::Nothing(Ignored::UnknownTopic) };
        };
        let message = Message { payload, retained };
        let max = if address.channel == Channel::Ours(Ours::Voice) { VOICE_MAX } else { PAYLOAD_MAX };
        let (mut dialect, mut said) = (address.channel.dialect(), Ok(Said::Nothing(Ignored::TooLarge)));
        if payload.len() <= max {
            said = match address.channel {
                Channel::Ours(ours) => {
                    let (whose, said) = decode_ours(ours, &message);
                    dialect = whose;
                    said
                }
                Channel::Tasmota(part) => tasmota::decode(part, &message),
                Channel::Shelly(part) => shelly::decode(part, &message),
                Channel::Zigbee2mqtt { availability } => zigbee2mqtt::decode(availability, &message),
                Channel::Chirpstack(event) => chirpstack::decode(event, &message, &self.radio_table),
            };
        }
        let said = match said.unwrap_or_else(Said::Nothing) {
            // The last word on the rule that matters most, whatever a dialect forgot.
            Said::Press(_) if retained => Said::Nothing(Ignored::Retained),
            said @ (Said::Press(_) | Said::Health(_) | Said::Voice(_) | Said::Nothing(_)) => said,
        };
        let device = match dialect {
            Dialect::Chirpstack => address.device.map(str::to_ascii_lowercase),
            Dialect::Crewbell | Dialect::Original | Dialect::Tasmota | Dialect::Shelly | Dialect::Zigbee2mqtt => {
                address.device.map(str::to_owned)
            }
        };
        Decoded { device, dialect: Some(dialect), said }
    }

    /// Who speaks on a topic, and on which channel.
    fn address<'t>(&self, topic: &'t str) -> Option<Address<'t>> {
        if let Some(rest) = topic.strip_prefix(&self.prefix).and_then(|rest| rest.strip_prefix('/')) {
            let (device, ours) = match rest.split('/').collect::<Vec<_>>()[..] {
                ["button", id, "pressed" | "press"] => (Some(id), Ours::Press),
                ["button", id, "status"] | ["device", id, "telemetry" | "heartbeat"] => (Some(id), Ours::Status),
                ["button", id, "voice"] => (Some(id), Ours::Voice),
                ["device", "register" | "heartbeat"] => (None, Ours::Status),
                _ => return None,
            };
            return Some(Address { device, channel: Channel::Ours(ours) });
        }
        if let Some(name) = topic.strip_prefix("zigbee2mqtt/") {
            return zigbee2mqtt_address(name);
        }
        let (device, channel) = match topic.split('/').collect::<Vec<_>>()[..] {
            ["stat", id, "RESULT"] => (id, Channel::Tasmota(tasmota::Part::Result)),
            ["tele", id, "LWT"] => (id, Channel::Tasmota(tasmota::Part::LastWill)),
            ["tele", id, "STATE"] => (id, Channel::Tasmota(tasmota::Part::State)),
            ["shellies", id, "input_event", input] => {
                (id, Channel::Shelly(shelly::Part::InputEvent(input.parse().ok()?)))
            }
            ["shellies", id, "online"] | [id, "online"] => (id, Channel::Shelly(shelly::Part::Online)),
            ["shellies", id, "info"] => (id, Channel::Shelly(shelly::Part::Info)),
            [id, "events", "rpc"] => (id, Channel::Shelly(shelly::Part::Rpc)),
            ["application", _, "device", id, "event", event] => {
                (id, Channel::Chirpstack(chirpstack::Event::from_topic(event)?))
            }
            _ => return None,
        };
        Some(Address { device: Some(device), channel })
    }
}

/// One message as the dialects see it.
#[derive(Clone, Copy, Debug)]
struct Message<'m> {
    payload: &'m [u8],
    retained: bool,
}

/// What a dialect makes of a message.
type Understood = Result<Said, Ignored>;

struct Address<'t> {
    device: Option<&'t str>,
    channel: Channel,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Channel {
    Ours(Ours),
    Tasmota(tasmota::Part),
    Shelly(shelly::Part),
    Zigbee2mqtt { availability: bool },
    Chirpstack(chirpstack::Event),
}

/// A channel under our own prefix, shared by our firmware and the original one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ours {
    Press,
    Status,
    Voice,
}

impl Channel {
    fn dialect(self) -> Dialect {
        match self {
            // Until the shape says otherwise.
            Self::Ours(_) => Dialect::Original,
            Self::Tasmota(_) => Dialect::Tasmota,
            Self::Shelly(_) => Dialect::Shelly,
            Self::Zigbee2mqtt { .. } => Dialect::Zigbee2mqtt,
            Self::Chirpstack(_) => Dialect::Chirpstack,
        }
    }
}

/// Decodes what comes under our prefix: ours by its shape, the original firmware's otherwise.
fn decode_ours(ours: Ours, message: &Message<'_>) -> (Dialect, Understood) {
    if ours == Ours::Status
        && let Ok(text) = fields::text_of(message.payload)
        && let Some(online) = fields::online(text)
    {
        return (Dialect::Original, Ok(original::only_online(online)));
    }
    let fields = match fields::Fields::parse(message.payload) {
        Ok(fields) => fields,
        Err(ignored) => return (Dialect::Original, Err(ignored)),
    };
    let is_ours = crewbell::is_ours(&fields);
    let dialect = if is_ours { Dialect::Crewbell } else { Dialect::Original };
    let said = match ours {
        Ours::Press if is_ours => crewbell::decode_press(&fields),
        Ours::Press => original::decode_press(&fields),
        Ours::Status => original::decode_status(&fields),
        Ours::Voice if message.retained => Err(Ignored::Retained),
        Ours::Voice => original::decode_voice(&fields),
    };
    (dialect, said)
}

/// Names at `Zigbee2MQTT` may hold slashes; what follows the name is told by its last level.
fn zigbee2mqtt_address(name: &str) -> Option<Address<'_>> {
    let (device, availability) = match name.rsplit_once('/') {
        Some((device, "availability")) => (device, true),
        Some((_, "set" | "get" | "action")) => return None,
        _ => (name, false),
    };
    let of_the_bridge = device == "bridge" || device.starts_with("bridge/");
    (!of_the_bridge).then_some(Address { device: Some(device), channel: Channel::Zigbee2mqtt { availability } })
}

fn is_device_id(id: &str) -> bool {
    (1..=DEVICE_ID_MAX).contains(&id.len()) && !id.chars().any(|c| c.is_control() || matches!(c, '+' | '#'))
}
