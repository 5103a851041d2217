//! In-memory image of the stored data.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crewbell_shared::Refusal;
use crewbell_shared::ids::{CommandId, DeviceId, EventId, InstanceId, PersonId};
use crewbell_shared::person::PersonRef;
use crewbell_shared::protocol::live::LastSeen;
use crewbell_shared::protocol::{ActorRef, Command, Entity, EntityType};
use crewbell_shared::site::Site;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Write;

/// Maximum number of timeline lines on a device; a busy day on a yacht has some hundred.
pub const MOST_LINES: usize = 2000;

/// The key of an entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EntityKey {
    /// The entity's type.
    pub entity_type: EntityType,
    /// The entity's id.
    pub id: Uuid,
}

impl EntityKey {
    /// Returns the key of an entity.
    pub fn of(entity: &Entity) -> Self {
        Self { entity_type: entity.entity_type(), id: entity.id() }
    }

    /// Creates a key.
    pub fn new(entity_type: EntityType, id: impl Into<Uuid>) -> Self {
        Self { entity_type, id: id.into() }
    }
}

/// The position up to which a device has read the log: the entry's number, and its id, which reveals a log that was
/// restored from an older backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// The number of the last entry.
    pub seq: u64,
    /// The id of the last entry; none before the first.
    pub event_id: Option<EventId>,
}

/// The session of a device. The token is stored separately, in the system's keyring.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The server's address: `http://10.0.0.2:8080`.
    pub server: String,
    /// The site's slug.
    pub site: String,
    /// The person who is signed in.
    pub person: PersonRef,
    /// The device's id at the server.
    pub device_id: DeviceId,
    /// The server's installation id; another installation at the same address is foreign. None until the server has
    /// sent it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<InstanceId>,
}

/// An entity with the number of the entry that last changed it.
#[derive(Clone, Debug, PartialEq)]
pub struct Kept {
    /// The entity.
    pub noun: Arc<Entity>,
    /// The number of the entry.
    pub seq: u64,
}

/// The status of a command in the outbox.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "doing", rename_all = "snake_case", try_from = "super::flat::Doing")]
pub enum CommandStatus {
    /// Waiting for the server's answer, sent or not.
    Waiting,
    /// Accepted by the server; its entry hasn't arrived here yet.
    Done {
        /// The entry's number.
        seq: u64,
    },
    /// Refused by the server; it stays until the person has decided.
    Refused {
        /// The reason, and the current state.
        refusal: Refusal,
        /// The time of the answer.
        #[serde(rename = "refused_at")]
        at: Timestamp,
    },
}

/// A command in the outbox.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Waiting {
    /// The command, with its idempotency key.
    pub command: Command,
    /// The person who issued it; it is sent only for that person.
    pub by: PersonRef,
    /// The time of the command, by the estimated server clock; used by the local echo.
    pub at: Timestamp,
    /// The command's status.
    pub doing: CommandStatus,
}

/// A line of a timeline or of the activity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The entry's number.
    pub seq: u64,
    /// The time, by the server's clock.
    pub at: Timestamp,
    /// The category of the entry.
    pub category: String,
    /// The kind of the entry, in the past tense: `request_accepted`.
    pub kind: String,
    /// The acting person or system.
    pub actor: ActorRef,
    /// The entity concerned, if there is one.
    pub about: Option<EntityKey>,
    /// The names of the fields that changed.
    pub changed: Vec<String>,
}

/// The stored data of a device.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Image {
    /// The current session.
    pub session: Option<Session>,
    /// The position in the log; none if a snapshot is needed.
    pub cursor: Option<Cursor>,
    /// The time at which the data was up to date, by the server's clock.
    pub heard_at: Option<Timestamp>,
    /// Last-seen times of people, where known; separate from the log, by the server's clock.
    pub seen: BTreeMap<PersonId, Timestamp>,
    /// The entities, as last confirmed by the server.
    pub nouns: BTreeMap<EntityKey, Kept>,
    /// The latest timeline lines, oldest first; [`MOST_LINES`] at most.
    pub lines: VecDeque<Line>,
    /// The outbox, in the order of the commands.
    pub outbox: Vec<Waiting>,
    /// The settings of this device.
    pub settings: BTreeMap<String, String>,
}

impl Image {
    /// Applies writes, in order.
    pub fn apply(&mut self, writes: &[Write]) {
        for write in writes {
            self.apply_one(write);
        }
    }

    fn apply_one(&mut self, write: &Write) {
        match write {
            Write::UpsertEntity { noun, seq } => {
                let kept = Kept { noun: Arc::clone(noun), seq: *seq };
                let key = EntityKey::of(noun);
                if self.nouns.get(&key).is_none_or(|before| before.seq <= *seq) {
                    self.nouns.insert(key, kept);
                }
            }
            Write::DeleteEntity(key) => {
                self.nouns.remove(key);
            }
            Write::Replace { nouns, cursor } => {
                let kept = |noun: &Arc<Entity>| (EntityKey::of(noun), Kept { noun: Arc::clone(noun), seq: cursor.seq });
                self.nouns = nouns.iter().map(kept).collect();
                self.lines.clear();
                self.cursor = Some(*cursor);
            }
            Write::Advance(cursor) => self.cursor = Some(*cursor),
            Write::Heard(at) => self.heard_at = Some(*at),
            Write::Seen(people) => self.seen.extend(people.iter().map(|seen| (seen.person_id, seen.at))),
            Write::AppendLine(line) => {
                if self.lines.back().is_none_or(|last| last.seq < line.seq) {
                    self.lines.push_back(line.clone());
                }
                while self.lines.len() > MOST_LINES {
                    self.lines.pop_front();
                }
            }
            Write::UpsertCommand(waiting) => {
                if self.waiting(waiting.command.id).is_none() {
                    self.outbox.push(waiting.clone());
                }
            }
            Write::Mark(id, doing) => {
                if let Some(waiting) = self.outbox.iter_mut().find(|waiting| waiting.command.id == *id) {
                    waiting.doing = doing.clone();
                }
            }
            Write::DeleteCommand(id) => self.outbox.retain(|waiting| waiting.command.id != *id),
            Write::SignIn(session) => self.session = Some(session.clone()),
            Write::Wipe => {
                self.session = None;
                self.cursor = None;
                self.heard_at = None;
                self.seen.clear();
                self.nouns.clear();
                self.lines.clear();
            }
            Write::Set(name, Some(value)) => {
                self.settings.insert(name.clone(), value.clone());
            }
            Write::Set(name, None) => {
                self.settings.remove(name);
            }
        }
    }

    /// Returns a command of the outbox.
    pub fn waiting(&self, id: CommandId) -> Option<&Waiting> {
        self.outbox.iter().find(|waiting| waiting.command.id == id)
    }

    /// Returns the last-seen times of people, by id.
    pub fn last_seen(&self) -> Vec<LastSeen> {
        self.seen.iter().map(|(person_id, at)| LastSeen { person_id: *person_id, at: *at }).collect()
    }

    /// Returns the part that can't be fetched again: session, outbox and settings.
    #[must_use]
    pub fn without_cache(self) -> Self {
        let Self { session, outbox, settings, .. } = self;
        Self { session, outbox, settings, ..Self::default() }
    }

    /// Returns the site; none before the first snapshot.
    pub fn site(&self) -> Option<&Site> {
        let (_, first) = self.nouns.range(EntityKey::new(EntityType::Site, Uuid::nil())..).next()?;
        if let Entity::Site(site) = first.noun.as_ref() { Some(site) } else { None }
    }

    /// Returns the id of the person who is signed in.
    pub fn person_id(&self) -> Option<PersonId> {
        self.session.as_ref().map(|session| session.person.id)
    }
}
