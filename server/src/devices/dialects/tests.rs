use crewbell_shared::button::{ButtonKey, DeviceTopic, DeviceWord, Evidence, PressKind, SeenPress, Telemetry};
use proptest::prelude::*;
use rstest::rstest;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::*;

/// One test vector: a line of a file in `vectors/`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    says: String,
    topic: String,
    /// Text is sent as it is, anything else as JSON.
    payload: Value,
    #[serde(default)]
    retained: bool,
    /// Each character of the payload is one byte.
    #[serde(default)]
    latin1: bool,
    /// The site's vocabulary.
    #[serde(default)]
    site: Site,
    /// The expected presses, or the reason why there is none; a list for several keys or buttons.
    expect: Value,
}

/// A vocabulary in short form.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Site {
    words: Vec<DeviceWord>,
    topics: Vec<DeviceTopic>,
}

impl Vector {
    fn bytes(&self) -> Vec<u8> {
        match &self.payload {
            Value::String(text) if self.latin1 => {
                text.chars().map(|c| u8::try_from(u32::from(c)).expect("a byte")).collect()
            }
            Value::String(text) => text.clone().into_bytes(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                self.payload.to_string().into_bytes()
            }
        }
    }

    fn vocabulary(&self) -> Vocabulary {
        Vocabulary { words: self.site.words.clone(), topics: self.site.topics.clone() }
    }

    fn decoded(&self) -> Decoded {
        dialects().decode(&self.vocabulary(), &self.topic, &self.bytes(), self.retained)
    }
}

const FILES: [&str; 12] = [
    include_str!("vectors/damaged.json"),
    include_str!("vectors/batteries.json"),
    include_str!("vectors/things_stack.json"),
    include_str!("vectors/thingpark.json"),
    include_str!("vectors/openmqttgateway.json"),
    include_str!("vectors/site.json"),
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

/// The decoded message as JSON, without absent fields: one content, or a list of several.
fn summary(decoded: &Decoded) -> Value {
    let mut all: Vec<Value> = decoded.heard.iter().map(|heard| of_one(decoded.dialect, heard)).collect();
    if all.len() == 1 { all.remove(0) } else { Value::Array(all) }
}

fn of_one(dialect: Option<Dialect>, heard: &Heard) -> Value {
    let mut all = json!({ "device": heard.device, "dialect": dialect.map(Dialect::code) });
    let more = match &heard.said {
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
        Said::Nothing(ignored) => json!({ "said": ignored.code(), "word": ignored.word() }),
    };
    add(&mut all, more);
    all
}

fn of_vitals(vitals: &Telemetry) -> Value {
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

/// The press, if it is exactly one.
fn press_of(decoded: &Decoded) -> Option<&SeenPress> {
    match &decoded.heard[..] {
        [Heard { said: Said::Press(press), .. }] => Some(press),
        _ => None,
    }
}

fn rings(decoded: &Decoded) -> bool {
    decoded.heard.iter().any(|heard| matches!(heard.said, Said::Press(_)))
}

fn decode(topic: &str, payload: &[u8], retained: bool) -> Decoded {
    dialects().decode(&Vocabulary::default(), topic, payload, retained)
}

#[test]
fn every_vector_rings_where_and_as_it_says() {
    let wrong: Vec<String> = vectors()
        .iter()
        .filter_map(|vector| {
            let got = summary(&vector.decoded());
            (got != vector.expect)
                .then(|| format!("{} ({})\n  expected {}\n  got      {got}", vector.says, vector.topic, vector.expect))
        })
        .collect();
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn no_vector_rings_when_it_is_retained() {
    for vector in vectors() {
        let decoded = dialects().decode(&vector.vocabulary(), &vector.topic, &vector.bytes(), true);
        assert!(!rings(&decoded), "{}", vector.says);
    }
}

#[test]
fn every_topic_that_is_understood_is_subscribed_to_once() {
    for vector in vectors() {
        let filters = dialects().subscriptions(&vector.vocabulary());
        let decoded = vector.decoded();
        let matching = filters.iter().filter(|filter| covers(filter, &vector.topic)).count();
        // Filters must cover all messages that ring. Others may arrive at the embedded listener only.
        let expected = if rings(&decoded) { 1..=1 } else { 0..=1 };
        assert!(expected.contains(&matching), "{matching} filters: {}", vector.topic);
    }
}

/// A press is judged by them: by whether the device is there, and from which frame it counts anew.
#[rstest]
#[case("obedio/device/c7/heartbeat")]
#[case("obedio/device/c7/telemetry")]
#[case("application/1/device/24e124535d3a1f2b/event/join")]
#[case("v3/app@tenant/devices/cabin-7/join")]
#[case("things/24e124535d3a1f2b/join")]
#[case("ship/things/24e124535d3a1f2b/join")]
fn signs_of_life_and_joins_are_subscribed_to(#[case] topic: &str) {
    let filters = dialects().subscriptions(&Vocabulary::default());
    assert_eq!(filters.iter().filter(|filter| covers(filter, topic)).count(), 1);
}

fn covers(filter: &str, topic: &str) -> bool {
    let (mut wanted, mut given) = (filter.split('/'), topic.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (Some("#"), _) | (None, None) => return true,
            (Some(level), Some(other)) if level == "+" || level == other => {}
            (Some(_), _) | (None, Some(_)) => return false,
        }
    }
}

#[test]
fn another_prefix_of_two_levels_is_followed() {
    let dialects = Dialects::new("ship/serenity/", RadioTable::default());
    let site = Vocabulary::default();
    let decoded = dialects.decode(&site, "ship/serenity/button/c7/pressed", br#"{"kind":"single"}"#, false);
    assert!(rings(&decoded));
    assert!(dialects.subscriptions(&site).contains(&"ship/serenity/button/+/pressed".to_owned()));
}

#[rstest]
#[case("obedio/button/c7/pressed", PAYLOAD_MAX)]
#[case("obedio/button/c7/voice", VOICE_MAX)]
#[case("zigbee2mqtt/c7", PAYLOAD_MAX)]
fn a_payload_over_its_limit_is_refused(#[case] topic: &str, #[case] max: usize) {
    let said = |length| decode(topic, &vec![b' '; length], false).heard[0].said.clone();
    assert_eq!(said(max + 1), Said::Nothing(Ignored::TooLarge));
    assert_eq!(said(max), Said::Nothing(Ignored::NotJson));
}

#[test]
fn twenty_seconds_of_speech_are_decoded() {
    let payload = json!({ "format": "adpcm", "duration": 20, "data": "QUJD".repeat(60_000) }).to_string();
    let decoded = decode("obedio/button/c7/voice", payload.as_bytes(), false);
    let Said::Voice(voice) = &decoded.heard[0].said else { panic!("speech") };
    assert_eq!(voice.bytes.len(), 180_000);
}

/// Two messages of one press must have the same identity, and those of two presses must not.
#[test]
fn a_repetition_is_known_also_where_its_bytes_differ() {
    let repeats = |topic: &str, payload: &str| {
        let decoded = decode(topic, payload.as_bytes(), false);
        assert!(rings(&decoded), "{payload}");
        (decoded.heard[0].device.clone(), decoded.heard[0].repeats.clone())
    };
    let json = repeats("zigbee2mqtt/c7", r#"{"action":"2_single","linkquality":96}"#);
    assert_eq!(json, repeats("zigbee2mqtt/c7", r#"{"action":"2_single","linkquality":90,"last_seen":1790000000000}"#));
    assert_eq!(json, repeats("zigbee2mqtt/c7/action", "2_single"));
    assert_ne!(json, repeats("zigbee2mqtt/c7", r#"{"action":"2_double","linkquality":96}"#));

    let blu = |gateway: &str, pid: u8, rssi: i8| {
        let payload = json!({ "method": "NotifyEvent", "params": { "events": [{ "component": "script:1",
            "event": "shelly-blu", "data": { "pid": pid, "button": 1, "rssi": rssi, "address": "aa:bb:cc:dd:ee:07" } }] } });
        repeats(&format!("{gateway}/events/rpc"), &payload.to_string())
    };
    assert_eq!(blu("gw1", 5, -60), blu("gw2", 5, -81), "two gateways hear one button");
    assert_ne!(blu("gw1", 5, -60), blu("gw1", 6, -60));

    let frame = |id: &str, count: u16| {
        let payload = json!({ "deduplicationId": id, "fCnt": count, "fPort": 1, "data": "AFcBAg==" });
        repeats("application/9/device/24e124535d/event/up", &payload.to_string())
    };
    assert_eq!(frame("a", 5), frame("b", 5));
    assert_ne!(frame("a", 5), frame("a", 6));
}

#[test]
fn a_button_behind_a_gateway_is_never_the_gateway() {
    let behind = ["\"bthomedevice:200\",\"event\":\"single_push\"", "\"bthomesensor:201\",\"event\":\"long_push\""];
    for component in behind {
        let payload = format!(r#"{{"method":"NotifyEvent","params":{{"events":[{{"component":{component}}}]}}}}"#);
        let gateway = "deck2/a-gateway-with-a-name-that-is-as-long-as-names-may-be-for-once";
        let decoded = decode(&format!("{}/events/rpc", &gateway[..64]), payload.as_bytes(), false);
        let device = decoded.heard[0].device.clone().expect("a button");
        assert!(rings(&decoded) && Some(&device) != decoded.device.as_ref());
        assert!(device.len() <= 64 && device.ends_with(&component[1..17]), "{device}");
    }
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
        1 => crate::fuzz::noise(),
        1 => "[{}\\[\\]\",:0-9a-z.-]{0,60}".prop_map(String::into_bytes),
    ]
}

/// The fields of a press of the original firmware, with the possible values.
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

/// Button, kind and key.
type Pressed = (Option<String>, PressKind, ButtonKey);

fn pressed(heard: &Heard) -> Option<Pressed> {
    match &heard.said {
        Said::Press(press) => Some((heard.device.clone(), press.kind, press.key)),
        Said::Health(_) | Said::Voice(_) | Said::Nothing(_) => None,
    }
}

/// The vectors that are objects and ring, with their presses.
fn intact() -> impl Strategy<Value = (String, Vec<u8>, Vec<Pressed>)> {
    let all: Vec<_> = vectors()
        .into_iter()
        .filter(|vector| vector.payload.as_object().is_some_and(|object| !object.is_empty()))
        .filter(|vector| vector.site.words.is_empty() && vector.site.topics.is_empty() && !vector.retained)
        .filter_map(|vector| {
            let decoded = vector.decoded();
            // Presses implied by the absence of a word are left out.
            let is_implied = vector.says.contains("older shape") || vector.says.contains("no press type");
            let pressed: Vec<_> = decoded.heard.iter().filter_map(pressed).collect();
            (!pressed.is_empty() && !is_implied).then(|| (vector.topic.clone(), vector.bytes(), pressed))
        })
        .collect();
    proptest::sample::select(all)
}

/// Fields beside the press, as filled by sensors, clocks and people.
const SIDE_FIELDS: [&str; 8] =
    ["temperature", "batteryVoltage", "voltage", "humidity", "note", "ipAddress", "zzz", "locationName"];

fn damage() -> impl Strategy<Value = Vec<u8>> {
    let words = proptest::sample::select(vec![
        "nan",
        "-nan",
        "inf",
        "NaN",
        "",
        "087",
        "+87",
        ".5",
        "87.",
        "0x57",
        "1e999",
        "nan(ind)",
        "\"\\ud83d\"",
        "\"\\x\"",
        "\"a\nb\"",
        "\"he said \"tea\" twice\"",
        "{\"a\":nan}",
        "[nan,,1]",
        "{\"a\":1,}",
        "'x'",
        "None",
    ]);
    let bytes = proptest::collection::vec(0x80_u8..=0xff, 1..8);
    prop_oneof![
        3 => words.prop_map(|word| word.as_bytes().to_vec()),
        1 => bytes.prop_map(|bytes| [b"\"", &bytes[..], b"\""].concat()),
    ]
}

/// Bytes behind the message: none, or the rest of an earlier message.
fn tail() -> impl Strategy<Value = Vec<u8>> {
    let rest = prop_oneof![Just(Vec::new()), "[a-z\"}, ]{0,20}".prop_map(String::into_bytes)];
    (any::<bool>(), rest).prop_map(|(zero, rest)| if zero { [b"\0", &rest[..]].concat() } else { rest })
}

/// The position of the first member of an object.
fn object_begins(payload: &[u8]) -> usize {
    payload.iter().position(|&byte| byte == b'{').map_or(0, |at| at + 1)
}

/// A JSON object with its fields in the given order.
fn object(fields: &[(String, Value)]) -> String {
    let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{}:{value}", json!(name))).collect();
    format!("{{{}}}", fields.join(","))
}

proptest! {
    #![proptest_config(crate::fuzz::config(1_000))]

    #[test]
    fn whatever_is_said_on_whatever_topic_nothing_panics_and_nothing_retained_rings(
        topic in topic(), payload in payload(), retained in any::<bool>(),
    ) {
        let decoded = decode(&topic, &payload, retained);
        prop_assert!(!decoded.heard.is_empty());
        if let Some(device) = &decoded.device {
            let topic = topic.to_ascii_lowercase();
            prop_assert!(device.to_ascii_lowercase().split('/').all(|level| topic.contains(level)));
        }
        for Heard { device, said, .. } in &decoded.heard {
            prop_assert!(!(retained && matches!(said, Said::Press(_) | Said::Voice(_))));
            if let Said::Press(press) = said {
                prop_assert!(device.as_ref().is_some_and(|device| is_device_id(device)), "{:?}", device);
                prop_assert!(press.vitals.battery_percent.is_none_or(|percent| percent <= 100));
                prop_assert!(press.vitals.rssi_dbm.is_none_or(|dbm| dbm < 0));
                let texts = [&press.vitals.firmware, &press.transcript, &press.audio_url, &press.device_press_id];
                prop_assert!(texts.into_iter().flatten().all(|text| !text.contains('\0')));
            }
        }
    }

    #[test]
    fn a_press_decodes_with_its_fields_in_any_order_and_any_but_the_press_type_absent(fields in original_fields()) {
        let has = |name: &str| fields.iter().any(|(field, _)| field == name);
        let decoded = decode("obedio/button/c7/press", object(&fields).as_bytes(), false);
        let Some(press) = press_of(&decoded) else { panic!("no press: {fields:?}") };
        prop_assert_eq!(press.kind, PressKind::Double);
        prop_assert_eq!(press.key, if has("button") { ButtonKey::Aux2 } else { ButtonKey::Main });
        prop_assert_eq!(press.vitals.battery_percent.is_some(), has("battery"));
        let uptime_ms = has("timestamp").then_some(123_456);
        let counted = Evidence::Counted { counter: 5, uptime_ms };
        prop_assert_eq!(press.evidence.clone(), if has("sequenceNumber") { counted } else { Evidence::Nothing });
    }

    #[test]
    fn a_heartbeat_never_rings_whatever_it_carries(fields in original_fields(), field in "type|event|pressType|kind") {
        let mut object: Map<String, Value> = fields.into_iter().collect();
        object.insert(field, json!("heartbeat"));
        let payload = Value::Object(object).to_string();
        prop_assert!(!rings(&decode("obedio/button/c7/press", payload.as_bytes(), false)));
    }

    #[test]
    fn a_damaged_field_never_silences_an_intact_press(
        vector in intact(), field in 0..SIDE_FIELDS.len(), damage in damage(), at: prop::sample::Index, tail in tail(),
    ) {
        let (topic, mut payload, expected) = vector;
        let inserts = [object_begins(&payload), payload.len() - 1];
        let at = inserts[at.index(inserts.len())];
        let name = SIDE_FIELDS[field];
        let member = [b"\"", name.as_bytes(), b"\":", &damage[..]].concat();
        let member = if at == payload.len() - 1 { [b",", &member[..]].concat() } else { [&member[..], b","].concat() };
        payload.splice(at..at, member);
        payload.extend_from_slice(&tail);
        let decoded = decode(&topic, &payload, false);
        let got: Vec<_> = decoded.heard.iter().filter_map(pressed).collect();
        prop_assert_eq!(got, expected, "{}", payload.escape_ascii());
    }
}
