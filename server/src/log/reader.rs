//! Reading the log from a cursor, page by page, and waiting at its end.

use std::sync::Arc;

use crewbell_shared::ids::{EventId, SiteId};
use tokio::sync::watch;

use super::{LogEntry, Tail};
use crate::db::{Db, DbError, entries, sites};

/// Why a reader can't go on.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The cursor is older than the log, newer than its head, or of another history: take a snapshot.
    #[error("the cursor {cursor} is not of the log, which has {first} to {head}")]
    SnapshotNeeded {
        /// What the reader has.
        cursor: u64,
        /// The first entry of the log.
        first: u64,
        /// The last one.
        head: u64,
        /// Whether the log is another than the one that the cursor is from: the server was restored from a backup.
        restored: bool,
    },
    /// The database can't be read.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// A reader of a site's log: knows how far it has read.
#[derive(Debug)]
pub struct Reader {
    site: SiteId,
    slug: Arc<str>,
    db: Db,
    tail: Arc<Tail>,
    head: watch::Receiver<u64>,
    cursor: u64,
    /// What the entry at the cursor is to be; none when nobody says, or once it was looked at.
    expected: Option<EventId>,
}

impl Reader {
    /// Entries on one page at most. It ends earlier when they are large, by the same measure from memory and database.
    pub const PAGE: usize = 500;

    /// Begins after an entry.
    pub fn new(site: SiteId, slug: Arc<str>, db: Db, tail: Arc<Tail>, cursor: u64) -> Self {
        let head = tail.watch();
        Self { site, slug, db, tail, head, cursor, expected: None }
    }

    /// Begins after an entry that is to have an event id; the first [`next`](Self::next) looks whether it has.
    #[must_use]
    pub fn expecting(self, event_id: Option<EventId>) -> Self {
        Self { expected: event_id, ..self }
    }

    /// Whose log it reads.
    pub fn site(&self) -> SiteId {
        self.site
    }

    /// A reader of the same log from another entry on.
    #[must_use]
    pub fn again(self, cursor: u64) -> Self {
        Self { cursor, expected: None, ..self }
    }

    /// How far it has read.
    pub fn cursor(&self) -> u64 {
        self.cursor
    }

    /// Whether it has read all that is known here.
    pub fn is_at_end(&self) -> bool {
        self.cursor >= self.tail.head()
    }

    /// Goes on behind what was [`read`](Self::read).
    pub fn advance(&mut self, entries: &[Arc<LogEntry>]) {
        self.cursor = entries.last().map_or(self.cursor, |last| last.seq);
    }

    /// The next page; waits for one at the end of the log. Safe to drop while it waits.
    ///
    /// # Errors
    /// The cursor is outside the log, or the database can't be read; a later call may go on from where it was.
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
                // The site is gone, and with it all that could be said: wait to be dropped.
                std::future::pending::<()>().await;
            }
        }
    }

    /// What is there now, without waiting: empty at the end of the log.
    ///
    /// # Errors
    /// As [`Reader::next`].
    pub async fn read(&self) -> Result<Vec<Arc<LogEntry>>, ReadError> {
        let bytes = usize::try_from(entries::PAGE_BYTES).unwrap_or(usize::MAX);
        if let Some(entries) = self.tail.after(self.cursor, Self::PAGE, bytes).filter(|entries| !entries.is_empty()) {
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

    /// Looks whether the entry at the cursor is the one that whoever reads has. One that is in the archive, or not
    /// there yet, can't tell: then the numbers alone decide.
    async fn recognise(&mut self) -> Result<(), ReadError> {
        let Some(expected) = self.expected else { return Ok(()) };
        let at_hand = self.tail.at(self.cursor).map(|entry| entry.event_id);
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

    /// The cursor is beyond what this process knows of: another one may have written what the reader has.
    async fn look_further(&self) -> Result<(), ReadError> {
        let mut tx = self.db.read(self.site).await?;
        let (first, head) = sites::extent(&mut tx, self.site).await?;
        if self.cursor > head {
            return Err(ReadError::SnapshotNeeded { cursor: self.cursor, first, head, restored: true });
        }
        self.tail.reached(head);
        Ok(())
    }
}
