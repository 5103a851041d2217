//! The pool of writing connections: few, shared by all sites.
//!
//! A site's writer takes a connection for a batch and gives it back, so that a server of two hundred sites holds no
//! more of them than one of ten. A connection sees one site at a time. If possible it goes to the site that had it
//! last, and otherwise to another, after it was switched to that site.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crewbell_shared::ids::SiteId;
use sqlx::PgConnection;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::DbError;
use super::pool::{DbSettings, open_for_writing, see};

/// How long a writer waits for a connection. Each is held for a batch, which takes some milliseconds.
const PATIENCE: Duration = Duration::from_secs(5);

/// The pool of writing connections.
#[derive(Debug)]
pub(super) struct Writers {
    permits: Arc<Semaphore>,
    most: usize,
    shelf: Mutex<IdleConnections>,
}

#[derive(Debug, Default)]
struct IdleConnections {
    /// Idle connections, with the site that each sees; the least recently used first.
    idle: Vec<(SiteId, PgConnection)>,
    /// Number of open connections, in use or idle.
    open: usize,
}

impl Writers {
    /// Creates an empty pool of at most `most` connections.
    pub(super) fn new(most: u32) -> Self {
        let most = usize::try_from(most.max(1)).map_or(Semaphore::MAX_PERMITS, |most| most.min(Semaphore::MAX_PERMITS));
        Self { permits: Arc::new(Semaphore::new(most)), most, shelf: Mutex::default() }
    }

    /// Takes a connection that sees a site, until it is given back or dropped.
    pub(super) async fn take(
        self: &Arc<Self>,
        settings: &DbSettings,
        site: SiteId,
    ) -> Result<WriteConnection, DbError> {
        let permit = tokio::time::timeout(PATIENCE, Arc::clone(&self.permits).acquire_owned()).await;
        let permit = permit.map_err(|_| sqlx::Error::PoolTimedOut)?.map_err(|_| sqlx::Error::PoolClosed)?;
        let idle = self.idle_for(site);
        let count = Count { writers: Arc::clone(self), kept: false, _permit: permit };
        let conn = match idle {
            Some((last, conn)) if last == site => conn,
            // A connection that died meanwhile is replaced by a new one.
            Some((_, mut conn)) => match see(&mut conn, site).await {
                Ok(()) => conn,
                Err(_) => open_for_writing(settings, site).await?,
            },
            None => open_for_writing(settings, site).await?,
        };
        Ok(WriteConnection { conn, site, count })
    }

    /// Returns the idle connection that the site had last; at the limit, the least recently used one; otherwise `None`,
    /// and counts one more as open.
    fn idle_for(&self, site: SiteId) -> Option<(SiteId, PgConnection)> {
        let mut shelf = self.shelf();
        let own = shelf.idle.iter().rposition(|(of, _)| *of == site);
        let any = (shelf.open >= self.most && !shelf.idle.is_empty()).then_some(0);
        let Some(at) = own.or(any) else {
            shelf.open += 1;
            return None;
        };
        Some(shelf.idle.remove(at))
    }

    fn shelf(&self) -> MutexGuard<'_, IdleConnections> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Closes the idle connections, and opens no more.
    pub(super) fn close(&self) {
        self.permits.close();
        let mut shelf = self.shelf();
        shelf.open -= shelf.idle.len();
        shelf.idle.clear();
    }
}

/// A writing connection, which sees one site. When dropped, it is closed with its transaction.
#[derive(Debug)]
pub struct WriteConnection {
    conn: PgConnection,
    site: SiteId,
    count: Count,
}

/// The share of a connection in the pool's limit.
#[derive(Debug)]
struct Count {
    writers: Arc<Writers>,
    kept: bool,
    _permit: OwnedSemaphorePermit,
}

impl WriteConnection {
    /// Gives the connection back to the pool; only after a commit.
    pub fn keep(self) {
        let Self { conn, site, mut count } = self;
        if !count.writers.permits.is_closed() {
            count.kept = true;
            count.writers.shelf().idle.push((site, conn));
        }
    }
}

impl Deref for WriteConnection {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.conn
    }
}

impl DerefMut for WriteConnection {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.conn
    }
}

impl Drop for Count {
    fn drop(&mut self) {
        if !self.kept {
            self.writers.shelf().open -= 1;
        }
    }
}
