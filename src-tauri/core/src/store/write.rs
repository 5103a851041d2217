//! The changes of what is kept.

use std::sync::Arc;

use crewbell_shared::ids::CommandId;
use crewbell_shared::protocol::Entity;
use crewbell_shared::protocol::live::LastSeen;
use jiff::Timestamp;

use super::{Cursor, Doing, Key, Line, Session, Waiting};

/// One change of what is kept. Writing it twice is as writing it once.
#[derive(Clone, Debug, PartialEq)]
pub enum Write {
    /// A noun is so, as of an entry; an older one never replaces a newer.
    Put {
        /// The noun, whole.
        noun: Arc<Entity>,
        /// The number of the entry that says so.
        seq: u64,
    },
    /// A noun is of no interest any more.
    Forget(Key),
    /// All nouns are these, as of a cursor: a snapshot.
    Replace {
        /// The nouns.
        nouns: Vec<Arc<Entity>>,
        /// As of when.
        cursor: Cursor,
    },
    /// Everything up to here has been read.
    Advance(Cursor),
    /// What is kept is as the server had it at this time, by the server's clock.
    Heard(Timestamp),
    /// These people were last there then, as far as it is known.
    Seen(Vec<LastSeen>),
    /// Something happened that a timeline shows.
    Tell(Line),
    /// The person did something: it waits for the server.
    Keep(Waiting),
    /// A command that waits is now so.
    Mark(CommandId, Doing),
    /// A command is over: the server's copy tells it, or the person discarded it.
    Drop(CommandId),
    /// Somebody is signed in on this device.
    SignIn(Session),
    /// The site is wiped from this device. What the person did and wasn't sent stays until [`Write::Drop`].
    Wipe,
    /// A setting of this device; none removes it.
    Set(String, Option<String>),
}

impl Write {
    /// Whether it holds what only this device knows. Everything else can be had from the server again.
    pub fn is_precious(&self) -> bool {
        match self {
            Self::Keep(_) | Self::Mark(..) | Self::Drop(_) | Self::SignIn(_) | Self::Wipe | Self::Set(..) => true,
            Self::Put { .. }
            | Self::Forget(_)
            | Self::Replace { .. }
            | Self::Advance(_)
            | Self::Heard(_)
            | Self::Seen(_)
            | Self::Tell(_) => false,
        }
    }
}
