//! Live updates of a connection beside the log: presence, last-seen times and the reach of alerts.
//!
//! Updates carry the current state and not each change, four times a second at most. Nothing queues up for a slow
//! reader.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::Utf8Bytes;
use crewbell_shared::ids::RequestId;
use crewbell_shared::protocol::live::{FromServer, Reach};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::clock::Clock;
use crate::site_registry::OpenSite;

/// Minimum interval between updates of a connection.
const AT_MOST_EVERY: Duration = Duration::from_millis(250);

/// The live updates of one connection, with the state that was sent last.
#[derive(Debug)]
pub(super) struct LiveUpdates {
    site: Arc<OpenSite>,
    clock: Clock,
    presence: watch::Receiver<u64>,
    receipts: watch::Receiver<u64>,
    /// The number of the presence change that was sent last; none before the first.
    told_presence: Option<u64>,
    told_reach: BTreeMap<RequestId, Reach>,
    /// Whether an update is due. Kept here, so that cancelling a wait loses none.
    due: bool,
    not_before: Instant,
}

impl LiveUpdates {
    /// Creates the updates of a new connection; the first is due at once.
    pub(super) fn new(site: Arc<OpenSite>, clock: Clock) -> Self {
        let (presence, receipts) = (site.presence.changes(), site.receipts.changes());
        let (told_presence, told_reach) = (None, BTreeMap::new());
        Self { site, clock, presence, receipts, told_presence, told_reach, due: true, not_before: Instant::now() }
    }

    /// Waits for the next update and returns its frames. Cancel-safe.
    pub(super) async fn next(&mut self) -> Vec<Utf8Bytes> {
        if !self.due {
            let changed = tokio::select! {
                changed = self.presence.changed() => changed,
                changed = self.receipts.changed() => changed,
            };
            if changed.is_err() {
                // The site is closed and sends no more updates, so wait to be dropped.
                std::future::pending::<()>().await;
            }
            self.due = true;
        }
        tokio::time::sleep_until(self.not_before).await;
        self.due = false;
        self.not_before = Instant::now() + AT_MOST_EVERY;
        self.news().unwrap_or_else(|error| {
            tracing::error!(%error, "News of who is there can't be written.");
            Vec::new()
        })
    }

    fn news(&mut self) -> serde_json::Result<Vec<Utf8Bytes>> {
        let mut frames = Vec::new();
        self.receipts.mark_unchanged();
        let presence = *self.presence.borrow_and_update();
        if self.told_presence != Some(presence) {
            let people = self.site.presence.seen_since(self.told_presence);
            if !people.is_empty() {
                frames.push(serde_json::to_string(&FromServer::Seen { people })?.into());
            }
            frames.push(self.site.presence.frame(presence)?);
            self.told_presence = Some(presence);
        }
        let reach = self.site.receipts.all(&self.site.presence.sessions(), self.clock.now());
        for (&request_id, now) in &reach {
            if self.told_reach.get(&request_id) != Some(now) {
                let Reach { devices, sounded } = *now;
                let frame = FromServer::Reached { request_id, devices, sounded };
                frames.push(serde_json::to_string(&frame)?.into());
            }
        }
        self.told_reach = reach;
        Ok(frames)
    }
}
