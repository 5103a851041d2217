//! The call on this device: what the voice engine does about it, and what a window shows of it.
//!
//! The calls themselves are nouns, and come as all nouns do; here is only what this one device has to do with them.

use crewbell_shared::ids::{CallId, EndpointId};
use serde::{Deserialize, Serialize};

/// What this device does about calls now, whole: the voice engine starts and stops accordingly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Nothing.
    #[default]
    Idle,
    /// Somebody calls this person: ring.
    Ring {
        /// Which call.
        call_id: CallId,
    },
    /// It rings at the one who was called from here: sound the ringback tone.
    RingBack {
        /// Which call.
        call_id: CallId,
    },
    /// They speak, over this device.
    Talk {
        /// Which call.
        call_id: CallId,
        /// The other side's run of the app; none for a client that has no voice.
        peer: Option<EndpointId>,
        /// Whether this side makes the offers (RFC 3264): the caller does.
        offers: bool,
    },
    /// The call that was made or held here is over: say so for a moment.
    Over {
        /// Which call.
        call_id: CallId,
    },
}

impl Task {
    /// The call that it is about.
    pub fn call_id(&self) -> Option<CallId> {
        match self {
            Self::Idle => None,
            Self::Ring { call_id }
            | Self::RingBack { call_id }
            | Self::Talk { call_id, .. }
            | Self::Over { call_id } => Some(*call_id),
        }
    }
}

/// By which way the voice goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// None yet.
    #[default]
    None,
    /// From device to device.
    Direct,
    /// Through a TURN server (RFC 8656).
    Turn,
    /// Over the live socket, because the network lets no UDP through.
    Server,
}

/// How good the connection of a call is, as a person hears it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quality {
    /// Not known yet.
    #[default]
    Unknown,
    /// Nothing is missing.
    Good,
    /// Some of it is mended.
    Fair,
    /// Words are lost.
    Poor,
}

/// How it stands with the voice of a call on this device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Media {
    /// Of which call.
    pub call_id: CallId,
    /// By which way it goes.
    pub way: Way,
    /// How good it is.
    pub quality: Quality,
    /// Milliseconds since something was heard from the other side; none: nothing was yet.
    pub silent_ms: Option<u32>,
    /// The microphone is muted by the person.
    pub muted: bool,
    /// The microphone is open only while the person holds a button; whether they hold it.
    pub push_to_talk: Option<bool>,
    /// Why there is no microphone: the call goes on, for listening.
    pub microphone_trouble: Option<String>,
    /// Why there is no speaker.
    pub speaker_trouble: Option<String>,
}

/// The call on this device, as a window shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phone {
    /// What this device does.
    pub task: Task,
    /// How it stands with the voice, while they speak.
    pub media: Option<Media>,
    /// The other side's app can't be reached by the server; the voice may go on all the same.
    pub other_away: bool,
}

/// How loud it is right now, for meters: 0 (silence) to 100 (full scale).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Levels {
    /// What this side says.
    pub microphone: u8,
    /// What the other side says.
    pub speaker: u8,
}

/// The microphones and speakers of a device, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AudioDevices {
    /// What can be spoken into.
    pub microphones: Vec<String>,
    /// What can be heard from.
    pub speakers: Vec<String>,
}
