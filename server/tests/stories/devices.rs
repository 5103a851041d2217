//! Every supported device, over a real connection from a foreign program.

use crewbell_shared::button::ButtonVerb;
use std::time::Duration;

use crewbell_shared::protocol::Verb;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::foreign::Mosquitto;
use crate::ship::{Ship, id, soon};
use crate::wire::Wire;

/// A press on the wire and the expected request.
struct Press {
    device: &'static str,
    topic: &'static str,
    payload: Value,
    rings: (&'static str, &'static str, Option<&'static str>),
}

const CALL: (&str, &str, Option<&str>) = ("call", "normal", None);
const URGENT: (&str, &str, Option<&str>) = ("urgent", "high", None);
const VOICE: (&str, &str, Option<&str>) = ("voice", "normal", None);
const EMERGENCY: (&str, &str, Option<&str>) = ("emergency", "emergency", None);
const LIGHTS: (&str, &str, Option<&str>) = ("service", "low", Some("lights"));
const DRINKS: (&str, &str, Option<&str>) = ("service", "normal", Some("bring_drinks"));

fn presses() -> Vec<Press> {
    let mut all = firmware();
    all.extend(bought());
    all
}

/// Presses of buttons with our own firmware.
fn firmware() -> Vec<Press> {
    let mut all = Vec::new();
    let mut device = |device, topic, payloads: Vec<(Value, _)>| {
        all.extend(payloads.into_iter().map(|(payload, rings)| Press { device, topic, payload, rings }));
    };
    let ours = |id: &str, kind: &str, key: &str| json!({ "press_id": id, "kind": kind, "key": key, "battery": 87 });
    device(
        "c-1",
        "obedio/button/c-1/pressed",
        vec![
            (ours("7-1", "single", "main"), CALL),
            (ours("7-2", "double", "main"), URGENT),
            (ours("7-3", "long", "main"), VOICE),
            (ours("7-4", "shake", "main"), EMERGENCY),
            (ours("7-5", "emergency", "main"), EMERGENCY),
            (ours("7-6", "single", "aux2"), LIGHTS),
            (ours("7-7", "single", "aux4"), DRINKS),
        ],
    );
    let original = |number: u32, kind: &str, button: &str| {
        json!({ "deviceId": "somebody-else", "button": button, "pressType": kind, "battery": 80, "rssi": -70,
                "firmwareVersion": "1.2.0", "sequenceNumber": number, "locationId": "l", "guestId": null })
    };
    device(
        "o-1",
        "obedio/button/o-1/press",
        vec![
            (original(1, "single", "main"), CALL),
            (original(2, "double", "main"), URGENT),
            (original(3, "long", "main"), VOICE),
            (original(4, "voice", "main"), VOICE),
            (original(5, "shake", "main"), EMERGENCY),
            (original(6, "single", "aux2"), LIGHTS),
        ],
    );
    device(
        "o-2",
        "obedio/button/o-2/pressed",
        vec![
            (
                json!({ "guestId": "g", "locationId": "l", "cabinId": "c", "priority": "normal", "hasVoice": false }),
                CALL,
            ),
            (json!({ "locationId": "l", "priority": "urgent" }), URGENT),
        ],
    );
    all
}

/// Presses of commercially available buttons.
fn bought() -> Vec<Press> {
    let mut all = Vec::new();
    let mut device = |device, topic, payloads: Vec<(Value, _)>| {
        all.extend(payloads.into_iter().map(|(payload, rings)| Press { device, topic, payload, rings }));
    };
    let tasmota = |button: &str, action: &str| json!({ button: { "Action": action } });
    device(
        "tasmota_7",
        "stat/tasmota_7/RESULT",
        vec![
            (tasmota("Button1", "SINGLE"), CALL),
            (tasmota("Button1", "SINGLE"), CALL),
            (tasmota("Button1", "DOUBLE"), URGENT),
            (tasmota("Button1", "HOLD"), VOICE),
            (tasmota("Button1", "TRIPLE"), EMERGENCY),
            (tasmota("Button3", "SINGLE"), LIGHTS),
        ],
    );
    let event = |event: &str, count: u32| json!({ "event": event, "event_cnt": count });
    device(
        "shelly-1",
        "shellies/shelly-1/input_event/0",
        vec![(event("S", 22), CALL), (event("SS", 23), URGENT), (event("L", 24), VOICE), (event("SSS", 25), EMERGENCY)],
    );
    device("shelly-1", "shellies/shelly-1/input_event/2", vec![(event("S", 1), LIGHTS)]);
    let notify = |input: u32, event: &str| {
        let component = format!("input:{input}");
        let events = json!([{ "component": component, "id": input, "event": event, "ts": 1_790_000_000.5 }]);
        json!({ "src": "s", "dst": "x", "method": "NotifyEvent", "params": { "ts": 1_790_000_000.5, "events": events } })
    };
    device(
        "shelly-2",
        "shelly-2/events/rpc",
        vec![
            (notify(0, "single_push"), CALL),
            (notify(0, "double_push"), URGENT),
            (notify(0, "long_push"), VOICE),
            (notify(0, "triple_push"), EMERGENCY),
            (notify(2, "single_push"), LIGHTS),
        ],
    );
    let action = |action: &str| json!({ "action": action, "battery": 87, "linkquality": 120, "voltage": 3000 });
    device(
        "Cabin 7 button",
        "zigbee2mqtt/Cabin 7 button",
        vec![
            (action("single"), CALL),
            (action("double"), URGENT),
            (action("hold"), VOICE),
            (action("shake"), EMERGENCY),
            (action("3_single"), LIGHTS),
        ],
    );
    let up = |count: u32, data: &str| {
        json!({ "deduplicationId": format!("3ac7e3c4-{count}"), "time": "2026-11-21T10:30:00+00:00", "fCnt": count,
                "deviceInfo": { "devEui": "0101010101010101" }, "fPort": 1, "data": data, "rxInfo": [{ "rssi": -97 }] })
    };
    device(
        "24e124535d",
        "application/9c5e/device/24E124535D/event/up",
        vec![
            (up(1, "AFcAAQ=="), CALL),
            (up(2, "AVcAAg=="), URGENT),
            (up(3, "AlcAAw=="), VOICE),
            (up(4, "A1cABA=="), EMERGENCY),
            (up(5, "BFcABQ=="), EMERGENCY),
            (up(6, "ElcABg=="), LIGHTS),
        ],
    );
    all.extend(elsewhere());
    all
}

/// Presses of the same buttons with other configurations, behind gateways, and with a faulty sensor.
fn elsewhere() -> Vec<Press> {
    let mut all = Vec::new();
    let mut device = |device, topic, payloads: Vec<(Value, _)>| {
        all.extend(payloads.into_iter().map(|(payload, rings)| Press { device, topic, payload, rings }));
    };
    let text = |text: &str| Value::String(text.to_owned());
    device(
        "o-3",
        "obedio/button/o-3/press",
        vec![
            (text(r#"{"button":"main","pressType":"shake","battery":nan}"#), EMERGENCY),
            (text("{\"button\":\"main\",\"pressType\":\"single\"}\0ngle\"}"), CALL),
            (text(r#"{"button":"main","pressType":"double","firmwareVersion":"1.2\u0000"}"#), URGENT),
        ],
    );
    let tasmota = |button: &str, action: &str| json!({ button: { "Action": action } });
    device("deck2/bath", "stat/deck2/bath/RESULT", vec![(tasmota("Button1", "SINGLE"), CALL)]);
    device("saloon", "saloon/stat/RESULT", vec![(tasmota("Button1", "DOUBLE"), URGENT)]);
    device("old", "stat/old/BUTTON1T", vec![(json!({ "TRIG": "HOLD" }), VOICE)]);
    device("deck3/c-9", "deck3/zigbee2mqtt/c-9", vec![(json!({ "action": "scene_3" }), LIGHTS)]);
    device("c-10", "zigbee2mqtt/c-10/action", vec![(text("press_twice"), URGENT)]);
    let blu = json!({ "method": "NotifyEvent", "params": { "events": [{ "component": "blu", "event": "button",
        "data": { "device": "shellyblubutton1-aabbccddee07", "value": 3, "event": "triple_press" } }] } });
    device("shellyblubutton1-aabbccddee07", "shelly-2/events/rpc", vec![(blu, EMERGENCY)]);
    let native = json!({ "method": "NotifyEvent", "params": { "events": [{ "component": "bthomedevice:200",
        "event": "single_push", "idx": 0 }] } });
    device("shelly-2/bthomedevice:200", "shelly-2/events/rpc", vec![(native, CALL)]);
    let things = json!({ "uplink_message": { "f_port": 1, "f_cnt": 7, "frm_payload": "A1cABA==" } });
    device("eui-7", "v3/bells@ship/devices/eui-7/up", vec![(things, EMERGENCY)]);
    let actility = json!({ "DevEUI_uplink": { "FPort": "1", "FCntUp": "7", "payload_hex": "00570005" } });
    device("24e124535d000007", "mqtt/things/24E124535D000007/uplink", vec![(actility, CALL)]);
    all
}

async fn every_dialect_rings(version: &'static str) {
    let ship = Ship::sail().await;
    ship.settings(|settings| settings.press_window_s = 0).await;
    let sam = ship.sam().await;
    let mut screen = sam.screen(None).await;
    let gateway = Mosquitto::new(ship.server.mqtt.unwrap(), version, "serenity", "join-me");
    let mut known: Vec<&str> = Vec::new();
    for (number, press) in presses().into_iter().enumerate() {
        if !known.contains(&press.device) {
            known.push(press.device);
            let (button_id, place_id) = (id(100 + known.len() as u128), id(3));
            let device = press.device.to_owned();
            ship.set_up(Verb::Button(ButtonVerb::Create { button_id, device, place_id, name: None })).await;
        }
        // The same bytes at the same moment would count as one press.
        ship.clock.advance(jiff::SignedDuration::from_secs(3));
        let bytes = press.payload.as_str().map_or_else(|| press.payload.to_string(), str::to_owned);
        assert!(gateway.tell(press.topic, bytes.as_bytes(), false).await, "{}", press.payload);
        let open = sam.open_requests().await;
        assert_eq!(open.len(), number + 1, "{}: {} rings once", press.device, press.payload);
        let entry = screen.see("request_created").await;
        let request = &entry["payload"];
        assert_eq!(request["id"], open[0]["id"]);
        let rang =
            (request["kind"].as_str().unwrap(), request["priority"].as_str().unwrap(), request["service"].as_str());
        assert_eq!(rang, press.rings, "{}: {}", press.device, press.payload);
        assert_eq!(
            request["button_id"],
            json!(id::<uuid::Uuid>(100 + known.len() as u128)),
            "the topic names the button"
        );
    }
}

#[tokio::test]
async fn every_dialect_rings_as_what_it_means_by_mqtt_3() {
    every_dialect_rings("mqttv311").await;
}

#[tokio::test]
async fn every_dialect_rings_as_what_it_means_by_mqtt_5() {
    every_dialect_rings("mqttv5").await;
}

#[tokio::test]
async fn what_is_no_press_never_rings_is_counted_and_disturbs_nobody() {
    let ship = Ship::sail().await;
    let mut neighbour = ship.gus_in(2).await;
    neighbour.press("single").await;
    let (pressed, press) = ("obedio/button/cabin-1/pressed", br#"{"press_id": "a-1", "kind": "shake"}"#);
    let large = format!(r#"{{"press_id": "a-1", "kind": "shake", "more": "{}"}}"#, "x".repeat(20_000));
    let bad: [(&str, &[u8], bool, &str); 11] = [
        (pressed, press, true, "retained"),
        (pressed, br#"{"press_id": "a-1", "kind": "heartbeat"}"#, false, "heartbeat"),
        (pressed, br#"{"heartbeat": true, "button": "main", "pressType": "shake"}"#, false, "heartbeat"),
        (pressed, br#"{"button": "main", "pressType": ""}"#, false, "empty_action"),
        (pressed, br#"{"hello": "world"}"#, false, "unknown_shape"),
        (pressed, b"{\"kind\": \"shake\xff\"}", false, "damaged"),
        (pressed, br#"{"press_id": "a-1", "kind": "sha"#, false, "damaged"),
        (pressed, b"", false, "not_json"),
        (pressed, br#"["press"]"#, false, "not_json"),
        (pressed, large.as_bytes(), false, "too_large"),
        ("obedio/button/cabin-1/presses", press, false, "unknown_topic"),
    ];
    for version in ["mqttv311", "mqttv5"] {
        let button = Mosquitto::new(ship.server.mqtt.unwrap(), version, "serenity/cabin-1", "secret-1");
        for (topic, payload, retain, _) in bad {
            button.tell(topic, payload, retain).await;
        }
    }
    let mut wire =
        Wire::connect(ship.server.mqtt.unwrap(), "cabin-1", Some(("serenity/cabin-1", "secret-1"))).await.unwrap();
    let huge = format!(r#"{{"press_id": "a-1", "kind": "shake", "more": "{}"}}"#, "x".repeat(600_000));
    let refused = async {
        let _ = wire.publish(1, pressed, huge.as_bytes(), false, false).await;
        wire.next().await.is_err()
    };
    assert!(soon(refused).await, "whoever sends 600 kB is cut off");

    neighbour.press("double").await;
    assert_eq!(ship.count("select count(*) from presses").await, 2, "the neighbour's, on the connection he had");
    assert_eq!(ship.count("select count(*) from requests where place_name = 'Cabin 1'").await, 0);
    let expected = [
        ("damaged", 4),
        ("empty_action", 2),
        ("heartbeat", 4),
        ("not_json", 4),
        ("retained", 2),
        ("too_large", 2),
        ("unknown_shape", 2),
        ("unknown_topic", 2),
    ];
    let mut root = crate::database::superuser(&ship.db).await;
    let mut counted: Vec<(String, i64)> = Vec::new();
    for _ in 0..400 {
        let sql = "select reason, sum(times)::bigint from unrecognised_messages group by reason order by reason";
        counted = sqlx::query_as(sql).fetch_all(&mut root).await.unwrap();
        if counted.iter().map(|(_, times)| times).sum::<i64>() >= 22 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    assert_eq!(counted, expected.map(|(reason, times)| (reason.to_owned(), times)));
    let listed = ship.crew("Alex").await.get("/api/buttons/unrecognised").await;
    for (reason, _) in expected {
        let item = listed["items"].as_array().unwrap().iter().find(|item| item["reason"] == reason);
        let item = item.unwrap_or_else(|| panic!("{reason}: {listed:#}"));
        assert_eq!(item["device"], "cabin-1", "it stands under the name of its button: {item}");
        assert!(item["remedy"].as_str().is_some_and(|remedy| remedy.ends_with('.')), "{item}");
    }

    Mosquitto::new(ship.server.mqtt.unwrap(), "mqttv311", "serenity/cabin-1", "secret-1")
        .tell(pressed, press, false)
        .await;
    let rang = "select count(*) from requests where place_name = 'Cabin 1' and kind = 'emergency'";
    assert_eq!(ship.count(rang).await, 1, "the real press rings, though all that used its id before didn't");
}

#[tokio::test]
async fn what_was_not_understood_is_taught_from_the_list_and_rings_from_then_on() {
    let ship = Ship::sail().await;
    let sam = ship.sam().await;
    let gateway = Mosquitto::new(ship.server.mqtt.unwrap(), "mqttv5", "serenity", "join-me");
    for (number, device) in [(101, "bath"), (102, "remote 7")] {
        let (button_id, place_id) = (id(number), id(3));
        ship.set_up(Verb::Button(ButtonVerb::Create { button_id, device: device.to_owned(), place_id, name: None }))
            .await;
    }
    let said: [(&str, &[u8]); 3] = [
        ("stat/bath/RESULT", br#"{"Switch1":{"Action":"ON"}}"#),
        ("home/omg/433toMQTT", br#"{"value":4534142,"length":24}"#),
        ("bells/bath/state", b"ding"),
    ];
    for (topic, payload) in said {
        gateway.tell(topic, payload, false).await;
    }
    let alex = ship.alex().await;
    // Messages are stored within two seconds; a meaning takes effect as soon as the server has read its entry.
    let listed = async |known: bool| {
        let mut items: Vec<Value> = Vec::new();
        for _ in 0..400 {
            let list = alex.get("/api/buttons/unrecognised").await;
            items = list["items"].as_array().cloned().unwrap_or_default();
            if items.len() >= said.len() && items.iter().all(|item| item["is_known_now"] == known) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        items.sort_by_key(|item| item["topic"].to_string());
        items.iter().map(|item| (item["word"].clone(), item["is_known_now"].clone())).collect::<Vec<_>>()
    };
    let not_yet = |word: Value| (word, json!(false));
    assert_eq!(listed(false).await, [not_yet(json!(null)), not_yet(json!("4534142")), not_yet(json!("Switch1"))]);
    assert_eq!(sam.open_requests().await.len(), 0);

    ship.settings(|settings| {
        let taught = json!({
            "words": [
                { "dialect": "tasmota", "word": "Switch1", "device": "bath", "key": "aux2", "kind": "single" },
                { "dialect": "openmqttgateway", "word": "4534142", "key": "main", "kind": "double", "button": "remote 7" },
                { "dialect": "plain", "word": "ding", "key": "main", "kind": "emergency" },
            ],
            "topics": [{ "dialect": "plain", "topic": "bells/{device}/state" }],
        });
        settings.vocabulary = serde_json::from_value(taught).unwrap();
    })
    .await;
    assert!(listed(true).await.iter().all(|(_, is_known_now)| *is_known_now == json!(true)));
    for (topic, payload) in said {
        gateway.tell(topic, payload, false).await;
    }
    let mut rang: Vec<_> =
        sam.open_requests().await.iter().map(|r| (r["kind"].clone(), r["service"].clone())).collect();
    rang.sort_by_key(|(kind, _)| kind.to_string());
    let none = json!(null);
    let expected = [(json!("emergency"), none.clone()), (json!("service"), json!("lights")), (json!("urgent"), none)];
    assert_eq!(rang, expected);
}

#[tokio::test]
async fn a_word_far_behind_in_a_long_message_is_taught_and_rings_from_then_on() {
    let ship = Ship::sail().await;
    let (sam, alex) = (ship.sam().await, ship.alex().await);
    let gateway = Mosquitto::new(ship.server.mqtt.unwrap(), "mqttv5", "serenity", "join-me");
    let (button_id, place_id) = (id(101), id(3));
    let device = "24e124535d112233".to_owned();
    ship.set_up(Verb::Button(ButtonVerb::Create { button_id, device, place_id, name: None })).await;
    let topic = "application/9c5e/device/24E124535D112233/event/up";
    // The list of receiving gateways precedes the button's data.
    let heard: Vec<_> = (0..60).map(|n| json!({ "gatewayId": format!("{n:016x}"), "rssi": -97, "snr": 7.5 })).collect();
    let said = |count: u32| {
        let heard = serde_json::to_string(&heard).unwrap();
        let who = r#""deviceInfo":{"devEui":"24e124535d112233"}"#;
        format!(r#"{{{who},"rxInfo":{heard},"fCnt":{count},"fPort":85,"data":"/wED"}}"#)
    };
    let word_at = said(1).find("/wED").unwrap();
    assert!((3000..8192).contains(&word_at), "{word_at}");
    gateway.tell(topic, said(1).as_bytes(), false).await;
    // Messages are stored within two seconds; a meaning takes effect as soon as the server has read its entry.
    let listed = async |known: bool| {
        for _ in 0..400 {
            let list = alex.get("/api/buttons/unrecognised").await;
            match list["items"].as_array().and_then(|items| items.first()) {
                Some(item) if item["is_known_now"] == known => return item.clone(),
                _ => tokio::time::sleep(Duration::from_millis(25)).await,
            }
        }
        panic!("it isn't listed so");
    };
    let item = listed(false).await;
    let (word, dialect) = (item["word"].clone(), item["dialect"].clone());
    assert_eq!(word, "85:ff0103", "{item}");
    assert_eq!(item["sample"].as_str().unwrap().len(), 512, "the beginning of it is shown");
    assert_eq!(sam.open_requests().await.len(), 0);
    ship.settings(|settings| {
        let taught = json!({ "words": [{ "dialect": dialect, "word": word, "key": "main", "kind": "emergency" }] });
        settings.vocabulary = serde_json::from_value(taught).unwrap();
    })
    .await;
    listed(true).await;
    gateway.tell(topic, said(2).as_bytes(), false).await;
    let rang = sam.open_requests().await;
    assert_eq!((rang.len(), &rang[0]["kind"]), (1, &json!("emergency")));
}

#[tokio::test]
async fn two_keys_in_one_message_are_two_presses() {
    let ship = Ship::sail().await;
    let gateway = Mosquitto::new(ship.server.mqtt.unwrap(), "mqttv5", "serenity", "join-me");
    let (button_id, place_id) = (id(101), id(3));
    ship.set_up(Verb::Button(ButtonVerb::Create { button_id, device: "bath".to_owned(), place_id, name: None })).await;
    let both = json!({ "Button1": { "Action": "SINGLE" }, "Button3": { "Action": "SINGLE" } });
    gateway.say("stat/bath/RESULT", &both).await;
    assert_eq!(ship.count("select count(*) from presses").await, 2);
    let keys = "select count(distinct kind || coalesce(service, '')) from requests where kind in ('call', 'service')";
    assert_eq!(ship.count(keys).await, 2);
}

#[tokio::test]
async fn do_not_disturb_is_shown_and_suppresses_no_press() {
    let ship = Ship::sail().await;
    let sam = ship.sam().await;
    let mut screen = sam.screen(None).await;
    let mut gus = ship.gus_in(4).await;

    gus.press_key("single", "aux1").await;
    assert_eq!(screen.see("do_not_disturb_set").await["payload"]["do_not_disturb"], true);
    assert_eq!(sam.open_requests().await.len(), 0, "switching it asks nobody to come");
    gus.press("single").await;
    assert_eq!(screen.see("request_created").await["payload"]["place_name"], "Cabin 4");
    gus.press_key("single", "aux1").await;
    assert_eq!(screen.see("do_not_disturb_cleared").await["payload"]["do_not_disturb"], false);
    assert_eq!(ship.count("select count(*) from presses").await, 3, "every press is kept");
}

#[tokio::test]
async fn without_a_window_each_press_is_a_card_of_its_own() {
    let ship = Ship::sail().await;
    ship.settings(|settings| settings.press_window_s = 0).await;
    let sam = ship.sam().await;
    let mut gus = ship.gus_in(2).await;
    gus.press("single").await;
    gus.press("single").await;
    assert_eq!(sam.open_requests().await.len(), 2);
}

#[tokio::test]
async fn a_window_joins_only_what_asks_for_the_same() {
    let ship = Ship::sail().await;
    let sam = ship.sam().await;
    let mut gus = ship.gus_in(2).await;
    for kind in ["single", "shake", "single", "shake", "double"] {
        gus.press(kind).await;
    }
    let mut cards: Vec<_> =
        sam.open_requests().await.iter().map(|r| (r["kind"].clone(), r["press_count"].clone())).collect();
    cards.sort_by_key(|(kind, _)| kind.to_string());
    assert_eq!(cards, [(json!("call"), json!(2)), (json!("emergency"), json!(2)), (json!("urgent"), json!(1))]);
}

#[tokio::test]
async fn a_low_battery_is_told_once() {
    let ship = Ship::sail().await;
    let mut screen = ship.sam().await.screen(None).await;
    let button = Mosquitto::new(ship.server.mqtt.unwrap(), "mqttv5", "serenity/cabin-1", "secret-1");
    let status = |percent| json!({ "status": "online", "battery": percent, "rssi": -60 });
    button.say("obedio/button/cabin-1/status", &status(17)).await;
    assert_eq!(screen.see("button_connected").await["payload"]["battery_percent"], 17);
    for percent in [15, 14, 13] {
        button.say("obedio/button/cabin-1/status", &status(percent)).await;
    }
    assert_eq!(screen.see("button_seen").await["payload"]["battery_percent"], 15);
    assert_eq!(ship.count("select count(*) from entries where type = 'button_seen'").await, 1);
    assert_eq!(ship.count("select count(*) from requests").await, 0);
}

#[tokio::test]
async fn a_button_that_floods_delays_nobody_else() {
    const FLOOD: u16 = 600;
    let ship = Ship::sail().await;
    let mut screen = ship.sam().await.screen(None).await;
    let mut gus = ship.gus_in(2).await;
    let wire =
        Wire::connect(ship.server.mqtt.unwrap(), "cabin-1", Some(("serenity/cabin-1", "secret-1"))).await.unwrap();
    let flood = tokio::spawn(wire.flood("obedio/button/cabin-1/pressed", FLOOD));
    while screen.next().await["payload"]["place_name"] != "Cabin 1" {}

    let mut slowest = Duration::ZERO;
    let mut during = 0;
    for _ in 0..5 {
        let began = Instant::now();
        let press = gus.press("single").await;
        while screen.next().await["payload"]["last_press_id"] != press.as_str() {}
        slowest = slowest.max(began.elapsed());
        during += u32::from(!flood.is_finished());
    }
    soon(flood).await.unwrap().unwrap();
    println!("the slowest of 5 presses, {during} of them during the flood, took {slowest:?} to the screen");
    assert!(during > 0, "the flood was still on");
    assert!(slowest < Duration::from_secs(1), "{slowest:?}");
    assert_eq!(
        ship.count("select count(*) from presses p join buttons b on b.id = p.button_id where device = 'cabin-1'")
            .await,
        i64::from(FLOOD)
    );
    assert_eq!(ship.count("select sum(press_count)::bigint from requests").await, i64::from(FLOOD) + 5, "each once");
}
