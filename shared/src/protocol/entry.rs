//! One fact in a site's log: the envelope, the same on every channel.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Entity, EntityType};
use crate::ids::{CommandId, EventId, PersonId};
use crate::person::{Actor, Person, Role};

/// One fact in a site's log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Entry {
    /// The part of the app it belongs to: `requests`, `buttons`, `people`.
    pub category: String,
    /// What happened, in the past tense: `request_accepted`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The whole noun after the change, with the names of the fields that changed in `changed_fields`.
    pub payload: Value,
    /// When, who, where from.
    pub meta: Meta,
}

/// What is known about an entry beside what it says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Meta {
    /// The site's slug.
    pub site: String,
    /// Its number at the site: no gaps, in commit order, from 1.
    pub seq: u64,
    /// Its id in the world.
    pub event_id: EventId,
    /// When it was committed, by the server's clock.
    pub ts: Timestamp,
    /// Who did it.
    pub actor: ActorRef,
    /// Through which door it came.
    pub source: Source,
    /// Which noun the payload is, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entity_type: Option<EntityType>,
    /// The command that caused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command_id: Option<CommandId>,
}

impl Entry {
    /// The noun it carries, if it carries one.
    ///
    /// # Errors
    /// The payload isn't the noun that `entity_type` names.
    pub fn into_entity(self) -> serde_json::Result<Option<Entity>> {
        self.meta.entity_type.map(|noun| Entity::from_payload(noun, self.payload)).transpose()
    }

    /// The noun it carries, if it carries one.
    ///
    /// # Errors
    /// The payload isn't the noun that `entity_type` names.
    pub fn entity(&self) -> serde_json::Result<Option<Entity>> {
        self.meta.entity_type.map(|noun| Entity::from_payload(noun, self.payload.clone())).transpose()
    }
}

/// Who did something, as the log keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ActorRef {
    /// The person; none for a button and the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<PersonId>,
    /// The name at the time.
    pub name: String,
}

impl From<&Actor> for ActorRef {
    fn from(actor: &Actor) -> Self {
        match actor {
            Actor::Person(person) => Self { id: Some(person.id), name: person.name.clone() },
            Actor::Button { name } => Self { id: None, name: name.clone() },
            Actor::System => Self { id: None, name: "Crewbell".to_owned() },
        }
    }
}

/// The door that something came through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A button.
    Device,
    /// The app or the REST API.
    App,
    /// The server itself or its command line.
    Server,
}

impl Source {
    /// The door as it stands in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Device => "device",
            Self::App => "app",
            Self::Server => "server",
        }
    }
}

/// Whom an entry is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// Everybody at the site.
    Everyone,
    /// Everybody with one of these roles.
    Roles(Vec<Role>),
    /// These people.
    People(Vec<PersonId>),
}

impl Audience {
    /// Those who lead: for sign-ins, refused devices, exports.
    pub fn leads() -> Self {
        Self::Roles(vec![Role::Supervisor, Role::Dispatcher, Role::Admin])
    }

    /// Whether a person may see it.
    pub fn includes(&self, person: &Person) -> bool {
        match self {
            Self::Everyone => true,
            Self::Roles(roles) => roles.contains(&person.role),
            Self::People(people) => people.contains(&person.id),
        }
    }
}
