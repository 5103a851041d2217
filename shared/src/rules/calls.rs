//! The rules of calls.
//!
//! The state transitions are in `call::decide`; here a verb's entities are looked up, and calls are created.

use jiff::{SignedDuration, Timestamp};

use super::{Change, Decision, DecisionContext, MAX_NAME, words};
use crate::call::{self, About, Call, CallState, Command, Outcome, Why, decide};
use crate::ids::{CallId, EndpointId, PersonId};
use crate::person::{Actor, Person};
use crate::protocol::{EntityType, EntityTypeName};
use crate::{Code, Refusal};

impl DecisionContext<'_> {
    /// Calls a colleague. It rings, or is missed at once if they can't be called. Two people who call each other at the
    /// same moment share one call.
    pub fn start_call(
        &self,
        id: CallId,
        callee: PersonId,
        about: Option<&About>,
        endpoint: Option<EndpointId>,
    ) -> Decision {
        let Some(caller) = self.actor.person() else {
            return Err(Refusal::new(Code::NotAllowed, "Only a person can do that."));
        };
        let callee = self.person(callee)?;
        for person in [caller, callee] {
            if !person.active {
                return Err(Refusal::not_active(person));
            }
        }
        if caller.id == callee.id {
            return Err(Refusal::invalid("callee_id", "That is you."));
        }
        let about = about.map(|about| self.about(about)).transpose()?;
        if let Some(known) = self.view.call(id) {
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
        let change = if why.is_some() { call::Change::Missed } else { call::Change::Started };
        let mut changes = self.rung_out([caller.id, callee.id])?;
        changes.push(Change::new(call, change.entry_type()));
        Ok(changes)
    }

    /// Answers a call; the first device of the callee has it.
    pub fn answer_call(&self, id: CallId, endpoint: Option<EndpointId>) -> Decision {
        self.on(self.call(id)?, Command::Answer { endpoint })
    }

    /// Rejects a ringing call.
    pub fn reject_call(&self, id: CallId) -> Decision {
        self.on(self.call(id)?, Command::Reject)
    }

    /// Ends a call.
    pub fn end_call(&self, id: CallId, dropped: bool) -> Decision {
        self.on(self.call(id)?, Command::End { dropped })
    }

    /// Marks a missed call as seen.
    pub fn see_call(&self, id: CallId) -> Decision {
        self.on(self.call(id)?, Command::See)
    }

    /// Ends a call whose ringing has timed out; only for the server.
    pub fn expire_call(&self, id: CallId) -> Decision {
        self.on(self.call(id)?, Command::Expire)
    }

    /// Ends a call of which a device is gone; only for the server.
    pub fn drop_call(&self, id: CallId) -> Decision {
        self.on(self.call(id)?, Command::Drop)
    }

    fn on(&self, call: &Call, command: Command) -> Decision {
        let (call, change) = decide(call.clone(), command, self.actor, self.at)?;
        Ok(change.map(|change| Change::new(call, change.entry_type())).into_iter().collect())
    }

    /// The live call of a person, unless its ringing has timed out.
    fn lively(&self, person: PersonId) -> Option<&Call> {
        self.view.live_call_of(person).filter(|call| !call.has_rung_out(self.at))
    }

    /// Ends the calls whose ringing timed out unnoticed, so that nobody is in two calls.
    fn rung_out(&self, people: [PersonId; 2]) -> Decision {
        let mut changes: Vec<Change> = Vec::new();
        for person in people {
            let Some(call) = self.view.live_call_of(person).filter(|call| call.has_rung_out(self.at)) else {
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
        let name = match &about.noun {
            EntityTypeName::Known(EntityType::Request) => self.request(about.id.into())?.place_name.clone(),
            EntityTypeName::Known(EntityType::Place) => self.place(about.id.into())?.name.clone(),
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
#[path = "calls_tests.rs"]
mod tests;
