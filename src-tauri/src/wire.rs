//! Serialisation of requests, answers and events between shell and UI, as JSON text.
//!
//! The counterpart is `ui/src/bridge/`. A single string passes through the web view unchanged, whereas an object would
//! be parsed and rebuilt on both sides.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned, de::Error as _, ser::Error as _};

/// A value serialised as JSON text: a command's argument, answer or error, or an event's payload.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Wire<T>(pub(crate) T);

impl<T: Serialize> Serialize for Wire<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&serde_json::to_string(&self.0).map_err(S::Error::custom)?)
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Wire<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        serde_json::from_str(&text).map(Self).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::Wire;

    #[test]
    fn a_list_crosses_as_one_string_and_comes_back() {
        let sent = Wire(vec![(1, "Cabin \"5\"".to_owned())]);
        let crossing = serde_json::to_value(&sent).unwrap();
        assert_eq!(crossing, serde_json::json!(r#"[[1,"Cabin \"5\""]]"#));
        assert_eq!(serde_json::from_value::<Wire<Vec<(i32, String)>>>(crossing).unwrap(), sent);
    }

    #[test]
    fn text_that_is_no_json_is_refused() {
        assert!(serde_json::from_value::<Wire<u32>>(serde_json::json!("four")).is_err());
    }
}
