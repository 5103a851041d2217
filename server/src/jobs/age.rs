//! The current time for deciding by age, checked for plausibility.

use jiff::Timestamp;

use super::clock_guard::{decide, vouched_before};
use crate::db::{self, DbError};
use crate::site_registry::{OpenSite, SiteRegistry};

/// Returns the current time for deciding what of a site is too old; `None` while the clock is implausible, which is
/// logged.
///
/// # Errors
/// Returns an error if the database is unavailable.
pub async fn believed_now(registry: &SiteRegistry, site: &OpenSite) -> Result<Option<Timestamp>, DbError> {
    let (now, steady) = registry.clock_guard.look();
    let mut tx = registry.db.read(site.id).await?;
    let known = db::entries::newest_until(&mut tx, site.id, vouched_before(now)).await?;
    drop(tx);
    let decided = decide(now, steady, known);
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
