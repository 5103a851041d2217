//! View state of a window, and the events that update it.

use crewbell_shared::ids::{CommandId, PersonId, RequestId};
use crewbell_shared::person::PersonRef;
use crewbell_shared::protocol::live::{LastSeen, Presence};
use crewbell_shared::protocol::{Entity, Verb, named};
use crewbell_shared::request::Priority;
use crewbell_shared::{Code, Refusal};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Levels, Phone, Status};
use crate::store::{CommandStatus, EntityKey, Line, Session};

/// The complete view state, as a window receives it at first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ViewState {
    /// Number of the request that it answers: [`CoreEvent::Looked`] with this number separates the events that it contains
    /// from later ones. 0 for a view state that no window requested.
    #[serde(default)]
    pub look: u64,
    /// The current session.
    pub session: Option<Session>,
    /// The previous session on this device, for the sign-in page.
    pub last: Option<Session>,
    /// Status of the connection and the device.
    pub status: Status,
    /// All entities as shown: the server's state, overlaid with the local echo.
    pub entities: Vec<Shown>,
    /// The outbox.
    pub outbox: Vec<OutboxItem>,
    /// The latest lines of the timeline, oldest first.
    pub lines: Vec<Line>,
    /// The people who are online.
    pub present: Vec<Presence>,
    /// Last-seen times of people, where known.
    pub seen: Vec<LastSeen>,
    /// The alerts of this device.
    pub alerts: Vec<Alert>,
    /// Call state of this device.
    pub phone: Phone,
    /// This device's settings.
    pub settings: BTreeMap<String, String>,
}

/// An entity as shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shown {
    /// The entity.
    #[serde(with = "named")]
    pub entity: Arc<Entity>,
    /// Whether it includes an effect that the server hasn't confirmed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pending: bool,
}

/// A command in the outbox, for display.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutboxItem {
    /// The command's id.
    pub command_id: CommandId,
    /// The command that this one depends on; if that is refused, so is this one.
    pub depends_on: Option<CommandId>,
    /// The command's verb.
    pub verb: Verb,
    /// The person who issued the command.
    pub by: PersonRef,
    /// The time of the command.
    pub at: Timestamp,
    /// The command's status.
    pub doing: CommandStatus,
}

/// A request's alert on this device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// The request's id.
    pub request_id: RequestId,
    /// The priority, which selects the sound.
    pub priority: Priority,
    /// Whether it is silenced here for a while: shown, without a sound.
    pub silenced: bool,
    /// The place's name, for the notification.
    pub place_name: String,
    /// The time of the request, or of its last repetition.
    pub since: Timestamp,
}

/// Playback state of a recording.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VoicePlayer {
    /// The request that the recording belongs to.
    pub request_id: RequestId,
    /// Playback position, in milliseconds.
    pub position_ms: u32,
    /// Duration, in milliseconds.
    pub duration_ms: u32,
    /// Whether playback is running.
    pub playing: bool,
    /// The reason why it can't be played.
    pub trouble: Option<Code>,
}

/// An event that the core emits to every window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CoreEvent {
    /// Entities and timeline lines changed.
    Patch {
        /// Entities to add or replace.
        put: Vec<Shown>,
        /// Keys of entities to remove.
        gone: Vec<EntityKey>,
        /// Timeline lines to append.
        lines: Vec<Line>,
    },
    /// The status changed.
    Status {
        /// The new status.
        status: Status,
    },
    /// The outbox changed.
    Outbox {
        /// Items to update: known ones keep their position, new ones are appended in order.
        put: Vec<OutboxItem>,
        /// Items to remove.
        gone: Vec<CommandId>,
    },
    /// The list of people online changed.
    Present {
        /// Everybody with an open device.
        people: Vec<Presence>,
    },
    /// Last-seen times changed.
    Seen {
        /// The changed times; those of others remain.
        people: Vec<LastSeen>,
    },
    /// Delivery count of a request's alert.
    Reached {
        /// The request's id.
        request_id: RequestId,
        /// The number of devices it was sent to.
        devices: u32,
        /// The number of devices that made a sound.
        sounded: u32,
    },
    /// The alerts of this device changed.
    Alerts {
        /// All alerts.
        alerts: Vec<Alert>,
    },
    /// A command was refused; the UI shows this at the current view.
    Refused {
        /// The command's id.
        command_id: CommandId,
        /// The refusal.
        refusal: Refusal,
    },
    /// The settings of this device changed.
    Settings {
        /// All settings.
        settings: BTreeMap<String, String>,
    },
    /// The playback state of a recording changed.
    Voice {
        /// The playback state; none after the end.
        player: Option<VoicePlayer>,
    },
    /// The call state of this device changed.
    Phone {
        /// The new call state.
        phone: Phone,
    },
    /// Audio levels of a call; emitted several times a second.
    Levels {
        /// The current levels.
        levels: Levels,
    },
    /// A notification was tapped: show its request.
    Open {
        /// The request's id.
        request_id: RequestId,
    },
    /// A view state with this number was sent. It contains all earlier events and none of the later ones. View state
    /// and events use different channels, so they can arrive in either order.
    Looked {
        /// [`ViewState::look`].
        look: u64,
    },
    /// The session changed, or too much changed for single events: fetch the view state again.
    Reload,
}

impl ViewState {
    /// Returns the id of the person who is signed in.
    pub fn me(&self) -> Option<PersonId> {
        self.session.as_ref().map(|session| session.person.id)
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use crewbell_shared::ids::RequestId;
    use crewbell_shared::request::RequestVerb;
    use crewbell_shared::rules::StateView;
    use crewbell_shared::site::SiteVerb;
    use crewbell_shared::testing::{Yacht, at, button, cabin, gus, id, open_request, ringing_call, sam, siri, stay};
    use serde::de::DeserializeOwned;

    use super::super::{AskError, Notice};
    use super::*;

    fn crosses<T: Serialize + DeserializeOwned + PartialEq + Debug>(sent: &T) {
        let text = serde_json::to_string(sent).unwrap();
        assert_eq!(&serde_json::from_str::<T>(&text).unwrap(), sent, "{text}");
    }

    #[test]
    fn entities_are_read_as_they_were_written() {
        let entities: [Entity; 8] = [
            Yacht::default().site().clone().into(),
            siri().into(),
            cabin().into(),
            gus().into(),
            stay().into(),
            button().into(),
            open_request(at(0)).into(),
            ringing_call(at(0)).into(),
        ];
        for entity in entities {
            crosses(&Shown { entity: entity.into(), pending: true });
        }
    }

    #[test]
    fn events_of_every_shape_are_read_as_they_were_written() {
        let refusal = Refusal::new(Code::AlreadyAccepted, "Siri was first.").with("by", &siri().as_ref());
        let notices = vec![Notice::Revoked, Notice::ClockWrong { by_s: i64::MIN }];
        crosses(&vec![
            CoreEvent::Reload,
            CoreEvent::Looked { look: u64::MAX },
            CoreEvent::Status { status: Status { notices, ..Status::default() } },
            CoreEvent::Refused { command_id: id(1), refusal: refusal.clone() },
        ]);
        crosses(&AskError::Refused { refusal });
    }

    #[test]
    fn commands_are_read_as_they_were_written_with_all_that_became_of_them() {
        let request_id: RequestId = id(50);
        let refusal = Refusal::new(Code::AlreadyAccepted, "Siri was first.");
        let settings = Yacht::default().site().settings.clone();
        let commands = [
            (RequestVerb::Accept { request_id }.into(), CommandStatus::Refused { refusal, at: at(9) }),
            (RequestVerb::Cancel { request_id, reason: None }.into(), CommandStatus::Waiting),
            (SiteVerb::SaveSettings { settings }.into(), CommandStatus::Done { seq: 9 }),
        ];
        for (verb, doing) in commands {
            let by = sam().as_ref();
            crosses(&OutboxItem { command_id: id(1), depends_on: Some(id(2)), verb, by, at: at(5), doing });
        }
    }
}
