//! Property test of ringing with lost messages: by its own timer no device rings longer than the call, and each rings
//! while the call does.

use crewbell_shared::call::{Call, Outcome as How};
use crewbell_shared::testing::ringing_call;
use proptest::prelude::*;

use super::super::volatile_state::Socket;
use super::phone::{answered, elsewhere, ended, tablet};
use super::*;
use crate::screen::Task;

/// An event at a device while a call rings, between two wake-ups of its timer.
#[derive(Clone, Copy, Debug)]
enum Event {
    /// Only time passes.
    Nothing,
    /// A heartbeat is answered.
    Pulse,
    /// The connection ends, permanently.
    Cut,
    /// Another device has answered.
    Answered,
    /// The caller has cancelled.
    Cancelled,
}

fn event() -> impl Strategy<Value = (u64, Event)> {
    let what = prop_oneof![
        8 => Just(Event::Nothing),
        4 => Just(Event::Pulse),
        1 => Just(Event::Cut),
        1 => Just(Event::Answered),
        1 => Just(Event::Cancelled),
    ];
    (1_u64..20_000, what)
}

/// Milliseconds by which a timer may be late.
const LATE: u64 = 50;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn no_device_rings_longer_than_the_call_whatever_is_lost(
        ring_s in 10_i64..=300,
        // The offset of the server's clock from the device's.
        wrong_by_s in -100_000_i64..100_000,
        events in proptest::collection::vec(event(), 0..60),
    ) {
        let mut device = tablet();
        let server = |tick: u64| at(i64::try_from(tick / 1000).unwrap() + wrong_by_s);
        let (sent, server_time) = (Some(7), server(device.tick + 10));
        device.frame(FromServer::Pulse { head: 7, sent, server_time });
        let begins = server(device.tick + 10);
        let rings_until = begins.saturating_add(jiff::SignedDuration::from_secs(ring_s)).unwrap();
        let call = Call { call_time: begins, rings_until, ..ringing_call(begins) };
        let mut outputs = device.told(&call);
        let began = device.tick;
        // Both clocks are read in whole seconds here.
        let longest = u64::try_from(ring_s).unwrap() * 1000 + 1_000;
        let mut over = false;
        for (wait, event) in events {
            // The driver wakes the engine at the requested tick, and no later.
            let until = device.tick + wait;
            while let Some(wake) = wakes(&outputs).filter(|wake| *wake < until) {
                device.tick = wake.max(device.tick) + LATE;
                outputs = device.take(Input::Tick);
            }
            device.tick = device.tick.max(until);
            // After twelve seconds of silence the device itself takes the connection for dead.
            let cut = !matches!(device.engine.live.socket, Socket::Up { .. });
            outputs = match event {
                Event::Nothing => outputs,
                Event::Pulse | Event::Cut if cut => outputs,
                Event::Pulse => {
                    let (sent, server_time) = (device.engine.image().cursor.map(|read| read.seq), server(device.tick));
                    device.frame(FromServer::Pulse { head: 8, sent, server_time })
                }
                Event::Cut => {
                    let socket = device.engine.live.sockets;
                    device.take(Input::Closed { socket, why: ConnectionError::Closed })
                }
                Event::Answered | Event::Cancelled if cut || over => outputs,
                Event::Answered => {
                    over = true;
                    device.told(&Call { call_time: begins, rings_until, ..answered(elsewhere()) })
                }
                Event::Cancelled => {
                    over = true;
                    device.told(&ended(call.clone(), How::Cancelled))
                }
            };
            let rings = device.task() == Task::Ring { call_id: call.id };
            let for_ms = device.tick - began;
            prop_assert!(!(rings && over), "it rings on though it was told that it is over");
            prop_assert!(!rings || for_ms <= longest + LATE, "it has rung {for_ms} ms");
            let must_ring = !over && for_ms + 2_000 < longest;
            prop_assert!(rings || !must_ring, "it is silent after {for_ms} ms");
        }
    }
}

fn wakes(outputs: &[Output]) -> Option<u64> {
    outputs.iter().find_map(|output| if let Output::Wake { at_tick } = output { Some(*at_tick) } else { None })
}
