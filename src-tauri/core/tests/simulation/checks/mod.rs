//! Invariants that the simulation checks.

mod calls;

use std::collections::{BTreeMap, BTreeSet};

use crewbell_core::engine::{Engine, Now};
use crewbell_core::screen::{Link, ViewState};
use crewbell_core::store::{CommandStatus, EntityKey};
use crewbell_shared::Code;
use crewbell_shared::ids::{CommandId, PersonId};
use crewbell_shared::protocol::{Entity, Outcome};
use crewbell_shared::request::{Priority, Request, RequestState};

use crate::device::{Device, Did, Fate, Sort};
use crate::world::World;

pub use calls::{after_an_input, nobody_is_in_two_calls, nothing_live_waits};

/// Returns whether everything has been sent, answered and read.
pub fn at_rest(world: &World) -> bool {
    why_not_at_rest(world).is_empty()
}

/// Returns the reasons why the world isn't at rest.
pub fn why_not_at_rest(world: &World) -> String {
    let mut reasons = Vec::new();
    for device in &world.devices {
        let image = device.engine.image();
        let read = image.cursor.map(|cursor| (cursor.seq, cursor.event_id));
        // The number alone isn't enough: a restored log may be as long as the one that was read.
        if read != Some((world.server.head(), world.server.log.last().map(|entry| entry.meta.event_id))) {
            reasons.push(format!("device {} has read {read:?} of {}", device.number, world.server.head()));
        }
        let open =
            image.outbox.iter().filter(|waiting| !matches!(waiting.doing, CommandStatus::Refused { .. })).count();
        if open > 0 {
            reasons.push(format!("device {} has {open} commands without an answer", device.number));
        }
        if device.engine.picture(at_zero()).status.link != Link::Live {
            reasons.push(format!("device {} is not live", device.number));
        }
    }
    reasons.extend(calls::why_not_at_rest(world));
    reasons.join("; ")
}

fn at_zero() -> Now {
    Now { wall: crewbell_shared::testing::at(0), tick: 0, jitter: 0 }
}

/// Checks after every turn that the disk matches the engine, that the screen, updated by events only, matches a fresh
/// view state, and that a restart would show the same.
pub fn after_a_turn(device: &Device, now: Now) -> Result<(), String> {
    if !device.is_written() {
        return Err(format!("device {}: the disk and the engine differ", device.number));
    }
    if device.screen != device.picture(now) {
        return Err(format!("device {}: the screen shows something else than the engine", device.number));
    }
    let restarted = Engine::new(device.engine.image().clone()).picture(now).entities;
    if !device.screen.values().eq(&restarted) {
        return Err(format!("device {}: the screen shows something else than after a restart", device.number));
    }
    Ok(())
}

/// Checks all invariants at the end of a schedule.
pub fn all(world: &World) -> Result<(), String> {
    every_command_has_an_outcome(world)?;
    every_command_is_in_the_log_once_in_its_authors_order(world)?;
    every_device_shows_what_the_server_has(world)?;
    what_is_to_be_heard_rings(world)?;
    calls::all(world)
}

/// Checks that every command has an outcome that its person can see.
fn every_command_has_an_outcome(world: &World) -> Result<(), String> {
    for device in &world.devices {
        for did in &device.did {
            let id = did.id;
            if did.fate == Fate::GivenUp || world.lost_by_restore.contains(&id) {
                continue;
            }
            let answered = world.server.outcomes.get(&id);
            let kept = device.engine.image().waiting(id);
            match (answered, kept.map(|waiting| &waiting.doing)) {
                // Done, and its entry has arrived.
                (Some(outcome), None) if outcome.refusal.is_none() => {}
                // A command with only a live effect; its outcome is checked with the calls.
                (_, None) if did.sort == Sort::Live => {}
                // A call that never began can't be hung up.
                (Some(outcome), None) if hangs_up(did.sort) && is_not_found(outcome) => {}
                // Refused, and the person can see the reason.
                (Some(outcome), Some(CommandStatus::Refused { .. })) if outcome.refusal.is_some() => {}
                // Refused by a server that a backup has replaced.
                (_, Some(CommandStatus::Refused { .. })) => {}
                (answered, kept) => {
                    return Err(format!(
                        "device {}: command {id} was taken; the server's answer is {answered:?}, here it is {kept:?}",
                        device.number
                    ));
                }
            }
        }
    }
    Ok(())
}

fn hangs_up(sort: Sort) -> bool {
    matches!(sort, Sort::HangUp | Sort::BrokenOff)
}

fn is_not_found(outcome: &Outcome) -> bool {
    outcome.refusal.as_ref().is_some_and(|refusal| refusal.code == Code::NotFound)
}

fn every_command_is_in_the_log_once_in_its_authors_order(world: &World) -> Result<(), String> {
    let mut seen: BTreeMap<CommandId, Vec<u64>> = BTreeMap::new();
    for entry in &world.server.log {
        if let Some(id) = entry.meta.command_id {
            seen.entry(id).or_default().push(entry.meta.seq);
        }
    }
    for (id, seqs) in &seen {
        let known = world.devices.iter().any(|device| device.did.iter().any(|did| did.id == *id));
        // Starting a call also ends, in the same commit, the calls whose ringing time is over.
        let at_once = seqs.windows(2).all(|pair| pair[1] == pair[0] + 1) && seqs.len() <= 3;
        if !at_once || !known || (seqs.len() > 1 && !is_live(world, *id)) {
            return Err(format!("command {id} is in the log as {seqs:?}, known to its author: {known}"));
        }
    }
    for device in &world.devices {
        let mut last = 0;
        for did in device.did.iter().filter(|did| !may_come_late(device, did)) {
            let Some(seqs) = seen.get(&did.id) else { continue };
            if seqs[0] < last && !world.was_restored {
                let (number, id) = (device.number, did.id);
                return Err(format!("device {number}: command {id} came before one that was given before it"));
            }
            last = seqs[0];
        }
    }
    Ok(())
}

/// Returns whether a command may be out of order. A dropped call is reported by the device, and held back while the
/// other endpoint may report a hang-up. Calling and answering are discarded locally when the connection is lost, and
/// may be in flight all the same.
fn may_come_late(device: &Device, did: &Did) -> bool {
    let given_up = device.refused.contains(&did.id) || did.life != device.life;
    did.sort == Sort::BrokenOff || (did.sort == Sort::Live && given_up)
}

fn is_live(world: &World, id: CommandId) -> bool {
    world.devices.iter().flat_map(|device| &device.did).any(|did| did.id == id && did.sort == Sort::Live)
}

fn every_device_shows_what_the_server_has(world: &World) -> Result<(), String> {
    for device in &world.devices {
        let shown: BTreeMap<EntityKey, &Entity> =
            device.screen.iter().map(|(key, shown)| (*key, shown.entity.as_ref())).collect();
        let has: BTreeMap<EntityKey, &Entity> =
            world.server.site.entities.iter().map(|(key, entity)| (*key, entity)).collect();
        for key in has.keys().chain(shown.keys()) {
            if has.get(key) != shown.get(key) {
                return Err(format!(
                    "device {}: the server has {:?}, the screen shows {:?}",
                    device.number,
                    has.get(key),
                    shown.get(key)
                ));
            }
        }
        if let Some(pending) = device.screen.values().find(|shown| shown.pending) {
            return Err(format!("device {}: {:?} looks pending, and nothing is", device.number, pending.entity));
        }
    }
    Ok(())
}

/// Checks that open requests, and nothing else, ring for everybody on duty, and that an emergency rings for everybody.
/// A repeated press rings for the person who accepted, and for the others if that person is off duty or gone.
fn what_is_to_be_heard_rings(world: &World) -> Result<(), String> {
    let is_on_duty =
        |id: PersonId| world.server.site.people().any(|person| person.id == id && person.on_duty && person.active);
    for device in &world.devices {
        let me = device.person.id;
        let is_heard = |request: &&Request| {
            let by_all = is_on_duty(me) || request.priority == Priority::Emergency;
            match &request.state {
                RequestState::Open => by_all,
                RequestState::Accepted(taken) if request.last_press_at > Some(taken.accepted_at) => {
                    taken.accepted_by.id == me || (by_all && !is_on_duty(taken.accepted_by.id))
                }
                RequestState::Accepted(_) | RequestState::Completed { .. } | RequestState::Cancelled { .. } => false,
            }
        };
        let heard: BTreeSet<_> = world.server.site.requests().filter(is_heard).map(|request| request.id).collect();
        let rings: BTreeSet<_> = device.rings.iter().map(|alert| alert.request_id).collect();
        if heard != rings {
            return Err(format!("device {}: {heard:?} are to be heard, {rings:?} ring", device.number));
        }
    }
    Ok(())
}

/// Checks after every input that a connected device rings for every emergency it shows as open, on duty or not.
pub fn an_emergency_rings(device: &Device, picture: &ViewState) -> Result<(), String> {
    let is_silent = |request: &&Request| {
        let rings = || device.rings.iter().any(|alert| alert.request_id == request.id);
        request.state == RequestState::Open && request.priority == Priority::Emergency && !rings()
    };
    match device.requests().find(is_silent).filter(|_| picture.status.link.is_there()) {
        Some(request) => Err(format!("device {}: an emergency is silent: {request:?}", device.number)),
        None => Ok(()),
    }
}
