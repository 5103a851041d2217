//! External broker: the buttons publish to an existing broker (Mosquitto, EMQX), and the server is its MQTT 5 client.
//!
//! May use: sockets, time, the protocol crate, the lease. May not use: domain rules, the meaning of topics and
//! payloads.
//!
//! - **Nothing is acknowledged before it is durable.** Fixed client id, persistent session, `QoS` 1, and PUBACK only
//!   after [`MessageHandler::take`]. A message that can't be recorded isn't acknowledged: the connection ends, the broker keeps
//!   the message and redelivers it with DUP. Later messages that can be recorded are acknowledged all the same, so that
//!   one permanently failing message holds back no press.
//! - **`QoS` 0 stays 0.** A broker lowers a delivery to the `QoS` of the publication, and messages that a device sends
//!   at 0 are lost while the server is away. Mosquitto's `upgrade_outgoing_qos true` (EMQX: `mqtt.upgrade_qos`) gives
//!   such devices the same guarantee from the broker on.
//! - **Retained.** Subscribed with Retain As Published (MQTT 5, 3.8.3.1), so that the flag is the publisher's, as at
//!   the server's own listener, also when a bridge repeats its retained messages as live ones.
//! - **One ingester.** Of several nodes, only the holder of the site's lease connects.
//! - **Too large.** The client announces a Maximum Packet Size, and the broker drops larger messages [MQTT-3.1.2-25].
//!
//! The path of a message: `lease` (may this node connect?) → `keep` (connect and reconnect) → `connection` (take,
//! acknowledge).

mod acks;
mod connection;
mod lease;
mod reconnect;
mod session;
mod settings;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use self::acks::BrokerLamps;
use self::lease::{DbLease, while_held};
use self::reconnect::Ingest;
pub use self::settings::{BadBroker, BrokerConfig};
use super::acks::AckRoute;
use super::message_handler::{MessageHandler, Speaker};
use crate::site_registry::{OpenSite, SiteRegistry};

/// Retry interval while the site doesn't exist or can't be read.
const SITE_PAUSE: Duration = Duration::from_secs(2);

/// Ingests a site's messages from its broker and publishes its acknowledgements there, until `stop`; then finishes the
/// pending messages, which takes at most a few seconds. Recovers by itself from an outage of the broker or the
/// database.
pub async fn run(
    registry: SiteRegistry,
    handler: MessageHandler,
    prefix: Arc<str>,
    settings: BrokerConfig,
    stop: CancellationToken,
) {
    let Some(site) = stop.run_until_cancelled(find(&registry, &settings.site)).await else { return };
    let lamps = BrokerLamps::default();
    let (subscribe, subscriptions) = watch::channel(filters(&handler, &site));
    let keep_subscribed = follow_filters(handler.clone(), Arc::clone(&site), subscribe);
    let spellings = handler.spellings();
    let take = {
        let site = Arc::clone(&site);
        move |connection, message| {
            let site = Arc::clone(&site);
            // A broker doesn't pass on the publisher's client id.
            let speaker = Speaker {
                site,
                device: None,
                for_all: true,
                connection,
                client_id: None,
                clean_start: false,
                via: None,
            };
            let handler = handler.clone();
            async move { handler.take(speaker, message).await }
        }
    };
    let ingest = Ingest::new(settings, subscriptions, take, lamps.clone(), registry.ids.clone());
    let lease = DbLease::new(registry.db.clone(), site.id);
    let held = while_held(&lease, &stop, |held| {
        let way = AckRoute { prefix: Arc::clone(&prefix), spellings: spellings.clone(), clock: registry.clock.clone() };
        let light = super::acks::light(Arc::clone(&site), registry.db.clone(), way, lamps.clone(), held.clone());
        let ingest = &ingest;
        Box::pin(async move {
            tokio::join!(light, ingest.keep(held));
        })
    });
    tokio::select! {
        () = held => {}
        () = keep_subscribed => {}
    }
}

/// The topic filters to subscribe to: the built-in ones and those of the site's vocabulary.
fn filters(handler: &MessageHandler, site: &OpenSite) -> Vec<String> {
    let settings = Arc::clone(&site.settings.borrow());
    handler.dialects().subscriptions(&settings.vocabulary)
}

/// Updates the topic filters whenever the site's settings change; never ends.
async fn follow_filters(handler: MessageHandler, site: Arc<OpenSite>, subscribe: watch::Sender<Vec<String>>) {
    let mut settings = site.settings.clone();
    while settings.changed().await.is_ok() {
        let now = filters(&handler, &site);
        subscribe.send_if_modified(|before| std::mem::replace(before, now.clone()) != now);
    }
    std::future::pending::<()>().await;
}

/// Waits for the site: the database may be unavailable, or the site not yet created.
async fn find(registry: &SiteRegistry, slug: &str) -> Arc<OpenSite> {
    let mut said = false;
    loop {
        let why = match registry.site_named(Some(slug)).await {
            Ok(Some((site, _))) => return site,
            Ok(None) => "there is no such site".to_owned(),
            Err(error) => error.to_string(),
        };
        if !std::mem::replace(&mut said, true) {
            tracing::warn!(site = slug, why, "The broker waits for its site.");
        }
        tokio::time::sleep(SITE_PAUSE).await;
    }
}
