//! Connections that break after any number of bytes: the result is always the same.

use crewbell_shared::ids::RequestId;

use crate::cast::Crew;
use crate::device::{Device, accepted_by};
use crate::ship::Ship;

/// Signs in and accepts, with one break of the connection after a number of bytes; the log then holds the accept once.
/// Returns whether the connection broke.
async fn breaks_after(ship: &Ship, dana: &Crew, bytes: i64, cabin: u128) -> bool {
    let called: RequestId = dana.asks_for(cabin, "ice").await.parse().unwrap();
    let siri = Device::new(ship.server.http).await;
    siri.wire.cut_after(bytes);
    while siri.sign_in("Siri").await.is_err() {}
    siri.sees("the card appears", |request| request.id == called).await;
    siri.accepts(called).await.unwrap();
    siri.sees("it is accepted", |request| request.id == called && accepted_by(request) == Some("Siri")).await;
    siri.settled().await;
    let timeline = dana.timeline(&called.to_string()).await;
    let kinds: Vec<&str> = timeline.iter().map(|(_, kind)| kind.as_str()).collect();
    assert_eq!(kinds, ["request_created", "request_accepted"], "cut after {bytes} bytes");
    let broke = !siri.wire.is_armed();
    siri.handle().clone().stop().await;
    broke
}

#[tokio::test]
async fn wherever_the_wire_breaks_there_is_one_accept() {
    let cuts: Vec<i64> = (0..14_000).step_by(613).collect();
    let mut broke = 0;
    // Few sign-ins by one name for each ship, since the server throttles login attempts.
    for cuts in cuts.chunks(4) {
        let ship = Ship::sail().await;
        let dana = ship.dana().await;
        for (cabin, bytes) in (1..).zip(cuts) {
            broke += u32::from(breaks_after(&ship, &dana, *bytes, cabin).await);
        }
        ship.server.stop().await;
    }
    assert!(broke > 15, "the wire broke only {broke} times");
}
