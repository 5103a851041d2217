//! Enrolment of new buttons, and the right to publish for a button.

use crewbell_shared::button::ButtonVerb;
use crewbell_shared::protocol::Verb;
use reqwest::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::cast::{Crew, Gus};
use crate::foreign::Mosquitto;
use crate::ship::{Ship, id};
use crate::wire::Wire;

async fn command(who: &Crew, number: u128, mut verb: Value) -> Value {
    verb["id"] = json!(Uuid::from_u128(number));
    let (status, body) = who.post("/api/commands", json!({ "commands": [verb] })).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    body["outcomes"][0].clone()
}

const REQUESTS: &str = "select count(*) from requests";
const PRESSES: &str = "select count(*) from presses";

#[tokio::test]
async fn a_new_button_is_found_by_its_press_assigned_by_grace_and_then_rings() {
    let ship = Ship::sail().await;
    let (sam, grace) = (ship.sam().await, ship.crew("Grace").await);
    let mut screen = grace.screen(None).await;
    let mut gus = ship.newcomer("fresh-1").await;

    gus.press("single").await;
    let found = screen.see("button_found").await;
    assert_eq!(found["payload"]["device"], "fresh-1");
    assert_eq!(found["payload"]["state"], "new");
    assert_eq!(found["payload"]["place_id"], Value::Null);
    assert_eq!(ship.count(PRESSES).await, 1, "the press is kept");
    assert_eq!(ship.count(REQUESTS).await, 0, "and rings nowhere");

    let button = found["payload"]["id"].as_str().unwrap();
    let place = Uuid::from_u128(3);
    let assign = json!({ "type": "assign_button", "button_id": button, "place_id": place });
    let refused = command(&sam, 900, assign.clone()).await;
    assert_eq!(refused["refusal"]["code"], "not_allowed", "Sam is no supervisor");
    let done = command(&grace, 901, assign).await;
    assert!(done["refusal"].is_null() && done["seq"].is_u64(), "{done}");
    let assigned = screen.see("button_assigned").await;
    assert_eq!(assigned["payload"]["state"], "assigned");
    assert_eq!(assigned["meta"]["actor"]["name"], "Grace");

    let press = gus.press("single").await;
    let entry = screen.see("request_created").await;
    assert_eq!(entry["payload"]["place_name"], "Cabin 3");
    assert_eq!(entry["payload"]["last_press_id"], press.as_str());
    assert_eq!(ship.count(REQUESTS).await, 1);
    assert_eq!(ship.count(PRESSES).await, 2);
}

#[tokio::test]
async fn a_retired_button_is_recorded_and_silent_until_it_is_assigned_again() {
    let ship = Ship::sail().await;
    let grace = ship.crew("Grace").await;
    let mut screen = grace.screen(None).await;
    let mut gus = ship.gus_in(2).await;
    command(&grace, 910, json!({ "type": "retire_button", "button_id": Uuid::from_u128(2) })).await;
    assert_eq!(screen.see("button_retired").await["payload"]["state"], "retired");

    gus.press("shake").await;
    assert_eq!(ship.count(PRESSES).await, 1);
    assert_eq!(ship.count(REQUESTS).await, 0);
    assert_eq!(screen.see("button_pressed").await["payload"]["device"], "cabin-2", "but it is seen");

    ship.set_up(Verb::Button(ButtonVerb::Assign { button_id: id(2), place_id: id(2), name: None })).await;
    gus.press("single").await;
    assert_eq!(screen.see("request_created").await["payload"]["place_name"], "Cabin 2");
}

#[tokio::test]
async fn nobody_speaks_for_a_button_that_has_credentials_of_its_own() {
    let ship = Ship::sail().await;
    let topic = "obedio/button/cabin-1/pressed";
    let press = json!({ "press_id": "forged-1", "kind": "shake" });

    let mut gateway = ship.newcomer("gateway").await;
    assert_eq!(gateway.tell(topic, press.clone()).await, "NotAuthorized");
    let mut neighbour = ship.gus_in(2).await;
    assert_eq!(neighbour.tell(topic, press.clone()).await, "NotAuthorized");
    let status = json!({ "status": "offline", "battery": 1 });
    assert_eq!(gateway.tell("obedio/button/cabin-1/status", status).await, "NotAuthorized");
    let voice = json!({ "button": "main", "format": "adpcm", "data": "AAAA" });
    assert_eq!(gateway.tell("obedio/button/cabin-1/voice", voice).await, "NotAuthorized");
    assert_eq!(ship.count(PRESSES).await, 0);
    assert_eq!(ship.count(REQUESTS).await, 0);
    assert_eq!(ship.count("select count(*) from buttons where battery_percent = 1 or online = false").await, 0);

    ship.gus_in(1).await.press_as("forged-1", "single", "main").await;
    assert_eq!(ship.count(REQUESTS).await, 1, "the forger has not used up the press's id");
}

#[tokio::test]
async fn who_has_no_right_word_is_not_let_in() {
    let ship = Ship::sail().await;
    for (user, password) in [
        ("serenity/cabin-1", "secret-2"),
        ("serenity/cabin-1", "join-me"),
        ("serenity/cabin-1", ""),
        ("serenity/cabin-9", "secret-1"),
        ("serenity/", "join-me"),
        ("serenity", "secret-1"),
        ("elsewhere", "join-me"),
        ("elsewhere/cabin-1", "secret-1"),
        ("", "join-me"),
        ("' or true --", "join-me"),
    ] {
        assert!(
            !Gus::try_connect(ship.server.mqtt.unwrap(), "cabin-1", user, password).await,
            "{user} with {password}"
        );
        let mosquitto = Mosquitto::new(ship.server.mqtt.unwrap(), "mqttv311", user, password);
        let press = br#"{"press_id": "x", "kind": "single"}"#;
        assert!(!mosquitto.tell("obedio/button/cabin-1/pressed", press, false).await, "{user} with {password}");
    }
    for version in ["mqttv311", "mqttv5"] {
        let nobody = Mosquitto::nobody(ship.server.mqtt.unwrap(), version);
        assert!(!nobody.tell("obedio/button/cabin-1/pressed", b"{}", false).await, "without a name, {version}");
    }
    assert_eq!(ship.count("select count(*) from presses").await, 0);
    assert!(
        Gus::try_connect(ship.server.mqtt.unwrap(), "cabin-1", "serenity/cabin-1", "secret-1").await,
        "the right one is"
    );
}

#[tokio::test]
async fn a_device_may_watch_lamps_and_not_listen_to_the_others() {
    const REFUSED: u8 = 0x80;
    let ship = Ship::sail().await;
    let gateway = || Wire::connect(ship.server.mqtt.unwrap(), "gateway", Some(("serenity", "join-me")));
    let mut wire = gateway().await.unwrap();
    for filter in ["#", "obedio/#", "+/+/+/+", "obedio/button/+/pressed", "obedio/button/cabin-1/voice", "$SYS/#"] {
        assert_eq!(wire.subscribe(filter).await.unwrap(), REFUSED, "{filter}");
    }
    for filter in ["obedio/button/+/ack", "obedio/button/fresh-1/ack", "obedio/device/+/command"] {
        assert_eq!(wire.subscribe(filter).await.unwrap(), 0, "{filter}");
    }
    let mut own =
        Wire::connect(ship.server.mqtt.unwrap(), "cabin-1", Some(("serenity/cabin-1", "secret-1"))).await.unwrap();
    for filter in ["#", "obedio/button/+/ack", "obedio/button/cabin-2/ack", "obedio/button/cabin-1/#"] {
        assert_eq!(own.subscribe(filter).await.unwrap(), REFUSED, "{filter}");
    }
    assert_eq!(own.subscribe("obedio/button/cabin-1/ack").await.unwrap(), 0);
}
