//! All of it together: from the first connection to the database to the last acknowledgement.

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
use crate::devices::broker::{self, BrokerSettings};
use crate::devices::dialects::{Dialects, RadioTable};
use crate::devices::door::Door;
use crate::devices::lamps::Way;
use crate::devices::listener::{Limits, Listener, ListenerSettings};
use crate::devices::{Buttons, lamps};
use crate::house::House;
use crate::http::{self, App, Metering, TrustedProxies};
use crate::ice::Ice;
use crate::jobs;
use crate::limits::raise_descriptors;
use crate::turn;

/// How the server is to be run.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The database.
    pub db: DbSettings,
    /// Where people and programs knock.
    pub http: SocketAddr,
    /// The certificate, when they shall speak HTTPS.
    pub http_tls: Option<Arc<rustls::ServerConfig>>,
    /// The reverse proxies in front of the server.
    pub proxies: TrustedProxies,
    /// How buttons reach us.
    pub mqtt: Mqtt,
    /// What the buttons' topics begin with.
    pub prefix: String,
    /// What other makers' radio buttons mean.
    pub radio: RadioTable,
    /// The servers that help devices to find a way to each other.
    pub ice: Ice,
    /// Where devices reach the server's own TURN server, if it is to have one.
    pub own_turn: Option<SocketAddr>,
    /// How long things stay.
    pub retention: Retention,
    /// Where the private cluster is, so that its disk is watched.
    pub disk: Option<PathBuf>,
    /// The time.
    pub clock: Clock,
    /// New ids and secrets.
    pub ids: Ids,
    /// What is counted.
    pub metrics: Option<Metering>,
    /// How long a live socket may say nothing before its device counts as gone ([`crate::live::SILENCE`]).
    pub silence: Duration,
    /// How long open connections may take to end when the server stops.
    pub drain: Duration,
}

/// How buttons reach us.
#[derive(Clone, Debug)]
pub enum Mqtt {
    /// The server ends their connections itself.
    Embedded {
        /// Where they knock.
        listen: SocketAddr,
        /// Where they knock with TLS, and the certificate.
        secure: Option<(SocketAddr, Arc<rustls::ServerConfig>)>,
        /// Whether a button without credentials is let in.
        anonymous: bool,
    },
    /// A broker does, and we are its client.
    External(BrokerSettings),
}

/// A server that runs.
#[derive(Debug)]
pub struct Server {
    /// Where people and programs knock.
    pub http: SocketAddr,
    /// Where buttons knock; none with an external broker.
    pub mqtt: Option<SocketAddr>,
    /// The sites.
    pub house: House,
    drain: Duration,
    devices: TaskTracker,
    doors: JoinHandle<()>,
}

impl Server {
    /// Starts: the schema, the sites, then the doors.
    ///
    /// # Errors
    /// The database can't be reached or migrated, or an address is taken.
    pub async fn start(settings: Settings) -> anyhow::Result<Self> {
        Self::start_with(settings, axum::Router::new()).await
    }

    /// Starts with more doors than every server has.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub async fn start_with(settings: Settings, more: axum::Router) -> anyhow::Result<Self> {
        migrate(&settings.db).await.context("The schema could not be brought up to date.")?;
        let stop = CancellationToken::new();
        let house = House::new(Db::new(settings.db), settings.clock, settings.ids, stop.clone());
        if let Some(disk) = settings.disk {
            house.db.watch_disk(disk);
        }
        house.doors.tell(raise_descriptors());
        house.open_all().await.context("The sites could not be read.")?;
        let door = Door::new(Dialects::new(&settings.prefix, settings.radio), house.clock.clone());
        let prefix: Arc<str> = settings.prefix.as_str().into();

        let devices = TaskTracker::new();
        let mqtt = match settings.mqtt {
            Mqtt::Embedded { listen, secure, anonymous } => {
                let buttons = Buttons::new(house.clone(), door.clone(), &settings.prefix, anonymous);
                let way = Way { prefix, spellings: door.spellings(), clock: house.clock.clone() };
                Some(listen_to(&devices, &house, &way, buttons, listen, secure).await?)
            }
            Mqtt::External(broker) => {
                devices.spawn(broker::run(house.clone(), door.clone(), prefix, broker, stop.clone()));
                None
            }
        };
        devices.spawn(keep_archiving(house.clone()));
        devices.spawn(jobs::keep_clean(house.clone(), settings.retention, stop.clone()));
        devices.spawn(keep_receipts(house.clone()));
        devices.spawn(keep_calls(house.clone()));
        devices.spawn(keep_last_seen(house.clone()));
        devices.spawn(keep_ageing_sessions(house.clone()));
        devices.spawn(keep_settling_buttons(house.clone()));
        devices.close();

        let listener = TcpListener::bind(settings.http).await;
        let listener = listener.with_context(|| format!("The address {} could not be opened.", settings.http))?;
        let http = listener.local_addr()?;
        let ice = turn::start(settings.own_turn, settings.ice, &house).await?;
        let app = App::new(house.clone(), ice, settings.metrics, settings.silence).behind(settings.proxies);
        let router = http::router(App { dialects: Arc::clone(door.dialects()), ..app }, more);
        let limits = (house.doors.http.clone(), http::Times::default());
        let doors = tokio::spawn(http::serve(listener, settings.http_tls, router, limits, stop));
        Ok(Self { http, mqtt, house, drain: settings.drain, devices, doors })
    }

    /// Stops: no new work, what was taken is finished, sockets are told, then the database is left.
    pub async fn stop(self) {
        self.house.stop.cancel();
        let drained = async {
            self.devices.wait().await;
            let _ = self.doors.await;
            self.house.sockets.close();
            self.house.sockets.wait().await;
        };
        if tokio::time::timeout(self.drain, drained).await.is_err() {
            tracing::warn!("Some connections did not end in time and were cut.");
        }
        self.house.close().await;
    }
}

/// Opens the listener's addresses; gives back where the plain one is.
async fn listen_to(
    devices: &TaskTracker,
    house: &House,
    way: &Way,
    buttons: Buttons,
    listen: SocketAddr,
    secure: Option<(SocketAddr, Arc<rustls::ServerConfig>)>,
) -> anyhow::Result<SocketAddr> {
    let buttons = Arc::new(buttons);
    let (limits, connections) = (Limits::default(), &house.doors.mqtt);
    let plain = ListenerSettings { addr: listen, tls: None, limits: limits.clone() };
    let secure = secure.map(|(addr, tls)| ListenerSettings { addr, tls: Some(tls), limits });
    let mut first = None;
    for settings in std::iter::once(plain).chain(secure) {
        let address = settings.addr;
        let listener = Listener::bind(settings, connections.clone()).await;
        let listener = listener.with_context(|| format!("The buttons' address {address} could not be opened."))?;
        first = first.or(Some(listener.local_addr()?));
        devices.spawn(keep_lamps(house.clone(), way.clone(), listener.lamps()));
        devices.spawn(listener.run(Arc::clone(&buttons), house.stop.clone()));
    }
    first.context("No address was given for the buttons.")
}

/// Lights the lamps of every site, also of one that is added while the server runs.
async fn keep_lamps(house: House, way: Way, lamps: crate::devices::listener::Lamps) {
    for_each_site(&house, |site| {
        let lamp = lamps.within(site.id.0.as_u128());
        lamps::light(site, house.db.clone(), way.clone(), lamp, house.stop.clone())
    })
    .await;
}

/// Follows the requests of every site, for the receipts of its devices.
async fn keep_receipts(house: House) {
    for_each_site(&house, |site| jobs::keep_receipts(house.clone(), site, house.stop.clone())).await;
}

/// Follows the calls of every site, and ends those that nobody ends.
async fn keep_calls(house: House) {
    for_each_site(&house, |site| {
        let (house, stop) = (house.clone(), house.stop.clone());
        async move {
            tokio::join!(
                jobs::keep_calls(house.clone(), Arc::clone(&site), stop.clone()),
                jobs::end_calls(house, site, stop)
            );
        }
    })
    .await;
}

/// Keeps when the people of every site were last there.
async fn keep_last_seen(house: House) {
    for_each_site(&house, |site| jobs::keep_last_seen(house.clone(), site, house.stop.clone())).await;
}

/// Writes which sessions of every site are used, and ends those that aren't.
async fn keep_ageing_sessions(house: House) {
    for_each_site(&house, |site| jobs::keep_ageing_sessions(site, house.stop.clone())).await;
}

/// Tells of every site's buttons that flapped how they are, once they have fallen silent.
async fn keep_settling_buttons(house: House) {
    for_each_site(&house, |site| jobs::keep_settling_buttons(house.clone(), site, house.stop.clone())).await;
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
    let mut opened = house.opened();
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            Ok(()) = opened.changed() => {}
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
