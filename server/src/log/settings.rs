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
    reader: Reader,
    db: Db,
    settings: watch::Sender<Arc<SiteSettings>>,
    stop: CancellationToken,
) {
    tokio::select! {
        () = follow(reader, &db, &settings) => {}
        () = stop.cancelled() => {}
        () = settings.closed() => {}
    }
}

/// Follows the settings for ever. Cancel-safe: a page is applied whole, and a pause may end at any time.
async fn follow(mut reader: Reader, db: &Db, settings: &watch::Sender<Arc<SiteSettings>>) {
    let id = reader.site();
    loop {
        match reader.next().await {
            Ok(page) => {
                let of_site = page
                    .iter()
                    .rfind(|entry| entry.entity.is_some_and(|(entity_type, _)| entity_type == EntityType::Site));
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

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use crewbell_shared::ids::SiteId;
    use futures_util::FutureExt;
    use sqlx::postgres::PgConnectOptions;
    use uuid::Uuid;

    use super::*;
    use crate::db::DbSettings;
    use crate::log::RecentEntries;

    #[tokio::test]
    async fn a_stop_ends_the_pause_after_an_error_at_once() {
        let nowhere = PgConnectOptions::new().socket("/nonexistent").username("nobody");
        let db = Db::new(DbSettings::new(nowhere.clone(), nowhere));
        // Every read fails at once.
        db.close().await;
        // A cursor beyond the known head is looked up in the database.
        let recent = Arc::new(RecentEntries::new(0));
        let reader = Reader::new(SiteId(Uuid::from_u128(1)), "serenity".into(), db.clone(), recent, 5);
        let (settings, _follower) = watch::channel(Arc::new(SiteSettings::default()));
        let stop = CancellationToken::new();
        let mut following = pin!(follow_settings(reader, db, settings, stop.clone()));
        assert_eq!(following.as_mut().now_or_never(), None, "it pauses");
        stop.cancel();
        assert_eq!(following.as_mut().now_or_never(), Some(()));
    }
}
