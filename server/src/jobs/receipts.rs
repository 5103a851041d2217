//! Job that follows a site's requests, so that the devices' receipts can be matched to them.

use std::sync::Arc;

use crewbell_shared::protocol::EntityType;
use crewbell_shared::request::Request;
use tokio_util::sync::CancellationToken;

use super::following::keep_following;
use crate::db::requests::{self, Filter};
use crate::db::sites;
use crate::log::ReadError;
use crate::site_registry::{OpenSite, SiteRegistry};

/// Maximum requests of each state that are loaded at the start: more than a crew has in progress at once.
const GOING_ON: i64 = 500;

/// Follows a site's requests until cancelled.
pub async fn run(registry: SiteRegistry, site: Arc<OpenSite>, stop: CancellationToken) {
    keep_following(&site, stop, || follow(&registry, &site)).await;
}

async fn follow(registry: &SiteRegistry, site: &OpenSite) -> Result<std::convert::Infallible, ReadError> {
    let mut tx = registry.db.read(site.id).await?;
    let (_, head) = sites::extent(&mut tx, site.id).await?;
    for state in ["open", "accepted"] {
        let filter = Filter { state: Some(state.to_owned()), limit: GOING_ON, ..Filter::default() };
        for request in requests::list(&mut tx, site.id, &filter).await? {
            site.receipts.follow(&request, registry.clock.now());
        }
    }
    drop(tx);
    let mut reader = site.reader(head);
    loop {
        for entry in reader.next().await? {
            if entry.entity.is_none_or(|(entity_type, _)| entity_type != EntityType::Request) {
                continue;
            }
            match serde_json::from_str::<Request>(entry.payload.get()) {
                Ok(request) => site.receipts.follow(&request, registry.clock.now()),
                Err(error) => tracing::error!(seq = entry.seq, %error, "An entry about a request can't be read."),
            }
        }
    }
}
