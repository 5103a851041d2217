//! The states of a call; each variant carries that state's facts.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::EndpointId;
use crate::person::PersonRef;

/// How far a call is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = CallState))]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum State {
    /// It rings at the devices of the one who is called.
    Ringing,
    /// They speak.
    Ongoing {
        /// When it was answered.
        answered_at: Timestamp,
        /// The run of the app that answered; none for a client that has no voice.
        callee_endpoint: Option<EndpointId>,
    },
    /// It is over.
    Ended {
        /// When it was answered, if it was.
        answered_at: Option<Timestamp>,
        /// When it ended.
        ended_at: Timestamp,
        /// Who ended it; none when nobody did: it rang its time, or broke off by itself.
        ended_by: Option<PersonRef>,
        /// How.
        #[serde(flatten)]
        outcome: Outcome,
        /// Seconds from the answer to the end; 0 unless it was answered.
        duration_s: u32,
    },
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = CallEnd))]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// They spoke, and one of them hung up.
    Completed,
    /// Nobody answered, or nobody could.
    Missed {
        /// Why.
        why: Why,
    },
    /// The one who was called said no.
    Rejected,
    /// The caller gave up before there was an answer.
    Cancelled,
    /// It broke off: a device or its network went.
    Dropped,
}

/// Why a call was missed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// It rang its time.
    NoAnswer,
    /// They had said that they were busy; it didn't ring.
    Busy,
    /// They were in another call; it didn't ring.
    InCall,
    /// None of their devices was there; it didn't ring.
    Offline,
}

impl State {
    /// The names of the states as they cross a wire and stand in the database.
    pub const NAMES: [&'static str; 3] = ["ringing", "ongoing", "ended"];

    /// The state's name.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Ringing => "ringing",
            Self::Ongoing { .. } => "ongoing",
            Self::Ended { .. } => "ended",
        }
    }

    /// Whether nothing more can be said in it.
    pub fn is_over(&self) -> bool {
        match self {
            Self::Ringing | Self::Ongoing { .. } => false,
            Self::Ended { .. } => true,
        }
    }
}

impl Outcome {
    /// The outcome as it crosses a wire and stands in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Missed { .. } => "missed",
            Self::Rejected => "rejected",
            Self::Cancelled => "cancelled",
            Self::Dropped => "dropped",
        }
    }

    /// Why it was missed, if it was.
    pub fn why(self) -> Option<Why> {
        match self {
            Self::Missed { why } => Some(why),
            Self::Completed | Self::Rejected | Self::Cancelled | Self::Dropped => None,
        }
    }
}

impl Why {
    /// The reason as it crosses a wire and stands in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoAnswer => "no_answer",
            Self::Busy => "busy",
            Self::InCall => "in_call",
            Self::Offline => "offline",
        }
    }
}
