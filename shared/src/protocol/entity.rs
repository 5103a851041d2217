//! The entities that entries carry, in full.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::button::Button;
use crate::call::Call;
use crate::guest::{Guest, Stay};
use crate::person::Person;
use crate::place::Place;
use crate::request::Request;
use crate::site::Site;

macro_rules! entities {
    ($($(#[$doc:meta])* $noun:ident = $name:literal in $category:literal),+ $(,)?) => {
        /// The type of an entity.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(rename_all = "snake_case")]
        pub enum EntityType { $($(#[$doc])* $noun),+ }

        impl EntityType {
            /// Every entity type.
            pub const ALL: &[Self] = &[$(Self::$noun),+];

            /// The type's name on the wire and in the database.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$noun => $name),+ }
            }

            /// The category of the type's entries.
            pub fn category(self) -> &'static str {
                match self { $(Self::$noun => $category),+ }
            }
        }

        /// An entity in full, as in snapshots and entries.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(tag = "entity_type", content = "entity", rename_all = "snake_case")]
        #[expect(clippy::large_enum_variant, reason = "a noun is kept behind an `Arc`, and passes by here once")]
        pub enum Entity { $($(#[$doc])* $noun($noun)),+ }

        impl Entity {
            /// The entity's type.
            pub fn entity_type(&self) -> EntityType {
                match self { $(Self::$noun(_) => EntityType::$noun),+ }
            }

            /// The entity's id.
            pub fn id(&self) -> Uuid {
                match self { $(Self::$noun(noun) => noun.id.0),+ }
            }

            /// The entity as the payload of an entry: a JSON object.
            ///
            /// # Errors
            /// These types cause none; the signature is `serde_json`'s.
            pub fn to_payload(&self) -> serde_json::Result<Value> {
                match self { $(Self::$noun(noun) => serde_json::to_value(noun)),+ }
            }

            /// Parses the payload of an entry. Unknown fields are ignored, so that an older reader works with a newer
            /// writer.
            ///
            /// # Errors
            /// Returns an error if the payload isn't such an entity.
            pub fn from_payload(entity_type: EntityType, payload: Value) -> serde_json::Result<Self> {
                match entity_type { $(EntityType::$noun => serde_json::from_value(payload).map(Self::$noun)),+ }
            }
        }

        $(impl From<$noun> for Entity {
            fn from(noun: $noun) -> Self { Self::$noun(noun) }
        })+

        /// Serialization of an entity keyed by its type, `{"request": {…}}`, for `#[serde(with)]`. On the wire, type
        /// and entity are sibling fields, and the entity may come first: a reader must then buffer it until its type is
        /// known, which needs a second deserializer for each entity. The keyed form is for data that a program reads at
        /// every start.
        pub mod named {
            use std::sync::Arc;

            use serde::{Deserialize, Deserializer, Serialize, Serializer};

            use super::{$($noun),+};

            #[derive(Serialize)]
            #[serde(rename_all = "snake_case")]
            enum Written<'a> { $($noun(&'a $noun)),+ }

            #[derive(Deserialize)]
            #[serde(rename_all = "snake_case")]
            #[expect(clippy::large_enum_variant, reason = "a noun is kept behind an `Arc`, and passes by here once")]
            enum Read { $($noun($noun)),+ }

            /// Serializes an entity keyed by its type.
            ///
            /// # Errors
            /// Returns the serializer's errors.
            pub fn serialize<S: Serializer>(noun: &super::Entity, serializer: S) -> Result<S::Ok, S::Error> {
                let written = match noun { $(super::Entity::$noun(noun) => Written::$noun(noun)),+ };
                written.serialize(serializer)
            }

            /// Deserializes an entity keyed by its type.
            ///
            /// # Errors
            /// Returns an error if it isn't an entity, or is one of a newer version.
            pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<super::Entity>, D::Error> {
                let noun = match Read::deserialize(deserializer)? { $(Read::$noun(noun) => super::Entity::$noun(noun)),+ };
                Ok(Arc::new(noun))
            }
        }
    };
}

entities! {
    /// The site and its settings.
    Site = "site" in "site",
    /// A member of the crew.
    Person = "person" in "people",
    /// A place.
    Place = "place" in "places",
    /// A guest.
    Guest = "guest" in "guests",
    /// A stay.
    Stay = "stay" in "guests",
    /// A button.
    Button = "button" in "buttons",
    /// A request.
    Request = "request" in "requests",
    /// A voice call.
    Call = "call" in "calls",
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
    fn a_noun_beneath_its_name_is_read_as_it_was_written() {
        let noun = Entity::from(open_request(at(0)));
        let text = named::serialize(&noun, serde_json::value::Serializer).unwrap();
        assert_eq!(text["request"]["place_name"], "Cabin 5");
        assert_eq!(*named::deserialize(text).unwrap(), noun);
        assert!(named::deserialize(serde_json::json!({ "moon": {} })).is_err());
    }

    #[test]
    fn a_payload_with_fields_from_the_future_is_still_read() {
        let mut payload = Entity::from(siri()).to_payload().unwrap();
        payload["shoe_size"] = 38.into();
        assert_eq!(Entity::from_payload(EntityType::Person, payload).unwrap(), Entity::Person(siri()));
    }
}
