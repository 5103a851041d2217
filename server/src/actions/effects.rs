//! Effects: the result of an action's decision.

use crewbell_shared::button::Button;
use crewbell_shared::ids::{PersonId, RequestId, SessionId};
use crewbell_shared::protocol::live::LastSeen;
use crewbell_shared::protocol::{Audience, Entity};
use crewbell_shared::rules::Change;
use jiff::Timestamp;
use serde_json::Value;

use crate::db::buttons::KnownButton;
use crate::db::presses::Press;
use crate::db::recordings::Recording;
use crate::db::sessions::Session;
use crate::db::unrecognised::StoredMessage;

/// An effect of an action.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Saves an entity, and logs it under this type.
    Change {
        /// The whole entity.
        entity: Box<Entity>,
        /// The type of the entry, in the past tense.
        kind: &'static str,
    },
    /// Saves a button, and logs it if a type is given.
    Button {
        /// The button, with what the log doesn't carry.
        known: Box<KnownButton>,
        /// The type of the entry.
        kind: Option<&'static str>,
    },
    /// Logs an event that isn't a change of an entity.
    Tell {
        /// The part of the app it belongs to.
        category: &'static str,
        /// The type of the entry, in the past tense.
        kind: &'static str,
        /// Its payload, a JSON object.
        payload: Value,
        /// The readers it is for.
        audience: Audience,
    },
    /// Records a press.
    Press(Press),
    /// Stores a recording.
    Recording(Recording),
    /// Opens a session, with the hash of its token.
    OpenSession(Session, Vec<u8>),
    /// Ends sessions.
    EndSessions(Vec<SessionId>),
    /// Marks sessions as used.
    UseSessions(Vec<SessionId>),
    /// Counts an unused day for sessions.
    AgeSessions(Vec<SessionId>),
    /// Sets the hash of a person's secret.
    PersonSecret(PersonId, String),
    /// Sets or removes the hash of a button's secret.
    ButtonSecret(Box<Button>, Option<Vec<u8>>),
    /// Sets or removes the hash of the join code.
    JoinCode(Option<Vec<u8>>),
    /// Counts unrecognised messages of a device.
    Unrecognised(StoredMessage),
    /// Stores people's last-seen times.
    Seen(Vec<LastSeen>),
    /// Moves the oldest entries before a time to the archive.
    Archive(Timestamp),
    /// Inserts the new site's row.
    CreateSite,
    /// Probes whether the database takes a write, and changes nothing.
    Proof,
}

/// The effects of an action, and its answer.
#[derive(Clone, Debug, Default)]
pub struct Effects {
    /// The effects, in order.
    pub steps: Vec<Effect>,
    /// The answer to the caller.
    pub answer: Answer,
}

/// The answer of an action to its caller.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Answer {
    /// The action is done.
    #[default]
    Done,
    /// The press is recorded: the request that it created or joined, if any.
    Pressed(Option<RequestId>),
    /// The press repeats an old one and nothing was done: the request that the old one created or joined, if any.
    Repeated(Option<RequestId>),
}

impl Effects {
    /// Returns no effects.
    pub fn none() -> Self {
        Self::default()
    }

    /// Returns a single change of an entity.
    pub fn change(entity: impl Into<Entity>, kind: &'static str) -> Self {
        Self::none().and_change(entity, kind)
    }

    /// Adds a change of an entity.
    #[must_use]
    pub fn and_change(self, entity: impl Into<Entity>, kind: &'static str) -> Self {
        self.and(Effect::Change { entity: Box::new(entity.into()), kind })
    }

    /// Adds an effect.
    #[must_use]
    pub fn and(mut self, step: Effect) -> Self {
        self.steps.push(step);
        self
    }

    /// Sets the answer.
    #[must_use]
    pub fn answering(self, answer: Answer) -> Self {
        Self { answer, ..self }
    }
}

impl From<Vec<Change>> for Effects {
    fn from(changes: Vec<Change>) -> Self {
        changes.into_iter().fold(Self::none(), |steps, change| steps.and_change(change.entity, change.kind))
    }
}
