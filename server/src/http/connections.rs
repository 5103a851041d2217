//! The HTTP listener, plain or with TLS: accepts and counts connections, and gives each a task and its time limits.
//!
//! A connection is unauthenticated until a request on it, or its socket's `hello`, has authenticated ([`Caller`]).
//! Until then it may be evicted to make room for another ([`Connections`]). Time limits end connections that stall in
//! the handshake, in a request's headers, between requests, or by leaving a response unread.

use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::Request;
use axum::http::request::Parts;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, Sleep};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tokio_util::task::TaskTracker;

use crate::limits::{Caller, Connections, Seldom, Slot};

/// Time limits for a client.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// For the TLS handshake.
    pub handshake: Duration,
    /// For a whole request head, which covers slow headers and idle time between requests.
    pub head: Duration,
    /// For a pause in reading a response.
    pub reading: Duration,
}

impl Default for Times {
    fn default() -> Self {
        Self { handshake: Duration::from_secs(10), head: Duration::from_secs(30), reading: Duration::from_secs(30) }
    }
}

/// Maximum size in bytes of a request's head, and of the read-ahead buffer of a body.
const LARGEST_HEAD: usize = 64 * 1024;

/// Pause after a failed accept. The cause is usually in the process, so retrying sooner doesn't help.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The remote address of a connection, whichever listener accepted it.
#[derive(Clone, Copy, Debug)]
pub struct Remote(pub SocketAddr);

/// Returns the caller of a request. A request that came through no listener is not counted.
pub fn caller_of(parts: &Parts) -> Caller {
    parts.extensions.get::<Caller>().cloned().unwrap_or_default()
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(caller_of(parts))
    }
}

/// Serves until `stop`, then finishes the requests in progress.
pub async fn serve(
    tcp: TcpListener,
    tls: Option<Arc<rustls::ServerConfig>>,
    router: Router,
    (connections, times): (Connections, Times),
    stop: CancellationToken,
) {
    let shared = Shared { tls: tls.map(TlsAcceptor::from), service: TowerToHyperService::new(router), times, stop };
    let stop = &shared.stop;
    let tasks = TaskTracker::new();
    let seldom = Seldom::new(Duration::from_mins(1), 64);
    while let Some(accepted) = stop.run_until_cancelled(tcp.accept()).await {
        let (stream, remote) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Most likely the process is out of file descriptors, and the next accept would fail at once too.
                if let Some(left_out) = seldom.say("accept", Instant::now()) {
                    tracing::warn!(%error, left_out, "HTTP connections can't be accepted: {error}");
                }
                stop.run_until_cancelled(tokio::time::sleep(ACCEPT_PAUSE)).await;
                continue;
            }
        };
        let slot = match connections.enter(remote) {
            Ok(slot) => slot,
            Err(full) => {
                if let Some(left_out) = seldom.say("full", Instant::now()) {
                    tracing::warn!(%remote, left_out, "An HTTP connection from {remote} is closed: {full}.");
                }
                continue;
            }
        };
        // Disables Nagle's algorithm: a small frame must not wait for the previous one's acknowledgement.
        let _ = stream.set_nodelay(true);
        tasks.spawn(shared.clone().connection(stream, remote, slot));
    }
    drop(tcp);
    tasks.close();
    tasks.wait().await;
}

/// State shared by all connections.
#[derive(Clone)]
struct Shared {
    tls: Option<TlsAcceptor>,
    service: TowerToHyperService<Router>,
    times: Times,
    stop: CancellationToken,
}

impl Shared {
    async fn connection(self, stream: TcpStream, remote: SocketAddr, slot: Slot) {
        let Some(tls) = self.tls.clone() else {
            return self.converse(stream, remote, slot).await;
        };
        let shaking = tokio::time::timeout(self.times.handshake, tls.accept(stream));
        if let Some(Ok(Ok(stream))) = slot.evicted().run_until_cancelled(shaking).await {
            self.converse(stream, remote, slot).await;
        }
    }

    async fn converse<S>(self, stream: S, remote: SocketAddr, slot: Slot)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Self { service, times, stop, tls: _ } = self;
        let slot = Arc::new(slot);
        let caller = Caller::at(&slot);
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(ConnectInfo(Remote(remote)));
            request.extensions_mut().insert(caller.clone());
            service.call(request)
        });
        let stream = TokioIo::new(Counted::new(stream, slot, times.reading));
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(times.head).max_buf_size(LARGEST_HEAD);
        let mut served = pin!(http.serve_connection(stream, service).with_upgrades());
        tokio::select! {
            // Errors of a connection concern its client only.
            _ = served.as_mut() => return,
            () = stop.cancelled() => served.as_mut().graceful_shutdown(),
        }
        let _ = served.await;
    }
}

/// A stream that holds its connection slot, also after the upgrade to a live socket. It ends when the connection is
/// evicted or the client stops reading.
struct Counted<S> {
    stream: S,
    _slot: Arc<Slot>,
    evicted: Pin<Box<WaitForCancellationFutureOwned>>,
    /// How long the client may stop reading.
    reading: Duration,
    stalled: Option<Pin<Box<Sleep>>>,
}

impl<S> Counted<S> {
    fn new(stream: S, slot: Arc<Slot>, reading: Duration) -> Self {
        let evicted = Box::pin(slot.evicted().clone().cancelled_owned());
        Self { stream, _slot: slot, evicted, reading, stalled: None }
    }

    fn while_it_reads<T>(&mut self, context: &mut Context<'_>, done: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if done.is_ready() {
            self.stalled = None;
            return done;
        }
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(tokio::time::sleep(self.reading)));
        ready!(stalled.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Counted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if read.is_pending() && self.evicted.as_mut().poll(context).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Counted<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.while_it_reads(context, written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        self.while_it_reads(context, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = Pin::new(&mut self.stream).poll_shutdown(context);
        self.while_it_reads(context, shut)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, parts);
        self.while_it_reads(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;
    use crate::limits::MostConnections;

    const MOST: MostConnections = MostConnections {
        unauthenticated: 4,
        unauthenticated_per_address: 4,
        signed_in: 4,
        shared: 0,
        shared_per_address: 0,
    };

    /// Starts a listener: `/` answers at once, `/large` with more than socket buffers hold, `/slow` after 300 ms, and
    /// `/me` marks the caller as signed in.
    async fn open(times: Times) -> (SocketAddr, Connections) {
        let router = Router::new()
            .route("/", get(|| async { "hello" }))
            .route("/large", get(|| async { vec![0_u8; 64 * 1024 * 1024] }))
            .route("/slow", get(|| async { tokio::time::sleep(Duration::from_millis(300)).await }))
            .route("/me", get(|caller: Caller| async move { caller.signed_in().is_ok().to_string() }));
        let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = tcp.local_addr().unwrap();
        let connections = Connections::new("test", MOST);
        tokio::spawn(serve(tcp, None, router, (connections.clone(), times), CancellationToken::new()));
        (address, connections)
    }

    fn hasty() -> Times {
        let soon = Duration::from_millis(100);
        Times { handshake: soon, head: soon, reading: soon }
    }

    async fn ask(stream: &mut TcpStream, path: &str) {
        stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).await.unwrap();
    }

    /// Reads until the end of the stream.
    async fn rest(stream: &mut TcpStream) -> String {
        let mut all = Vec::new();
        let reading = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut all));
        let _ = reading.await.expect("it ends");
        String::from_utf8_lossy(&all).into_owned()
    }

    #[tokio::test]
    async fn half_a_head_and_silence_between_requests_end_in_time_and_a_slow_answer_does_not() {
        let (address, _) = open(hasty()).await;
        let mut half = TcpStream::connect(address).await.unwrap();
        half.write_all(b"GET / HTTP/1.1\r\nHost: ").await.unwrap();
        let mut silent = TcpStream::connect(address).await.unwrap();
        let mut slow = TcpStream::connect(address).await.unwrap();
        ask(&mut slow, "/slow").await;
        ask(&mut silent, "/").await;
        assert!(rest(&mut silent).await.ends_with("hello"));
        let half = rest(&mut half).await;
        assert!(half.is_empty() || half.starts_with("HTTP/1.1 408"), "{half}");
        assert!(rest(&mut slow).await.starts_with("HTTP/1.1 200"));
    }

    #[tokio::test]
    async fn who_leaves_an_answer_unread_is_dropped() {
        let (address, connections) = open(hasty()).await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        ask(&mut stream, "/large").await;
        tokio::time::timeout(Duration::from_secs(20), async {
            for is_there in [true, false] {
                while connections.is_anybody_there() != is_there {
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
            }
        })
        .await
        .expect("its place is given back, though it reads nothing");
        assert!(rest(&mut stream).await.len() < 64 * 1024 * 1024);
    }

    #[tokio::test]
    async fn strangers_make_room_for_each_other_and_never_take_the_place_of_somebody_known() {
        let (address, _) = open(Times::default()).await;
        let mut known = TcpStream::connect(address).await.unwrap();
        ask(&mut known, "/me").await;
        let mut said = [0; 12];
        known.read_exact(&mut said).await.unwrap();
        assert_eq!(&said, b"HTTP/1.1 200");
        let mut strangers = Vec::new();
        for _ in 0..20 {
            strangers.push(TcpStream::connect(address).await.unwrap());
        }
        let mut newcomer = TcpStream::connect(address).await.unwrap();
        ask(&mut newcomer, "/").await;
        newcomer.read_exact(&mut said).await.unwrap();
        assert_eq!(&said, b"HTTP/1.1 200");
        assert_eq!(rest(&mut strangers[0]).await, "", "the oldest had to go");
        ask(&mut known, "/slow").await;
        let mut more = [0; 200];
        assert!(known.read(&mut more).await.unwrap() > 0, "and the known one is served");
    }
}
