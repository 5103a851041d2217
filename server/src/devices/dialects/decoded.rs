//! Types of a decoded message.

use std::borrow::Cow;

use crewbell_shared::button::{ButtonKey, Evidence, PressKind, SeenPress, Telemetry};

pub use crewbell_shared::button::Dialect;

/// One decoded message.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoded {
    /// The device in the topic (for a radio its devEUI in lower case); never from the payload. This device must have
    /// the permission to publish.
    pub device: Option<String>,
    /// The dialect; none for an unknown topic.
    pub dialect: Option<Dialect>,
    /// The decoded contents in their original order: at least one, and several for several keys or buttons.
    pub heard: Vec<Heard>,
    /// Stable code of the damage in the message, if any.
    pub damage: Option<&'static str>,
}

/// The content of a message for one button.
#[derive(Clone, Debug, PartialEq)]
pub struct Heard {
    /// The device of the topic, or a button behind it; none if the message names none.
    pub device: Option<String>,
    /// The content.
    pub said: Said,
    /// The identity of a repetition, where that is less than all the bytes; none means the bytes. A bridge sends a
    /// press twice with different signal strengths, or once as JSON and once as a plain word.
    pub repeats: Option<String>,
}

/// The kinds of content.
#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    /// A press of the button. [`crewbell_shared::button::classify`] decides whether it is a new one.
    Press(SeenPress),
    /// The device's health, without a press.
    Health(Telemetry),
    /// Speech that belongs to a hold; never rings by itself.
    Voice(VoiceChunk),
    /// Nothing to act on.
    Nothing(Ignored),
}

/// A recording, or a part of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VoiceChunk {
    /// The key that was held.
    pub key: ButtonKey,
    /// Duration in milliseconds, at most ten minutes, if reported.
    pub duration_ms: Option<u32>,
    /// Encoding, such as `adpcm` (the default: 16 kHz, one channel).
    pub format: String,
    /// The audio; empty if it has to be fetched from `audio_url`.
    pub bytes: Vec<u8>,
    /// URL of the recording.
    pub audio_url: Option<String>,
    /// Transcript made by the device's cloud.
    pub transcript: Option<String>,
}

/// The reason why a message is ignored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ignored {
    /// A retained press; it rang when it happened.
    Retained,
    /// An action without content, as `Zigbee2MQTT` sends after each press.
    EmptyAction,
    /// A heartbeat without other content.
    Heartbeat,
    /// A recognised message that is not a press: a release, a raw contact change, a radio's acknowledgement.
    NotAPress,
    /// A topic of no known dialect, or with an invalid device id (1 to 64 bytes, no control characters).
    UnknownTopic,
    /// A word unknown to the dialect and the site, which may be a press: the site can define its meaning.
    UnknownWord(Cow<'static, str>),
    /// A known topic with unrecognised content; with a description that doesn't quote it.
    UnknownShape(&'static str),
    /// The fields that describe the press are damaged; with a description.
    Damaged(&'static str),
    /// The payload is not UTF-8 where it should be text.
    NotUtf8,
    /// The payload is not JSON, or not an object, where it should be.
    NotJson,
    /// The payload exceeds 16 KiB, or 512 KiB for speech.
    TooLarge,
}

impl Ignored {
    /// Stable code, for metrics and the admin's view.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Retained => "retained",
            Self::EmptyAction => "empty_action",
            Self::Heartbeat => "heartbeat",
            Self::NotAPress => "not_a_press",
            Self::UnknownTopic => "unknown_topic",
            Self::UnknownWord(_) => "unknown_word",
            Self::UnknownShape(_) => "unknown_shape",
            Self::Damaged(_) => "damaged",
            Self::NotUtf8 => "not_utf8",
            Self::NotJson => "not_json",
            Self::TooLarge => "too_large",
        }
    }

    /// The unknown word whose meaning the site can define, if that is the reason.
    pub fn word(&self) -> Option<&str> {
        match self {
            Self::UnknownWord(word) => Some(word),
            Self::Retained
            | Self::EmptyAction
            | Self::Heartbeat
            | Self::NotAPress
            | Self::UnknownTopic
            | Self::UnknownShape(_)
            | Self::Damaged(_)
            | Self::NotUtf8
            | Self::NotJson
            | Self::TooLarge => None,
        }
    }

    /// Description of the problem, where the code alone is not enough.
    pub fn detail(&self) -> Option<&'static str> {
        match self {
            Self::UnknownShape(what) | Self::Damaged(what) => Some(what),
            Self::Retained
            | Self::EmptyAction
            | Self::Heartbeat
            | Self::NotAPress
            | Self::UnknownTopic
            | Self::UnknownWord(_)
            | Self::NotUtf8
            | Self::NotJson
            | Self::TooLarge => None,
        }
    }
}

impl Heard {
    /// Creates a content for the topic's own device.
    pub(super) fn itself(said: Said) -> Self {
        Self { device: None, said, repeats: None }
    }

    /// Creates a press whose repetitions are identified by a text.
    pub(super) fn press(press: SeenPress, repeats: impl Into<String>) -> Self {
        Self { device: None, said: Said::Press(press), repeats: Some(repeats.into()) }
    }

    /// Assigns the content to another button than the topic's.
    pub(super) fn of(self, device: impl Into<String>) -> Self {
        Self { device: Some(device.into()), ..self }
    }
}

/// Creates a press with only kind and key known.
pub(super) fn press(kind: PressKind, key: ButtonKey) -> SeenPress {
    SeenPress {
        kind,
        key,
        evidence: Evidence::Nothing,
        device_press_id: None,
        device_time: None,
        vitals: Telemetry::default(),
        transcript: None,
        audio_url: None,
    }
}
