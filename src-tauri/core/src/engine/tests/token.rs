//! Tests that only two rejections of the token, by the server that issued it, wipe a device.

use super::*;

fn no(code: Code) -> Refusal {
    Refusal::new(code, "No.")
}

impl Device {
    fn keeps_everything(&self, why: &str) {
        let image = self.engine.image();
        assert!(image.session.is_some() && image.entities.len() == 4, "{why}: it was wiped");
        assert!(!self.engine.picture(now(self.tick)).status.notices.contains(&Notice::Revoked), "{why}");
    }

    /// Lets the back-off after a failure pass.
    fn after_a_wait(&mut self) -> Vec<Output> {
        self.tick += 20_000;
        self.take(Input::Tick)
    }
}

/// Returns a device for each way in which a server can reject the token.
fn first_noes() -> Vec<(&'static str, Device)> {
    let mut by_socket = Device::live();
    by_socket.frame(FromServer::Refused { refusal: no(Code::NotSignedIn) });
    let mut by_answer = Device::live();
    by_answer.accept(1).unwrap();
    by_answer.take(Input::Outcomes(Err(Fault::Refused(no(Code::NotSignedIn)))));
    let mut by_snapshot = Device::live();
    let mut outputs = by_snapshot.frame(FromServer::Refused { refusal: no(Code::SnapshotNeeded) });
    outputs.extend(by_snapshot.after_a_wait());
    assert!(outputs.contains(&Output::FetchSnapshot));
    by_snapshot.take(Input::Snapshot(Err(Fault::Refused(no(Code::NotSignedIn)))));
    vec![("socket", by_socket), ("answer", by_answer), ("snapshot", by_snapshot)]
}

#[test]
fn the_first_no_wipes_nothing_and_the_token_is_asked_after_by_itself() {
    for (way, mut device) in first_noes() {
        device.keeps_everything(way);
        let outputs = device.after_a_wait();
        assert!(outputs.contains(&Output::AskToken), "{way}: {outputs:?}");
        let goes_on = |output: &Output| matches!(output, Output::Connect { .. } | Output::FetchSnapshot);
        assert!(!outputs.iter().any(goes_on), "{way}: nothing else is asked before");
        let outputs = device.take(Input::Token(Ok(())));
        device.keeps_everything(way);
        assert!(
            outputs.iter().chain(&device.after_a_wait()).any(goes_on),
            "{way}: it was somebody else, and it goes on"
        );
    }
}

#[test]
fn the_second_no_wipes_the_device_and_one_that_is_no_answer_asks_again() {
    for (way, mut device) in first_noes() {
        for fault in [
            Fault::Away(ConnectionError::OtherServer),
            Fault::Away(ConnectionError::Vault { why: "it is empty".into() }),
            Fault::Refused(no(Code::Unavailable)),
            Fault::Refused(no(Code::NotActive)),
            Fault::Blocked { status: 403 },
        ] {
            assert!(device.after_a_wait().contains(&Output::AskToken), "{way}");
            device.take(Input::Token(Err(fault)));
            device.keeps_everything(way);
        }
        assert!(device.after_a_wait().contains(&Output::AskToken), "{way}");
        let outputs = device.take(Input::Token(Err(Fault::Refused(no(Code::NotSignedIn)))));
        assert!(outputs.contains(&Output::ForgetToken { sign_out: false }), "{way}");
        assert_eq!(device.engine.picture(now(device.tick)).status.link, Link::SignedOut);
    }
    // An unrequested response has no effect.
    let mut device = Device::live();
    device.take(Input::Token(Err(Fault::Refused(no(Code::NotSignedIn)))));
    device.keeps_everything("unasked");
}

#[test]
fn what_becomes_of_a_command_says_nothing_of_the_sign_in() {
    for code in [Code::NotActive, Code::NotSignedIn, Code::BadCredentials, Code::NotAllowed] {
        let mut device = Device::live();
        device.accept(1).unwrap();
        let outcome = Outcome { id: id(1), seq: None, refusal: Some(no(code)) };
        device.take(Input::Outcomes(Ok(vec![outcome])));
        device.keeps_everything(code.as_str());
        assert!(matches!(device.engine.image().waiting(id(1)).unwrap().doing, CommandStatus::Refused { .. }), "{code}");
        assert!(!device.after_a_wait().contains(&Output::AskToken), "{code}: it isn't even doubted");
    }
    // Nor does `not_active` for a whole batch, a snapshot or a socket: it may concern any person.
    let mut device = Device::live();
    device.accept(1).unwrap();
    device.take(Input::Outcomes(Err(Fault::Refused(no(Code::NotActive)))));
    device.frame(FromServer::Refused { refusal: no(Code::NotActive) });
    device.keeps_everything("not active");
    assert!(!device.after_a_wait().contains(&Output::AskToken));
}

#[test]
fn another_crewbell_at_the_same_address_is_a_stranger() {
    let instance = |number: u128| Some(crewbell_shared::ids::InstanceId(Uuid::from_u128(number)));
    let welcome = |person_id, instance| FromServer::Welcome { head: 7, server_time: at(0), person_id, instance };
    let mut device = Device::live();
    let socket = device.engine.live.sockets;
    device.take(Input::Closed { socket, why: ConnectionError::Closed });
    device.after_a_wait();
    device.frame(welcome(siri().id, instance(1)));
    assert_eq!(device.engine.image().session.as_ref().unwrap().instance, instance(1), "it is remembered");
    for (person_id, other) in [(siri().id, instance(2)), (sam().id, instance(1)), (sam().id, None)] {
        let socket = device.engine.live.sockets;
        device.take(Input::Closed { socket, why: ConnectionError::Closed });
        device.after_a_wait();
        device.frame(welcome(person_id, other));
        device.keeps_everything("a stranger");
        let status = device.engine.picture(now(device.tick)).status;
        assert_eq!((status.link, status.trouble), (Link::Offline, Some(ConnectionError::OtherServer)));
        device.after_a_wait();
    }
    device.frame(welcome(siri().id, instance(1)));
    assert_eq!(device.engine.picture(now(device.tick)).status.link, Link::Live);
}

#[test]
fn who_signs_out_without_a_token_to_send_with_gives_nothing_up() {
    let mut device = Device::live();
    device.accept(1).unwrap();
    let socket = device.engine.live.sockets;
    device.take(Input::Closed { socket, why: ConnectionError::Vault { why: "it is empty".into() } });
    device.keeps_everything("no token");
    device.take(Input::SignOut { discard: false });
    assert_eq!((device.engine.image().entities.len(), device.engine.image().outbox.len()), (0, 1));
}
