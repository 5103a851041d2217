//! An entry as it goes out: the envelope, written once and shared by all who read it.

use crewbell_shared::ids::{EventId, PersonId};
use crewbell_shared::protocol::{ActorRef, Audience, EntityType, Noun, Source};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::db::entries::EntryRow;

/// An entry with its number and its envelope.
#[derive(Clone, Debug)]
pub struct LogEntry {
    /// Its number at the site.
    pub seq: u64,
    /// Its id in the world.
    pub event_id: EventId,
    /// The part of the app that it belongs to.
    pub category: String,
    /// What happened.
    pub kind: String,
    /// When.
    pub at: Timestamp,
    /// Which noun it carries; none also for one of a newer version, which is in the envelope only.
    pub entity: Option<(EntityType, Uuid)>,
    /// Whom it is for.
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
    entity_type: Option<&'a Noun>,
    #[serde(skip_serializing_if = "Option::is_none")]
    command_id: Option<Uuid>,
}

impl LogEntry {
    /// Writes the envelope of a row.
    ///
    /// # Errors
    /// None that these types can cause; the signature is `serde_json`'s.
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
                entity_type: row.entity.as_ref().map(|(noun, _)| noun),
                command_id: row.command_id.map(|id| id.0),
            },
        })?;
        Ok(Self {
            seq,
            event_id: row.event_id,
            category: row.category,
            kind: row.kind,
            at: row.at,
            entity: row.entity.and_then(|(noun, id)| noun.known().map(|noun| (noun, id))),
            audience: row.audience,
            payload: row.payload,
            envelope: envelope.into_boxed_str(),
        })
    }

    /// How many bytes it takes in memory, nearly.
    pub fn bytes(&self) -> usize {
        std::mem::size_of::<Self>() + self.envelope.len() + self.payload.get().len()
    }

    /// The person that the entry is about, where it carries one: a reader must notice when it is its own.
    pub fn about_person(&self) -> Option<PersonId> {
        self.entity.filter(|(noun, _)| *noun == EntityType::Person).map(|(_, id)| id.into())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::Arc;

    use super::*;

    /// An entry that says nothing but its number.
    pub(crate) fn entry(seq: u64) -> Arc<LogEntry> {
        entry_of(seq, 2)
    }

    /// The same with a payload of so many bytes.
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
