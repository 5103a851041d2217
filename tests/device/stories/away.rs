//! Actions of an offline device: they are shown, stored and executed once, whatever happens in between.

use crewbell_core::screen::Notice;
use crewbell_core::store::CommandStatus;
use crewbell_shared::Code;
use crewbell_shared::ids::RequestId;
use crewbell_shared::protocol::EntityType;

use crate::database::superuser;
use crate::device::{Device, accepted_by, request};
use crate::ship::Ship;

/// Gus presses the button; waits until a device shows the request.
async fn called(ship: &Ship, device: &Device) -> RequestId {
    ship.gus_in(5).await.press("single").await;
    device.sees("the card appears", |request| request.place_name == "Cabin 5").await.id
}

async fn away(device: &Device) {
    device.goes_away().await;
}

/// Returns the entries of a request in the server's log.
async fn log(ship: &Ship, id: RequestId) -> Vec<String> {
    let timeline = ship.dana().await.timeline(&id.to_string()).await;
    timeline.into_iter().map(|(who, what)| format!("{who}: {what}")).collect()
}

#[tokio::test]
async fn what_siri_does_away_survives_a_restart_and_is_done_once() {
    let ship = Ship::sail().await;
    let siri = Device::of(ship.server.http, "Siri").await;
    let called = called(&ship, &siri).await;
    away(&siri).await;
    siri.accepts(called).await.unwrap();
    siri.notes(called, "Two towels").await.unwrap();
    let picture = siri.look().await;
    let (shown, pending) = request(&picture, called);
    assert_eq!((accepted_by(&shown), shown.notes.len(), pending), (Some("Siri"), 1, true));
    assert_eq!(picture.status.waiting, 2);
    siri.rings(None).await;

    let siri = siri.restart().await;
    let picture = siri.look().await;
    assert_eq!((accepted_by(&request(&picture, called).0), picture.status.waiting), (Some("Siri"), 2));
    siri.wire.mend();
    let picture = siri.settled().await;
    let (shown, pending) = request(&picture, called);
    assert_eq!((accepted_by(&shown), shown.notes.len(), pending), (Some("Siri"), 1, false));
    assert_eq!(log(&ship, called).await, ["Cabin 5: request_created", "Siri: request_accepted", "Siri: request_noted"]);
}

#[tokio::test]
async fn both_accept_away_and_the_second_is_told_who_was_first() {
    let ship = Ship::sail().await;
    let (siri, sam) = (Device::of(ship.server.http, "Siri").await, Device::of(ship.server.http, "Sam").await);
    let called = called(&ship, &siri).await;
    sam.rings(Some(called)).await;
    for device in [&siri, &sam] {
        away(device).await;
        device.accepts(called).await.unwrap();
    }
    siri.wire.mend();
    siri.settled().await;
    sam.wire.mend();
    let picture = sam.until("Sam is told", |picture| picture.status.refused == 1).await;
    let CommandStatus::Refused { refusal, .. } = &picture.outbox[0].doing else { panic!("{:?}", picture.outbox) };
    assert_eq!((refusal.code, &refusal.details["by"]["name"]), (Code::AlreadyAccepted, &"Siri".into()));
    sam.sees("Sam sees who has it", |request| accepted_by(request) == Some("Siri")).await;
    sam.ask(crewbell_core::screen::Ask::Discard { command_id: picture.outbox[0].command_id }).await.unwrap();
    sam.settled().await;
    assert_eq!(log(&ship, called).await, ["Cabin 5: request_created", "Siri: request_accepted"]);
}

#[tokio::test]
async fn a_line_that_falls_silent_is_taken_for_dead_and_made_anew() {
    let ship = Ship::sail().await;
    let siri = Device::of(ship.server.http, "Siri").await;
    siri.wire.stall();
    siri.until("the silence is noticed", |picture| !picture.status.link.is_there()).await;
    let called = ship.siri().await.asks_for(2, "ice").await;
    siri.wire.cut();
    siri.wire.mend();
    let id: RequestId = called.parse().unwrap();
    siri.rings(Some(id)).await;
}

#[tokio::test]
async fn a_server_that_was_restored_from_a_backup_is_noticed_and_told_again() {
    let ship = Ship::sail().await;
    let siri = Device::of(ship.server.http, "Siri").await;
    let called = called(&ship, &siri).await;
    siri.live().await;
    let backup = i64::try_from(ship.head()).unwrap();
    // Accepted after the backup, and confirmed: the restored backup doesn't have it.
    siri.accepts(called).await.unwrap();
    siri.settled().await;
    away(&siri).await;
    siri.notes(called, "Two towels").await.unwrap();

    let db = ship.db.clone();
    let ship = ship
        .stopped_while(async {
            let mut root = superuser(&db).await;
            for sql in [
                "delete from entries where seq > $1",
                "delete from commands where $1 > 0",
                "update requests set state = 'open', accepted_by = null, accepted_by_name = null, accepted_at = null \
                 where $1 > 0",
                "update sites set head = $1",
            ] {
                sqlx::query(sql).bind(backup).execute(&mut root).await.unwrap();
            }
        })
        .await;
    // The log grows past the device's cursor again.
    let dana = ship.dana().await;
    for cabin in 1..=4 {
        dana.asks_for(cabin, "ice").await;
    }
    siri.wire.lead_to(ship.server.http);
    siri.wire.mend();
    let noticed = |notice: &Notice| matches!(notice, Notice::Restored { .. });
    siri.until("the restore is noticed", |picture| picture.status.notices.iter().any(noticed)).await;
    let picture = siri.settled().await;
    let (shown, pending) = request(&picture, called);
    assert!(!pending);
    assert_eq!((accepted_by(&shown), shown.notes.len()), (None, 1), "the note that waited came through");
    let count = picture.entities.iter().filter(|shown| shown.entity.entity_type() == EntityType::Request).count();
    assert_eq!(count, 5);
}
