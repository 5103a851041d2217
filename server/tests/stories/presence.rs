//! Presence: the connected people, their devices, and the number of devices that an alert reached.

use std::time::{Duration, Instant};

use crewbell_shared::protocol::live::{FromClient, FromServer, LastSeen, Presence, Status};
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};

use crate::cast::{Crew, Screen};
use crate::ship::{Ship, soon};

/// The people in a presence frame: each with the number of their devices, and of those that can sound.
type There = Vec<(String, u32, u32)>;

fn there(people: &[Presence]) -> There {
    people.iter().map(|there| (there.person_id.to_string(), there.devices, there.sounding)).collect()
}

fn expected(people: &[(&Crew, u32, u32)]) -> There {
    let mut there: There =
        people.iter().map(|(crew, devices, sounding)| (crew.id.clone(), *devices, *sounding)).collect();
    there.sort();
    there
}

/// Waits until a socket gets a presence frame with exactly these people.
async fn sees(screen: &mut Screen, people: &[(&Crew, u32, u32)]) {
    let mut last = screen.notices.last().cloned();
    loop {
        if let Some(FromServer::Present { people: told }) = &last
            && there(told) == expected(people)
        {
            return;
        }
        last = Some(screen.notice().await);
    }
}

/// Waits until a socket gets the last-seen time of a person who isn't connected; returns it.
async fn last_saw(screen: &mut Screen, who: &Crew) -> Timestamp {
    let mut from = 0;
    loop {
        for notice in &screen.notices[from..] {
            let FromServer::Seen { people } = notice else { continue };
            if let Some(seen) = people.iter().find(|seen| seen.person_id.to_string() == who.id) {
                return seen.at;
            }
        }
        from = screen.notices.len();
        screen.notice().await;
    }
}

/// Returns a person's last-seen time from the HTTP API.
async fn last_seen(asks: &Crew, who: &Crew) -> Option<Timestamp> {
    let status = asks.get(&format!("/api/status/user/{}", who.id)).await;
    status["last_seen_at"].as_str().map(|at| at.parse().unwrap())
}

/// Returns a person's last-seen time from the database.
async fn kept(ship: &Ship, who: &Crew) -> Option<Timestamp> {
    let mut tx = ship.server.registry.db.read(ship.site.id).await.unwrap();
    let seen = crewbell_server::db::people::last_seen(&mut tx, ship.site.id).await.unwrap();
    seen.iter().find(|seen| seen.person_id.to_string() == who.id).map(|seen| seen.at)
}

async fn reaches(screen: &mut Screen, request: &str, devices: u32, sounded: u32) {
    let request_id = request.parse().unwrap();
    while screen.notice().await != (FromServer::Reached { request_id, devices, sounded }) {}
}

async fn says(screen: &mut Screen, frame: FromClient) {
    screen.say(&serde_json::to_string(&frame).unwrap()).await;
}

async fn sounds(screen: &mut Screen, ship: &Ship, request: &str) {
    says(screen, FromClient::Sounded { request_id: request.parse().unwrap(), at: ship.clock.now() }).await;
}

#[tokio::test]
async fn everybody_is_told_who_is_there_and_on_how_many_devices_they_can_be_heard() {
    let ship = Ship::sail().await;
    let (sam, siri) = (ship.sam().await, ship.siri().await);
    let mut tablet = sam.screen(None).await;
    // The first frame after the welcome.
    let first = soon(tablet.any_frame()).await.unwrap();
    assert_eq!(
        first,
        FromServer::Present {
            people: vec![Presence {
                person_id: sam.id.parse().unwrap(),
                devices: 1,
                sounding: 0,
                status: Status::Online,
            }]
        }
    );

    let mut siris = siri.screen(None).await;
    sees(&mut siris, &[(&sam, 1, 0), (&siri, 1, 0)]).await;
    sees(&mut tablet, &[(&sam, 1, 0), (&siri, 1, 0)]).await;
    let mut phone = sam.second_device().await.screen(None).await;
    sees(&mut siris, &[(&sam, 2, 0), (&siri, 1, 0)]).await;

    says(&mut phone, FromClient::Sound { able: true, why: None }).await;
    sees(&mut siris, &[(&sam, 2, 1), (&siri, 1, 0)]).await;
    tablet.say(r#"{"t":"sound","able":true}"#).await;
    sees(&mut siris, &[(&sam, 2, 2), (&siri, 1, 0)]).await;
    says(&mut phone, FromClient::Sound { able: false, why: Some("no output".into()) }).await;
    sees(&mut siris, &[(&sam, 2, 1), (&siri, 1, 0)]).await;

    drop(tablet);
    sees(&mut siris, &[(&sam, 1, 0), (&siri, 1, 0)]).await;
    drop(phone);
    sees(&mut siris, &[(&siri, 1, 0)]).await;
    assert_eq!(siri.get(&format!("/api/status/user/{}", sam.id)).await["online"], false);
}

#[tokio::test]
async fn changes_that_come_at_once_are_told_once_and_the_last_state_always() {
    let ship = Ship::sail().await;
    let (sam, siri) = (ship.sam().await, ship.siri().await);
    let (mut sams, mut siris) = (sam.screen(None).await, siri.screen(None).await);
    sees(&mut siris, &[(&sam, 1, 0), (&siri, 1, 0)]).await;
    let (before, since) = (siris.notices.len(), Instant::now());
    for number in 0..81 {
        says(&mut sams, FromClient::Sound { able: number % 2 == 0, why: None }).await;
    }
    // The pulse answers the last frame, so all earlier frames have been processed.
    says(&mut sams, FromClient::Heartbeat).await;
    assert!(matches!(sams.frame().await, Some(FromServer::Pulse { .. })));
    sees(&mut siris, &[(&sam, 1, 1), (&siri, 1, 0)]).await;
    let (told, took) = (siris.notices.len() - before, since.elapsed());
    let most = usize::try_from(took.as_millis() / 250).unwrap() + 2;
    assert!(told <= most, "{told} notices in {took:?}");
    // The loss of another person's device is one notice more.
    drop(sams);
    sees(&mut siris, &[(&siri, 1, 0)]).await;
}

#[tokio::test]
async fn the_crew_is_told_how_many_devices_an_alert_reached() {
    let ship = Ship::sail().await;
    let (sam, siri) = (ship.sam().await, ship.siri().await);
    let (mut sams, mut siris) = (sam.screen(None).await, siri.screen(None).await);
    let request = sam.asks_for(1, "ice").await;
    let reached = async |request: &str| siri.get(&format!("/api/service-requests/{request}")).await["reached"].clone();
    siris.see("request_created").await;
    sounds(&mut sams, &ship, &request).await;
    reaches(&mut siris, &request, 2, 1).await;
    assert_eq!(reached(&request).await, json!({ "devices": 2, "sounded": 1 }));
    // A repeated receipt counts once; a third device that connects has not sounded the alert yet.
    sounds(&mut sams, &ship, &request).await;
    let mut tablet = siri.second_device().await.screen(None).await;
    reaches(&mut siris, &request, 3, 1).await;
    // Sockets that connect later get the current counts.
    reaches(&mut tablet, &request, 3, 1).await;
    sounds(&mut siris, &ship, &request).await;
    reaches(&mut tablet, &request, 3, 2).await;
    // A disconnected device still counts if it sounded the alert, and doesn't otherwise.
    drop(sams);
    drop(siris);
    while reached(&request).await != json!({ "devices": 3, "sounded": 2 }) || ship.site.presence.sockets() != 1 {}
    // Receipts continue after the acceptance, and end with the request.
    assert!(siri.answer(&request, "accept").await.0.is_success());
    assert_eq!(reached(&request).await, json!({ "devices": 3, "sounded": 2 }));
    assert!(siri.answer(&request, "complete").await.0.is_success());
    soon(async { while reached(&request).await != Value::Null {} }).await;
    sounds(&mut tablet, &ship, &request).await;
    let other = sam.asks_for(2, "tea").await;
    sounds(&mut tablet, &ship, &other).await;
    reaches(&mut tablet, &other, 1, 1).await;
    assert_eq!(reached(&request).await, Value::Null);
    ship.clock.advance(SignedDuration::from_mins(61));
    assert_eq!(reached(&other).await, Value::Null);
    // The log has no entry about it.
    assert_eq!(ship.count("select count(*) from entries where type like '%sound%' or type like '%reach%'").await, 0);
}

#[tokio::test]
async fn after_a_restart_receipts_of_what_is_still_open_count_again() {
    let ship = Ship::sail().await;
    let sam = ship.sam().await;
    let request = sam.asks_for(1, "ice").await;
    let ship = ship.restart().await;
    let sam = sam.at(ship.server.http);
    let mut screen = sam.screen(None).await;
    sounds(&mut screen, &ship, &request).await;
    reaches(&mut screen, &request, 1, 1).await;
    // Receipts for an unknown request are ignored.
    sounds(&mut screen, &ship, &crate::cast::fresh_id()).await;
    assert!(tokio::time::timeout(Duration::from_millis(600), screen.notice()).await.is_err(), "nothing is told of it");
}

#[tokio::test]
async fn the_last_device_of_somebody_who_goes_leaves_when_they_were_last_seen() {
    let ship = Ship::sail().await;
    let (sam, siri) = (ship.sam().await, ship.siri().await);
    let (tablet, mut siris) = (sam.screen(None).await, siri.screen(None).await);
    let phone = sam.second_device().await.screen(None).await;
    sees(&mut siris, &[(&sam, 2, 0), (&siri, 1, 0)]).await;
    ship.clock.advance(SignedDuration::from_mins(5));
    drop(tablet);
    sees(&mut siris, &[(&sam, 1, 0), (&siri, 1, 0)]).await;
    assert!(!siris.notices.iter().any(|told| matches!(told, FromServer::Seen { .. })), "one device is there still");
    ship.clock.advance(SignedDuration::from_mins(10));
    drop(phone);
    let at = last_saw(&mut siris, &sam).await;
    let ago = ship.clock.now().duration_since(at);
    assert!(ago < SignedDuration::from_mins(1), "{ago}");
    // It is sent before the presence frame without the person, and to sockets that connect later.
    sees(&mut siris, &[(&siri, 1, 0)]).await;
    assert_eq!(last_seen(&siri, &sam).await, Some(at));
    let mut danas = ship.dana().await.screen(None).await;
    assert_eq!(
        soon(danas.any_frame()).await,
        Some(FromServer::Seen { people: vec![LastSeen { person_id: sam.id.parse().unwrap(), at }] })
    );
    // A person who has reconnected is present, and isn't reported as last seen.
    let back = sam.screen(None).await;
    let mut graces = ship.grace().await.screen(None).await;
    assert!(matches!(soon(graces.any_frame()).await, Some(FromServer::Present { .. })));
    drop(back);
    // The log has no entry about it.
    assert_eq!(ship.count("select count(*) from entries where type like '%seen%'").await, 0);
}

#[tokio::test]
async fn when_somebody_was_last_seen_survives_a_restart_of_the_server() {
    let ship = Ship::sail().await;
    let (sam, siri, tom) = (ship.sam().await, ship.siri().await, ship.crew("Tom").await);
    assert_eq!(last_seen(&siri, &tom).await, None, "who never was there was never seen");
    let (tablet, mut siris) = (sam.screen(None).await, siri.screen(None).await);
    drop(tablet);
    let at = last_saw(&mut siris, &sam).await;
    ship.clock.advance(SignedDuration::from_hours(9));
    let (stopped, clock) = (ship.clock.now(), ship.clock.clone());
    let ship = ship.stopped_while(async { clock.advance(SignedDuration::from_hours(1)) }).await;
    let (sam, siri, tom) = (sam.at(ship.server.http), siri.at(ship.server.http), tom.at(ship.server.http));
    assert_eq!(last_seen(&tom, &sam).await, Some(at), "Sam went before");
    let siris = last_seen(&tom, &siri).await.unwrap().duration_since(stopped);
    assert!(siris < SignedDuration::from_mins(1), "Siri was there until the server stopped: {siris} after");
    let mut toms = tom.screen(None).await;
    assert_eq!(last_saw(&mut toms, &sam).await, at);
}

#[tokio::test]
async fn who_is_there_is_kept_once_a_minute_and_not_with_every_heartbeat() {
    let ship = Ship::sail().await;
    let (sam, siri) = (ship.sam().await, ship.siri().await);
    let screen = siri.screen(None).await;
    ship.clock.advance(SignedDuration::from_mins(2));
    let first = soon(async {
        loop {
            if let Some(at) = kept(&ship, &siri).await {
                break at;
            }
        }
    })
    .await;
    // Within a minute neither a heartbeat nor the socket causes a write.
    let beat = async || sam.ask(Method::POST, "/api/status/heartbeat", None).await.0.is_success();
    ship.clock.advance(SignedDuration::from_secs(2));
    assert!(beat().await);
    let said = last_seen(&siri, &sam).await.unwrap();
    // An expired heartbeat is written, without the people who are still present.
    ship.clock.advance(SignedDuration::from_secs(31));
    soon(async { while kept(&ship, &sam).await != Some(said) {} }).await;
    assert_eq!(kept(&ship, &siri).await, Some(first));
    assert_eq!(last_seen(&siri, &sam).await, Some(said));
    // The minute is over.
    ship.clock.advance(SignedDuration::from_secs(28));
    soon(async { while kept(&ship, &siri).await == Some(first) {} }).await;
    drop(screen);
}
