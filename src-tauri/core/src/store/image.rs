//! What is kept, in memory.

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

/// Lines of the timeline that are kept on a device; a busy day on a yacht is some hundred.
pub const MOST_LINES: usize = 2000;

/// Which noun.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Key {
    /// What sort.
    pub entity_type: EntityType,
    /// Which of them.
    pub id: Uuid,
}

impl Key {
    /// The key of a noun.
    pub fn of(entity: &Entity) -> Self {
        Self { entity_type: entity.entity_type(), id: entity.id() }
    }

    /// A key.
    pub fn new(entity_type: EntityType, id: impl Into<Uuid>) -> Self {
        Self { entity_type, id: id.into() }
    }
}

/// How far a device has read: the entry's number, and its id, by which a log that was restored from an older backup is
/// told from the one that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// The number of the last entry.
    pub seq: u64,
    /// Its id; none before the first.
    pub event_id: Option<EventId>,
}

/// Who is signed in on a device, and where. The token isn't here: it is in the system's keyring.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The server's address: `http://10.0.0.2:8080`.
    pub server: String,
    /// The site's slug.
    pub site: String,
    /// Who.
    pub person: PersonRef,
    /// This device, as the server knows it.
    pub device_id: DeviceId,
    /// Which installation that is: another one at the same address is a stranger. None before it has said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<InstanceId>,
}

/// A noun with the number of the entry that last changed it.
#[derive(Clone, Debug, PartialEq)]
pub struct Kept {
    /// The noun, whole.
    pub noun: Arc<Entity>,
    /// As of which entry.
    pub seq: u64,
}

/// How far a command of the outbox is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "doing", rename_all = "snake_case", try_from = "super::flat::Doing")]
pub enum Doing {
    /// It waits for the server's answer, sent or not.
    Waiting,
    /// The server did it; its entry has not arrived here yet.
    Done {
        /// The entry's number.
        seq: u64,
    },
    /// The server refused it; it stays until the person has decided.
    Refused {
        /// Why, and what is the case now.
        refusal: Refusal,
        /// When the answer came.
        #[serde(rename = "refused_at")]
        at: Timestamp,
    },
}

/// Something that the person did, in the outbox.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Waiting {
    /// What is sent, with the id that makes it happen once.
    pub command: Command,
    /// Who did it. Never sent for anybody else.
    pub by: PersonRef,
    /// When, by the server's clock as far as the device knew it: what the echo shows.
    pub at: Timestamp,
    /// How far it is.
    pub doing: Doing,
}

/// One thing that happened, for timelines and the activity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The entry's number.
    pub seq: u64,
    /// When, by the server's clock.
    pub at: Timestamp,
    /// The part of the app.
    pub category: String,
    /// What, in the past tense: `request_accepted`.
    pub kind: String,
    /// Who.
    pub actor: ActorRef,
    /// Which noun it is about, where it is about one.
    pub about: Option<Key>,
    /// The names of the fields that changed.
    pub changed: Vec<String>,
}

/// What a device keeps.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Image {
    /// Who is signed in.
    pub session: Option<Session>,
    /// How far the log has been read; none: a snapshot is needed.
    pub cursor: Option<Cursor>,
    /// When what is kept was as the server had it, by the server's clock.
    pub heard_at: Option<Timestamp>,
    /// When people were last there, as far as it is known: beside the log, and by the server's clock.
    pub seen: BTreeMap<PersonId, Timestamp>,
    /// The nouns, as the server last told them.
    pub nouns: BTreeMap<Key, Kept>,
    /// What happened last, oldest first; [`MOST_LINES`] at most.
    pub lines: VecDeque<Line>,
    /// What the person did, in the order in which they did it.
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
            Write::Put { noun, seq } => {
                let kept = Kept { noun: Arc::clone(noun), seq: *seq };
                let key = Key::of(noun);
                if self.nouns.get(&key).is_none_or(|before| before.seq <= *seq) {
                    self.nouns.insert(key, kept);
                }
            }
            Write::Forget(key) => {
                self.nouns.remove(key);
            }
            Write::Replace { nouns, cursor } => {
                let kept = |noun: &Arc<Entity>| (Key::of(noun), Kept { noun: Arc::clone(noun), seq: cursor.seq });
                self.nouns = nouns.iter().map(kept).collect();
                self.lines.clear();
                self.cursor = Some(*cursor);
            }
            Write::Advance(cursor) => self.cursor = Some(*cursor),
            Write::Heard(at) => self.heard_at = Some(*at),
            Write::Seen(people) => self.seen.extend(people.iter().map(|seen| (seen.person_id, seen.at))),
            Write::Tell(line) => {
                if self.lines.back().is_none_or(|last| last.seq < line.seq) {
                    self.lines.push_back(line.clone());
                }
                while self.lines.len() > MOST_LINES {
                    self.lines.pop_front();
                }
            }
            Write::Keep(waiting) => {
                if self.waiting(waiting.command.id).is_none() {
                    self.outbox.push(waiting.clone());
                }
            }
            Write::Mark(id, doing) => {
                if let Some(waiting) = self.outbox.iter_mut().find(|waiting| waiting.command.id == *id) {
                    waiting.doing = doing.clone();
                }
            }
            Write::Drop(id) => self.outbox.retain(|waiting| waiting.command.id != *id),
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

    /// A command of the outbox.
    pub fn waiting(&self, id: CommandId) -> Option<&Waiting> {
        self.outbox.iter().find(|waiting| waiting.command.id == id)
    }

    /// When people were last there, by id.
    pub fn last_seen(&self) -> Vec<LastSeen> {
        self.seen.iter().map(|(person_id, at)| LastSeen { person_id: *person_id, at: *at }).collect()
    }

    /// What can't be had again: who is signed in, what they did, the device's settings.
    #[must_use]
    pub fn without_cache(self) -> Self {
        let Self { session, outbox, settings, .. } = self;
        Self { session, outbox, settings, ..Self::default() }
    }

    /// The site; none before it was fetched.
    pub fn site(&self) -> Option<&Site> {
        let (_, first) = self.nouns.range(Key::new(EntityType::Site, Uuid::nil())..).next()?;
        if let Entity::Site(site) = first.noun.as_ref() { Some(site) } else { None }
    }

    /// Who is signed in.
    pub fn person_id(&self) -> Option<PersonId> {
        self.session.as_ref().map(|session| session.person.id)
    }
}
