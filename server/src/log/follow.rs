//! Polls the log's head for entries that another process wrote: the command line, or another node.

use std::sync::Arc;
use std::time::Duration;

use crewbell_shared::ids::SiteId;
use tokio_util::sync::CancellationToken;

use super::RecentEntries;
use crate::db::{Db, sites};

/// Polling interval. Entries of this process wake its readers at once; only those of another process wait for this.
const EVERY: Duration = Duration::from_secs(1);

/// Polls a site's head and notifies its [`RecentEntries`], until cancelled.
pub async fn follow(site: SiteId, db: Db, recent: Arc<RecentEntries>, stop: CancellationToken) {
    let mut tick = tokio::time::interval(EVERY);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            () = stop.cancelled() => return,
        }
        // Other users of the database report an outage; here the next poll retries.
        if let Ok(mut tx) = db.read_sites().await
            && let Ok((_, head)) = sites::extent(&mut tx, site).await
        {
            recent.reached(head);
        }
    }
}
