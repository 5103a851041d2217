//! Opens the two files, and recreates damaged ones.
//!
//! A file is created under another name, `….making`, and renamed when it is complete, so every existing file was
//! complete once. Salvaged data is in `local.db.new` from its completion until the damaged file is out of the way; if it
//! is found at the next start, it replaces the file then. No crash at any point loses data.

use std::path::{Path, PathBuf};

use super::super::{Image, StoreError};
use super::cache;
use super::db::{Care, Db, is_damage, store_error};
use super::files;
use super::local;
use super::salvage::salvage;
use super::wal::Wal;

/// Maximum number of damaged cache files to retain for inspection; of `local.db` more.
const MOST_BROKEN_CACHES: usize = 2;
const MOST_BROKEN_KEEPS: usize = 9;

/// The state in which a file was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Intact, or absent.
    Well,
    /// Of another app version; a new one is started.
    Outdated,
    /// Damaged; the recoverable data is in a new one.
    Damaged,
}

/// Opens the cache.
pub(super) async fn cache(path: &Path, image: &mut Image) -> Result<(Db, Found), StoreError> {
    let mut found = Found::Well;
    if files::is_there(path) {
        match open_cache(path, image).await {
            Ok(Some(db)) => return Ok((db, found)),
            Ok(None) => {
                files::remove(path);
                found = Found::Outdated;
            }
            Err(error) if is_damage(&error, path) => {
                files::move_aside(path, MOST_BROKEN_CACHES).map_err(|error| files::store_error(&error))?;
                found = Found::Damaged;
            }
            Err(error) => return Err(store_error(&error)),
        }
    }
    let making = make(path, async |db| {
        db.begin().await?;
        db.run_all(cache::SCHEMA).await?;
        db.commit().await
    });
    let made = making.await?;
    files::put_in_place(&made, path).map_err(|error| files::store_error(&error))?;
    match open_cache(path, image).await {
        Ok(Some(db)) => Ok((db, found)),
        Ok(None) => Err(StoreError::Failed("the new file has another version".to_owned())),
        Err(error) => Err(store_error(&error)),
    }
}

/// Opens an existing cache; returns none if it has another version.
async fn open_cache(path: &Path, image: &mut Image) -> Result<Option<Db>, sqlx::Error> {
    not_empty(path)?;
    let mut db = Db::open(path, Care::Cache).await?;
    let read = async {
        if db.version().await? != cache::VERSION {
            return Ok(false);
        }
        db.check("pragma quick_check(1)").await?;
        db.check_writing("delete from entities where false").await?;
        cache::read(&mut db, image).await.map(|()| true)
    };
    match read.await {
        Ok(true) => Ok(Some(db)),
        Ok(false) => {
            db.close().await;
            Ok(None)
        }
        Err(error) => {
            db.close().await;
            Err(error)
        }
    }
}

/// Opens `local.db`; the third value is the number of unreadable commands.
pub(super) async fn keep(path: &Path, image: &mut Image) -> Result<(Db, Found, u32), StoreError> {
    let new = files::beside(path, ".new");
    let mut found = Found::Well;
    if new.exists() {
        // The device stopped before the new file replaced the damaged one.
        found = if files::is_there(path) { Found::Damaged } else { Found::Well };
        replace(&new, path).map_err(|error| files::store_error(&error))?;
    }
    // Read both before SQLite modifies them.
    let file = std::fs::read(path).unwrap_or_default();
    let log = std::fs::read(files::beside(path, "-wal")).unwrap_or_default();
    if files::is_there(path) {
        match open_keep(path, &log, image).await {
            Ok((db, unreadable)) => return Ok((db, found, unreadable)),
            Err(error) if is_damage(&error, path) => found = Found::Damaged,
            Err(error) => return Err(store_error(&error)),
        }
    }
    let (saved, decide) = salvage(path, file, &log).await;
    let making = make(path, async move |db| {
        local::migrate(db).await?;
        local::fill(db, saved, &decide).await
    });
    let made = making.await?;
    let in_place = files::put_in_place(&made, &new).and_then(|()| replace(&new, path));
    in_place.map_err(|error| files::store_error(&error))?;
    let (db, unreadable) = open_keep(path, &[], image).await.map_err(|error| store_error(&error))?;
    Ok((db, found, unreadable))
}

async fn open_keep(path: &Path, log: &[u8], image: &mut Image) -> Result<(Db, u32), sqlx::Error> {
    not_empty(path)?;
    if Wal::new(log).is_damaged {
        return Err(sqlx::Error::Decode("the log is damaged".into()));
    }
    let mut db = Db::open(path, Care::Keep).await?;
    let read = async {
        // The file is small, so a check of every index is cheap.
        db.check("pragma integrity_check(1)").await?;
        db.check_writing("delete from settings where false").await?;
        local::migrate(&mut db).await?;
        let unreadable = local::settle(&mut db).await?;
        local::read(&mut db, image).await.map(|()| unreadable)
    };
    match read.await {
        Ok(unreadable) => Ok((db, unreadable)),
        Err(error) => {
            db.close().await;
            Err(error)
        }
    }
}

/// Creates a complete file under another name and returns its path.
async fn make(path: &Path, fill: impl AsyncFnOnce(&mut Db) -> Result<(), sqlx::Error>) -> Result<PathBuf, StoreError> {
    let making = files::beside(path, ".making");
    files::remove(&making);
    let mut db = Db::open(&making, Care::Making).await.map_err(|error| store_error(&error))?;
    let filled = fill(&mut db).await;
    db.close().await;
    filled.map(|()| making).map_err(|error| store_error(&error))
}

/// Replaces an existing file with a new one.
fn replace(new: &Path, path: &Path) -> std::io::Result<()> {
    if files::is_there(path) {
        files::move_aside(path, MOST_BROKEN_KEEPS)?;
    }
    files::put_in_place(new, path)
}

/// Returns an error for an empty file. SQLite takes it for an empty database, but these files are created complete, so
/// an empty one has lost its data.
fn not_empty(path: &Path) -> Result<(), sqlx::Error> {
    match std::fs::metadata(path) {
        Ok(file) if file.len() == 0 => Err(sqlx::Error::Decode("the file is empty".into())),
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(sqlx::Error::Decode("the file is gone, its log is not".into()))
        }
        Err(error) => Err(error.into()),
    }
}
