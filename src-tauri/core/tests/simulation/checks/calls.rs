//! Invariants of calls.

use std::collections::BTreeMap;

use crewbell_core::screen::Task;
use crewbell_shared::call::CallState;
use crewbell_shared::ids::{CallId, EndpointId, PersonId};
use crewbell_shared::protocol::Entry;
use jiff::{SignedDuration, Timestamp};

use crate::device::{Device, Sort};
use crate::server::Server;
use crate::world::{World, as_call};

/// Tolerance for ringing beyond a call's end: the maximum delay of the server's time.
const LATE: SignedDuration = SignedDuration::from_millis(20_600);

/// Returns the reasons why calls aren't at rest.
pub fn why_not_at_rest(world: &World) -> Vec<String> {
    let mut reasons = Vec::new();
    for call in world.server.live_calls() {
        let ends = [call.caller_endpoint, call.callee_endpoint()];
        let speak = |end: &Option<EndpointId>| {
            let of = |task: Task| matches!(task, Task::Talk { call_id, .. } if call_id == call.id);
            world.devices.iter().any(|device| Some(device.endpoint) == *end && of(device.task))
        };
        if !ends.iter().all(speak) {
            reasons.push(format!("call {} is {}, and not spoken over by two", call.id, call.state.as_str()));
        }
    }
    reasons
}

/// Checks that nobody is in two calls.
pub fn nobody_is_in_two_calls(server: &Server) -> Result<(), String> {
    let mut seen: BTreeMap<PersonId, CallId> = BTreeMap::new();
    for call in server.live_calls() {
        for person in [&call.caller, &call.callee] {
            if let Some(other) = seen.insert(person.id, call.id) {
                return Err(format!("{} is in two calls: {other} and {}", person.name, call.id));
            }
        }
    }
    Ok(())
}

/// Checks after every input that the device's call task matches its screen, and that nothing rings beyond its time.
pub fn after_an_input(device: &Device, at: Timestamp) -> Result<(), String> {
    let (me, here) = (device.person.id, Some(device.endpoint));
    let wrong = |why: &str| Err(format!("device {}: {:?}, though {why}", device.number, device.task));
    let spoken = device.calls().find(|call| {
        matches!(&call.state, CallState::Ongoing { callee_endpoint, .. }
            if (call.callee.id == me && *callee_endpoint == here) || (call.caller.id == me && call.caller_endpoint == here))
    });
    let talks_of = if let Task::Talk { call_id, .. } = device.task { Some(call_id) } else { None };
    if spoken.map(|call| call.id) != talks_of {
        return wrong(&format!("what is spoken over here is {spoken:?}"));
    }
    let Some(call_id) = device.task.call_id() else { return Ok(()) };
    let Some(call) = device.calls().find(|call| call.id == call_id) else {
        return wrong("there is no such call");
    };
    match device.task {
        Task::Ring { .. } | Task::RingBack { .. } => {
            let rings_here = match device.task {
                Task::Ring { .. } => call.callee.id == me,
                _ => call.caller.id == me && call.caller_endpoint == here,
            };
            if call.state != CallState::Ringing || !rings_here {
                return wrong(&format!("it doesn't ring here: {call:?}"));
            }
            if !device.mistimed.contains(&call_id) && at > call.rings_until + LATE {
                return wrong(&format!("it rings until {}, and it is {at}", call.rings_until));
            }
            Ok(())
        }
        Task::Over { .. } if call.is_live() => wrong("it goes on"),
        Task::Talk { .. } | Task::Over { .. } | Task::Idle => Ok(()),
    }
}

/// Checks at every `welcome` that no command with only a live effect waits.
pub fn nothing_live_waits(device: &Device) -> Result<(), String> {
    let mut outbox = device.engine.image().outbox.iter();
    match outbox.find(|waiting| waiting.command.verb.is_live()) {
        Some(waiting) => Err(format!("device {}: {:?} has waited for a connection", device.number, waiting.command)),
        None => Ok(()),
    }
}

/// Checks all invariants of calls at the end of a schedule.
pub fn all(world: &World) -> Result<(), String> {
    nobody_is_in_two_calls(&world.server)?;
    every_call_goes_its_way_once(&world.server)?;
    every_live_verb_was_done_or_refused(world)
}

/// Checks that every call in the log begins once, is answered by one device at most, and ends once unless it is
/// ongoing.
fn every_call_goes_its_way_once(server: &Server) -> Result<(), String> {
    let mut histories: BTreeMap<CallId, Vec<&Entry>> = BTreeMap::new();
    for entry in &server.log {
        if let Ok(Some(entity)) = entry.clone().into_entity()
            && let Some(call) = as_call(&entity)
        {
            histories.entry(call.id).or_default().push(entry);
        }
    }
    for (id, history) in &histories {
        let kinds: Vec<&str> = history.iter().map(|entry| entry.kind.as_str()).collect();
        let ends = |kind: &&str| !matches!(*kind, "call_started" | "call_answered" | "call_seen");
        let mut rest = kinds.as_slice();
        if rest[0] == "call_started" {
            rest = &rest[1..];
            if rest.first() == Some(&"call_answered") {
                rest = &rest[1..];
            }
        }
        let goes_on = server.live_calls().any(|call| call.id == *id);
        match rest {
            [] if goes_on => {}
            [end] | [end, "call_seen"] if ends(end) && !goes_on => {}
            _ => return Err(format!("call {id} went like this: {kinds:?}; it goes on: {goes_on}")),
        }
    }
    Ok(())
}

/// Checks that every live command has an outcome that its person has seen.
fn every_live_verb_was_done_or_refused(world: &World) -> Result<(), String> {
    for device in &world.devices {
        for did in device.did.iter().filter(|did| did.sort == Sort::Live && !world.lost_by_restore.contains(&did.id)) {
            let done = world.server.outcomes.get(&did.id).is_some_and(|outcome| outcome.refusal.is_none());
            // A person whose app died in between notices that.
            let told = device.refused.contains(&did.id) || did.life != device.life;
            if !done && !told {
                return Err(format!("device {}: nobody was told of command {}", device.number, did.id));
            }
        }
    }
    Ok(())
}
