use proptest::prelude::*;
use serde_json::json;

use super::*;

/// Converts an object to JSON, with damaged values as `"?"`.
fn shown(object: &Object) -> serde_json::Value {
    fn value(value: &Value) -> serde_json::Value {
        match value {
            Value::Unknown => json!("?"),
            Value::Null => json!(null),
            Value::Bool(yes) => json!(yes),
            Value::Number(number) => json!(number),
            Value::Text(text) => json!(text),
            Value::List(list) => list.iter().map(self::shown_value).collect(),
            Value::Object(object) => shown(object),
        }
    }
    object.members().map(|(name, member)| (name.to_owned(), value(member))).collect()
}

fn shown_value(value: &Value) -> serde_json::Value {
    shown(&Object(vec![(String::new(), value.clone())]))[""].take()
}

fn first(payload: &[u8]) -> Reading {
    read(payload).expect("an object").swap_remove(0)
}

#[test]
fn a_damaged_value_is_unknown_and_its_neighbours_are_read() {
    for damaged in [
        "nan",
        "NaN",
        "-nan",
        "inf",
        "-inf",
        "Infinity",
        "",
        " ",
        "087",
        "+87",
        ".5",
        "87.",
        "0x57",
        "-",
        "1e",
        "1e+",
        "1.e5",
        "1_000",
        "None",
        "undefined",
        "TRUE",
        "nan(ind)",
        "1.#QNAN",
        "1e999",
        "\u{fffd}",
    ] {
        for text in [
            format!(r#"{{"a":1,"b":{damaged},"c":"x"}}"#),
            format!(r#"{{"a":1,"c":"x","b":{damaged}}}"#),
            format!(r#"{{"b":{damaged} ,"a":1,"c":"x"}}"#),
        ] {
            let reading = first(text.as_bytes());
            assert_eq!(shown(&reading.object), json!({ "a": 1, "b": "?", "c": "x" }), "{text}");
            assert!(reading.damage.is_some() && reading.is_whole, "{text}");
        }
    }
}

#[test]
fn a_damaged_text_is_unknown_and_its_neighbours_are_read() {
    let damaged: [&[u8]; 9] = [
        br#""\ud83d""#,
        br#""tea \ud83d please""#,
        br#""\udc00\ud83d""#,
        br#""\u12""#,
        br#""\x""#,
        b"\"caf\xe9\"",
        b"\"caf\xc3\"",
        b"\"a\x01b\"",
        br#""he said "tea", twice""#,
    ];
    for text in damaged {
        let payload = [b"{\"a\":1,\"b\":", text, b",\"c\":\"x\"}"].concat();
        let reading = first(&payload);
        assert_eq!(shown(&reading.object), json!({ "a": 1, "b": "?", "c": "x" }), "{}", payload.escape_ascii());
        assert!(reading.damage.is_some() && reading.is_whole);
    }
}

#[test]
fn what_is_not_punctuated_as_it_should_be_is_read_all_the_same() {
    for text in [
        r#"{"a":1,"c":"x",}"#,
        r#"{,"a":1,"c":"x"}"#,
        r#"{"a":1,,"c":"x"}"#,
        r#"{"a":1 "c":"x"}"#,
        r#"{"c":"x" "a":1}"#,
        "{'a':1,'c':'x'}",
        r#"{a:1,c:"x"}"#,
        r#"{"a":1,"c":"x"} }"#,
        r#"{"a":1,"c":"x"}ngle"}"#,
        r#"{"a":1,"c":"x"}, and more"#,
        r#"{"a":1,:,"c":"x"}"#,
        r#"{"a":1,],"c":"x"}"#,
        "{\"a\":1,\"c\":\"x\"}\0ngle\"}",
    ] {
        let reading = first(text.as_bytes());
        assert_eq!(shown(&reading.object), json!({ "a": 1, "c": "x" }), "{text}");
        assert!(reading.is_whole, "{text}");
        assert!(reading.damage.is_some(), "{text}");
    }
}

#[test]
fn a_raw_line_break_in_a_text_means_itself() {
    let reading = first(b"{\"a\":\"one\ntwo\r\n\tthree\"}");
    assert_eq!(shown(&reading.object), json!({ "a": "one\ntwo\r\n\tthree" }));
    assert_eq!(reading.damage, Some(Damage::Text));
}

#[test]
fn a_message_that_was_cut_is_read_up_to_there() {
    let whole = r#"{"a":1,"b":{"c":[true,null,"x"]},"d":"yes","e":12}"#;
    for (length, expected) in [
        (1, json!({})),
        (3, json!({})),
        (5, json!({ "a": "?" })),
        (6, json!({ "a": "?" })),
        (7, json!({ "a": 1 })),
        (12, json!({ "a": 1, "b": {} })),
        (17, json!({ "a": 1, "b": { "c": [] } })),
        (22, json!({ "a": 1, "b": { "c": [true] } })),
        (41, json!({ "a": 1, "b": { "c": [true, null, "x"] }, "d": "?" })),
        (43, json!({ "a": 1, "b": { "c": [true, null, "x"] }, "d": "yes" })),
        (49, json!({ "a": 1, "b": { "c": [true, null, "x"] }, "d": "yes", "e": "?" })),
    ] {
        let reading = first(&whole.as_bytes()[..length]);
        assert_eq!(shown(&reading.object), expected, "{}", &whole[..length]);
        assert!(!reading.is_whole && reading.damage.is_some(), "{}", &whole[..length]);
    }
}

#[test]
fn marks_and_zeros_around_a_message_are_no_damage() {
    let utf16 = |mark: [u8; 2], bytes: fn(u16) -> [u8; 2]| {
        let units = r#"{"a":"ž"}"#.encode_utf16().flat_map(bytes);
        mark.into_iter().chain(units).collect::<Vec<u8>>()
    };
    for payload in [
        "{\"a\":\"ž\"}\0".as_bytes().to_vec(),
        "\u{feff}{\"a\":\"ž\"}\0\0\0".as_bytes().to_vec(),
        "\0\0 {\"a\":\"ž\"} \r\n".as_bytes().to_vec(),
        utf16([0xff, 0xfe], u16::to_le_bytes),
        utf16([0xfe, 0xff], u16::to_be_bytes),
    ] {
        let reading = first(&payload);
        assert_eq!(shown(&reading.object), json!({ "a": "ž" }));
        assert_eq!(reading.damage, None, "{}", payload.escape_ascii());
    }
}

#[test]
fn a_second_object_is_read_only_whole_and_never_from_behind_a_zero() {
    let count = |payload: &str| read(payload.as_bytes()).expect("an object").len();
    assert_eq!(count(r#"{"a":1}{"a":2}"#), 2);
    assert_eq!(count("{\"a\":1}\n{\"a\":2},{\"a\":3}"), 3);
    assert_eq!(count(r#"{"a":1}{"a":1}"#), 1, "the same again is a leftover");
    assert_eq!(count("{\"a\":1}\0{\"a\":2}"), 1);
    assert_eq!(count(r#"{"a":1}{"a":"#), 1);
    assert_eq!(count(r#"{"a":1}{"a":nan}"#), 1);
    assert_eq!(count(&r#"{"a":1}{"a":2}"#.repeat(1000)), OBJECTS_MAX);
}

#[test]
fn what_does_not_begin_as_an_object_can_not_be_read() {
    for (payload, why) in [
        (&b""[..], Unreadable::Empty),
        (b"\0\0", Unreadable::Empty),
        (b" \n", Unreadable::Empty),
        (b"[1]", Unreadable::NotAnObject),
        (b"single", Unreadable::NotAnObject),
        (b"\xff\x00{", Unreadable::NotText),
    ] {
        assert_eq!(read(payload), Err(why), "{}", payload.escape_ascii());
    }
    assert_eq!(read_text(b"\xef\xbb\xbfOnline\0ine"), Ok("Online".to_owned()));
    assert_eq!(read_text(b"\xff"), Err(Unreadable::NotText));
}

#[test]
fn nesting_without_end_and_lists_without_end_stay_within_their_bound() {
    for nested in ["[".repeat(500_000), "{\"a\":".repeat(100_000), "[{\"a\":".repeat(50_000)] {
        let reading = first(format!("{{\"kind\":\"single\",\"a\":{nested}").as_bytes());
        assert_eq!(reading.object.get("kind").and_then(Value::as_text), Some("single"));
        assert!(!reading.is_whole);
    }
    let closed = format!(r#"{{"a":{}1{},"kind":"single"}}"#, "[".repeat(10_000), "]".repeat(10_000));
    assert_eq!(first(closed.as_bytes()).object.get("kind").and_then(Value::as_text), Some("single"));
    let long = first(format!(r#"{{"kind":"single","a":[{}1]}}"#, "1,".repeat(250_000)).as_bytes());
    assert_eq!(long.damage, Some(Damage::TooMuch));
    assert!(long.object.heap() < 4 * 1024 * 1024, "{}", long.object.heap());
    // Each text triggers a search for the next member; the parser finds only once that there is none.
    let quotes = first(format!(r#"{{"a":"b"{}"#, r#"x"a":"b""#.repeat(60_000)).as_bytes());
    assert!(!quotes.is_whole);
}

fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(|yes| json!(yes)),
        any::<i64>().prop_map(|number| json!(number)),
        any::<u64>().prop_map(|number| json!(number)),
        any::<f64>().prop_map(|number| json!(number)),
        any::<String>().prop_map(|text| json!(text)),
    ];
    let value = leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::Array),
            proptest::collection::btree_map("[a-z\"\\\\é ]{0,4}", inner, 0..4)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    });
    proptest::collection::btree_map("[a-z]{1,4}", value, 0..5)
        .prop_map(|members| serde_json::Value::Object(members.into_iter().collect()))
}

proptest! {
    #![proptest_config(crate::fuzz::config(1_000))]

    #[test]
    fn valid_json_is_read_as_serde_json_reads_it(json in any_json(), pretty in any::<bool>()) {
        let text = if pretty { serde_json::to_string_pretty(&json) } else { serde_json::to_string(&json) }.unwrap();
        let expected: serde_json::Value = serde_json::from_str(&text).unwrap();
        let readings = read(text.as_bytes()).unwrap();
        prop_assert_eq!(readings.len(), 1);
        prop_assert_eq!(&readings[0].damage, &None, "{}", text);
        prop_assert_eq!(shown(&readings[0].object), expected);
    }

    #[test]
    fn only_what_serde_json_reads_counts_as_intact(json in any_json(), at: prop::sample::Index, byte: u8, removes: bool) {
        let mut text = json.to_string().into_bytes();
        let at = at.index(text.len());
        if removes { text.remove(at); } else { text[at] = byte; }
        let is_valid = serde_json::from_slice::<serde_json::Value>(&text).is_ok_and(|value| value.is_object());
        let reading = read(&text);
        let is_intact = reading.as_ref().is_ok_and(|all| all.len() == 1 && all[0].damage.is_none());
        let has_zero = text.contains(&0);
        prop_assert!(is_valid == is_intact || has_zero, "{} {is_valid} {reading:?}", text.escape_ascii());
    }

    #[test]
    fn whatever_comes_is_read_within_its_bound(payload in crate::fuzz::noise()) {
        if let Ok(readings) = read(&payload) {
            prop_assert!(readings.len() <= OBJECTS_MAX);
            let heap = readings.iter().map(|reading| reading.object.heap()).sum::<usize>();
            prop_assert!(heap <= 128 * payload.len() + 4096, "{heap} bytes for {}", payload.len());
        }
    }
}
