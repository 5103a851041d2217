//! The commands on a call and the changes they make.

use crate::ids::EndpointId;

/// A command on a call, by a person or the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// The callee answers.
    Answer {
        /// The endpoint that answers; none for a client without voice.
        endpoint: Option<EndpointId>,
    },
    /// The callee rejects the call.
    Reject,
    /// One of the two parties ends the call.
    End {
        /// Whether the connection was lost: the other side's audio is gone.
        dropped: bool,
    },
    /// The callee has seen that they missed the call.
    See,
    /// Ends a call whose ringing timed out; only for the server.
    Expire,
    /// Ends a call of which a device is gone; only for the server.
    Drop,
}

/// A change of a call, as the type of its log entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The call rings.
    Started,
    /// The call was missed: nobody answered, or nobody could.
    Missed,
    /// The call was answered.
    Answered,
    /// The callee rejected the call.
    Rejected,
    /// The caller cancelled the call.
    Cancelled,
    /// One of the parties hung up.
    Ended,
    /// The connection was lost.
    Dropped,
    /// The callee has seen that they missed the call.
    Seen,
}

impl Change {
    /// The type of the log entry.
    pub fn entry_type(self) -> &'static str {
        match self {
            Self::Started => "call_started",
            Self::Missed => "call_missed",
            Self::Answered => "call_answered",
            Self::Rejected => "call_rejected",
            Self::Cancelled => "call_cancelled",
            Self::Ended => "call_ended",
            Self::Dropped => "call_dropped",
            Self::Seen => "call_seen",
        }
    }
}
