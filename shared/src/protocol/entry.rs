//! The log entry: the envelope of one fact in a site's log, the same on every channel.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Entity, EntityType};
use crate::ids::{CommandId, EventId, PersonId};
use crate::person::{Actor, Person, Role};

/// A log entry: one fact in a site's log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Entry {
    /// The category: `requests`, `buttons`, `people`.
    pub category: String,
    /// The type of the event, in the past tense: `request_accepted`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The whole entity after the change, with the names of the changed fields in `changed_fields`.
    pub payload: Value,
    /// The metadata: time, actor, source.
    pub meta: Meta,
}

/// The metadata of an entry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Meta {
    /// The site's slug.
    pub site: String,
    /// The sequence number at the site: no gaps, in commit order, from 1.
    pub seq: u64,
    /// The globally unique id.
    pub event_id: EventId,
    /// The time of the commit, by the server's clock.
    pub ts: Timestamp,
    /// The actor.
    pub actor: ActorRef,
    /// The interface through which it was caused.
    pub source: Source,
    /// The payload's entity type, if it is an entity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<EntityType>))]
    pub entity_type: Option<EntityTypeName>,
    /// The command that caused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command_id: Option<CommandId>,
}

impl Entry {
    /// Takes the entity out of the entry; none if there is none or its type is unknown to this version.
    ///
    /// # Errors
    /// Returns an error if the payload isn't of the type that `entity_type` names.
    pub fn into_entity(self) -> serde_json::Result<Option<Entity>> {
        let known = self.meta.entity_type.as_ref().and_then(EntityTypeName::known);
        known.map(|entity_type| Entity::from_payload(entity_type, self.payload)).transpose()
    }

    /// The entity, without consuming the entry.
    ///
    /// # Errors
    /// Returns an error if the payload isn't of the type that `entity_type` names.
    pub fn entity(&self) -> serde_json::Result<Option<Entity>> {
        let known = self.meta.entity_type.as_ref().and_then(EntityTypeName::known);
        known.map(|entity_type| Entity::from_payload(entity_type, self.payload.clone())).transpose()
    }

    /// Whether it carries an entity of a newer version. There is nothing to apply; once this reader knows the type, it
    /// needs a snapshot.
    pub fn is_foreign(&self) -> bool {
        matches!(self.meta.entity_type, Some(EntityTypeName::Foreign(_)))
    }
}

/// The name of an entity type, known to this version or not.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged, from = "String")]
pub enum EntityTypeName {
    /// A type that this version knows.
    Known(EntityType),
    /// The name of a type of a newer version.
    Foreign(String),
}

impl EntityTypeName {
    /// The type's name on the wire and in the database.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Known(entity_type) => entity_type.as_str(),
            Self::Foreign(name) => name,
        }
    }

    /// The type, if this version knows it.
    pub fn known(&self) -> Option<EntityType> {
        match self {
            Self::Known(entity_type) => Some(*entity_type),
            Self::Foreign(_) => None,
        }
    }
}

impl From<String> for EntityTypeName {
    fn from(name: String) -> Self {
        let known = EntityType::ALL.iter().find(|entity_type| entity_type.as_str() == name);
        known.map_or(Self::Foreign(name), |entity_type| Self::Known(*entity_type))
    }
}

impl From<EntityType> for EntityTypeName {
    fn from(entity_type: EntityType) -> Self {
        Self::Known(entity_type)
    }
}

/// The actor, as stored in the log.
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

/// The interface through which a change came.
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
    /// A source of a newer version. Never stored.
    #[serde(other)]
    Other,
}

impl Source {
    /// The source's name in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Device => "device",
            Self::App => "app",
            Self::Server => "server",
            Self::Other => "other",
        }
    }
}

/// The audience of an entry.
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
    /// The supervising roles, as the audience of sign-ins, refused devices, exports.
    pub fn leads() -> Self {
        Self::Roles(vec![Role::Supervisor, Role::Dispatcher, Role::Admin])
    }

    /// Whether a person belongs to the audience.
    pub fn includes(&self, person: &Person) -> bool {
        match self {
            Self::Everyone => true,
            Self::Roles(roles) => roles.contains(&person.role),
            Self::People(people) => people.contains(&person.id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{at, open_request};

    /// An entry as a newer server may write it.
    fn entry(entity_type: &str, source: &str) -> Value {
        let payload = Entity::from(open_request(at(0))).to_payload().unwrap();
        serde_json::json!({
            "category": "requests", "type": "request_created", "payload": payload, "urgency": "new here",
            "meta": {
                "site": "serenity", "seq": 7, "event_id": uuid::Uuid::from_u128(7), "ts": at(0),
                "actor": { "name": "Gus", "mood": "new here" }, "source": source, "entity_type": entity_type,
            },
        })
    }

    #[test]
    fn an_entry_with_an_entity_from_the_future_is_read_and_known_as_one() {
        let read: Entry = serde_json::from_value(entry("moon", "app")).unwrap();
        assert!(read.is_foreign());
        assert_eq!(read.entity().unwrap(), None);
        assert_eq!(read.meta.entity_type, Some(EntityTypeName::Foreign("moon".into())));
        // A reader that stores the entry keeps the type's name.
        assert_eq!(serde_json::to_value(&read).unwrap()["meta"]["entity_type"], "moon");
    }

    #[test]
    fn an_entry_with_a_known_entity_from_an_unknown_door_is_whole() {
        let read: Entry = serde_json::from_value(entry("request", "satellite")).unwrap();
        assert_eq!((read.meta.source, read.is_foreign()), (Source::Other, false));
        assert_eq!(read.entity().unwrap(), Some(open_request(at(0)).into()));
        assert_eq!(read.meta.entity_type.and_then(|entity_type| entity_type.known()), Some(EntityType::Request));
    }

    #[test]
    fn a_entity_s_name_is_a_text() {
        let mut wrong = entry("request", "app");
        wrong["meta"]["entity_type"] = 5.into();
        assert!(serde_json::from_value::<Entry>(wrong).is_err());
        let mut none = entry("request", "app");
        none["meta"].as_object_mut().unwrap().remove("entity_type");
        let none: Entry = serde_json::from_value(none).unwrap();
        assert_eq!((none.meta.entity_type.clone(), none.is_foreign()), (None, false));
    }
}
