//! A tablet that was offline while much was written.

use crewbell_shared::protocol::EntityType;
use serde_json::json;

use crate::cast::{command, fresh_id};
use crate::device::{Device, requests};
use crate::proxy::Proxy;
use crate::ship::Ship;

/// Number of requests, and of notes on each: every note sends the whole request again, some MiB together.
const REQUESTS: usize = 24;
const NOTES: usize = 15;

#[tokio::test]
async fn a_tablet_that_was_away_while_much_was_written_catches_up_by_socket_and_by_events() {
    let ship = Ship::sail().await;
    let proxy = Proxy::to(ship.server.http).await;
    let devices = [Device::of(ship.server.http, "Siri").await, Device::of(proxy.address, "Sam").await];
    for device in &devices {
        device.goes_away().await;
    }
    let dana = ship.dana().await;
    let text = "x".repeat(2000);
    for cabin in (0..REQUESTS as u128).map(|number| 1 + number % 4) {
        let called = dana.asks_for(cabin, "ice").await;
        let note =
            |_| command(json!({ "type": "note_request", "request_id": called, "note_id": fresh_id(), "text": text }));
        for outcome in dana.sends(&(0..NOTES).map(note).collect::<Vec<_>>()).await {
            assert!(outcome["refusal"].is_null(), "{outcome}");
        }
    }
    let bytes = ship.count("select sum(octet_length(payload::text))::bigint from entries").await;
    assert!(bytes > 5 * 1024 * 1024, "{bytes} bytes were written");
    let head = ship.head();
    for device in &devices {
        device.wire.mend();
        let picture = device.until("all that was missed is there", |picture| picture.status.seq >= head).await;
        let notes: Vec<_> = requests(&picture).map(|(request, _)| request.notes.len()).collect();
        assert_eq!(notes, [NOTES; REQUESTS]);
        assert!(!picture.entities.iter().all(|shown| shown.entity.entity_type() == EntityType::Request));
        device.live().await;
    }
}
