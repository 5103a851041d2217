//! A JSON (RFC 8259) deserializer for the messages of the core, the types of its `screen` module.
//!
//! It reads everything that `serde_json` writes, as `serde_json` reads it; the tests compare the two. It replaces
//! `serde_json` because the UI is loaded at every start and `serde_json` makes it a fifth larger: for each type that
//! adds a second way to read it, from an array without names, and error messages for texts that people wrote. The
//! core's messages are written by a program. Errors give only the position in the text.
//!
//! `text` is the tokenizer, [`Reader`] the serde deserializer.

mod reader;
mod text;

use serde::de::DeserializeOwned;

use reader::Reader;

/// The error of a text that can't be parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not understood, up to byte {at}")]
pub struct Unreadable {
    /// How far the text was read, in bytes.
    pub at: usize,
}

/// Parses a complete text.
///
/// # Errors
/// Returns an error if the text is no JSON, or no `T`.
pub fn read<T: DeserializeOwned>(text: &str) -> Result<T, Unreadable> {
    let mut reader = Reader::new(text);
    let value = T::deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
    value.map_err(|_| Unreadable { at: reader.at() })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use crewbell_core::screen::{Act, AskError, CoreEvent, Deed, Notice, OutboxItem, Shown, Status};
    use crewbell_core::store::{CommandStatus, EntityKey};
    use crewbell_shared::protocol::{Command, Entity, EntityType, Verb};
    use crewbell_shared::testing::{at, button, cabin, gus, id, open_request, ringing_call, siri, stay};
    use crewbell_shared::{Code, Refusal};
    use serde::{Serialize, de::DeserializeOwned};
    use serde_json::{Value, json};

    use super::*;

    fn crosses<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(said: &T) {
        let text = serde_json::to_string(said).unwrap();
        assert_eq!(&read::<T>(&text).unwrap(), said, "{text}");
        let spaced = serde_json::to_string_pretty(said).unwrap();
        assert_eq!(&read::<T>(&spaced).unwrap(), said, "{spaced}");
    }

    #[test]
    fn nouns_are_read_as_they_were_written() {
        let nouns: [Entity; 7] = [
            siri().into(),
            cabin().into(),
            gus().into(),
            stay().into(),
            button().into(),
            open_request(at(0)).into(),
            ringing_call(at(0)).into(),
        ];
        for noun in nouns {
            crosses(&Shown { noun: noun.clone().into(), pending: true });
            crosses(&noun);
        }
    }

    #[test]
    fn enums_in_every_shape_are_read_as_they_were_written() {
        let refusal = Refusal::new(Code::AlreadyAccepted, "Siri was first.").with("by", &siri().as_ref());
        crosses(&vec![CoreEvent::Reload, CoreEvent::Looked { look: u64::MAX }]);
        crosses(&CoreEvent::Refused { command_id: id(1), refusal: refusal.clone() });
        crosses(&AskError::Refused { refusal: refusal.clone() });
        crosses(&CommandStatus::Refused { refusal, at: at(1) });
        crosses(&Status { notices: vec![Notice::Revoked, Notice::ClockWrong { by_s: i64::MIN }], ..Status::default() });
        let acts = [
            Act::AcceptRequest,
            Act::SavePlace("\"Achterdeck\"\n\u{1}\\ 🛎".into()),
            Act::SetBusy(true),
            Act::CheckIn { guest_id: id(3), place_id: id(4) },
        ];
        for act in acts {
            let about = Some(EntityKey::new(EntityType::Place, id::<uuid::Uuid>(1)));
            let (deed, by, doing) = (Deed { about, act }, siri().as_ref(), CommandStatus::Done { seq: 9 });
            crosses(&OutboxItem { command_id: id(2), depends_on: Some(id(1)), deed, by, at: at(0), doing });
        }
        let verb = Verb::CancelRequest { request_id: id(1), reason: None };
        crosses(&Command { id: id(2), made_at: Some(at(0)), depends_on: None, verb });
    }

    #[test]
    fn any_value_is_read_as_serde_json_reads_it() {
        let texts = [
            r#" {"a":[1,-1,0.5,-2e3,1E+2,18446744073709551615,18446744073709551616,true,false,null,{}, [ ] ],"":""} "#,
            r#""\u00e9\ud83d\udece\/\b\f\n\r\t\"\\ö""#,
            "-9223372036854775808",
            "-9223372036854775809",
            "-0",
        ];
        for text in texts {
            assert_eq!(read::<Value>(text).unwrap(), serde_json::from_str::<Value>(text).unwrap(), "{text}");
        }
    }

    #[test]
    fn what_serde_json_does_not_read_is_not_read_here() {
        let texts = [
            "",
            " ",
            "{",
            "[",
            "[1",
            "[1,",
            "[1,]",
            "[,1]",
            "{,}",
            r#"{"a"}"#,
            r#"{"a":}"#,
            r#"{"a":1,}"#,
            "{1:2}",
            "nul",
            "nulls",
            "1 2",
            "01",
            "-",
            "1.",
            ".5",
            "1e",
            "1e+",
            "+1",
            "'a'",
            "\"a",
            "\"\n\"",
            r#""\x""#,
            r#""\u12""#,
            r#""\ud800""#,
            r#""\udc00""#,
            r#""\ud800\u0041""#,
            r#""\u+123""#,
            "[1}",
            r#"{"a":1]"#,
            "[1 2]",
            "\u{a0}1",
            "1e999",
        ];
        for text in texts {
            assert!(serde_json::from_str::<Value>(text).is_err(), "{text}");
            assert!(read::<Value>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_text_cut_anywhere_is_refused_and_hurts_nobody() {
        let whole =
            serde_json::to_string(&vec![CoreEvent::Patch { put: Vec::new(), gone: Vec::new(), lines: Vec::new() }]);
        let whole = format!(r#"[{},"\u00e9\ud83d\udece",-12.5e3,true]"#, whole.unwrap());
        assert!(read::<Value>(&whole).is_ok());
        for end in 0..whole.len() {
            assert!(read::<Value>(&whole[..end]).is_err(), "{}", &whole[..end]);
        }
    }

    #[test]
    fn numbers_stay_within_their_types() {
        assert_eq!(read::<u8>("255"), Ok(255));
        assert_eq!(read::<i16>("-300"), Ok(-300));
        for (text, is_read) in [("256", false), ("-1", false), ("1.0", false), ("\"1\"", false), ("0", true)] {
            assert_eq!(read::<u8>(text).is_ok(), is_read, "{text}");
        }
        assert_eq!(read::<f64>("3"), Ok(3.0));
        assert_eq!(read::<Option<i64>>("null"), Ok(None));
    }

    #[test]
    fn what_a_newer_core_says_more_is_passed_over() {
        let newer = json!({ "id": siri().id, "name": "Siri", "shoes": { "size": [38, "\"]"], "new": true } });
        assert_eq!(read(&newer.to_string()), Ok(siri().as_ref()));
        assert_eq!(read::<Code>(r#""moon_phase""#), Ok(Code::Unrecognised));
    }

    #[test]
    fn what_is_missing_is_told_by_its_place() {
        let lacks = r#"[{"id":"00000000-0000-0000-0000-000000000001"}, 5]"#;
        assert_eq!(read::<Vec<crewbell_shared::person::PersonRef>>(lacks), Err(Unreadable { at: 45 }));
        assert_eq!(read::<BTreeMap<String, String>>(r#"{"a":"b","c":5}"#), Err(Unreadable { at: 13 }));
    }

    #[test]
    fn no_text_is_deep_enough_to_break_it() {
        for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
            let nested = |depth: usize| format!("{}1{}", open.repeat(depth), close.repeat(depth));
            assert!(read::<Value>(&nested(100)).is_ok());
            assert!(read::<Value>(&nested(200_000)).is_err());
            assert!(read::<serde::de::IgnoredAny>(&nested(200_000)).is_err());
        }
    }
}
