//! Call state of this device: ringing, talking, and local timeouts that end a call without a message.
//!
//! As with alerts, the task is derived from the shown state, never from a passing message: a device rings while a call
//! for its person rings, and talks while a call names its endpoint. Ringing also ends by the device's own timer.

use std::collections::BTreeMap;

use crewbell_shared::call::{Call, CallState};
use crewbell_shared::ids::{CallId, EndpointId, PersonId};
use crewbell_shared::protocol::live::{FromClient, Signal};
use crewbell_shared::protocol::{Entity, EntityType, Verb};
use crewbell_shared::{Code, Refusal};

use super::peer_loss::Word;
use super::volatile_state::{Socket, VolatileState};
use super::{Engine, Now, Output, Step};
use crate::screen::{CoreEvent, Media, Phone, Task};
use crate::store::{CommandStatus, EntityKey, Write};

/// Milliseconds for which a finished call is shown.
const OVER_MS: u64 = 4_000;
/// Upper bound of ringing, in milliseconds, whatever the server says: the longest time that a site can set.
const LONGEST_RING_MS: i64 = 300_000;

/// Volatile state of calls; a restart loses all of it. The other endpoint of an ongoing call notices, and ends the
/// call.
#[derive(Clone, Debug, Default)]
pub(super) struct Line {
    /// The ringing calls, each with the tick until which it rings here.
    pub rings_until: BTreeMap<CallId, u64>,
    /// The call dialled last on this device, until it is seen ringing, ongoing or over; set again when its ringing ends
    /// by this device's timer.
    pub dialled: Option<CallId>,
    /// The finished call, and the tick until which it is shown.
    pub over: Option<(CallId, u64)>,
    /// State of the media connection.
    pub media: Option<Media>,
    /// The server's latest reachability report on the other endpoint.
    pub word: Option<Word>,
    /// The tick of the last `welcome`.
    pub up_at: u64,
    /// The last call that was talking here, and the tick at which it began.
    pub talk: Option<(CallId, u64)>,
    /// The call that this device ended because the other endpoint is gone.
    pub ended: Option<CallId>,
}

impl VolatileState {
    fn is_up(&self) -> bool {
        matches!(self.socket, Socket::Up { .. })
    }
}

impl Engine {
    /// Sends a signal to the other endpoint of a call. Without a connection the signal is lost; its negotiation
    /// restarts with the next connection.
    pub(super) fn signal(step: &mut Step, call_id: CallId, to: EndpointId, signal: Signal) {
        if step.live.can_call() {
            step.outputs.push(Output::Say(FromClient::Signal { call_id, to, signal }));
        }
    }

    /// Passes on a signal from the other endpoint; ignored for calls without this person.
    pub(super) fn signalled(&self, step: &mut Step, call_id: CallId, from: EndpointId, signal: Signal) {
        if self.calls.contains(&call_id) {
            step.outputs.push(Output::Signal { call_id, from, signal });
        }
    }

    /// Records the state of the media connection.
    pub(super) fn media(step: &mut Step, media: Media) {
        step.live.line.media = Some(media);
    }

    /// Refuses commands with only a live effect while there is no suitable connection.
    pub(super) fn needs_connection(&self, verb: &Verb) -> Result<(), Refusal> {
        match verb.is_live() {
            true if !self.live.is_up() => {
                Err(Refusal::new(Code::NoConnection, "There is no connection to the server."))
            }
            true if !self.live.can_call() => {
                Err(Refusal::new(Code::NoSocket, "Calls need a live socket, and the network lets none through."))
            }
            true | false => Ok(()),
        }
    }

    /// Discards unanswered commands with only a live effect when the connection is lost, as a call must not ring an
    /// hour later. The log tells whether one took effect all the same.
    pub(super) fn give_up_live(&self, step: &mut Step) {
        if step.live.is_up() {
            return;
        }
        for waiting in &self.image.outbox {
            if !waiting.command.verb.is_live() {
                continue;
            }
            step.writes.push(Write::DeleteCommand(waiting.command.id));
            // A command that the server accepted was done, so no refusal is emitted.
            if waiting.doing == CommandStatus::Waiting {
                let refusal = Refusal::new(Code::NoConnection, "The connection was lost before the server answered.");
                step.emit(CoreEvent::Refused { command_id: waiting.command.id, refusal });
            }
        }
    }

    /// Returns a call as shown.
    fn shown_call(&self, id: CallId) -> Option<&Call> {
        match self.shown(&EntityKey::new(EntityType::Call, id.0)).map(|(entity, _)| entity.as_ref()) {
            Some(Entity::Call(call)) => Some(call),
            Some(_) | None => None,
        }
    }

    /// Updates the indexes of live and missed calls for one call.
    pub(super) fn index_call(&mut self, id: CallId) {
        let me = self.image.person_id();
        let call = self.shown_call(id).filter(|call| me.is_some_and(|me| call.is_party(me)));
        let live = call.is_some_and(Call::is_live);
        let missed = call.is_some_and(|call| me == Some(call.callee.id) && call.is_unseen());
        set(&mut self.calls, id, live);
        set(&mut self.missed, id, missed);
    }

    /// Emits the call task to the voice engine and the UI, if it changed.
    pub(super) fn tell_phone(&mut self, anew: bool, now: Now, outputs: &mut Vec<Output>) {
        self.time_rings(now);
        let before = self.last.phone.task;
        let mut task = self.task(now);
        if task == Task::Idle {
            task = self.over(before, now);
        } else {
            self.live.line.over = None;
            if task.call_id() == self.live.line.dialled {
                self.live.line.dialled = None;
            }
        }
        let talks_of = if let Task::Talk { call_id, .. } = task { Some(call_id) } else { None };
        self.live.line.media = self.live.line.media.take().filter(|media| Some(media.call_id) == talks_of);
        let other_away = talks_of.is_some_and(|id| self.is_other_away(id));
        self.end_what_is_gone(talks_of, now, outputs);

        let phone = Phone { task, media: self.live.line.media.clone(), other_away };
        let missed = self.missed.len();
        if anew || task != before || missed != self.last.missed {
            let call = task.call_id().and_then(|id| self.shown_call(id)).cloned().map(Box::new);
            outputs.push(Output::Phone { task, call, missed });
        }
        if anew || phone != self.last.phone {
            outputs.push(Output::Tell(CoreEvent::Phone { phone: phone.clone() }));
        }
        self.last.phone = phone;
        self.last.missed = missed;
    }

    /// Returns this device's task; talking takes precedence over ringing back, and that over ringing.
    fn task(&self, now: Now) -> Task {
        let Some(me) = self.image.person_id() else { return Task::Idle };
        let tasks = self.calls.iter().filter_map(|id| self.shown_call(*id)).map(|call| self.task_of(call, me, now));
        let rank = |task: &Task| match task {
            Task::Talk { .. } => 3,
            Task::RingBack { .. } => 2,
            Task::Ring { .. } => 1,
            Task::Idle | Task::Over { .. } => 0,
        };
        tasks.max_by_key(rank).unwrap_or_default()
    }

    fn task_of(&self, call: &Call, me: PersonId, now: Now) -> Task {
        let call_id = call.id;
        let is_here = |endpoint: Option<EndpointId>| endpoint.is_some() && endpoint == self.endpoint;
        let calls = call.caller.id == me && is_here(call.caller_endpoint);
        match &call.state {
            CallState::Ringing => {
                let rings = self.live.line.rings_until.get(&call_id).is_some_and(|until| now.tick < *until);
                match (rings, calls) {
                    (true, true) => Task::RingBack { call_id },
                    (true, false) if call.callee.id == me => Task::Ring { call_id },
                    (true, false) | (false, _) => Task::Idle,
                }
            }
            CallState::Ongoing { callee_endpoint, .. } if calls => {
                Task::Talk { call_id, peer: *callee_endpoint, offers: true }
            }
            CallState::Ongoing { callee_endpoint, .. } if call.callee.id == me && is_here(*callee_endpoint) => {
                Task::Talk { call_id, peer: call.caller_endpoint, offers: false }
            }
            CallState::Ongoing { .. } | CallState::Ended { .. } => Task::Idle,
        }
    }

    /// Sets the deadline of each ringing call, counted by the monotonic clock from when the call is first seen. A
    /// stored call doesn't ring after a start until the server confirms it.
    fn time_rings(&mut self, now: Now) {
        let ringing = |id: &CallId| self.shown_call(*id).filter(|call| call.state == CallState::Ringing);
        let gone: Vec<CallId> = self.live.line.rings_until.keys().filter(|id| ringing(id).is_none()).copied().collect();
        let at = self.live.server_time(now);
        let left = |call: &Call| call.rings_until.duration_since(at).as_millis();
        let new: Vec<(CallId, u64)> = self
            .calls
            .iter()
            .filter(|id| self.live.can_call() && !self.live.line.rings_until.contains_key(id))
            .filter_map(ringing)
            .map(|call| (call.id, left(call).clamp(0, i128::from(LONGEST_RING_MS))))
            .map(|(id, left)| (id, now.tick + u64::try_from(left).unwrap_or(0)))
            .collect();
        for id in gone {
            self.live.line.rings_until.remove(&id);
        }
        self.live.line.rings_until.extend(new);
    }

    /// Returns the task for a call that ended here, if there is one.
    fn over(&mut self, before: Task, now: Now) -> Task {
        let was_here = match before {
            Task::RingBack { call_id } | Task::Talk { call_id, .. } => Some(call_id),
            Task::Idle | Task::Ring { .. } | Task::Over { .. } => self.live.line.dialled,
        };
        // A finished call may be live again: a restored server doesn't know of its end, or refuses it.
        let is_over = |engine: &Self, id: CallId| engine.shown_call(id).is_some_and(|call| !call.is_live());
        if let Some(id) = was_here.filter(|id| is_over(self, *id)) {
            self.live.line.dialled = None;
            self.live.line.over = Some((id, now.tick + OVER_MS));
        } else if let Task::RingBack { call_id } = before {
            // Ringing ended by this device's timer. The server's outcome follows in a moment.
            self.live.line.dialled = Some(call_id);
        }
        match self.live.line.over.filter(|(id, _)| is_over(self, *id)) {
            Some((call_id, until)) if now.tick < until => Task::Over { call_id },
            Some(_) | None => {
                self.live.line.over = None;
                Task::Idle
            }
        }
    }

    /// Returns the tick of the next call timer.
    pub(super) fn phone_tick(&self, now: Now) -> Option<u64> {
        let rings = self.live.line.rings_until.values().copied();
        let over = self.live.line.over.map(|(_, until)| until);
        rings.chain(over).chain(self.gone_ticks()).filter(|until| *until > now.tick).min()
    }
}

fn set(ids: &mut std::collections::BTreeSet<CallId>, id: CallId, is: bool) {
    if is {
        ids.insert(id);
    } else {
        ids.remove(&id);
    }
}
