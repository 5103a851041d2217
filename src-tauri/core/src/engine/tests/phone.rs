//! Tests of the call state, with Siri's tablet; Sam calls, or is called.

use crewbell_shared::call::CallVerb;
use crewbell_shared::call::{Call, CallState, Outcome as How, Why};
use crewbell_shared::ids::{CallId, EndpointId};
use crewbell_shared::protocol::live::{FromClient, Signal};
use crewbell_shared::protocol::{ActorRef, Entry, Meta, Source};
use crewbell_shared::testing::ringing_call;

use super::*;
use crate::screen::{Media, MediaPath, Quality, Task};

pub(super) fn here() -> EndpointId {
    EndpointId(Uuid::from_u128(500))
}

pub(super) fn elsewhere() -> EndpointId {
    EndpointId(Uuid::from_u128(501))
}

/// Returns Siri's tablet, with voice support.
pub(super) fn tablet() -> Device {
    let mut device = Device::live();
    device.engine.endpoint = Some(here());
    device
}

impl Device {
    /// Delivers a log entry with a call's new state.
    pub(super) fn told(&mut self, call: &Call) -> Vec<Output> {
        let cursor = self.engine.image().cursor.unwrap().seq;
        let seq = cursor + 1;
        let entity = Entity::from(call.clone());
        let meta = Meta {
            site: "serenity".into(),
            seq,
            event_id: Uuid::from_u128(u128::from(seq)).into(),
            ts: at(0),
            actor: ActorRef { id: Some(sam().id), name: "Sam".into() },
            source: Source::App,
            entity_type: Some(entity.entity_type().into()),
            command_id: None,
        };
        let payload = entity.to_payload().unwrap();
        let entry = Entry { category: "calls".into(), kind: "call_told".into(), payload, meta };
        self.frame(FromServer::Entries { prev: cursor, entries: vec![entry] })
    }

    pub(super) fn task(&self) -> Task {
        self.engine.picture(now(self.tick)).phone.task
    }

    fn calls_sam(&mut self) -> Result<Vec<Output>, AskError> {
        let verb = Verb::Call(CallVerb::Start {
            call_id: call_id(),
            callee_id: sam().id,
            about: None,
            endpoint: Some(here()),
        });
        self.try_take(Input::Act { id: id(1), verb })
    }

    pub(super) fn hears_nothing_for(&mut self, silent_ms: u32) -> Vec<Output> {
        self.take(Input::Media(Media {
            call_id: call_id(),
            way: MediaPath::Direct,
            quality: Quality::Good,
            silent_ms: Some(silent_ms),
            muted: false,
            push_to_talk: None,
            microphone_trouble: None,
            speaker_trouble: None,
        }))
    }
}

pub(super) fn call_id() -> CallId {
    ringing_call(at(0)).id
}

/// Returns a ringing call from Sam to Siri.
fn ringing() -> Call {
    ringing_call(at(0))
}

pub(super) fn answered(callee_endpoint: EndpointId) -> Call {
    Call { state: CallState::Ongoing { answered_at: at(1), callee_endpoint: Some(callee_endpoint) }, ..ringing() }
}

pub(super) fn ended(call: Call, outcome: How) -> Call {
    let state = CallState::Ended { answered_at: None, ended_at: at(5), ended_by: None, outcome, duration_s: 0 };
    Call { state, ..call }
}

fn tasks(outputs: &[Output]) -> Vec<Task> {
    let task = |output: &Output| if let Output::Phone { task, .. } = output { Some(*task) } else { None };
    outputs.iter().filter_map(task).collect()
}

#[test]
fn a_call_rings_here_until_it_is_answered_on_another_device() {
    let mut device = tablet();
    assert_eq!(tasks(&device.told(&ringing())), [Task::Ring { call_id: call_id() }]);
    assert_eq!(tasks(&device.told(&answered(elsewhere()))), [Task::Idle], "silent, and not over: others speak");
}

#[test]
fn a_call_rings_no_longer_than_it_may_though_no_message_says_that_it_is_over() {
    let mut device = tablet();
    device.told(&ringing());
    device.tick = 59_900;
    device.frame(FromServer::Pulse { head: 8, sent: Some(8), server_time: at(59) });
    assert_eq!(device.task(), Task::Ring { call_id: call_id() });
    device.tick = 60_100;
    assert_eq!(tasks(&device.take(Input::Tick)), [Task::Idle]);
}

#[test]
fn a_clock_that_is_wrong_by_hours_changes_nothing_about_how_long_it_rings() {
    let mut device = tablet();
    // The server's clock is three hours ahead of the device's.
    device.frame(FromServer::Pulse { head: 7, sent: Some(7), server_time: at(10_800) });
    let call = Call { call_time: at(10_800), rings_until: at(10_860), ..ringing() };
    device.told(&call);
    assert_eq!(device.task(), Task::Ring { call_id: call_id() });
    device.tick += 61_000;
    device.take(Input::Tick);
    assert_eq!(device.task(), Task::Idle);
}

#[test]
fn a_call_that_is_kept_from_before_a_start_rings_only_when_the_server_still_says_so() {
    let mut device = tablet();
    device.told(&ringing());
    let mut restarted =
        Device { engine: Engine::new(device.engine.image().clone()).with_endpoint(here()), tick: 2_000 };
    assert_eq!(tasks(&restarted.take(Input::Start)), [Task::Idle], "what is so is said, and nothing rings");
    restarted.tick += 100;
    restarted.frame(FromServer::Welcome { head: 8, server_time: at(2), person_id: siri().id, instance: None });
    assert_eq!(restarted.task(), Task::Ring { call_id: call_id() });
}

#[test]
fn an_answer_speaks_at_once_and_a_second_device_of_the_same_person_does_not() {
    let mut device = tablet();
    device.told(&ringing());
    let answer = Verb::Call(CallVerb::Answer { call_id: call_id(), endpoint: Some(here()) });
    let outputs = device.take(Input::Act { id: id(1), verb: answer });
    let talk = Task::Talk { call_id: call_id(), peer: ringing().caller_endpoint, offers: false };
    assert_eq!(tasks(&outputs), [talk], "before the server has said yes");
    // The other device was first: this one falls silent, and shows the reason.
    let refusal = Refusal::new(Code::AnsweredElsewhere, "It was answered on another device.");
    let outcome = Outcome { id: id(1), seq: None, refusal: Some(refusal.clone()) };
    device.told(&answered(elsewhere()));
    let outputs = device.take(Input::Outcomes(Ok(vec![outcome])));
    assert!(outputs.contains(&Output::Tell(CoreEvent::Refused { command_id: id(1), refusal })));
    assert_eq!(device.task(), Task::Idle);
    assert!(device.engine.image().outbox.is_empty(), "nobody answers that call later");
}

#[test]
fn who_calls_hears_that_it_rings_then_speaks_and_makes_the_offer() {
    let mut device = tablet();
    assert_eq!(tasks(&device.calls_sam().unwrap()), [Task::RingBack { call_id: call_id() }]);
    let (caller, callee) = (siri().as_ref(), sam().as_ref());
    let call = Call { caller, callee, caller_endpoint: Some(here()), ..ringing() };
    device.told(&call);
    let state = CallState::Ongoing { answered_at: at(1), callee_endpoint: Some(elsewhere()) };
    let talk = Task::Talk { call_id: call_id(), peer: Some(elsewhere()), offers: true };
    assert_eq!(tasks(&device.told(&Call { state, ..call.clone() })), [talk]);
    let completed = ended(call, How::Completed);
    assert_eq!(tasks(&device.told(&completed)), [Task::Over { call_id: call_id() }]);
    device.tick += 5_000;
    assert_eq!(tasks(&device.take(Input::Tick)), [Task::Idle]);
}

#[test]
fn a_call_to_somebody_who_is_not_there_is_over_as_soon_as_the_server_says_so() {
    let mut device = tablet();
    device.calls_sam().unwrap();
    let call = Call { caller: siri().as_ref(), callee: sam().as_ref(), caller_endpoint: Some(here()), ..ringing() };
    let missed = ended(call, How::Missed { why: Why::Offline });
    assert_eq!(tasks(&device.told(&missed)), [Task::Over { call_id: call_id() }]);
}

#[test]
fn who_calls_is_told_that_nobody_answered_also_when_their_own_timer_is_first() {
    let mut device = tablet();
    device.calls_sam().unwrap();
    let call = Call { caller: siri().as_ref(), callee: sam().as_ref(), caller_endpoint: Some(here()), ..ringing() };
    device.told(&call);
    device.tick = 59_900;
    device.frame(FromServer::Pulse { head: 8, sent: Some(8), server_time: at(59) });
    device.tick = 60_100;
    assert_eq!(tasks(&device.take(Input::Tick)), [Task::Idle], "it rings back no longer");
    let missed = ended(call, How::Missed { why: Why::NoAnswer });
    assert_eq!(tasks(&device.told(&missed)), [Task::Over { call_id: call_id() }]);
    device.tick += 5_000;
    assert_eq!(tasks(&device.take(Input::Tick)), [Task::Idle], "and told once");
}

#[test]
fn without_a_connection_nobody_is_called_and_nothing_waits() {
    let mut device = tablet();
    let socket = device.engine.live.sockets;
    device.take(Input::Closed { socket, why: ConnectionError::Closed });
    let refused = device.calls_sam();
    assert!(matches!(refused, Err(AskError::Refused { refusal }) if refusal.code == Code::NoConnection));
    assert!(device.engine.image().outbox.is_empty());
}

#[test]
fn a_call_whose_connection_goes_before_the_answer_never_rings_later() {
    let mut device = tablet();
    device.calls_sam().unwrap();
    let socket = device.engine.live.sockets;
    let outputs = device.take(Input::Closed { socket, why: ConnectionError::Closed });
    let told = |output: &Output| matches!(output, Output::Tell(CoreEvent::Refused { refusal, .. }) if refusal.code == Code::NoConnection);
    assert!(outputs.iter().any(told), "the person is told");
    assert!(device.engine.image().outbox.is_empty());
    assert_eq!(device.task(), Task::Idle);
}

#[test]
fn a_call_that_the_server_took_is_not_said_to_be_refused_when_the_connection_goes() {
    let mut device = tablet();
    device.calls_sam().unwrap();
    device.take(Input::Outcomes(Ok(vec![Outcome { id: id(1), seq: Some(8), refusal: None }])));
    let socket = device.engine.live.sockets;
    let outputs = device.take(Input::Closed { socket, why: ConnectionError::Closed });
    assert!(!outputs.iter().any(|output| matches!(output, Output::Tell(CoreEvent::Refused { .. }))));
    assert!(device.engine.image().outbox.is_empty());
}

#[test]
fn hanging_up_what_never_began_leaves_nothing_to_read() {
    let mut device = tablet();
    device.calls_sam().unwrap();
    device.take(Input::Act { id: id(2), verb: Verb::Call(CallVerb::End { call_id: call_id(), dropped: false }) });
    let socket = device.engine.live.sockets;
    device.take(Input::Closed { socket, why: ConnectionError::Closed });
    device.take(Input::Outcomes(Err(Fault::Away(ConnectionError::network("cut")))));
    device.tick += 60_000;
    device.take(Input::Tick);
    let outputs =
        device.frame(FromServer::Welcome { head: 7, server_time: at(60), person_id: siri().id, instance: None });
    assert_eq!(sent(&outputs), [id(2)]);
    let refusal = Some(Refusal::not_found("call"));
    device.take(Input::Outcomes(Ok(vec![Outcome { id: id(2), seq: None, refusal }])));
    assert!(device.engine.image().outbox.is_empty(), "{:?}", device.engine.image().outbox);
}

#[test]
fn hanging_up_without_a_connection_is_kept_and_ends_the_voice() {
    let mut device = tablet();
    device.told(&answered(here()));
    assert!(matches!(device.task(), Task::Talk { .. }));
    let socket = device.engine.live.sockets;
    device.take(Input::Closed { socket, why: ConnectionError::Closed });
    assert!(matches!(device.task(), Task::Talk { .. }), "the voice needs no server");
    let hang_up = Verb::Call(CallVerb::End { call_id: call_id(), dropped: false });
    let outputs = device.take(Input::Act { id: id(1), verb: hang_up });
    assert_eq!(tasks(&outputs), [Task::Over { call_id: call_id() }]);
    assert_eq!(device.engine.image().outbox.len(), 1);
}

#[test]
fn signals_pass_only_for_a_call_of_this_person() {
    let mut device = tablet();
    device.told(&answered(here()));
    let signal = |call_id| FromServer::Signal { call_id, from: elsewhere(), signal: Signal::Ready };
    let outputs = device.frame(signal(call_id()));
    assert!(outputs.contains(&Output::Signal { call_id: call_id(), from: elsewhere(), signal: Signal::Ready }));
    let outputs = device.frame(signal(CallId(Uuid::from_u128(999))));
    assert!(!outputs.iter().any(|output| matches!(output, Output::Signal { .. })));
    let said = device.take(Input::Signal { call_id: call_id(), to: elsewhere(), signal: Signal::HangUp });
    assert!(said.iter().any(|output| matches!(output, Output::Say(FromClient::Signal { .. }))));
}

#[test]
fn missed_calls_are_counted_until_they_are_seen() {
    let mut device = tablet();
    let missed = |outputs: &[Output]| {
        outputs.iter().find_map(|output| if let Output::Phone { missed, .. } = output { Some(*missed) } else { None })
    };
    let call = ended(ringing(), How::Missed { why: Why::NoAnswer });
    assert_eq!(missed(&device.told(&call)), Some(1));
    let seen = device.take(Input::Act { id: id(1), verb: Verb::Call(CallVerb::See { call_id: call_id() }) });
    assert_eq!(missed(&seen), Some(0));
}
