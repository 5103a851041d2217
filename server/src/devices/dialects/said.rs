//! What a message turned out to say.

use std::borrow::Cow;

use crewbell_shared::button::{Evidence, Key, PressKind, SeenPress, Vitals};

pub use crewbell_shared::button::Dialect;

/// One decoded message.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoded {
    /// The device as the topic names it (for a radio its devEUI in lower case); never from the payload. It is the one
    /// that must be allowed to speak.
    pub device: Option<String>,
    /// Whose language it is; none for a topic that is nobody's.
    pub dialect: Option<Dialect>,
    /// What it says, in the order said: one thing at least, and several where several keys or buttons speak.
    pub heard: Vec<Heard>,
    /// What was damaged in it, if anything was: a stable code.
    pub damage: Option<&'static str>,
}

/// What a message says of one button.
#[derive(Clone, Debug, PartialEq)]
pub struct Heard {
    /// Of which: the device of the topic, or a button behind it; none where nobody is named.
    pub device: Option<String>,
    /// What.
    pub said: Said,
    /// What a repetition of it repeats, where that is less than all the bytes: a bridge says a press twice with another
    /// signal strength, or once as JSON and once as a plain word. None: the bytes.
    pub repeats: Option<String>,
}

/// What a message says of a button.
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
    /// A word that may be a press, and that neither the dialect nor the site knows: the site can say what it means.
    UnknownWord(Cow<'static, str>),
    /// A known topic with content that is not understood; says what is odd about it, without quoting it.
    UnknownShape(&'static str),
    /// What would tell the press is damaged; says how.
    Damaged(&'static str),
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
            Self::UnknownWord(_) => "unknown_word",
            Self::UnknownShape(_) => "unknown_shape",
            Self::Damaged(_) => "damaged",
            Self::NotUtf8 => "not_utf8",
            Self::NotJson => "not_json",
            Self::TooLarge => "too_large",
        }
    }

    /// The word that the site can teach, if that is all that is missing.
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

    /// What exactly is wrong, where the code alone doesn't tell.
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
    /// The device of the topic says something of itself.
    pub(super) fn itself(said: Said) -> Self {
        Self { device: None, said, repeats: None }
    }

    /// A press whose repetitions are known by a text.
    pub(super) fn press(press: SeenPress, repeats: impl Into<String>) -> Self {
        Self { device: None, said: Said::Press(press), repeats: Some(repeats.into()) }
    }

    /// The same, said of another button than the topic's.
    pub(super) fn of(self, device: impl Into<String>) -> Self {
        Self { device: Some(device.into()), ..self }
    }
}

/// A press of which nothing is known but how and where.
pub(super) fn press(kind: PressKind, key: Key) -> SeenPress {
    SeenPress {
        kind,
        key,
        evidence: Evidence::Nothing,
        device_press_id: None,
        device_time: None,
        vitals: Vitals::default(),
        transcript: None,
        audio_url: None,
    }
}
