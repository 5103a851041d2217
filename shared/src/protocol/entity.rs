//! The nouns that entries carry, whole.

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
        /// Which noun an entry carries.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(rename_all = "snake_case")]
        pub enum EntityType { $($(#[$doc])* $noun),+ }

        impl EntityType {
            /// Every noun.
            pub const ALL: &[Self] = &[$(Self::$noun),+];

            /// The noun's name as it crosses a wire and stands in the database.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$noun => $name),+ }
            }

            /// The category of its entries.
            pub fn category(self) -> &'static str {
                match self { $(Self::$noun => $category),+ }
            }
        }

        /// A noun, whole: what a snapshot lists and an entry carries.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(tag = "entity_type", content = "entity", rename_all = "snake_case")]
        #[expect(clippy::large_enum_variant, reason = "a noun is kept behind an `Arc`, and passes by here once")]
        pub enum Entity { $($(#[$doc])* $noun($noun)),+ }

        impl Entity {
            /// Which noun it is.
            pub fn entity_type(&self) -> EntityType {
                match self { $(Self::$noun(_) => EntityType::$noun),+ }
            }

            /// Its id.
            pub fn id(&self) -> Uuid {
                match self { $(Self::$noun(noun) => noun.id.0),+ }
            }

            /// The noun as the payload of an entry: a JSON object.
            ///
            /// # Errors
            /// None that these types can cause; the signature is `serde_json`'s.
            pub fn to_payload(&self) -> serde_json::Result<Value> {
                match self { $(Self::$noun(noun) => serde_json::to_value(noun)),+ }
            }

            /// Reads the payload of an entry; fields that it doesn't know are passed over, so that an older reader
            /// lives beside a newer writer.
            ///
            /// # Errors
            /// The payload isn't such a noun.
            pub fn from_payload(entity_type: EntityType, payload: Value) -> serde_json::Result<Self> {
                match entity_type { $(EntityType::$noun => serde_json::from_value(payload).map(Self::$noun)),+ }
            }
        }

        $(impl From<$noun> for Entity {
            fn from(noun: $noun) -> Self { Self::$noun(noun) }
        })+

        /// A noun beneath its name, `{"request": {…}}`, for `#[serde(with)]`. On a wire name and noun stand side by
        /// side, and the noun may come first: then all of it must be kept until it is known what it is, and each noun
        /// be read in a second way. What a program reads at every start, and carries the code for, is written so.
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

            /// Writes a noun beneath its name.
            ///
            /// # Errors
            /// The serializer's.
            pub fn serialize<S: Serializer>(noun: &super::Entity, serializer: S) -> Result<S::Ok, S::Error> {
                let written = match noun { $(super::Entity::$noun(noun) => Written::$noun(noun)),+ };
                written.serialize(serializer)
            }

            /// Reads a noun beneath its name.
            ///
            /// # Errors
            /// It isn't one, or one of a newer version.
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

/// The names of the top-level fields in which a payload differs from the one before; for a new noun, all that are set.
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
