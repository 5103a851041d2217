//! The state transitions of a call. The server decides by them, and an app predicts by them the effect of a tap.

use jiff::{SignedDuration, Timestamp};

use super::{Call, CallState, Change, Command, Outcome, Why};
use crate::ids::EndpointId;
use crate::person::{Actor, Person};
use crate::{Code, Refusal};

/// Decides the effect of a command on a call at a time. Of two commands that exclude each other, the first wins.
///
/// A step's time is never before the step that it follows, so a clock that was set back causes no negative duration.
///
/// # Errors
/// - `not_your_call` for a stranger, and for commands that only the other party may give.
/// - `answered_elsewhere` for answering or rejecting a call that another device of the same person has.
/// - `call_over` with the call, for answering or rejecting a call that is over. Ending a call that is over succeeds,
///   because that state was wanted.
/// - `not_active` for a person who left; `not_allowed` for a button, and for a person who gives one of the server's
///   commands.
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
                CallState::Ringing if call.has_rung_out(at) => Ok(rung_out(call)),
                CallState::Ringing => Ok(ended(call, at, Some(person), Outcome::Rejected)),
                CallState::Ongoing { .. } => Err(elsewhere(&call)),
                CallState::Ended { outcome: Outcome::Rejected, .. } => Ok((call, None)),
                CallState::Ended { .. } => Err(over(&call)),
            }
        }
        Command::End { dropped } => {
            let person = party(&call, actor)?;
            match &call.state {
                CallState::Ringing if call.has_rung_out(at) => Ok(rung_out(call)),
                CallState::Ringing if person.id == call.caller.id => {
                    Ok(ended(call, at, Some(person), Outcome::Cancelled))
                }
                CallState::Ringing => Ok(ended(call, at, Some(person), Outcome::Rejected)),
                // A party that reports a lost connection didn't end the call.
                CallState::Ongoing { .. } if dropped => Ok(ended(call, at, None, Outcome::Dropped)),
                CallState::Ongoing { .. } => Ok(ended(call, at, Some(person), Outcome::Completed)),
                CallState::Ended { .. } => Ok((call, None)),
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
                CallState::Ringing if call.has_rung_out(at) => rung_out(call),
                CallState::Ringing | CallState::Ongoing { .. } => ended(call, at, None, Outcome::Dropped),
                CallState::Ended { .. } => (call, None),
            })
        }
    }
}

/// The time of the latest step.
fn latest_step(call: &Call) -> Timestamp {
    match &call.state {
        CallState::Ringing => call.call_time,
        CallState::Ongoing { answered_at, .. } => call.call_time.max(*answered_at),
        CallState::Ended { ended_at, .. } => call.call_time.max(*ended_at),
    }
}

fn answer(call: Call, endpoint: Option<EndpointId>, at: Timestamp) -> Result<(Call, Option<Change>), Refusal> {
    match &call.state {
        CallState::Ringing if call.has_rung_out(at) => Err(over(&call)),
        CallState::Ringing => {
            let state = CallState::Ongoing { answered_at: at, callee_endpoint: endpoint };
            Ok((Call { state, ..call }, Some(Change::Answered)))
        }
        // The first answer's response may have been lost.
        CallState::Ongoing { callee_endpoint, .. } if *callee_endpoint == endpoint => Ok((call, None)),
        CallState::Ongoing { .. } => Err(elsewhere(&call)),
        CallState::Ended { .. } => Err(over(&call)),
    }
}

/// Ends the call.
fn ended(call: Call, at: Timestamp, by: Option<&Person>, outcome: Outcome) -> (Call, Option<Change>) {
    let answered_at = match &call.state {
        CallState::Ongoing { answered_at, .. } => Some(*answered_at),
        CallState::Ringing | CallState::Ended { .. } => None,
    };
    let lasted = answered_at.map_or(SignedDuration::ZERO, |answered_at| at.duration_since(answered_at));
    let state = CallState::Ended {
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

/// Ends the call as missed. Its end is when it stopped ringing, however late that is noticed.
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

/// The actor, checked to be a party of the call.
fn party<'a>(call: &Call, actor: &'a Actor) -> Result<&'a Person, Refusal> {
    let person = active(actor)?;
    if call.is_party(person.id) { Ok(person) } else { Err(Refusal::new(Code::NotYourCall, "It is not your call.")) }
}

/// The actor, checked to be the callee.
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
