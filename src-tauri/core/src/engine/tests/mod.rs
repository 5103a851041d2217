//! Tests of the engine, one input at a time. The simulation (`tests/simulation`) tests several whole devices.

#![expect(clippy::wildcard_enum_match_arm, reason = "a test looks for one of many")]

mod moving;
mod outbox;
mod path;
mod peer_loss;
mod phone;
mod presence;
mod ringing;
mod token;
mod versions;

use crewbell_shared::request::RequestVerb;
use std::sync::Arc;

use crewbell_shared::ids::{CommandId, NoteId};
use crewbell_shared::protocol::live::FromServer;
use crewbell_shared::protocol::{Entity, Outcome, Verb};
use crewbell_shared::request::RequestState;
use crewbell_shared::site::{Site, SiteSettings};
use crewbell_shared::testing::{at, open_request, sam, siri};
use crewbell_shared::{Code, Refusal};
use uuid::Uuid;

use super::{Engine, Fault, Input, Now, Output, Snapshot};
use crate::screen::{AskError, ConnectionError, CoreEvent, Link, Notice};
use crate::store::{CommandStatus, Cursor, Image, Session, Write};

fn now(tick: u64) -> Now {
    Now { wall: at(i64::try_from(tick / 1000).unwrap()), tick, jitter: 0 }
}

fn id(number: u128) -> CommandId {
    CommandId(Uuid::from_u128(number))
}

/// A device with its current time.
struct Device {
    engine: Engine,
    tick: u64,
}

impl Device {
    /// Returns Siri's tablet, live, with an open request.
    fn live() -> Self {
        let mut device = Self { engine: Engine::new(Image::default()), tick: 0 };
        device.take(Input::Start);
        let session = Session {
            server: "http://ship:8080".into(),
            site: "serenity".into(),
            person: siri().as_ref(),
            device_id: Uuid::nil().into(),
            instance: None,
        };
        device.take(Input::SignedIn(session));
        let (slug, name) = ("serenity".to_owned(), "MY Serenity".to_owned());
        let site = Site { id: Uuid::nil().into(), slug, name, settings: SiteSettings::default() };
        let entities: Vec<Entity> = vec![site.into(), siri().into(), sam().into(), open_request(at(0)).into()];
        let cursor = Cursor { seq: 7, event_id: None };
        let entities = entities.into_iter().map(Arc::new).collect();
        device.take(Input::Snapshot(Ok(Snapshot { cursor, entities, foreign: false })));
        device.frame(FromServer::Welcome { head: 7, server_time: at(0), person_id: siri().id, instance: None });
        device
    }

    fn frame(&mut self, frame: FromServer) -> Vec<Output> {
        let socket = self.engine.live.sockets;
        self.take(Input::Frame { socket, frame: Box::new(frame) })
    }

    /// Simulates two rejections of the token by the server.
    fn is_signed_out(&mut self) -> Vec<Output> {
        let refusal = || Refusal::new(Code::NotSignedIn, "You were signed out.");
        self.frame(FromServer::Refused { refusal: refusal() });
        self.tick += 60_000;
        assert!(self.take(Input::Tick).contains(&Output::AskToken));
        self.take(Input::Token(Err(Fault::Refused(refusal()))))
    }

    fn take(&mut self, input: Input) -> Vec<Output> {
        self.try_take(input).unwrap()
    }

    fn try_take(&mut self, input: Input) -> Result<Vec<Output>, AskError> {
        self.tick += 10;
        let step = self.engine.decide(input, now(self.tick));
        step.answer.clone()?;
        Ok(self.engine.commit(step, now(self.tick)))
    }

    fn accept(&mut self, number: u128) -> Result<Vec<Output>, AskError> {
        let request_id = open_request(at(0)).id;
        self.try_take(Input::Act { id: id(number), verb: Verb::Request(RequestVerb::Accept { request_id }) })
    }

    fn shown_state(&self) -> (RequestState, bool) {
        let entities = self.engine.picture(now(self.tick)).entities;
        entities
            .iter()
            .find_map(|shown| match shown.entity.as_ref() {
                Entity::Request(request) => Some((request.state.clone(), shown.pending)),
                _ => None,
            })
            .unwrap()
    }
}

fn sent(outputs: &[Output]) -> Vec<CommandId> {
    let commands = outputs.iter().filter_map(|output| match output {
        Output::Send(commands) => Some(commands),
        _ => None,
    });
    commands.flatten().map(|command| command.id).collect()
}

#[test]
fn an_accept_is_kept_before_it_is_shown_and_sent() {
    let mut device = Device::live();
    let request_id = open_request(at(0)).id;
    let step = device
        .engine
        .decide(Input::Act { id: id(1), verb: Verb::Request(RequestVerb::Accept { request_id }) }, now(100));
    assert!(matches!(step.writes.as_slice(), [Write::UpsertCommand(waiting)] if waiting.command.id == id(1)));
    assert!(!step.may_go_unwritten());
    assert_eq!(device.shown_state(), (RequestState::Open, false), "nothing is so before it is written");
    let outputs = device.engine.commit(step, now(100));
    assert_eq!(sent(&outputs), [id(1)]);
    let (state, pending) = device.shown_state();
    assert!(matches!(state, RequestState::Accepted(acceptance) if acceptance.accepted_by.name == "Siri"));
    assert!(pending);
}

#[test]
fn ones_own_accept_silences_the_device_at_once() {
    let mut device = Device::live();
    assert_eq!(device.engine.picture(now(30)).alerts.len(), 1);
    let outputs = device.accept(1).unwrap();
    assert!(outputs.iter().any(|output| matches!(output, Output::Alerts { alerts, open: 0 } if alerts.is_empty())));
}

#[test]
fn what_the_rules_refuse_here_is_refused_at_once_and_not_kept() {
    let mut device = Device::live();
    let request_id = open_request(at(0)).id;
    let refused = device.try_take(Input::Act { id: id(1), verb: Verb::Request(RequestVerb::Complete { request_id }) });
    assert!(matches!(refused, Err(AskError::Refused { refusal }) if refusal.code == Code::NotAccepted));
    assert!(device.engine.image().outbox.is_empty());
}

#[test]
fn the_loser_of_a_race_sees_the_winner_and_keeps_the_refusal_until_they_decide() {
    let mut device = Device::live();
    device.accept(1).unwrap();
    let refusal = Refusal::new(Code::AlreadyAccepted, "Sam has it already.").with("by", &sam().as_ref());
    let outcome = Outcome { id: id(1), seq: None, refusal: Some(refusal.clone()) };
    let outputs = device.take(Input::Outcomes(Ok(vec![outcome])));
    assert!(outputs.contains(&Output::Tell(CoreEvent::Refused { command_id: id(1), refusal })));
    assert_eq!(device.shown_state(), (RequestState::Open, false), "the echo is gone; the log will say who has it");
    assert_eq!(device.engine.picture(now(60)).status.refused, 1);
    device.take(Input::Discard { id: id(1) });
    assert_eq!(device.engine.picture(now(70)).status.refused, 0);
}

#[test]
fn a_retry_goes_under_a_new_id_because_the_old_one_has_its_answer() {
    let mut device = Device::live();
    device.accept(1).unwrap();
    let refusal = Refusal::new(Code::NotFound, "There is no such request.");
    device.take(Input::Outcomes(Ok(vec![Outcome { id: id(1), seq: None, refusal: Some(refusal) }])));
    let outputs = device.take(Input::Retry { id: id(1), new_id: id(2) });
    assert_eq!(sent(&outputs), [id(2)]);
    assert!(device.engine.image().waiting(id(1)).is_none());
}

#[test]
fn what_comes_too_late_stays_with_its_reason_until_its_person_decides() {
    let mut device = Device::live();
    device.accept(1).unwrap();
    let refusal = Refusal::new(Code::TooOld, "Nobody can tell whether it was done.").with("made_at", &at(0));
    let outcome = Outcome { id: id(1), seq: None, refusal: Some(refusal.clone()) };
    let outputs = device.take(Input::Outcomes(Ok(vec![outcome])));
    assert!(outputs.contains(&Output::Tell(CoreEvent::Refused { command_id: id(1), refusal: refusal.clone() })));
    assert!(sent(&outputs).is_empty(), "it isn't tried again by itself");
    // The same holds after a restart of the app.
    let mut again = Device { engine: Engine::new(device.engine.image().clone()), tick: device.tick };
    assert!(sent(&again.take(Input::Start)).is_empty());
    let kept = &again.engine.image().waiting(id(1)).unwrap().doing;
    assert!(matches!(kept, CommandStatus::Refused { refusal: why, .. } if *why == refusal));
    // A retry is a new command, with the current time.
    device.tick += 5000;
    device.take(Input::Retry { id: id(1), new_id: id(2) });
    let command = &device.engine.image().waiting(id(2)).unwrap().command;
    assert_eq!(command.made_at, Some(at(5)));
    assert!(device.engine.image().waiting(id(1)).is_none());
}

#[test]
fn a_command_knows_the_one_that_it_makes_no_sense_without() {
    let mut device = Device::live();
    device.accept(1).unwrap();
    let request_id = open_request(at(0)).id;
    device.take(Input::Act { id: id(2), verb: Verb::Request(RequestVerb::Complete { request_id }) });
    let note =
        Verb::Request(RequestVerb::Note { request_id, note_id: NoteId(Uuid::from_u128(9)), text: "Two towels".into() });
    device.take(Input::Act { id: id(3), verb: note });
    let image = device.engine.image();
    assert_eq!(image.waiting(id(2)).unwrap().command.depends_on, Some(id(1)));
    assert_eq!(image.waiting(id(3)).unwrap().command.depends_on, None, "a note is true whoever has it");
}

#[test]
fn one_that_spoils_a_batch_is_found_and_the_others_go_on() {
    let mut device = Device::live();
    device.accept(1).unwrap();
    device.take(Input::Outcomes(Err(Fault::Away(ConnectionError::network("cut")))));
    let request_id = open_request(at(0)).id;
    device.take(Input::Act { id: id(2), verb: Verb::Request(RequestVerb::Release { request_id }) });
    device.tick += 60_000;
    device.frame(FromServer::Pulse { head: 7, sent: Some(7), server_time: at(60) });
    assert_eq!(device.engine.live.sending.as_ref().unwrap().1, [id(1), id(2)]);
    let spoilt = || Input::Outcomes(Err(Fault::Refused(Refusal::new(Code::Invalid, "The list can't be read."))));
    assert_eq!(sent(&device.take(spoilt())), [id(1)], "one at a time now");
    assert_eq!(sent(&device.take(spoilt())), [id(2)], "the first is refused alone, the second goes on");
    assert!(matches!(device.engine.image().waiting(id(1)).unwrap().doing, CommandStatus::Refused { .. }));
}

#[test]
fn a_sign_out_does_not_give_up_what_waits_unless_it_is_told_to() {
    let mut device = Device::live();
    device.accept(1).unwrap();
    let refused = device.try_take(Input::SignOut { discard: false });
    assert!(matches!(refused, Err(AskError::Refused { refusal }) if refusal.code == Code::InUse));
    let outputs = device.take(Input::SignOut { discard: true });
    assert!(outputs.contains(&Output::ForgetToken { sign_out: true }));
    assert_eq!((device.engine.image().entities.len(), device.engine.image().outbox.len()), (0, 0));
}

#[test]
fn a_sign_in_that_was_ended_wipes_the_site_and_keeps_what_was_not_sent() {
    let mut device = Device::live();
    device.accept(1).unwrap();
    device.is_signed_out();
    let picture = device.engine.picture(now(50));
    assert_eq!((picture.status.link, picture.entities.len(), picture.outbox.len()), (Link::SignedOut, 0, 1));
    assert!(picture.status.notices.contains(&Notice::Revoked));
}

#[test]
fn what_was_not_sent_is_told_again_at_the_next_start_until_somebody_signs_in() {
    let mut device = Device::live();
    device.accept(1).unwrap();
    device.is_signed_out();
    let starts = |image: Image| {
        let mut device = Device { engine: Engine::new(image), tick: 0 };
        device.take(Input::Start);
        device.engine.picture(now(device.tick)).status.notices
    };
    let mut image = device.engine.image().clone();
    assert_eq!(starts(image.clone()), [Notice::Revoked]);
    image.apply(&[Write::Mark(id(1), CommandStatus::Done { seq: 8 })]);
    assert_eq!(starts(image.clone()), [], "the server has it");
    image.apply(&[Write::DeleteCommand(id(1))]);
    assert_eq!(starts(image), [], "nothing waits");
    assert_eq!(starts(Device::live().engine.image().clone()), [], "somebody is signed in");
}

#[test]
fn what_cant_be_read_is_told_at_every_start_until_it_was_put_away_and_when_there_is_more() {
    let mut device = Device::live();
    let starts = |device: &mut Device, count| {
        *device = Device { engine: Engine::new(device.engine.image().clone()), tick: 0 };
        device.take(Input::Start);
        device.take(Input::Unreadable { count });
        device.engine.picture(now(device.tick)).status.notices
    };
    assert_eq!(starts(&mut device, 0), []);
    for _ in 0..2 {
        assert_eq!(starts(&mut device, 2), [Notice::Unreadable { count: 2 }]);
    }
    device.take(Input::PutAway { notice: "unreadable".into() });
    assert_eq!(device.engine.picture(now(device.tick)).status.notices, []);
    assert_eq!(starts(&mut device, 2), [], "the person knows");
    assert_eq!(starts(&mut device, 3), [Notice::Unreadable { count: 3 }]);
    device.take(Input::PutAway { notice: "unreadable".into() });
    assert_eq!(starts(&mut device, 1), [], "an update can read some of it");
    assert_eq!(starts(&mut device, 2), [Notice::Unreadable { count: 2 }], "and then there is another");
}

#[test]
fn silence_lasts_a_minute_and_not_for_what_comes_after() {
    let mut device = Device::live();
    device.take(Input::Silence);
    assert!(device.engine.picture(now(device.tick)).alerts[0].silenced);
    device.tick += 59_000;
    device.take(Input::Tick);
    assert!(device.engine.picture(now(device.tick)).alerts[0].silenced);
    device.tick += 1_000;
    device.take(Input::Tick);
    assert!(!device.engine.picture(now(device.tick)).alerts[0].silenced);
}

#[test]
fn a_clock_that_is_hours_wrong_is_told_and_the_servers_is_shown() {
    let mut device = Device::live();
    let three_hours = 3 * 3600;
    device.frame(FromServer::Pulse { head: 7, sent: Some(7), server_time: at(three_hours) });
    let status = device.engine.picture(now(device.tick)).status;
    assert!(
        status.notices.iter().any(|notice| matches!(notice, Notice::ClockWrong { by_s } if *by_s >= three_hours - 1))
    );
    device.accept(1).unwrap();
    assert!(device.engine.image().waiting(id(1)).unwrap().at >= at(three_hours));
}
