//! Unreadable commands in the outbox: they aren't sent, and the person is notified.

use crewbell_core::screen::{Ask, Notice};

use crate::device::Device;
use crate::ship::Ship;

#[tokio::test]
async fn what_cant_be_read_any_more_is_told_and_can_be_taken_away() {
    let ship = Ship::sail().await;
    let siri = Device::of(ship.server.http, "Siri").await;
    ship.gus_in(5).await.press("single").await;
    let called = siri.sees("the card appears", |request| request.place_name == "Cabin 5").await.id;
    siri.goes_away().await;
    siri.accepts(called).await.unwrap();
    siri.notes(called, "Two towels").await.unwrap();
    let spoil = "update outbox set did = replace(did, 'note_request', 'fold_request') where did like '%note_request%'";
    let siri = siri.restart_after(async |disk| disk.tamper(spoil).await).await;

    let picture = siri.look().await;
    let told = Notice::Unreadable { count: 1 };
    assert!(picture.status.notices.contains(&told), "{:?}", picture.status.notices);
    assert_eq!(picture.outbox.len(), 1, "what can be read goes its way");
    let file = siri.ask(Ask::SaveOutbox).await.unwrap();
    let saved: serde_json::Value = serde_json::from_slice(&std::fs::read(file.as_str().unwrap()).unwrap()).unwrap();
    assert_eq!(saved["items"].as_array().unwrap().len(), 1);
    let did = saved["unreadable"][0]["did"].as_str().unwrap();
    assert!(did.contains("fold_request") && did.contains("Two towels"), "{did}");

    siri.wire.mend();
    siri.settled().await;
    assert_eq!(ship.count("select count(*) from entries where type = 'request_noted'").await, 0);
    siri.ask(Ask::PutAway { notice: "unreadable".into() }).await.unwrap();
    let siri = siri.restart().await;
    assert!(!siri.look().await.status.notices.contains(&told), "once it was read it isn't told again");
    let file = siri.ask(Ask::SaveOutbox).await.unwrap();
    assert!(std::fs::read_to_string(file.as_str().unwrap()).unwrap().contains("Two towels"), "it is still there");
}
