//! A log entry in its wire form: the envelope is serialised once and shared by all readers.

use crewbell_shared::ids::{EventId, PersonId};
use crewbell_shared::protocol::{ActorRef, Audience, EntityType, EntityTypeName, Source};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::db::entries::EntryRow;

/// A log entry with its sequence number and envelope.
#[derive(Clone, Debug)]
pub struct LogEntry {
    /// Its sequence number at the site.
    pub seq: u64,
    /// Its globally unique id.
    pub event_id: EventId,
    /// The part of the app it belongs to.
    pub category: String,
    /// Its type, in the past tense.
    pub kind: String,
    /// When it happened.
    pub at: Timestamp,
    /// Type and id of the entity it carries. `None` also for an entity type of a newer version, which is in the
    /// envelope only.
    pub entity: Option<(EntityType, Uuid)>,
    /// The readers it is for.
    pub audience: Audience,
    /// The payload alone.
    pub payload: Box<RawValue>,
    /// The whole envelope, as JSON text.
    pub envelope: Box<str>,
}

#[derive(Serialize)]
struct Envelope<'a> {
    category: &'a str,
    r#type: &'a str,
    payload: &'a RawValue,
    meta: Meta<'a>,
}

#[derive(Serialize)]
struct Meta<'a> {
    site: &'a str,
    seq: u64,
    event_id: EventId,
    ts: Timestamp,
    actor: ActorRef,
    source: Source,
    #[serde(skip_serializing_if = "Option::is_none")]
    entity_type: Option<&'a EntityTypeName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    command_id: Option<Uuid>,
}

impl LogEntry {
    /// Serialises the envelope of a row.
    ///
    /// # Errors
    /// Returns `serde_json`'s error, which these types can't cause.
    pub fn new(site: &str, seq: u64, row: EntryRow) -> serde_json::Result<Self> {
        let envelope = serde_json::to_string(&Envelope {
            category: &row.category,
            r#type: &row.kind,
            payload: &row.payload,
            meta: Meta {
                site,
                seq,
                event_id: row.event_id,
                ts: row.at,
                actor: ActorRef { id: row.actor_id, name: row.actor_name },
                source: row.source,
                entity_type: row.entity.as_ref().map(|(entity_type, _)| entity_type),
                command_id: row.command_id.map(|id| id.0),
            },
        })?;
        Ok(Self {
            seq,
            event_id: row.event_id,
            category: row.category,
            kind: row.kind,
            at: row.at,
            entity: row.entity.and_then(|(entity_type, id)| entity_type.known().map(|entity_type| (entity_type, id))),
            audience: row.audience,
            payload: row.payload,
            envelope: envelope.into_boxed_str(),
        })
    }

    /// Returns its approximate size in memory, in bytes.
    pub fn bytes(&self) -> usize {
        std::mem::size_of::<Self>() + self.envelope.len() + self.payload.get().len()
    }

    /// Returns the person the entry carries, if any: a reader must notice changes of its own person.
    pub fn about_person(&self) -> Option<PersonId> {
        self.entity.filter(|(entity_type, _)| *entity_type == EntityType::Person).map(|(_, id)| id.into())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::Arc;

    use super::*;

    /// Creates a test entry with a sequence number.
    pub(crate) fn entry(seq: u64) -> Arc<LogEntry> {
        entry_of(seq, 2)
    }

    /// Creates a test entry with a payload of `bytes` bytes.
    pub(crate) fn entry_of(seq: u64, bytes: usize) -> Arc<LogEntry> {
        let payload = format!("\"{}\"", "x".repeat(bytes - 2));
        let row = EntryRow {
            event_id: Uuid::nil().into(),
            at: Timestamp::UNIX_EPOCH,
            actor_id: None,
            actor_name: "Gus".into(),
            source: Source::Device,
            category: "requests".into(),
            kind: "request_created".into(),
            entity: None,
            changed_fields: Vec::new(),
            payload: RawValue::from_string(payload).unwrap(),
            audience: Audience::Everyone,
            command_id: None,
        };
        Arc::new(LogEntry::new("serenity", seq, row).unwrap())
    }

    #[test]
    fn the_envelope_is_an_entry() {
        let read: crewbell_shared::protocol::Entry = serde_json::from_str(&entry(7).envelope).unwrap();
        assert_eq!((read.meta.seq, read.meta.site.as_str(), read.kind.as_str()), (7, "serenity", "request_created"));
    }
}
