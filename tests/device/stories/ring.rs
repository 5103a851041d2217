//! A press rings on every device until a crew member accepts it, and every device shows the acceptor.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crewbell_core::screen::{ActivityQuery, Ask, AskError, ServerInfo};
use crewbell_shared::Code;
use crewbell_shared::ids::RequestId;
use crewbell_shared::request::RequestState;

use crate::device::{Device, accepted_by, request, requests};
use crate::props::until;
use crate::ship::Ship;
use crate::wire::Wire;

#[tokio::test]
async fn a_press_rings_until_siri_accepts_and_sam_sees_that_it_was_she() {
    let ship = Ship::sail().await;
    let (siri, sam) = (Device::of(ship.server.http, "Siri").await, Device::of(ship.server.http, "Sam").await);
    ship.gus_in(5).await.press("single").await;

    let called = siri.sees("the card appears", |request| request.place_name == "Cabin 5").await.id;
    siri.rings(Some(called)).await;
    sam.rings(Some(called)).await;

    let id = siri.accepts(called).await.unwrap();
    assert!(id.is_string(), "the command's id, and not {id}");
    siri.rings(None).await;
    sam.rings(None).await;
    let seen = sam.sees("Sam sees who accepted", |request| accepted_by(request) == Some("Siri")).await;
    assert_eq!(seen.id, called);
    let picture = siri.settled().await;
    assert!(!request(&picture, called).1, "the server's word has taken the echo's place");
}

#[tokio::test]
async fn a_server_is_found_by_its_address_and_nobody_else_is_one() {
    let ship = Ship::sail().await;
    let device = Device::new(ship.server.http).await;
    let typed = device.wire.address.to_string();
    let found = device.ask(Ask::FindServer { address: typed }).await.unwrap();
    let found: ServerInfo = serde_json::from_value(found).unwrap();
    assert_eq!((found.address, found.sites[0].slug.as_str()), (device.wire.base(), "serenity"));

    device.wire.cut();
    let nobody = device.ask(Ask::FindServer { address: device.wire.base() }).await;
    assert!(matches!(nobody, Err(AskError::NotCrewbell { .. })), "{nobody:?}");
    let nothing = device.ask(Ask::FindServer { address: "ftp://ship".into() }).await;
    assert!(matches!(nothing, Err(AskError::Unreadable { .. })), "{nothing:?}");
}

#[tokio::test]
async fn the_code_that_siri_shows_brings_sam_s_tablet_to_the_ship() {
    let ship = Ship::sail().await;
    let siri = Device::of(ship.server.http, "Siri").await;
    let code = siri.ask(Ask::JoinCode).await.unwrap();
    let [link, svg]: [String; 2] = serde_json::from_value(code).unwrap();
    assert!(svg.contains("<svg"));
    let found = Device::new(ship.server.http).await.ask(Ask::FindServer { address: link }).await.unwrap();
    assert_eq!((&found["address"], &found["site"]), (&siri.wire.base().into(), &"serenity".into()));
}

#[tokio::test]
async fn a_wrong_pin_is_refused_and_a_right_one_is_kept_in_the_vault() {
    let ship = Ship::sail().await;
    let device = Device::new(ship.server.http).await;
    let server = device.wire.base();
    let wrong = Ask::SignIn { server, site: "serenity".into(), name: "Sam".into(), secret: "0000".into() };
    let refused = device.ask(wrong).await;
    assert!(
        matches!(&refused, Err(AskError::Refused { refusal }) if refusal.code == Code::BadCredentials),
        "{refused:?}"
    );
    assert_eq!(*device.vault.token.lock().unwrap(), None);
    device.sign_in("Sam").await.unwrap();
    let picture = device.live().await;
    assert_eq!(picture.session.unwrap().person.name, "Sam");
    assert!(device.vault.token.lock().unwrap().is_some());
    let storage = device.ask(Ask::Storage).await.unwrap();
    assert_eq!(storage["token_in"], "file");
    assert!(storage["entities"].as_u64().unwrap() > 10);
}

#[tokio::test]
async fn who_signed_in_while_sam_slept_does_not_keep_him_from_being_up_to_date() {
    let ship = Ship::sail().await;
    let sam = Device::of(ship.server.http, "Sam").await;
    sam.goes_away().await;
    // An entry that only leads may see.
    ship.dana().await;
    sam.wire.mend();
    sam.live().await;
}

#[tokio::test]
async fn the_story_and_the_activity_come_from_the_server_and_from_the_device_without_it() {
    let ship = Ship::sail().await;
    let grace = Device::of(ship.server.http, "Grace").await;
    ship.gus_in(5).await.press("single").await;
    let called = grace.sees("the card appears", |request| request.place_name == "Cabin 5").await.id;
    grace.accepts(called).await.unwrap();
    grace.settled().await;
    let kinds = async || {
        let story = grace.ask(Ask::Timeline { request_id: called }).await.unwrap();
        let kinds = story.as_array().unwrap().iter().map(|line| line["kind"].as_str().unwrap().to_owned());
        kinds.collect::<Vec<_>>()
    };
    let activity = async || grace.ask(Ask::Activity { query: ActivityQuery::default() }).await.unwrap();
    assert_eq!(kinds().await, ["request_created", "request_accepted"]);
    let page = activity().await;
    assert_eq!((&page["partial"], &page["lines"][0]["subject"]), (&false.into(), &"Cabin 5".into()));
    let table = grace.ask(Ask::ExportActivity { query: ActivityQuery::default() }).await.unwrap();
    assert!(std::fs::read_to_string(table.as_str().unwrap()).unwrap().contains("request_accepted"));

    grace.wire.cut();
    assert_eq!(kinds().await, ["request_created", "request_accepted"]);
    let page = activity().await;
    let accepted =
        page["lines"].as_array().unwrap().iter().find(|line| line["line"]["kind"] == "request_accepted").unwrap();
    assert_eq!((&page["partial"], &accepted["subject"]), (&true.into(), &"Cabin 5".into()));
    let table = grace.ask(Ask::ExportActivity { query: ActivityQuery::default() }).await.unwrap();
    assert!(table.as_str().unwrap().ends_with("-partial.csv"));
    assert!(std::fs::read_to_string(table.as_str().unwrap()).unwrap().contains("request_accepted"));
}

#[tokio::test]
async fn what_the_guest_said_plays_again_without_the_ship() {
    let ship = Ship::sail().await;
    let siri = Device::of(ship.server.http, "Siri").await;
    let mut gus = ship.gus_in(5).await;
    gus.press("long").await;
    let voice = serde_json::json!({ "button": "main", "duration": 1, "format": "adpcm", "data": "AAECAwQFBgc=" });
    gus.tell("obedio/button/cabin-5/voice", voice).await;
    let called = siri.sees("the voice is there", |request| request.voice.is_some()).await.id;
    let other = RequestId(uuid::Uuid::now_v7());
    assert!(siri.ask(Ask::PlayVoice { request_id: other }).await.is_err());
    siri.ask(Ask::PlayVoice { request_id: called }).await.unwrap();
    siri.wire.cut();
    siri.ask(Ask::PlayVoice { request_id: called }).await.unwrap();
    siri.ask(Ask::StopVoice).await.unwrap();
    let played = siri.shell.played.lock().unwrap();
    let lengths: Vec<_> = played.iter().map(|played| played.as_ref().map(|recording| recording.wav.len())).collect();
    assert!(lengths[0].is_some() && lengths[0] == lengths[1] && lengths[2].is_none(), "{lengths:?}");
}

#[tokio::test]
async fn a_thousand_missed_entries_catch_up_on_two_devices() {
    let ship = Ship::sail().await;
    let (siri, sam) = (Device::of(ship.server.http, "Siri").await, Device::of(ship.server.http, "Sam").await);
    for device in [&siri, &sam] {
        device.goes_away().await;
    }
    let dana = ship.dana().await;
    let called = dana.asks_for(1, "ice").await;
    for batch in 0..10_u128 {
        let note = |number: u128| {
            serde_json::json!({ "type": "set_do_not_disturb", "place_id": uuid::Uuid::from_u128(1 + number / 2 % 5),
                                                "on": (number / 10 + batch).is_multiple_of(2) })
        };
        let commands: Vec<_> = (0..100).map(|number| crate::cast::command(note(number))).collect();
        assert!(dana.sends(&commands).await.iter().all(|outcome| outcome["refusal"].is_null()));
    }
    let accept = serde_json::json!({ "type": "accept_request", "request_id": called });
    assert_eq!(dana.does(accept).await, None);
    let head = ship.head();
    for device in [&siri, &sam] {
        device.wire.mend();
    }
    for device in [&siri, &sam] {
        let picture = device.until("all that was missed is there", |picture| picture.status.seq >= head).await;
        let (request, _) = requests(&picture).next().unwrap();
        assert!(matches!(request.state, RequestState::Accepted(_)));
        device.rings(None).await;
    }
}

#[tokio::test]
async fn a_shell_that_panics_costs_a_moment_and_the_device_rings_all_the_same() {
    let ship = Ship::sail().await;
    let siri = Device::of(ship.server.http, "Siri").await;
    for trip in &siri.shell.trips {
        trip.store(true, Ordering::SeqCst);
    }
    let called: RequestId = ship.dana().await.asks_for(1, "ice").await.parse().unwrap();
    siri.rings(Some(called)).await;
    assert!(siri.shell.trips.iter().all(|trip| !trip.load(Ordering::SeqCst)), "it tripped twice");
    siri.accepts(called).await.unwrap();
    siri.settled().await;
    siri.rings(None).await;
}

#[tokio::test]
async fn a_keyring_that_hangs_keeps_no_press_from_ringing() {
    let ship = Ship::sail().await;
    let siri = Device::of(ship.server.http, "Siri").await;
    // The token of an earlier sign-in is still to be revoked; then the keyring is to forget it.
    let way = Wire::to(ship.server.http).await;
    way.cut();
    let earlier = format!("\nrevoke {} - over", way.base());
    let vault = Arc::clone(&siri.vault);
    vault.token.lock().unwrap().as_mut().unwrap().push_str(&earlier);
    let _hangs = vault.owner.lock().await;
    let siri = siri.restart().await;
    siri.live().await;
    way.mend();
    until("the keyring asks its owner", async || vault.waits.load(Ordering::SeqCst)).await;

    ship.gus_in(5).await.press("single").await;
    let called = siri.sees("the card appears", |request| request.place_name == "Cabin 5").await.id;
    siri.rings(Some(called)).await;
    siri.accepts(called).await.unwrap();
    siri.rings(None).await;
    assert!(vault.waits.load(Ordering::SeqCst), "it hangs all the time");
}
