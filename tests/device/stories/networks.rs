//! A device changes Wi-Fi networks during a call. Its live socket then fails silently, and the two devices need it to
//! find a new path.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crewbell_core::screen::Ask;
use crewbell_shared::call::{CallState, Outcome};
use crewbell_voice::session::negotiation::MediaPath;

use crate::calls::{speak, told};
use crate::device::Device;
use crate::machines::{Networks, ROUTER, on};
use crate::phone::Phone;
use crate::ship::{Ship, soon};
use crate::wire::Wire;

const LIMIT: Duration = Duration::from_secs(30);

/// Waits until a condition holds; returns the time since `since`.
async fn until(what: &str, since: Instant, is_so: impl Fn() -> bool) -> Duration {
    while !is_so() {
        assert!(since.elapsed() < LIMIT, "{what} not within {LIMIT:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    since.elapsed()
}

/// Runs a call in which one side changes networks. The router's namespace holds the server, the tablet's the device
/// that moves: Sam's or Siri's.
async fn goes_to_another_network(caller_moves: bool) -> Option<Duration> {
    let networks = Networks::new()?;
    let stop = Arc::new(AtomicBool::new(false));
    let sailing = async || Ship::sail_with(|settings| settings.http = (ROUTER, 0).into()).await;
    let (ship, server) = on(&networks.router, sailing, &stop);
    let ship = ship.recv().unwrap();
    let (http, seeds) = (ship.server.http, if caller_moves { [1, 2] } else { [2, 1] });
    let device =
        |name: &'static str, seed| async move || Device::with_phone(Wire::none(http), name, &Phone::new(seed)).await;
    let names = if caller_moves { ["Sam", "Siri"] } else { ["Siri", "Sam"] };
    let (tablet, one) = on(&networks.tablet, device(names[0], seeds[0]), &stop);
    let (phone, other) = on(&networks.phone, device(names[1], seeds[1]), &stop);
    let (tablet, phone) = (tablet.recv().unwrap(), phone.recv().unwrap());
    let (sam, siri) = if caller_moves { (&tablet, &phone) } else { (&phone, &tablet) };
    let call_id = speak(sam, siri).await;

    networks.leave("one");
    networks.join("two", 2);
    let left = Instant::now();
    // Packets that arrive after the last packet in flight have come over the new network.
    until("nothing is on its way", left, || left.elapsed() > Duration::from_millis(200)).await;
    let before = [sam, siri].map(|device| device.phone().received());
    let hears = |device: &Device, before| device.phone().received() > before;
    let back = until("audio", left, || hears(sam, before[0]) && hears(siri, before[1])).await;
    let by_udp = |device: &Device| device.phone().state().is_some_and(|state| state.way == MediaPath::Udp);
    let by_udp = until("UDP", left, || by_udp(sam) && by_udp(siri)).await;

    // Requests to the server use the new network too.
    let hung_up = Instant::now();
    tablet.ask(Ask::HangUp { call_id }).await.unwrap();
    let is_over =
        |call: &crewbell_shared::call::Call| matches!(call.state, CallState::Ended { outcome: Outcome::Completed, .. });
    soon(phone.until("the call is over", |picture| told(picture, call_id).is_some_and(is_over))).await;
    let over = hung_up.elapsed();
    println!("caller moves: {caller_moves}; both directions back {back:?}, by UDP {by_udp:?}, hung up {over:?}");
    stop.store(true, Ordering::Relaxed);
    drop((tablet, phone, ship));
    for thread in [one, other, server] {
        thread.join().unwrap();
    }
    assert!(over < Duration::from_secs(3), "{over:?}");
    Some(back)
}

#[tokio::test]
async fn a_device_that_goes_to_another_network_is_heard_and_hears_within_three_seconds() {
    for caller_moves in [true, false] {
        let Some(back) = goes_to_another_network(caller_moves).await else { return };
        assert!(back < Duration::from_secs(3), "{back:?}");
    }
}
