//! Retry loop for tasks that follow a site's log, across database outages.

use std::convert::Infallible;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::log::ReadError;
use crate::site_registry::OpenSite;

/// Retry interval.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// Runs `follow` until cancelled and restarts it after an error, from the state in the database. `follow` must be
/// idempotent.
pub async fn keep_following<F>(site: &OpenSite, stop: CancellationToken, follow: impl Fn() -> F)
where
    F: Future<Output = Result<Infallible, ReadError>>,
{
    loop {
        tokio::select! {
            Err(error) = follow() => tracing::debug!(site = %site.slug, %error, "Following anew."),
            () = stop.cancelled() => return,
        }
        tokio::select! {
            () = tokio::time::sleep(AGAIN_AFTER) => {}
            () = stop.cancelled() => return,
        }
    }
}
