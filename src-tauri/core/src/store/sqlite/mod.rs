//! The store of a device: two files of SQLite in one folder.
//!
//! | file | what it holds | when the power fails | when it can't be read |
//! |---|---|---|---|
//! | `cache.db` | what the server said: nouns, lines, cursor | the last moments may be gone | it is moved aside, and fetched again |
//! | `keep.db` | what only this device knows: session, outbox, settings | nothing is gone that was reported written | it is salvaged |
//!
//! Two, because what can be had again must never stand in the way of what can't: the cache is large, written all the
//! time, and thrown away when in doubt.
//!
//! # Between the two
//! A write goes to the cache first, entries and cursor in one transaction, and then to `keep.db` in one transaction. Stopped
//! in between, a device knows what the server said about a command that still stands in its outbox. That is harmless:
//! the command is sent again under its id, the server gives the same answer, and it goes then. The other way round is
//! harmless, too (the power fails, and the cache has lost what `keep.db` has not): entries are asked for from the cursor
//! that is there, and applied once more.
//!
//! [`Write::Wipe`] changes both. What is precious up to it goes first: stopped then, nobody is signed in and nouns
//! are there, which `Engine::start` takes for a sign-out that was cut short, and finishes. What is precious behind it
//! goes last: whoever signs in never sees what was kept for somebody else.
//!
//! The same holds when the second file fails after the first has been written, say because the disk is full: the write
//! failed, what the server said may be written all the same, and writing it again is as writing it once.
//!
//! # A wipe leaves nothing behind
//! What is deleted stands in a file until its page is used again, and a damaged file that was moved aside has all that it
//! had. A wipe removes both: guests' names are no business of whoever finds the tablet.
//!
//! | file | what |
//! |---|---|
//! | `open`, `files` | opening, moving aside, making anew |
//! | `salvage`, `wal` | what can be had from a damaged `keep.db` |
//! | `cache`, `keep` | the SQL of each |
//! | `db` | the connection, and what SQLite's errors mean |

mod cache;
mod db;
mod files;
mod keep;
mod open;
mod salvage;
#[cfg(test)]
mod tests;
mod wal;

use std::path::{Path, PathBuf};

use super::{Image, Store, StoreError, Write};
use db::{Db, store_error};
use open::Found;

/// The name of the file that can be had again.
const CACHE: &str = "cache.db";

/// The name of the file that can't.
const KEEP: &str = "keep.db";

/// A store in a folder. One process at a time has it open.
#[derive(Debug)]
pub struct Sqlite {
    folder: PathBuf,
    cache: Db,
    keep: Db,
    /// What opening read, until it is asked for or written over.
    fresh: Option<Image>,
    /// Dropped last: whoever opens the folder next finds the files closed or closing.
    _lock: files::Lock,
}

/// How the files were found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Opened {
    /// A file couldn't be read and was made anew: `Notice::Rebuilt`.
    pub rebuilt: Option<Rebuilt>,
    /// The cache was of another version of the app, and is fetched anew. Nothing is wrong.
    pub outdated: bool,
    /// Commands that can't be read, by this version at least: `Notice::Unreadable`. They aren't sent; they stay in
    /// `keep.db`, and [`Sqlite::unreadable`] has what stands there.
    pub unreadable: u32,
}

/// A command that can't be read, as far as it is a text: for a person who can.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Unreadable {
    /// The command's id.
    pub id: Option<String>,
    /// What was done, by whom and when.
    pub did: Option<String>,
    /// How far it was.
    pub doing: Option<String>,
}

/// What came of making a file anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rebuilt {
    /// Commands in the outbox now.
    pub saved: u32,
}

impl Sqlite {
    /// Opens the store in a folder, which is made if it isn't there. Files that can't be read are made anew.
    ///
    /// # Errors
    /// Another process has it open; or the folder or the disk can't be used.
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
        let is_signed_out = image.session.is_none() && image.nouns.is_empty();
        let folder = folder.to_owned();
        let mut store = Self { folder, cache, keep, fresh: Some(image), _lock: lock };
        // Killed in the middle of a wipe, it has some of it left.
        if is_signed_out && store.cache.has_remains().await.unwrap_or(false) {
            store.leave_nothing_behind().await;
        }
        Ok((store, opened))
    }

    /// The commands that can't be read, in order.
    ///
    /// # Errors
    /// The file can't be read.
    pub async fn unreadable(&mut self) -> Result<Vec<Unreadable>, StoreError> {
        let rows = keep::unreadable(&mut self.keep).await.map_err(|error| store_error(&error))?;
        let text = |bytes: Option<Vec<u8>>| bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let one = |held: keep::Held| Unreadable { id: text(held.id), did: text(held.did), doing: text(held.doing) };
        Ok(rows.into_iter().map(one).collect())
    }

    /// How many bytes it takes on the disk.
    pub fn bytes(&self) -> u64 {
        files::bytes(&self.folder.join(CACHE)) + files::bytes(&self.folder.join(KEEP))
    }

    /// Closes the files, and returns when they are closed. Dropping it closes them, too, a moment later.
    pub async fn close(self) {
        self.cache.close().await;
        self.keep.close().await;
    }

    async fn leave_nothing_behind(&mut self) {
        // What fails is done at the next start.
        let _ = self.cache.leave_nothing_behind().await;
        // What is deleted from it is overwritten at once.
        let _ = self.keep.empty_log().await;
    }

    async fn read(&mut self) -> Result<Image, sqlx::Error> {
        // A write that nobody waited for must not be read.
        self.keep.roll_back().await;
        self.cache.roll_back().await;
        let mut image = Image::default();
        keep::read(&mut self.keep, &mut image).await?;
        cache::read(&mut self.cache, &mut image).await?;
        Ok(image)
    }

    /// The order is in the module's doc. Nothing is committed before all that can be tried has been.
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
            keep::write(&mut self.keep, before).await?;
            self.keep.commit().await?;
        }
        if is_kept {
            self.keep.begin().await?;
            keep::write(&mut self.keep, after).await?;
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
