//! Peer loss: ends a call whose other endpoint is gone, and delays reports of dropped calls.
//!
//! Silence alone proves little: an endpoint that hung up is silent too, and reports the end as soon as it can. The
//! server's reachability report proves little just after this device's own socket reopened: the server may have been
//! away, and the other endpoint still reconnecting. A hang-up takes precedence over a dropped call, so the remaining
//! endpoint waits until the other one had time to report it.

use crewbell_shared::call::CallState;
use crewbell_shared::call::CallVerb;
use crewbell_shared::ids::CallId;
use crewbell_shared::protocol::{Entity, EntityType, Verb};

use super::volatile_state::Socket;
use super::{Engine, Now, Output, Step};
use crate::store::{CommandStatus, EntityKey};

/// Milliseconds of silence after which a call ends whose other endpoint the server can't reach either; the endpoint
/// must have been unreachable for as long.
const GONE_MS: u32 = 3_000;
/// Milliseconds of silence after which a call ends in any case. A quiet endpoint still sends comfort noise.
const SILENT_MS: u32 = 20_000;
/// Milliseconds that the other endpoint has for reconnecting after this device's own socket reopened: the longest retry
/// interval, and some time to connect.
const BACK_MS: u64 = 20_000;

/// The server's latest reachability report on a call's other endpoint, over the open socket.
#[derive(Clone, Copy, Debug)]
pub(super) struct Word {
    pub call_id: CallId,
    /// Whether the other endpoint is connected.
    pub there: bool,
    /// The tick of the last change of `there`.
    since: u64,
    /// Whether the other endpoint has been connected at any time during this socket.
    was_there: bool,
}

impl Engine {
    /// Handles a reachability report on a call's other endpoint.
    pub(super) fn reached(step: &mut Step, call_id: CallId, there: bool, now: Now) {
        let before = step.live.line.word.filter(|word| word.call_id == call_id);
        let since = before.filter(|word| word.there == there).map_or(now.tick, |word| word.since);
        let was_there = there || before.is_some_and(|word| word.was_there);
        step.live.line.word = Some(Word { call_id, there, since, was_there });
        if there {
            step.outputs.push(Output::SocketBack);
        }
    }

    /// Returns whether the server reports the other endpoint as unreachable.
    pub(super) fn is_other_away(&self, call_id: CallId) -> bool {
        self.live.line.word.is_some_and(|word| word.call_id == call_id && !word.there)
    }

    /// Returns the tick from which nothing more is expected from the silent endpoint of a call; none without a
    /// connection.
    fn settled_at(&self, call_id: CallId) -> Option<u64> {
        let line = &self.live.line;
        let Socket::Up { .. } = self.live.socket else { return None };
        let began_here = line.talk.is_some_and(|(talk, since)| talk == call_id && since >= line.up_at);
        let word = line.word.filter(|word| word.call_id == call_id);
        let was_there = began_here || word.is_some_and(|word| word.was_there);
        let since = word.map_or(line.up_at, |word| word.since);
        Some(if was_there { since + u64::from(GONE_MS) } else { line.up_at + BACK_MS })
    }

    /// Ends a call whose other endpoint is silent and unreachable, or silent for too long.
    pub(super) fn end_what_is_gone(&mut self, talks_of: Option<CallId>, now: Now, outputs: &mut Vec<Output>) {
        let Some(call_id) = talks_of else { return };
        if self.live.line.talk.is_none_or(|(talk, _)| talk != call_id) {
            self.live.line.talk = Some((call_id, now.tick));
        }
        let silent = self.live.line.media.as_ref().and_then(|media| media.silent_ms);
        let is_settled = || self.settled_at(call_id).is_some_and(|at| at <= now.tick);
        // For an endpoint that has never been heard, the time since it became unreachable counts.
        let away = self.is_other_away(call_id) && silent.is_none_or(|silent| silent >= GONE_MS) && is_settled();
        let is_gone = away || silent.is_some_and(|silent| silent >= SILENT_MS);
        if is_gone && self.live.line.ended != Some(call_id) {
            self.live.line.ended = Some(call_id);
            outputs.push(Output::EndCall { call_id });
        }
    }

    /// Returns the tick before which a command must not be sent. It applies only to reports of a dropped call, while
    /// the other endpoint may still report a hang-up.
    pub(super) fn held_until(&self, verb: &Verb) -> Option<u64> {
        let Verb::Call(CallVerb::End { call_id, dropped: true }) = verb else { return None };
        match self.image.entities.get(&EntityKey::new(EntityType::Call, call_id.0)).map(|kept| kept.entity.as_ref()) {
            Some(Entity::Call(call)) if matches!(call.state, CallState::Ongoing { .. }) => {
                Some(self.settled_at(*call_id).unwrap_or(u64::MAX))
            }
            Some(_) | None => None,
        }
    }

    /// Returns the ticks at which held commands may be sent and unreachable calls ended.
    pub(super) fn gone_ticks(&self) -> impl Iterator<Item = u64> {
        let waiting = self.image.outbox.iter().filter(|waiting| waiting.doing == CommandStatus::Waiting);
        let held = waiting.filter_map(|waiting| self.held_until(&waiting.command.verb));
        let away = self.live.line.word.filter(|word| !word.there).and_then(|word| self.settled_at(word.call_id));
        held.filter(|at| *at < u64::MAX).chain(away)
    }
}
