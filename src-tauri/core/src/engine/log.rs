//! Processing of log entries and snapshots.

use std::sync::Arc;

use crewbell_shared::protocol::{EntityTypeName, Entry};

use super::volatile_state::Socket;
use super::{Engine, Now, Output, Snapshot, Step};
use crate::screen::{ConnectionError, CoreEvent, Notice};
use crate::store::{CommandStatus, Cursor, EntityKey, Line, Waiting, Write};

/// The setting that holds the entity types known to the app when it took its last snapshot. An app that knows more
/// types takes a new one.
pub(super) const KNOWN_ENTITIES: &str = "known_entities";

/// Returns the names of all entity types that this version knows.
pub(super) fn known_entities() -> String {
    let names: Vec<&str> =
        crewbell_shared::protocol::EntityType::ALL.iter().map(|entity_type| entity_type.as_str()).collect();
    names.join(" ")
}

impl Engine {
    /// Applies entries, each once, if none is missing before them. Otherwise the stream restarts after the cursor.
    pub(super) fn entries(&self, step: &mut Step, prev: u64, entries: Vec<Entry>, now: Now) {
        let (Socket::Up { streamed, .. }, Some(cursor)) = (&mut step.live.socket, self.image.cursor) else {
            return Self::resync(step, ConnectionError::Missed, now);
        };
        if prev != *streamed {
            return Self::resync(step, ConnectionError::Missed, now);
        }
        let Some(last) = entries.last() else { return };
        *streamed = last.meta.seq;
        let reached = Cursor { seq: last.meta.seq, event_id: Some(last.meta.event_id) };
        let heard = last.meta.ts;
        for entry in entries.into_iter().filter(|entry| entry.meta.seq > cursor.seq) {
            self.entry(step, entry);
        }
        if reached.seq > cursor.seq {
            step.writes.push(Write::Advance(reached));
            step.writes.push(Write::Heard(heard.max(self.image.heard_at.unwrap_or(heard))));
            self.confirm_up_to(step, reached.seq);
        }
    }

    fn entry(&self, step: &mut Step, entry: Entry) {
        let seq = entry.meta.seq;
        let line = line_of(&entry);
        if let Some(id) = entry.meta.command_id
            && self.image.waiting(id).is_some()
        {
            // The command is in the log, so its echo is no longer needed.
            step.writes.push(Write::DeleteCommand(id));
        }
        let foreign = entry.is_foreign();
        if let Some(notice) = wrong_pins(&entry) {
            step.live.note(notice);
        }
        match entry.into_entity() {
            Ok(Some(entity)) => step.writes.push(Write::UpsertEntity { entity: Arc::new(entity), seq }),
            // The entry changes no entity.
            Ok(None) if !foreign => {}
            // From a newer server: the entry is skipped, and a notice says that an update is needed.
            Ok(None) | Err(_) => step.live.note(Notice::UpdateNeeded),
        }
        step.writes.push(Write::AppendLine(line));
    }

    /// Resynchronises after a gap: closes the socket, and the next one starts after the last entry read.
    pub(super) fn resync(step: &mut Step, why: ConnectionError, now: Now) {
        step.live.fail(why, now);
        step.outputs.push(Output::Disconnect);
    }

    /// Removes commands that are confirmed up to an entry, although no received entry names them (it was for other
    /// readers).
    fn confirm_up_to(&self, step: &mut Step, seq: u64) {
        for waiting in &self.image.outbox {
            if matches!(waiting.doing, CommandStatus::Done { seq: done } if done <= seq) {
                step.writes.push(Write::DeleteCommand(waiting.command.id));
            }
        }
    }

    /// Replaces the site with a snapshot.
    pub(super) fn replace(&self, step: &mut Step, snapshot: Snapshot) {
        let restored = std::mem::take(&mut step.live.restored);
        step.live.stale_cursor = false;
        step.live.trouble = None;
        if snapshot.foreign {
            step.live.note(Notice::UpdateNeeded);
        }
        let Snapshot { cursor, entities, foreign: _ } = snapshot;
        let resent = self.ask_again(step);
        if restored {
            step.live.note(Notice::Restored { resent });
        }
        step.writes.push(Write::Replace { entities, cursor });
        if self.image.settings.get(KNOWN_ENTITIES).map(String::as_str) != Some(&known_entities()) {
            step.writes.push(Write::Set(KNOWN_ENTITIES.to_owned(), Some(known_entities())));
        }
        step.emit(CoreEvent::Reload);
    }
}

/// Returns a notice about possible PIN guessing, for the site's leads. Such entries are visible to them alone, so any
/// reader of one is a lead.
fn wrong_pins(entry: &Entry) -> Option<Notice> {
    let who = match entry.kind.as_str() {
        "person_sign_in_refused" => Some(entry.payload["name"].as_str()?.to_owned()),
        "sign_ins_refused" => None,
        _ => return None,
    };
    let times = entry.payload["times"].as_u64().and_then(|times| times.try_into().ok()).unwrap_or_default();
    Some(Notice::WrongPins { who, times })
}

impl Engine {
    /// Resends the confirmed commands whose entry hasn't arrived, under the same ids, over a new connection; returns
    /// their number. The server may have been restored from a backup without them, and its log may have passed their
    /// sequence numbers since.
    pub(super) fn ask_again(&self, step: &mut Step) -> u32 {
        // Commands with only a live effect must not be repeated by a restored server.
        let is_worth_it = |waiting: &&Waiting| !waiting.command.verb.is_live();
        let done = self.image.outbox.iter().filter(|waiting| matches!(waiting.doing, CommandStatus::Done { .. }));
        let done = done.filter(is_worth_it);
        let writes: Vec<Write> = done.map(|waiting| Write::Mark(waiting.command.id, CommandStatus::Waiting)).collect();
        let count = u32::try_from(writes.len()).unwrap_or(u32::MAX);
        step.writes.extend(writes);
        count
    }
}

/// Converts an entry to a timeline line.
pub(crate) fn line_of(entry: &Entry) -> Line {
    let id = entry.payload.get("id").and_then(|id| serde_json::from_value(id.clone()).ok());
    let changed = entry.payload.get("changed_fields").and_then(|names| serde_json::from_value(names.clone()).ok());
    Line {
        seq: entry.meta.seq,
        at: entry.meta.ts,
        category: entry.category.clone(),
        kind: entry.kind.clone(),
        actor: entry.meta.actor.clone(),
        about: entry
            .meta
            .entity_type
            .as_ref()
            .and_then(EntityTypeName::known)
            .zip(id)
            .map(|(entity_type, id)| EntityKey { entity_type, id }),
        changed: changed.unwrap_or_default(),
    }
}
