//! Following a site for as long as the server runs, over databases that go away and come back.

use std::convert::Infallible;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::house::OpenSite;
use crate::log::ReadError;

/// How long after a database that was away it is tried again.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// Does `follow`, anew whenever it fails, until cancelled. It begins from what the database has: nothing is missed, and what
/// is noted twice must change nothing.
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
