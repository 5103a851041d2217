//! The verbs of calls and their rules.
//!
//! The state transitions are in `decide`; here a verb's entities are looked up, and calls are created.

use jiff::{SignedDuration, Timestamp};

use super::{About, Call, CallState, Command, Outcome, Why, decide};
use crate::ids::{CallId, EndpointId, PersonId, PlaceId, RequestId};
use crate::person::{Actor, Person};
use crate::protocol::{EntityTypeName, VerbMeta, VerbSet, object_or_null, verbs};
use crate::rules::{Change, Decision, DecisionContext, Lookup, MAX_NAME, Query, live_call_of, words};
use crate::{Code, EntityKey, EntityType, Refusal};

verbs! {
    /// The operations on a call.
    pub enum CallVerb {
        /// Calls a colleague. It rings on all of their devices; when they can't be called it is missed at once, and `why`
        /// says whether they are `busy`, `in_call` or `offline`. If the colleague is calling the caller at that moment,
        /// that call is answered instead.
        Start = "start_call" {
            /// The new call's id, made by the client.
            call_id: CallId,
            /// The person to call.
            callee_id: PersonId,
            /// The subject of the call; the server sets its name.
            #[serde(default, deserialize_with = "object_or_null")]
            about: Option<About>,
            /// The app's endpoint for the audio; none for a client without voice.
            #[serde(default)]
            endpoint: Option<EndpointId>,
        }
        /// Answers a ringing call. The first device to do so has it; the others are refused with `answered_elsewhere`.
        Answer = "answer_call" {
            /// The call's id.
            call_id: CallId,
            /// The app's endpoint for the audio; none for a client without voice.
            #[serde(default)]
            endpoint: Option<EndpointId>,
        }
        /// Rejects a ringing call: it stops on all devices.
        Reject = "reject_call" {
            /// The call's id.
            call_id: CallId,
        }
        /// Ends a call: cancels or rejects it while it rings, hangs up once it was answered. Ending a call that is over is a
        /// success.
        End = "end_call" {
            /// The call's id.
            call_id: CallId,
            /// Whether the connection was lost: the other side's audio is gone.
            #[serde(default)]
            dropped: bool,
        }
        /// Marks a missed call as seen: it no longer counts. Only the callee can.
        See = "see_call" {
            /// The call's id.
            call_id: CallId,
        }
    }
}

impl VerbSet for CallVerb {
    fn meta(&self) -> VerbMeta {
        match self {
            Self::Start { call_id, callee_id, about, .. } => {
                let about = about.as_ref().and_then(|about| Some(EntityKey::new(about.entity_type.known()?, about.id)));
                about.into_iter().fold(VerbMeta::creating(*call_id).with(*callee_id), VerbMeta::with).live()
            }
            Self::Answer { call_id, .. } => VerbMeta::of(*call_id).live(),
            Self::Reject { call_id } | Self::End { call_id, .. } | Self::See { call_id } => VerbMeta::of(*call_id),
        }
    }

    fn queries(&self, actor: Option<PersonId>) -> Vec<Query> {
        match self {
            Self::Start { callee_id, .. } => {
                let calls = actor.into_iter().chain([*callee_id]).map(Query::LiveCallsOf);
                calls.chain([Query::Reachable(*callee_id)]).collect()
            }
            Self::Answer { .. } | Self::Reject { .. } | Self::End { .. } | Self::See { .. } => Vec::new(),
        }
    }

    fn decide(&self, ctx: &DecisionContext<'_>) -> Decision {
        match self {
            Self::Start { call_id, callee_id, about, endpoint } => {
                ctx.start_call(*call_id, *callee_id, about.as_ref(), *endpoint)
            }
            Self::Answer { call_id, endpoint } => ctx.on_call(*call_id, Command::Answer { endpoint: *endpoint }),
            Self::Reject { call_id } => ctx.on_call(*call_id, Command::Reject),
            Self::End { call_id, dropped } => ctx.on_call(*call_id, Command::End { dropped: *dropped }),
            Self::See { call_id } => ctx.on_call(*call_id, Command::See),
        }
    }
}

impl DecisionContext<'_> {
    /// Calls a colleague. It rings, or is missed at once if they can't be called. Two people who call each other at the
    /// same moment share one call.
    fn start_call(
        &self,
        id: CallId,
        callee: PersonId,
        about: Option<&About>,
        endpoint: Option<EndpointId>,
    ) -> Decision {
        let Some(caller) = self.actor.person() else {
            return Err(Refusal::new(Code::NotAllowed, "Only a person can do that."));
        };
        let callee = self.known(callee)?;
        for person in [caller, callee] {
            if !person.active {
                return Err(Refusal::not_active(person));
            }
        }
        if caller.id == callee.id {
            return Err(Refusal::invalid("callee_id", "That is you."));
        }
        let about = about.map(|about| self.about(about)).transpose()?;
        if let Some(known) = self.view.get(id) {
            let same = known.caller.id == caller.id && known.callee.id == callee.id;
            let taken = || Refusal::invalid("call_id", "There is a call with that id already.");
            return if same { Ok(Vec::new()) } else { Err(taken()) };
        }
        if let Some(live) = self.lively(caller.id) {
            let glare = live.state == CallState::Ringing && live.caller.id == callee.id && live.callee.id == caller.id;
            if glare {
                return self.on(live, Command::Answer { endpoint });
            }
            return Err(Refusal::new(Code::InACall, "You are in a call already.").with("call", live));
        }
        let why = if self.lively(callee.id).is_some() {
            Some(Why::InCall)
        } else if callee.busy {
            Some(Why::Busy)
        } else if self.view.is_reachable(callee.id) {
            None
        } else {
            Some(Why::Offline)
        };
        let call = self.begun(id, (caller, callee), about, endpoint, why);
        let change = if why.is_some() { super::Change::Missed } else { super::Change::Started };
        let mut changes = self.rung_out([caller.id, callee.id])?;
        changes.push(Change::new(call, change.entry_type()));
        Ok(changes)
    }

    /// Ends a call whose ringing has timed out; only for the server.
    pub fn expire_call(&self, id: CallId) -> Decision {
        self.on_call(id, Command::Expire)
    }

    /// Ends a call of which a device is gone; only for the server.
    pub fn drop_call(&self, id: CallId) -> Decision {
        self.on_call(id, Command::Drop)
    }

    fn on_call(&self, id: CallId, command: Command) -> Decision {
        self.on(self.known(id)?, command)
    }

    fn on(&self, call: &Call, command: Command) -> Decision {
        let (call, change) = decide(call.clone(), command, self.actor, self.at)?;
        Ok(change.map(|change| Change::new(call, change.entry_type())).into_iter().collect())
    }

    /// The live call of a person, unless its ringing has timed out.
    fn lively(&self, person: PersonId) -> Option<&Call> {
        live_call_of(self.view, person).filter(|call| !call.has_rung_out(self.at))
    }

    /// Ends the calls whose ringing timed out unnoticed, so that nobody is in two calls.
    fn rung_out(&self, people: [PersonId; 2]) -> Decision {
        let mut changes: Vec<Change> = Vec::new();
        for person in people {
            let Some(call) = live_call_of(self.view, person).filter(|call| call.has_rung_out(self.at)) else {
                continue;
            };
            if changes.iter().all(|change| change.entity.id() != call.id.0) {
                let server = DecisionContext { actor: &Actor::System, ..*self };
                changes.extend(server.on(call, Command::Expire)?);
            }
        }
        Ok(changes)
    }

    /// The subject of a call, with its present name.
    fn about(&self, about: &About) -> Result<About, Refusal> {
        words("about", &about.name, MAX_NAME)?;
        let name = match &about.entity_type {
            EntityTypeName::Known(EntityType::Request) => self.known(RequestId(about.id))?.place_name.clone(),
            EntityTypeName::Known(EntityType::Place) => self.known(PlaceId(about.id))?.name.clone(),
            EntityTypeName::Known(_) | EntityTypeName::Foreign(_) => {
                return Err(Refusal::invalid("about", "A call can be about a request or a place."));
            }
        };
        Ok(About { name, ..about.clone() })
    }

    fn begun(
        &self,
        id: CallId,
        (caller, callee): (&Person, &Person),
        about: Option<About>,
        caller_endpoint: Option<EndpointId>,
        why: Option<Why>,
    ) -> Call {
        let at = self.at;
        let ring_time = SignedDuration::from_secs(self.view.site().settings.ring_time_s.into());
        let ringing = at.saturating_add(ring_time).unwrap_or(Timestamp::MAX);
        let missed = |why| CallState::Ended {
            answered_at: None,
            ended_at: at,
            ended_by: None,
            outcome: Outcome::Missed { why },
            duration_s: 0,
        };
        Call {
            id,
            caller: caller.as_ref(),
            callee: callee.as_ref(),
            about,
            caller_endpoint,
            call_time: at,
            rings_until: if why.is_some() { at } else { ringing },
            seen_at: None,
            state: why.map_or(CallState::Ringing, missed),
        }
    }
}

#[cfg(test)]
#[path = "verbs_tests.rs"]
mod tests;
