//! Tests of the negotiation alone, and of two of them over a lossy channel.

use std::collections::VecDeque;

use proptest::prelude::*;
use uuid::Uuid;

use super::*;

const CALL: CallId = CallId(Uuid::from_u128(1));
const CALLER: EndpointId = EndpointId(Uuid::from_u128(2));
const CALLED: EndpointId = EndpointId(Uuid::from_u128(3));

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn caller() -> Negotiation {
    Negotiation::new(Role::Caller, CALL, CALLED)
}

fn called() -> Negotiation {
    Negotiation::new(Role::Called, CALL, CALLER)
}

/// A signal from the expected peer.
fn from_peer(to: &Negotiation, signal: Signal) -> Input {
    Input::Signal { call_id: CALL, from: to.peer, signal }
}

fn offer(sdp: &str) -> Signal {
    Signal::Offer { sdp: sdp.to_owned() }
}

fn answer(sdp: &str) -> Signal {
    Signal::Answer { sdp: sdp.to_owned() }
}

/// A caller whose first offer was answered.
fn agreed_caller() -> Negotiation {
    let mut caller = caller();
    assert_eq!(caller.handle(Input::Opened, seconds(0)), [Step::Offer { restart: false }]);
    assert_eq!(caller.handle(Input::Offered("o1".to_owned()), seconds(0)), [Step::Say(offer("o1"))]);
    let input = from_peer(&caller, answer("a1"));
    assert_eq!(caller.handle(input, seconds(0)), [Step::AcceptAnswer("a1".to_owned())]);
    caller
}

#[test]
fn packets_go_by_udp_once_it_is_connected() {
    let mut caller = agreed_caller();
    assert_eq!(caller.way(), MediaPath::Nowhere);
    assert_eq!(caller.handle(Input::Event(Event::Connected), seconds(1)), [Step::Send(MediaPath::Udp)]);
    assert_eq!(caller.deadline(), None);
}

#[test]
fn packets_go_over_the_socket_after_two_seconds_and_back_when_udp_connects_after_all() {
    let mut caller = agreed_caller();
    assert_eq!(caller.deadline(), Some(seconds(2)));
    assert_eq!(caller.handle(Input::Tick, Duration::from_millis(1_999)), []);
    let steps = caller.handle(Input::Tick, seconds(2));
    assert_eq!(steps, [Step::Say(Signal::Relay { on: true }), Step::Send(MediaPath::Socket)]);
    let steps = caller.handle(Input::Event(Event::Connected), seconds(9));
    assert_eq!(steps, [Step::Say(Signal::Relay { on: false }), Step::Send(MediaPath::Udp)]);
}

#[test]
fn a_side_that_is_connected_follows_the_other_onto_the_socket_and_back() {
    let mut caller = agreed_caller();
    caller.handle(Input::Event(Event::Connected), seconds(1));
    let input = from_peer(&caller, Signal::Relay { on: true });
    assert_eq!(caller.handle(input, seconds(4)), [Step::Send(MediaPath::Socket)], "nothing is lacking on this side");
    let input = from_peer(&caller, Signal::Relay { on: false });
    assert_eq!(caller.handle(input, seconds(5)), [Step::Send(MediaPath::Udp)]);
}

#[test]
fn a_call_that_breaks_is_restarted_and_goes_over_the_socket_meanwhile() {
    let mut caller = agreed_caller();
    caller.handle(Input::Event(Event::Connected), seconds(1));
    let steps = caller.handle(Input::Event(Event::Disconnected), seconds(60));
    let on_socket = [Step::Say(Signal::Relay { on: true }), Step::Send(MediaPath::Socket)];
    assert_eq!(steps, [&[Step::Offer { restart: true }][..], &on_socket].concat());

    let mut called = called();
    called.handle(Input::Opened, seconds(0));
    called.handle(Input::Event(Event::Connected), seconds(1));
    let steps = called.handle(Input::Event(Event::Disconnected), seconds(60));
    assert_eq!(steps, [&[Step::Say(Signal::Restart)][..], &on_socket].concat());
}

#[test]
fn both_sides_notice_the_same_break_and_one_restart_mends_it() {
    let mut caller = agreed_caller();
    caller.handle(Input::Event(Event::Connected), seconds(1));
    caller.handle(Input::Event(Event::Disconnected), seconds(60));
    let wish = from_peer(&caller, Signal::Restart);
    assert_eq!(caller.handle(wish.clone(), seconds(60)), [], "while the offer is being made");
    caller.handle(Input::Offered("o2".to_owned()), seconds(60));
    assert_eq!(caller.handle(wish.clone(), seconds(60)), [], "while it is on its way");
    let input = from_peer(&caller, answer("a2"));
    assert_eq!(caller.handle(input, seconds(60)), [Step::AcceptAnswer("a2".to_owned())]);
    let steps = caller.handle(wish, seconds(61));
    assert_eq!(steps, [Step::Offer { restart: true }], "said after the answer, it is a new wish");
}

#[test]
fn a_network_that_changes_while_an_offer_is_out_is_offered_after_the_answer() {
    let mut caller = caller();
    caller.handle(Input::Opened, seconds(0));
    caller.handle(Input::Offered("o1".to_owned()), seconds(0));
    caller.handle(Input::NetworkChanged, seconds(1));
    let input = from_peer(&caller, answer("a1"));
    let steps = caller.handle(input, seconds(1));
    assert_eq!(steps, [Step::AcceptAnswer("a1".to_owned()), Step::Offer { restart: true }]);
}

#[test]
fn what_was_lost_is_said_again() {
    let mut caller = caller();
    caller.handle(Input::Opened, seconds(0));
    caller.handle(Input::Offered("o1".to_owned()), seconds(0));
    assert_eq!(caller.deadline(), Some(seconds(1)));
    assert_eq!(caller.handle(Input::Tick, seconds(1)), [Step::Say(offer("o1"))]);
    let input = from_peer(&caller, Signal::Ready);
    assert_eq!(caller.handle(input, seconds(1)), [Step::Say(offer("o1"))], "the other side has not heard it");
    assert_eq!(caller.handle(Input::SocketBack, seconds(1)), [Step::Say(offer("o1"))]);

    let mut called = called();
    assert_eq!(called.handle(Input::Opened, seconds(0)), [Step::Say(Signal::Ready)]);
    assert_eq!(called.handle(Input::Tick, seconds(1)), [Step::Say(Signal::Ready)]);
    let again = from_peer(&called, offer("o1"));
    assert_eq!(called.handle(again.clone(), seconds(1)), [Step::AcceptOffer("o1".to_owned())]);
    assert_eq!(called.handle(again.clone(), seconds(1)), [], "the answer is being made");
    assert_eq!(called.handle(Input::Answered("a1".to_owned()), seconds(1)), [Step::Say(answer("a1"))]);
    assert_eq!(called.handle(again, seconds(4)), [Step::Say(answer("a1"))], "the same again, not a new one");
}

#[test]
fn what_comes_late_twice_from_others_or_out_of_role_is_passed_over() {
    let mut caller = agreed_caller();
    for signal in [answer("a1"), answer("other"), offer("o9"), Signal::Unknown] {
        let input = from_peer(&caller, signal);
        assert_eq!(caller.handle(input, seconds(1)), []);
    }
    let hang_up = |call_id, from| Input::Signal { call_id, from, signal: Signal::HangUp };
    assert_eq!(caller.handle(hang_up(CallId(Uuid::from_u128(9)), CALLED), seconds(1)), []);
    assert_eq!(caller.handle(hang_up(CALL, CALLER), seconds(1)), []);
    assert_eq!(caller.handle(hang_up(CALL, CALLED), seconds(1)), [Step::HungUp]);
    let mut called = called();
    for signal in [answer("a1"), Signal::Ready, Signal::Restart] {
        let input = from_peer(&called, signal);
        assert_eq!(called.handle(input, seconds(1)), []);
    }
}

#[test]
fn an_answer_that_comes_twice_is_not_taken_for_that_of_the_next_offer() {
    let mut caller = agreed_caller();
    caller.handle(Input::NetworkChanged, seconds(1));
    caller.handle(Input::Offered("o2".to_owned()), seconds(1));
    let input = from_peer(&caller, answer("a1"));
    assert_eq!(caller.handle(input, seconds(1)), []);
    let input = from_peer(&caller, answer("a2"));
    assert_eq!(caller.handle(input, seconds(1)), [Step::AcceptAnswer("a2".to_owned())]);
}

#[test]
fn ice_is_tried_again_less_and_less_often() {
    let mut caller = agreed_caller();
    let mut restarts = Vec::new();
    while restarts.len() < 7 {
        let at = caller.deadline().unwrap();
        if caller.handle(Input::Tick, at).contains(&Step::Offer { restart: true }) {
            restarts.push(at.as_secs());
            caller.handle(Input::Offered("o".to_owned()), at);
            let input = from_peer(&caller, answer(&at.as_secs().to_string()));
            caller.handle(input, at);
        }
    }
    assert_eq!(restarts, [7, 17, 37, 77, 137, 197, 257]);
}

#[test]
fn an_offer_that_the_session_refused_does_not_stand_in_the_way_of_the_next() {
    let mut called = called();
    called.handle(Input::Opened, seconds(0));
    let input = from_peer(&called, offer("nonsense"));
    called.handle(input, seconds(0));
    assert_eq!(called.handle(Input::Refused, seconds(0)), []);
    let input = from_peer(&called, offer("o1"));
    assert_eq!(called.handle(input, seconds(1)), [Step::AcceptOffer("o1".to_owned())]);
}

/// A simulation of two sides, ideal sessions, and the signals in flight.
struct World {
    sides: [Negotiation; 2],
    on_the_way: [VecDeque<Signal>; 2],
    /// The number of each side's description in each session.
    described: [[u32; 2]; 2],
    offers: u32,
    at: Duration,
}

impl World {
    fn new() -> Self {
        let on_the_way = [VecDeque::new(), VecDeque::new()];
        Self { sides: [caller(), called()], on_the_way, described: [[0; 2]; 2], offers: 0, at: Duration::ZERO }
    }

    fn give(&mut self, side: usize, input: Input) {
        for step in self.sides[side].handle(input, self.at) {
            match step {
                Step::Say(signal) => self.on_the_way[1 - side].push_back(signal),
                Step::Offer { .. } => {
                    self.offers += 1;
                    self.described[side][0] = self.offers;
                    self.give(side, Input::Offered(self.offers.to_string()));
                }
                Step::AcceptOffer(sdp) => {
                    self.described[side] = [sdp.parse().unwrap(); 2];
                    self.give(side, Input::Answered(sdp));
                }
                Step::AcceptAnswer(sdp) => {
                    let number: u32 = sdp.parse().unwrap();
                    assert_eq!(number, self.described[side][0], "an answer to another offer");
                    self.described[side][1] = number;
                }
                Step::AddCandidate(_) | Step::Send(_) | Step::HungUp => {}
            }
        }
    }

    /// Delivers or loses the next signal in flight to a side.
    fn bring(&mut self, side: usize, lost: bool) {
        if let Some(signal) = self.on_the_way[side].pop_front()
            && !lost
        {
            let input = from_peer(&self.sides[side], signal);
            self.give(side, input);
        }
    }

    /// Whether both sessions have both descriptions of the same generation, so that ICE would connect.
    fn has_agreed(&self) -> bool {
        let [ours, theirs] = self.described;
        ours == theirs && ours[0] != 0 && ours[0] == ours[1]
    }
}

proptest! {
    /// After any losses and disconnections, the two sides agree once no more signals are lost.
    #[test]
    fn two_sides_agree_in_the_end(
        steps in proptest::collection::vec((0..2_usize, 0..8_u8, any::<bool>()), 0..60),
    ) {
        let mut world = World::new();
        world.give(0, Input::Opened);
        world.give(1, Input::Opened);
        for (side, what, lost) in steps {
            world.at += Duration::from_millis(300);
            match what {
                0 => world.give(side, Input::Event(Event::Disconnected)),
                1 => world.give(side, Input::NetworkChanged),
                2 => world.give(side, Input::SocketBack),
                3 => world.give(side, Input::Tick),
                _ => world.bring(side, lost),
            }
        }
        for _ in 0..400 {
            world.at += Duration::from_millis(300);
            for side in 0..2 {
                while !world.on_the_way[side].is_empty() {
                    world.bring(side, false);
                }
                if world.sides[side].deadline().is_some_and(|deadline| deadline <= world.at) {
                    world.give(side, Input::Tick);
                }
            }
            let calm = world.on_the_way.iter().all(VecDeque::is_empty);
            if calm && world.has_agreed() {
                return Ok(());
            }
        }
        prop_assert!(false, "{:?}", world.sides);
    }
}
