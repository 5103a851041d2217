//! The listening socket: accepts, counts, and gives each connection a task of its own.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use socket2::{SockRef, TcpKeepalive};
use tokio::{
    net::{TcpListener, TcpStream},
    time::Instant,
};
use tokio_rustls::TlsAcceptor;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    connect::{self, Door},
    intake::Intake,
    lamps::Lamps,
    roster::Roster,
};
use crate::limits::{Budget, Connections, Seldom};

/// When the kernel starts to ask a silent peer whether it is still there, and how often it asks again.
const TCP_KEEPALIVE: (Duration, Duration) = (Duration::from_mins(1), Duration::from_secs(15));
/// The pause after a failed accept: what fails is the process (no file descriptors left), and asking faster won't mend it.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Connections so far, of all listeners: a number is given once in a process.
static CONNECTIONS: AtomicU64 = AtomicU64::new(1);

/// Where and how to listen.
#[derive(Clone, Debug)]
pub struct ListenerSettings {
    /// Port 0 picks a free one; see [`Listener::local_addr`].
    pub addr: SocketAddr,
    /// With it, every connection on this socket is TLS.
    pub tls: Option<Arc<rustls::ServerConfig>>,
    /// What clients may cost.
    pub limits: Limits,
}

/// What clients may cost.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Bytes of one packet, head included; MQTT 5 is told.
    pub packet_size: u32,
    /// Messages of one connection that are taken side by side; MQTT 5's Receive Maximum.
    pub in_flight: u16,
    /// From accept to a whole CONNECT, TLS included.
    pub connect_timeout: Duration,
    /// How long a take (or a login, or a subscription) may last before the connection is closed.
    pub take_timeout: Duration,
    /// How long what is pending may last when the connection ends.
    pub drain_timeout: Duration,
    /// The keep-alive of an MQTT 5 client that asks for none; whole seconds.
    pub idle: Duration,
    /// Messages to a client that may wait for its socket.
    pub lamp_room: usize,
    /// Topic filters of one connection.
    pub subscriptions: usize,
    /// Messages of one device at a time, and how many more a second: what is more waits in its sender's socket.
    pub pace: (u32, u32),
    /// The same for a connection that speaks for many, such as a gateway.
    pub pace_of_many: (u32, u32),
    /// Connections of one device at a time: more end its oldest.
    pub of_a_device: usize,
    /// Bytes that were received and aren't settled, over all connections.
    pub waiting: Budget,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            packet_size: 512 * 1024,
            in_flight: 64,
            connect_timeout: Duration::from_secs(10),
            take_timeout: Duration::from_secs(5),
            drain_timeout: Duration::from_secs(5),
            idle: Duration::from_mins(5),
            lamp_room: 64,
            subscriptions: 32,
            pace: (3000, 200),
            pace_of_many: (20_000, 2000),
            of_a_device: 8,
            waiting: Budget::new(128 * 1024 * 1024),
        }
    }
}

/// The MQTT endpoint, bound but not yet serving.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    settings: ListenerSettings,
    connections: Connections,
    lamps: Lamps,
}

impl Listener {
    /// Binds the socket. Clients can connect from now on, and wait for [`run`](Self::run). They are counted with those
    /// of other listeners that are given the same `connections`.
    pub async fn bind(settings: ListenerSettings, connections: Connections) -> io::Result<Self> {
        let socket = TcpListener::bind(settings.addr).await?;
        Ok(Self { socket, settings, connections, lamps: Lamps::default() })
    }

    /// The address that was bound.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// The way back to the clients of this listener.
    pub fn lamps(&self) -> Lamps {
        self.lamps.clone()
    }

    /// Serves until `shutdown`; then waits until every connection has been closed in order, which
    /// [`Limits::drain_timeout`] bounds.
    pub async fn run<I: Intake>(self, intake: Arc<I>, shutdown: CancellationToken) {
        let Self { socket, settings, connections, lamps } = self;
        let limits = settings.limits;
        let seldom = Arc::new(Seldom::new(Duration::from_mins(1), 64));
        let tls = settings.tls.map(TlsAcceptor::from);
        let tasks = TaskTracker::new();
        let roster = Roster::new();
        // Names that are given to the nameless must not meet those of an earlier run of the server.
        let run: u32 = rand::random();
        while let Some(accepted) = shutdown.run_until_cancelled(socket.accept()).await {
            let (stream, remote) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    if let Some(left_out) = seldom.say(("accept", None), Instant::now()) {
                        tracing::warn!(%error, left_out, "MQTT connections can't be accepted: {error}");
                    }
                    shutdown.run_until_cancelled(tokio::time::sleep(ACCEPT_PAUSE)).await;
                    continue;
                }
            };
            let slot = match connections.enter(remote) {
                Ok(slot) => slot,
                Err(full) => {
                    metrics::counter!("mqtt_refused_total", "why" => "too many connections").increment(1);
                    if let Some(left_out) = seldom.say(("full", None), Instant::now()) {
                        tracing::warn!(%remote, left_out, "An MQTT connection from {remote} is closed: {full}.");
                    }
                    continue;
                }
            };
            let connection = CONNECTIONS.fetch_add(1, Ordering::Relaxed);
            let door = Door {
                intake: Arc::clone(&intake),
                lamps: lamps.clone(),
                roster: Arc::clone(&roster),
                limits: limits.clone(),
                shutdown: shutdown.clone(),
                slot,
                seldom: Arc::clone(&seldom),
                connection,
                run,
                remote,
            };
            let tls = tls.clone();
            tasks.spawn(async move {
                metrics::gauge!("mqtt_connections").increment(1);
                let _closed = Closed;
                set_up(&stream, remote);
                connect::serve(door, stream, tls).await;
            });
        }
        drop(socket);
        tasks.close();
        tasks.wait().await;
    }
}

/// Counts a connection out, also when its task panics.
struct Closed;

impl Drop for Closed {
    fn drop(&mut self) {
        metrics::gauge!("mqtt_connections").decrement(1);
    }
}

/// A socket without these works too: failures are only noted.
fn set_up(stream: &TcpStream, remote: SocketAddr) {
    let (time, interval) = TCP_KEEPALIVE;
    let keepalive = TcpKeepalive::new().with_time(time).with_interval(interval);
    let done = stream.set_nodelay(true).and_then(|()| SockRef::from(stream).set_tcp_keepalive(&keepalive));
    if let Err(error) = done {
        tracing::debug!(%remote, %error, "MQTT socket options can't be set");
    }
}
