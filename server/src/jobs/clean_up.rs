//! Deletes what has had its time, so that nothing grows without end: a list of kinds, each with its retention.
//!
//! One run an hour for all sites, on a connection of its own. It deletes a few rows at a time and bounds each run, so
//! that an old installation that sets a retention for the first time is cleaned over some hours and not at once. It
//! takes no lock that a press waits for, but the site's row for the one statement that remembers what was forgotten. To add
//! a kind: its statement in `db/clean_up.rs`, and its setting here.

use std::time::Duration;

use jiff::SignedDuration;
use sqlx::{Connection, PgConnection};
use tokio_util::sync::CancellationToken;

use super::age::believed_now;
use crate::config::Retention;
use crate::db::clean_up::{Kind, begin, delete};
use crate::house::{House, OpenSite};

/// How often it is looked for.
const EVERY: Duration = Duration::from_hours(1);

/// How long after the server's start it is looked for first: a server that starts has something else to do.
const FIRST_AFTER: Duration = Duration::from_mins(5);

/// Rows that go in one statement: some milliseconds.
const BATCH: u32 = 500;

/// Statements for one kind of one site in a run, at most.
const BATCHES: u32 = 40;

/// How long the disk is left to others between two statements.
const PAUSE: Duration = Duration::from_millis(20);

/// For how many days a kind stays; 0 is for ever.
fn days(kind: Kind, retention: &Retention) -> u32 {
    match kind {
        Kind::Recordings => retention.recordings,
        Kind::Presses => retention.presses,
        // A day longer than they are promised: devices tell by their own clocks how old a command is.
        Kind::Commands if retention.commands > 0 => retention.commands.saturating_add(1),
        Kind::Commands => 0,
        Kind::Sessions => retention.sessions,
        Kind::Unrecognised => retention.unrecognised,
    }
}

/// Cleans up from time to time, until cancelled.
pub async fn run(house: House, retention: Retention, stop: CancellationToken) {
    let mut tick = tokio::time::interval_at(tokio::time::Instant::now() + FIRST_AFTER, EVERY);
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            () = stop.cancelled() => return,
        }
        tokio::select! {
            done = clean_up(&house, &retention) => match done {
                Ok(0) => {}
                Ok(rows) => tracing::info!(rows, "What had had its time was deleted."),
                Err(error) => tracing::warn!(%error, "The clean-up was broken off; trying again in an hour."),
            },
            () = stop.cancelled() => return,
        }
    }
}

/// Deletes what the retention says of every site, a bounded number of rows; tells how many went. Of a site whose time
/// is in doubt nothing does. One that fails is logged and holds none of the others up.
///
/// # Errors
/// The database is away. What was deleted by then is.
pub async fn clean_up(house: &House, retention: &Retention) -> anyhow::Result<u64> {
    let mut conn = connect(house).await?;
    let mut rows = 0;
    for site in house.open_all().await? {
        match of_site(&mut conn, house, &site, retention).await {
            Ok(deleted) => rows += deleted,
            Err(error) => {
                tracing::warn!(site = %site.slug, %error, "A site was not cleaned up; trying again in an hour.");
                // The connection may be what failed.
                conn = connect(house).await?;
            }
        }
    }
    conn.close().await?;
    Ok(rows)
}

async fn connect(house: &House) -> anyhow::Result<PgConnection> {
    let mut conn = house.db.connect_bare().await?;
    begin(&mut conn).await?;
    Ok(conn)
}

async fn of_site(
    conn: &mut PgConnection,
    house: &House,
    site: &OpenSite,
    retention: &Retention,
) -> anyhow::Result<u64> {
    let Some(now) = believed_now(house, site).await? else { return Ok(0) };
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
