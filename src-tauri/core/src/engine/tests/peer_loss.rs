//! Tests of peer loss, with Siri's tablet, while Sam's app is killed, hangs up, or reconnects.

use crewbell_shared::call::CallVerb;
use crewbell_shared::call::Outcome as How;

use super::phone::{answered, call_id, elsewhere, ended, here, tablet};
use super::*;
use crate::screen::Task;

fn ends(outputs: &[Output]) -> usize {
    outputs.iter().filter(|output| matches!(output, Output::EndCall { .. })).count()
}

/// Returns Siri's tablet in a call with Sam.
fn talking() -> Device {
    let mut device = tablet();
    device.told(&answered(here()));
    device
}

impl Device {
    fn peer(&mut self, there: bool) -> Vec<Output> {
        self.frame(FromServer::Peer { call_id: call_id(), endpoint: elsewhere(), there })
    }

    fn cut(&mut self) {
        let socket = self.engine.live.sockets;
        self.take(Input::Closed { socket, why: ConnectionError::Closed });
    }

    /// Reopens the socket; returns the outputs after `welcome`.
    fn is_back(&mut self) -> Vec<Output> {
        self.tick += 60_000;
        self.take(Input::Tick);
        let head = self.engine.image().cursor.unwrap().seq;
        let server_time = at(i64::try_from(self.tick / 1000).unwrap());
        self.frame(FromServer::Welcome { head, server_time, person_id: siri().id, instance: None })
    }

    /// Ends a call as dropped, as the controller does on the engine's output.
    fn ends_it(&mut self, number: u128) -> Vec<Output> {
        self.take(Input::Act { id: id(number), verb: Verb::Call(CallVerb::End { call_id: call_id(), dropped: true }) })
    }

    /// Advances time with wake-ups at the requested ticks, as a driver does; returns all outputs.
    fn waits(&mut self, ms: u64) -> Vec<Output> {
        let until = self.tick + ms;
        let mut all = Vec::new();
        loop {
            let outputs = self.take(Input::Tick);
            let wake = outputs.iter().find_map(|output| match output {
                Output::Wake { at_tick } => Some(*at_tick),
                _ => None,
            });
            all.extend(outputs);
            let Some(wake) = wake.filter(|wake| *wake < until) else { break };
            self.tick = wake.max(self.tick);
            let (sent, server_time) = (self.engine.image().cursor.map(|read| read.seq), at(0));
            all.extend(self.frame(FromServer::Pulse { head: 0, sent, server_time }));
        }
        self.tick = until;
        all
    }
}

#[test]
fn a_side_that_is_gone_is_hung_up_on_once_and_within_five_seconds() {
    let mut device = talking();
    assert_eq!(ends(&device.hears_nothing_for(3_500)), 0, "a pause, for all that is known");
    let gone_at = device.tick;
    assert_eq!(ends(&device.peer(false)), 0, "it may come back");
    assert_eq!(ends(&device.waits(3_500)), 1);
    assert!(device.tick - gone_at < 4_000);
    assert_eq!(sent(&device.ends_it(1)), [id(1)], "the server is told at once");
    assert_eq!(ends(&device.hears_nothing_for(9_000)), 0);
}

#[test]
fn a_side_that_went_before_it_was_heard_at_all_is_gone_too() {
    let mut device = talking();
    device.peer(false);
    assert_eq!(ends(&device.waits(3_500)), 1);
}

#[test]
fn a_side_that_only_the_server_lost_goes_on() {
    let mut device = talking();
    device.peer(false);
    device.hears_nothing_for(200);
    assert_eq!(ends(&device.waits(10_000)), 0);
    assert!(device.engine.picture(now(device.tick)).phone.other_away);
    assert_eq!(ends(&device.hears_nothing_for(21_000)), 1);
}

#[test]
fn after_the_server_was_away_the_other_side_has_time_to_come_back_and_say_that_it_hung_up() {
    let mut device = talking();
    device.cut();
    device.hears_nothing_for(4_000);
    device.is_back();
    device.peer(false);
    assert_eq!(ends(&device.waits(15_000)), 0, "its app may wait so long before it tries again");
    device.told(&ended(answered(here()), How::Completed));
    assert_eq!(device.task(), Task::Over { call_id: call_id() });
    assert_eq!(ends(&device.waits(60_000)), 0);
}

#[test]
fn a_side_that_came_back_after_the_server_was_away_and_is_killed_then_is_gone_as_soon_as_ever() {
    let mut device = talking();
    device.cut();
    device.is_back();
    device.peer(false);
    device.peer(true);
    device.hears_nothing_for(3_500);
    device.peer(false);
    assert_eq!(ends(&device.waits(3_500)), 1);
}

#[test]
fn a_side_that_never_comes_back_is_gone() {
    let mut device = talking();
    device.cut();
    device.is_back();
    device.peer(false);
    device.hears_nothing_for(4_000);
    assert_eq!(ends(&device.waits(21_000)), 1);
    assert_eq!(sent(&device.ends_it(1)), [id(1)]);
}

#[test]
fn what_broke_off_while_the_server_was_away_is_over_here_and_told_only_when_the_other_side_said_nothing() {
    let mut device = talking();
    device.cut();
    assert_eq!(ends(&device.hears_nothing_for(20_000)), 1, "nobody speaks into nothing");
    device.ends_it(1);
    assert_eq!(device.task(), Task::Over { call_id: call_id() });
    assert!(sent(&device.is_back()).is_empty(), "the other side may have hung up");
    assert!(sent(&device.waits(19_000)).is_empty());
    assert_eq!(sent(&device.waits(2_000)), [id(1)]);
}

#[test]
fn what_broke_off_here_and_was_hung_up_there_is_as_the_other_side_says() {
    let mut device = talking();
    device.cut();
    device.hears_nothing_for(20_000);
    device.ends_it(1);
    device.is_back();
    let outputs = device.told(&ended(answered(here()), How::Completed));
    assert_eq!(sent(&outputs), [id(1)], "which changes nothing any more");
}

#[test]
fn other_commands_do_not_wait_for_one_that_is_held_back() {
    let mut device = talking();
    device.cut();
    device.hears_nothing_for(20_000);
    device.ends_it(1);
    device.accept(2).unwrap();
    assert_eq!(sent(&device.is_back()), [id(2)]);
}

#[test]
fn who_hung_up_never_says_that_it_broke_off() {
    let mut device = talking();
    device.take(Input::Act { id: id(1), verb: Verb::Call(CallVerb::End { call_id: call_id(), dropped: false }) });
    device.peer(false);
    device.hears_nothing_for(30_000);
    assert_eq!(ends(&device.waits(30_000)), 0);
    device.ends_it(2);
    assert!(device.engine.image().waiting(id(2)).is_none(), "it is over already");
}
