//! Job that deletes rows past their retention, so that no table grows without bound: a list of kinds, each with its
//! retention.
//!
//! One run an hour for all sites, on its own connection. Each statement deletes a few rows and each run is bounded, so
//! that an old installation that sets a retention for the first time is cleaned over some hours. It takes no lock that
//! a press waits for, except the site's row for the one statement that records until when commands were deleted. To add
//! a kind: its statement in `db/clean_up.rs`, and its setting here.

use std::time::Duration;

use jiff::SignedDuration;
use sqlx::{Connection, PgConnection};
use tokio_util::sync::CancellationToken;

use super::age::believed_now;
use crate::config::Retention;
use crate::db::clean_up::{Kind, begin, delete};
use crate::site_registry::{OpenSite, SiteRegistry};

/// Interval between two runs.
const EVERY: Duration = Duration::from_hours(1);

/// Delay of the first run after the server's start, which has other work to do.
pub const FIRST_AFTER: Duration = Duration::from_mins(5);

/// Rows deleted by one statement, which takes some milliseconds.
const BATCH: u32 = 500;

/// Maximum statements for one kind of one site in a run.
const BATCHES: u32 = 40;

/// Pause between two statements, which leaves the disk to others.
const PAUSE: Duration = Duration::from_millis(20);

/// Returns the retention of a kind in days; 0 is unlimited.
fn days(kind: Kind, retention: &Retention) -> u32 {
    match kind {
        Kind::Recordings => retention.recordings,
        Kind::Presses => retention.presses,
        // A day longer than promised: devices judge the age of a command by their own clocks.
        Kind::Commands if retention.commands > 0 => retention.commands.saturating_add(1),
        Kind::Commands => 0,
        Kind::Sessions => retention.sessions,
        Kind::Unrecognised => retention.unrecognised,
    }
}

/// Cleans up after the first delay and then at intervals, until cancelled.
pub async fn run(registry: SiteRegistry, retention: Retention, first_after: Duration, stop: CancellationToken) {
    let mut tick = tokio::time::interval_at(tokio::time::Instant::now() + first_after, EVERY);
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            () = stop.cancelled() => return,
        }
        tokio::select! {
            done = clean_up(&registry, &retention) => match done {
                Ok(0) => {}
                Ok(rows) => tracing::info!(rows, "What had had its time was deleted."),
                Err(error) => tracing::warn!(%error, "The clean-up was broken off; trying again in an hour."),
            },
            () = stop.cancelled() => return,
        }
    }
}

/// Deletes rows past their retention at every site, a bounded number of rows, and returns how many. A site whose clock
/// is implausible is skipped. A site that fails is logged and doesn't stop the others.
///
/// # Errors
/// Returns an error if the database is unavailable. Rows deleted before that stay deleted.
pub async fn clean_up(registry: &SiteRegistry, retention: &Retention) -> anyhow::Result<u64> {
    let mut conn = connect(registry).await?;
    let mut rows = 0;
    for site in registry.open_all().await? {
        match of_site(&mut conn, registry, &site, retention).await {
            Ok(deleted) => rows += deleted,
            Err(error) => {
                tracing::warn!(site = %site.slug, %error, "A site was not cleaned up; trying again in an hour.");
                // The connection itself may have failed.
                conn = connect(registry).await?;
            }
        }
    }
    conn.close().await?;
    Ok(rows)
}

async fn connect(registry: &SiteRegistry) -> anyhow::Result<PgConnection> {
    let mut conn = registry.db.connect_bare().await?;
    begin(&mut conn).await?;
    Ok(conn)
}

async fn of_site(
    conn: &mut PgConnection,
    registry: &SiteRegistry,
    site: &OpenSite,
    retention: &Retention,
) -> anyhow::Result<u64> {
    let Some(now) = believed_now(registry, site).await? else { return Ok(0) };
    let mut all = 0;
    for kind in Kind::ALL {
        let days = days(kind, retention);
        let age = SignedDuration::from_hours(24 * i64::from(days));
        let Some(before) = now.checked_sub(age).ok().filter(|_| days > 0) else { continue };
        let mut rows = 0;
        for _ in 0..BATCHES {
            let deleted = delete(conn, site.id, kind, before, BATCH).await?;
            rows += deleted;
            if deleted < u64::from(BATCH) {
                break;
            }
            tokio::time::sleep(PAUSE).await;
        }
        if rows > 0 {
            metrics::counter!("cleaned_up_total", "kind" => kind.as_str()).increment(rows);
            tracing::info!(site = %site.slug, kind = kind.as_str(), rows, days, "Deleted, for their age.");
        }
        all += rows;
    }
    Ok(all)
}
