//! Opening the two files, and making them anew when they can't be read.
//!
//! A file is made under another name, `….making`, and renamed when it is whole: one that is there was whole once. What is
//! salvaged is `keep.db.new` from when it is whole until the damaged one is out of the way; found at the next start, it
//! takes its place then. So nothing is lost wherever the device stops.

use std::path::{Path, PathBuf};

use super::super::{Image, StoreError};
use super::cache;
use super::db::{Care, Db, is_damage, store_error};
use super::files;
use super::keep;
use super::salvage::salvage;
use super::wal::Wal;

/// How many damaged files of the cache are left for somebody to look at; of what only this device knows, more.
const MOST_BROKEN_CACHES: usize = 2;
const MOST_BROKEN_KEEPS: usize = 9;

/// How a file was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Whole, or not at all.
    Well,
    /// By another version of the app; it begins anew.
    Outdated,
    /// Damaged; what could be saved is in a new one.
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

/// None: of another version.
async fn open_cache(path: &Path, image: &mut Image) -> Result<Option<Db>, sqlx::Error> {
    not_empty(path)?;
    let mut db = Db::open(path, Care::Cache).await?;
    let read = async {
        if db.version().await? != cache::VERSION {
            return Ok(false);
        }
        db.check("pragma quick_check(1)").await?;
        db.check_writing("delete from nouns where false").await?;
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

/// Opens what only this device knows; third, how many commands can't be read.
pub(super) async fn keep(path: &Path, image: &mut Image) -> Result<(Db, Found, u32), StoreError> {
    let new = files::beside(path, ".new");
    let mut found = Found::Well;
    if new.exists() {
        // The device stopped before it took the place of the damaged one.
        found = if files::is_there(path) { Found::Damaged } else { Found::Well };
        replace(&new, path).map_err(|error| files::store_error(&error))?;
    }
    // As they are before SQLite has touched them.
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
        keep::migrate(db).await?;
        keep::fill(db, saved, &decide).await
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
        // It is small: a check of every index costs nothing.
        db.check("pragma integrity_check(1)").await?;
        db.check_writing("delete from settings where false").await?;
        keep::migrate(&mut db).await?;
        let unreadable = keep::settle(&mut db).await?;
        keep::read(&mut db, image).await.map(|()| unreadable)
    };
    match read.await {
        Ok(unreadable) => Ok((db, unreadable)),
        Err(error) => {
            db.close().await;
            Err(error)
        }
    }
}

/// Makes a file under another name, whole, and says under which.
async fn make(path: &Path, fill: impl AsyncFnOnce(&mut Db) -> Result<(), sqlx::Error>) -> Result<PathBuf, StoreError> {
    let making = files::beside(path, ".making");
    files::remove(&making);
    let mut db = Db::open(&making, Care::Making).await.map_err(|error| store_error(&error))?;
    let filled = fill(&mut db).await;
    db.close().await;
    filled.map(|()| making).map_err(|error| store_error(&error))
}

/// Puts a new file in the place of what is there.
fn replace(new: &Path, path: &Path) -> std::io::Result<()> {
    if files::is_there(path) {
        files::move_aside(path, MOST_BROKEN_KEEPS)?;
    }
    files::put_in_place(new, path)
}

/// SQLite takes an empty file for an empty database. Ours are made whole: one that is empty lost what was in it.
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
