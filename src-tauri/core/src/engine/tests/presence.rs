//! Tests of last-seen times, as stored and emitted.

use crewbell_shared::ids::PersonId;
use crewbell_shared::protocol::live::{LastSeen, Presence, Status};
use crewbell_shared::testing::{alex, tom};
use jiff::Timestamp;

use super::*;

fn there(people: &[PersonId]) -> FromServer {
    let one = |id: &PersonId| Presence { person_id: *id, devices: 1, sounding: 1, status: Status::Online };
    FromServer::Present { people: people.iter().map(one).collect() }
}

fn seen(person_id: PersonId, seconds: i64) -> LastSeen {
    LastSeen { person_id, at: at(seconds) }
}

impl Device {
    fn last_seen(&self, person: PersonId) -> Option<Timestamp> {
        let picture = self.engine.picture(now(self.tick));
        picture.seen.iter().find(|seen| seen.person_id == person).map(|seen| seen.at)
    }

    fn passes(&mut self, seconds: u64) {
        self.tick += seconds * 1000;
    }
}

fn told(outputs: &[Output]) -> Vec<&CoreEvent> {
    let told = outputs.iter().filter_map(|output| match output {
        Output::Tell(told) => Some(told),
        _ => None,
    });
    told.collect()
}

#[test]
fn what_the_server_says_of_who_was_last_there_is_kept_and_told_before_who_is() {
    let mut device = Device::live();
    let outputs = device.frame(FromServer::Seen { people: vec![seen(tom().id, -900), seen(alex().id, -60)] });
    assert_eq!(told(&outputs), [&CoreEvent::Seen { people: vec![seen(tom().id, -900), seen(alex().id, -60)] }]);
    device.frame(there(&[siri().id, sam().id]));
    assert_eq!(device.engine.image().seen[&tom().id], at(-900));
    // Sam goes offline, at a time that the server knows.
    device.passes(5);
    device.frame(FromServer::Seen { people: vec![seen(sam().id, 3)] });
    device.frame(there(&[siri().id]));
    assert_eq!((device.last_seen(sam().id), device.last_seen(alex().id)), (Some(at(3)), Some(at(-60))));
}

#[test]
fn a_device_whose_connection_ends_knows_that_the_others_were_there_until_then() {
    let mut device = Device::live();
    device.frame(there(&[siri().id, sam().id]));
    assert_eq!(device.last_seen(sam().id), Some(at(0)), "as soon as they came");
    device.passes(40);
    let socket = device.engine.live.sockets;
    let outputs = device.take(Input::Closed { socket, why: ConnectionError::Closed });
    // The last frame came 40 s ago; nothing later is known.
    let until = device.last_seen(sam().id).unwrap().duration_since(at(0));
    assert!(until.as_millis().abs() < 1000, "{until}");
    assert!(told(&outputs).iter().any(|told| matches!(told, CoreEvent::Seen { people } if people.len() == 2)));
}

#[test]
fn who_is_there_is_kept_once_a_minute_and_survives_a_restart_of_the_app() {
    let mut device = Device::live();
    device.frame(there(&[siri().id, sam().id]));
    for seconds in [30, 61, 70, 100] {
        device.tick = seconds * 1000;
        let server_time = at(i64::try_from(seconds).unwrap());
        let before = device.last_seen(sam().id);
        device.frame(FromServer::Pulse { head: 7, sent: Some(7), server_time });
        assert_eq!(device.last_seen(sam().id) == before, seconds != 61, "{seconds} s");
    }
    // Killed without a chance to write more.
    let image = device.engine.image().clone();
    let again = Device { engine: Engine::new(image), tick: 0 };
    assert_eq!(again.last_seen(sam().id), Some(at(61)));
    assert!(again.engine.picture(now(0)).present.is_empty(), "who is there is live only");
}

#[test]
fn who_was_there_over_the_last_socket_is_not_taken_to_be_there_over_the_next() {
    let mut device = Device::live();
    device.frame(there(&[sam().id]));
    let socket = device.engine.live.sockets;
    device.take(Input::Closed { socket, why: ConnectionError::Closed });
    let until = device.last_seen(sam().id);
    device.passes(300);
    device.take(Input::Tick);
    device.frame(FromServer::Welcome { head: 7, server_time: at(300), person_id: siri().id, instance: None });
    let socket = device.engine.live.sockets;
    device.take(Input::Closed { socket, why: ConnectionError::Closed });
    assert_eq!(device.last_seen(sam().id), until);
}

#[test]
fn signing_out_forgets_who_was_seen() {
    let mut device = Device::live();
    device.frame(FromServer::Seen { people: vec![seen(tom().id, -900)] });
    device.take(Input::SignOut { discard: true });
    assert_eq!(device.last_seen(tom().id), None);
}
