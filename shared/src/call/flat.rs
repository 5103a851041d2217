//! The deserialization form of a call: all fields in one struct, for the reasons given in `request::flat`.

use jiff::Timestamp;
use serde::Deserialize;

use super::{About, Call, CallState, Outcome, Why};
use crate::ids::{CallId, EndpointId};
use crate::person::PersonRef;

#[derive(Deserialize)]
pub(super) struct Flat {
    id: CallId,
    caller: PersonRef,
    callee: PersonRef,
    about: Option<About>,
    caller_endpoint: Option<EndpointId>,
    call_time: Timestamp,
    rings_until: Timestamp,
    seen_at: Option<Timestamp>,
    state: StateName,
    answered_at: Option<Timestamp>,
    callee_endpoint: Option<EndpointId>,
    ended_at: Option<Timestamp>,
    ended_by: Option<PersonRef>,
    outcome: Option<OutcomeName>,
    why: Option<Why>,
    duration_s: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum StateName {
    Ringing,
    Ongoing,
    Ended,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum OutcomeName {
    Completed,
    Missed,
    Rejected,
    Cancelled,
    Dropped,
}

fn lacks(field: &str) -> String {
    format!("a call in this state has `{field}`")
}

impl OutcomeName {
    fn outcome(self, why: Option<Why>) -> Result<Outcome, String> {
        Ok(match self {
            Self::Completed => Outcome::Completed,
            Self::Missed => Outcome::Missed { why: why.ok_or_else(|| lacks("why"))? },
            Self::Rejected => Outcome::Rejected,
            Self::Cancelled => Outcome::Cancelled,
            Self::Dropped => Outcome::Dropped,
        })
    }
}

impl TryFrom<Flat> for Call {
    type Error = String;

    fn try_from(flat: Flat) -> Result<Self, String> {
        let state = match flat.state {
            StateName::Ringing => CallState::Ringing,
            StateName::Ongoing => CallState::Ongoing {
                answered_at: flat.answered_at.ok_or_else(|| lacks("answered_at"))?,
                callee_endpoint: flat.callee_endpoint,
            },
            StateName::Ended => CallState::Ended {
                answered_at: flat.answered_at,
                ended_at: flat.ended_at.ok_or_else(|| lacks("ended_at"))?,
                ended_by: flat.ended_by,
                outcome: flat.outcome.ok_or_else(|| lacks("outcome"))?.outcome(flat.why)?,
                duration_s: flat.duration_s.ok_or_else(|| lacks("duration_s"))?,
            },
        };
        Ok(Self {
            id: flat.id,
            caller: flat.caller,
            callee: flat.callee,
            about: flat.about,
            caller_endpoint: flat.caller_endpoint,
            call_time: flat.call_time,
            rings_until: flat.rings_until,
            seen_at: flat.seen_at,
            state,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{at, ringing_call, siri};

    fn ended(outcome: Outcome) -> CallState {
        CallState::Ended {
            answered_at: Some(at(1)),
            ended_at: at(9),
            ended_by: Some(siri().as_ref()),
            outcome,
            duration_s: 8,
        }
    }

    #[test]
    fn a_call_in_any_state_is_read_as_it_was_written() {
        let states = [
            CallState::Ringing,
            CallState::Ongoing { answered_at: at(1), callee_endpoint: Some(crate::testing::id(5)) },
            ended(Outcome::Completed),
            ended(Outcome::Missed { why: Why::NoAnswer }),
            ended(Outcome::Rejected),
            ended(Outcome::Cancelled),
            ended(Outcome::Dropped),
        ];
        for state in states {
            let call = Call { state, ..ringing_call(at(0)) };
            let text = serde_json::to_string(&call).unwrap();
            assert_eq!(serde_json::from_str::<Call>(&text).unwrap(), call, "{text}");
        }
    }

    #[test]
    fn a_state_without_its_facts_is_no_call() {
        let call = Call { state: ended(Outcome::Missed { why: Why::Busy }), ..ringing_call(at(0)) };
        let whole = serde_json::to_value(&call).unwrap();
        for fact in ["ended_at", "outcome", "why", "duration_s"] {
            let mut json = whole.clone();
            json.as_object_mut().unwrap().remove(fact);
            let error = serde_json::from_value::<Call>(json).unwrap_err();
            assert!(error.to_string().contains(fact), "{error}");
        }
    }
}
