//! Signing out, by the person on the device or by an administrator.

use crewbell_core::screen::{Ask, AskError, ConnectionError, Link, Notice, ViewState};
use crewbell_core::store::CommandStatus;
use crewbell_shared::Code;
use crewbell_shared::person::PersonVerb;
use crewbell_shared::protocol::Verb;
use crewbell_shared::request::RequestVerb;
use reqwest::Method;

use crate::device::{Device, accepted_by};
use crate::ship::Ship;

#[tokio::test]
async fn a_lost_tablet_is_wiped_and_sends_what_waited_when_its_owner_is_back() {
    let ship = Ship::sail().await;
    let siri = Device::of(ship.server.http, "Siri").await;
    let person = siri.look().await.me().unwrap();
    ship.gus_in(5).await.press("single").await;
    let called = siri.sees("the card appears", |request| request.place_name == "Cabin 5").await.id;
    siri.goes_away().await;
    siri.accepts(called).await.unwrap();

    let path = format!("/api/people/{person}/sessions");
    let (status, said) = ship.alex().await.ask(Method::DELETE, &path, None).await;
    assert!(status.is_success(), "{said}");
    siri.wire.mend();
    let picture = siri.until("the device is signed out", |picture| picture.session.is_none()).await;
    assert_eq!((picture.status.link, picture.entities.len()), (Link::SignedOut, 0));
    assert!(picture.status.notices.contains(&Notice::Revoked));
    assert_eq!(picture.outbox.len(), 1, "what waited stays");
    assert_eq!(picture.last.unwrap().person.name, "Siri");
    siri.rings(None).await;
    let kept = siri.disk.image().await;
    assert!(kept.entities.is_empty() && kept.lines.is_empty() && kept.session.is_none());
    assert_eq!(kept.outbox.len(), 1);

    // The tablet may have been off when its owner returns: it shows the notice again.
    let siri = siri.restart().await;
    let picture = siri.look().await;
    assert!(picture.status.notices.contains(&Notice::Revoked));
    assert_eq!((picture.outbox.len(), picture.last.unwrap().person.name.as_str()), (1, "Siri"));

    // The outbox can be saved as a file, too.
    let file = siri.ask(Ask::SaveOutbox).await.unwrap();
    let saved: serde_json::Value = serde_json::from_slice(&std::fs::read(file.as_str().unwrap()).unwrap()).unwrap();
    assert_eq!((&saved["items"][0]["who"], &saved["items"][0]["state"]), (&"Siri".into(), &"waiting".into()));
    assert_eq!(saved["items"][0]["command"]["type"], "accept_request");

    siri.sign_in("Siri").await.unwrap();
    siri.sees("the accept came through", |request| accepted_by(request) == Some("Siri")).await;
    let picture = siri.settled().await;
    assert!(!picture.status.notices.contains(&Notice::Revoked));
    assert_eq!(ship.count("select count(*) from entries where type = 'request_accepted'").await, 1);
}

#[tokio::test]
async fn nobody_s_work_is_sent_in_another_s_name() {
    let ship = Ship::sail().await;
    let device = Device::of(ship.server.http, "Siri").await;
    let person = device.look().await.me().unwrap();
    ship.gus_in(5).await.press("single").await;
    let called = device.sees("the card appears", |request| request.place_name == "Cabin 5").await.id;
    device.goes_away().await;
    device.accepts(called).await.unwrap();
    ship.alex().await.ask(Method::DELETE, &format!("/api/people/{person}/sessions"), None).await;
    device.wire.mend();
    device.until("the device is signed out", |picture| picture.session.is_none()).await;
    device.sign_in("Sam").await.unwrap();
    device.goes_on_duty().await;
    device.rings(Some(called)).await;
    device.accepts(called).await.unwrap();
    device.sees("Sam's accept came through", |request| accepted_by(request) == Some("Sam")).await;
    let outbox = device.until("Sam's is done", |picture| picture.outbox.len() == 1).await.outbox;
    assert_eq!(outbox[0].by.name, "Siri");
}

#[tokio::test]
async fn signing_out_asks_first_while_something_waits() {
    let ship = Ship::sail().await;
    let sam = Device::of(ship.server.http, "Sam").await;
    ship.gus_in(5).await.press("single").await;
    let called = sam.sees("the card appears", |request| request.place_name == "Cabin 5").await.id;
    sam.goes_away().await;
    sam.accepts(called).await.unwrap();
    let refused = sam.ask(Ask::SignOut { discard: false }).await;
    assert!(matches!(&refused, Err(AskError::Refused { refusal }) if refusal.code == Code::InUse), "{refused:?}");
    assert!(sam.look().await.session.is_some());
    sam.ask(Ask::SignOut { discard: true }).await.unwrap();
    let picture = sam.look().await;
    assert!(picture.session.is_none() && picture.outbox.is_empty() && picture.entities.is_empty());
    sam.rings(None).await;
    assert_eq!(ship.count("select count(*) from entries where type = 'request_accepted'").await, 0);
    let sam = sam.restart().await;
    assert!(sam.look().await.status.notices.is_empty(), "who left of their own accord was not signed out");
}

#[tokio::test]
async fn signing_out_ends_the_session_on_the_server() {
    let ship = Ship::sail().await;
    let sam = Device::of(ship.server.http, "Sam").await;
    sam.ask(Ask::SignOut { discard: false }).await.unwrap();
    assert_eq!(sam.look().await.status.link, Link::SignedOut);
    crate::ship::soon(async {
        while ship.count("select count(*) from entries where type = 'person_signed_out'").await == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    forgotten(&sam).await;
}

/// Waits until the vault is empty.
async fn forgotten(device: &Device) {
    crate::ship::soon(async {
        while device.vault.token.lock().unwrap().is_some() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn who_signs_out_away_is_signed_out_on_the_server_when_it_is_back_also_after_a_restart() {
    let ship = Ship::sail().await;
    let sam = Device::of(ship.server.http, "Sam").await;
    // The token is the last part of the stored string, after its owner.
    let token = sam.vault.token.lock().unwrap().as_ref().unwrap().rsplit(' ').next().unwrap().to_owned();
    let ended = async || ship.count("select count(*) from entries where type = 'person_signed_out'").await;
    sam.goes_away().await;
    sam.ask(Ask::SignOut { discard: true }).await.unwrap();
    let picture = sam.look().await;
    assert!(picture.session.is_none() && picture.entities.is_empty(), "here it is so at once");
    let sam = sam.restart().await;
    assert!(sam.vault.token.lock().unwrap().as_ref().is_some_and(|kept| kept.contains(&token)));
    assert_eq!(ended().await, 0);
    sam.wire.mend();
    forgotten(&sam).await;
    assert_eq!(ended().await, 1);
    let settings = sam.look().await.settings;
    assert!(sam.look().await.session.is_none(), "{settings:?}");
}

#[tokio::test]
async fn a_colleague_who_was_deactivated_is_no_reason_to_wipe_the_device_of_whoever_hands_over_to_them() {
    let ship = Ship::sail().await;
    let siri = Device::of(ship.server.http, "Siri").await;
    ship.gus_in(5).await.press("single").await;
    let called = siri.sees("the card appears", |request| request.place_name == "Cabin 5").await.id;
    siri.accepts(called).await.unwrap();
    siri.settled().await;
    siri.goes_away().await;
    let tom = crate::ship::id(4);
    siri.does(Verb::Request(RequestVerb::HandOver { request_id: called, to: tom })).await.unwrap();
    let role = crewbell_shared::person::Role::Technician;
    ship.set_up(Verb::Person(PersonVerb::Save { person_id: tom, name: "Tom".into(), role, active: false })).await;
    siri.wire.mend();
    let picture = siri.until("she is told", |picture| picture.status.refused == 1).await;
    let CommandStatus::Refused { refusal, .. } = &picture.outbox[0].doing else { panic!("{:?}", picture.outbox) };
    assert_eq!(refusal.code, Code::NotActive);
    // After another sign-in as well, the refused command stays, and wipes nothing.
    let siri = siri.restart().await;
    let picture = siri.live().await;
    assert!(picture.session.is_some() && picture.entities.len() > 10);
    assert!(!picture.status.notices.contains(&Notice::Revoked));
    siri.sees("it is still hers", |request| accepted_by(request) == Some("Siri")).await;
}

#[tokio::test]
async fn a_vault_that_has_lost_the_token_wipes_nothing_and_is_told() {
    let ship = Ship::sail().await;
    let sam = Device::of(ship.server.http, "Sam").await;
    let token = sam.vault.token.lock().unwrap().take();
    let sam = sam.restart().await;
    let is_told = |picture: &ViewState| matches!(picture.status.trouble, Some(ConnectionError::Vault { .. }));
    let picture = sam.until("Sam is told", is_told).await;
    assert!(picture.session.is_some() && picture.entities.len() > 10, "a keyring may come later than the app");
    *sam.vault.token.lock().unwrap() = token;
    sam.ask(Ask::Connect).await.unwrap();
    sam.live().await;
}
