//! SQL of `local.db`: the data that only this device has. The file is migrated forward, and a file of a newer version is
//! read as far as possible.

use std::collections::{BTreeMap, BTreeSet};

use crewbell_shared::ids::CommandId;
use crewbell_shared::person::PersonRef;
use crewbell_shared::protocol::Command;
use crewbell_shared::{Code, Refusal};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::super::{CommandStatus, Image, Waiting, Write};
use super::cache::{from_json, json};
use super::db::Db;

/// The schema migrations: the first creates version 1, and so on. Append only.
const STEPS: &[&str] = &[include_str!("../../../migrations/local/1_what_only_this_device_knows.sql")];

/// A raw row of the outbox, readable or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Held {
    /// The row's position in the order; none appends it.
    pub n: Option<i64>,
    /// The command's id, as text.
    pub id: Option<Vec<u8>>,
    /// [`Did`], as JSON.
    pub did: Option<Vec<u8>>,
    /// [`Doing`], as JSON.
    pub doing: Option<Vec<u8>>,
    /// The checksum of `did`.
    pub checksum: Option<i64>,
}

/// The immutable part of a [`Waiting`].
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Did {
    command: Command,
    by: PersonRef,
    at: Timestamp,
}

impl Did {
    /// Combines it with a status.
    pub fn waiting(self, doing: CommandStatus) -> Waiting {
        let Self { command, by, at } = self;
        Waiting { command, by, at, doing }
    }
}

impl Held {
    /// Creates the row of a command.
    pub fn of(waiting: &Waiting) -> Result<Self, sqlx::Error> {
        let Waiting { command, by, at, doing } = waiting.clone();
        let id = command.id.to_string().into_bytes();
        let did = json(&Did { command, by, at })?.into_bytes();
        let doing = json(&doing)?.into_bytes();
        let checksum = checksum(&did);
        Ok(Self { n: None, id: Some(id), did: Some(did), doing: Some(doing), checksum: Some(checksum) })
    }

    /// Returns the command, if it can be parsed and its checksum matches.
    pub fn waiting(&self) -> Option<Waiting> {
        let did = self.did.as_deref().filter(|did| Some(checksum(did)) == self.checksum)?;
        self.read(did)
    }

    /// Returns the command of a row whose checksum doesn't match: either is damaged, so the person has to decide.
    fn doubtful(&self) -> Option<Waiting> {
        let did = self.did.as_deref().filter(|did| Some(checksum(did)) != self.checksum)?;
        self.read(did).map(for_the_person)
    }

    fn read(&self, did: &[u8]) -> Option<Waiting> {
        let did: Did = serde_json::from_slice(did).ok()?;
        // A command whose status can't be parsed is sent again; the server repeats its answer.
        let doing = self.doing.as_deref().and_then(|doing| serde_json::from_slice(doing).ok());
        Some(did.waiting(doing.unwrap_or(CommandStatus::Waiting)))
    }

    /// Converts a row of `n, id, did, doing, checksum`, with the texts as blobs.
    pub fn from_row(row: &SqliteRow) -> Self {
        // A column with an unexpected type counts as missing.
        Self {
            n: row.try_get(0).ok(),
            id: row.try_get(1).ok().flatten(),
            did: row.try_get(2).ok().flatten(),
            doing: row.try_get(3).ok().flatten(),
            checksum: row.try_get(4).ok().flatten(),
        }
    }

    /// Moves a row to the table of unreadable rows.
    async fn put_aside(self, db: &mut Db) -> Result<(), sqlx::Error> {
        let aside = "insert into unreadable (n, id, did, doing, checksum) values (?, ?, ?, ?, ?)";
        let Self { n, id, did, doing, checksum } = self;
        db.run(sqlx::query(aside).bind(n).bind(id).bind(did).bind(doing).bind(checksum)).await.map(drop)
    }
}

/// Turns a waiting command of uncertain origin or status into a refused one, so that it is shown and not sent.
pub(super) fn for_the_person(waiting: Waiting) -> Waiting {
    let doing = match waiting.doing {
        CommandStatus::Waiting => {
            let message = "This was found in a damaged file, and may have been sent before.";
            CommandStatus::Refused { refusal: Refusal::new(Code::Unavailable, message), at: waiting.at }
        }
        decided @ (CommandStatus::Refused { .. } | CommandStatus::Done { .. }) => decided,
    };
    Waiting { doing, ..waiting }
}

/// FNV-1a checksum, 64 bits; it detects damage by the disk, not tampering.
fn checksum(bytes: &[u8]) -> i64 {
    let hash = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, hash).cast_signed()
}

/// Migrates an older file to this version; a newer file stays as it is.
pub(super) async fn migrate(db: &mut Db) -> Result<(), sqlx::Error> {
    let version = usize::try_from(db.version().await?).unwrap_or(usize::MAX);
    for step in STEPS.iter().skip(version) {
        db.begin().await?;
        db.run_all(step).await?;
        db.commit().await?;
    }
    Ok(())
}

/// Executes the precious writes, within a transaction.
pub(super) async fn write(db: &mut Db, writes: &[Write]) -> Result<(), sqlx::Error> {
    let mut dropped: Vec<CommandId> = Vec::new();
    for write in writes.iter().filter(|write| write.is_precious()) {
        if let Write::DeleteCommand(id) = write {
            dropped.push(*id);
            continue;
        }
        drop_all(db, &mut dropped).await?;
        match write {
            Write::UpsertCommand(waiting) => keep(db, None, waiting).await?,
            Write::Mark(id, doing) => {
                let mark = sqlx::query("update outbox set doing = ? where id = ?");
                db.run(mark.bind(json(doing)?).bind(id.to_string())).await.map(drop)?;
            }
            Write::SignIn(session) => {
                let sign_in = sqlx::query("insert or replace into session (one, session) values (1, ?)");
                db.run(sign_in.bind(json(session)?)).await.map(drop)?;
            }
            Write::Wipe => db.run(sqlx::query("delete from session")).await.map(drop)?,
            Write::Set(name, Some(value)) => set(db, name, value).await?,
            Write::Set(name, None) => {
                let unset = sqlx::query("delete from settings where name = ?");
                db.run(unset.bind(name.clone())).await.map(drop)?;
            }
            Write::DeleteCommand(_)
            | Write::UpsertEntity { .. }
            | Write::DeleteEntity(_)
            | Write::Replace { .. }
            | Write::Advance(_)
            | Write::Heard(_)
            | Write::Seen(_)
            | Write::AppendLine(_) => {}
        }
    }
    drop_all(db, &mut dropped).await
}

async fn drop_all(db: &mut Db, ids: &mut Vec<CommandId>) -> Result<(), sqlx::Error> {
    if ids.is_empty() {
        return Ok(());
    }
    let drop_all = sqlx::query("delete from outbox where id in (select value from json_each(?))");
    db.run(drop_all.bind(json(&std::mem::take(ids))?)).await.map(drop)
}

async fn keep(db: &mut Db, n: Option<i64>, waiting: &Waiting) -> Result<(), sqlx::Error> {
    let keep = "insert into outbox (n, id, did, doing, checksum) \
        values (?, ?, cast(? as text), cast(? as text), ?) on conflict (id) do nothing";
    let Held { did, doing, checksum, .. } = Held::of(waiting)?;
    let keep = sqlx::query(keep).bind(n).bind(waiting.command.id.to_string()).bind(did).bind(doing).bind(checksum);
    db.run(keep).await.map(drop)
}

async fn set(db: &mut Db, name: &str, value: &str) -> Result<(), sqlx::Error> {
    let set = sqlx::query("insert or replace into settings (name, value) values (?, ?)");
    db.run(set.bind(name.to_owned()).bind(value.to_owned())).await.map(drop)
}

/// Handles rows that can't be read as stored, and returns the number of unreadable ones. Outbox rows that can still be
/// parsed are left to the person to decide, and others are put aside; rows put aside earlier return once they are
/// readable.
pub(super) async fn settle(db: &mut Db) -> Result<u32, sqlx::Error> {
    let bad: Vec<_> = outbox(db).await?.into_iter().filter(|held| held.waiting().is_none()).collect();
    let aside = unreadable(db).await?;
    let readable = |held: &Held| Some((held.n?, held.waiting()?));
    let good: Vec<_> = aside.iter().filter_map(readable).collect();
    let mut left = aside.len() - good.len();
    if !bad.is_empty() || !good.is_empty() {
        db.begin().await?;
        for (n, waiting) in good {
            db.run(sqlx::query("delete from unreadable where n = ?").bind(n)).await?;
            keep(db, Some(n), &waiting).await?;
        }
        for held in bad {
            db.run(sqlx::query("delete from outbox where n = ?").bind(held.n)).await?;
            left += usize::from(!keep_or_put_aside(db, held).await?);
        }
        db.commit().await?;
    }
    Ok(u32::try_from(left).unwrap_or(u32::MAX))
}

/// Stores a row as a command if it can be parsed; otherwise puts it aside and returns false.
async fn keep_or_put_aside(db: &mut Db, held: Held) -> Result<bool, sqlx::Error> {
    match held.waiting().or_else(|| held.doubtful()) {
        Some(waiting) => keep(db, held.n, &waiting).await.map(|()| true),
        None => held.put_aside(db).await.map(|()| false),
    }
}

async fn outbox(db: &mut Db) -> Result<Vec<Held>, sqlx::Error> {
    let outbox = "select n, cast(id as blob), cast(did as blob), cast(doing as blob), checksum from outbox order by n";
    Ok(db.rows(sqlx::query(outbox)).await?.iter().map(Held::from_row).collect())
}

/// Returns the rows that were put aside, in order.
pub(super) async fn unreadable(db: &mut Db) -> Result<Vec<Held>, sqlx::Error> {
    let unreadable = "select n, id, did, doing, checksum from unreadable order by n";
    Ok(db.rows(sqlx::query(unreadable)).await?.iter().map(Held::from_row).collect())
}

/// Reads the complete file into an image, except for the rows that [`settle`] puts aside.
pub(super) async fn read(db: &mut Db, image: &mut Image) -> Result<(), sqlx::Error> {
    image.outbox = outbox(db).await?.iter().filter_map(Held::waiting).collect();
    // If a newer version wrote a session that this version can't parse, the person signs in again.
    image.session = session(db).await?.and_then(|session| from_json(&session).ok());
    image.settings = settings(db).await?;
    Ok(())
}

async fn session(db: &mut Db) -> Result<Option<String>, sqlx::Error> {
    let rows = db.rows(sqlx::query("select session from session")).await?;
    rows.first().map(|row| row.try_get(0)).transpose()
}

async fn settings(db: &mut Db) -> Result<BTreeMap<String, String>, sqlx::Error> {
    let rows = db.rows(sqlx::query("select name, value from settings")).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// The data recovered from a damaged file.
#[derive(Debug, Default)]
pub(super) struct Saved {
    /// The session, as JSON.
    pub session: Option<String>,
    /// The settings.
    pub settings: BTreeMap<String, String>,
    /// The rows of the outbox, in order.
    pub outbox: Vec<Held>,
    /// The rows that were already unreadable.
    pub unreadable: Vec<Held>,
    /// Whether everything was recovered without an error.
    pub whole: bool,
}

/// Recovers data from a damaged file: table by table, and the outbox row by row.
pub(super) async fn rescue(db: &mut Db) -> Saved {
    let mut whole = db.check("pragma integrity_check").await.is_ok();
    let session = session(db).await.ok().flatten();
    let settings = settings(db).await.unwrap_or_default();
    let (outbox, all) = rescue_rows(
        db,
        "select n, cast(id as blob), cast(did as blob), cast(doing as blob), checksum from outbox \
            where n > ? order by n limit 1",
    )
    .await;
    whole &= all && outbox.iter().all(|held| held.waiting().is_some());
    let unreadable = "select n, id, did, doing, checksum from unreadable where n > ? order by n limit 1";
    let (unreadable, all) = rescue_rows(db, unreadable).await;
    Saved { session, settings, outbox, unreadable, whole: whole && all }
}

/// Maximum number of row numbers to skip after an unreadable one, which bounds the search.
const MOST_SKIPPED: i64 = 500;

async fn rescue_rows(db: &mut Db, after: &'static str) -> (Vec<Held>, bool) {
    let mut held = Vec::new();
    let mut seen = BTreeSet::new();
    let (mut n, mut all, mut skipped) = (0, true, 0);
    while skipped < MOST_SKIPPED {
        match db.rows(sqlx::query(after).bind(n)).await.as_deref() {
            Ok([]) => break,
            Ok([row, ..]) => {
                let row = Held::from_row(row);
                // A damaged B-tree may contain a cycle.
                let Some(next) = row.n.filter(|next| seen.insert(*next) && *next > n) else { return (held, false) };
                n = next;
                skipped = 0;
                held.push(row);
            }
            Err(_) => {
                all = false;
                skipped += 1;
                n += 1;
            }
        }
    }
    (held, all)
}

/// Fills a new file with the recovered data, and with the found commands that are left to the person to decide.
pub(super) async fn fill(db: &mut Db, saved: Saved, found: &[Waiting]) -> Result<(), sqlx::Error> {
    db.begin().await?;
    if let Some(session) = saved.session {
        db.run(sqlx::query("insert into session (one, session) values (1, ?)").bind(session)).await?;
    }
    for (name, value) in &saved.settings {
        set(db, name, value).await?;
    }
    for held in saved.outbox {
        keep_or_put_aside(db, held).await?;
    }
    for waiting in found {
        keep(db, None, waiting).await?;
    }
    for held in saved.unreadable {
        Held { n: None, ..held }.put_aside(db).await?;
    }
    db.commit().await
}
