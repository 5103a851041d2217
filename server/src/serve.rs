//! All of it together: from the first connection to the database to the last acknowledgement.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::serve::ListenerExt;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::clock::{Clock, Ids};
use crate::db::{Db, DbSettings, migrate};
use crate::devices::dialects::Dialects;
use crate::devices::door::Door;
use crate::devices::listener::{Limits, Listener, ListenerSettings};
use crate::devices::{Buttons, lamps};
use crate::house::House;
use crate::http::{self, App};
use crate::jobs;

/// How the server is to be run.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The database.
    pub db: DbSettings,
    /// Where people and programs knock.
    pub http: SocketAddr,
    /// Where buttons knock.
    pub mqtt: SocketAddr,
    /// Where buttons knock with TLS, and the certificate.
    pub mqtt_tls: Option<(SocketAddr, Arc<rustls::ServerConfig>)>,
    /// What the buttons' topics begin with.
    pub prefix: String,
    /// Whether a button without credentials is let in.
    pub anonymous: bool,
    /// The time.
    pub clock: Clock,
    /// New ids and secrets.
    pub ids: Ids,
    /// What is counted.
    pub metrics: Option<PrometheusHandle>,
}

/// A server that runs.
#[derive(Debug)]
pub struct Server {
    /// Where people and programs knock.
    pub http: SocketAddr,
    /// Where buttons knock.
    pub mqtt: SocketAddr,
    /// The sites.
    pub house: House,
    /// The doors for devices.
    pub door: Door,
    devices: TaskTracker,
    doors: JoinHandle<std::io::Result<()>>,
}

impl Server {
    /// Starts: the schema, the sites, then the doors.
    ///
    /// # Errors
    /// The database can't be reached or migrated, or an address is taken.
    pub async fn start(settings: Settings) -> anyhow::Result<Self> {
        migrate(&settings.db).await.context("The schema could not be brought up to date.")?;
        let stop = CancellationToken::new();
        let house = House::new(Db::new(settings.db), settings.clock, settings.ids, stop.clone());
        house.open_all().await.context("The sites could not be read.")?;
        let door = Door::new(Dialects::new(&settings.prefix, radio_table()), house.clock.clone());
        let prefix: Arc<str> = settings.prefix.as_str().into();

        let devices = TaskTracker::new();
        let plain = ListenerSettings { addr: settings.mqtt, tls: None, limits: Limits::default() };
        let secure = settings.mqtt_tls.map(|(addr, tls)| ListenerSettings { tls: Some(tls), addr, ..plain.clone() });
        let buttons = Arc::new(Buttons::new(house.clone(), door.clone(), &settings.prefix, settings.anonymous));
        let mut mqtt = settings.mqtt;
        for (place, settings) in std::iter::once(plain).chain(secure).enumerate() {
            let address = settings.addr;
            let listener = Listener::bind(settings).await;
            let listener = listener.with_context(|| format!("The buttons' address {address} could not be opened."))?;
            if place == 0 {
                mqtt = listener.local_addr()?;
            }
            let lamps = listener.lamps();
            devices.spawn(keep_lamps(house.clone(), Arc::clone(&prefix), lamps));
            devices.spawn(listener.run(Arc::clone(&buttons), stop.clone()));
        }
        devices.spawn(keep_archiving(house.clone()));
        devices.close();

        let listener = TcpListener::bind(settings.http).await;
        let listener = listener.with_context(|| format!("The address {} could not be opened.", settings.http))?;
        let http = listener.local_addr()?;
        // A frame of some hundred bytes must not wait for the one before it to be acknowledged.
        let listener = listener.tap_io(|tcp| {
            let _ = tcp.set_nodelay(true);
        });
        let router = http::router(App::new(house.clone(), settings.metrics));
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        let doors = tokio::spawn(async move {
            axum::serve(listener, service).with_graceful_shutdown(async move { stop.cancelled().await }).await
        });
        Ok(Self { http, mqtt, house, door, devices, doors })
    }

    /// Stops: no new work, what was taken is finished, sockets are told, then the database is left.
    pub async fn stop(self) {
        self.house.stop.cancel();
        let patience = Duration::from_secs(10);
        let drained = async {
            self.devices.wait().await;
            let _ = self.doors.await;
            self.house.sockets.close();
            self.house.sockets.wait().await;
        };
        if tokio::time::timeout(patience, drained).await.is_err() {
            tracing::warn!("Some connections did not end in time and were cut.");
        }
        self.house.close().await;
    }
}

/// The table of a site's foreign radio devices.
fn radio_table() -> crate::devices::dialects::RadioTable {
    crate::devices::dialects::RadioTable::default()
}

/// Lights the lamps of every site, also of one that is added while the server runs.
async fn keep_lamps(house: House, prefix: Arc<str>, lamps: crate::devices::listener::Lamps) {
    for_each_site(&house, |site| {
        let lamp = lamps.within(site.id.0.as_u128());
        lamps::light(site, house.db.clone(), Arc::clone(&prefix), lamp, house.stop.clone())
    })
    .await;
}

async fn keep_archiving(house: House) {
    for_each_site(&house, |site| jobs::keep_archiving(house.clone(), site, house.stop.clone())).await;
}

/// Starts a task for every site, and for those that come later, until the house stops.
async fn for_each_site<F>(house: &House, start: impl Fn(Arc<crate::house::OpenSite>) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let tasks = TaskTracker::new();
    let mut known = std::collections::HashSet::new();
    let mut tick = tokio::time::interval(Duration::from_secs(2));
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            () = house.stop.cancelled() => break,
        }
        // A database that is away is reported by whoever needs it.
        for site in house.open_all().await.unwrap_or_default() {
            if known.insert(site.id) {
                tasks.spawn(start(site));
            }
        }
    }
    tasks.close();
    tasks.wait().await;
}
