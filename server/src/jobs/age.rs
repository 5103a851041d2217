//! The current time for deciding by age, checked for plausibility.

use jiff::Timestamp;

use super::clock_guard::{Doubt, checkpoints, is_confirmed, is_silent};
use crate::db::{self, DbError};
use crate::site_registry::{OpenSite, SiteRegistry};

/// Returns the current time for deciding what of a site is too old; `None` while the clock is implausible, which is
/// logged.
///
/// # Errors
/// Returns an error if the database is unavailable.
pub async fn believed_now(registry: &SiteRegistry, site: &OpenSite) -> Result<Option<Timestamp>, DbError> {
    let (now, steady) = registry.clock_guard.look();
    let decided = if is_confirmed(steady) { Ok(now) } else { by_log(registry, site, now).await? };
    metrics::gauge!("clock_doubted").set(if decided.is_ok() { 0.0 } else { 1.0 });
    match decided {
        Ok(now) => Ok(Some(now)),
        Err(doubt) => {
            tracing::warn!(
                site = %site.slug,
                "Nothing is archived or deleted for its age: {doubt}. Where the clock is right, that is over once the \
                 server has run for three days; where it is wrong, set it."
            );
            Ok(None)
        }
    }
}

/// Decides by the site's log whether a time is plausible.
async fn by_log(registry: &SiteRegistry, site: &OpenSite, now: Timestamp) -> Result<Result<Timestamp, Doubt>, DbError> {
    let mut tx = registry.db.read(site.id).await?;
    for until in checkpoints(now) {
        // A site with no entry that old is new, so nothing of it can be too old.
        let Some(known) = db::entries::newest_until(&mut tx, site.id, until).await? else { return Ok(Ok(now)) };
        if is_silent(until, known) {
            return Ok(Err(Doubt { now, known }));
        }
    }
    Ok(Ok(now))
}
