//! Tests of the transport, of the retry delays, and of the clean-up of closed entities.

use crewbell_shared::call::CallState;
use crewbell_shared::call::CallVerb;
use crewbell_shared::request::{Priority, Request};
use crewbell_shared::testing::ringing_call;
use jiff::SignedDuration;

use super::super::link::backoff;
use super::*;

fn connects(outputs: &[Output]) -> Option<&Output> {
    outputs.iter().find(|output| matches!(output, Output::Connect { .. } | Output::Listen { .. }))
}

impl Device {
    fn goes_by(&mut self, ms: u64) -> Vec<Output> {
        self.tick += ms;
        self.take(Input::Tick)
    }

    fn closed(&mut self, why: ConnectionError) -> Vec<Output> {
        let socket = self.engine.live.sockets;
        self.take(Input::Closed { socket, why })
    }

    pub(super) fn welcome(&mut self) -> Vec<Output> {
        let server_time = at(i64::try_from(self.tick / 1000).unwrap());
        self.frame(FromServer::Welcome { head: 7, server_time, person_id: siri().id, instance: None })
    }

    pub(super) fn pulse(&mut self) -> Vec<Output> {
        let server_time = at(i64::try_from(self.tick / 1000).unwrap());
        self.frame(FromServer::Pulse { head: 7, sent: Some(7), server_time })
    }

    fn status(&self) -> crate::screen::Status {
        self.engine.picture(now(self.tick)).status
    }

    /// Returns a live device with an event stream, because no socket gets through.
    fn by_events() -> Self {
        let mut device = Self::live();
        device.closed(ConnectionError::Closed);
        device.goes_by(20_000);
        let outputs = device.closed(ConnectionError::NoSocket);
        assert!(matches!(connects(&outputs), Some(Output::Listen { cursor, .. }) if cursor.seq == 7), "{outputs:?}");
        device.welcome();
        device
    }
}

#[test]
fn a_proxy_that_lets_no_socket_through_is_passed_by_an_event_stream_at_once() {
    let mut device = Device::by_events();
    assert_eq!(device.status().link, Link::Live);
    assert!(device.status().notices.contains(&Notice::NoCalls));
    assert!(!sent(&device.accept(1).unwrap()).is_empty(), "what is done is sent as ever");
    let call = Verb::Call(CallVerb::Start {
        call_id: Uuid::from_u128(5).into(),
        callee_id: sam().id,
        about: None,
        endpoint: None,
    });
    let refused = device.try_take(Input::Act { id: id(2), verb: call });
    assert!(matches!(refused, Err(AskError::Refused { refusal }) if refusal.code == Code::NoSocket));
    // The stream stays live only as long as it pulses.
    for _ in 0..10 {
        device.goes_by(5_000);
        device.pulse();
    }
    assert_eq!(device.status().link, Link::Live);
    device.goes_by(12_000);
    assert_eq!(device.status().link, Link::Offline);
}

#[test]
fn a_socket_is_tried_beside_the_stream_and_taken_when_it_works() {
    let mut device = Device::by_events();
    let mut tried_at = Vec::new();
    while tried_at.len() < 3 {
        if device.goes_by(1_000).contains(&Output::TrySocket) {
            tried_at.push(device.tick);
            assert!(connects(&device.take(Input::SocketTried { works: false })).is_none());
        }
        device.pulse();
    }
    assert!(tried_at.windows(2).all(|pair| (60_000..125_000).contains(&(pair[1] - pair[0]))), "{tried_at:?}");
    // A change of network triggers an immediate try.
    assert!(device.take(Input::Network { there: true }).contains(&Output::TrySocket));
    let outputs = device.take(Input::SocketTried { works: true });
    assert!(matches!(connects(&outputs), Some(Output::Connect { .. })), "{outputs:?}");
    device.welcome();
    assert!(!device.status().notices.contains(&Notice::NoCalls));
}

#[test]
fn sockets_that_open_and_never_speak_lead_to_the_stream_too_and_a_stream_that_fails_leads_back() {
    let mut device = Device::live();
    device.closed(ConnectionError::Closed);
    let mut ways = Vec::new();
    for _ in 0..8 {
        let outputs = device.goes_by(20_000);
        let Some(connect) = connects(&outputs) else { continue };
        ways.push(matches!(connect, Output::Connect { .. }));
        let socket = device.engine.live.sockets;
        device.take(Input::Opened { socket, from: [192, 168, 1, 7].into() });
        device.closed(ConnectionError::NoAnswer);
    }
    assert_eq!(ways, [true, true, false, true, true, false, true, true]);
    // An unreachable server says nothing about sockets.
    let mut device = Device::live();
    device.closed(ConnectionError::Closed);
    for _ in 0..8 {
        let outputs = device.goes_by(20_000);
        assert!(matches!(connects(&outputs), Some(Output::Connect { .. })), "{outputs:?}");
        device.closed(ConnectionError::network("connection refused"));
    }
}

#[test]
fn what_does_not_fit_into_a_frame_is_passed_by_a_snapshot() {
    let mut device = Device::live();
    device.closed(ConnectionError::TooLarge);
    let outputs = device.goes_by(20_000);
    assert!(outputs.contains(&Output::FetchSnapshot), "{outputs:?}");
    assert!(!device.engine.image().entities.is_empty(), "what it has is shown meanwhile");
}

#[test]
fn a_connection_that_fails_just_after_it_is_welcomed_each_time_is_waited_for_longer_and_longer() {
    let garbled = |device: &mut Device| {
        let socket = device.engine.live.sockets;
        device.take(Input::Garbled { socket });
    };
    let missed = |device: &mut Device| {
        device.frame(FromServer::Entries { prev: 3, entries: Vec::new() });
    };
    let gone = |device: &mut Device| {
        device.closed(ConnectionError::Closed);
    };
    let too_slow = |device: &mut Device| {
        device.frame(FromServer::Bye { why: "too_slow".into() });
    };
    for fails in [garbled, missed, gone, too_slow] as [fn(&mut Device); 4] {
        let mut device = Device::live();
        for failures in 1..=8 {
            fails(&mut device);
            assert_eq!(device.engine.live.failures, failures);
            device.goes_by(20_000);
            device.welcome();
        }
        // The connection lasts.
        for _ in 0..3 {
            device.goes_by(5_000);
            device.pulse();
        }
        assert_eq!(device.engine.live.failures, 0);
    }
}

#[test]
fn waits_are_drawn_from_all_of_a_bound_that_doubles() {
    for (failures, bound) in [(1, 500), (2, 1_000), (3, 2_000), (6, 15_000), (60, 15_000)] {
        let drawn: Vec<u64> = (0..=bound).map(|luck| backoff(failures, u32::try_from(luck).unwrap())).collect();
        assert_eq!((drawn.iter().min(), drawn.iter().max()), (Some(&100), Some(&(bound + 100))), "{failures}");
    }
}

#[test]
fn a_fleet_that_is_sent_for_a_snapshot_at_once_does_not_come_at_once() {
    let waits = |times: u32, luck: u32| {
        let mut device = Device::live();
        for _ in 0..times {
            let refusal = Refusal::new(Code::SnapshotNeeded, "Another log.");
            let (socket, frame) = (device.engine.live.sockets, Box::new(FromServer::Refused { refusal }));
            let now = Now { jitter: luck, ..now(device.tick) };
            let step = device.engine.decide(Input::Frame { socket, frame }, now);
            device.engine.commit(step, now);
            if device.engine.live.failures < times {
                device.goes_by(200_000);
                let cursor = Cursor { seq: 7, event_id: None };
                device.take(Input::Snapshot(Ok(Snapshot { cursor, entities: Vec::new(), foreign: false })));
                device.welcome();
            }
        }
        assert!(!device.status().link.is_there());
        device.engine.live.retry_at - device.tick
    };
    assert_eq!([0, 1_000, 4_000].map(|luck| waits(1, luck)), [0, 1_000, 4_000]);
    assert_eq!(waits(2, 8_000), 8_000, "and more so when it comes again");
    assert!(waits(20, u32::MAX) <= 120_000);
}

/// Returns the number of entities, closed two, three and five days ago, that a device has removed after each hour of
/// six days, for a site with this retention in days.
fn forgotten(closed_days: u32) -> Vec<usize> {
    let mut device = Device::live();
    let settings = SiteSettings { closed_days, ..SiteSettings::default() };
    let site = Site { settings, ..device.engine.image().site().unwrap().clone() };
    let closed = |number: u128, days_ago: i64| {
        let closed_at = at(0).saturating_sub(SignedDuration::from_hours(24 * days_ago)).unwrap();
        let state = RequestState::Cancelled {
            acceptance: None,
            cancelled_by: sam().as_ref(),
            cancelled_at: closed_at,
            cancel_reason: None,
        };
        Request { id: Uuid::from_u128(number).into(), state, ..open_request(at(0)) }
    };
    let ended = {
        let at = at(0).saturating_sub(SignedDuration::from_hours(24 * 3)).unwrap();
        let state = CallState::Ended {
            answered_at: None,
            ended_at: at,
            outcome: crewbell_shared::call::Outcome::Cancelled,
            ended_by: None,
            duration_s: 0,
        };
        crewbell_shared::call::Call { state, ..ringing_call(at) }
    };
    let entities: Vec<Entity> = vec![site.into(), closed(150, 2).into(), closed(151, 5).into(), ended.into()];
    let puts: Vec<Write> =
        entities.into_iter().map(|entity| Write::UpsertEntity { entity: Arc::new(entity), seq: 7 }).collect();
    device.engine.image.apply(&puts);
    let count = |device: &Device| device.engine.image().entities.len();
    let before = count(&device);
    // A wall tablet, which is never restarted.
    let mut left = Vec::new();
    for hour in 1..=24 * 6 {
        device.tick = hour * 3_600_000;
        device.pulse();
        device.goes_by(1_000);
        left.push(before - count(&device));
    }
    assert!(device.status().link.is_there());
    assert_eq!(
        device.shown_state().0,
        crewbell_shared::request::RequestState::Open,
        "what is open stays, however old it is"
    );
    left
}

#[test]
fn what_is_closed_is_forgotten_while_the_device_runs_after_as_many_days_as_the_site_says() {
    let left = forgotten(7);
    assert_eq!((left[24 * 2 - 4], left[24 * 2 + 2], left[24 * 4 + 2], left[24 * 5 + 2]), (0, 1, 2, 3), "{left:?}");
    let left = forgotten(3);
    assert_eq!((left[2], left[24 - 4], left[24 + 2]), (2, 2, 3), "{left:?}");
    assert!(forgotten(90).iter().all(|&left| left == 0));
}

#[test]
fn an_emergency_rings_on_every_device_whoever_is_on_duty() {
    use crewbell_shared::person::{Person, Role};
    let emergency = Request { priority: Priority::Emergency, ..open_request(at(0)) };
    for role in [Role::Crew, Role::Supervisor, Role::Technician, Role::Dispatcher, Role::Admin] {
        let mut device = Device::live();
        let me = Person { on_duty: false, role, ..siri() };
        let put = |entity: Entity| Write::UpsertEntity { entity: Arc::new(entity), seq: 7 };
        device.engine.image.apply(&[put(me.into())]);
        device.take(Input::SayAgain);
        assert!(device.engine.picture(now(device.tick)).alerts.is_empty(), "{role:?}: a call is for those on duty");
        device.engine.image.apply(&[put(emergency.clone().into())]);
        let outputs = device.take(Input::SayAgain);
        let rings = |output: &Output| matches!(output, Output::Alerts { alerts, .. } if alerts.len() == 1);
        assert!(outputs.iter().any(rings), "{role:?}: {outputs:?}");
    }
}
