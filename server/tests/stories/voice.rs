//! Voice messages: a long press rings at once, and its recording follows.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::cast::Crew;
use crate::foreign::Mosquitto;
use crate::ship::{Ship, soon};

/// Returns two seconds of speech in the devices' format: 4 bits a sample at 16 kHz.
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
async fn a_second_message_hides_none_and_one_that_comes_again_is_one() {
    let ship = Ship::sail().await;
    let sam = ship.sam().await;
    let mut screen = sam.screen(None).await;
    let mut gus = ship.gus_in(1).await;
    gus.press("long").await;
    let request = screen.see("request_created").await["payload"]["id"].as_str().unwrap().to_owned();
    let said = |byte: u8, words: &str| {
        json!({ "button": "main", "format": "pcm", "duration": 1, "data": STANDARD.encode(vec![byte; 32_000]),
                "transcript": words })
    };
    for (byte, words) in [(1, "Tea"), (1, "Tea"), (2, "And cake")] {
        gus.tell("obedio/button/cabin-1/voice", said(byte, words)).await;
    }
    gus.press("long").await;
    gus.tell("obedio/button/cabin-1/voice", said(3, "Hurry")).await;
    let shown = sam.request(&request).await["voice"].clone();
    assert_eq!(shown["transcript"], "Hurry");
    let earlier: Vec<_> = shown["earlier"].as_array().unwrap().iter().map(|message| &message["transcript"]).collect();
    assert_eq!(earlier, ["Tea", "And cake"]);
    assert_eq!(ship.count("select count(*) from recordings").await, 3);
    let (_, kind, sound) = listen(&ship, &sam, &request).await;
    assert_eq!(kind, "audio/wav");
    let seconds = f64::from(u32::try_from(sound.len() - 44).unwrap()) / 32_000.0;
    assert!(seconds > 3.0 && seconds < 4.5, "all three, {seconds} s");
}

#[tokio::test]
async fn what_is_said_to_a_button_without_a_place_is_kept_with_it() {
    let ship = Ship::sail().await;
    let grace = ship.grace().await;
    let mut gus = ship.newcomer("fresh-1").await;
    gus.press("long").await;
    assert_eq!(gus.tell("obedio/button/fresh-1/voice", speech()).await, "Success");
    assert_eq!(ship.count("select count(*) from recordings where request_id is null").await, 1);
    assert_eq!(ship.count("select count(*) from presses").await, 1, "one hold is one press");
    let buttons = grace.get("/api/buttons").await;
    let fresh = buttons["items"].as_array().unwrap().iter().find(|button| button["device"] == "fresh-1").unwrap();
    let path = format!("/api/buttons/{}/voice", fresh["id"].as_str().unwrap());
    assert_eq!(grace.ask(reqwest::Method::GET, &path, None).await.0, StatusCode::OK);
    // A recording whose press was lost.
    let mut other = ship.newcomer("fresh-2").await;
    other.tell("obedio/button/fresh-2/voice", speech()).await;
    assert_eq!(ship.count("select count(*) from recordings where request_id is null").await, 2);
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
