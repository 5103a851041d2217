//! The rules of a call. The server decides by them, and an app shows by them what a tap will do.

use jiff::{SignedDuration, Timestamp};

use super::{Call, Change, Command, Outcome, State, Why};
use crate::ids::EndpointId;
use crate::person::{Actor, Person};
use crate::{Code, Refusal};

/// Decides what a command by somebody does to a call at a time. The first of two that exclude each other wins.
///
/// A clock that was set back between two steps doesn't make the later one the earlier, so no duration is negative.
///
/// # Errors
/// - `not_your_call` for a stranger, and for what only the other side may do.
/// - `answered_elsewhere` for answering or rejecting what another device of the same person has.
/// - `call_over` with the call as it is, for answering or rejecting what is over. Hanging up what is over is a success:
///   that was what was wanted.
/// - `not_active` for somebody who left; `not_allowed` for a button, and for a person who does what only the server may.
pub fn decide(call: Call, command: Command, actor: &Actor, at: Timestamp) -> Result<(Call, Option<Change>), Refusal> {
    let at = at.max(latest_step(&call));
    match command {
        Command::Answer { endpoint } => {
            callee(&call, actor)?;
            answer(call, endpoint, at)
        }
        Command::Reject => {
            let person = callee(&call, actor)?;
            match &call.state {
                State::Ringing if call.has_rung_out(at) => Ok(rung_out(call)),
                State::Ringing => Ok(ended(call, at, Some(person), Outcome::Rejected)),
                State::Ongoing { .. } => Err(elsewhere(&call)),
                State::Ended { outcome: Outcome::Rejected, .. } => Ok((call, None)),
                State::Ended { .. } => Err(over(&call)),
            }
        }
        Command::End { dropped } => {
            let person = party(&call, actor)?;
            match &call.state {
                State::Ringing if call.has_rung_out(at) => Ok(rung_out(call)),
                State::Ringing if person.id == call.caller.id => Ok(ended(call, at, Some(person), Outcome::Cancelled)),
                State::Ringing => Ok(ended(call, at, Some(person), Outcome::Rejected)),
                // Who says that the other side is gone has ended nothing.
                State::Ongoing { .. } if dropped => Ok(ended(call, at, None, Outcome::Dropped)),
                State::Ongoing { .. } => Ok(ended(call, at, Some(person), Outcome::Completed)),
                State::Ended { .. } => Ok((call, None)),
            }
        }
        Command::See => {
            callee(&call, actor)?;
            if call.is_unseen() {
                Ok((Call { seen_at: Some(at), ..call }, Some(Change::Seen)))
            } else {
                Ok((call, None))
            }
        }
        Command::Expire => {
            server(actor)?;
            Ok(if call.has_rung_out(at) { rung_out(call) } else { (call, None) })
        }
        Command::Drop => {
            server(actor)?;
            Ok(match &call.state {
                State::Ringing if call.has_rung_out(at) => rung_out(call),
                State::Ringing | State::Ongoing { .. } => ended(call, at, None, Outcome::Dropped),
                State::Ended { .. } => (call, None),
            })
        }
    }
}

/// When the last step so far was taken.
fn latest_step(call: &Call) -> Timestamp {
    match &call.state {
        State::Ringing => call.call_time,
        State::Ongoing { answered_at, .. } => call.call_time.max(*answered_at),
        State::Ended { ended_at, .. } => call.call_time.max(*ended_at),
    }
}

fn answer(call: Call, endpoint: Option<EndpointId>, at: Timestamp) -> Result<(Call, Option<Change>), Refusal> {
    match &call.state {
        State::Ringing if call.has_rung_out(at) => Err(over(&call)),
        State::Ringing => {
            let state = State::Ongoing { answered_at: at, callee_endpoint: endpoint };
            Ok((Call { state, ..call }, Some(Change::Answered)))
        }
        // The first answer may have been lost on its way back.
        State::Ongoing { callee_endpoint, .. } if *callee_endpoint == endpoint => Ok((call, None)),
        State::Ongoing { .. } => Err(elsewhere(&call)),
        State::Ended { .. } => Err(over(&call)),
    }
}

/// The call, over.
fn ended(call: Call, at: Timestamp, by: Option<&Person>, outcome: Outcome) -> (Call, Option<Change>) {
    let answered_at = match &call.state {
        State::Ongoing { answered_at, .. } => Some(*answered_at),
        State::Ringing | State::Ended { .. } => None,
    };
    let lasted = answered_at.map_or(SignedDuration::ZERO, |answered_at| at.duration_since(answered_at));
    let state = State::Ended {
        answered_at,
        ended_at: at,
        ended_by: by.map(Person::as_ref),
        outcome,
        duration_s: u32::try_from(lasted.as_secs().max(0)).unwrap_or(u32::MAX),
    };
    let change = match outcome {
        Outcome::Completed => Change::Ended,
        Outcome::Missed { .. } => Change::Missed,
        Outcome::Rejected => Change::Rejected,
        Outcome::Cancelled => Change::Cancelled,
        Outcome::Dropped => Change::Dropped,
    };
    (Call { state, ..call }, Some(change))
}

/// The call that nobody answered in time. It ended when it stopped ringing, however late that is noticed.
fn rung_out(call: Call) -> (Call, Option<Change>) {
    let at = call.rings_until.max(call.call_time);
    ended(call, at, None, Outcome::Missed { why: Why::NoAnswer })
}

fn active(actor: &Actor) -> Result<&Person, Refusal> {
    let Some(person) = actor.person() else {
        return Err(Refusal::new(Code::NotAllowed, "Only a person can do that."));
    };
    if person.active { Ok(person) } else { Err(Refusal::not_active(person)) }
}

/// The actor, who is one of the two.
fn party<'a>(call: &Call, actor: &'a Actor) -> Result<&'a Person, Refusal> {
    let person = active(actor)?;
    if call.is_party(person.id) { Ok(person) } else { Err(Refusal::new(Code::NotYourCall, "It is not your call.")) }
}

/// The actor, who is the one that is called.
fn callee<'a>(call: &Call, actor: &'a Actor) -> Result<&'a Person, Refusal> {
    let person = party(call, actor)?;
    if call.callee.id == person.id {
        Ok(person)
    } else {
        Err(Refusal::new(Code::NotYourCall, "Only the one who is called can do that."))
    }
}

fn server(actor: &Actor) -> Result<(), Refusal> {
    match actor {
        Actor::System => Ok(()),
        Actor::Person(_) | Actor::Button { .. } => {
            Err(Refusal::new(Code::NotAllowed, "Only the server itself does that."))
        }
    }
}

fn over(call: &Call) -> Refusal {
    Refusal::new(Code::CallOver, "The call is over.").with("call", call)
}

fn elsewhere(call: &Call) -> Refusal {
    Refusal::new(Code::AnsweredElsewhere, "It was answered on another device.").with("call", call)
}

#[cfg(test)]
#[path = "decide_tests.rs"]
mod tests;
