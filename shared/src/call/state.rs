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
