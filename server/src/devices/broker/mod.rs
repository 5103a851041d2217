//! External broker: the buttons speak to a Mosquitto or EMQX that is already there, and the server is its MQTT 5 client.
//!
//! May touch: sockets, time, the protocol crate, the lease. May not: rules, what a topic or payload means.
//!
//! - **Nothing is acknowledged before it is durable.** Fixed client id, persistent session, `QoS` 1, and PUBACK only
//!   after [`Door::take`]. What can't be recorded isn't acknowledged: the connection ends, the broker keeps the message
//!   and delivers it again, with DUP. What is behind it and can be recorded is acknowledged all the same, so that one
//!   message that fails for ever holds back no press.
//! - **`QoS` 0 stays 0.** A broker lowers a delivery to the `QoS` of the publication, and what a device sends at 0 is
//!   lost while the server is away. Mosquitto's `upgrade_outgoing_qos true` (EMQX: `mqtt.upgrade_qos`) gives such
//!   devices the same promise from the broker on.
//! - **Retained.** Subscribed with Retain As Published (MQTT 5, 3.8.3.1), so that the flag says what the device asked
//!   for, as it does at the server's own listener, also when a bridge repeats its retained messages as live ones.
//! - **One ingester.** Of several nodes only the holder of the site's lease connects.
//! - **Too large.** The broker is told a Maximum Packet Size and leaves out what exceeds it [MQTT-3.1.2-25].
//!
//! To follow a message: `lease` (may I?) → `keep` (connect, again and again) → `connection` (take, acknowledge).

mod connection;
mod keep;
mod lamps;
mod lease;
mod session;
mod settings;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use self::keep::Ingest;
use self::lamps::BrokerLamps;
use self::lease::{DbLease, while_held};
pub use self::settings::{BadBroker, BrokerSettings};
use super::door::{Door, Speaker};
use super::lamps::Way;
use crate::house::{House, OpenSite};

/// How long to wait for the site to be there, before looking again.
const SITE_PAUSE: Duration = Duration::from_secs(2);

/// Takes a site's messages from its broker and lights its lamps there, until `stop`; then finishes what it has, which
/// takes at most a few seconds. Whatever is away, broker or database, it goes on by itself when that is back.
pub async fn run(house: House, door: Door, prefix: Arc<str>, settings: BrokerSettings, stop: CancellationToken) {
    let Some(site) = stop.run_until_cancelled(find(&house, &settings.site)).await else { return };
    let lamps = BrokerLamps::default();
    let (subscribe, subscriptions) = watch::channel(filters(&door, &site));
    let keep_subscribed = follow_filters(door.clone(), Arc::clone(&site), subscribe);
    let spellings = door.spellings();
    let take = {
        let site = Arc::clone(&site);
        move |connection, message| {
            let site = Arc::clone(&site);
            // Whose client a message comes from, a broker doesn't pass on.
            let speaker = Speaker {
                site,
                device: None,
                for_all: true,
                connection,
                client_id: None,
                clean_start: false,
                via: None,
            };
            let door = door.clone();
            async move { door.take(speaker, message).await }
        }
    };
    let ingest = Ingest::new(settings, subscriptions, take, lamps.clone(), house.ids.clone());
    let lease = DbLease::new(house.db.clone(), site.id);
    let held = while_held(&lease, &stop, |held| {
        let way = Way { prefix: Arc::clone(&prefix), spellings: spellings.clone(), clock: house.clock.clone() };
        let light = super::lamps::light(Arc::clone(&site), house.db.clone(), way, lamps.clone(), held.clone());
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

/// What to ask the broker for: what is built in, and the topics of the site's own.
fn filters(door: &Door, site: &OpenSite) -> Vec<String> {
    let settings = Arc::clone(&site.settings.borrow());
    door.dialects().subscriptions(&settings.vocabulary)
}

/// Tells what to ask the broker for whenever the site says so; never ends.
async fn follow_filters(door: Door, site: Arc<OpenSite>, subscribe: watch::Sender<Vec<String>>) {
    let mut settings = site.settings.clone();
    while settings.changed().await.is_ok() {
        let now = filters(&door, &site);
        subscribe.send_if_modified(|before| std::mem::replace(before, now.clone()) != now);
    }
    std::future::pending::<()>().await;
}

/// Waits for the site: the database may be away, or the site not made yet.
async fn find(house: &House, slug: &str) -> Arc<OpenSite> {
    let mut said = false;
    loop {
        let why = match house.site_named(Some(slug)).await {
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
