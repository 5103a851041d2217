//! Job that writes the use of sessions once an hour, and ends the sessions unused for too long.
//!
//! A request only marks its session as used in memory. A crash loses up to an hour of that, which ends no session,
//! since unused time is counted in days.

use std::sync::Arc;
use std::time::Duration;

use crewbell_shared::person::Actor;
use crewbell_shared::protocol::Source;
use tokio_util::sync::CancellationToken;

use crate::actions::{ActionError, AgeSessions};
use crate::site_registry::OpenSite;

/// Interval between two writes.
const EVERY: Duration = Duration::from_hours(1);

/// Ages a site's sessions until cancelled, and once more on cancellation.
pub async fn run(site: Arc<OpenSite>, stop: CancellationToken) {
    let mut tick = tokio::time::interval(EVERY);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    // The first tick fires at once, when no session has been used yet.
    tick.tick().await;
    loop {
        let is_last = tokio::select! {
            _ = tick.tick() => false,
            () = stop.cancelled() => true,
        };
        if let Err(error) = age_sessions(&site).await {
            tracing::warn!(site = %site.slug, %error, "The use of sessions could not be written; it is tried again.");
        }
        if is_last {
            return;
        }
    }
}

/// Writes which sessions were used since the last call, and counts an unused day for the others. An open socket is a
/// use.
///
/// # Errors
/// Returns an error if the database is unavailable; the uses are then kept for the next call.
pub async fn age_sessions(site: &OpenSite) -> Result<(), ActionError> {
    let mut used = site.uses.take();
    used.extend(site.presence.sessions());
    let action = AgeSessions { used: used.clone() };
    let done = site.act(Box::new(action), Actor::System, Source::Server).await;
    done.map(drop).inspect_err(|_| site.uses.put_back(used))
}
