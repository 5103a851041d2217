//! What may be asked of a request, and what that did.

use crate::ids::NoteId;
use crate::person::{Person, PersonRef};

/// What somebody wants done with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Take it.
    Accept,
    /// Give it back: it is open again, and rings again.
    Release,
    /// Give it to a colleague.
    HandOver {
        /// Who shall have it.
        to: Person,
    },
    /// The guest was served.
    Complete,
    /// It came to nothing.
    Cancel {
        /// Why.
        reason: Option<String>,
    },
    /// Write something on it; also when it is closed.
    Note {
        /// The new note's id.
        id: NoteId,
        /// What to write.
        text: String,
    },
}

/// What happened to a request: the types of its entries in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It was taken.
    Accepted,
    /// It was given back by the one who had it, or by a supervisor.
    Released {
        /// Who had it.
        from: PersonRef,
    },
    /// It went to a colleague.
    HandedOver {
        /// Who had it.
        from: PersonRef,
    },
    /// It is done.
    Completed,
    /// It came to nothing.
    Cancelled,
    /// Something was written on it.
    Noted,
}

impl Change {
    /// The type of the entry in the log.
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
