//! Lease that ensures a single ingester: only its holder connects to the broker.

use std::future::Future;
use std::time::Duration;

use crewbell_shared::ids::SiteId;
use sqlx::{Connection as _, PgConnection};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::db::{Db, DbError, lease};

/// Interval at which the holder checks the lease, and the other nodes try to take it.
const EVERY: Duration = Duration::from_secs(2);
/// Timeout of a database query about the lease.
const PATIENCE: Duration = Duration::from_secs(2);

/// A lease that at most one node holds.
pub(super) trait Lease {
    /// The guard of the held lease; dropping it releases the lease.
    type Held: Held;

    /// Takes the lease if it is free.
    fn try_take(&self) -> impl Future<Output = Result<Option<Self::Held>, DbError>> + Send;
}

/// A held lease.
pub(super) trait Held: Send {
    /// Resolves when the lease may be lost.
    fn lost(&mut self) -> impl Future<Output = ()> + Send;

    /// Releases the lease.
    fn give_up(self) -> impl Future<Output = ()> + Send;
}

/// Runs `work` whenever the lease is held, until `stop`. The token passed to `work` is cancelled when the lease is
/// lost.
pub(super) async fn while_held<W>(lease: &impl Lease, stop: &CancellationToken, work: impl Fn(CancellationToken) -> W)
where
    W: Future<Output = ()>,
{
    let mut said = "";
    let mut say_once = |what: &'static str| {
        if std::mem::replace(&mut said, what) != what {
            tracing::info!("{what}");
        }
    };
    loop {
        let Some(taken) = stop.run_until_cancelled(lease.try_take()).await else { return };
        match taken {
            Ok(Some(mut held)) => {
                say_once("This node takes the broker's messages.");
                let holding = stop.child_token();
                let until_lost = async {
                    holding.run_until_cancelled(held.lost()).await;
                    holding.cancel();
                };
                tokio::join!(work(holding.clone()), until_lost);
                if stop.is_cancelled() {
                    return held.give_up().await;
                }
                say_once("This node has lost the broker's lease.");
            }
            Ok(None) => say_once("Another node takes the broker's messages; this one stands by."),
            Err(error) => {
                tracing::debug!(%error, "No lease.");
                say_once("The database is away: nobody takes the broker's messages, which keeps them.");
            }
        }
        if stop.run_until_cancelled(sleep(EVERY)).await.is_none() {
            return;
        }
    }
}

/// The lease of a site's broker: an advisory lock in PostgreSQL.
#[derive(Debug)]
pub(super) struct DbLease {
    db: Db,
    key: i64,
}

impl DbLease {
    pub(super) fn new(db: Db, site: SiteId) -> Self {
        Self { db, key: lease::broker_key(site) }
    }
}

impl Lease for DbLease {
    type Held = DbHeld;

    async fn try_take(&self) -> Result<Option<DbHeld>, DbError> {
        let taken = timeout(PATIENCE, async {
            let mut conn = self.db.connect_bare().await?;
            let taken = lease::try_take(&mut conn, self.key).await?;
            Ok(taken.then_some(DbHeld { conn, key: self.key }))
        });
        taken.await.unwrap_or_else(|_| Err(sqlx::Error::PoolTimedOut.into()))
    }
}

/// The database connection that holds the lock.
#[derive(Debug)]
pub(super) struct DbHeld {
    conn: PgConnection,
    key: i64,
}

impl Held for DbHeld {
    async fn lost(&mut self) {
        loop {
            sleep(EVERY).await;
            let held = timeout(PATIENCE, lease::is_held(&mut self.conn, self.key)).await;
            if !matches!(held, Ok(Ok(true))) {
                return;
            }
        }
    }

    async fn give_up(self) {
        // PostgreSQL releases the lock on the Terminate message and on the socket's end alike.
        let _ = timeout(PATIENCE, self.conn.close()).await;
    }
}
