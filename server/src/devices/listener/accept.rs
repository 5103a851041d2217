//! The listening socket: accepts and counts connections, and spawns a task for each.

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
    acks::Lamps,
    connect::{self, ConnectionContext},
    connection_table::ConnectionTable,
    intake::Intake,
};
use crate::limits::{Budget, Connections, Seldom};

/// TCP keepalive: the idle time before the first probe, and the interval between probes.
const TCP_KEEPALIVE: (Duration, Duration) = (Duration::from_mins(1), Duration::from_secs(15));
/// The delay after a failed accept. The usual cause is that the process has no file descriptors left, which retrying
/// faster doesn't solve.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The next connection number, shared by all listeners, so that a number is unique in the process.
static CONNECTIONS: AtomicU64 = AtomicU64::new(1);

/// The configuration of a [`Listener`].
#[derive(Clone, Debug)]
pub struct ListenerConfig {
    /// The address to bind. Port 0 picks a free port; see [`Listener::local_addr`].
    pub addr: SocketAddr,
    /// The TLS configuration. If set, every connection on this socket uses TLS.
    pub tls: Option<Arc<rustls::ServerConfig>>,
    /// The resource limits of clients.
    pub limits: Limits,
}

/// The resource limits of clients.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Maximum bytes of a packet, fixed header included; sent to MQTT 5 clients as Maximum Packet Size.
    pub packet_size: u32,
    /// Messages of one connection that are processed concurrently; MQTT 5's Receive Maximum.
    pub in_flight: u16,
    /// Time limit from accept to a complete CONNECT, TLS handshake included.
    pub connect_timeout: Duration,
    /// Time limit of a take, a login or a subscription, after which the connection is closed.
    pub take_timeout: Duration,
    /// Time limit of the pending requests when the connection ends.
    pub drain_timeout: Duration,
    /// The keep-alive imposed on an MQTT 5 client that requests none; whole seconds.
    pub idle: Duration,
    /// Messages to a client that may be queued for its socket.
    pub lamp_room: usize,
    /// Maximum topic filters of one connection.
    pub subscriptions: usize,
    /// Message rate of one device: the burst, and messages per second. Excess messages wait in the sender's socket.
    pub pace: (u32, u32),
    /// The same for a connection shared by many devices, such as a gateway.
    pub pace_of_many: (u32, u32),
    /// Maximum connections of one device; the oldest is closed when another is added (Quota exceeded in MQTT 5).
    pub of_a_device: usize,
    /// Budget of received bytes that aren't settled, over all connections.
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

/// The MQTT listener, bound but not yet serving.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    settings: ListenerConfig,
    connections: Connections,
    lamps: Lamps,
}

impl Listener {
    /// Binds the socket. From then on clients can connect, and wait for [`run`](Self::run). They are counted together
    /// with those of other listeners that share the same `connections`.
    pub async fn bind(settings: ListenerConfig, connections: Connections) -> io::Result<Self> {
        let socket = TcpListener::bind(settings.addr).await?;
        Ok(Self { socket, settings, connections, lamps: Lamps::default() })
    }

    /// Returns the bound address.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Returns the publisher of lamp messages to the clients of this listener.
    pub fn lamps(&self) -> Lamps {
        self.lamps.clone()
    }

    /// Serves until `shutdown`; then waits until every connection has been closed gracefully, within
    /// [`Limits::drain_timeout`].
    pub async fn run<I: Intake>(self, intake: Arc<I>, shutdown: CancellationToken) {
        let Self { socket, settings, connections, lamps } = self;
        let limits = settings.limits;
        let seldom = Arc::new(Seldom::new(Duration::from_mins(1), 64));
        let tls = settings.tls.map(TlsAcceptor::from);
        let tasks = TaskTracker::new();
        let roster = ConnectionTable::new();
        // Assigned client ids must not collide with those of an earlier run of the server.
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
            let ctx = ConnectionContext {
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
                connect::serve(ctx, stream, tls).await;
            });
        }
        drop(socket);
        tasks.close();
        tasks.wait().await;
    }
}

/// Decrements the connection gauge when dropped, also when the task panics.
struct Closed;

impl Drop for Closed {
    fn drop(&mut self) {
        metrics::gauge!("mqtt_connections").decrement(1);
    }
}

/// Sets the socket options. A socket works without them too, so failures are only logged.
fn set_up(stream: &TcpStream, remote: SocketAddr) {
    let (time, interval) = TCP_KEEPALIVE;
    let keepalive = TcpKeepalive::new().with_time(time).with_interval(interval);
    let done = stream.set_nodelay(true).and_then(|()| SockRef::from(stream).set_tcp_keepalive(&keepalive));
    if let Err(error) = done {
        tracing::debug!(%remote, %error, "MQTT socket options can't be set");
    }
}
