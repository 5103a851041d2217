//! The lamp on the button: the request's status as the guest sees it.

use crewbell_shared::request::RequestVerb;
use std::time::Duration;

use crewbell_server::actions::Execute;
use crewbell_server::db::{DbSettings, people};
use crewbell_shared::person::Actor;
use crewbell_shared::protocol::{Source, Verb};

use crate::cast::text;
use crate::database;
use crate::foreign::Mosquitto;
use crate::ship::{Ship, id};

const ACK: &str = "obedio/button/cabin-1/ack";
const PRESSED: &str = "obedio/button/cabin-1/pressed";

async fn a_lamp_tells_the_story(version: &'static str) {
    let ship = Ship::sail().await;
    let siri = ship.siri().await;
    let button = Mosquitto::new(ship.server.mqtt.unwrap(), version, "serenity/cabin-1", "secret-1");
    let mut lamp = button.listen(ACK).await;
    let mut others = Mosquitto::new(ship.server.mqtt.unwrap(), version, "serenity/cabin-2", "secret-2")
        .listen("obedio/button/cabin-2/ack")
        .await;

    button.say(PRESSED, &serde_json::json!({ "press_id": "7-1", "kind": "single" })).await;
    let received = lamp.hear().await;
    let request = siri.open_requests().await[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(received["state"], "received");
    assert_eq!(received["press_id"], "7-1");
    assert_eq!(received["request_id"], request.as_str());
    siri.answer(&request, "accept").await;
    let accepted = lamp.hear().await;
    assert_eq!((accepted["state"].as_str(), accepted["by"].as_str()), (Some("accepted"), Some("Siri")));
    siri.answer(&request, "complete").await;
    let completed = lamp.hear().await;
    assert_eq!((completed["state"].as_str(), completed["by"].as_str()), (Some("completed"), Some("Siri")));

    ship.gus_in(2).await.press_as("8-1", "single", "main").await;
    assert_eq!(others.hear().await["press_id"], "8-1", "the first that cabin 2 hears is its own");
}

#[tokio::test]
async fn a_lamp_tells_received_accepted_by_siri_and_completed_by_mqtt_3() {
    a_lamp_tells_the_story("mqttv311").await;
}

#[tokio::test]
async fn a_lamp_tells_received_accepted_by_siri_and_completed_by_mqtt_5() {
    a_lamp_tells_the_story("mqttv5").await;
}

#[tokio::test]
async fn a_button_that_comes_back_is_shown_what_became_of_its_press() {
    let ship = Ship::sail().await;
    let sam = ship.sam().await;
    ship.gus_in(1).await.press_as("7-1", "single", "main").await;
    let request = sam.open_requests().await[0]["id"].as_str().unwrap().to_owned();
    let button = Mosquitto::new(ship.server.mqtt.unwrap(), "mqttv311", "serenity/cabin-1", "secret-1");
    assert_eq!(button.listen(ACK).await.hear().await["state"], "received");

    sam.answer(&request, "accept").await;
    let ship = ship.restart().await;
    let button = Mosquitto::new(ship.server.mqtt.unwrap(), "mqttv311", "serenity/cabin-1", "secret-1");
    let shown = button.listen(ACK).await.hear().await;
    assert_eq!((shown["state"].as_str(), shown["by"].as_str()), (Some("accepted"), Some("Sam")));

    let mut original = button.listen("obedio/device/cabin-1/command").await;
    let shown = original.hear().await;
    assert_eq!((shown["command"].as_str(), shown["status"].as_str()), (Some("ack"), Some("accepted")));
    assert_eq!(shown["requestId"], request.as_str());
}

#[tokio::test]
async fn a_lamp_is_lit_as_soon_as_the_database_answers_again_that_did_not_when_it_should_have_been() {
    let db = DbSettings { acquire_timeout: Duration::from_millis(200), ..database::fresh().await };
    let ship = Ship::sail_on(db).await;
    ship.gus_in(1).await.press_as("7-1", "single", "main").await;
    let request = text(&ship.sam().await.open_requests().await[0]["id"]);
    // A restarted server doesn't yet know the lamp of each request.
    let ship = ship.restart().await;
    let button = Mosquitto::new(ship.server.mqtt.unwrap(), "mqttv311", "serenity/cabin-1", "secret-1");
    let mut lamp = button.listen(ACK).await;
    assert_eq!(lamp.hear().await["state"], "received");

    let db = &ship.server.registry.db;
    let sam = people::find(&mut db.read(ship.site.id).await.unwrap(), ship.site.id, id(1)).await.unwrap().unwrap();
    let mut held = Vec::new();
    while let Ok(connection) = db.read(ship.site.id).await {
        held.push(connection);
    }
    let accept = Box::new(Execute(Verb::Request(RequestVerb::Accept { request_id: request.parse().unwrap() })));
    ship.site.act(accept, Actor::Person(sam), Source::App).await.unwrap();
    // No reader gets a connection, nor does the query for the lamp's button.
    for _ in 0..5 {
        assert!(db.read(ship.site.id).await.is_err());
    }
    drop(held);
    let accepted = lamp.hear().await;
    assert_eq!((accepted["state"].as_str(), accepted["by"].as_str()), (Some("accepted"), Some("Sam")));
}
