//! In-memory image of the stored data.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crewbell_shared::ids::{CommandId, DeviceId, EventId, InstanceId, PersonId};
use crewbell_shared::person::PersonRef;
use crewbell_shared::protocol::live::LastSeen;
use crewbell_shared::protocol::{ActorRef, Command, Entity, EntityType};
use crewbell_shared::site::Site;
use crewbell_shared::{EntityKey, Refusal};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Write;

/// Maximum number of timeline lines on a device; a busy day on a yacht has some hundred.
pub const MOST_LINES: usize = 2000;

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
    pub entity: Arc<Entity>,
    /// The number of the entry.
    pub seq: u64,
}

/// The status of a command in the outbox.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "doing", rename_all = "snake_case")]
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
    pub entities: BTreeMap<EntityKey, Kept>,
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
            Write::UpsertEntity { entity, seq } => {
                let kept = Kept { entity: Arc::clone(entity), seq: *seq };
                let key = EntityKey::of(entity);
                if self.entities.get(&key).is_none_or(|before| before.seq <= *seq) {
                    self.entities.insert(key, kept);
                }
            }
            Write::DeleteEntity(key) => {
                self.entities.remove(key);
            }
            Write::Replace { entities, cursor } => {
                let kept = |entity: &Arc<Entity>| {
                    (EntityKey::of(entity), Kept { entity: Arc::clone(entity), seq: cursor.seq })
                };
                self.entities = entities.iter().map(kept).collect();
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
                self.entities.clear();
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
        let (_, first) = self.entities.range(EntityKey::first_of(EntityType::Site)..).next()?;
        if let Entity::Site(site) = first.entity.as_ref() { Some(site) } else { None }
    }

    /// Returns the id of the person who is signed in.
    pub fn person_id(&self) -> Option<PersonId> {
        self.session.as_ref().map(|session| session.person.id)
    }
}

#[cfg(test)]
mod tests {
    use crewbell_shared::Code;
    use crewbell_shared::testing::at;

    use super::*;

    #[test]
    fn the_status_of_a_command_is_read_as_it_was_written() {
        let refusal = Refusal::new(Code::AlreadyAccepted, "Siri was first.");
        for doing in
            [CommandStatus::Waiting, CommandStatus::Done { seq: 7 }, CommandStatus::Refused { refusal, at: at(1) }]
        {
            let text = serde_json::to_string(&doing).unwrap();
            assert_eq!(serde_json::from_str::<CommandStatus>(&text).unwrap(), doing, "{text}");
        }
    }

    #[test]
    fn what_was_refused_says_why_and_when() {
        for facts in [r#""refused_at":"2026-11-21T10:00:00Z""#, r#""refusal":{"code":"invalid","message":""}"#] {
            assert!(
                serde_json::from_str::<CommandStatus>(&format!(r#"{{"doing":"refused",{facts}}}"#)).is_err(),
                "{facts}"
            );
        }
        assert!(serde_json::from_str::<CommandStatus>(r#"{"doing":"done"}"#).is_err());
    }
}
