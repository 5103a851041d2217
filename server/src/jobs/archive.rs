//! Job that moves entries older than the site's retention to the archive of their month, in batches.

use std::sync::Arc;
use std::time::Duration;

use crewbell_shared::person::Actor;
use crewbell_shared::protocol::Source;
use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use super::age::believed_now;
use crate::actions::ArchiveEntries;
use crate::db::{self, DbError};
use crate::site_registry::{OpenSite, SiteRegistry};

/// Interval between two runs.
const EVERY: Duration = Duration::from_hours(1);

/// Archives a site's old entries at intervals, until cancelled.
pub async fn run(registry: SiteRegistry, site: Arc<OpenSite>, stop: CancellationToken) {
    let mut tick = tokio::time::interval(EVERY);
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            () = stop.cancelled() => return,
        }
        match archive(&registry, &site).await {
            Ok(0) => {}
            Ok(batches) => tracing::info!(site = %site.slug, batches, "Old entries went to the archive."),
            Err(error) => tracing::warn!(site = %site.slug, %error, "Old entries could not be archived; trying later."),
        }
    }
}

/// Archives the entries older than the site's retention, and returns the number of batches. Between two batches the
/// site's writer serves other actions. Nothing is archived while the clock is implausible.
///
/// # Errors
/// Returns an error if the database is unavailable.
pub async fn archive(registry: &SiteRegistry, site: &OpenSite) -> anyhow::Result<usize> {
    let Some(age) = kept(registry, site).await? else { return Ok(0) };
    let before = |now: Timestamp| now.checked_sub(age).unwrap_or(Timestamp::MIN);
    // The clock is checked, and its doubt logged, only if there is something to archive.
    if oldest_before(registry, site, before(registry.clock.now())).await?.is_none() {
        return Ok(0);
    }
    let Some(before) = believed_now(registry, site).await?.map(before) else { return Ok(0) };
    let mut batches = 0;
    // A partition is created, and analysed, on this job's own connection, so that presses don't wait for it.
    let mut conn = registry.db.connect_bare().await?;
    while let Some(oldest) = oldest_before(registry, site, before).await? {
        db::entries::open_archive(&mut conn, oldest).await?;
        site.act(Box::new(ArchiveEntries { before }), Actor::System, Source::Server).await?;
        batches += 1;
    }
    db::entries::count_archive(&mut conn).await?;
    Ok(batches)
}

/// Returns the site's retention of entries outside the archive; `None` is unlimited.
async fn kept(registry: &SiteRegistry, site: &OpenSite) -> Result<Option<SignedDuration>, DbError> {
    let mut tx = registry.db.read_sites().await?;
    let days = db::sites::find(&mut tx, site.id).await?.map_or(0, |known| known.site.settings.retention_days);
    Ok((days > 0).then(|| SignedDuration::from_hours(24 * i64::from(days))))
}

async fn oldest_before(
    registry: &SiteRegistry,
    site: &OpenSite,
    before: Timestamp,
) -> Result<Option<Timestamp>, DbError> {
    let mut tx = registry.db.read(site.id).await?;
    db::entries::oldest_before(&mut tx, site.id, before).await
}
