//! Deduplication of presses, and the effect of further presses on a request.

use crewbell_server::jobs::settle_buttons;
use crewbell_shared::button::ButtonVerb;
use crewbell_shared::guest::GuestVerb;
use crewbell_shared::guest::StayVerb;
use crewbell_shared::ids::{ButtonId, GuestId, PlaceId, StayId};
use crewbell_shared::place::PlaceVerb;
use crewbell_shared::protocol::Verb;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::cast::{Gus, text};
use crate::foreign::until;
use crate::ship::{Ship, id};
use crate::wire::Wire;

fn seconds(count: i64) -> SignedDuration {
    SignedDuration::from_secs(count)
}

fn time(value: &Value) -> jiff::Timestamp {
    text(value).parse().unwrap()
}

async fn gateway(ship: &Ship, client_id: &str) -> Wire {
    Wire::connect(ship.server.mqtt.unwrap(), client_id, Some(("serenity", "join-me"))).await.unwrap()
}

async fn own(ship: &Ship, client_id: &str) -> Wire {
    let login = Some(("serenity/cabin-1", "secret-1"));
    Wire::connect(ship.server.mqtt.unwrap(), client_id, login).await.unwrap()
}

async fn create(ship: &Ship, number: u128, device: &str) {
    let (button_id, place_id) = (id::<ButtonId>(number), id::<PlaceId>(3));
    ship.set_up(Verb::Button(ButtonVerb::Create { button_id, device: device.into(), place_id, name: None })).await;
}

const QUIET: &str = "select count(*) from places where do_not_disturb";
const PRESSES: &str = "select count(*) from presses";
const REQUESTS: &str = "select count(*) from requests";

#[tokio::test]
async fn an_echo_never_toggles_do_not_disturb_back_and_a_second_finger_does() {
    let ship = Ship::sail().await;
    create(&ship, 101, "cabin7").await;
    create(&ship, 102, "tasmota7").await;
    let mut bridge = gateway(&ship, "bridge").await;
    let zigbee: (&str, &[u8]) = ("zigbee2mqtt/cabin7", br#"{"action":"2_single"}"#);
    let tasmota: (&str, &[u8]) = ("stat/tasmota7/RESULT", br#"{"Button2":{"Action":"SINGLE"}}"#);
    let mut id = 1;
    for (topic, payload) in [zigbee, tasmota] {
        for (first, again, after_ms, dup) in [
            (None, false, 20, false),
            (None, false, 1000, false),
            (Some(()), true, 1900, false),
            (Some(()), true, 2000, true),
            (Some(()), true, 20_000, true),
        ] {
            id += 2;
            let number = |id: u16| first.map(|()| id);
            bridge.say(number(id), topic, payload, false).await.unwrap();
            bridge.ping().await.unwrap();
            ship.clock.advance(SignedDuration::from_millis(after_ms));
            bridge.say(number(id + 1).filter(|_| again), topic, payload, dup).await.unwrap();
            settled(&mut bridge).await;
            assert_eq!(ship.count(QUIET).await, 1, "{topic} again after {after_ms} ms, DUP {dup}");
            ship.clock.advance(seconds(60));
            bridge.say(Some(id), topic, payload, false).await.unwrap();
            assert_eq!(ship.count(QUIET).await, 0, "{topic} a minute later is the finger's");
            ship.clock.advance(seconds(60));
        }
    }
}

#[tokio::test]
async fn a_bridge_that_says_a_press_with_its_object_and_by_its_word_alone_pressed_once() {
    let ship = Ship::sail().await;
    create(&ship, 101, "cabin7").await;
    let mut bridge = gateway(&ship, "bridge").await;
    let object: (&str, &[u8]) = ("zigbee2mqtt/cabin7", br#"{"action":"2_single","linkquality":96}"#);
    let word: (&str, &[u8]) = ("zigbee2mqtt/cabin7/action", b"2_single");
    for (first, second) in [(object, word), (word, object)] {
        bridge.say(None, first.0, first.1, false).await.unwrap();
        bridge.say(None, second.0, second.1, false).await.unwrap();
        settled(&mut bridge).await;
        assert_eq!(ship.count(QUIET).await, 1, "{} and then {}", first.0, second.0);
        ship.clock.advance(seconds(60));
        bridge.say(None, word.0, word.1, false).await.unwrap();
        settled(&mut bridge).await;
        assert_eq!(ship.count(QUIET).await, 0, "the word alone is a press like any other");
        ship.clock.advance(seconds(60));
    }
}

/// Waits until earlier QoS 0 messages have been processed: the messages of a connection are processed in order.
async fn settled(wire: &mut Wire) {
    wire.say(Some(60_000), "obedio/button/nobody/status", b"online", false).await.unwrap();
}

#[tokio::test]
async fn a_press_id_that_is_used_again_rings_and_the_administrator_reads_of_it() {
    let ship = Ship::sail().await;
    let mut gus = ship.gus_in(1).await;
    for _ in 0..2 {
        gus.press_as("boot-1", "single", "main").await;
    }
    assert_eq!(ship.count(PRESSES).await, 1, "a resend within 30 s");
    gus.press_as("boot-1", "shake", "main").await;
    assert_eq!(ship.count("select count(*) from requests where kind = 'emergency'").await, 1);
    ship.clock.advance(seconds(3600));
    // With many presses in between, so that only the database still knows the id.
    for number in 0..9 {
        gus.press_as(&format!("other-{number}"), "single", "main").await;
    }
    gus.press_as("boot-1", "double", "main").await;
    assert_eq!(ship.count("select count(*) from requests where kind = 'urgent'").await, 1);
    assert_eq!(ship.count(PRESSES).await, 12);

    // Its id comes again an hour later with a small uptime: the button rebooted.
    let calls = async || ship.count("select count(*) from requests where kind = 'call'").await;
    let topic = "obedio/button/cabin-1/pressed";
    let press =
        |uptime_ms: u32| json!({ "press_id": "boot-2", "kind": "single", "key": "main", "uptime_ms": uptime_ms });
    assert_eq!(gus.tell(topic, press(7_200_000)).await, "Success");
    ship.clock.advance(seconds(3600));
    let before = calls().await;
    gus = ship.gus_in(1).await;
    // The second is a resend of the first.
    for _ in 0..2 {
        assert_eq!(gus.tell(topic, press(4_000)).await, "Success");
        assert_eq!(calls().await, before + 1);
    }
    assert_eq!(ship.count(PRESSES).await, 14);
    let told = "select coalesce(sum(times), 0)::bigint from unrecognised_messages \
                where device = 'cabin-1' and reason = 'repeats_press_ids'";
    assert_eq!(ship.count(told).await, 3);
}

#[tokio::test]
async fn a_press_number_that_comes_again_after_a_goodbye_or_with_other_content_rings() {
    let ship = Ship::sail().await;
    let topic = "obedio/button/cabin-1/press";
    let press = |kind: &str| json!({ "button": "main", "pressType": kind, "sequenceNumber": 0 }).to_string();
    let mut presses = 0;
    for kind in ["single", "single", "double", "double", "long"] {
        let mut wire = own(&ship, "esp32").await;
        wire.say(Some(1), topic, press(kind).as_bytes(), false).await.unwrap();
        presses += 1;
        assert_eq!(ship.count(PRESSES).await, presses, "{kind}, of a button that sleeps between presses");
        // A resend on the same connection is one press.
        wire.say(Some(1), topic, press(kind).as_bytes(), true).await.unwrap();
        assert_eq!(ship.count(PRESSES).await, presses);
        wire.leave().await.unwrap();
        ship.clock.advance(seconds(2));
    }
    let mut wire = own(&ship, "esp32").await;
    for (number, kind) in (1..).zip(["single", "double", "long"]) {
        wire.say(Some(number), topic, press(kind).as_bytes(), false).await.unwrap();
        presses += 1;
    }
    assert_eq!(ship.count(PRESSES).await, presses, "the same number with other content");
}

#[tokio::test]
async fn a_duplicate_with_a_new_packet_id_is_one_card_even_just_after_an_accept_and_without_a_window() {
    let ship = Ship::sail().await;
    ship.settings(|settings| settings.press_window_s = 0).await;
    create(&ship, 101, "tasmota7").await;
    let sam = ship.sam().await;
    let mut wire = gateway(&ship, "tasmota7").await;
    let (topic, payload) = ("stat/tasmota7/RESULT", br#"{"Button1":{"Action":"SINGLE"}}"#);
    wire.say(Some(1), topic, payload, false).await.unwrap();
    let request = text(&sam.open_requests().await[0]["id"]);
    sam.answer(&request, "accept").await;
    for (wait, packet_id) in [(2, 7), (1, 8)] {
        ship.clock.advance(seconds(wait));
        wire.say(Some(packet_id), topic, payload, true).await.unwrap();
    }
    assert_eq!(ship.count(REQUESTS).await, 1);
    let shown = sam.request(&request).await;
    assert_eq!((shown["state"].as_str(), shown["press_count"].as_i64()), (Some("accepted"), Some(2)));
}

#[tokio::test]
async fn a_guest_who_presses_again_rings_who_has_it_and_an_emergency_is_a_card_that_names_them() {
    let ship = Ship::sail().await;
    let sam = ship.sam().await;
    let on_duty = json!({ "type": "set_duty", "person_id": sam.id, "on_duty": true });
    assert_eq!(sam.does(on_duty).await, None);
    let mut screen = sam.screen(None).await;
    let mut gus = ship.gus_in(2).await;
    gus.press("single").await;
    let request = text(&screen.see("request_created").await["payload"]["id"]);
    sam.answer(&request, "accept").await;
    // At once, then after another two minutes, then half an hour after the acceptance.
    for wait in [0, 120, 1_680] {
        ship.clock.advance(seconds(wait));
        gus.press("single").await;
        let again = screen.see("request_pressed_again").await["payload"].clone();
        assert_eq!((text(&again["id"]), text(&again["state"])), (request.clone(), "accepted".to_owned()), "{wait}");
        assert!(time(&again["last_press_at"]) > time(&again["accepted_at"]), "it rings for Sam");
    }
    sam.answer(&request, "accept").await;
    let heard = screen.see("request_accepted").await["payload"].clone();
    assert!(time(&heard["accepted_at"]) >= time(&heard["last_press_at"]), "he heard it");

    gus.press("shake").await;
    let alarm = screen.see("request_created").await["payload"].clone();
    assert_eq!(alarm["kind"], "emergency");
    let held = |card: &Value| {
        let held = &card["held"];
        (text(&held["by"]["name"]), text(&held["request_id"]), time(&held["since"]))
    };
    let since = time(&heard["accepted_at"]);
    assert_eq!(held(&alarm), ("Sam".to_owned(), request.clone(), since));

    // After eight hours it can't be assumed to be the same wish: it makes a request of its own, which names the holder
    // of the earlier one.
    ship.clock.advance(seconds(8 * 3_600));
    gus.press("single").await;
    let other = screen.see("request_created").await["payload"].clone();
    assert_ne!(text(&other["id"]), request);
    assert_eq!(other["kind"], "call");
    assert_eq!(held(&other), ("Sam".to_owned(), request, since));
}

#[tokio::test]
async fn a_holder_whom_nothing_reaches_is_named_on_a_card_that_rings_for_everybody() {
    let ship = Ship::sail().await;
    let (sam, dana) = (ship.sam().await, ship.dana().await);
    let mut screen = dana.screen(None).await;
    let mut gus = ship.gus_in(2).await;
    gus.press("single").await;
    let request = text(&screen.see("request_created").await["payload"]["id"]);
    // Sam has signed in, and has no connected device.
    sam.answer(&request, "accept").await;
    gus.press("single").await;
    let other = screen.see("request_created").await["payload"].clone();
    assert_eq!(other["held"]["by"]["name"], "Sam");
}

#[tokio::test]
async fn one_device_is_one_button_however_it_spells_itself() {
    let ship = Ship::sail().await;
    create(&ship, 101, "AA:BB:CC:DD:EE:07").await;
    let mut wire = gateway(&ship, "bridge").await;
    let mut presses = 0;
    for spelled in ["AABBCCDDEE07", "aabbccddee07", "aa:bb:cc:dd:ee:07", "AA-BB-CC-DD-EE-07"] {
        presses += 1;
        let payload = json!({ "press_id": format!("a-{presses}"), "kind": "single" }).to_string();
        let topic = format!("obedio/button/{spelled}/pressed");
        wire.say(Some(presses), &topic, payload.as_bytes(), false).await.unwrap();
        let of_one =
            "select count(*) from presses p join buttons b on b.id = p.button_id where b.device = 'aabbccddee07'";
        assert_eq!(ship.count(of_one).await, i64::from(presses), "{spelled}");
    }
    assert_eq!(ship.count("select count(*) from buttons").await, 6);
    assert_eq!(ship.count(REQUESTS).await, 1);

    let hash = Some(crewbell_server::auth::hash_code(b"own"));
    let set = crewbell_server::actions::SetButtonSecret { button_id: id(101), hash };
    let (actor, source) = (crewbell_shared::person::Actor::System, crewbell_shared::protocol::Source::Server);
    ship.site.act(Box::new(set), actor, source).await.unwrap();
    let device = "AA-BB-CC-DD-EE-07";
    let mut gus = Gus::connect(ship.server.mqtt.unwrap(), device, &format!("serenity/{device}"), "own").await;
    let button =
        crate::foreign::Mosquitto::new(ship.server.mqtt.unwrap(), "mqttv5", &format!("serenity/{device}"), "own");
    let mut lamp = button.listen(&format!("obedio/button/{device}/ack")).await;
    assert_eq!(lamp.hear().await["state"], "received", "what it asked for before");
    gus.press("double").await;
    assert_eq!(lamp.hear().await["press_id"], format!("{device}-1"), "in the letters in which it listens");
}

#[tokio::test]
async fn two_hundred_invented_ids_keep_no_honest_button_out_and_are_told() {
    let ship = Ship::sail().await;
    let alex = ship.alex().await;
    let mut inventor = gateway(&ship, "inventor").await;
    for number in 0..200_u16 {
        let topic = format!("obedio/button/invented-{number}/pressed");
        let press = br#"{"press_id": "1-1", "kind": "single"}"#;
        if inventor.say(Some(number + 1), &topic, press, false).await.is_err() {
            // A message that can't be processed is not acknowledged.
            inventor = gateway(&ship, "inventor").await;
        }
        let unknown = format!("some/topic/{number}");
        inventor.say(None, &unknown, b"x", false).await.unwrap();
    }
    // A gateway over its limit of new buttons stays connected: presses of the known buttons behind it are recorded.
    create(&ship, 101, "behind-1").await;
    let press = br#"{"press_id": "behind-1-1", "kind": "single"}"#;
    inventor.say(Some(999), "obedio/button/behind-1/pressed", press, false).await.unwrap();
    for number in 300..310_u16 {
        let topic = format!("obedio/button/invented-{number}/pressed");
        inventor.say(Some(number), &topic, br#"{"press_id": "1-1", "kind": "single"}"#, false).await.unwrap();
        let press = format!(r#"{{"press_id": "behind-1-{number}", "kind": "single"}}"#);
        inventor.say(Some(number + 500), "obedio/button/behind-1/pressed", press.as_bytes(), false).await.unwrap();
    }
    let recorded = "select count(*) from presses p join buttons b on b.id = p.button_id where b.device = 'behind-1'";
    assert_eq!(ship.count(recorded).await, 11);
    ship.newcomer("honest-1").await.press("single").await;
    let found = "select count(*) from buttons where device = 'honest-1' and state = 'new'";
    assert_eq!(ship.count(found).await, 1);
    assert_eq!(ship.count("select count(*) from buttons where device like 'invented-%'").await, 60);
    let lines = async || alex.get("/api/buttons/unrecognised?limit=500").await["items"].as_array().unwrap().clone();
    let of = |lines: &[Value], reason: &str| lines.iter().filter(|line| line["reason"] == reason).count();
    until("all is told", || async { of(&lines().await, "too_many_sorts") == 1 }).await;
    let lines = lines().await;
    let (topics, refused) = (of(&lines, "unknown_topic"), of(&lines, "too_many_new"));
    assert!(topics > 1 && topics + refused == 48, "{topics} topics by themselves, {refused} buttons");

    let mut other = own(&ship, "cabin-1").await;
    other
        .say(Some(1), "obedio/button/cabin-2/pressed", br#"{"press_id": "1-1", "kind": "single"}"#, false)
        .await
        .unwrap();
    let told = "select count(*) from unrecognised_messages where device = 'cabin-1' and reason = 'not_its_own'";
    until("the other's topic is told", || async { ship.count(told).await == 1 }).await;
}

#[tokio::test]
async fn a_last_will_says_nothing_of_a_button_that_has_come_in_again() {
    let ship = Ship::sail().await;
    let mut screen = ship.sam().await.screen(None).await;
    let (topic, login) = ("obedio/button/cabin-1/status", Some(("serenity/cabin-1", "secret-1")));
    let will = Some((topic, r#"{"status": "offline"}"#));
    let mqtt = ship.server.mqtt.unwrap();
    let mut first = Wire::connect_with_will(mqtt, "boot-1", login, will).await.unwrap();
    first.say(Some(1), topic, br#"{"status": "online"}"#, false).await.unwrap();
    assert_eq!(screen.see("button_connected").await["payload"]["online"], true);
    let mut second = Wire::connect_with_will(mqtt, "boot-2", login, will).await.unwrap();
    second.ping().await.unwrap();
    drop(first);
    // The server notices the end of the first connection before that of the second.
    drop(second);
    let lost = screen.see("button_lost").await;
    let mut third = Wire::connect_with_will(mqtt, "boot-3", login, will).await.unwrap();
    third.ping().await.unwrap();
    let back = screen.see("button_connected").await;
    assert_eq!(back["payload"]["online"], true, "it only pings, and is there");
    assert!(back["meta"]["seq"].as_u64() > lost["meta"]["seq"].as_u64());
    let told = "select count(*) from entries where type in ('button_connected', 'button_lost')";
    assert_eq!(ship.count(told).await, 3);
}

#[tokio::test]
async fn a_button_that_flaps_is_told_in_one_line() {
    let ship = Ship::sail().await;
    let mut screen = ship.sam().await.screen(None).await;
    let mut wire = own(&ship, "cabin-1").await;
    let topic = "obedio/button/cabin-1/status";
    for number in 1..=60_u16 {
        let said = if number % 2 == 1 { "online" } else { "offline" };
        wire.say(Some(number), topic, said.as_bytes(), false).await.unwrap();
        ship.clock.advance(seconds(6));
    }
    let flapping = screen.see("button_flapping").await;
    assert!(flapping["payload"]["flapping_since"].is_string());
    assert!(ship.count("select count(*) from entries where category = 'buttons'").await < 20);
    let after = "select count(*) from entries where category = 'buttons' and type <> 'button_created' \
                 and seq > (select max(seq) from entries where type = 'button_flapping')";
    assert_eq!(ship.count(after).await, 0, "the line is the last");
    ship.clock.advance(seconds(700));
    wire.say(Some(61), topic, b"online", false).await.unwrap();
    let steady = screen.see("button_connected").await;
    assert_eq!(steady["payload"]["flapping_since"], Value::Null);
}

#[tokio::test]
async fn a_button_that_flapped_and_is_heard_of_no_more_is_told_as_lost() {
    let ship = Ship::sail().await;
    let mut screen = ship.sam().await.screen(None).await;
    let mut wire = own(&ship, "cabin-1").await;
    // It is online in the last entry before it flaps; its disconnection makes no further entry.
    for number in 0..=10_u16 {
        let said = if number % 2 == 0 { "offline" } else { "online" };
        wire.say(Some(number + 1), "obedio/button/cabin-1/status", said.as_bytes(), false).await.unwrap();
        ship.clock.advance(seconds(6));
    }
    screen.see("button_flapping").await;
    drop(wire);
    let of_buttons = "select count(*) from entries where category = 'buttons' and type <> 'button_created'";
    let told = ship.count(of_buttons).await;
    let settle = async || settle_buttons(&ship.server.registry.db, &ship.site).await.unwrap();
    ship.clock.advance(seconds(500));
    settle().await;
    assert_eq!(ship.count(of_buttons).await, told, "it may come again");
    ship.clock.advance(seconds(200));
    for _ in 0..2 {
        settle().await;
    }
    let lost = screen.see("button_lost").await;
    assert_eq!((&lost["payload"]["online"], &lost["payload"]["flapping_since"]), (&json!(false), &Value::Null));
    assert_eq!(ship.count(of_buttons).await, told + 1, "and that is said once");
}

#[tokio::test]
async fn while_a_second_guest_stays_a_check_out_leaves_do_not_disturb_as_it_is() {
    let ship = Ship::sail().await;
    let guest_id = id(6);
    ship.set_up(Verb::Guest(GuestVerb::Save { guest_id, name: "Mr Hartmann".into(), notes: String::new() })).await;
    ship.set_up(Verb::Stay(StayVerb::CheckIn { stay_id: id::<StayId>(6), guest_id, place_id: id(5) })).await;
    let sam = ship.sam().await;
    ship.gus_in(5).await.press("single").await;
    let request = sam.open_requests().await.remove(0);
    let stands = async || sam.request(&text(&request["id"])).await;
    let before = stands().await;
    assert_eq!((&before["state"], &before["guest_id"]), (&json!("open"), &json!(id::<GuestId>(5))));
    ship.set_up(Verb::Place(PlaceVerb::SetDoNotDisturb { place_id: id(5), on: true })).await;
    ship.set_up(Verb::Stay(StayVerb::CheckOut { stay_id: id(5) })).await;
    assert_eq!(ship.count(QUIET).await, 1);
    assert_eq!(stands().await, before, "the request of the guest who left is open, and theirs");
    ship.set_up(Verb::Stay(StayVerb::CheckOut { stay_id: id(6) })).await;
    assert_eq!(ship.count(QUIET).await, 0);
    assert_eq!(stands().await, before);
}
