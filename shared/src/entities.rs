//! The registry of entities: each is declared once, and what lists them all is derived from it.
//!
//! [`entities!`](self) emits [`EntityType`], [`Entity`], [`Verb`] and each entity's [`Registered`]. The macro
//! [`for_each_entity!`](crate::for_each_entity) passes the list on, for a table or a field per entity elsewhere.
//!
//! # To add an entity
//! Its line here, and its module: the type with its [`EntityBody`], and its verbs with their
//! [`VerbSet`].

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::button::{Button, ButtonVerb};
use crate::call::{Call, CallVerb};
use crate::guest::{Guest, GuestVerb, Stay, StayVerb};
use crate::ids::{ButtonId, CallId, GuestId, PersonId, PlaceId, RequestId, SiteId, StayId};
use crate::person::{Person, PersonVerb};
use crate::place::{Place, PlaceVerb};
use crate::protocol::{VerbMeta, VerbSet};
use crate::request::{Request, RequestVerb};
use crate::rules::{Decision, DecisionContext, Query};
use crate::site::{Site, SiteVerb};

/// What the registry can't derive of an entity.
pub trait EntityBody {
    /// The time since which the entity is closed: nothing of it is to be done any more. None while it is open, and for
    /// what doesn't close.
    fn closed_at(&self) -> Option<Timestamp> {
        None
    }
}

/// A registered entity's type and id.
pub trait Registered: EntityBody + Clone + PartialEq + Send + Sync + Sized + Into<Entity> + 'static {
    /// The entity's type.
    const TYPE: EntityType;

    /// The type of its id.
    type Id: EntityId<Entity = Self>;

    /// Its id.
    fn id(&self) -> Self::Id;

    /// The entity, if it is one of this type.
    fn of(entity: &Entity) -> Option<&Self>;
}

/// The id of a registered entity.
pub trait EntityId: Copy + Into<Uuid> + From<Uuid> + Into<EntityKey> {
    /// The entity.
    type Entity: Registered<Id = Self>;
}

/// An entity's type and id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EntityKey {
    /// The entity's type.
    pub entity_type: EntityType,
    /// The entity's id.
    pub id: Uuid,
}

impl EntityKey {
    /// The key of an entity.
    pub fn of(entity: &Entity) -> Self {
        Self { entity_type: entity.entity_type(), id: entity.id() }
    }

    /// Makes a key.
    pub fn new(entity_type: EntityType, id: impl Into<Uuid>) -> Self {
        Self { entity_type, id: id.into() }
    }

    /// The first key of a type, in the order of keys.
    pub fn first_of(entity_type: EntityType) -> Self {
        Self { entity_type, id: Uuid::nil() }
    }
}

macro_rules! entities {
    ($($(#[$doc:meta])* $entity:ident($id:ident, $verb:ident) = $name:literal in $category:literal, $plural:ident;)+) => {
        /// The type of an entity.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(rename_all = "snake_case")]
        pub enum EntityType { $($(#[$doc])* $entity),+ }

        impl EntityType {
            /// Every entity type.
            pub const ALL: &[Self] = &[$(Self::$entity),+];

            /// The type's name on the wire and in the database.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$entity => $name),+ }
            }

            /// The category of the type's entries.
            pub fn category(self) -> &'static str {
                match self { $(Self::$entity => $category),+ }
            }
        }

        /// An entity in full, as in snapshots and entries.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(tag = "entity_type", content = "entity", rename_all = "snake_case")]
        #[expect(clippy::large_enum_variant, reason = "an entity is kept behind an `Arc`, and passes by here once")]
        pub enum Entity { $($(#[$doc])* $entity($entity)),+ }

        impl Entity {
            /// The entity's type.
            pub fn entity_type(&self) -> EntityType {
                match self { $(Self::$entity(_) => EntityType::$entity),+ }
            }

            /// The entity's id.
            pub fn id(&self) -> Uuid {
                match self { $(Self::$entity(entity) => entity.id.0),+ }
            }

            /// The time since which the entity is closed; see [`EntityBody::closed_at`].
            pub fn closed_at(&self) -> Option<Timestamp> {
                match self { $(Self::$entity(entity) => entity.closed_at()),+ }
            }

            /// The entity as the payload of an entry: a JSON object.
            ///
            /// # Errors
            /// These types cause none; the signature is `serde_json`'s.
            pub fn to_payload(&self) -> serde_json::Result<Value> {
                match self { $(Self::$entity(entity) => serde_json::to_value(entity)),+ }
            }

            /// Parses the payload of an entry. Unknown fields are ignored, so that an older reader works with a newer
            /// writer.
            ///
            /// # Errors
            /// Returns an error if the payload isn't such an entity.
            pub fn from_payload(entity_type: EntityType, payload: Value) -> serde_json::Result<Self> {
                match entity_type { $(EntityType::$entity => serde_json::from_value(payload).map(Self::$entity)),+ }
            }
        }

        $(
            impl From<$entity> for Entity {
                fn from(entity: $entity) -> Self { Self::$entity(entity) }
            }

            impl Registered for $entity {
                const TYPE: EntityType = EntityType::$entity;

                type Id = $id;

                fn id(&self) -> $id {
                    self.id
                }

                fn of(entity: &Entity) -> Option<&Self> {
                    if let Entity::$entity(entity) = entity { Some(entity) } else { None }
                }
            }

            impl EntityId for $id {
                type Entity = $entity;
            }

            impl From<$id> for EntityKey {
                fn from(id: $id) -> Self {
                    Self { entity_type: EntityType::$entity, id: id.0 }
                }
            }
        )+

        /// The operations that a client can command: for each entity, its own. On the wire they lie flat, told apart by
        /// the field `type`.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(untagged)]
        pub enum Verb { $($(#[$doc])* $entity($verb)),+ }

        $(impl From<$verb> for Verb {
            fn from(verb: $verb) -> Self { Self::$entity(verb) }
        })+

        impl Verb {
            /// The names of all verbs, by entity.
            pub const NAMES: &[&[&str]] = &[$($verb::NAMES),+];

            /// The verb's name on the wire.
            pub fn name(&self) -> &'static str {
                match self { $(Self::$entity(verb) => verb.name()),+ }
            }

            /// The verb's metadata.
            pub fn meta(&self) -> VerbMeta {
                match self { $(Self::$entity(verb) => verb.meta()),+ }
            }

            /// What its rule reads beside the subject, the references and the actor.
            pub fn queries(&self, actor: Option<PersonId>) -> Vec<Query> {
                match self { $(Self::$entity(verb) => verb.queries(actor)),+ }
            }

            /// Its rule; its right was checked before.
            pub(crate) fn decide(&self, ctx: &DecisionContext<'_>) -> Decision {
                match self { $(Self::$entity(verb) => verb.decide(ctx)),+ }
            }
        }

        impl<'de> Deserialize<'de> for Verb {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                use serde::de::Error;
                let fields = serde_json::Map::deserialize(deserializer)?;
                let name = fields.get("type").and_then(Value::as_str).ok_or_else(|| Error::missing_field("type"))?;
                $(if $verb::NAMES.contains(&name) {
                    return $verb::deserialize(Value::Object(fields)).map(Self::$entity).map_err(Error::custom);
                })+
                Err(Error::custom(format_args!("unknown verb `{name}`")))
            }
        }

        /// Passes the list of entities to a macro: `$plural: $entity($id)` for each, separated by commas.
        #[macro_export]
        macro_rules! for_each_entity {
            ($callback:ident) => { $callback! { $($plural: $entity($id)),+ } };
        }

        /// Serialization of an entity keyed by its type, `{"request": {…}}`, for `#[serde(with)]`. On the wire, type
        /// and entity are sibling fields, and the entity may come first: a reader must then buffer it until its type is
        /// known, which needs a second deserializer for each entity. The keyed form is for data that a program reads at
        /// every start.
        pub mod named {
            use std::sync::Arc;

            use serde::{Deserialize, Deserializer, Serialize, Serializer};

            use super::{$($entity),+};

            #[derive(Serialize)]
            #[serde(rename_all = "snake_case")]
            enum Written<'a> { $($entity(&'a $entity)),+ }

            #[derive(Deserialize)]
            #[serde(rename_all = "snake_case")]
            #[expect(clippy::large_enum_variant, reason = "an entity is kept behind an `Arc`, and passes by here once")]
            enum Read { $($entity($entity)),+ }

            /// Serializes an entity keyed by its type.
            ///
            /// # Errors
            /// Returns the serializer's errors.
            pub fn serialize<S: Serializer>(entity: &super::Entity, serializer: S) -> Result<S::Ok, S::Error> {
                let written = match entity { $(super::Entity::$entity(entity) => Written::$entity(entity)),+ };
                written.serialize(serializer)
            }

            /// Deserializes an entity keyed by its type.
            ///
            /// # Errors
            /// Returns an error if it isn't an entity, or is one of a newer version.
            pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<super::Entity>, D::Error> {
                let entity = match Read::deserialize(deserializer)? {
                    $(Read::$entity(entity) => super::Entity::$entity(entity)),+
                };
                Ok(Arc::new(entity))
            }
        }
    };
}

entities! {
    /// The site and its settings.
    Site(SiteId, SiteVerb) = "site" in "site", sites;
    /// A member of the crew.
    Person(PersonId, PersonVerb) = "person" in "people", people;
    /// A place.
    Place(PlaceId, PlaceVerb) = "place" in "places", places;
    /// A guest.
    Guest(GuestId, GuestVerb) = "guest" in "guests", guests;
    /// A stay.
    Stay(StayId, StayVerb) = "stay" in "guests", stays;
    /// A button.
    Button(ButtonId, ButtonVerb) = "button" in "buttons", buttons;
    /// A request.
    Request(RequestId, RequestVerb) = "request" in "requests", requests;
    /// A voice call.
    Call(CallId, CallVerb) = "call" in "calls", calls;
}

/// The names of the top-level fields that differ between two payloads; for a new entity, all that are set.
pub fn changed_fields(before: Option<&Value>, after: &Value) -> Vec<String> {
    let Value::Object(after) = after else { return Vec::new() };
    let empty = serde_json::Map::new();
    let before = before.and_then(Value::as_object).unwrap_or(&empty);
    let gone = before.keys().filter(|name| !after.contains_key(*name));
    let changed = after.iter().filter(|(name, value)| before.get(*name).unwrap_or(&Value::Null) != *value);
    changed.map(|(name, _)| name).chain(gone).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{at, open_request, siri};

    #[test]
    fn an_accept_changes_the_state_and_who_and_when() {
        let before = open_request(at(0));
        let (after, _) =
            crate::request::decide(before.clone(), crate::request::Command::Accept, &siri(), at(1)).unwrap();
        let (before, after) = (Entity::from(before).to_payload().unwrap(), Entity::from(after).to_payload().unwrap());
        assert_eq!(changed_fields(Some(&before), &after), ["accepted_at", "accepted_by", "state"]);
        assert_eq!(changed_fields(Some(&after), &before), ["state", "accepted_at", "accepted_by"]);
        assert!(changed_fields(Some(&after), &after).is_empty());
    }

    #[test]
    fn an_entity_beneath_its_name_is_read_as_it_was_written() {
        let entity = Entity::from(open_request(at(0)));
        let text = named::serialize(&entity, serde_json::value::Serializer).unwrap();
        assert_eq!(text["request"]["place_name"], "Cabin 5");
        assert_eq!(*named::deserialize(text).unwrap(), entity);
        assert!(named::deserialize(serde_json::json!({ "moon": {} })).is_err());
    }

    #[test]
    fn a_payload_with_fields_from_the_future_is_still_read() {
        let mut payload = Entity::from(siri()).to_payload().unwrap();
        payload["shoe_size"] = 38.into();
        assert_eq!(Entity::from_payload(EntityType::Person, payload).unwrap(), Entity::Person(siri()));
    }
}
