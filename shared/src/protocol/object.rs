//! Strict reading of JSON objects.
//!
//! Serde's derived code reads a struct from an array of its fields, too, by position. So `[]` would be settings of which
//! each has its default.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// A value that is read from a JSON object alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Object<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members(PhantomData)).map(Self)
    }
}

struct Members<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map))
    }
}

/// Reads an object, for `#[serde(deserialize_with)]`.
pub(crate) fn object<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    Object::deserialize(deserializer).map(|Object(value)| value)
}

/// Reads a list of objects, for `#[serde(deserialize_with)]`.
pub(crate) fn objects<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    let list = Vec::<Object<T>>::deserialize(deserializer)?;
    Ok(list.into_iter().map(|Object(value)| value).collect())
}

/// Reads an object or `null`, for `#[serde(deserialize_with)]`.
pub(crate) fn object_or_null<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Option::<Object<T>>::deserialize(deserializer).map(|value| value.map(|Object(value)| value))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use crate::protocol::Verb;
    use crate::site::SiteVerb;

    #[rstest]
    #[case(r#"{"type": "save_settings", "settings": []}"#)]
    #[case(r#"{"type": "save_settings", "settings": {"vocabulary": []}}"#)]
    #[case(r#"{"type": "save_settings", "settings": {"vocabulary": {"topics": [["a/+/b"]]}}}"#)]
    #[case(r#"{"type": "save_settings", "settings": {"services": [["aux1", "lights", "low"]]}}"#)]
    #[case(
        r#"{"type": "start_call", "call_id": "01a22fb2-30af-7d8c-abfc-760657213d58",
               "callee_id": "01a22fb2-30af-7d8c-abfc-760657213d59",
               "about": ["place", "01a22fb2-30af-7d8c-abfc-760657213d58", "Cabin 5"]}"#
    )]
    fn a_list_of_its_fields_is_no_object(#[case] text: &str) {
        let error = serde_json::from_str::<Verb>(text).unwrap_err().to_string();
        assert!(error.contains("a JSON object"), "{error}");
    }

    #[test]
    fn settings_that_are_an_object_are_read_with_defaults_for_the_rest() {
        let text = r#"{"type": "save_settings", "settings": {"press_window_s": 30}}"#;
        let Verb::Site(SiteVerb::SaveSettings { settings }) = serde_json::from_str(text).unwrap() else {
            panic!("they are settings")
        };
        assert_eq!((settings.press_window_s, settings.ring_time_s), (30, 60));
    }
}
