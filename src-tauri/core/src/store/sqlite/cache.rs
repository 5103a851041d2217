//! SQL of `cache.db`: the server's data, in one transaction with the cursor.
//!
//! Writes are merged first, and then executed as a handful of statements, each with all its rows in one JSON argument;
//! a statement per row would take a hundred times as long.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use crewbell_shared::ids::PersonId;
use crewbell_shared::protocol::Entity;
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::Row;

use super::super::image::MOST_LINES;
use super::super::{Cursor, EntityKey, Image, Kept, Line, Write};
use super::db::Db;

/// The schema version.
pub(super) const VERSION: i64 = 3;

/// The schema.
pub(super) const SCHEMA: &str = include_str!("../../../migrations/cache.sql");

/// The net effect of a batch of writes.
#[derive(Debug, Default)]
pub(super) struct Sum<'a> {
    /// Whether to delete everything first.
    clear: bool,
    /// Entities to delete next.
    forget: BTreeSet<EntityKey>,
    /// Entities to insert or replace last.
    put: BTreeMap<EntityKey, (&'a Entity, u64)>,
    lines: Vec<&'a Line>,
    /// Whether to delete the cursor.
    unread: bool,
    cursor: Option<Cursor>,
    heard_at: Option<Timestamp>,
    /// Last-seen times to update.
    seen: BTreeMap<PersonId, Timestamp>,
}

impl<'a> Sum<'a> {
    /// Merges writes.
    pub fn of(writes: &'a [Write]) -> Self {
        let mut sum = Self::default();
        for write in writes {
            sum.add(write);
        }
        sum
    }

    fn add(&mut self, write: &'a Write) {
        match write {
            Write::UpsertEntity { entity, seq } => {
                let key = EntityKey::of(entity);
                if self.put.get(&key).is_none_or(|(_, before)| before <= seq) {
                    self.put.insert(key, (entity, *seq));
                }
            }
            Write::DeleteEntity(key) => {
                self.put.remove(key);
                self.forget.insert(*key);
            }
            Write::Replace { entities, cursor } => {
                self.clear();
                self.put =
                    entities.iter().map(|entity| (EntityKey::of(entity), (entity.as_ref(), cursor.seq))).collect();
                self.cursor = Some(*cursor);
            }
            Write::Advance(cursor) => self.cursor = Some(*cursor),
            Write::Heard(at) => self.heard_at = Some(*at),
            Write::Seen(people) => self.seen.extend(people.iter().map(|seen| (seen.person_id, seen.at))),
            Write::AppendLine(line) => {
                if self.lines.last().is_none_or(|last| last.seq < line.seq) {
                    self.lines.push(line);
                }
            }
            Write::Wipe => {
                self.clear();
                self.unread = true;
                self.cursor = None;
                self.heard_at = None;
                self.seen.clear();
            }
            Write::UpsertCommand(_) | Write::Mark(..) | Write::DeleteCommand(_) | Write::SignIn(_) | Write::Set(..) => {
            }
        }
    }

    fn clear(&mut self) {
        self.clear = true;
        self.forget.clear();
        self.put.clear();
        self.lines.clear();
    }

    /// Returns whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        let Self { clear, forget, put, lines, unread, cursor, heard_at, seen } = self;
        let nothing = forget.is_empty() && put.is_empty() && lines.is_empty() && seen.is_empty();
        !clear && !unread && nothing && cursor.is_none() && heard_at.is_none()
    }

    /// Executes the merged writes within a transaction.
    pub async fn write(self, db: &mut Db) -> Result<(), sqlx::Error> {
        if self.clear {
            db.run(sqlx::query("delete from entities")).await?;
            db.run(sqlx::query("delete from lines")).await?;
        }
        if !self.forget.is_empty() {
            let keys = json(&self.forget)?;
            let forget = "delete from entities where (entity_type, id) in \
                (select value ->> 'entity_type', value ->> 'id' from json_each(?))";
            db.run(sqlx::query(forget).bind(keys)).await?;
        }
        if !self.put.is_empty() {
            let rows: Vec<_> =
                self.put.iter().map(|(key, (entity, seq))| (key.entity_type, key.id, seq, entity)).collect();
            let put = "insert into entities (entity_type, id, seq, entity) \
                select value ->> 0, value ->> 1, value ->> 2, value -> 3 from json_each(?) where true \
                on conflict (entity_type, id) do update set seq = excluded.seq, entity = excluded.entity \
                where excluded.seq >= entities.seq";
            db.run(sqlx::query(put).bind(json(&rows)?)).await?;
        }
        if !self.lines.is_empty() {
            let rows: Vec<_> = self.lines.iter().map(|line| (line.seq, line)).collect();
            let tell = "insert into lines (seq, line) select value ->> 0, value -> 1 from json_each(?) \
                where value ->> 0 > (select coalesce(max(seq), -1) from lines)";
            db.run(sqlx::query(tell).bind(json(&rows)?)).await?;
            let trim = "delete from lines where seq <= (select seq from lines order by seq desc limit 1 offset ?)";
            db.run(sqlx::query(trim).bind(i64::try_from(MOST_LINES).unwrap_or(i64::MAX))).await?;
        }
        if self.unread {
            db.run(sqlx::query("update reading set cursor = null, heard_at = null")).await?;
            db.run(sqlx::query("delete from seen")).await?;
        }
        if let Some(cursor) = self.cursor {
            db.run(sqlx::query("update reading set cursor = ?").bind(json(&cursor)?)).await?;
        }
        if let Some(heard_at) = self.heard_at {
            db.run(sqlx::query("update reading set heard_at = ?").bind(json(&heard_at)?)).await?;
        }
        if !self.seen.is_empty() {
            let rows: Vec<_> = self.seen.iter().collect();
            let see = "insert into seen (person_id, at) select value ->> 0, value ->> 1 from json_each(?) where true \
                on conflict (person_id) do update set at = excluded.at";
            db.run(sqlx::query(see).bind(json(&rows)?)).await?;
        }
        Ok(())
    }
}

/// Reads the complete file into an image.
pub(super) async fn read(db: &mut Db, image: &mut Image) -> Result<(), sqlx::Error> {
    let reading = db.rows(sqlx::query("select cursor, heard_at from reading")).await?;
    let reading = reading.first().ok_or(sqlx::Error::RowNotFound)?;
    let cursor: Option<String> = reading.try_get(0)?;
    let heard_at: Option<String> = reading.try_get(1)?;
    image.cursor = cursor.as_deref().map(from_json).transpose()?;
    image.heard_at = heard_at.as_deref().map(from_json).transpose()?;
    image.seen = BTreeMap::new();
    for row in db.rows(sqlx::query("select person_id, at from seen")).await? {
        let (person, at): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        image.seen.insert(person.parse().map_err(unreadable)?, at.parse().map_err(unreadable)?);
    }
    image.entities = BTreeMap::new();
    for row in db.rows(sqlx::query("select seq, entity from entities")).await? {
        let seq = u64::try_from(row.try_get::<i64, _>(0)?).map_err(unreadable)?;
        let entity: Entity = from_json(row.try_get(1)?)?;
        image.entities.insert(EntityKey::of(&entity), Kept { entity: Arc::new(entity), seq });
    }
    let lines = db.rows(sqlx::query("select line from lines order by seq")).await?;
    image.lines = lines.iter().map(|row| from_json(row.try_get(0)?)).collect::<Result<VecDeque<_>, _>>()?;
    Ok(())
}

/// Serialises a value as JSON.
pub(super) fn json(value: &impl Serialize) -> Result<String, sqlx::Error> {
    serde_json::to_string(value).map_err(|error| sqlx::Error::Encode(error.into()))
}

/// Parses a value from JSON.
pub(super) fn from_json<T: DeserializeOwned>(text: &str) -> Result<T, sqlx::Error> {
    serde_json::from_str(text).map_err(unreadable)
}

fn unreadable(error: impl std::error::Error + Send + Sync + 'static) -> sqlx::Error {
    sqlx::Error::Decode(error.into())
}
