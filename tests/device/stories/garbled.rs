//! Unreadable frames: their content is unknown, so the stream is resynchronised, and nothing is missed.

use std::collections::BTreeSet;

use crewbell_core::screen::{ConnectionError, CoreEvent};

use crate::device::{Device, requests};
use crate::ship::Ship;

#[tokio::test]
async fn a_frame_that_is_no_json_costs_the_connection_and_no_entry() {
    let ship = Ship::sail().await;
    let siri = Device::of(ship.server.http, "Siri").await;
    let dana = ship.dana().await;
    siri.live().await;
    let before = siri.look().await.lines.len();
    siri.shell.told.lock().unwrap().clear();

    siri.wire.garble_entries();
    let mut called = BTreeSet::new();
    for cabin in 1..=3 {
        called.insert(dana.asks_for(cabin, "ice").await);
    }
    let shown = |picture: &crewbell_core::screen::ViewState| {
        requests(picture).map(|(request, _)| request.id.to_string()).collect::<BTreeSet<_>>() == called
    };
    siri.until("every card appears", shown).await;
    let picture = siri.live().await;
    assert!(!siri.wire.is_to_garble(), "a frame was garbled");

    let told = siri.shell.told.lock().unwrap().clone();
    let noticed = |told: &CoreEvent| matches!(told, CoreEvent::Status { status } if status.trouble == Some(ConnectionError::Garbled));
    let again = |told: &CoreEvent| matches!(told, CoreEvent::Status { status } if status.link.is_there());
    let at = told.iter().position(noticed).expect("the device noticed");
    assert!(told[at..].iter().any(again), "and connected again");
    assert_eq!(picture.status.trouble, None);
    let seqs: Vec<u64> = picture.lines.iter().map(|line| line.seq).collect();
    assert!(seqs.is_sorted_by(|one, next| one < next), "each entry once: {seqs:?}");
    let created = picture.lines.iter().skip(before).filter(|line| line.kind == "request_created").count();
    assert_eq!(created, 3);
    let lines =
        told.iter().filter_map(|told| if let CoreEvent::Patch { lines, .. } = told { Some(lines) } else { None });
    let told_created = lines.flatten().filter(|line| line.kind == "request_created").count();
    assert_eq!(told_created, 3, "the screens were told of each once");
}
