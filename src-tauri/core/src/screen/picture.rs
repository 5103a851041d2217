//! What a window shows, and how it learns of changes.

use crewbell_shared::ids::{CommandId, PersonId, RequestId};
use crewbell_shared::person::PersonRef;
use crewbell_shared::protocol::live::{LastSeen, Presence};
use crewbell_shared::protocol::{Entity, named};
use crewbell_shared::request::Priority;
use crewbell_shared::{Code, Refusal};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Deed, Levels, Phone, Status};
use crate::store::{Doing, Key, Line, Session};

/// All that a window needs to begin with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Picture {
    /// Which look it answers: [`Told::Looked`] with this number stands between what is in it and what isn't. 0 for a
    /// picture that no window asked for.
    #[serde(default)]
    pub look: u64,
    /// Who is signed in.
    pub session: Option<Session>,
    /// The last person who was signed in here, for the sign-in page.
    pub last: Option<Session>,
    /// How it stands with the connection and the device.
    pub status: Status,
    /// All nouns, as they are to be shown: what the server told, with what the person did and the server hasn't
    /// answered.
    pub nouns: Vec<Shown>,
    /// What the person did and is not through.
    pub outbox: Vec<OutboxItem>,
    /// What happened last, oldest first.
    pub lines: Vec<Line>,
    /// Who is there.
    pub present: Vec<Presence>,
    /// When people were last there, as far as it is known here.
    pub seen: Vec<LastSeen>,
    /// What rings here.
    pub alerts: Vec<Alert>,
    /// The call on this device.
    pub phone: Phone,
    /// This device's settings.
    pub settings: BTreeMap<String, String>,
}

/// A noun as it is to be shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shown {
    /// The noun.
    #[serde(with = "named")]
    pub noun: Arc<Entity>,
    /// Whether it shows something that the server hasn't said yes to.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pending: bool,
}

/// Something that the person did, for the outbox page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutboxItem {
    /// The command that it is sent as.
    pub command_id: CommandId,
    /// A command before it without which it makes no sense; refused with it.
    pub depends_on: Option<CommandId>,
    /// What.
    pub deed: Deed,
    /// Who did it.
    pub by: PersonRef,
    /// When.
    pub at: Timestamp,
    /// How far it is.
    pub doing: Doing,
}

/// A request that rings on this device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// Which request.
    pub request_id: RequestId,
    /// Which sound.
    pub priority: Priority,
    /// Silenced here for a while: shown, and makes no sound.
    pub silenced: bool,
    /// Where, for the notification.
    pub place_name: String,
    /// When it was asked or last asked again.
    pub since: Timestamp,
}

/// How far the player of a voice message is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VoicePlayer {
    /// Of which request.
    pub request_id: RequestId,
    /// Milliseconds played.
    pub position_ms: u32,
    /// Milliseconds in all.
    pub duration_ms: u32,
    /// Whether it plays on.
    pub playing: bool,
    /// Why it can't be played.
    pub trouble: Option<Code>,
}

/// What the core tells every window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Told {
    /// Some nouns are now so, others are gone.
    Patch {
        /// Put these.
        put: Vec<Shown>,
        /// Take these away.
        gone: Vec<Key>,
        /// What happened, to append.
        lines: Vec<Line>,
    },
    /// How it stands.
    Status {
        /// Now.
        status: Status,
    },
    /// What of the outbox changed.
    Outbox {
        /// These are now so: those that were there stay where they are, the others come behind, in order.
        put: Vec<OutboxItem>,
        /// These are gone.
        gone: Vec<CommandId>,
    },
    /// Who is there, whole.
    Present {
        /// Everybody with an open device.
        people: Vec<Presence>,
    },
    /// When some people were last there.
    Seen {
        /// These; what was told of others stays.
        people: Vec<LastSeen>,
    },
    /// How many devices a request reached, and how many sounded.
    Reached {
        /// Which request.
        request_id: RequestId,
        /// Devices that it was sent to.
        devices: u32,
        /// Devices that made a sound.
        sounded: u32,
    },
    /// What rings here, whole.
    Alerts {
        /// All of it.
        alerts: Vec<Alert>,
    },
    /// A command was refused just now: the screen says so where the person is.
    Refused {
        /// Which.
        command_id: CommandId,
        /// Why.
        refusal: Refusal,
    },
    /// The settings of this device, whole.
    Settings {
        /// All of them.
        settings: BTreeMap<String, String>,
    },
    /// The player of a voice message.
    Voice {
        /// How far it is; none: it is over.
        player: Option<VoicePlayer>,
    },
    /// The call on this device, whole.
    Phone {
        /// Now.
        phone: Phone,
    },
    /// How loud it is in a call; some times a second.
    Levels {
        /// Now.
        levels: Levels,
    },
    /// Go to a request: a notification was tapped.
    Open {
        /// Which.
        request_id: RequestId,
    },
    /// A window was given the picture of this number. What was told before is in it, and what is told from here on
    /// isn't: picture and telling come by different ways, and either may be the faster.
    Looked {
        /// [`Picture::look`].
        look: u64,
    },
    /// The person on the screen is another, or too much happened to tell it singly: look again.
    Reload,
}

impl Picture {
    /// The person who is signed in.
    pub fn me(&self) -> Option<PersonId> {
        self.session.as_ref().map(|session| session.person.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crewbell_shared::protocol::Verb;
    use crewbell_shared::testing::{at, id, open_request, sam};

    #[test]
    fn what_was_refused_keeps_when_it_was_done_and_when_it_was_refused() {
        let verb = Verb::AcceptRequest { request_id: open_request(at(0)).id };
        let refusal = Refusal::new(Code::AlreadyAccepted, "Siri was first.");
        let doing = Doing::Refused { refusal, at: at(9) };
        let deed = Deed::from(&verb);
        let item = OutboxItem { command_id: id(1), depends_on: None, deed, by: sam().as_ref(), at: at(5), doing };
        let crossed = serde_json::from_value(serde_json::to_value(&item).unwrap()).unwrap();
        assert_eq!(item, crossed);
    }
}
