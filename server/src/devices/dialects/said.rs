//! What a message turned out to say.

use crewbell_shared::button::{Key, SeenPress, Vitals};

/// Whose language a message was in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// Our own firmware.
    Crewbell,
    /// The original firmware, all builds.
    Original,
    /// Tasmota.
    Tasmota,
    /// Shelly, all generations.
    Shelly,
    /// Zigbee behind `Zigbee2MQTT`.
    Zigbee2mqtt,
    /// `LoRaWAN` behind `ChirpStack` v4.
    Chirpstack,
}

impl Dialect {
    /// The dialect's stable name, for metrics, the database and the admin's view.
    pub fn code(self) -> &'static str {
        match self {
            Self::Crewbell => "crewbell",
            Self::Original => "original",
            Self::Tasmota => "tasmota",
            Self::Shelly => "shelly",
            Self::Zigbee2mqtt => "zigbee2mqtt",
            Self::Chirpstack => "chirpstack",
        }
    }
}

/// One decoded message.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoded {
    /// The device as the topic names it (for a radio its devEUI in lower case); never from the payload.
    pub device: Option<String>,
    /// Whose language it is; none for a topic that is nobody's.
    pub dialect: Option<Dialect>,
    /// What it says.
    pub said: Said,
}

/// What a message says.
#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    /// A finger pressed the button. Whether it is a new press is for [`crewbell_shared::button::judge`].
    Press(SeenPress),
    /// The device's health, and no press.
    Health(Vitals),
    /// Speech that belongs to a hold; never rings by itself.
    Voice(VoiceChunk),
    /// Nothing to act on.
    Nothing(Ignored),
}

/// A recording, or a part of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VoiceChunk {
    /// The key that was held.
    pub key: Key,
    /// Length in milliseconds, at most ten minutes, where said.
    pub duration_ms: Option<u32>,
    /// Encoding, such as `adpcm` (the default: 16 kHz, one channel).
    pub format: String,
    /// The sound; empty when it has to be fetched from `audio_url`.
    pub bytes: Vec<u8>,
    /// Where the recording can be fetched.
    pub audio_url: Option<String>,
    /// What the device's cloud understood.
    pub transcript: Option<String>,
}

/// Why a message was not acted on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ignored {
    /// A press that the broker kept from earlier; it rang when it happened.
    Retained,
    /// An action without content, as `Zigbee2MQTT` sends after each press.
    EmptyAction,
    /// A sign of life that says nothing else.
    Heartbeat,
    /// Well understood and no press: a release, a raw contact change, a radio's acknowledgement.
    NotAPress,
    /// A topic that no dialect knows, or with an unusable device id (1 to 64 bytes, no control characters).
    UnknownTopic,
    /// A known topic with content that is not understood; says what is odd about it, without quoting it.
    UnknownShape(&'static str),
    /// The payload is not UTF-8 where it should be text.
    NotUtf8,
    /// The payload is not JSON, or not an object, where it should be.
    NotJson,
    /// More than 16 KiB, for speech more than 512 KiB.
    TooLarge,
}

impl Ignored {
    /// A stable code, for metrics and the admin's view.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Retained => "retained",
            Self::EmptyAction => "empty_action",
            Self::Heartbeat => "heartbeat",
            Self::NotAPress => "not_a_press",
            Self::UnknownTopic => "unknown_topic",
            Self::UnknownShape(_) => "unknown_shape",
            Self::NotUtf8 => "not_utf8",
            Self::NotJson => "not_json",
            Self::TooLarge => "too_large",
        }
    }
}
