//! A device changes networks during a call. Channels stand in for the live socket here; the device stories cover its
//! part.
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::support::devices::{Device, device};
use crate::support::eventually;
use crate::support::machines::{Machine, Networks, on};
use crewbell_voice::session::Options;
use crewbell_voice::session::negotiation::{MediaPath, Role};
use tokio::sync::mpsc::unbounded_channel;

const LIMIT: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_device_that_goes_to_another_network_is_heard_by_udp_within_three_seconds() {
    for caller_moves in [true, false] {
        let Some(networks) = Networks::new() else { return };
        let stop = Arc::new(AtomicBool::new(false));
        let (to_phone, at_phone) = unbounded_channel();
        let (to_tablet, at_tablet) = unbounded_channel();
        let roles = if caller_moves { [Role::Caller, Role::Called] } else { [Role::Called, Role::Caller] };
        let start = Instant::now();
        let moving = async move || device(roles[0], Options::default(), to_phone, at_tablet).await;
        let staying = async move || device(roles[1], Options::default(), to_tablet, at_phone).await;
        let (tablet, one) = on(&networks.tablet, moving, &stop);
        let (phone, other) = on(&networks.phone, staying, &stop);
        let (tablet, phone) = (tablet.recv().unwrap(), phone.recv().unwrap());
        let by_udp = |device: &Device| device.peer.way() == MediaPath::Udp;
        eventually("UDP", LIMIT, || by_udp(&tablet) && by_udp(&phone)).await;
        let hears = |device: &Device, since| device.heard.first_after(since).is_some();
        eventually("audio", LIMIT, || hears(&tablet, start) && hears(&phone, start)).await;
        let connected = start.elapsed();

        networks.leave("one");
        networks.join("two", 2);
        let left = Instant::now();
        // The break may be over before it is observed. Audio that arrives after the last packet in flight has come over
        // the new network.
        let nothing_on_its_way = left + Duration::from_millis(200);
        let is_back = || hears(&tablet, nothing_on_its_way) && hears(&phone, nothing_on_its_way);
        eventually("the break", LIMIT, || !by_udp(&tablet) || !by_udp(&phone) || is_back()).await;
        let noticed = left.elapsed();
        eventually("UDP", LIMIT, || by_udp(&tablet) && by_udp(&phone)).await;
        let since = Instant::now();
        eventually("audio by UDP", LIMIT, || hears(&tablet, since) && hears(&phone, since)).await;
        let back = left.elapsed();
        println!(
            "caller moves: {caller_moves}; first audio {connected:?}, break noticed {noticed:?}, both ways by UDP {back:?}"
        );
        stop.store(true, Ordering::Relaxed);
        drop((tablet, phone));
        one.join().unwrap();
        other.join().unwrap();
        assert!(back < Duration::from_secs(3), "{back:?}");
    }
}

#[tokio::test]
async fn two_apps_on_a_machine_without_any_network_call_each_other() {
    let Some(machine) = Machine::new("island") else { return };
    let stop = Arc::new(AtomicBool::new(false));
    let (to_called, at_called) = unbounded_channel();
    let (to_caller, at_caller) = unbounded_channel();
    let calling = async move || device(Role::Caller, Options::default(), to_called, at_caller).await;
    let answering = async move || device(Role::Called, Options::default(), to_caller, at_called).await;
    let (caller, one) = on(&machine, calling, &stop);
    let (called, other) = on(&machine, answering, &stop);
    let (caller, called) = (caller.recv().unwrap(), called.recv().unwrap());
    eventually("audio", LIMIT, || caller.heard.count() > 0 && called.heard.count() > 0).await;
    assert_eq!((caller.peer.way(), called.peer.way()), (MediaPath::Udp, MediaPath::Udp));
    stop.store(true, Ordering::Relaxed);
    drop((caller, called));
    one.join().unwrap();
    other.join().unwrap();
}
