//! A guest's request, and its commands.
//!
//! ```text
//!              accept                complete
//!   ┌──────┐ ─────────▶ ┌──────────┐ ─────────▶ ┌───────────┐
//!   │ Open │            │ Accepted │            │ Completed │
//!   └──────┘ ◀───────── └──────────┘            └───────────┘
//!     │  ▲    release     │    │ ▲
//!     │  └ pressed again  │    └─┘ hand over, pressed again
//!     │                   │ cancel
//!     └─────── cancel ────┴────────────────────▶ ┌───────────┐
//!                                                │ Cancelled │
//!                                                └───────────┘
//! ```
//!
//! To add a command: a variant of [`Command`] in `command.rs`, its arm in `decide.rs` for every state (there is no
//! wildcard), its row in the table test, its entry type in [`Change`]; then its verb: see [`rules`](crate::rules).

mod command;
mod decide;
mod merge;
mod state;
mod verbs;
mod voice;

pub use command::{Change, Command};
pub use decide::{MAX_NOTES, MAX_NOTES_BYTES, MAX_TEXT, decide};
pub use merge::{ECHOES_FOR, HELD_FOR, echoes, joins, joins_held, pressed_again};
pub use state::{Acceptance, RequestState};
pub use verbs::RequestVerb;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::EntityBody;
use crate::button::{ButtonKey, PressKind};
use crate::ids::{ButtonId, GuestId, NoteId, PlaceId, RecordingId, RequestId};
use crate::person::PersonRef;
use crate::site::SiteSettings;

/// The kind of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The guest asks for somebody to come.
    Call,
    /// The guest asks for somebody to come quickly.
    Urgent,
    /// The guest recorded a voice message; the recording follows.
    Voice,
    /// An emergency: somebody is in danger.
    Emergency,
    /// A service of the site; `service` holds its code.
    Service,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::Call, Self::Urgent, Self::Voice, Self::Emergency, Self::Service];

    /// The kind's name on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Call => "call",
            Self::Urgent => "urgent",
            Self::Voice => "voice",
            Self::Emergency => "emergency",
            Self::Service => "service",
        }
    }
}

/// The priority of a request. Ordered from low to emergency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// Can wait.
    Low,
    /// Soon.
    Normal,
    /// At once.
    High,
    /// Before everything else.
    Emergency,
}

impl Priority {
    /// Every priority.
    pub const ALL: [Self; 4] = [Self::Low, Self::Normal, Self::High, Self::Emergency];

    /// The priority's name on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Normal => "normal",
            Self::High => "high",
            Self::Emergency => "emergency",
        }
    }
}

/// The part of a request that decides whether a further press joins it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// The request's kind.
    pub kind: Kind,
    /// The service's code, for [`Kind::Service`].
    pub service: Option<String>,
    /// The priority.
    pub priority: Priority,
}

impl Wish {
    /// The wish that a press stands for at a site. Shakes and emergencies mean the same on every key.
    pub fn of_press(kind: PressKind, key: ButtonKey, settings: &SiteSettings) -> Self {
        let plain = |kind, priority| Self { kind, service: None, priority };
        match (kind, settings.service(key)) {
            (PressKind::Shake | PressKind::Emergency, _) => plain(Kind::Emergency, Priority::Emergency),
            (PressKind::Long, _) => plain(Kind::Voice, Priority::Normal),
            (PressKind::Single | PressKind::Double, Some(service)) if key != ButtonKey::Main => {
                Self { kind: Kind::Service, service: Some(service.code.clone()), priority: service.priority }
            }
            (PressKind::Double, _) => plain(Kind::Urgent, Priority::High),
            (PressKind::Single, _) => plain(Kind::Call, Priority::Normal),
        }
    }
}

/// A note on a request by the crew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Note {
    /// The note's id.
    pub id: NoteId,
    /// The author.
    pub by: PersonRef,
    /// The time of writing.
    pub at: Timestamp,
    /// The text.
    pub text: String,
}

/// The guest's voice messages: the newest one, and earlier ones.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Voice {
    /// The recording, if the device sent one.
    pub recording_id: Option<RecordingId>,
    /// The duration in milliseconds.
    pub duration_ms: Option<u32>,
    /// The URL of the recording, if the device stored it elsewhere.
    pub audio_url: Option<String>,
    /// The transcript, if there is one.
    pub transcript: Option<String>,
    /// The earlier messages, oldest first; the last 20.
    pub earlier: Vec<VoiceMessage>,
}

/// An earlier voice message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct VoiceMessage {
    /// The recording, if the device sent one.
    pub recording_id: Option<RecordingId>,
    /// The duration in milliseconds.
    pub duration_ms: Option<u32>,
    /// The URL of the recording, if the device stored it elsewhere.
    pub audio_url: Option<String>,
    /// The transcript, if there is one.
    pub transcript: Option<String>,
}

/// A reference to another accepted request of the same place, so that two people needn't walk there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Held {
    /// The other request's id.
    pub request_id: RequestId,
    /// Its holder when this request was made.
    pub by: PersonRef,
    /// The time of its acceptance.
    pub since: Timestamp,
}

/// A guest's request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Request {
    /// The request's id.
    pub id: RequestId,
    /// The place.
    pub place_id: PlaceId,
    /// The place's name at the time.
    pub place_name: String,
    /// The guest, if known.
    pub guest_id: Option<GuestId>,
    /// The button that created it, unless a person did.
    pub button_id: Option<ButtonId>,
    /// The person who created it, unless a button did.
    pub created_by: Option<PersonRef>,
    /// The time of creation.
    pub created_at: Timestamp,
    /// The kind.
    pub kind: Kind,
    /// The service's code, for [`Kind::Service`].
    pub service: Option<String>,
    /// The priority.
    pub priority: Priority,
    /// The text by the person who created it.
    pub text: Option<String>,
    /// The number of presses; 0 if a person created it.
    pub press_count: u32,
    /// The device's id of the last press, by which a press can be traced from the radio to a screen.
    pub last_press_id: Option<String>,
    /// The time of the last press.
    pub last_press_at: Option<Timestamp>,
    /// The guest's voice messages.
    pub voice: Option<Voice>,
    /// The holder of another request of the same place at the time of the press.
    pub held: Option<Held>,
    /// The crew's notes, oldest first.
    pub notes: Vec<Note>,
    /// The request's state.
    #[serde(flatten)]
    pub state: RequestState,
}

impl EntityBody for Request {
    fn closed_at(&self) -> Option<Timestamp> {
        match &self.state {
            RequestState::Completed { completed_at: at, .. } | RequestState::Cancelled { cancelled_at: at, .. } => {
                Some(*at)
            }
            RequestState::Open | RequestState::Accepted(_) => None,
        }
    }
}

impl Request {
    /// The request's kind, service and priority.
    pub fn wish(&self) -> Wish {
        Wish { kind: self.kind, service: self.service.clone(), priority: self.priority }
    }

    /// The person who has accepted it, while it is accepted.
    pub fn holder(&self) -> Option<&PersonRef> {
        match &self.state {
            RequestState::Accepted(acceptance) => Some(&acceptance.accepted_by),
            RequestState::Open | RequestState::Completed { .. } | RequestState::Cancelled { .. } => None,
        }
    }
}
