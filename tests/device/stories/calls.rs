//! Calls between two devices over the real server, with failures of networks, sockets and devices.

use std::time::{Duration, Instant};

use crewbell_core::screen::{Ask, Link, Task, ViewState};
use crewbell_shared::call::{Call, CallState, Outcome};
use crewbell_shared::ids::CallId;
use crewbell_shared::protocol::Entity;
use crewbell_voice::session::impairment::Conditions;
use crewbell_voice::session::negotiation::MediaPath;

use crate::device::Device;
use crate::phone::Phone;
use crate::ship::{Ship, id};
use crate::wire::Wire;

/// Conditions in which every datagram is lost.
const BLOCKED: Conditions =
    Conditions { loss: 0.0, delay: Duration::ZERO, jitter: Duration::ZERO, duplicate: 0.0, cut: true };

/// Creates Sam's tablet and Siri's.
async fn two_devices(ship: &Ship, phone: impl Fn(u64) -> std::sync::Arc<Phone>) -> [Device; 2] {
    let device = async |name, seed| Device::with_phone(Wire::to(ship.server.http).await, name, &phone(seed)).await;
    [device("Sam", 1).await, device("Siri", 2).await]
}

/// Sam calls Siri; waits until it rings.
pub async fn rings(sam: &Device, siri: &Device) -> CallId {
    sam.until("Siri can be called", |picture| picture.present.iter().any(|who| who.person_id == id(2))).await;
    let from = siri.phone().position();
    sam.ask(Ask::Call { person_id: id(2), about: None }).await.unwrap();
    let (_, task) = siri.phone().task(from, "it rings", |task| matches!(task, Task::Ring { .. })).await.unwrap();
    task.call_id().unwrap()
}

/// Sam and Siri talk over a direct path.
pub async fn speak(sam: &Device, siri: &Device) -> CallId {
    let from = [sam.phone().position(), siri.phone().position()];
    let call_id = rings(sam, siri).await;
    siri.ask(Ask::Answer { call_id }).await.unwrap();
    for (device, from) in [sam, siri].into_iter().zip(from) {
        device.phone().goes_by(from, MediaPath::Udp).await.unwrap();
        device.phone().hears(from, true).await.unwrap();
    }
    call_id
}

/// Returns a call of a view state, once the server has confirmed it.
pub fn told(picture: &ViewState, call_id: CallId) -> Option<&Call> {
    let settled = picture.entities.iter().filter(|shown| !shown.pending).map(|shown| shown.entity.as_ref());
    settled
        .filter_map(|entity| if let Entity::Call(call) = entity { Some(call) } else { None })
        .find(|call| call.id == call_id)
}

fn is_dropped(picture: &ViewState, call_id: CallId) -> bool {
    told(picture, call_id).is_some_and(|call| matches!(call.state, CallState::Ended { outcome: Outcome::Dropped, .. }))
}

#[tokio::test]
async fn where_udp_is_blocked_both_are_heard_over_the_socket_within_three_seconds_of_the_answer() {
    let ship = Ship::sail().await;
    let [sam, siri] = two_devices(&ship, Phone::new).await;
    for device in [&sam, &siri] {
        device.phone().weather.set(BLOCKED);
    }
    let call_id = rings(&sam, &siri).await;
    let answered = Instant::now();
    siri.ask(Ask::Answer { call_id }).await.unwrap();
    for device in [&sam, &siri] {
        let took = device.phone().takes_a_frame(0).await.unwrap() - answered;
        println!("the first packet came over the socket {took:?} after the answer");
        assert!(took < Duration::from_secs(3), "{took:?}");
        device.phone().goes_by(0, MediaPath::Socket).await.unwrap();
        device.phone().hears(0, true).await.unwrap();
    }
    // Once datagrams pass again, the devices return to UDP by themselves.
    let from = [&sam, &siri].map(|device| device.phone().position());
    for device in [&sam, &siri] {
        device.phone().weather.set(Conditions::default());
    }
    for (device, from) in [&sam, &siri].into_iter().zip(from) {
        device.phone().goes_by(from, MediaPath::Udp).await.unwrap();
    }
}

#[tokio::test]
async fn between_networks_they_speak_through_the_ship_s_own_turn_server() {
    let ship = Ship::sail_with(|settings| {
        settings.own_turn = Some(([127, 0, 0, 1], 0).into());
        settings.ice.ttl = Duration::from_hours(1);
    })
    .await;
    let [sam, siri] = two_devices(&ship, Phone::far_away).await;
    let call_id = rings(&sam, &siri).await;
    // Each device gets its ICE servers while the call rings, so the answer waits for nothing.
    for device in [&sam, &siri] {
        device.phone().is_helped(0).await.unwrap();
    }
    siri.ask(Ask::Answer { call_id }).await.unwrap();
    for device in [&sam, &siri] {
        device.phone().goes_by(0, MediaPath::Udp).await.unwrap();
        device.phone().hears(0, true).await.unwrap();
        assert!(device.phone().state().unwrap().relayed);
    }
}

#[tokio::test]
async fn when_an_app_is_killed_the_other_side_knows_within_five_seconds_and_the_log_says_dropped() {
    let ship = Ship::sail().await;
    let [sam, siri] = two_devices(&ship, Phone::new).await;
    let call_id = speak(&sam, &siri).await;
    let killed = Instant::now();
    sam.dies().await;
    siri.until("the call is over", |picture| is_dropped(picture, call_id)).await;
    let took = killed.elapsed();
    println!("dropped {took:?} after the app was killed");
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert_eq!(ship.count("select count(*) from entries where type = 'call_dropped'").await, 1);
}

#[tokio::test]
async fn when_a_device_goes_and_its_connection_says_nothing_the_other_side_knows_by_the_silence() {
    let ship = Ship::sail().await;
    let [sam, siri] = two_devices(&ship, Phone::new).await;
    let call_id = speak(&sam, &siri).await;
    // Its network fails silently: each side has to detect it by itself.
    let gone = Instant::now();
    sam.wire.stall();
    sam.phone().dies();
    let here = async {
        sam.until("its own connection is taken for dead", |picture| picture.status.link != Link::Live).await;
        gone.elapsed()
    };
    let there = async {
        siri.until("the call is over", |picture| is_dropped(picture, call_id)).await;
        gone.elapsed()
    };
    let (here, there) = tokio::join!(here, there);
    println!("its own connection is dead after {here:?}; the other side knows after {there:?}");
    assert!(here < Duration::from_secs(14), "{here:?}");
    assert!(there > Duration::from_secs(15) && there < Duration::from_secs(23), "{there:?}");
    assert_eq!(ship.count("select count(*) from entries where type = 'call_dropped'").await, 1);
}
