//! When a call is over because its other side is gone, and from when on the server is told so.
//!
//! Silence alone says little: a side that hung up is silent too, and says so as soon as it can. What the server says of
//! the other side's socket says little either, just after this side's own came back: the server may have been away, and
//! the other on its way back to it. Who hung up is to be believed; so whoever is left waits until they had the time to
//! say it.

use crewbell_shared::call::State;
use crewbell_shared::ids::CallId;
use crewbell_shared::protocol::{Entity, EntityType, Verb};

use super::live::Socket;
use super::{Engine, Now, Output, Step};
use crate::store::{Doing, Key};

/// Milliseconds of silence after which a call is over whose other side the server can't reach either; and for which it
/// must have been so.
const GONE_MS: u32 = 3_000;
/// Milliseconds of silence after which a call is over in any case. A side that is quiet still sends comfort noise.
const SILENT_MS: u32 = 20_000;
/// Milliseconds that the other side has to come back after this one's own socket did: the longest wait between two of
/// its attempts, and some to connect.
const BACK_MS: u64 = 20_000;

/// What the server says of the other side of a call, over the socket that is open.
#[derive(Clone, Copy, Debug)]
pub(super) struct Word {
    pub call_id: CallId,
    /// Its app is there.
    pub there: bool,
    /// Since which tick that is so.
    since: u64,
    /// It was, over this socket.
    was_there: bool,
}

impl Engine {
    /// Whether the server reaches the other side of a call.
    pub(super) fn reached(step: &mut Step, call_id: CallId, there: bool, now: Now) {
        let before = step.live.line.word.filter(|word| word.call_id == call_id);
        let since = before.filter(|word| word.there == there).map_or(now.tick, |word| word.since);
        let was_there = there || before.is_some_and(|word| word.was_there);
        step.live.line.word = Some(Word { call_id, there, since, was_there });
        if there {
            step.outputs.push(Output::SocketBack);
        }
    }

    /// Whether the server says that it can't reach the other side.
    pub(super) fn is_other_away(&self, call_id: CallId) -> bool {
        self.live.line.word.is_some_and(|word| word.call_id == call_id && !word.there)
    }

    /// The tick from which on nothing is expected any more of the other side of a call that has fallen silent; none
    /// without a connection.
    fn settled_at(&self, call_id: CallId) -> Option<u64> {
        let line = &self.live.line;
        let Socket::Up { .. } = self.live.socket else { return None };
        let began_here = line.talk.is_some_and(|(talk, since)| talk == call_id && since >= line.up_at);
        let word = line.word.filter(|word| word.call_id == call_id);
        let was_there = began_here || word.is_some_and(|word| word.was_there);
        let since = word.map_or(line.up_at, |word| word.since);
        Some(if was_there { since + u64::from(GONE_MS) } else { line.up_at + BACK_MS })
    }

    /// Ends a call whose other side is gone: the server can't reach it, and nothing is heard of it.
    pub(super) fn end_what_is_gone(&mut self, talks_of: Option<CallId>, now: Now, outputs: &mut Vec<Output>) {
        let Some(call_id) = talks_of else { return };
        if self.live.line.talk.is_none_or(|(talk, _)| talk != call_id) {
            self.live.line.talk = Some((call_id, now.tick));
        }
        let silent = self.live.line.media.as_ref().and_then(|media| media.silent_ms);
        let is_settled = || self.settled_at(call_id).is_some_and(|at| at <= now.tick);
        // Of a side that was never heard, it counts since when it can't be reached.
        let away = self.is_other_away(call_id) && silent.is_none_or(|silent| silent >= GONE_MS) && is_settled();
        let is_gone = away || silent.is_some_and(|silent| silent >= SILENT_MS);
        if is_gone && self.live.line.ended != Some(call_id) {
            self.live.line.ended = Some(call_id);
            outputs.push(Output::EndCall { call_id });
        }
    }

    /// The tick before which a command isn't sent: that a call broke off, while the other side may still say that it hung
    /// up. None for all others.
    pub(super) fn held_until(&self, verb: &Verb) -> Option<u64> {
        let Verb::EndCall { call_id, dropped: true } = verb else { return None };
        match self.image.nouns.get(&Key::new(EntityType::Call, call_id.0)).map(|kept| kept.noun.as_ref()) {
            Some(Entity::Call(call)) if matches!(call.state, State::Ongoing { .. }) => {
                Some(self.settled_at(*call_id).unwrap_or(u64::MAX))
            }
            Some(_) | None => None,
        }
    }

    /// When what is held back may be sent, and what is silent be ended.
    pub(super) fn gone_ticks(&self) -> impl Iterator<Item = u64> {
        let waiting = self.image.outbox.iter().filter(|waiting| waiting.doing == Doing::Waiting);
        let held = waiting.filter_map(|waiting| self.held_until(&waiting.command.verb));
        let away = self.live.line.word.filter(|word| !word.there).and_then(|word| self.settled_at(word.call_id));
        held.filter(|at| *at < u64::MAX).chain(away)
    }
}
