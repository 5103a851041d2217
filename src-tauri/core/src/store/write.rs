//! Changes of the stored data.

use std::sync::Arc;

use crewbell_shared::ids::CommandId;
use crewbell_shared::protocol::Entity;
use crewbell_shared::protocol::live::LastSeen;
use jiff::Timestamp;

use super::{CommandStatus, Cursor, EntityKey, Line, Session, Waiting};

/// A change of the stored data; idempotent.
#[derive(Clone, Debug, PartialEq)]
pub enum Write {
    /// Stores an entity as of an entry; an older version never replaces a newer one.
    UpsertEntity {
        /// The entity.
        entity: Arc<Entity>,
        /// The number of the entry.
        seq: u64,
    },
    /// Removes an entity that is no longer needed.
    DeleteEntity(EntityKey),
    /// Replaces all entities with those of a snapshot.
    Replace {
        /// The entities.
        entities: Vec<Arc<Entity>>,
        /// The snapshot's cursor.
        cursor: Cursor,
    },
    /// Moves the cursor forward.
    Advance(Cursor),
    /// Sets the time at which the data was up to date, by the server's clock.
    Heard(Timestamp),
    /// Updates last-seen times, where known.
    Seen(Vec<LastSeen>),
    /// Appends a timeline line.
    AppendLine(Line),
    /// Adds a command to the outbox.
    UpsertCommand(Waiting),
    /// Changes a command's status.
    Mark(CommandId, CommandStatus),
    /// Removes a command: its entry has arrived, or the person discarded it.
    DeleteCommand(CommandId),
    /// Stores the session.
    SignIn(Session),
    /// Wipes the site from this device. Unsent commands stay until [`Write::DeleteCommand`].
    Wipe,
    /// Changes a setting of this device; none removes it.
    Set(String, Option<String>),
}

impl Write {
    /// Returns whether the write holds data that only this device has. All other data can be fetched from the server
    /// again.
    pub fn is_precious(&self) -> bool {
        match self {
            Self::UpsertCommand(_)
            | Self::Mark(..)
            | Self::DeleteCommand(_)
            | Self::SignIn(_)
            | Self::Wipe
            | Self::Set(..) => true,
            Self::UpsertEntity { .. }
            | Self::DeleteEntity(_)
            | Self::Replace { .. }
            | Self::Advance(_)
            | Self::Heard(_)
            | Self::Seen(_)
            | Self::AppendLine(_) => false,
        }
    }
}
