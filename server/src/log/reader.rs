//! Reader of a site's log: pages after a cursor, and waiting at the head.

use std::sync::Arc;

use crewbell_shared::ids::{EventId, SiteId};
use tokio::sync::watch;

use super::{LogEntry, RecentEntries};
use crate::db::{Db, DbError, entries, sites};

/// The reason why a reader can't continue.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The cursor is older than the log, newer than its head, or of another history: the client needs a snapshot.
    #[error("the cursor {cursor} is not of the log, which has {first} to {head}")]
    SnapshotNeeded {
        /// The reader's cursor.
        cursor: u64,
        /// The first sequence number in the log.
        first: u64,
        /// The last sequence number in the log.
        head: u64,
        /// Whether the cursor belongs to another history, since the server was restored from a backup.
        restored: bool,
    },
    /// The database can't be read.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// A reader of a site's log, with its cursor.
#[derive(Debug)]
pub struct Reader {
    site: SiteId,
    slug: Arc<str>,
    db: Db,
    recent: Arc<RecentEntries>,
    head: watch::Receiver<u64>,
    cursor: u64,
    /// The event id that the entry at the cursor must have; `None` if unknown, or once checked.
    expected: Option<EventId>,
}

impl Reader {
    /// Maximum entries on one page. A page ends earlier when entries are large; cache and database apply the same
    /// measure.
    pub const PAGE: usize = 500;

    /// Creates a reader that starts after an entry.
    pub fn new(site: SiteId, slug: Arc<str>, db: Db, recent: Arc<RecentEntries>, cursor: u64) -> Self {
        let head = recent.watch();
        Self { site, slug, db, recent, head, cursor, expected: None }
    }

    /// Sets the event id that the entry at the cursor must have; the first [`next`](Self::next) checks it.
    #[must_use]
    pub fn expecting(self, event_id: Option<EventId>) -> Self {
        Self { expected: event_id, ..self }
    }

    /// Returns the site whose log it reads.
    pub fn site(&self) -> SiteId {
        self.site
    }

    /// Returns a reader of the same log from another cursor.
    #[must_use]
    pub fn again(self, cursor: u64) -> Self {
        Self { cursor, expected: None, ..self }
    }

    /// Returns the cursor.
    pub fn cursor(&self) -> u64 {
        self.cursor
    }

    /// Whether it has read up to the known head.
    pub fn is_at_end(&self) -> bool {
        self.cursor >= self.recent.head()
    }

    /// Moves the cursor behind entries that were [`read`](Self::read).
    pub fn advance(&mut self, entries: &[Arc<LogEntry>]) {
        self.cursor = entries.last().map_or(self.cursor, |last| last.seq);
    }

    /// Returns the next page, and waits for one at the head of the log. Cancel-safe while it waits.
    ///
    /// # Errors
    /// Returns an error if the cursor is outside the log, or if the database can't be read; a later call may continue
    /// from the same cursor.
    pub async fn next(&mut self) -> Result<Vec<Arc<LogEntry>>, ReadError> {
        self.recognise().await?;
        loop {
            let head = *self.head.borrow_and_update();
            if self.cursor < head {
                let page = self.read().await?;
                if let Some(last) = page.last() {
                    self.cursor = last.seq;
                    return Ok(page);
                }
            } else if self.cursor > head {
                self.look_further().await?;
                continue;
            }
            if self.head.changed().await.is_err() {
                // The site was closed and sends nothing further: wait to be dropped.
                std::future::pending::<()>().await;
            }
        }
    }

    /// Returns the next page without waiting; empty at the head of the log. The cursor doesn't move.
    ///
    /// # Errors
    /// Returns the same errors as [`Reader::next`].
    pub async fn read(&self) -> Result<Vec<Arc<LogEntry>>, ReadError> {
        let bytes = usize::try_from(entries::PAGE_BYTES).unwrap_or(usize::MAX);
        if let Some(entries) = self.recent.after(self.cursor, Self::PAGE, bytes).filter(|entries| !entries.is_empty()) {
            return Ok(entries);
        }
        let mut tx = self.db.read(self.site).await?;
        let (first, head) = sites::extent(&mut tx, self.site).await?;
        if self.cursor + 1 < first || self.cursor > head {
            let restored = self.cursor > head;
            return Err(ReadError::SnapshotNeeded { cursor: self.cursor, first, head, restored });
        }
        let limit = i64::try_from(Self::PAGE).unwrap_or(i64::MAX);
        let rows = entries::after(&mut tx, self.site, self.cursor, limit).await?;
        let entries = rows
            .into_iter()
            .map(|(seq, row)| LogEntry::new(&self.slug, seq, row).map(Arc::new))
            .collect::<Result<Vec<_>, _>>()
            .map_err(DbError::from)?;
        Ok(entries)
    }

    /// Checks that the entry at the cursor has the expected event id. An entry that is archived, or not there yet,
    /// can't be checked; then the sequence numbers alone decide.
    async fn recognise(&mut self) -> Result<(), ReadError> {
        let Some(expected) = self.expected else { return Ok(()) };
        let at_hand = self.recent.at(self.cursor).map(|entry| entry.event_id);
        if at_hand != Some(expected) {
            let mut tx = self.db.read(self.site).await?;
            let found = entries::event_id(&mut tx, self.site, self.cursor).await?;
            if found.is_some_and(|found| found != expected) {
                let (first, head) = sites::extent(&mut tx, self.site).await?;
                return Err(ReadError::SnapshotNeeded { cursor: self.cursor, first, head, restored: true });
            }
        }
        self.expected = None;
        Ok(())
    }

    /// Rereads the head when the cursor is beyond the known one: another process may have written what the reader has.
    async fn look_further(&self) -> Result<(), ReadError> {
        let mut tx = self.db.read(self.site).await?;
        let (first, head) = sites::extent(&mut tx, self.site).await?;
        if self.cursor > head {
            return Err(ReadError::SnapshotNeeded { cursor: self.cursor, first, head, restored: true });
        }
        self.recent.reached(head);
        Ok(())
    }
}
