//! Signals and voice packets between the two ends of a call: the server delivers them to no other endpoint.

use std::time::Duration;

use crewbell_shared::ids::EndpointId;
use crewbell_shared::protocol::AudioFrame;
use crewbell_shared::protocol::live::{FromServer, Signal};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use uuid::Uuid;

use crate::cast::{Crew, Phone, fresh_id};
use crate::ship::{Ship, soon};

/// Starts a call between Sam and Siri; also returns Siri's other device, and Dana, who isn't a party.
async fn in_a_call(ship: &Ship) -> ([Phone; 4], String) {
    let siri = ship.siri().await;
    let other = Phone::of(siri.second_device().await).await;
    let (sam, siri, dana) = (ship.sam().await, siri, ship.dana().await);
    let (sam, siri, dana) = (Phone::of(sam).await, Phone::of(siri).await, Phone::of(dana).await);
    let call = sam.calls(&siri.who).await.unwrap();
    assert_eq!(siri.answers(&call).await, None);
    ([sam, siri, other, dana], call)
}

fn offer(sdp: &str) -> Value {
    json!({ "s": "offer", "sdp": sdp })
}

/// Encodes a voice packet for the socket.
fn packet(call: &str, sequence: u16) -> Vec<u8> {
    let payload = [0x78, 7, 7];
    let (call_id, timestamp) = (call.parse().unwrap(), u32::from(sequence) * 960);
    AudioFrame { call_id, sequence, timestamp, payload: &payload }.to_bytes()
}

async fn hears_nothing(phone: &mut Phone) {
    phone.screen.settles().await;
    assert_eq!(phone.screen.heard, Vec::new());
    assert_eq!(phone.screen.packets, Vec::<Vec<u8>>::new());
}

#[tokio::test]
async fn signals_go_from_one_end_to_the_other_and_to_nobody_else() {
    let ship = Ship::sail().await;
    let ([mut sam, mut siri, mut other, mut dana], call) = in_a_call(&ship).await;
    let candidate = json!({ "s": "candidate", "candidate": "candidate:1 1 udp 1 10.0.0.1 9 typ host", "sdp_mid": "0" });
    let said = [offer("v=0"), candidate, json!({ "s": "restart" }), json!({ "s": "relay", "on": true })];
    for signal in &said {
        sam.signals(&call, siri.end, signal.clone()).await;
        let expected: Signal = serde_json::from_value(signal.clone()).unwrap();
        let frame = siri.screen.hears().await;
        let FromServer::Signal { call_id, from, signal } = frame else { panic!("no signal but {frame:?}") };
        assert_eq!((call_id.to_string(), from, signal), (call.clone(), sam.end, expected));
    }
    siri.signals(&call, sam.end, json!({ "s": "answer", "sdp": "v=0" })).await;
    assert!(matches!(sam.screen.hears().await, FromServer::Signal { signal: Signal::Answer { .. }, .. }));
    for phone in [&mut other, &mut dana] {
        hears_nothing(phone).await;
    }
    assert_eq!(
        ship.count("select count(*) from entries where payload::text like '%v=0%'").await,
        0,
        "never in the log"
    );
}

#[tokio::test]
async fn a_signal_that_is_none_of_one_s_business_is_refused_and_nothing_leaks() {
    let ship = Ship::sail().await;
    let ([mut sam, mut siri, mut other, mut dana], call) = in_a_call(&ship).await;
    // An outsider, the other device of a party, and an outsider who claims a party's endpoint.
    dana.signals(&call, siri.end, offer("from a stranger")).await;
    assert_eq!(dana.is_refused().await, "not_your_call");
    other.signals(&call, sam.end, offer("from the wrong device")).await;
    assert_eq!(other.is_refused().await, "not_your_call");
    let mut liar = Phone::again(dana.who.clone(), sam.end).await;
    liar.signals(&call, siri.end, offer("from a liar")).await;
    assert_eq!(liar.is_refused().await, "not_your_call");
    sam.signals(&call, liar.end, offer("to oneself")).await;
    assert_eq!(sam.is_refused().await, "not_there");
    sam.signals(&call, other.end, offer("to the wrong device")).await;
    assert_eq!(sam.is_refused().await, "not_there");
    sam.signals(&fresh_id(), siri.end, offer("in no call")).await;
    assert_eq!(sam.is_refused().await, "call_over");
    for phone in [&mut siri, &mut liar, &mut dana, &mut other] {
        hears_nothing(phone).await;
    }
    // The endpoint that an outsider claimed is still Sam's.
    siri.signals(&call, sam.end, json!({ "s": "ready" })).await;
    assert!(matches!(sam.screen.hears().await, FromServer::Signal { signal: Signal::Ready, .. }));
    hears_nothing(&mut liar).await;

    assert_eq!(sam.hangs_up(&call).await, None);
    siri.signals(&call, sam.end, offer("too late")).await;
    assert_eq!(siri.is_refused().await, "call_over");
    hears_nothing(&mut sam).await;
    // While the call rings there is no other endpoint yet.
    let call = sam.calls(&siri.who).await.unwrap();
    sam.signals(&call, siri.end, offer("too early")).await;
    assert_eq!(sam.is_refused().await, "not_there");
}

#[tokio::test]
async fn a_signal_too_large_or_malformed_is_refused_and_the_socket_stays() {
    let ship = Ship::sail().await;
    let ([mut sam, mut siri, ..], call) = in_a_call(&ship).await;
    sam.signals(&call, siri.end, offer(&"x".repeat(16 * 1024))).await;
    assert_eq!(sam.is_refused().await, "too_large");
    for malformed in
        [json!({ "s": "offer" }), json!({ "s": "offer", "sdp": 5 }), json!([]), json!(null), json!({ "s": "moon" })]
    {
        sam.signals(&call, siri.end, malformed.clone()).await;
        assert_eq!(sam.is_refused().await, "invalid", "{malformed}");
    }
    let nowhere = json!({ "t": "signal", "call_id": call, "to": "somewhere", "signal": { "s": "ready" } });
    sam.screen.say(&nowhere.to_string()).await;
    assert_eq!(sam.is_refused().await, "invalid");
    hears_nothing(&mut siri).await;
    // The server doesn't parse session descriptions; the largest allowed one is delivered.
    let largest = offer(&"v".repeat(16 * 1024 - 300));
    sam.signals(&call, siri.end, largest).await;
    assert!(matches!(siri.screen.hears().await, FromServer::Signal { signal: Signal::Offer { .. }, .. }));
    // Without an endpoint in `hello` a socket can't send signals.
    let mut deaf = sam.who.screen(None).await;
    let frame = json!({ "t": "signal", "call_id": call, "to": siri.end, "signal": { "s": "ready" } });
    deaf.say(&frame.to_string()).await;
    let frame = deaf.hears().await;
    let FromServer::SignalRefused { refusal, .. } = frame else { panic!("no refusal but {frame:?}") };
    assert_eq!(refusal.code.as_str(), "not_your_call");
}

#[tokio::test]
async fn who_signals_too_much_is_slowed_down_and_stays_connected() {
    let ship = Ship::sail().await;
    let ([mut sam, mut siri, ..], call) = in_a_call(&ship).await;
    let reader = tokio::spawn(async move {
        let mut heard = 0;
        loop {
            if let FromServer::Signal { signal, .. } = siri.screen.hears().await {
                if signal == Signal::HangUp {
                    return heard;
                }
                heard += 1;
            }
        }
    });
    let end = sam.who.call(&call).await["callee_endpoint"].as_str().unwrap().parse::<EndpointId>().unwrap();
    let frame = json!({ "t": "signal", "call_id": call, "to": end, "signal": { "s": "ready" } }).to_string();
    for _ in 0..400 {
        sam.screen.say(&frame).await;
    }
    sam.screen.settles().await;
    let refused = sam.screen.heard.len();
    for refusal in &sam.screen.heard {
        assert!(matches!(refusal, FromServer::SignalRefused { refusal, .. } if refusal.code.as_str() == "slow_down"));
    }
    assert!(refused > 0, "all of 400 came through");
    // The limit refills by 20 a second, so the last signal gets through soon.
    soon(async {
        while !reader.is_finished() {
            sam.signals(&call, end, json!({ "s": "hang_up" })).await;
            let _ = tokio::time::timeout(Duration::from_millis(100), sam.screen.hears()).await;
        }
    })
    .await;
    let heard = soon(reader).await.unwrap();
    assert_eq!(heard + refused, 400);
    assert!(heard >= 100, "{heard} of 400 came through");
}

#[tokio::test]
async fn voice_goes_over_the_socket_as_it_is_and_only_between_the_ends() {
    let ship = Ship::sail().await;
    let ([mut sam, mut siri, mut other, mut dana], call) = in_a_call(&ship).await;
    for sequence in 0..5 {
        sam.screen.send(Message::binary(packet(&call, sequence))).await;
        assert_eq!(siri.screen.packet().await, packet(&call, sequence));
    }
    siri.screen.send(Message::binary(packet(&call, 9))).await;
    assert_eq!(sam.screen.packet().await, packet(&call, 9));
    // Packets from an outsider, from another device, for no call, too long or too short are dropped, and the sockets
    // stay open.
    dana.screen.send(Message::binary(packet(&call, 1))).await;
    other.screen.send(Message::binary(packet(&call, 1))).await;
    let long = [packet(&call, 2), vec![0; 1275]].concat();
    for wrong in [packet(&fresh_id(), 1), long, vec![0], Vec::new(), packet(&call, 2)[..22].to_vec()] {
        sam.screen.send(Message::binary(wrong)).await;
    }
    for phone in [&mut siri, &mut sam, &mut other, &mut dana] {
        hears_nothing(phone).await;
    }
    sam.hangs_up(&call).await;
    siri.screen.see("call_ended").await;
    soon(async {
        while !ship.site.switchboard.live().is_empty() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    sam.screen.send(Message::binary(packet(&call, 3))).await;
    hears_nothing(&mut siri).await;
}

#[tokio::test]
async fn a_flood_of_voice_is_thinned_and_doesn_t_hold_up_the_log() {
    let ship = Ship::sail().await;
    let ([mut sam, mut siri, ..], call) = in_a_call(&ship).await;
    for sequence in 0..1000 {
        sam.screen.send(Message::binary(packet(&call, sequence))).await;
    }
    let request = sam.who.asks_for(1, "ice").await;
    let created = siri.screen.see("request_created").await;
    assert_eq!(created["payload"]["id"], json!(request));
    sam.screen.settles().await;
    siri.screen.settles().await;
    let came = siri.screen.packets.len();
    assert!((50..900).contains(&came), "{came} of 1000 came through");
}

#[tokio::test]
async fn a_client_that_asks_instead_of_listening_signals_too() {
    let ship = Ship::sail().await;
    let (dana, mut siri) = (ship.dana().await, Phone::of(ship.siri().await).await);
    let end = EndpointId(Uuid::now_v7());
    let key = fresh_id();
    let new = json!({ "callee_id": siri.who.id, "endpoint": end });
    let initiate =
        async || dana.ask_keyed(reqwest::Method::POST, "/api/call/initiate", Some(new.clone()), Some(&key)).await;
    let (status, said) = initiate().await;
    assert_eq!((status, &said["call"]["state"]), (StatusCode::OK, &json!("ringing")), "{said}");
    assert_eq!(initiate().await.1, said, "the same key is the same call");
    let call = said["call"]["id"].as_str().unwrap().to_owned();
    let poll = async |who: &Crew| {
        let path = format!("/api/call/signals?call_id={call}&endpoint={end}");
        who.ask(reqwest::Method::GET, &path, None).await
    };
    assert_eq!(poll(&dana).await, (StatusCode::OK, json!({ "items": [] })));
    assert_eq!(siri.answers(&call).await, None);
    siri.signals(&call, end, json!({ "s": "ready" })).await;
    siri.screen.settles().await;
    let expected = json!({ "items": [{ "call_id": call, "from": siri.end, "signal": { "s": "ready" } }] });
    assert_eq!(poll(&dana).await, (StatusCode::OK, expected));
    assert_eq!(poll(&dana).await.1, json!({ "items": [] }), "none is given twice");
    // The mailbox of another person is closed, even to a client that knows the endpoint.
    let tom = ship.crew("Tom").await;
    assert_eq!(poll(&tom).await.1["code"], "not_your_call");

    let send = async |who: &Crew, signal: Value| {
        let body = json!({ "call_id": call, "from": end, "to": siri.end, "signal": signal });
        who.post("/api/call/signal", body).await
    };
    assert_eq!(send(&dana, offer("v=0")).await.0, StatusCode::NO_CONTENT);
    assert_eq!(send(&tom, offer("v=0")).await.1["code"], "not_your_call");
    assert_eq!(send(&dana, offer(&"x".repeat(17_000))).await.0, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(send(&dana, json!({ "s": "offer" })).await.0, StatusCode::UNPROCESSABLE_ENTITY);
    siri.hangs_up(&call).await;
    let (status, said) = poll(&dana).await;
    assert_eq!((status, &said["code"]), (StatusCode::CONFLICT, &json!("call_over")));
    assert_eq!(send(&dana, offer("v=0")).await.1["code"], "call_over");
}

#[tokio::test]
async fn a_client_that_asks_instead_of_listening_is_called_and_answers() {
    let ship = Ship::sail().await;
    let (mut sam, dana) = (Phone::of(ship.sam().await).await, ship.dana().await);
    assert_eq!(dana.post("/api/status/heartbeat", json!({})).await.0, StatusCode::OK);
    let call = sam.calls(&dana).await.unwrap();
    let rings = dana.get("/api/calls?state=ringing").await;
    assert_eq!((&rings["items"][0]["id"], &rings["items"][0]["state"]), (&json!(call), &json!("ringing")), "{rings}");

    let end = EndpointId(Uuid::now_v7());
    let answer = async || dana.post("/api/call/answer", json!({ "call_id": call, "endpoint": end })).await;
    let (status, said) = answer().await;
    assert_eq!((status, &said["call"]["state"]), (StatusCode::OK, &json!("ongoing")), "{said}");
    assert_eq!(said["call"]["callee_endpoint"], json!(end));
    assert_eq!(answer().await.1["call"], said["call"], "to answer twice is to answer");
    assert_eq!(sam.screen.see("call_answered").await["payload"]["callee_endpoint"], json!(end));

    // Signals sent before her first poll wait in the mailbox.
    let path = format!("/api/call/signals?call_id={call}&endpoint={end}");
    let poll = async || dana.get(&path).await["items"].clone();
    sam.signals(&call, end, offer("v=0")).await;
    sam.screen.settles().await;
    assert_eq!(poll().await, json!([{ "call_id": call, "from": sam.end, "signal": offer("v=0") }]));
    let said = json!({ "call_id": call, "from": end, "to": sam.end, "signal": { "s": "answer", "sdp": "v=0" } });
    assert_eq!(dana.post("/api/call/signal", said).await.0, StatusCode::NO_CONTENT);
    // Before her mailbox opened she may have been reported as absent; by this point she is present.
    let mut there = true;
    let sdp = loop {
        let frame = sam.screen.hears().await;
        if let FromServer::Peer { there: now, .. } = frame {
            there = now;
            continue;
        }
        let FromServer::Signal { from, signal: Signal::Answer { sdp }, .. } = frame else {
            panic!("no answer: {frame:?}")
        };
        assert_eq!(from, end);
        break sdp;
    };
    assert_eq!((there, sdp.as_str()), (true, "v=0"));

    let (status, said) = dana.post("/api/call/hangup", json!({ "call_id": call })).await;
    assert_eq!((status, &said["call"]["outcome"]), (StatusCode::OK, &json!("completed")), "{said}");
    assert_eq!(sam.screen.see("call_ended").await["payload"]["ended_by"]["name"], "Dana");
}

#[tokio::test]
async fn without_servers_in_the_settings_there_are_none_to_find_a_way_by() {
    let ship = Ship::sail().await;
    let sam = ship.sam().await;
    assert_eq!(sam.get("/api/call/ice").await, json!({ "ice_servers": [], "expires_at": null }));
}
