//! Simulation of calls: the sockets that determine reachability, the audio between two devices, and people's actions.

use crewbell_shared::call::CallVerb;
use crewbell_shared::person::PersonVerb;
use std::collections::BTreeSet;

use crewbell_core::engine::Input;
use crewbell_core::screen::{Media, MediaPath, Quality, Task};
use crewbell_shared::call::CallState;
use crewbell_shared::ids::{CallId, CommandId, EndpointId};
use crewbell_shared::protocol::live::FromServer;
use crewbell_shared::protocol::{Entity, Verb};
use rand::{RngExt, seq::IndexedRandom};

use super::{Event, World};
use crate::checks;
use crate::device::{Answer, Sort};
use crate::random_id;
use crate::site::crew;

/// Milliseconds between two checks of a call's audio.
const LOOK_MS: u64 = 1_000;

impl World {
    /// Removes a device's socket at the server; returns its number.
    pub(super) fn unplug(&mut self, device: usize) -> Option<u64> {
        let stream = self.streams[device].take()?;
        if !stream.events {
            self.tell_peers(device, stream.endpoint, false);
        }
        Some(stream.socket)
    }

    /// Adds a device's socket: both endpoints of its calls are notified of each other.
    pub(super) fn plugged_in(&mut self, device: usize) {
        let socket = self.streams[device].as_ref().filter(|stream| !stream.events);
        let Some(endpoint) = socket.map(|stream| stream.endpoint) else { return };
        self.tell_peers(device, endpoint, true);
        for (call_id, other) in self.server.others_of(endpoint) {
            let there = self.who_has(other).is_some();
            self.tell_peer(device, call_id, other, there);
        }
    }

    fn tell_peers(&mut self, device: usize, endpoint: EndpointId, there: bool) {
        if !self.server.up {
            return;
        }
        for (call_id, other) in self.server.others_of(endpoint) {
            if let Some(other) = self.who_has(other).filter(|other| *other != device) {
                self.tell_peer(other, call_id, endpoint, there);
            }
        }
    }

    fn tell_peer(&mut self, device: usize, call_id: CallId, endpoint: EndpointId, there: bool) {
        if let Some(stream) = self.streams[device].as_ref().filter(|stream| !stream.events) {
            let (life, socket) = (stream.life, stream.socket);
            self.send(device, life, socket, FromServer::Peer { call_id, endpoint, there });
        }
    }

    /// Returns the device whose socket has this endpoint.
    fn who_has(&self, endpoint: EndpointId) -> Option<usize> {
        let is_it = |stream: &super::Stream| stream.endpoint == endpoint && !stream.events;
        self.streams.iter().position(|stream| stream.as_ref().is_some_and(is_it))
    }

    /// Runs the server's own handling of calls, and the notifications for newly answered calls whose other endpoint is
    /// gone.
    pub(super) fn look_after_calls(&mut self) -> Result<(), String> {
        let sockets = self.streams.iter().flatten().filter(|stream| !stream.events);
        let there: BTreeSet<EndpointId> = sockets.map(|stream| stream.endpoint).collect();
        let at = self.server_time();
        self.server.end_calls(&mut self.rng, &there, at);
        for (call_id, one, other) in self.server.newly_ongoing() {
            for (here, away) in [(one, other), (other, one)] {
                if let (Some(device), None) = (self.who_has(here), self.who_has(away)) {
                    self.tell_peer(device, call_id, away, false);
                }
            }
        }
        checks::nobody_is_in_two_calls(&self.server)
    }

    /// Updates the set of reachable people.
    pub(super) fn note_who_is_there(&mut self) {
        let there = self.streams.iter().zip(&self.devices).filter(|(stream, _)| stream.is_some());
        self.server.site.there = there.map(|(_, device)| device.person.id).collect();
    }

    /// Starts the audio checks of a new call, after an input.
    pub(super) fn listen(&mut self, device: usize) {
        let Task::Talk { call_id, peer: Some(_), .. } = self.devices[device].task else { return };
        if self.devices[device].listens != Some(call_id) {
            self.devices[device].listens = Some(call_id);
            self.devices[device].heard_at = None;
            let life = self.devices[device].life;
            self.push(LOOK_MS, Event::Voice { device, life, call_id });
        }
    }

    /// Simulates the audio of a call: the other endpoint is heard while it talks in the same call and both have a
    /// network.
    pub(super) fn voice(&mut self, device: usize, call_id: CallId) -> Result<(), String> {
        let Task::Talk { call_id: now, peer: Some(peer), .. } = self.devices[device].task else {
            self.devices[device].listens = None;
            return Ok(());
        };
        if now != call_id {
            return Ok(());
        }
        let speaks = |other: &crate::device::Device| {
            other.endpoint == peer
                && !other.cut
                && matches!(other.task, Task::Talk { call_id: theirs, .. } if theirs == call_id)
        };
        let heard = !self.devices[device].cut && self.devices.iter().any(speaks);
        let tick = self.tick;
        let here = &mut self.devices[device];
        if heard {
            here.heard_at = Some(tick);
        }
        let silent_ms = here.heard_at.map(|at| u32::try_from(tick - at).unwrap());
        let life = here.life;
        let media = Media {
            call_id,
            way: MediaPath::Direct,
            quality: Quality::Good,
            silent_ms,
            muted: false,
            push_to_talk: None,
            microphone_trouble: None,
            speaker_trouble: None,
        };
        if here.voice.as_ref() != Some(&media) {
            here.voice = Some(media.clone());
            self.input(device, Input::Media(media))?;
        }
        self.push(LOOK_MS, Event::Voice { device, life, call_id });
        Ok(())
    }

    /// Ends a call as dropped by the device itself.
    pub(super) fn broke_off(&mut self, device: usize, call_id: CallId) -> Result<(), String> {
        self.totals.count("calls broken off");
        let id: CommandId = random_id(&mut self.rng);
        let life = self.devices[device].life;
        let answer =
            self.input(device, Input::Act { id, verb: Verb::Call(CallVerb::End { call_id, dropped: true }) })?;
        if answer == Answer::Kept(id) || self.devices[device].disk.waiting(id).is_some() {
            self.devices[device].keep(id, Sort::BrokenOff, life);
        }
        Ok(())
    }

    /// Chooses an action of the device's person about calls, if any.
    pub(super) fn choose_about_calls(&mut self, device: usize) -> Option<Verb> {
        let (task, endpoint) = (self.devices[device].task, Some(self.devices[device].endpoint));
        let me = self.devices[device].person.id;
        let rng = &mut self.rng;
        match task {
            Task::Ring { call_id } => match rng.random_range(0..100) {
                0..40 => return Some(Verb::Call(CallVerb::Answer { call_id, endpoint })),
                40..50 => return Some(Verb::Call(CallVerb::Reject { call_id })),
                50..55 => return Some(Verb::Call(CallVerb::End { call_id, dropped: false })),
                _ => {}
            },
            Task::RingBack { call_id } | Task::Talk { call_id, .. } if rng.random_bool(0.15) => {
                return Some(Verb::Call(CallVerb::End { call_id, dropped: false }));
            }
            Task::Idle | Task::Over { .. } if rng.random_bool(0.12) => {
                let callee_id = crew().choose(rng)?.id;
                return Some(Verb::Call(CallVerb::Start { call_id: random_id(rng), callee_id, about: None, endpoint }));
            }
            Task::RingBack { .. } | Task::Talk { .. } | Task::Idle | Task::Over { .. } => {}
        }
        if !rng.random_bool(0.05) {
            return None;
        }
        // A late tap, or a look at missed calls.
        let calls: Vec<_> = self.devices[device].calls().cloned().collect();
        let call = calls.choose(&mut self.rng)?;
        let call_id = call.id;
        Some(match &call.state {
            CallState::Ended { .. } if call.is_unseen() && call.callee.id == me => {
                Verb::Call(CallVerb::See { call_id })
            }
            _ => match self.rng.random_range(0..4) {
                0 => Verb::Call(CallVerb::Reject { call_id }),
                1 => Verb::Call(CallVerb::End { call_id, dropped: false }),
                2 => Verb::Person(PersonVerb::SetBusy { person_id: me, busy: self.rng.random_bool(0.4) }),
                _ => Verb::Call(CallVerb::Answer { call_id, endpoint }),
            },
        })
    }
}

/// Returns the call of an entity.
pub fn as_call(entity: &Entity) -> Option<&crewbell_shared::call::Call> {
    if let Entity::Call(call) = entity { Some(call) } else { None }
}
