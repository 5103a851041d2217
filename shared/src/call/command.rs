//! What may be asked of a call, and what that did.

use crate::ids::EndpointId;

/// What somebody, or the server, wants done with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// The one who is called answers.
    Answer {
        /// On which run of the app; none for a client that has no voice.
        endpoint: Option<EndpointId>,
    },
    /// The one who is called says no.
    Reject,
    /// One of the two hangs up.
    End {
        /// Whether it broke off: the other side's voice is gone.
        dropped: bool,
    },
    /// The one who was called has seen that they missed it.
    See,
    /// The server: it has rung its time.
    Expire,
    /// The server: a device of it is gone.
    Drop,
}

/// What happened to a call: the types of its entries in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It rings.
    Started,
    /// Nobody answered, or nobody could.
    Missed,
    /// It was answered.
    Answered,
    /// The one who was called said no.
    Rejected,
    /// The caller gave up.
    Cancelled,
    /// One of the two hung up.
    Ended,
    /// It broke off.
    Dropped,
    /// The one who was called has seen that they missed it.
    Seen,
}

impl Change {
    /// The type of the entry in the log.
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
