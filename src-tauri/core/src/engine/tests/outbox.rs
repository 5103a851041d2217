//! Tests of sending commands: rejections by intermediaries, and the emitted outbox changes.

use super::*;
use crewbell_shared::request::RequestVerb;

impl Device {
    /// Returns a device with three notes of Siri in flight, in one batch.
    fn with_three_on_their_way() -> Self {
        let mut device = Self::live();
        device.take(Input::Act { id: id(9), verb: note(9) });
        for number in 1..=3 {
            device.take(Input::Act { id: id(number), verb: note(number) });
        }
        let outputs = device.take(Input::Outcomes(Ok(vec![done(9)])));
        assert_eq!(sent(&outputs), [id(1), id(2), id(3)]);
        device
    }

    fn doing(&self, number: u128) -> Option<CommandStatus> {
        self.engine.image().waiting(id(number)).map(|waiting| waiting.doing.clone())
    }

    fn is_blocked(&self, number: u128) -> bool {
        matches!(self.doing(number), Some(CommandStatus::Refused { refusal, .. }) if refusal.code == Code::Blocked)
    }
}

fn note(number: u128) -> Verb {
    let request_id = open_request(at(0)).id;
    Verb::Request(RequestVerb::Note { request_id, note_id: NoteId(Uuid::from_u128(number)), text: "Two towels".into() })
}

fn done(number: u128) -> Outcome {
    Outcome { id: id(number), seq: None, refusal: None }
}

fn blocked(status: u16) -> Input {
    Input::Outcomes(Err(Fault::Blocked { status }))
}

fn batches(outputs: &[Output]) -> Vec<Vec<CommandId>> {
    let batch = |output: &Output| match output {
        Output::Send(commands) => Some(commands.iter().map(|command| command.id).collect()),
        _ => None,
    };
    outputs.iter().filter_map(batch).collect()
}

#[test]
fn a_command_that_a_proxy_refuses_is_found_and_named_and_those_behind_it_go_on() {
    for status in [403, 413] {
        let mut device = Device::with_three_on_their_way();
        assert_eq!(sent(&device.take(blocked(status))), [id(1)], "one at a time");
        assert_eq!(sent(&device.take(Input::Outcomes(Ok(vec![done(1)])))), [id(2), id(3)]);
        assert_eq!(sent(&device.take(blocked(status))), [id(2)]);
        assert_eq!(batches(&device.take(blocked(status))), [Vec::new()], "does anything get through?");
        assert_eq!(sent(&device.take(Input::Outcomes(Ok(Vec::new())))), [id(2)], "once more, by itself");
        device.take(blocked(status));
        let outputs = device.take(Input::Outcomes(Ok(Vec::new())));
        assert!(device.is_blocked(2));
        assert_eq!(sent(&outputs), [id(3)], "at once");
        let told = |output: &Output| {
            matches!(output, Output::Tell(CoreEvent::Refused { command_id, refusal })
                if *command_id == id(2) && refusal.details["status"] == status)
        };
        assert!(outputs.iter().any(told), "{outputs:?}");
        device.take(Input::Outcomes(Ok(vec![done(3)])));
        assert_eq!((device.doing(1), device.doing(3)), (None, None));
    }
}

#[test]
fn a_proxy_that_was_in_trouble_for_a_moment_costs_nothing() {
    let mut device = Device::with_three_on_their_way();
    device.take(blocked(403));
    device.take(blocked(403));
    assert_eq!(sent(&device.take(Input::Outcomes(Ok(Vec::new())))), [id(1)]);
    device.take(Input::Outcomes(Ok(vec![done(1)])));
    assert_eq!((device.doing(1), device.is_blocked(2), device.is_blocked(3)), (None, false, false));
}

#[test]
fn a_refusal_over_a_connection_that_is_gone_counts_for_nothing() {
    let mut device = Device::with_three_on_their_way();
    for _ in 0..2 {
        device.take(blocked(403));
        device.take(blocked(403));
        let socket = device.engine.live.sockets;
        // The response arrives when the device is on another network already.
        device.take(Input::Closed { socket, why: ConnectionError::Closed });
        device.tick += 20_000;
        device.take(Input::Tick);
        device.take(blocked(403));
        device.take(Input::Tick);
        device.welcome();
        device.take(Input::Outcomes(Ok(Vec::new())));
    }
    assert_eq!([1, 2, 3].map(|number| device.doing(number)), [const { Some(CommandStatus::Waiting) }; 3]);
}

#[test]
fn a_command_that_is_always_answered_with_somebody_s_page_holds_up_nobody() {
    let mut device = Device::with_three_on_their_way();
    let page = || Input::Outcomes(Err(Fault::Away(ConnectionError::Stranger)));
    let mut on_their_way = vec![id(1), id(2), id(3)];
    // Batches with the second command receive a foreign page; all others get through.
    for _ in 0..100 {
        let answer = if on_their_way.contains(&id(2)) {
            page()
        } else {
            let outcome = |id: &CommandId| Outcome { id: *id, seq: None, refusal: None };
            Input::Outcomes(Ok(on_their_way.iter().map(outcome).collect()))
        };
        let mut outputs = device.take(answer);
        for _ in 0..8 {
            if let Some(batch) = batches(&outputs).into_iter().next() {
                on_their_way = batch;
                break;
            }
            device.tick += 20_000;
            outputs = device.pulse();
            outputs.extend(device.take(Input::Tick));
        }
    }
    assert!(device.is_blocked(2), "{:?}", device.doing(2));
    assert_eq!((device.doing(1), device.doing(3)), (None, None));
}

#[test]
fn a_proxy_that_refuses_everything_is_waited_for_and_nothing_is_refused() {
    let mut device = Device::with_three_on_their_way();
    for _ in 0..20 {
        device.take(blocked(403));
        device.tick += 20_000;
        device.frame(FromServer::Pulse { head: 7, sent: Some(7), server_time: at(60) });
        device.take(Input::Tick);
    }
    assert_eq!([1, 2, 3].map(|number| device.doing(number)), [const { Some(CommandStatus::Waiting) }; 3]);
    assert_eq!(device.engine.picture(now(device.tick)).status.trouble, Some(ConnectionError::Stranger));
}

#[test]
fn what_depends_on_a_command_that_does_not_get_through_is_kept_back_with_it() {
    let mut device = Device::live();
    device.accept(1).unwrap();
    let request_id = open_request(at(0)).id;
    device.take(Input::Act { id: id(2), verb: Verb::Request(RequestVerb::Complete { request_id }) });
    device.take(Input::Act { id: id(3), verb: note(3) });
    device.take(blocked(413));
    device.take(Input::Outcomes(Ok(Vec::new())));
    device.take(blocked(413));
    let outputs = device.take(Input::Outcomes(Ok(Vec::new())));
    assert!(device.is_blocked(1));
    let Some(CommandStatus::Refused { refusal, .. }) = device.doing(2) else { panic!("{:?}", device.doing(2)) };
    assert_eq!(refusal.code, Code::DependsOnRefused);
    assert_eq!(sent(&outputs), [id(3)], "and what doesn't depend on it goes on");
}

#[test]
fn an_answer_to_the_question_whether_anything_gets_through_counts_over_its_own_connection_only() {
    let mut device = Device::with_three_on_their_way();
    device.take(blocked(403));
    device.take(blocked(403));
    let socket = device.engine.live.sockets;
    device.take(Input::Closed { socket, why: ConnectionError::Closed });
    device.tick += 20_000;
    device.take(Input::Tick);
    device.take(Input::Outcomes(Ok(Vec::new())));
    assert_eq!(device.doing(1), Some(CommandStatus::Waiting));
    let welcome = FromServer::Welcome { head: 7, server_time: at(60), person_id: siri().id, instance: None };
    assert_eq!(batches(&device.frame(welcome)), [Vec::new()], "it is asked again");
}

#[test]
fn the_screens_are_told_what_of_the_outbox_changed_and_nothing_else() {
    let mut device = Device::live();
    let told = |outputs: Vec<Output>| -> (Vec<CommandId>, Vec<CommandId>) {
        let outbox = outputs.into_iter().find_map(|output| match output {
            Output::Tell(CoreEvent::Outbox { put, gone }) => Some((put, gone)),
            _ => None,
        });
        let (put, gone) = outbox.unwrap();
        (put.iter().map(|item| item.command_id).collect(), gone)
    };
    let mut counted = 0;
    // The maximum number of notes of a request.
    for number in 1..=100 {
        let (put, gone) = told(device.take(Input::Act { id: id(number), verb: note(number) }));
        assert_eq!((put.as_slice(), gone.len()), ([id(number)].as_slice(), 0));
        counted += put.len();
    }
    for number in 1..=100 {
        let outcome = if number % 2 == 0 { Outcome { seq: Some(800), ..done(number) } } else { done(number) };
        device.engine.live.sending = Some((device.engine.live.sockets, vec![id(number)]));
        let (put, gone) = told(device.take(Input::Outcomes(Ok(vec![outcome]))));
        counted += put.len() + gone.len();
    }
    assert_eq!(counted, 200, "two words for each, however many wait");
    assert!(told(device.take(Input::Discard { id: id(2) })).1 == [id(2)]);
}
