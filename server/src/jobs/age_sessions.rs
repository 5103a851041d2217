//! Writes once an hour which sessions were used, and ends those that weren't for too long.
//!
//! A request only notes its session in memory. A crash costs an hour of that, which costs nobody their session: what is
//! counted is days.

use std::sync::Arc;
use std::time::Duration;

use crewbell_shared::person::Actor;
use crewbell_shared::protocol::Source;
use tokio_util::sync::CancellationToken;

use crate::actions::{AgeSessions, NotDone};
use crate::house::OpenSite;

/// How often it is written.
const EVERY: Duration = Duration::from_hours(1);

/// Ages a site's sessions until cancelled, and once more then.
pub async fn run(site: Arc<OpenSite>, stop: CancellationToken) {
    let mut tick = tokio::time::interval(EVERY);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    // The first tick is at once: then nobody has been heard yet.
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

/// Writes which sessions were used since the last time, an open socket being a use, and counts a day for the others.
///
/// # Errors
/// The database is away; then the uses are kept for the next time.
pub async fn age_sessions(site: &OpenSite) -> Result<(), NotDone> {
    let mut used = site.uses.take();
    used.extend(site.presence.sessions());
    let action = AgeSessions { used: used.clone() };
    let done = site.act(Box::new(action), Actor::System, Source::Server).await;
    done.map(drop).inspect_err(|_| site.uses.put_back(used))
}
