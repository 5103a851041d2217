//! Entries that are older than the site keeps them move to the archive of their month, a few at a time.

use std::sync::Arc;
use std::time::Duration;

use crewbell_shared::person::Actor;
use crewbell_shared::protocol::Source;
use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

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
/// serves whoever waits.
///
/// # Errors
/// The database is away.
pub async fn archive(house: &House, site: &OpenSite) -> anyhow::Result<usize> {
    let Some(before) = cutoff(house, site).await? else { return Ok(0) };
    if oldest(house, site).await?.is_none_or(|at| at >= before) {
        return Ok(0);
    }
    let mut batches = 0;
    // A table is made, and counted, on a connection of this job's own: presses don't wait for that.
    let mut conn = house.db.connect_bare().await?;
    while let Some(oldest) = oldest(house, site).await?.filter(|at| *at < before) {
        db::entries::open_archive(&mut conn, oldest).await?;
        site.act(Box::new(ArchiveEntries { before }), Actor::System, Source::Server).await?;
        batches += 1;
    }
    db::entries::count_archive(&mut conn).await?;
    Ok(batches)
}

async fn cutoff(house: &House, site: &OpenSite) -> Result<Option<Timestamp>, DbError> {
    let mut tx = house.db.read_sites().await?;
    let days = db::sites::find(&mut tx, site.id).await?.map_or(0, |known| known.site.settings.retention_days);
    let age = SignedDuration::from_hours(24 * i64::from(days));
    Ok(if days == 0 { None } else { house.clock.now().checked_sub(age).ok() })
}

async fn oldest(house: &House, site: &OpenSite) -> Result<Option<Timestamp>, DbError> {
    let mut tx = house.db.read(site.id).await?;
    db::entries::oldest(&mut tx, site.id).await
}
