//! What an action decided to do.

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
use crate::db::unheard::Unheard;

/// One thing to do.
#[derive(Clone, Debug)]
pub enum Step {
    /// A noun is now so; the log tells it under this type.
    Change {
        /// The noun, whole.
        entity: Box<Entity>,
        /// The type of the entry, in the past tense.
        kind: &'static str,
    },
    /// A button is now so. The log tells it under the type, if there is one.
    Button {
        /// The button with what the log doesn't tell.
        known: Box<KnownButton>,
        /// The type of the entry.
        kind: Option<&'static str>,
    },
    /// The log tells something that isn't a change of a noun.
    Tell {
        /// The part of the app.
        category: &'static str,
        /// The type of the entry, in the past tense.
        kind: &'static str,
        /// What it says: a JSON object.
        payload: Value,
        /// Whom it is for.
        audience: Audience,
    },
    /// A press is recorded.
    Press(Press),
    /// A recording is kept.
    Recording(Recording),
    /// Somebody is signed in: the session and the hash of its token.
    OpenSession(Session, Vec<u8>),
    /// Sessions end.
    EndSessions(Vec<SessionId>),
    /// Sessions were used.
    UseSessions(Vec<SessionId>),
    /// Sessions were not used for another day.
    AgeSessions(Vec<SessionId>),
    /// What a person signs in with.
    PersonSecret(PersonId, String),
    /// What a button signs in with.
    ButtonSecret(Box<Button>, Option<Vec<u8>>),
    /// What new buttons sign in with.
    JoinCode(Option<Vec<u8>>),
    /// Messages of a device that were no press.
    Unheard(Unheard),
    /// When people were last there.
    Seen(Vec<LastSeen>),
    /// The oldest entries before a time move to the archive.
    Archive(Timestamp),
    /// A new site's row.
    CreateSite,
    /// Shows that something can be written, and changes nothing.
    Proof,
}

/// What an action decided to do, and what it answers.
#[derive(Clone, Debug, Default)]
pub struct Steps {
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// What whoever asked wants to know.
    pub answer: Answer,
}

/// What whoever asked wants to know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Answer {
    /// That it is done.
    #[default]
    Done,
    /// A press: the request that it made or joined, if it did.
    Pressed(Option<RequestId>),
    /// A repetition of an old press: nothing was done, and that request had come of it.
    Repeated(Option<RequestId>),
}

impl Steps {
    /// Nothing to do.
    pub fn none() -> Self {
        Self::default()
    }

    /// A noun is now so.
    pub fn change(entity: impl Into<Entity>, kind: &'static str) -> Self {
        Self::none().and_change(entity, kind)
    }

    /// And a noun is now so.
    #[must_use]
    pub fn and_change(self, entity: impl Into<Entity>, kind: &'static str) -> Self {
        self.and(Step::Change { entity: Box::new(entity.into()), kind })
    }

    /// And another step.
    #[must_use]
    pub fn and(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    /// Answers with this.
    #[must_use]
    pub fn answering(self, answer: Answer) -> Self {
        Self { answer, ..self }
    }
}

impl From<Vec<Change>> for Steps {
    fn from(changes: Vec<Change>) -> Self {
        changes.into_iter().fold(Self::none(), |steps, change| steps.and_change(change.entity, change.kind))
    }
}
