//! Noticing what another process wrote: the command line, or another node.

use std::sync::Arc;
use std::time::Duration;

use crewbell_shared::ids::SiteId;
use tokio_util::sync::CancellationToken;

use super::Tail;
use crate::db::{Db, sites};

/// How often the head is looked up. What this process writes wakes its readers at once; only another's waits for this.
const EVERY: Duration = Duration::from_secs(1);

/// Looks up a site's head from time to time and tells its tail, until cancelled.
pub async fn follow(site: SiteId, db: Db, tail: Arc<Tail>, stop: CancellationToken) {
    let mut tick = tokio::time::interval(EVERY);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            () = stop.cancelled() => return,
        }
        // A database that is away is reported by whoever needs it; here the next look is as good.
        if let Ok(mut tx) = db.read_sites().await
            && let Ok((_, head)) = sites::extent(&mut tx, site).await
        {
            tail.reached(head);
        }
    }
}
