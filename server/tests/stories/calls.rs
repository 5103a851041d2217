//! Calls among the crew: four devices of three people, and simultaneous actions.

use std::time::Duration;

use crewbell_shared::protocol::live::{FromServer, Status};
use jiff::SignedDuration;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::cast::{Crew, Phone, fresh_id, text};
use crate::ship::{Ship, soon};

/// Rounds of each race, enough for both orders to occur.
const ROUNDS: usize = 15;

/// Creates Sam's tablet, Siri's tablet and phone, and Dana's desktop.
async fn four_devices(ship: &Ship) -> [Phone; 4] {
    let siri = ship.siri().await;
    let siris_phone = Phone::of(siri.second_device().await).await;
    [Phone::of(ship.sam().await).await, Phone::of(siri).await, siris_phone, Phone::of(ship.dana().await).await]
}

async fn status_of(who: &Crew, asker: &Crew) -> String {
    text(&asker.get(&format!("/api/status/user/{}", who.id)).await["status"])
}

/// Advances the clock step by step, with time for the server to react in between, until a call is over; returns the
/// call.
async fn over_in_time(ship: &Ship, asker: &Crew, call: &str, step: SignedDuration) -> Value {
    let ended = async || loop {
        let now = asker.call(call).await;
        if now["state"] == "ended" {
            return now;
        }
    };
    soon(async {
        loop {
            if let Ok(over) = tokio::time::timeout(Duration::from_millis(600), ended()).await {
                return over;
            }
            ship.clock.advance(step);
        }
    })
    .await
}

#[tokio::test]
async fn all_devices_ring_and_all_stop_when_one_answers() {
    let ship = Ship::sail().await;
    let [mut sam, mut tablet, mut phone, mut dana] = four_devices(&ship).await;
    let call = sam.calls(&tablet.who).await.unwrap();
    for device in [&mut tablet, &mut phone] {
        let rings = device.screen.see("call_started").await;
        assert_eq!((&rings["payload"]["id"], &rings["payload"]["state"]), (&json!(call), &json!("ringing")));
        assert_eq!(rings["payload"]["caller"]["name"], "Sam");
    }
    assert_eq!(tablet.answers(&call).await, None);
    let end = tablet.end;
    for device in [&mut sam, &mut tablet, &mut phone, &mut dana] {
        let answered = device.screen.see("call_answered").await;
        assert_eq!(answered["payload"]["callee_endpoint"], json!(end));
    }
    // A repeated answer succeeds; another device's answer is too late, and so is its rejection.
    assert_eq!(tablet.answers(&call).await, None);
    assert_eq!(phone.answers(&call).await.as_deref(), Some("answered_elsewhere"));
    let no = json!({ "type": "reject_call", "call_id": call });
    assert_eq!(phone.who.does(no).await.as_deref(), Some("answered_elsewhere"));

    ship.clock.advance(SignedDuration::from_secs(75));
    assert_eq!(sam.hangs_up(&call).await, None);
    let ended = phone.screen.see("call_ended").await["payload"].clone();
    assert_eq!((&ended["outcome"], &ended["ended_by"]["name"]), (&json!("completed"), &json!("Sam")));
    assert!(ended["duration_s"].as_u64().unwrap() >= 75, "{ended}");
    assert_eq!(ship.count("select count(*) from calls where state <> 'ended'").await, 0);
    assert_eq!(tablet.who.missed().await, 0);
}

#[tokio::test]
async fn a_call_that_the_caller_gives_up_stops_everywhere_and_was_missed() {
    let ship = Ship::sail().await;
    let [sam, mut tablet, mut phone, _] = four_devices(&ship).await;
    let call = sam.calls(&tablet.who).await.unwrap();
    assert_eq!(sam.hangs_up(&call).await, None);
    for device in [&mut tablet, &mut phone] {
        assert_eq!(device.screen.see("call_cancelled").await["payload"]["outcome"], "cancelled");
    }
    assert_eq!((tablet.who.missed().await, sam.who.missed().await), (1, 0));
    assert_eq!(tablet.answers(&call).await.as_deref(), Some("call_over"));
}

#[tokio::test]
async fn a_no_stops_it_everywhere_and_is_none_missed() {
    let ship = Ship::sail().await;
    let [mut sam, tablet, mut phone, _] = four_devices(&ship).await;
    let call = sam.calls(&tablet.who).await.unwrap();
    assert_eq!(tablet.who.post("/api/call/reject", json!({ "call_id": call })).await.0, StatusCode::OK);
    for device in [&mut sam, &mut phone] {
        assert_eq!(device.screen.see("call_rejected").await["payload"]["ended_by"]["name"], "Siri");
    }
    assert_eq!(tablet.who.missed().await, 0);
}

#[tokio::test]
async fn answered_on_two_devices_at_once_one_of_them_has_it() {
    let ship = Ship::sail().await;
    let [sam, tablet, phone, _] = four_devices(&ship).await;
    for _ in 0..ROUNDS {
        let call = sam.calls(&tablet.who).await.unwrap();
        let (a, b) = tokio::join!(tablet.answers(&call), phone.answers(&call));
        let winner = match (a.as_deref(), b.as_deref()) {
            (None, Some("answered_elsewhere")) => tablet.end,
            (Some("answered_elsewhere"), None) => phone.end,
            other => panic!("both or neither: {other:?}"),
        };
        assert_eq!(sam.who.call(&call).await["callee_endpoint"], json!(winner));
        assert_eq!(sam.hangs_up(&call).await, None);
    }
    let rounds = i64::try_from(ROUNDS).unwrap();
    assert_eq!(ship.count("select count(*) from entries where type = 'call_answered'").await, rounds);
}

#[tokio::test]
async fn answer_and_cancel_at_the_same_instant_end_in_one_of_two_stories() {
    let ship = Ship::sail().await;
    let [sam, tablet, ..] = four_devices(&ship).await;
    for round in 0..ROUNDS {
        let call = sam.calls(&tablet.who).await.unwrap();
        let (answer, cancel) = if round % 2 == 0 {
            tokio::join!(tablet.answers(&call), sam.hangs_up(&call))
        } else {
            let (cancel, answer) = tokio::join!(sam.hangs_up(&call), tablet.answers(&call));
            (answer, cancel)
        };
        assert_eq!(cancel, None, "to hang up is never refused");
        let now = sam.who.call(&call).await;
        assert_eq!(now["state"], "ended");
        match answer.as_deref() {
            None => assert_eq!((&now["outcome"], now["answered_at"].is_string()), (&json!("completed"), true)),
            Some("call_over") => {
                assert_eq!((&now["outcome"], now["answered_at"].is_null()), (&json!("cancelled"), true));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn two_who_call_each_other_at_the_same_moment_have_one_call() {
    let ship = Ship::sail().await;
    let [sam, tablet, ..] = four_devices(&ship).await;
    for round in 1..=ROUNDS {
        let (a, b) = tokio::join!(sam.calls(&tablet.who), tablet.calls(&sam.who));
        assert!(a.is_ok() && b.is_ok(), "{a:?} {b:?}");
        let live = sam.who.get("/api/calls?state=ongoing").await["items"].as_array().unwrap().clone();
        let [call] = live.as_slice() else { panic!("one call, not {live:?}") };
        assert!([json!(a.unwrap()), json!(b.unwrap())].contains(&call["id"]));
        let ends = [&call["caller_endpoint"], &call["callee_endpoint"]];
        assert!(ends.contains(&&json!(sam.end)) && ends.contains(&&json!(tablet.end)), "{call}");
        assert_eq!(sam.hangs_up(call["id"].as_str().unwrap()).await, None);
        assert_eq!(ship.count("select count(*) from calls").await, i64::try_from(round).unwrap());
    }
}

#[tokio::test]
async fn the_second_caller_is_told_in_a_call_and_the_callee_sees_who_tried() {
    let ship = Ship::sail().await;
    let [sam, mut tablet, _, dana] = four_devices(&ship).await;
    sam.calls(&tablet.who).await.unwrap();
    let (status, said) = dana.who.post("/api/call/initiate", json!({ "callee_id": tablet.who.id })).await;
    assert_eq!(status, StatusCode::OK, "{said}");
    assert_eq!((&said["call"]["outcome"], &said["call"]["why"]), (&json!("missed"), &json!("in_call")));
    let tried = tablet.screen.see("call_missed").await;
    assert_eq!(tried["payload"]["caller"]["name"], "Dana");
    assert_eq!(tablet.who.missed().await, 1);
    // Neither party of a ringing call can call another person.
    for busy in [&tablet, &sam] {
        assert_eq!(busy.calls(&dana.who).await, Err("in_a_call".to_owned()));
    }
}

#[tokio::test]
async fn many_who_call_one_at_once_are_one_call_and_missed_ones() {
    let ship = Ship::sail().await;
    let [sam, tablet, _, dana] = four_devices(&ship).await;
    let grace = Phone::of(ship.grace().await).await;
    for _ in 0..ROUNDS {
        let _ = tokio::join!(sam.calls(&tablet.who), dana.calls(&tablet.who), grace.calls(&tablet.who));
        let ringing = sam.who.get("/api/calls?state=ringing").await["items"].as_array().unwrap().clone();
        assert_eq!(ringing.len(), 1, "{ringing:?}");
        assert_eq!(tablet.hangs_up(ringing[0]["id"].as_str().unwrap()).await, None);
    }
    let rounds = i64::try_from(ROUNDS).unwrap();
    assert_eq!(ship.count("select count(*) from calls where missed_why = 'in_call'").await, 2 * rounds);
}

#[tokio::test]
async fn a_busy_or_absent_callee_misses_it_and_sees_it_later() {
    let ship = Ship::sail().await;
    let [mut sam, tablet, ..] = four_devices(&ship).await;
    let (status, said) = tablet.who.post("/api/status/update", json!({ "status": "busy" })).await;
    assert_eq!(status, StatusCode::OK, "{said}");
    assert_eq!(status_of(&tablet.who, &sam.who).await, "busy");
    let tom = ship.crew("Tom").await;
    for (callee, why) in [(&tablet.who, "busy"), (&tom, "offline")] {
        let call = sam.calls(callee).await.unwrap();
        let missed = sam.screen.see("call_missed").await;
        assert_eq!((&missed["payload"]["id"], &missed["payload"]["why"]), (&json!(call), &json!(why)));
        assert_eq!(callee.missed().await, 1);
        let listed = callee.get("/api/call/missed").await["items"].clone();
        assert_eq!(listed[0]["caller"]["name"], "Sam");
        // Only the callee can mark a missed call as seen; repeating it changes nothing.
        let path = format!("/api/call/mark-seen/{call}");
        let (status, said) = sam.who.post(&path, json!({})).await;
        assert_eq!((status, &said["code"]), (StatusCode::FORBIDDEN, &json!("not_your_call")));
        for _ in 0..2 {
            assert_eq!(callee.post(&path, json!({})).await.0, StatusCode::OK);
            assert_eq!(callee.missed().await, 0);
        }
        assert!(sam.who.call(&call).await["seen_at"].is_string());
    }
    assert_eq!(ship.count("select count(*) from entries where type = 'call_seen'").await, 2);
    // A person with a heartbeat over HTTP can be called.
    assert_eq!(tom.post("/api/status/heartbeat", json!({})).await.1["status"], "online");
    let call = sam.calls(&tom).await.unwrap();
    assert_eq!(sam.who.call(&call).await["state"], "ringing");
    assert_eq!((status_of(&sam.who, &tom).await.as_str(), tom.missed().await), ("in_call", 0));
}

#[tokio::test]
async fn to_hang_up_twice_is_to_hang_up_and_a_stranger_can_t() {
    let ship = Ship::sail().await;
    let [sam, tablet, _, dana] = four_devices(&ship).await;
    let call = sam.calls(&tablet.who).await.unwrap();
    tablet.answers(&call).await;
    for verb in ["hangup", "reject", "answer"] {
        let (status, said) = dana.who.post(&format!("/api/call/{verb}"), json!({ "call_id": call })).await;
        assert_eq!((status, &said["code"]), (StatusCode::FORBIDDEN, &json!("not_your_call")), "{verb}");
        assert!(said["details"].is_null(), "nothing is told: {said}");
    }
    let hang_up = async |who: &Crew| who.post("/api/call/hangup", json!({ "call_id": call })).await;
    for who in [&sam.who, &sam.who, &tablet.who] {
        let (status, said) = hang_up(who).await;
        assert_eq!((status, &said["call"]["ended_by"]["name"]), (StatusCode::OK, &json!("Sam")), "{said}");
    }
    assert_eq!(ship.count("select count(*) from entries where type = 'call_ended'").await, 1);
    let (status, said) = tablet.who.post("/api/call/answer", json!({ "call_id": call })).await;
    assert_eq!((status, &said["code"]), (StatusCode::CONFLICT, &json!("call_over")));
    assert_eq!(said["details"]["call"]["outcome"], "completed");
    let nobodys = json!({ "call_id": fresh_id() });
    assert_eq!(sam.who.post("/api/call/hangup", nobodys).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_call_that_rings_its_time_is_missed_and_ended_when_it_stopped_ringing() {
    let ship = Ship::sail().await;
    let [mut sam, tablet, mut phone, _] = four_devices(&ship).await;
    ship.settings(|settings| settings.ring_time_s = 25).await;
    let call = sam.calls(&tablet.who).await.unwrap();
    let started = phone.screen.see("call_started").await["payload"].clone();
    ship.clock.advance(SignedDuration::from_secs(25));
    for device in [&mut sam, &mut phone] {
        let missed = device.screen.see("call_missed").await["payload"].clone();
        assert_eq!((&missed["why"], &missed["ended_at"]), (&json!("no_answer"), &started["rings_until"]));
        assert!(missed["ended_by"].is_null());
    }
    assert_eq!(tablet.answers(&call).await.as_deref(), Some("call_over"));
    assert_eq!(tablet.who.missed().await, 1);
    // The entry's source is the server itself.
    assert_eq!(ship.count("select count(*) from entries where type = 'call_missed' and source = 'server'").await, 1);
}

#[tokio::test]
async fn a_call_goes_on_over_a_restart_of_the_server_and_ends_as_it_should() {
    let ship = Ship::sail().await;
    let [sam, tablet, ..] = four_devices(&ship).await;
    let call = sam.calls(&tablet.who).await.unwrap();
    assert_eq!(tablet.answers(&call).await, None);
    let (sam, siri) = ((sam.who, sam.end), (tablet.who, tablet.end));
    let ship = ship.restart().await;
    let at = ship.server.http;
    let (sam, siri) = (Phone::again(sam.0.at(at), sam.1).await, Phone::again(siri.0.at(at), siri.1).await);
    let mut dana = Phone::of(ship.dana().await).await;
    // While both sides are connected, no timeout ends the call: not even after a minute, in which another call times
    // out.
    let tom = ship.crew("Tom").await;
    tom.post("/api/status/heartbeat", json!({})).await;
    dana.calls(&tom).await.unwrap();
    ship.clock.advance(SignedDuration::from_secs(60));
    dana.screen.see("call_missed").await;
    let now = sam.who.call(&call).await;
    assert_eq!((&now["state"], &now["callee_endpoint"]), (&json!("ongoing"), &json!(siri.end)));
    assert_eq!(siri.hangs_up(&call).await, None);
    let ended = dana.screen.see("call_ended").await["payload"].clone();
    assert_eq!((&ended["outcome"], &ended["ended_by"]["name"]), (&json!("completed"), &json!("Siri")));
}

#[tokio::test]
async fn a_call_whose_devices_don_t_come_back_after_a_restart_is_dropped() {
    let ship = Ship::sail().await;
    let [sam, tablet, ..] = four_devices(&ship).await;
    let call = sam.calls(&tablet.who).await.unwrap();
    tablet.answers(&call).await;
    let sam = sam.who;
    drop(tablet);
    let ship = ship.restart().await;
    let sam = sam.at(ship.server.http);
    assert_eq!(sam.call(&call).await["state"], "ongoing");
    let over = over_in_time(&ship, &sam, &call, SignedDuration::from_secs(46)).await;
    assert_eq!((&over["outcome"], &over["ended_by"]), (&json!("dropped"), &Value::Null));
    assert_eq!(ship.count("select count(*) from entries where type = 'call_dropped'").await, 1);
}

#[tokio::test]
async fn the_other_side_of_a_device_that_goes_is_told_at_once_and_when_it_is_back() {
    let ship = Ship::sail().await;
    let [mut sam, tablet, ..] = four_devices(&ship).await;
    let call = sam.calls(&tablet.who).await.unwrap();
    tablet.answers(&call).await;
    let (siri, end) = (tablet.who, tablet.end);
    let peer = |there| FromServer::Peer { call_id: call.parse().unwrap(), endpoint: end, there };
    drop(tablet.screen);
    assert_eq!(sam.screen.hears().await, peer(false));
    let mut back = Phone::again(siri, end).await;
    assert_eq!(sam.screen.hears().await, peer(true));
    assert!(matches!(back.screen.hears().await, FromServer::Peer { there: true, .. }));
    // The server notices the end of the old socket only after the new one has connected: this causes no event.
    let again = Phone::again(back.who, end).await;
    assert_eq!(sam.screen.hears().await, peer(true));
    drop(back.screen);
    sam.screen.settles().await;
    assert_eq!(sam.screen.heard, Vec::new());
    // It disconnects for good, and the remaining side reports it.
    drop(again.screen);
    assert_eq!(sam.screen.hears().await, peer(false));
    let gone = json!({ "type": "end_call", "call_id": call, "dropped": true });
    assert_eq!(sam.who.does(gone).await, None);
    let dropped = sam.screen.see("call_dropped").await["payload"].clone();
    assert_eq!((&dropped["outcome"], &dropped["ended_by"]), (&json!("dropped"), &Value::Null));
}

#[tokio::test]
async fn who_is_gone_when_it_is_answered_is_known_to_be_gone() {
    let ship = Ship::sail().await;
    let [sam, mut tablet, ..] = four_devices(&ship).await;
    let call = sam.calls(&tablet.who).await.unwrap();
    let (end, sockets) = (sam.end, ship.site.presence.sockets());
    drop(sam.screen);
    soon(async {
        while ship.site.presence.sockets() == sockets {
            tokio::task::yield_now().await;
        }
    })
    .await;
    tablet.answers(&call).await;
    let expected = FromServer::Peer { call_id: call.parse().unwrap(), endpoint: end, there: false };
    assert_eq!(tablet.screen.hears().await, expected);
}

#[tokio::test]
async fn a_call_rings_on_for_nobody_whose_caller_is_gone() {
    let ship = Ship::sail().await;
    let [sam, mut tablet, ..] = four_devices(&ship).await;
    ship.settings(|settings| settings.ring_time_s = 300).await;
    let call = sam.calls(&tablet.who).await.unwrap();
    drop(sam.screen);
    let over = over_in_time(&ship, &tablet.who, &call, SignedDuration::from_secs(16)).await;
    assert_eq!((&over["outcome"], &over["answered_at"]), (&json!("dropped"), &Value::Null), "{over}");
    tablet.screen.see("call_dropped").await;
    assert_eq!(tablet.who.missed().await, 1);
}

#[tokio::test]
async fn a_call_about_a_request_is_in_its_timeline() {
    let ship = Ship::sail().await;
    let [sam, tablet, ..] = four_devices(&ship).await;
    let request = sam.who.asks_for(1, "ice").await;
    let body = json!({ "callee_id": tablet.who.id, "endpoint": sam.end, "about": { "entity_type": "request", "id": request } });
    let (status, said) = sam.who.post("/api/call/initiate", body).await;
    assert_eq!((status, &said["call"]["about"]["name"]), (StatusCode::OK, &json!("Cabin 1")), "{said}");
    tablet.answers(said["call"]["id"].as_str().unwrap()).await;
    let told: Vec<_> = sam.who.timeline(&request).await.into_iter().map(|(_, kind)| kind).collect();
    assert_eq!(told, ["request_created", "call_started", "call_answered"]);
    let about = sam.who.get(&format!("/api/calls?about_id={request}")).await;
    assert_eq!(about["items"].as_array().unwrap().len(), 1);
    for (about, code) in [("request", "not_found"), ("moon", "invalid")] {
        let about = json!({ "entity_type": about, "id": fresh_id() });
        let (_, said) =
            sam.who.post("/api/call/initiate", json!({ "callee_id": ship.dana().await.id, "about": about })).await;
        // Sam is in a call, but the subject of the new one is checked first.
        assert_eq!(said["code"], code, "{said}");
    }
}

#[tokio::test]
async fn everybody_sees_who_can_be_called() {
    let ship = Ship::sail().await;
    let [sam, tablet, _, mut dana] = four_devices(&ship).await;
    let call = sam.calls(&tablet.who).await.unwrap();
    let mut sees = async |expected: [Status; 2]| loop {
        if let FromServer::Present { people } = dana.screen.notice().await {
            let of = |who: &Crew| {
                people.iter().find(|there| there.person_id.to_string() == who.id).map(|there| there.status)
            };
            if [of(&sam.who), of(&tablet.who)] == expected.map(Some) {
                return;
            }
        }
    };
    // A ringing callee isn't in a call yet.
    sees([Status::InCall, Status::Online]).await;
    tablet.answers(&call).await;
    sees([Status::InCall, Status::InCall]).await;
    tablet.who.post("/api/status/update", json!({ "status": "busy" })).await;
    sam.hangs_up(&call).await;
    sees([Status::Online, Status::Busy]).await;
    let (status, said) = tablet.who.post("/api/status/update", json!({ "status": "in_call" })).await;
    assert_eq!((status, &said["details"]["field"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("status")));
    let busy = json!({ "type": "set_busy", "person_id": sam.who.id, "busy": true });
    assert_eq!(dana.who.does(busy).await.as_deref(), Some("not_allowed"));
}

#[tokio::test]
async fn a_heartbeat_holds_for_half_a_minute_and_the_last_of_it_is_remembered() {
    let ship = Ship::sail().await;
    let (sam, tom) = (ship.sam().await, ship.crew("Tom").await);
    let of_tom = async || sam.get(&format!("/api/status/user/{}", tom.id)).await;
    assert_eq!(of_tom().await, json!({ "online": false, "status": "offline", "last_seen_at": null }));
    assert_eq!(tom.ask(Method::POST, "/api/status/heartbeat", None).await.0, StatusCode::OK);
    let now = of_tom().await;
    assert_eq!((&now["online"], &now["status"]), (&json!(true), &json!("online")));
    ship.clock.advance(SignedDuration::from_secs(31));
    let later = of_tom().await;
    assert_eq!((&later["online"], &later["last_seen_at"]), (&json!(false), &now["last_seen_at"]));
}
