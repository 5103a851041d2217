//! Call state of this device: the voice engine's task, and the state for display.
//!
//! Calls themselves are entities and are synchronised as such; these types hold only this device's part in them.

use crewbell_shared::ids::{CallId, EndpointId};
use serde::{Deserialize, Serialize};

/// The complete call task of this device; the voice engine starts and stops accordingly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// No call.
    #[default]
    Idle,
    /// An incoming call rings.
    Ring {
        /// The call's id.
        call_id: CallId,
    },
    /// The called device rings; the ringback tone sounds here.
    RingBack {
        /// The call's id.
        call_id: CallId,
    },
    /// A call is in progress over this device.
    Talk {
        /// The call's id.
        call_id: CallId,
        /// The other endpoint; none for a client without voice support.
        peer: Option<EndpointId>,
        /// Whether this endpoint makes the offers (RFC 3264): the caller does.
        offers: bool,
    },
    /// A call made or held on this device is over; shown for a moment.
    Over {
        /// The call's id.
        call_id: CallId,
    },
}

impl Task {
    /// Returns the call concerned.
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

/// The path of a call's media.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaPath {
    /// None yet.
    #[default]
    None,
    /// Peer to peer.
    Direct,
    /// Through a TURN server (RFC 8656).
    Turn,
    /// Over the live socket, because the network blocks UDP.
    Server,
}

/// Perceived quality of a call's connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quality {
    /// Not known yet.
    #[default]
    Unknown,
    /// No loss.
    Good,
    /// Some loss, concealed.
    Fair,
    /// Audible loss.
    Poor,
}

/// State of a call's media connection on this device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Media {
    /// The call's id.
    pub call_id: CallId,
    /// The media path.
    pub way: MediaPath,
    /// The connection quality.
    pub quality: Quality,
    /// Milliseconds since the last audio from the other endpoint; none before the first.
    pub silent_ms: Option<u32>,
    /// Whether the person muted the microphone.
    pub muted: bool,
    /// Whether the push-to-talk button is held; none without push-to-talk.
    pub push_to_talk: Option<bool>,
    /// The microphone's error; the call continues for listening only.
    pub microphone_trouble: Option<String>,
    /// The speaker's error.
    pub speaker_trouble: Option<String>,
}

/// Call state of this device for display.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phone {
    /// The task of this device.
    pub task: Task,
    /// State of the media connection, during a call.
    pub media: Option<Media>,
    /// Whether the server can't reach the other endpoint; the audio may continue all the same.
    pub other_away: bool,
}

/// Current audio levels for meters: 0 (silence) to 100 (full scale).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Levels {
    /// Level of this device's microphone.
    pub microphone: u8,
    /// Level of the other endpoint's audio.
    pub speaker: u8,
}

/// The microphones and speakers of a device, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AudioDevices {
    /// The microphones.
    pub microphones: Vec<String>,
    /// The speakers.
    pub speakers: Vec<String>,
}
