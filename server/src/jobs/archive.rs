//! Entries that are older than the site keeps them move to the archive of their month, a few at a time.

use std::sync::Arc;
use std::time::Duration;

use crewbell_shared::person::Actor;
use crewbell_shared::protocol::Source;
use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use super::age::believed_now;
use crate::actions::ArchiveEntries;
use crate::db::{self, DbError};
use crate::house::{House, OpenSite};

/// How often it is looked for.
const EVERY: Duration = Duration::from_hours(1);

/// Archives a site's old entries from time to time, until cancelled.
pub async fn run(house: House, site: Arc<OpenSite>, stop: CancellationToken) {
    let mut tick = tokio::time::interval(EVERY);
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            () = stop.cancelled() => return,
        }
        match archive(&house, &site).await {
            Ok(0) => {}
            Ok(batches) => tracing::info!(site = %site.slug, batches, "Old entries went to the archive."),
            Err(error) => tracing::warn!(site = %site.slug, %error, "Old entries could not be archived; trying later."),
        }
    }
}

/// Archives what is older than the site keeps, and tells in how many batches. Between two of them the site's writer
/// serves whoever waits. While the clock is in doubt nothing is.
///
/// # Errors
/// The database is away.
pub async fn archive(house: &House, site: &OpenSite) -> anyhow::Result<usize> {
    let Some(age) = kept(house, site).await? else { return Ok(0) };
    let before = |now: Timestamp| now.checked_sub(age).unwrap_or(Timestamp::MIN);
    // A clock is asked for its word, and its doubt logged, only where something would go by it.
    if oldest_before(house, site, before(house.clock.now())).await?.is_none() {
        return Ok(0);
    }
    let Some(before) = believed_now(house, site).await?.map(before) else { return Ok(0) };
    let mut batches = 0;
    // A table is made, and counted, on a connection of this job's own: presses don't wait for that.
    let mut conn = house.db.connect_bare().await?;
    while let Some(oldest) = oldest_before(house, site, before).await? {
        db::entries::open_archive(&mut conn, oldest).await?;
        site.act(Box::new(ArchiveEntries { before }), Actor::System, Source::Server).await?;
        batches += 1;
    }
    db::entries::count_archive(&mut conn).await?;
    Ok(batches)
}

/// How long the site keeps its entries out of the archive; none is for ever.
async fn kept(house: &House, site: &OpenSite) -> Result<Option<SignedDuration>, DbError> {
    let mut tx = house.db.read_sites().await?;
    let days = db::sites::find(&mut tx, site.id).await?.map_or(0, |known| known.site.settings.retention_days);
    Ok((days > 0).then(|| SignedDuration::from_hours(24 * i64::from(days))))
}

async fn oldest_before(house: &House, site: &OpenSite, before: Timestamp) -> Result<Option<Timestamp>, DbError> {
    let mut tx = house.db.read(site.id).await?;
    db::entries::oldest_before(&mut tx, site.id, before).await
}
