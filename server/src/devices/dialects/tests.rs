use crewbell_shared::button::{Evidence, Key, PressKind, Vitals};
use proptest::prelude::*;
use rstest::rstest;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::*;

/// One line of a file in `vectors/`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    says: String,
    topic: String,
    /// Text is sent as it is, anything else as JSON.
    payload: Value,
    #[serde(default)]
    retained: bool,
    expect: Value,
}

impl Vector {
    fn bytes(&self) -> Vec<u8> {
        match &self.payload {
            Value::String(text) => text.clone().into_bytes(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                self.payload.to_string().into_bytes()
            }
        }
    }
}

const FILES: [&str; 6] = [
    include_str!("vectors/crewbell.json"),
    include_str!("vectors/original.json"),
    include_str!("vectors/tasmota.json"),
    include_str!("vectors/shelly.json"),
    include_str!("vectors/zigbee2mqtt.json"),
    include_str!("vectors/chirpstack.json"),
];

fn vectors() -> Vec<Vector> {
    FILES.iter().flat_map(|file| serde_json::from_str::<Vec<Vector>>(file).expect("a list of vectors")).collect()
}

fn dialects() -> Dialects {
    let table = json!([{ "f_port": 85, "offset": 2, "battery_offset": 3, "presses": [
        { "value": 1, "kind": "single" },
        { "value": 3, "kind": "emergency", "key": "aux2" },
    ]}]);
    Dialects::new("obedio", serde_json::from_value(table).expect("a table"))
}

/// All that was decoded, as JSON, without what is absent.
fn summary(decoded: &Decoded) -> Value {
    let mut all = json!({
        "device": decoded.device,
        "dialect": decoded.dialect.map(Dialect::code),
    });
    let more = match &decoded.said {
        Said::Press(press) => {
            let evidence = match &press.evidence {
                Evidence::Named(name) => format!("named:{name}"),
                Evidence::Counted { counter, uptime_ms: Some(ms) } => format!("counted:{counter}:{ms}"),
                Evidence::Counted { counter, uptime_ms: None } => format!("counted:{counter}"),
                Evidence::Framed { frame, counter: Some(counter) } => format!("framed:{frame}:{counter}"),
                Evidence::Framed { frame, counter: None } => format!("framed:{frame}"),
                Evidence::Standing { input, counter } => format!("standing:{input}:{counter}"),
                Evidence::Nothing => "nothing".to_owned(),
            };
            let mut more = json!({
                "said": "press", "kind": press.kind, "key": press.key, "evidence": evidence,
                "id": press.device_press_id, "time": press.device_time,
                "transcript": press.transcript, "audio_url": press.audio_url,
            });
            add(&mut more, of_vitals(&press.vitals));
            more
        }
        Said::Health(vitals) => {
            let mut more = json!({ "said": "health" });
            add(&mut more, of_vitals(vitals));
            more
        }
        Said::Voice(voice) => json!({
            "said": "voice", "key": voice.key, "duration_ms": voice.duration_ms, "format": voice.format,
            "bytes": voice.bytes.len(), "audio_url": voice.audio_url, "transcript": voice.transcript,
        }),
        Said::Nothing(ignored) => json!({ "said": ignored.code() }),
    };
    add(&mut all, more);
    all
}

fn of_vitals(vitals: &Vitals) -> Value {
    json!({
        "online": vitals.online, "battery": vitals.battery_percent, "rssi": vitals.rssi_dbm,
        "firmware": vitals.firmware, "uptime_ms": vitals.uptime_ms,
        "booted": vitals.booted.then_some(true), "standing": vitals.standing,
    })
}

fn add(all: &mut Value, more: Value) {
    let (Value::Object(all), Value::Object(more)) = (all, more) else { panic!("objects") };
    all.extend(more.into_iter().filter(|(_, value)| !value.is_null()));
}

#[test]
fn every_vector_decodes_as_it_says() {
    let dialects = dialects();
    let wrong: Vec<String> = vectors()
        .iter()
        .filter_map(|vector| {
            let decoded = dialects.decode(&vector.topic, &vector.bytes(), vector.retained);
            let got = summary(&decoded);
            (got != vector.expect)
                .then(|| format!("{} ({})\n  expected {}\n  got      {got}", vector.says, vector.topic, vector.expect))
        })
        .collect();
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn no_vector_rings_when_it_is_retained() {
    for vector in vectors() {
        let decoded = dialects().decode(&vector.topic, &vector.bytes(), true);
        assert!(!matches!(decoded.said, Said::Press(_)), "{}", vector.says);
    }
}

#[test]
fn every_topic_that_is_understood_is_subscribed_to_once() {
    let filters = dialects().subscriptions();
    // These come over the embedded listener only, or are no business of ours.
    let unasked = |topic: &str| topic.ends_with("/event/ack");
    for vector in vectors() {
        let decoded = dialects().decode(&vector.topic, &vector.bytes(), vector.retained);
        let matching = filters.iter().filter(|filter| matches_filter(filter, &vector.topic)).count();
        if decoded.dialect.is_some() && !unasked(&vector.topic) {
            assert_eq!(matching, 1, "{}", vector.topic);
        }
    }
}

fn matches_filter(filter: &str, topic: &str) -> bool {
    if let Some(start) = filter.strip_suffix('#') {
        return topic.starts_with(start);
    }
    let (filter, topic): (Vec<_>, Vec<_>) = (filter.split('/').collect(), topic.split('/').collect());
    filter.len() == topic.len() && filter.iter().zip(&topic).all(|(f, t)| *f == "+" || f == t)
}

#[test]
fn another_prefix_of_two_levels_is_followed() {
    let dialects = Dialects::new("ship/serenity/", RadioTable::default());
    let decoded = dialects.decode("ship/serenity/button/c7/pressed", br#"{"kind":"single"}"#, false);
    assert!(matches!(decoded.said, Said::Press(_)));
    assert!(dialects.subscriptions().contains(&"ship/serenity/button/+/pressed".to_owned()));
}

#[rstest]
#[case("obedio/button/c7/pressed", PAYLOAD_MAX)]
#[case("obedio/button/c7/voice", VOICE_MAX)]
#[case("zigbee2mqtt/c7", PAYLOAD_MAX)]
fn a_payload_over_its_limit_is_refused(#[case] topic: &str, #[case] max: usize) {
    let too_large = dialects().decode(topic, &vec![b' '; max + 1], false);
    assert_eq!(too_large.said, Said::Nothing(Ignored::TooLarge));
    let fits = dialects().decode(topic, &vec![b' '; max], false);
    assert_eq!(fits.said, Said::Nothing(Ignored::NotJson));
}

#[test]
fn twenty_seconds_of_speech_are_decoded() {
    let payload = json!({ "format": "adpcm", "duration": 20, "data": "QUJD".repeat(60_000) }).to_string();
    let decoded = dialects().decode("obedio/button/c7/voice", payload.as_bytes(), false);
    let Said::Voice(voice) = decoded.said else { panic!("speech") };
    assert_eq!(voice.bytes.len(), 180_000);
}

#[test]
fn text_that_is_not_utf8_is_refused() {
    let decoded = dialects().decode("obedio/button/c7/pressed", b"{\"kind\":\"single\", \"x\":\"\xff\"}", false);
    assert_eq!(decoded.said, Said::Nothing(Ignored::NotUtf8));
}

fn topic() -> impl Strategy<Value = String> {
    let known: Vec<String> = vectors().into_iter().map(|vector| vector.topic).collect();
    prop_oneof![8 => proptest::sample::select(known), 1 => ".{0,80}", 1 => "[a-z+#$/]{0,40}"]
}

fn payload() -> impl Strategy<Value = Vec<u8>> {
    let known: Vec<Vec<u8>> = vectors().iter().map(Vector::bytes).collect();
    let damaged = (proptest::sample::select(known.clone()), any::<proptest::sample::Index>(), any::<u8>());
    prop_oneof![
        3 => proptest::sample::select(known),
        3 => damaged.prop_map(|(mut bytes, at, with)| {
            if !bytes.is_empty() {
                let at = at.index(bytes.len());
                bytes[at] = with;
            }
            bytes
        }),
        1 => proptest::collection::vec(any::<u8>(), 0..200),
        1 => "[{}\\[\\]\",:0-9a-z.-]{0,60}".prop_map(String::into_bytes),
    ]
}

/// The fields of a press of the original firmware, with what each may hold.
fn original_fields() -> impl Strategy<Value = Vec<(String, Value)>> {
    let optional = [
        ("deviceId", json!("x")),
        ("button", json!("aux2")),
        ("battery", json!(80)),
        ("rssi", json!(-70)),
        ("firmwareVersion", json!("1.0")),
        ("timestamp", json!(123_456)),
        ("sequenceNumber", json!(5)),
        ("locationId", Value::Null),
        ("guestId", Value::Null),
        ("audioUrl", Value::Null),
        ("voiceTranscript", Value::Null),
        ("somethingNew", json!({ "a": [1, 2] })),
    ];
    proptest::sample::subsequence(optional.to_vec(), 0..=12).prop_flat_map(|mut fields| {
        fields.push(("pressType", json!("double")));
        Just(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Vec<_>>()).prop_shuffle()
    })
}

/// A JSON object with its fields in the order given.
fn object(fields: &[(String, Value)]) -> String {
    let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{}:{value}", json!(name))).collect();
    format!("{{{}}}", fields.join(","))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_said_on_whatever_topic_nothing_panics_and_nothing_retained_rings(
        topic in topic(), payload in payload(), retained in any::<bool>(),
    ) {
        let decoded = dialects().decode(&topic, &payload, retained);
        prop_assert!(!(retained && matches!(decoded.said, Said::Press(_) | Said::Voice(_))));
        if let Some(device) = &decoded.device {
            prop_assert!(topic.to_ascii_lowercase().contains(&device.to_ascii_lowercase()));
        }
        if let Said::Press(press) = &decoded.said {
            prop_assert!(decoded.device.is_some());
            prop_assert!(press.vitals.battery_percent.is_none_or(|percent| percent <= 100));
            prop_assert!(press.vitals.rssi_dbm.is_none_or(|dbm| dbm < 0));
        }
    }

    #[test]
    fn a_press_decodes_with_its_fields_in_any_order_and_any_but_the_press_type_absent(fields in original_fields()) {
        let has = |name: &str| fields.iter().any(|(field, _)| field == name);
        let decoded = dialects().decode("obedio/button/c7/press", object(&fields).as_bytes(), false);
        let Said::Press(press) = decoded.said else { panic!("no press: {fields:?}") };
        prop_assert_eq!(press.kind, PressKind::Double);
        prop_assert_eq!(press.key, if has("button") { Key::Aux2 } else { Key::Main });
        prop_assert_eq!(press.vitals.battery_percent.is_some(), has("battery"));
        let uptime_ms = has("timestamp").then_some(123_456);
        let counted = Evidence::Counted { counter: 5, uptime_ms };
        prop_assert_eq!(press.evidence, if has("sequenceNumber") { counted } else { Evidence::Nothing });
    }

    #[test]
    fn a_heartbeat_never_rings_whatever_it_carries(fields in original_fields(), field in "type|event|pressType|kind") {
        let mut object: Map<String, Value> = fields.into_iter().collect();
        object.insert(field, json!("heartbeat"));
        let payload = Value::Object(object).to_string();
        let decoded = dialects().decode("obedio/button/c7/press", payload.as_bytes(), false);
        prop_assert!(!matches!(decoded.said, Said::Press(_)));
    }
}
