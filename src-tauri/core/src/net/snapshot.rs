//! Streaming reader of a site's snapshot: lines of JSON, parsed as they arrive, so that a big site is never in memory
//! twice.
//!
//! The first line carries the cursor and the number of entities; each further line is a list of entities. Entities of
//! types that this version doesn't know are skipped. A stream that ends before all entities arrived is an error.

use std::sync::Arc;

use crewbell_shared::ids::EventId;
use crewbell_shared::protocol::{Entity, EntityType};
use reqwest::Response;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::answer;
use crate::engine::{Fault, Snapshot};
use crate::screen::ConnectionError;
use crate::store::Cursor;

/// Maximum line length, in bytes; the server writes 200 entities on each.
const LONGEST_LINE: usize = 32 * 1024 * 1024;

#[derive(Deserialize)]
struct Head {
    seq: u64,
    #[serde(default)]
    event_id: Option<EventId>,
    entities: usize,
}

/// Parser state.
#[derive(Default)]
struct Reading {
    head: Option<Head>,
    entities: Vec<Arc<Entity>>,
    passed_over: usize,
}

/// Reads a snapshot from a response.
pub async fn read(mut response: Response) -> Result<Snapshot, Fault> {
    if !answer::is_of(&response, &["application/x-ndjson"]) {
        return Err(unreadable());
    }
    let mut reading = Reading::default();
    let mut line = Vec::new();
    while let Some(part) = response.chunk().await.map_err(answer::away)? {
        let mut rest = &part[..];
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            line.extend_from_slice(&rest[..end]);
            reading.line(&line)?;
            line.clear();
            rest = &rest[end + 1..];
        }
        line.extend_from_slice(rest);
        if line.len() > LONGEST_LINE {
            return Err(unreadable());
        }
    }
    reading.line(&line)?;
    reading.finish()
}

impl Reading {
    fn line(&mut self, line: &[u8]) -> Result<(), Fault> {
        if line.iter().all(u8::is_ascii_whitespace) {
            return Ok(());
        }
        if self.head.is_none() {
            self.head = Some(serde_json::from_slice(line).map_err(|_| unreadable())?);
            return Ok(());
        }
        let entities: Vec<&RawValue> = serde_json::from_slice(line).map_err(|_| unreadable())?;
        for entity in entities {
            match serde_json::from_str::<Entity>(entity.get()) {
                Ok(entity) => self.entities.push(Arc::new(entity)),
                Err(error) => {
                    if let Some(known) = known(entity) {
                        tracing::warn!(entity_type = known.as_str(), %error, "An entity of the snapshot can't be read.");
                    }
                    self.passed_over += 1;
                }
            }
        }
        Ok(())
    }

    fn finish(self) -> Result<Snapshot, Fault> {
        let Head { seq, event_id, entities: count } = self.head.ok_or_else(unreadable)?;
        if self.entities.len() + self.passed_over < count {
            return Err(Fault::Away(ConnectionError::Missed));
        }
        let cursor = Cursor { seq, event_id };
        Ok(Snapshot { cursor, entities: self.entities, foreign: self.passed_over > 0 })
    }
}

/// Returns the entity's type, if this version knows it.
fn known(entity: &RawValue) -> Option<EntityType> {
    #[derive(Deserialize)]
    struct Sort {
        entity_type: EntityType,
    }
    serde_json::from_str::<Sort>(entity.get()).ok().map(|sort| sort.entity_type)
}

fn unreadable() -> Fault {
    Fault::Away(ConnectionError::Garbled)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crewbell_shared::testing::{at, open_request, sam};

    fn reading(lines: &[String]) -> Result<Snapshot, Fault> {
        let mut reading = Reading::default();
        for line in lines {
            reading.line(line.as_bytes())?;
        }
        reading.finish()
    }

    fn head(count: usize) -> String {
        serde_json::json!({ "seq": 7, "event_id": uuid::Uuid::nil(), "site": "serenity", "entities": count })
            .to_string()
    }

    fn entities() -> String {
        serde_json::to_string(&[Entity::from(sam()), Entity::from(open_request(at(0)))]).unwrap()
    }

    #[test]
    fn a_snapshot_is_read_line_by_line() {
        let snapshot = reading(&[head(2), entities()]).unwrap();
        assert_eq!((snapshot.cursor.seq, snapshot.entities.len(), snapshot.foreign), (7, 2, false));
    }

    #[test]
    fn entities_from_the_future_are_passed_over_and_known_of() {
        let moon = r#"[{"entity_type":"moon","entity":{"full":true}}]"#.to_owned();
        let snapshot = reading(&[head(3), entities(), moon]).unwrap();
        assert_eq!((snapshot.entities.len(), snapshot.foreign), (2, true));
    }

    #[test]
    fn a_part_of_a_snapshot_is_none() {
        assert!(reading(&[head(3), entities()]).is_err());
        assert!(reading(&[]).is_err());
        assert!(reading(&["<html>".to_owned()]).is_err());
        assert!(reading(&[head(2), entities()[..40].to_owned()]).is_err());
    }
}
