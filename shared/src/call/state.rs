//! The states of a call; each variant carries that state's facts.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::EndpointId;
use crate::person::PersonRef;

/// The state of a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = CallState))]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum CallState {
    /// The callee's devices ring.
    Ringing,
    /// The call was answered and isn't over.
    Ongoing {
        /// The time of the answer.
        answered_at: Timestamp,
        /// The endpoint that answered; none for a client without voice.
        callee_endpoint: Option<EndpointId>,
    },
    /// The call is over.
    Ended {
        /// The time of the answer, if it was answered.
        answered_at: Option<Timestamp>,
        /// The time of the end.
        ended_at: Timestamp,
        /// The person who ended it; none if it timed out or the connection was lost.
        ended_by: Option<PersonRef>,
        /// The outcome.
        #[serde(flatten)]
        outcome: Outcome,
        /// Seconds from the answer to the end; 0 if it wasn't answered.
        duration_s: u32,
    },
}

/// The outcome of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = CallEnd))]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// The call was answered, and one of the parties hung up.
    Completed,
    /// Nobody answered, or nobody could.
    Missed {
        /// The reason.
        why: Why,
    },
    /// The callee rejected the call.
    Rejected,
    /// The caller cancelled before an answer.
    Cancelled,
    /// The connection was lost: a device or its network failed.
    Dropped,
}

/// The reason why a call was missed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// The ringing timed out.
    NoAnswer,
    /// The callee was set to busy; it didn't ring.
    Busy,
    /// The callee was in another call; it didn't ring.
    InCall,
    /// The callee had no connected device; it didn't ring.
    Offline,
}

impl CallState {
    /// The states' names on the wire and in the database.
    pub const NAMES: [&'static str; 3] = ["ringing", "ongoing", "ended"];

    /// The state's name.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Ringing => "ringing",
            Self::Ongoing { .. } => "ongoing",
            Self::Ended { .. } => "ended",
        }
    }

    /// Whether the call is over.
    pub fn is_over(&self) -> bool {
        match self {
            Self::Ringing | Self::Ongoing { .. } => false,
            Self::Ended { .. } => true,
        }
    }
}

impl Outcome {
    /// The outcome's name on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Missed { .. } => "missed",
            Self::Rejected => "rejected",
            Self::Cancelled => "cancelled",
            Self::Dropped => "dropped",
        }
    }

    /// The reason why it was missed, if it was.
    pub fn why(self) -> Option<Why> {
        match self {
            Self::Missed { why } => Some(why),
            Self::Completed | Self::Rejected | Self::Cancelled | Self::Dropped => None,
        }
    }
}

impl Why {
    /// The reason's name on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoAnswer => "no_answer",
            Self::Busy => "busy",
            Self::InCall => "in_call",
            Self::Offline => "offline",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::Call;
    use crate::testing::{at, id, ringing_call, siri};

    fn ended(outcome: Outcome) -> CallState {
        CallState::Ended {
            answered_at: Some(at(1)),
            ended_at: at(9),
            ended_by: Some(siri().as_ref()),
            outcome,
            duration_s: 8,
        }
    }

    fn every_state() -> Vec<CallState> {
        vec![
            CallState::Ringing,
            CallState::Ongoing { answered_at: at(1), callee_endpoint: Some(id(5)) },
            ended(Outcome::Completed),
            ended(Outcome::Missed { why: Why::NoAnswer }),
            ended(Outcome::Rejected),
            ended(Outcome::Cancelled),
            ended(Outcome::Dropped),
        ]
    }

    #[test]
    fn a_call_in_any_state_is_read_as_it_was_written() {
        for state in every_state() {
            let call = Call { state, ..ringing_call(at(0)) };
            let text = serde_json::to_string(&call).unwrap();
            assert_eq!(serde_json::from_str::<Call>(&text).unwrap(), call, "{text}");
        }
    }

    #[test]
    fn optional_fields_that_a_call_lacks_are_none() {
        let unanswered = CallState::Ended {
            answered_at: None,
            ended_at: at(9),
            ended_by: None,
            outcome: Outcome::Cancelled,
            duration_s: 0,
        };
        let ongoing = CallState::Ongoing { answered_at: at(1), callee_endpoint: None };
        for state in [CallState::Ringing, ongoing, unanswered] {
            let call = Call { state, ..ringing_call(at(0)) };
            let mut json = serde_json::to_value(&call).unwrap();
            json.as_object_mut().unwrap().retain(|_, value| !value.is_null());
            assert_eq!(serde_json::from_value::<Call>(json.clone()).unwrap(), call, "{json}");
        }
    }

    #[test]
    fn a_state_without_its_facts_is_no_call() {
        let call = Call { state: ended(Outcome::Missed { why: Why::Busy }), ..ringing_call(at(0)) };
        let whole = serde_json::to_value(&call).unwrap();
        for fact in ["state", "ended_at", "outcome", "why", "duration_s"] {
            let mut json = whole.clone();
            json.as_object_mut().unwrap().remove(fact);
            let error = serde_json::from_value::<Call>(json).unwrap_err();
            assert!(error.to_string().contains(fact), "{error}");
        }
    }
}
