//! Decoders for the dialects of the buttons: topic and payload in, decoded messages out.
//!
//! Pure: no I/O, no SQL, no clock, and a single rule: only a recognised press rings. Retained messages, heartbeats,
//! empty actions, releases and unknown shapes never do. The topic gives the device and the dialect; the payload's shape
//! distinguishes firmware builds of one dialect. Identity claims in a payload are not read, except where a gateway
//! speaks for buttons behind it.
//!
//! The press itself (key and kind) is read strictly; other fields may be damaged, and are then unknown (`reading`).
//!
//! To add a dialect: a file with `decode`, its topics in `topics`, an arm in [`Dialects::decode`], a variant of
//! [`Dialect`], and its vectors in `vectors/`. Words that only some sites use don't belong here, but in their
//! [`Vocabulary`].

mod battery;
mod blu;
mod chirpstack;
mod crewbell;
mod decoded;
mod fields;
mod lorawan;
mod openmqttgateway;
mod original;
mod plain;
mod radio_table;
mod shelly;
mod tasmota;
#[cfg(test)]
mod tests;
mod thingpark;
mod things_stack;
mod topics;
mod vocabulary;
mod zigbee2mqtt;

use crewbell_shared::button::{DeviceWord, Vocabulary};

pub use decoded::{Decoded, Dialect, Heard, Ignored, Said, VoiceChunk};
pub use radio_table::{RadioPort, RadioPress, RadioTable};

use super::reading;
use fields::Fields;
use topics::{Channel, Ours};

/// Maximum payload of a message without speech, in bytes; real ones stay below 2 KiB.
pub const PAYLOAD_MAX: usize = 16 * 1024;
/// Maximum payload of a message with speech, in bytes: 20 s of it are 300 kB in base64.
pub const VOICE_MAX: usize = 512 * 1024;
/// Maximum length of a device id, in bytes.
const DEVICE_ID_MAX: usize = 64;

/// All dialects, configured for one server.
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
    /// Creates the dialects with the first level (or levels) of the server's own topics, and the radio table.
    pub fn new(prefix: &str, radio_table: RadioTable) -> Self {
        Self { prefix: prefix.trim_matches('/').to_owned(), radio_table }
    }

    /// Decodes one message to a site with that vocabulary. `retained` is the RETAIN flag of the message as delivered.
    ///
    /// Never fails and never panics: unrecognised content is returned as [`Said::Nothing`]. Costs one parse of the
    /// payload.
    pub fn decode(&self, vocabulary: &Vocabulary, topic: &str, payload: &[u8], retained: bool) -> Decoded {
        let address = self.address(vocabulary, topic);
        let Some(address) = address.filter(|to| to.device.as_deref().is_none_or(is_device_id)) else {
            let said = Said::Nothing(Ignored::UnknownTopic);
            return Decoded { device: None, dialect: None, heard: vec![Heard::itself(said)], damage: None };
        };
        let channel = address.channel;
        let device = address
            .device
            .map(|device| if channel.is_radio() { device.to_ascii_lowercase() } else { device.into_owned() });
        let max = if channel == Channel::Ours(Ours::Voice) { VOICE_MAX } else { PAYLOAD_MAX };
        if payload.len() > max {
            let heard = vec![Heard { device: device.clone(), ..Heard::itself(Said::Nothing(Ignored::TooLarge)) }];
            return Decoded { device, dialect: Some(channel.dialect()), heard, damage: None };
        }
        let dialect = channel.dialect();
        let speaker = device.as_deref().unwrap_or_default();
        let message =
            Message { payload, retained, fields: Err(Ignored::NotJson), device: speaker, dialect, vocabulary };
        let (dialect, heard, damage) = match reading::read(payload) {
            Err(why) => {
                let message = Message { fields: Err(fields::unreadable(why)), ..message };
                let (dialect, heard) = self.understand(channel, message);
                (dialect, heard, None)
            }
            Ok(readings) => {
                let mut documents = readings.iter().map(|reading| {
                    self.understand(channel, Message { fields: Ok(Fields::from(reading)), ..message.clone() })
                });
                let (dialect, mut heard) = documents.next().unwrap_or_default();
                // A further object behind the first may be another press; anything else in it is dropped.
                let more = documents.flat_map(|(_, heard)| heard);
                heard.extend(more.filter(|heard| matches!(heard.said, Said::Press(_))));
                (dialect, heard, readings.first().and_then(|reading| reading.damage))
            }
        };
        let heard = heard.into_iter().map(|heard| whole(heard, device.as_deref(), retained)).collect();
        Decoded { device, dialect, heard, damage: damage.map(reading::Damage::code) }
    }

    fn understand(&self, channel: Channel<'_>, mut message: Message<'_>) -> (Option<Dialect>, Vec<Heard>) {
        let table = &self.radio_table;
        let understood = match channel {
            Channel::Ours(ours) => decode_ours(ours, &mut message),
            Channel::Tasmota(part) => tasmota::decode(part, &message),
            Channel::Shelly(part) => shelly::decode(part, &message),
            Channel::Zigbee2mqtt(part) => zigbee2mqtt::decode(part, &message),
            Channel::Attribute(name) => message.one(zigbee2mqtt::decode_attribute(name, message.payload)),
            Channel::Chirpstack(event) => chirpstack::decode(event, &message, table),
            Channel::ThingsStack(event) => things_stack::decode(event, &message, table),
            Channel::Thingpark(event) => thingpark::decode(event, &message, table),
            Channel::Openmqttgateway(module) => openmqttgateway::decode(module, &message),
            Channel::Plain => plain::decode(&message),
        };
        let damage = message.fields.as_ref().ok().and_then(|fields| fields.damage());
        let heard = understood.unwrap_or_else(|why| {
            // Unrecognised content of a damaged message is blamed on the damage, not on its shape.
            let why = match (why, damage) {
                (Ignored::UnknownShape(_), Some(damage)) => Ignored::Damaged(damage.says()),
                (why, _) => why,
            };
            vec![Heard::itself(Said::Nothing(why))]
        });
        (Some(message.dialect), heard)
    }
}

/// One message, as passed to the dialects.
#[derive(Clone, Debug)]
struct Message<'m> {
    payload: &'m [u8],
    retained: bool,
    fields: Result<Fields<'m>, Ignored>,
    /// The device id in the topic.
    device: &'m str,
    dialect: Dialect,
    vocabulary: &'m Vocabulary,
}

/// The result of a dialect's decoder.
type Understood = Result<Vec<Heard>, Ignored>;

impl<'m> Message<'m> {
    /// The payload as an object.
    fn fields(&self) -> Result<Fields<'m>, Ignored> {
        self.fields.clone()
    }

    /// The site's meaning of a word of this device.
    fn taught(&self, word: &str) -> Option<&'m DeviceWord> {
        self.taught_of(self.device, word)
    }

    /// The site's meaning of a word of a button behind this device.
    fn taught_of(&self, device: &str, word: &str) -> Option<&'m DeviceWord> {
        self.vocabulary.word(self.dialect, device, word)
    }

    /// Wraps a message about the topic's own device.
    #[expect(clippy::unused_self, reason = "it reads as what it is: the one thing that the message says")]
    fn one(&self, said: Result<Said, Ignored>) -> Understood {
        said.map(|said| vec![Heard::itself(said)])
    }
}

/// Decodes a message under the server's prefix: our firmware's by its shape, otherwise the original firmware's.
fn decode_ours(ours: Ours, message: &mut Message<'_>) -> Understood {
    if ours == Ours::Status
        && let Ok(text) = fields::text_of(message.payload)
        && let Some(online) = fields::online(&text)
    {
        return message.one(Ok(original::only_online(online)));
    }
    let fields = message.fields()?;
    let is_ours = crewbell::is_ours(fields);
    if is_ours {
        message.dialect = Dialect::Crewbell;
    }
    let said = match ours {
        Ours::Press if is_ours => crewbell::decode_press(message),
        Ours::Press => original::decode_press(message),
        Ours::Status => original::decode_status(fields),
        Ours::Voice if message.retained => Err(Ignored::Retained),
        Ours::Voice => original::decode_voice(fields),
    };
    message.one(said)
}

/// Completes a decoded message for every dialect: fills in the device, and turns a retained press into
/// [`Ignored::Retained`].
fn whole(heard: Heard, speaker: Option<&str>, retained: bool) -> Heard {
    let Heard { device, said, repeats } = heard;
    let said = match said {
        Said::Press(_) if retained => Said::Nothing(Ignored::Retained),
        said @ (Said::Press(_) | Said::Health(_) | Said::Voice(_) | Said::Nothing(_)) => said,
    };
    match device.map(|behind| fitted(&behind)) {
        None => Heard { device: speaker.map(str::to_owned), said, repeats },
        Some(behind) if behind.is_empty() => {
            Heard { device: speaker.map(str::to_owned), said: Said::Nothing(blu::NAMELESS), repeats }
        }
        Some(behind) => Heard { device: Some(behind), said, repeats },
    }
}

/// Converts an id from a gateway to a valid device id: drops invalid characters, and keeps the end of one that is too
/// long, where the addresses are.
fn fitted(id: &str) -> String {
    let clean: String = id.chars().filter(|c| !c.is_control() && !matches!(c, '+' | '#')).collect();
    let from = clean.len().saturating_sub(DEVICE_ID_MAX);
    let from = (from..=clean.len()).find(|&at| clean.is_char_boundary(at)).unwrap_or(clean.len());
    clean[from..].trim().to_owned()
}

fn is_device_id(id: &str) -> bool {
    (1..=DEVICE_ID_MAX).contains(&id.trim().len()) && !id.chars().any(|c| c.is_control() || matches!(c, '+' | '#'))
}
