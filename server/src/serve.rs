//! Start and stop of the server, from the first database connection to the last acknowledgement.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::clock::{Clock, Ids};
use crate::config::Retention;
use crate::db::{Db, DbSettings, migrate};
use crate::devices::acks::AckRoute;
use crate::devices::broker::{self, BrokerConfig};
use crate::devices::dialects::{Dialects, RadioTable};
use crate::devices::listener::{Limits, Listener, ListenerConfig};
use crate::devices::message_handler::MessageHandler;
use crate::devices::{Buttons, acks};
use crate::http::{self, App, Metering, TrustedProxies};
use crate::ice::Ice;
use crate::jobs;
use crate::limits::raise_descriptors;
use crate::site_registry::SiteRegistry;
use crate::turn;

/// The server's configuration.
#[derive(Clone, Debug)]
pub struct ServerSettings {
    /// The database connection.
    pub db: DbSettings,
    /// Address of the HTTP listener.
    pub http: SocketAddr,
    /// TLS configuration of the HTTP listener; `None` for plain HTTP.
    pub http_tls: Option<Arc<rustls::ServerConfig>>,
    /// The reverse proxies in front of the server.
    pub proxies: TrustedProxies,
    /// How buttons connect.
    pub mqtt: Mqtt,
    /// Prefix of the buttons' MQTT topics.
    pub prefix: String,
    /// Mapping of third-party radio buttons.
    pub radio: RadioTable,
    /// STUN and TURN servers for the clients' calls.
    pub ice: Ice,
    /// Address at which clients reach the built-in TURN server, if enabled.
    pub own_turn: Option<SocketAddr>,
    /// Retention of old rows.
    pub retention: Retention,
    /// Delay of the first clean-up after the start ([`jobs::CLEAN_UP_AFTER`]).
    pub clean_up_after: Duration,
    /// Folder of the private cluster, whose disk is monitored.
    pub disk: Option<PathBuf>,
    /// The clock.
    pub clock: Clock,
    /// Generator of ids and secrets.
    pub ids: Ids,
    /// Metrics, if enabled.
    pub metrics: Option<Metering>,
    /// Timeout after which a silent live socket's device counts as gone ([`crate::live::SILENCE`]).
    pub silence: Duration,
    /// Time that open connections have to end when the server stops.
    pub drain: Duration,
}

/// How buttons connect.
#[derive(Clone, Debug)]
pub enum Mqtt {
    /// The built-in MQTT listener.
    Embedded {
        /// Its address.
        listen: SocketAddr,
        /// Its address for TLS, and the TLS configuration.
        secure: Option<(SocketAddr, Arc<rustls::ServerConfig>)>,
        /// Whether a button without credentials may connect.
        anonymous: bool,
    },
    /// An external broker, of which the server is a client.
    External(BrokerConfig),
}

/// A running server.
#[derive(Debug)]
pub struct Server {
    /// Address of the HTTP listener.
    pub http: SocketAddr,
    /// Address of the MQTT listener; `None` with an external broker.
    pub mqtt: Option<SocketAddr>,
    /// The site registry.
    pub registry: SiteRegistry,
    drain: Duration,
    devices: TaskTracker,
    http_task: JoinHandle<()>,
}

impl Server {
    /// Starts the server: migrates the schema, opens the sites, then the listeners.
    ///
    /// # Errors
    /// Returns an error if the database can't be reached or migrated, or if an address can't be bound.
    pub async fn start(settings: ServerSettings) -> anyhow::Result<Self> {
        Self::start_with(settings, axum::Router::new()).await
    }

    /// Starts the server with additional routes.
    ///
    /// # Errors
    /// Returns the same errors as [`Server::start`].
    pub async fn start_with(settings: ServerSettings, more: axum::Router) -> anyhow::Result<Self> {
        migrate(&settings.db).await.context("The schema could not be brought up to date.")?;
        let stop = CancellationToken::new();
        let registry = SiteRegistry::new(Db::new(settings.db), settings.clock, settings.ids, stop.clone());
        if let Some(disk) = settings.disk {
            registry.db.watch_disk(disk);
        }
        registry.connections.tell(raise_descriptors());
        registry.open_all().await.context("The sites could not be read.")?;
        let handler = MessageHandler::new(Dialects::new(&settings.prefix, settings.radio), registry.clock.clone());
        let prefix: Arc<str> = settings.prefix.as_str().into();

        let devices = TaskTracker::new();
        let mqtt = match settings.mqtt {
            Mqtt::Embedded { listen, secure, anonymous } => {
                let buttons = Buttons::new(registry.clone(), handler.clone(), &settings.prefix, anonymous);
                let way = AckRoute { prefix, spellings: handler.spellings(), clock: registry.clock.clone() };
                Some(listen_to(&devices, &registry, &way, buttons, listen, secure).await?)
            }
            Mqtt::External(broker) => {
                devices.spawn(broker::run(registry.clone(), handler.clone(), prefix, broker, stop.clone()));
                None
            }
        };
        devices.spawn(keep_archiving(registry.clone()));
        devices.spawn(jobs::keep_clean(registry.clone(), settings.retention, settings.clean_up_after, stop.clone()));
        devices.spawn(keep_receipts(registry.clone()));
        devices.spawn(keep_calls(registry.clone()));
        devices.spawn(keep_last_seen(registry.clone()));
        devices.spawn(keep_ageing_sessions(registry.clone()));
        devices.spawn(keep_settling_buttons(registry.clone()));
        devices.close();

        let listener = TcpListener::bind(settings.http).await;
        let listener = listener.with_context(|| format!("The address {} could not be opened.", settings.http))?;
        let http = listener.local_addr()?;
        let ice = turn::start(settings.own_turn, settings.ice, &registry).await?;
        let app = App::new(registry.clone(), ice, settings.metrics, settings.silence).behind(settings.proxies);
        let router = http::router(App { dialects: Arc::clone(handler.dialects()), ..app }, more);
        let limits = (registry.connections.http.clone(), http::Times::default());
        let http_task = tokio::spawn(http::serve(listener, settings.http_tls, router, limits, stop));
        Ok(Self { http, mqtt, registry, drain: settings.drain, devices, http_task })
    }

    /// Stops the server: accepts no new work, finishes accepted work, closes the sockets, then the database.
    pub async fn stop(self) {
        self.registry.stop.cancel();
        let drained = async {
            self.devices.wait().await;
            let _ = self.http_task.await;
            self.registry.sockets.close();
            self.registry.sockets.wait().await;
        };
        if tokio::time::timeout(self.drain, drained).await.is_err() {
            tracing::warn!("Some connections did not end in time and were cut.");
        }
        self.registry.close().await;
    }
}

/// Binds the MQTT listener's addresses and returns the first one, which is the plain one.
async fn listen_to(
    devices: &TaskTracker,
    registry: &SiteRegistry,
    way: &AckRoute,
    buttons: Buttons,
    listen: SocketAddr,
    secure: Option<(SocketAddr, Arc<rustls::ServerConfig>)>,
) -> anyhow::Result<SocketAddr> {
    let buttons = Arc::new(buttons);
    let (limits, connections) = (Limits::default(), &registry.connections.mqtt);
    let plain = ListenerConfig { addr: listen, tls: None, limits: limits.clone() };
    let secure = secure.map(|(addr, tls)| ListenerConfig { addr, tls: Some(tls), limits });
    let mut first = None;
    for settings in std::iter::once(plain).chain(secure) {
        let address = settings.addr;
        let listener = Listener::bind(settings, connections.clone()).await;
        let listener = listener.with_context(|| format!("The buttons' address {address} could not be opened."))?;
        first = first.or(Some(listener.local_addr()?));
        devices.spawn(keep_lamps(registry.clone(), way.clone(), listener.lamps()));
        devices.spawn(listener.run(Arc::clone(&buttons), registry.stop.clone()));
    }
    first.context("No address was given for the buttons.")
}

/// Updates the buttons' lamps of every site, also of a site that is added while the server runs.
async fn keep_lamps(registry: SiteRegistry, way: AckRoute, lamps: crate::devices::listener::Lamps) {
    for_each_site(&registry, |site| {
        let lamp = lamps.within(site.id.0.as_u128());
        acks::light(site, registry.db.clone(), way.clone(), lamp, registry.stop.clone())
    })
    .await;
}

/// Follows the requests of every site, for the receipts of its devices.
async fn keep_receipts(registry: SiteRegistry) {
    for_each_site(&registry, |site| jobs::keep_receipts(registry.clone(), site, registry.stop.clone())).await;
}

/// Follows the calls of every site, and ends the abandoned and unanswered ones.
async fn keep_calls(registry: SiteRegistry) {
    for_each_site(&registry, |site| {
        let (registry, stop) = (registry.clone(), registry.stop.clone());
        async move {
            tokio::join!(
                jobs::keep_calls(registry.clone(), Arc::clone(&site), stop.clone()),
                jobs::end_calls(registry, site, stop)
            );
        }
    })
    .await;
}

/// Stores the last-seen times of every site's people.
async fn keep_last_seen(registry: SiteRegistry) {
    for_each_site(&registry, |site| jobs::keep_last_seen(registry.clone(), site, registry.stop.clone())).await;
}

/// Writes which sessions of every site were used, and ends those unused for too long.
async fn keep_ageing_sessions(registry: SiteRegistry) {
    for_each_site(&registry, |site| jobs::keep_ageing_sessions(site, registry.stop.clone())).await;
}

/// Ends the flapping state of every site's buttons that have fallen silent.
async fn keep_settling_buttons(registry: SiteRegistry) {
    for_each_site(&registry, |site| jobs::keep_settling_buttons(registry.clone(), site, registry.stop.clone())).await;
}

async fn keep_archiving(registry: SiteRegistry) {
    for_each_site(&registry, |site| jobs::keep_archiving(registry.clone(), site, registry.stop.clone())).await;
}

/// Starts a task for every site, also for those opened later, until the registry stops.
async fn for_each_site<F>(registry: &SiteRegistry, start: impl Fn(Arc<crate::site_registry::OpenSite>) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let tasks = TaskTracker::new();
    let mut known = std::collections::HashSet::new();
    let mut tick = tokio::time::interval(Duration::from_secs(2));
    let mut opened = registry.opened();
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            Ok(()) = opened.changed() => {}
            () = registry.stop.cancelled() => break,
        }
        // Other users of the database report an outage.
        for site in registry.open_all().await.unwrap_or_default() {
            if known.insert(site.id) {
                tasks.spawn(start(site));
            }
        }
    }
    tasks.close();
    tasks.wait().await;
}
