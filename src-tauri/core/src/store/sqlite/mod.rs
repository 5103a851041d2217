//! The SQLite store of a device: two files in one folder.
//!
//! | file | content | after a power failure | when unreadable |
//! |---|---|---|---|
//! | `cache.db` | server data: entities, lines, cursor | the last moments may be lost | moved aside, fetched again |
//! | `local.db` | data of this device: session, outbox, settings | every reported write is there | salvaged |
//!
//! The files are separate so that data that can be fetched again never endangers data that can't: the cache is large,
//! written all the time, and discarded when in doubt.
//!
//! # Between the two files
//! A write goes to the cache first, entries and cursor in one transaction, and then to `local.db` in one transaction. If
//! the device stops in between, it has the entry of a command that is still in its outbox. That is harmless: the
//! command is sent again under its id, the server repeats its answer, and the command is removed. The reverse is
//! harmless too (after a power failure the cache may lack what `local.db` has): entries are requested from the stored
//! cursor, and applied once more.
//!
//! [`Write::Wipe`] changes both files. Precious writes up to it come first: if the device stops then, no session but
//! entities remain, which `Engine::start` recognises as an interrupted sign-out, and finishes. Precious writes after it
//! come last, so that a person who signs in never sees another person's data.
//!
//! The same holds when the second file fails after the first has been written, for example because the disk is full:
//! the write failed, the server's data may be stored all the same, and writes are idempotent.
//!
//! # A wipe leaves nothing behind
//! Deleted data stays in a file until its page is reused, and a damaged file that was moved aside still has all its
//! data. A wipe removes both, so that guests' names can't be recovered from a lost tablet.
//!
//! | file | purpose |
//! |---|---|
//! | `open`, `files` | opening, moving aside, recreating |
//! | `salvage`, `wal` | recovery of a damaged `local.db` |
//! | `cache`, `keep` | the SQL of each file |
//! | `db` | the connection, and the classification of SQLite's errors |

mod cache;
mod db;
mod files;
mod local;
mod open;
mod salvage;
#[cfg(test)]
mod tests;
mod wal;

use std::path::{Path, PathBuf};

use super::{Image, Store, StoreError, Write};
use db::{Db, store_error};
use open::Found;

/// File name of the data that can be fetched again.
const CACHE: &str = "cache.db";

/// File name of the data that only this device has.
const KEEP: &str = "local.db";

/// A store in a folder; exclusive to one process at a time.
#[derive(Debug)]
pub struct Sqlite {
    folder: PathBuf,
    cache: Db,
    keep: Db,
    /// The image loaded while opening, until it is requested or overwritten.
    fresh: Option<Image>,
    /// Dropped last, so that the next process finds the files closed or closing.
    _lock: files::Lock,
}

/// The state in which the files were found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Opened {
    /// A damaged file was recreated: `Notice::Rebuilt`.
    pub rebuilt: Option<Rebuilt>,
    /// Whether the cache was of another app version, and is fetched again. This is no error.
    pub outdated: bool,
    /// The number of commands that can't be read, at least by this version: `Notice::Unreadable`. They aren't sent;
    /// they stay in `local.db`, and [`Sqlite::unreadable`] returns their rows.
    pub unreadable: u32,
}

/// An unreadable command as text, for a person to inspect.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Unreadable {
    /// The command's id.
    pub id: Option<String>,
    /// The command, the person and the time.
    pub did: Option<String>,
    /// The command's status.
    pub doing: Option<String>,
}

/// The result of recreating a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rebuilt {
    /// The number of commands in the outbox.
    pub saved: u32,
}

impl Sqlite {
    /// Opens the store in a folder, which is created if necessary. Damaged files are recreated.
    ///
    /// # Errors
    /// Returns an error if another process has the store open, or the folder or the disk can't be used.
    pub async fn open(folder: &Path) -> Result<(Self, Opened), StoreError> {
        let lock = files::take(folder)?;
        let mut image = Image::default();
        let (keep, keep_found, unreadable) = open::keep(&folder.join(KEEP), &mut image).await?;
        let (cache, cache_found) = open::cache(&folder.join(CACHE), &mut image).await?;
        let saved = u32::try_from(image.outbox.len()).unwrap_or(u32::MAX);
        let is_rebuilt = keep_found == Found::Damaged || cache_found == Found::Damaged;
        let opened = Opened {
            rebuilt: is_rebuilt.then_some(Rebuilt { saved }),
            outdated: cache_found == Found::Outdated,
            unreadable,
        };
        let is_signed_out = image.session.is_none() && image.entities.is_empty();
        let folder = folder.to_owned();
        let mut store = Self { folder, cache, keep, fresh: Some(image), _lock: lock };
        // A wipe that was interrupted by a kill has left some deleted data.
        if is_signed_out && store.cache.has_remains().await.unwrap_or(false) {
            store.leave_nothing_behind().await;
        }
        Ok((store, opened))
    }

    /// Returns the commands that can't be read, in order.
    ///
    /// # Errors
    /// Returns an error if the file can't be read.
    pub async fn unreadable(&mut self) -> Result<Vec<Unreadable>, StoreError> {
        let rows = local::unreadable(&mut self.keep).await.map_err(|error| store_error(&error))?;
        let text = |bytes: Option<Vec<u8>>| bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let one = |held: local::Held| Unreadable { id: text(held.id), did: text(held.did), doing: text(held.doing) };
        Ok(rows.into_iter().map(one).collect())
    }

    /// Returns the size on the disk, in bytes.
    pub fn bytes(&self) -> u64 {
        files::bytes(&self.folder.join(CACHE)) + files::bytes(&self.folder.join(KEEP))
    }

    /// Closes the files and waits until they are closed. Dropping the store closes them a moment later.
    pub async fn close(self) {
        self.cache.close().await;
        self.keep.close().await;
    }

    async fn leave_nothing_behind(&mut self) {
        // If this fails, it is repeated at the next start.
        let _ = self.cache.leave_nothing_behind().await;
        // Deleted rows in this file are overwritten at once (`secure_delete`).
        let _ = self.keep.empty_log().await;
    }

    async fn read(&mut self) -> Result<Image, sqlx::Error> {
        // An abandoned write must not be read.
        self.keep.roll_back().await;
        self.cache.roll_back().await;
        let mut image = Image::default();
        local::read(&mut self.keep, &mut image).await?;
        cache::read(&mut self.cache, &mut image).await?;
        Ok(image)
    }

    /// Writes in the order given in the module's doc. Nothing is committed before all statements have been tried.
    async fn write_all(&mut self, writes: &[Write]) -> Result<(), sqlx::Error> {
        let cut = writes.iter().rposition(|write| *write == Write::Wipe).map_or(0, |wipe| wipe + 1);
        let (before, after) = writes.split_at(cut);
        let sum = cache::Sum::of(writes);
        let (is_cached, is_kept) = (!sum.is_empty(), after.iter().any(Write::is_precious));
        if is_cached {
            self.cache.begin().await?;
            sum.write(&mut self.cache).await?;
        }
        if !before.is_empty() {
            self.keep.begin().await?;
            local::write(&mut self.keep, before).await?;
            self.keep.commit().await?;
        }
        if is_kept {
            self.keep.begin().await?;
            local::write(&mut self.keep, after).await?;
        }
        if is_cached {
            self.cache.commit().await?;
        }
        if is_kept {
            self.keep.commit().await?;
        }
        Ok(())
    }
}

impl Store for Sqlite {
    async fn load(&mut self) -> Result<Image, StoreError> {
        match self.fresh.take() {
            Some(image) => Ok(image),
            None => self.read().await.map_err(|error| store_error(&error)),
        }
    }

    async fn write(&mut self, writes: &[Write]) -> Result<(), StoreError> {
        self.fresh = None;
        let wipes = writes.contains(&Write::Wipe);
        if wipes {
            files::remove_broken(&self.folder.join(CACHE));
            files::remove_broken(&self.folder.join(KEEP));
        }
        match self.write_all(writes).await {
            Ok(()) if wipes => {
                self.leave_nothing_behind().await;
                Ok(())
            }
            Ok(()) => Ok(()),
            Err(error) => {
                self.cache.roll_back().await;
                self.keep.roll_back().await;
                self.keep.bury().await;
                Err(store_error(&error))
            }
        }
    }
}
