//! Follows a site's settings in its log.

use std::sync::Arc;
use std::time::Duration;

use crewbell_shared::protocol::EntityType;
use crewbell_shared::site::{Site, SiteSettings};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{ReadError, Reader};
use crate::db::{Db, sites};

/// Retry interval after the database couldn't be read.
const PAUSE: Duration = Duration::from_millis(500);

/// Keeps a site's settings current until cancelled, with a reader that starts where they were read.
pub async fn follow_settings(
    mut reader: Reader,
    db: Db,
    settings: watch::Sender<Arc<SiteSettings>>,
    stop: CancellationToken,
) {
    let id = reader.site();
    loop {
        let page = tokio::select! {
            page = reader.next() => page,
            () = stop.cancelled() => return,
            () = settings.closed() => return,
        };
        match page {
            Ok(page) => {
                let of_site = page.iter().rfind(|entry| entry.entity.is_some_and(|(noun, _)| noun == EntityType::Site));
                if let Some(site) = of_site.and_then(|entry| serde_json::from_str::<Site>(entry.payload.get()).ok()) {
                    settings.send_replace(Arc::new(site.settings));
                }
            }
            Err(ReadError::SnapshotNeeded { .. } | ReadError::Db(_)) => {
                tokio::time::sleep(PAUSE).await;
                let Ok(mut tx) = db.read_sites().await else { continue };
                let Ok(Some(known)) = sites::find(&mut tx, id).await else { continue };
                reader = reader.again(known.head);
                settings.send_replace(Arc::new(known.site.settings));
            }
        }
    }
}
