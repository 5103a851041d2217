//! What a guest wants, and what may be done with it.
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
mod flat;
mod merge;
mod state;
mod voice;

pub use command::{Change, Command};
pub use decide::{MAX_NOTES, MAX_NOTES_BYTES, MAX_TEXT, decide};
pub use merge::{ECHOES_FOR, HELD_FOR, echoes, joins, joins_held, pressed_again};
pub use state::{Acceptance, State};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::button::{Key, PressKind};
use crate::ids::{ButtonId, GuestId, NoteId, PlaceId, RecordingId, RequestId};
use crate::person::PersonRef;
use crate::site::Settings;

/// What sort of request it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Please come.
    Call,
    /// Please come quickly.
    Urgent,
    /// The guest spoke; the recording follows.
    Voice,
    /// Somebody is in danger.
    Emergency,
    /// One of the site's services; `service` names it.
    Service,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::Call, Self::Urgent, Self::Voice, Self::Emergency, Self::Service];

    /// The kind as it crosses a wire and stands in the database.
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

/// How much it matters. Ordered: an emergency is the greatest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// When there is time.
    Low,
    /// Soon.
    Normal,
    /// Now.
    High,
    /// Before anything else.
    Emergency,
}

impl Priority {
    /// Every priority.
    pub const ALL: [Self; 4] = [Self::Low, Self::Normal, Self::High, Self::Emergency];

    /// The priority as it crosses a wire and stands in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Normal => "normal",
            Self::High => "high",
            Self::Emergency => "emergency",
        }
    }
}

/// What is asked for: the part of a request that decides whether a further press joins it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// What sort.
    pub kind: Kind,
    /// Which service, for [`Kind::Service`].
    pub service: Option<String>,
    /// How much it matters.
    pub priority: Priority,
}

impl Wish {
    /// What a press asks for at a site. A shake and an emergency are one on every key.
    pub fn of_press(kind: PressKind, key: Key, settings: &Settings) -> Self {
        let plain = |kind, priority| Self { kind, service: None, priority };
        match (kind, settings.service(key)) {
            (PressKind::Shake | PressKind::Emergency, _) => plain(Kind::Emergency, Priority::Emergency),
            (PressKind::Long, _) => plain(Kind::Voice, Priority::Normal),
            (PressKind::Single | PressKind::Double, Some(service)) if key != Key::Main => {
                Self { kind: Kind::Service, service: Some(service.code.clone()), priority: service.priority }
            }
            (PressKind::Double, _) => plain(Kind::Urgent, Priority::High),
            (PressKind::Single, _) => plain(Kind::Call, Priority::Normal),
        }
    }
}

/// Something written on a request by the crew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Note {
    /// Which note.
    pub id: NoteId,
    /// Who wrote it.
    pub by: PersonRef,
    /// When.
    pub at: Timestamp,
    /// What.
    pub text: String,
}

/// What a guest said while holding the button: the newest message, and those before it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Voice {
    /// The recording, where the device sent one.
    pub recording_id: Option<RecordingId>,
    /// How long it is, in milliseconds.
    pub duration_ms: Option<u32>,
    /// Where the device put the recording instead of sending it.
    pub audio_url: Option<String>,
    /// What was said, where something recognised it.
    pub transcript: Option<String>,
    /// What the guest said before, oldest first; the last 20.
    pub earlier: Vec<VoiceMessage>,
}

/// One voice message of a guest who spoke again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct VoiceMessage {
    /// The recording, where the device sent one.
    pub recording_id: Option<RecordingId>,
    /// How long it is, in milliseconds.
    pub duration_ms: Option<u32>,
    /// Where the device put the recording instead of sending it.
    pub audio_url: Option<String>,
    /// What was said, where something recognised it.
    pub transcript: Option<String>,
}

/// Who has another request of the same place: two people needn't walk there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Held {
    /// The other request.
    pub request_id: RequestId,
    /// Who had it when this one was made.
    pub by: PersonRef,
    /// Since when.
    pub since: Timestamp,
}

/// What a guest wants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(try_from = "flat::Flat")]
pub struct Request {
    /// Which request.
    pub id: RequestId,
    /// Where.
    pub place_id: PlaceId,
    /// The place's name at the time.
    pub place_name: String,
    /// For whom, where it is known.
    pub guest_id: Option<GuestId>,
    /// The button that asked, unless a person did.
    pub button_id: Option<ButtonId>,
    /// The person who asked, unless a button did.
    pub created_by: Option<PersonRef>,
    /// When it was asked.
    pub created_at: Timestamp,
    /// What sort.
    pub kind: Kind,
    /// Which service, for [`Kind::Service`].
    pub service: Option<String>,
    /// How much it matters.
    pub priority: Priority,
    /// What the person who created it wrote.
    pub text: Option<String>,
    /// How often the guest pressed for it; 0 when a person created it.
    pub press_count: u32,
    /// The id that the device gave its last press, so that a press can be followed from the radio to a screen.
    pub last_press_id: Option<String>,
    /// When the guest last pressed.
    pub last_press_at: Option<Timestamp>,
    /// What the guest said.
    pub voice: Option<Voice>,
    /// Who had another request of the same place already when the guest pressed for this one.
    pub held: Option<Held>,
    /// What the crew wrote, oldest first.
    pub notes: Vec<Note>,
    /// How far it is.
    #[serde(flatten)]
    pub state: State,
}

impl Request {
    /// What is asked for.
    pub fn wish(&self) -> Wish {
        Wish { kind: self.kind, service: self.service.clone(), priority: self.priority }
    }

    /// Who has it now.
    pub fn holder(&self) -> Option<&PersonRef> {
        match &self.state {
            State::Accepted(acceptance) => Some(&acceptance.accepted_by),
            State::Open | State::Completed { .. } | State::Cancelled { .. } => None,
        }
    }
}
