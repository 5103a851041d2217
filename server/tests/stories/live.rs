//! The live socket, and the same stream as server-sent events.

use std::net::SocketAddr;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crewbell_server::auth::of_token;
use crewbell_server::live::{LARGEST_FRAME, Next, Stream};
use crewbell_shared::protocol::live::FromServer;
use crewbell_shared::testing::skipped;
use futures_util::future::join_all;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::Message;

use crate::cast::{Crew, Phone, Screen, command, fresh_id, text};
use crate::events::Events;
use crate::foreign::until;
use crate::ship::{Ship, soon};

const HEARTBEAT: &str = r#"{"t":"heartbeat"}"#;

#[tokio::test]
async fn who_does_not_say_who_they_are_is_refused_with_the_reason() {
    let ship = Ship::sail().await;
    let sam = ship.sam().await;
    let hello = json!({ "t": "hello", "token": sam.token }).to_string();
    let cases = [
        (Message::text(HEARTBEAT), "not_signed_in"),
        (Message::text(r#"{"t":"hello","token":""}"#), "not_signed_in"),
        (Message::text(json!({ "t": "hello", "token": format!("{}x", sam.token) }).to_string()), "not_signed_in"),
        (Message::text(r#"{"t":"hello"}"#), "invalid"),
        (Message::text("{"), "invalid"),
        (Message::text(r#"{"t":"open sesame"}"#), "not_signed_in"),
        (Message::binary(hello.clone().into_bytes()), "invalid"),
    ];
    for (first, code) in cases {
        let mut screen = Screen::open(sam.address).await;
        screen.send(first.clone()).await;
        assert_eq!(screen.refusal().await, code, "{first:?}");
    }
    // The same on an established stream.
    for (frame, code) in [(Message::text(hello), "invalid"), (Message::text("[]"), "invalid")] {
        let mut screen = sam.screen(None).await;
        screen.send(frame).await;
        assert_eq!(screen.refusal().await, code);
    }
    let mut screen = sam.screen(None).await;
    screen.try_send(Message::text("x".repeat(65 * 1024))).await;
    assert_eq!(screen.frame().await, None, "too large a frame is not read");
    assert_eq!(ship.server.registry.site(ship.site.id).await.unwrap().unwrap().slug, ship.site.slug);
}

#[tokio::test]
async fn a_socket_that_says_nothing_is_sent_away_after_ten_seconds() {
    let ship = Ship::sail().await;
    let mut screen = Screen::open(ship.server.http).await;
    let since = Instant::now();
    let code = tokio::time::timeout(Duration::from_secs(20), async {
        loop {
            // `soon` gives up after the server's own timeout.
            let frame = tokio::time::timeout(Duration::from_secs(15), screen.frame_whenever()).await.unwrap();
            if let Some(FromServer::Refused { refusal }) = frame {
                return refusal.code.to_string();
            }
        }
    });
    assert_eq!(code.await.unwrap(), "not_signed_in");
    assert!(since.elapsed() > Duration::from_secs(9));
}

#[tokio::test]
async fn who_falls_silent_goes_offline_however_much_they_are_sent() {
    let silence = Duration::from_secs(1);
    let ship = Ship::sail_with(|settings| settings.silence = silence).await;
    let (sam, dana) = (ship.sam().await, ship.dana().await);
    let siri = Phone::of(ship.siri().await).await;
    let status = async |who: &Crew| text(&dana.get(&format!("/api/status/user/{}", who.id)).await["status"]);
    // Sam's tablet says hello and leaves the Wi-Fi, without a sign to the server. Siri's sends heartbeats.
    let _tablet = sam.screen(None).await;
    let (since, before, mut beating) = (Instant::now(), ship.head(), siri.screen);
    let mut beat_at = since;
    soon(async {
        while status(&sam).await != "offline" {
            dana.asks_for(1, "ice").await;
            if beat_at.elapsed() > silence / 4 {
                beating.say(HEARTBEAT).await;
                beat_at = Instant::now();
            }
        }
    })
    .await;
    let (took, sent) = (since.elapsed(), ship.head() - before);
    assert!(took >= silence, "{took:?}");
    assert!(sent > 10, "{sent} entries were sent meanwhile");
    assert_eq!(status(&siri.who).await, "online");
    let missed = json!({ "type": "start_call", "call_id": fresh_id(), "callee_id": sam.id });
    assert_eq!(dana.does(missed.clone()).await, None);
    let call = dana.call(missed["call_id"].as_str().unwrap()).await;
    assert_eq!((&call["outcome"], &call["why"]), (&json!("missed"), &json!("offline")), "{call}");
}

#[tokio::test]
async fn a_flood_of_frames_is_refused_and_a_heart_that_beats_is_answered() {
    let ship = Ship::sail().await;
    let (sam, siri) = (ship.sam().await, ship.siri().await);
    let (mut calm, mut mad) = (sam.screen(None).await, siri.screen(None).await);
    // One at a time: a socket that is closed with unread frames discards the refusal.
    let code = loop {
        mad.say(HEARTBEAT).await;
        if let FromServer::Refused { refusal } = mad.frame().await.expect("a word before the end") {
            break refusal.code;
        }
    };
    assert_eq!(code.as_str(), "slow_down");
    calm.say(HEARTBEAT).await;
    let Some(FromServer::Pulse { head, sent, server_time }) = calm.frame().await else { panic!("no pulse") };
    assert_eq!((head, sent), (ship.head(), Some(ship.head())));
    assert!(server_time.duration_since(ship.clock.now()).abs().as_secs() < 10);
}

#[tokio::test]
async fn a_frame_of_a_newer_app_is_passed_over_and_the_socket_goes_on() {
    let ship = Ship::sail().await;
    let sam = ship.sam().await;
    let mut screen = sam.screen(None).await;
    for frame in [r#"{"t":"wave","to":{"everybody":[1,2]}}"#, r#"{"t":""}"#, r#"{"t":"welcome","head":"x"}"#] {
        screen.say(frame).await;
    }
    screen.say(HEARTBEAT).await;
    assert!(matches!(screen.frame().await, Some(FromServer::Pulse { .. })));
    let id = sam.asks_for(1, "ice").await;
    assert_eq!(screen.next().await["payload"]["id"], id.as_str());
    // Unknown frames count towards the rate limit like all others.
    for _ in 0..150 {
        if !screen.try_send(Message::text(r#"{"t":"wave"}"#)).await {
            break;
        }
    }
    assert_eq!(screen.refusal().await, "slow_down");
}

#[tokio::test]
async fn a_screen_that_was_away_gets_what_it_missed_and_then_what_is_new() {
    let ship = Ship::sail().await;
    let sam = ship.sam().await;
    let cursor = sam.screen(None).await.cursor;
    let missed = [sam.asks_for(1, "ice").await, sam.asks_for(2, "tea").await];
    let mut screen = sam.screen(Some(cursor)).await;
    for id in &missed {
        assert_eq!(screen.next().await["payload"]["id"], id.as_str());
    }
    let new = sam.asks_for(3, "a pillow").await;
    assert_eq!(screen.next().await["payload"]["id"], new.as_str());
    // From the very beginning, all entries.
    let mut screen = sam.screen(Some(0)).await;
    assert_eq!(screen.next().await["type"], "site_created");
    let seen = screen.until("request_created").await;
    assert!(seen.iter().any(|entry| entry["type"] == "guest_checked_in"));
}

#[tokio::test]
async fn a_thousand_missed_entries_come_in_few_frames_and_at_once() {
    let ship = Ship::sail().await;
    let sam = ship.sam().await;
    let cursor = ship.head();
    let place = "00000000-0000-0000-0000-000000000001";
    let create = || {
        let verb = json!({ "type": "create_request", "request_id": fresh_id(), "place_id": place, "kind": "call" });
        command(verb)
    };
    for _ in 0..2 {
        sam.sends(&(0..500).map(|_| create()).collect::<Vec<_>>()).await;
    }
    let catch_up = async |sam: &Crew, from: u64, where_from: &str| {
        let since = Instant::now();
        let mut screen = sam.screen(Some(from)).await;
        let (mut frames, mut read) = (0, 0);
        while read < 1000 {
            let Some(FromServer::Entries { prev, entries }) = screen.frame().await else { panic!("no entries") };
            assert_eq!(prev, screen.cursor);
            screen.cursor = entries.last().unwrap().meta.seq;
            (frames, read) = (frames + 1, read + entries.len());
        }
        let took = since.elapsed();
        println!("{read} missed entries in {frames} frames, {took:?} with the hello, from {where_from}");
        assert!(frames <= 4 && took < Duration::from_secs(2), "{frames} frames, {took:?}");
    };
    catch_up(&sam, cursor, "memory").await;
    // From the very beginning, and without entries in memory.
    let ship = ship.restart().await;
    let sam = sam.at(ship.server.http);
    catch_up(&sam, cursor, "the database").await;
    catch_up(&sam, 0, "the database, and the beginning").await;
}

#[tokio::test]
async fn a_screen_can_ask_for_some_categories_only() {
    let ship = Ship::sail().await;
    let (sam, alex) = (ship.sam().await, ship.alex().await);
    let mut screen = sam.screen_of(None, &["places", "people"]).await;
    sam.asks_for(1, "ice").await;
    let place = "00000000-0000-0000-0000-000000000001";
    assert_eq!(sam.does(json!({ "type": "set_do_not_disturb", "place_id": place, "on": true })).await, None);
    sam.asks_for(2, "ice").await;
    assert_eq!(alex.does(json!({ "type": "set_duty", "person_id": alex.id, "on_duty": true })).await, None);
    assert_eq!(screen.next().await["type"], "do_not_disturb_set");
    assert_eq!(screen.next().await["type"], "person_on_duty");
}

#[tokio::test]
async fn sign_ins_are_told_to_those_who_lead_and_no_reader_takes_the_hole_for_a_loss() {
    let ship = Ship::sail().await;
    let (dana, sam) = (ship.dana().await, ship.sam().await);
    let (mut danas, mut sams) = (dana.screen(None).await, sam.screen(None).await);
    let siri = ship.siri().await;
    let id = siri.asks_for(1, "ice").await;
    assert_eq!(danas.next().await["type"], "person_signed_in");
    assert_eq!(danas.next().await["payload"]["id"], id.as_str());
    // `next` compares each frame's `prev` with this socket's cursor.
    assert_eq!(sams.next().await["payload"]["id"], id.as_str());
    let seen = sam.get("/api/sync/entries?after=0").await;
    assert!(seen["entries"].as_array().unwrap().iter().all(|entry| entry["type"] != "person_signed_in"));
    // A person whose role is raised to lead sees them from then on.
    let alex = ship.alex().await;
    let rise = json!({ "type": "save_person", "person_id": sam.id, "name": "Sam", "role": "supervisor" });
    assert_eq!(alex.does(rise).await, None);
    ship.siri().await;
    assert_eq!(sams.next().await["type"], "person_changed");
    assert_eq!(sams.next().await["type"], "person_signed_in");
}

#[tokio::test]
async fn signing_out_closes_the_socket_of_that_device_and_no_other() {
    let ship = Ship::sail().await;
    let (sam, siri) = (ship.sam().await, ship.siri().await);
    let phone = sam.second_device().await;
    let (mut tablets, mut phones, mut siris) =
        (sam.screen(None).await, phone.screen(None).await, siri.screen(None).await);
    assert_eq!(sam.post("/api/auth/logout", json!({})).await.0, StatusCode::NO_CONTENT);
    assert_eq!(tablets.refusal().await, "not_signed_in");
    let id = phone.asks_for(1, "ice").await;
    assert_eq!(phones.next().await["payload"]["id"], id.as_str());
    assert_eq!(siris.next().await["payload"]["id"], id.as_str());
}

#[tokio::test]
async fn who_leaves_the_crew_is_cut_off_and_who_comes_back_is_not_cut_off_by_their_past() {
    let ship = Ship::sail().await;
    let (siri, alex) = (ship.siri().await, ship.alex().await);
    let mut screen = siri.screen(None).await;
    let cursor = screen.cursor;
    let save = |active: bool| json!({ "type": "save_person", "person_id": siri.id, "name": "Siri", "role": "crew", "active": active });
    assert_eq!(alex.does(save(false)).await, None);
    assert_eq!(screen.refusal().await, "not_signed_in");
    let (status, said) = siri.post("/api/service-requests", json!({})).await;
    assert_eq!((status, &said["code"]), (StatusCode::UNAUTHORIZED, &json!("not_signed_in")));
    assert_eq!(alex.does(save(true)).await, None);
    assert_eq!(siri.post("/api/auth/logout", json!({})).await.0, StatusCode::UNAUTHORIZED, "the old token stays ended");

    let siri = ship.siri().await;
    let mut screen = siri.screen(Some(cursor)).await;
    let seen = [screen.next().await, screen.next().await].map(|entry| entry["payload"]["active"].clone());
    assert_eq!(seen, [json!(false), json!(true)]);
    let id = siri.asks_for(1, "ice").await;
    assert_eq!(screen.next().await["payload"]["id"], id.as_str());
}

#[tokio::test]
async fn a_cursor_from_what_another_server_wrote_is_not_sent_to_the_snapshot() {
    let ship = Ship::sail().await;
    let twin = ship.twin().await;
    let (here, there) = (ship.sam().await, twin.sam().await);
    for _ in 0..5 {
        let id = there.asks_for(1, "ice").await;
        let cursor = here.get("/api/sync/entries?after=0").await["head"].as_u64().unwrap();
        let mut screen = here.screen(Some(cursor)).await;
        let answered = there.answer(&id, "accept").await;
        assert_eq!(answered.0, StatusCode::OK);
        assert_eq!(screen.next().await["type"], "request_accepted");
    }
    twin.server.stop().await;
}

/// Opens the live socket of a tablet that says hello, and then reads nothing.
async fn deaf(person: &Crew, cursor: u64) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut socket = soon(socket.connect(person.address)).await.unwrap();
    let upgrade = format!(
        "GET /api/live HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        person.address
    );
    socket.write_all(upgrade.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(soon(socket.read_u8()).await.unwrap());
    }
    assert!(answer.starts_with(b"HTTP/1.1 101"));
    let hello = json!({ "t": "hello", "token": person.token, "cursor": cursor }).to_string();
    // One text frame (RFC 6455, 5.2), masked with zeros.
    let length = u8::try_from(hello.len()).unwrap();
    assert!(length <= 125);
    let mut frame = vec![0x81, 0x80 | length, 0, 0, 0, 0];
    frame.extend(hello.as_bytes());
    socket.write_all(&frame).await.unwrap();
    socket
}

#[tokio::test]
async fn a_reader_that_is_too_slow_is_dropped_hinders_nobody_and_catches_up() {
    let ship = Ship::sail().await;
    let (sam, siri) = (ship.sam().await, ship.siri().await);
    let mut siris = siri.screen(None).await;
    let cursor = siris.cursor;
    let _deaf = deaf(&sam, cursor).await;
    until("the deaf tablet", async || ship.site.presence.sockets() == 2).await;

    // More than the kernel's socket buffers hold.
    let create = || {
        let (request, place) = (fresh_id(), "00000000-0000-0000-0000-000000000001");
        let words = "x".repeat(2000);
        let verb = "create_request";
        command(json!({ "type": verb, "request_id": request, "place_id": place, "kind": "call", "text": words }))
    };
    join_all((0..10).map(async |_| sam.sends(&(0..250).map(|_| create()).collect::<Vec<_>>()).await)).await;
    for _ in 0..2500 {
        siris.next().await;
    }
    let since = Instant::now();
    let id = siri.asks_for(2, "tea").await;
    assert_eq!(siris.next().await["payload"]["id"], id.as_str());
    assert!(since.elapsed() < Duration::from_secs(2), "the others don't wait for the deaf one: {:?}", since.elapsed());

    until("the deaf tablet dropped", async || ship.site.presence.sockets() == 1).await;
    let mut back = sam.screen(Some(cursor)).await;
    let mut count = 0;
    while back.next().await["payload"]["id"] != id.as_str() {
        count += 1;
    }
    assert_eq!(count, 2500);

    // A stalled socket doesn't delay the shutdown.
    let _deaf = deaf(&sam, cursor).await;
    until("the deaf tablet again", async || ship.site.presence.sockets() == 3).await;
    let since = Instant::now();
    ship.server.stop().await;
    assert!(since.elapsed() < Duration::from_secs(3), "{:?}", since.elapsed());
}

#[tokio::test]
async fn a_server_that_stops_says_bye_and_is_gone_at_once() {
    let ship = Ship::sail().await;
    let (sam, siri) = (ship.sam().await, ship.siri().await);
    let (mut sams, mut siris) = (sam.screen(None).await, siri.screen(None).await);
    let mut silent = Screen::open(ship.server.http).await;
    let _half_open = TcpStream::connect(ship.server.http).await.unwrap();
    let mut gus = ship.gus_in(1).await;
    gus.press("single").await;
    let mut events = Events::open(&sam, None).await;
    sams.see("request_created").await;
    siris.see("request_created").await;

    let since = Instant::now();
    ship.server.stop().await;
    let took = since.elapsed();
    assert!(took < Duration::from_secs(2), "stopping took {took:?}");
    for screen in [&mut sams, &mut siris, &mut silent] {
        assert_eq!(screen.frame().await, Some(FromServer::Bye { why: "restart".into() }));
        assert_eq!(screen.frame().await, None);
    }
    assert_eq!(events.next().await, None);
}

/// Script that says hello with Node's own `WebSocket`, and prints the messages until an entry comes.
const NODE: &str = r"
const [url, token] = process.argv.slice(1);
const socket = new WebSocket(url);
socket.onopen = () => socket.send(JSON.stringify({ t: 'hello', token }));
socket.onmessage = ({ data }) => {
    console.log(data);
    if (JSON.parse(data).t === 'entries') { socket.close(); }
};
socket.onerror = (error) => { console.log(JSON.stringify({ t: 'error', error: String(error.message) })); };
";

async fn node(address: SocketAddr, token: &str) -> Option<tokio::process::Child> {
    let version = tokio::process::Command::new("node").arg("--version").output().await.ok()?;
    let version = String::from_utf8_lossy(&version.stdout).trim().trim_start_matches('v').to_owned();
    if version.split('.').next()?.parse::<u32>().ok()? < 20 {
        return None;
    }
    let mut node = tokio::process::Command::new("node");
    node.args(["--experimental-websocket", "--eval", NODE, "--", &format!("ws://{address}/api/live"), token]);
    node.stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true).spawn().ok()
}

#[tokio::test]
async fn a_websocket_that_is_not_ours_hears_the_press() {
    let ship = Ship::sail().await;
    let sam = ship.sam().await;
    let Some(mut node) = node(sam.address, &sam.token).await else {
        return skipped("there is no Node.js 20 or newer here");
    };
    let mut lines = tokio::io::BufReader::new(node.stdout.take().unwrap()).lines();
    let mut heard = async || -> Value {
        loop {
            let line = soon(lines.next_line()).await.unwrap().expect("Node still listens");
            let frame: Value = serde_json::from_str(&line).unwrap();
            if frame["t"] != "present" {
                return frame;
            }
        }
    };
    let welcome = heard().await;
    assert_eq!((&welcome["t"], &welcome["person_id"]), (&json!("welcome"), &json!(sam.id)));
    let press_id = ship.gus_in(1).await.press("single").await;
    let frame = heard().await;
    assert_eq!(frame["prev"], welcome["head"]);
    let created = frame["entries"].as_array().unwrap().iter().find(|entry| entry["type"] == "request_created").cloned();
    let created = match created {
        Some(created) => created,
        None => heard().await["entries"][0].clone(),
    };
    assert_eq!(text(&created["payload"]["last_press_id"]), press_id);
    assert!(soon(node.wait()).await.unwrap().success());
}

#[tokio::test]
async fn a_cursor_beyond_the_look_at_the_token_skips_no_sign_out() {
    let ship = Ship::sail().await;
    let (sam, dana) = (ship.sam().await, ship.dana().await);
    for sent_by_others in [0, 3] {
        let (siri, before) = (ship.siri().await, ship.head());
        let who = of_token(&ship.server.registry, &siri.token).await.unwrap().unwrap();
        // Signs out between the check of the token and the first read of the log.
        assert!(siri.ask(reqwest::Method::POST, "/api/auth/logout", None).await.0.is_success());
        for _ in 0..sent_by_others {
            dana.asks_for(1, "ice").await;
        }
        for cursor in before..=ship.head() {
            let mut stream = Stream::new(&who, cursor, None, Vec::new());
            let next = soon(stream.next()).await;
            assert!(matches!(next, Ok(Next::SignedOut)), "from {cursor} of {before} to {}: {next:?}", ship.head());
        }
    }
    // A session that is still valid continues from there, without duplicates.
    let who = of_token(&ship.server.registry, &sam.token).await.unwrap().unwrap();
    dana.asks_for(1, "ice").await;
    let mut stream = Stream::new(&who, ship.head(), None, Vec::new());
    dana.asks_for(2, "ice").await;
    let Ok(Next::Entries(prev, entries)) = soon(stream.next()).await else { panic!("no entries") };
    assert_eq!((prev, entries.len(), entries[0].seq), (ship.head() - 1, 1, ship.head()));
}

#[tokio::test]
async fn no_page_of_the_log_is_too_large_to_be_sent_whatever_was_written() {
    let ship = Ship::sail().await;
    let (sam, dana) = (ship.sam().await, ship.dana().await);
    let before = ship.head();
    let text = "x".repeat(2000);
    // The maximum of notes on many requests: every note sends the whole request again.
    for cabin in (0..24).map(|number| 1 + number % 4) {
        let called = dana.asks_for(cabin, "ice").await;
        let note =
            |_| command(json!({ "type": "note_request", "request_id": called, "note_id": fresh_id(), "text": text }));
        assert!(dana.sends(&(0..15).map(note).collect::<Vec<_>>()).await.iter().all(|done| done["refusal"].is_null()));
    }
    let sizes = |entries: &[Value]| entries.iter().map(|entry| entry.to_string().len()).collect::<Vec<_>>();
    let bytes = |entries: &[Value]| sizes(entries).iter().sum::<usize>();
    // Over REST, page by page.
    let (mut cursor, mut all, mut pages) = (before, Vec::new(), 0);
    while cursor < ship.head() {
        let page = sam.get(&format!("/api/sync/entries?after={cursor}")).await;
        let entries = page["entries"].as_array().unwrap().clone();
        let largest = sizes(&entries).into_iter().max().unwrap_or(0);
        assert!(bytes(&entries) < 2 * 1024 * 1024 + largest, "{} bytes", bytes(&entries));
        cursor = page["cursor"].as_u64().unwrap();
        all.extend(entries);
        pages += 1;
    }
    assert!(bytes(&all) > 5 * 1024 * 1024 && pages > 3, "{} bytes on {pages} pages", bytes(&all));
    // A socket that resumes, and one that reads nothing for a while, get the same entries, once, in frames within the
    // limit.
    let mut screen = sam.screen(Some(before)).await;
    let mut seen = Vec::new();
    while seen.len() < all.len() {
        match screen.frame().await {
            Some(FromServer::Entries { entries, .. }) => {
                let length = serde_json::to_string(&entries).unwrap().len();
                assert!(length < LARGEST_FRAME / 4, "{length} bytes in a frame");
                seen.extend(entries.iter().map(|entry| entry.meta.seq));
            }
            other => panic!("{other:?}"),
        }
    }
    let numbers: Vec<u64> = all.iter().map(|entry| entry["meta"]["seq"].as_u64().unwrap()).collect();
    assert_eq!(seen, numbers);
}
