//! Two devices with a live socket between them, simulated by a pair of channels.
use std::time::{Duration, Instant};

use crate::support::devices::{Device, call};
use crate::support::{eventually, loopback};
use crewbell_voice::session::impairment::{Conditions, ImpairedNetwork};
use crewbell_voice::session::negotiation::MediaPath;
use crewbell_voice::session::{Addresses, Kind, Options};

const LIMIT: Duration = Duration::from_secs(20);
const CUT: Conditions =
    Conditions { loss: 0.0, delay: Duration::ZERO, jitter: Duration::ZERO, duplicate: 0.0, cut: true };

fn under(weather: &ImpairedNetwork) -> Options {
    Options { weather: Some(weather.clone()), ..loopback() }
}

async fn both_hear(what: &str, ours: &Device, theirs: &Device, since: Instant) -> Duration {
    let hears = |device: &Device| device.heard.first_after(since).is_some();
    eventually(what, LIMIT, || hears(ours) && hears(theirs)).await;
    since.elapsed()
}

#[tokio::test]
async fn a_call_connects_by_itself_from_two_options() {
    let start = Instant::now();
    let (caller, called) = call(loopback(), loopback()).await;
    let took = both_hear("audio", &caller, &called, start).await;
    println!("first audio both ways {took:?} after the start");
    assert_eq!((caller.peer.way(), called.peer.way()), (MediaPath::Udp, MediaPath::Udp));
    assert_eq!(caller.peer.stats().await.kind, Some(Kind::Host));
    assert_eq!((caller.frames_sent(), called.frames_sent()), (0, 0));
}

#[tokio::test]
async fn where_udp_is_blocked_packets_go_over_the_socket_and_back_when_it_is_not() {
    let weather = ImpairedNetwork::new(1);
    weather.set(CUT);
    let start = Instant::now();
    let (caller, called) = call(under(&weather), under(&weather)).await;
    let took = both_hear("audio over the socket", &caller, &called, start).await;
    println!("over the socket {took:?} after the start");
    assert_eq!((caller.peer.way(), called.peer.way()), (MediaPath::Socket, MediaPath::Socket));
    assert!(took < Duration::from_secs(3), "{took:?}");

    weather.set(Conditions::default());
    let by_udp = |device: &Device| device.peer.way() == MediaPath::Udp;
    let took = eventually("UDP", LIMIT, || by_udp(&caller) && by_udp(&called)).await;
    println!("back to UDP {took:?} after it was open");
    both_hear("audio by UDP", &caller, &called, Instant::now()).await;
}

#[tokio::test]
async fn where_one_side_has_no_socket_for_udp_at_all_the_call_goes_over_the_other() {
    let none = Options { addresses: Addresses::Only(Vec::new()), ..Options::default() };
    let start = Instant::now();
    let (caller, called) = call(none, loopback()).await;
    both_hear("audio", &caller, &called, start).await;
    assert_eq!((caller.peer.way(), called.peer.way()), (MediaPath::Socket, MediaPath::Socket));
}

#[tokio::test]
async fn a_device_that_leaves_its_network_is_heard_again_within_three_seconds() {
    for caller_moves in [true, false] {
        let weather = ImpairedNetwork::new(1);
        let (ours, theirs) = if caller_moves { (under(&weather), loopback()) } else { (loopback(), under(&weather)) };
        let start = Instant::now();
        let (caller, called) = call(ours, theirs).await;
        both_hear("audio", &caller, &called, start).await;
        let frames = caller.frames_sent() + called.frames_sent();

        // No event reports the loss: each side detects it by the silence.
        weather.leave_network();
        let left = Instant::now();
        let by_udp = |device: &Device| device.peer.way() == MediaPath::Udp;
        eventually("the break", LIMIT, || !by_udp(&caller) || !by_udp(&called)).await;
        let back = both_hear("audio", &caller, &called, left + Duration::from_millis(100)).await;
        eventually("UDP", LIMIT, || by_udp(&caller) && by_udp(&called)).await;
        let mended = left.elapsed();
        both_hear("audio by UDP", &caller, &called, Instant::now()).await;
        println!(
            "caller moves: {caller_moves}; audio back after {back:?}, by UDP after {mended:?}, {} frames meanwhile",
            caller.frames_sent() + called.frames_sent() - frames
        );
        assert!(back < Duration::from_secs(3) && mended < Duration::from_secs(3), "{back:?} {mended:?}");
    }
}

#[tokio::test]
async fn an_outage_of_two_seconds_does_not_end_a_call() {
    let weather = ImpairedNetwork::new(1);
    let start = Instant::now();
    let (caller, called) = call(under(&weather), under(&weather)).await;
    both_hear("audio", &caller, &called, start).await;
    weather.set(CUT);
    tokio::time::sleep(Duration::from_secs(2)).await;
    weather.set(Conditions::default());
    let took = both_hear("audio", &caller, &called, Instant::now()).await;
    println!("audio {took:?} after the outage");
    let by_udp = |device: &Device| device.peer.way() == MediaPath::Udp;
    eventually("UDP", LIMIT, || by_udp(&caller) && by_udp(&called)).await;
}

#[tokio::test]
async fn a_peer_that_is_dropped_leaves_nothing_behind() {
    let start = Instant::now();
    let (caller, called) = call(loopback(), loopback()).await;
    both_hear("audio", &caller, &called, start).await;
    drop(caller);
    eventually("the other side notices", LIMIT, || called.peer.way() != MediaPath::Udp).await;
    called.peer.close().await;
    assert_eq!(called.peer.way(), MediaPath::Nowhere);
}
