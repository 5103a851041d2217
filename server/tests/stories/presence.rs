//! Who is there, on how many devices, and which of them an alert reached.

use std::time::{Duration, Instant};

use crewbell_shared::protocol::live::{FromClient, FromServer, Presence, Status};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::cast::{Crew, Screen};
use crate::ship::{Ship, soon};

/// Who a screen says is there: each with their devices and how many of them sound.
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

/// Waits until a screen is told that these are there, and no others.
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
    // An answer to the last of them, so that all have been heard.
    says(&mut sams, FromClient::Heartbeat).await;
    assert!(matches!(sams.frame().await, Some(FromServer::Pulse { .. })));
    sees(&mut siris, &[(&sam, 1, 1), (&siri, 1, 0)]).await;
    let (told, took) = (siris.notices.len() - before, since.elapsed());
    let most = usize::try_from(took.as_millis() / 250).unwrap() + 2;
    assert!(told <= most, "{told} notices in {took:?}");
    // And another's silence is one more.
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
    // Twice is once; and a third device that comes has not sounded it yet.
    sounds(&mut sams, &ship, &request).await;
    let mut tablet = siri.second_device().await.screen(None).await;
    reaches(&mut siris, &request, 3, 1).await;
    // Who comes later is told what there is to tell.
    reaches(&mut tablet, &request, 3, 1).await;
    sounds(&mut siris, &ship, &request).await;
    reaches(&mut tablet, &request, 3, 2).await;
    // A device that sounded it and went has sounded it; one that didn't and went is none.
    drop(sams);
    drop(siris);
    while reached(&request).await != json!({ "devices": 3, "sounded": 2 }) || ship.site.presence.sockets() != 1 {}
    // Accepted it goes on, closed it is over.
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
    // Nothing of it is in the log.
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
    // What nobody asked for reaches nobody, and breaks nothing.
    sounds(&mut screen, &ship, &crate::cast::fresh_id()).await;
    assert!(tokio::time::timeout(Duration::from_millis(600), screen.notice()).await.is_err(), "nothing is told of it");
}
