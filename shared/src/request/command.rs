//! The commands on a request and the changes they make.

use crate::ids::NoteId;
use crate::person::{Person, PersonRef};

/// A command on a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Accepts the request.
    Accept,
    /// Releases the request: it is open and rings again.
    Release,
    /// Hands the request over to a colleague.
    HandOver {
        /// The colleague.
        to: Person,
    },
    /// Completes the request: the guest was served.
    Complete,
    /// Cancels the request.
    Cancel {
        /// The reason.
        reason: Option<String>,
    },
    /// Adds a note; also to a closed request.
    Note {
        /// The new note's id.
        id: NoteId,
        /// The note's text.
        text: String,
    },
}

/// A change of a request, as the type of its log entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The request was accepted.
    Accepted,
    /// The request was released by its holder or a supervisor.
    Released {
        /// The previous holder.
        from: PersonRef,
    },
    /// The request was handed over to a colleague.
    HandedOver {
        /// The previous holder.
        from: PersonRef,
    },
    /// The request was completed.
    Completed,
    /// The request was cancelled.
    Cancelled,
    /// A note was added.
    Noted,
}

impl Change {
    /// The type of the log entry.
    pub fn entry_type(&self) -> &'static str {
        match self {
            Self::Accepted => "request_accepted",
            Self::Released { .. } => "request_released",
            Self::HandedOver { .. } => "request_handed_over",
            Self::Completed => "request_completed",
            Self::Cancelled => "request_cancelled",
            Self::Noted => "request_noted",
        }
    }
}
