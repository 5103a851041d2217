//! Press and hold: it rings at once, and what the guest said follows.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::cast::Crew;
use crate::foreign::Mosquitto;
use crate::ship::{Ship, soon};

/// Two seconds of speech as the devices send it: 4 bits a sample at 16 kHz.
fn speech() -> Value {
    let sound: Vec<u8> = (0..16_000_u32).map(|n| u8::try_from(n * 37 % 251).unwrap()).collect();
    json!({ "device_id": "x", "button": "main", "pressType": "voice", "duration": 2, "format": "adpcm",
            "data": STANDARD.encode(sound) })
}

async fn listen(ship: &Ship, who: &Crew, request: &str) -> (StatusCode, String, Vec<u8>) {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("http://{}/api/service-requests/{request}/voice", ship.server.http);
    let response = soon(client.get(url).bearer_auth(&who.token).send()).await.unwrap();
    let kind = response.headers().get("content-type").map(|kind| kind.to_str().unwrap().to_owned());
    (response.status(), kind.unwrap_or_default(), response.bytes().await.unwrap().to_vec())
}

#[tokio::test]
async fn a_hold_rings_at_once_and_what_was_said_joins_the_same_request() {
    let ship = Ship::sail().await;
    let sam = ship.sam().await;
    let mut screen = sam.screen(None).await;
    let button = Mosquitto::new(ship.server.mqtt.unwrap(), "mqttv311", "serenity/cabin-1", "secret-1");

    button.say("obedio/button/cabin-1/pressed", &json!({ "press_id": "7-1", "kind": "long" })).await;
    let rang = screen.see("request_created").await;
    assert_eq!(rang["payload"]["kind"], "voice");
    let request = rang["payload"]["id"].as_str().unwrap();
    let (status, ..) = listen(&ship, &sam, request).await;
    assert_eq!(status, StatusCode::NOT_FOUND, "nothing was said yet");

    button.say("obedio/button/cabin-1/voice", &speech()).await;
    let told = screen.see("request_voice_added").await;
    assert_eq!(told["payload"]["id"], request);
    assert_eq!(told["payload"]["state"], "open");
    assert_eq!(told["payload"]["voice"]["duration_ms"], 2000);
    assert!(told["payload"]["voice"]["recording_id"].is_string());
    let (status, kind, sound) = listen(&ship, &sam, request).await;
    assert_eq!((status, kind.as_str()), (StatusCode::OK, "audio/wav"));
    assert!(sound.len() >= 16_000, "{} bytes", sound.len());
    assert_eq!(ship.count("select count(*) from requests").await, 1);
    assert_eq!(ship.count("select count(*) from presses").await, 1);
}

#[tokio::test]
async fn what_is_said_while_somebody_is_already_coming_still_reaches_them() {
    let ship = Ship::sail().await;
    let sam = ship.sam().await;
    let mut screen = sam.screen(None).await;
    let mut gus = ship.gus_in(1).await;
    gus.press("long").await;
    let request = screen.see("request_created").await["payload"]["id"].as_str().unwrap().to_owned();
    sam.answer(&request, "accept").await;
    assert_eq!(gus.tell("obedio/button/cabin-1/voice", speech()).await, "Success");
    let told = screen.see("request_voice_added").await;
    assert_eq!(
        (told["payload"]["id"].as_str(), told["payload"]["state"].as_str()),
        (Some(&*request), Some("accepted"))
    );
}

#[tokio::test]
async fn speech_whose_press_was_lost_rings_by_itself() {
    let ship = Ship::sail().await;
    let sam = ship.sam().await;
    let mut screen = sam.screen(None).await;
    let button = Mosquitto::new(ship.server.mqtt.unwrap(), "mqttv5", "serenity/cabin-3", "secret-3");
    button.say("obedio/button/cabin-3/voice", &speech()).await;
    let rang = screen.see("request_created").await;
    assert_eq!(
        (rang["payload"]["kind"].as_str(), rang["payload"]["place_name"].as_str()),
        (Some("voice"), Some("Cabin 3"))
    );
    screen.see("request_voice_added").await;
    let (status, ..) = listen(&ship, &sam, rang["payload"]["id"].as_str().unwrap()).await;
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test]
async fn twenty_seconds_of_speech_get_through() {
    let ship = Ship::sail().await;
    let mut gus = ship.gus_in(1).await;
    gus.press("long").await;
    let sound = vec![0x55_u8; 160_000];
    let said = json!({ "button": "main", "format": "adpcm", "duration": 20, "data": STANDARD.encode(sound) });
    assert_eq!(gus.tell("obedio/button/cabin-1/voice", said).await, "Success");
    assert_eq!(ship.count("select max(octet_length(bytes))::bigint from recordings").await, 160_000);
}
