//! A full disk: events from the server are shown and ring; actions are refused unless they can be stored.

use crewbell_core::screen::{AskError, StorageState};

use crate::device::{Device, accepted_by};
use crate::ship::Ship;

#[tokio::test]
async fn a_full_disk_still_rings_takes_nothing_and_catches_up_when_there_is_room() {
    let ship = Ship::sail().await;
    let siri = Device::of(ship.server.http, "Siri").await;
    siri.disk.fill(true);
    ship.gus_in(5).await.press("single").await;
    let called = siri.sees("the card appears", |request| request.place_name == "Cabin 5").await.id;
    siri.rings(Some(called)).await;
    let full = |picture: &crewbell_core::screen::ViewState| {
        matches!(picture.status.storage, StorageState::Failing { full: true, .. })
    };
    siri.until("the full disk is told", full).await;
    let refused = siri.accepts(called).await;
    assert!(matches!(refused, Err(AskError::NotKept { full: true, .. })), "{refused:?}");
    assert!(siri.look().await.outbox.is_empty());
    assert_eq!(ship.count("select count(*) from entries where type = 'request_accepted'").await, 0);

    siri.disk.fill(false);
    siri.until("there is room again", |picture| picture.status.storage == StorageState::Good).await;
    let seen = siri.look().await.status.seq;
    assert_eq!(siri.disk.image().await.cursor.unwrap().seq, seen, "what waited is written");
    siri.accepts(called).await.unwrap();
    siri.sees("it is accepted", |request| accepted_by(request) == Some("Siri")).await;
    siri.settled().await;
    let picture = siri.look().await;
    let kept = siri.disk.image().await;
    assert_eq!(kept.entities.len(), picture.entities.len());
    assert!(kept.outbox.is_empty());
    assert_eq!(Some(kept.cursor.unwrap().seq), Some(picture.status.seq));
}
