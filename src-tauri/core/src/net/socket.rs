//! The live socket, or the event stream in its place. A task of its own reads frames, so that the controller never
//! waits for JSON parsing.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crewbell_shared::protocol::live::{FromClient, FromServer};
use futures_util::{SinkExt, StreamExt};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};
use url::Url;

use super::audio_line::AudioEnd;
use super::events;
use super::http::ApiClient;
use crate::engine::{Fault, Input};
use crate::screen::ConnectionError;
use crate::store::Cursor;

/// Maximum message size, in bytes; a page of a thousand entries with long notes is a tenth of it.
pub(super) const LARGEST: usize = 16 * 1024 * 1024;

/// Capacity of the send queue in frames. A client sends little, so a full queue means that the connection is dead.
const WAITING: usize = 64;

/// Send timeout of one frame.
const SEND_WITHIN: Duration = Duration::from_secs(10);

/// Timeout of [`is_let_through`].
const TRY_WITHIN: Duration = Duration::from_secs(10);

/// A byte stream, with or without TLS.
trait Bytes: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Bytes for T {}

/// An open or opening socket; dropping it closes it.
#[derive(Debug)]
pub struct Socket {
    say: mpsc::Sender<FromClient>,
    task: JoinHandle<()>,
}

impl Socket {
    /// Opens a socket and sends `hello` once that future is ready. `tell` receives the frames and finally, exactly
    /// once, the reason of the end. The content of frames is never logged.
    pub fn open<H, T, Told>(
        number: u64,
        base: String,
        trust: Arc<ClientConfig>,
        hello: H,
        tell: T,
        audio: AudioEnd,
    ) -> Self
    where
        H: Future<Output = Result<FromClient, Fault>> + Send + 'static,
        T: Fn(Input) -> Told + Send + Sync + 'static,
        Told: Future<Output = ()> + Send,
    {
        let (say, said) = mpsc::channel(WAITING);
        let task = tokio::spawn(async move {
            let run = async { run(number, &base, trust, hello.await?, said, &tell, audio).await.map_err(Fault::Away) };
            until_the_end(number, run, &tell).await;
        });
        Self { say, task }
    }

    /// Opens the event stream after a cursor instead, once the `door` future is ready; inputs and outgoing frames work
    /// as with a socket.
    pub fn listen<D, T, Told>(number: u64, door: D, cursor: Cursor, tell: T) -> Self
    where
        D: Future<Output = Result<ApiClient, Fault>> + Send + 'static,
        T: Fn(Input) -> Told + Send + Sync + 'static,
        Told: Future<Output = ()> + Send,
    {
        let (say, said) = mpsc::channel(WAITING);
        let task = tokio::spawn(async move {
            let run = async { events::run(number, door.await, cursor, said, &tell).await };
            until_the_end(number, run, &tell).await;
        });
        Self { say, task }
    }

    /// Queues a frame; returns false if the send queue is full, so that the connection must be dead.
    #[must_use]
    pub fn say(&self, frame: FromClient) -> bool {
        self.say.try_send(frame).is_ok()
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Returns whether a WebSocket gets through to a server in both directions: it opens, and a `hello` without a token is
/// refused.
pub async fn is_let_through(base: &str, trust: Arc<ClientConfig>) -> bool {
    let trying = async {
        let (url, stream, _) = reach(base, trust).await?;
        let mut socket = shake_hands(&url, stream).await?;
        socket.send(Message::text(r#"{"t":"hello","token":""}"#)).await.map_err(ConnectionError::network)?;
        let answer = socket.next().await;
        Ok::<_, ConnectionError>(matches!(answer, Some(Ok(Message::Text(_)))))
    };
    matches!(tokio::time::timeout(TRY_WITHIN, trying).await, Ok(Ok(true)))
}

/// Runs a connection to its end and reports the reason once.
async fn until_the_end<T, Told>(number: u64, run: impl Future<Output = Result<(), Fault>>, tell: &T)
where
    T: Fn(Input) -> Told,
    Told: Future<Output = ()>,
{
    let end = futures_util::FutureExt::catch_unwind(std::panic::AssertUnwindSafe(run)).await;
    let why = match end {
        Ok(Ok(())) => ConnectionError::Closed,
        Ok(Err(Fault::Refused(refusal))) => {
            let frame = Box::new(FromServer::Refused { refusal });
            tell(Input::Frame { socket: number, frame }).await;
            ConnectionError::Closed
        }
        Ok(Err(fault)) => fault.into(),
        Err(_) => {
            tracing::error!(socket = number, "A connection's task panicked.");
            ConnectionError::Failed
        }
    };
    tell(Input::Closed { socket: number, why }).await;
}

async fn run<T, Told>(
    number: u64,
    base: &str,
    trust: Arc<ClientConfig>,
    hello: FromClient,
    mut said: mpsc::Receiver<FromClient>,
    tell: &T,
    audio: AudioEnd,
) -> Result<(), ConnectionError>
where
    T: Fn(Input) -> Told + Send + Sync,
    Told: Future<Output = ()> + Send,
{
    let (url, stream, from) = reach(base, trust).await?;
    tell(Input::Opened { socket: number, from }).await;
    let (mut sink, mut frames) = shake_hands(&url, stream).await?.split();
    // Sending runs concurrently with reading, so that a connection that accepts no data can still deliver frames.
    let AudioEnd { mut spoken, heard } = audio;
    let talk = async {
        let text =
            |frame: &FromClient| serde_json::to_string(frame).map(Message::text).map_err(ConnectionError::network);
        let mut next = text(&hello)?;
        loop {
            let sent = tokio::time::timeout(SEND_WITHIN, sink.send(next)).await;
            sent.map_err(|_| ConnectionError::Silent)?.map_err(ConnectionError::network)?;
            next = tokio::select! {
                Some(frame) = said.recv() => text(&frame)?,
                Some(packet) = spoken.recv() => Message::binary(packet),
                else => std::future::pending().await,
            };
        }
    };
    let listen = async {
        while let Some(message) = frames.next().await {
            match message.map_err(broken)? {
                Message::Text(text) => match serde_json::from_str::<FromServer>(&text) {
                    Ok(frame) => tell(Input::Frame { socket: number, frame: Box::new(frame) }).await,
                    Err(error) => {
                        tracing::warn!(socket = number, category = ?error.classify(), "A frame can't be read.");
                        tell(Input::Garbled { socket: number }).await;
                    }
                },
                Message::Binary(packet) => heard(&packet),
                Message::Close(_) => return Ok(()),
                Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
            }
        }
        Ok(())
    };
    tokio::select! {
        // Frames that the server sent before the connection ended take precedence over the send error.
        biased;
        ended = listen => ended,
        ended = talk => ended,
    }
}

/// Performs the WebSocket handshake over an open connection.
async fn shake_hands(url: &Url, stream: Box<dyn Bytes>) -> Result<WebSocketStream<Box<dyn Bytes>>, ConnectionError> {
    let request = url.as_str().into_client_request().map_err(ConnectionError::network)?;
    let mut config = WebSocketConfig::default();
    config.max_message_size = Some(LARGEST);
    config.max_frame_size = Some(LARGEST);
    let opened = client_async_with_config(request, stream, Some(config)).await;
    opened.map(|(socket, _)| socket).map_err(|error| {
        // These statuses come from a gateway whose server is unavailable; any other one rejects the WebSocket itself.
        if let Error::Http(response) = &error
            && matches!(response.status().as_u16(), 408 | 429 | 500 | 502..=504)
        {
            return ConnectionError::network(response.status());
        }
        let is_no = matches!(error, Error::Http(_) | Error::Protocol(_));
        if is_no { ConnectionError::NoSocket } else { ConnectionError::network(error) }
    })
}

/// Returns the reason why an open socket ended.
fn broken(error: Error) -> ConnectionError {
    if matches!(error, Error::Capacity(_)) { ConnectionError::TooLarge } else { ConnectionError::network(error) }
}

/// Connects, with TLS for `https`, and returns the local address of the connection.
async fn reach(base: &str, trust: Arc<ClientConfig>) -> Result<(Url, Box<dyn Bytes>, IpAddr), ConnectionError> {
    let mut url = Url::parse(&format!("{base}/api/live")).map_err(ConnectionError::network)?;
    let secure = url.scheme() == "https";
    let unfit = |()| ConnectionError::network(base);
    url.set_scheme(if secure { "wss" } else { "ws" }).map_err(unfit)?;
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let port = url.port_or_known_default().unwrap_or(80);
    let stream = TcpStream::connect((host.as_str(), port)).await.map_err(ConnectionError::network)?;
    stream.set_nodelay(true).map_err(ConnectionError::network)?;
    let from = stream.local_addr().map_err(ConnectionError::network)?.ip();
    if !secure {
        return Ok((url, Box::new(stream), from));
    }
    let name = ServerName::try_from(host).map_err(ConnectionError::network)?;
    let stream = TlsConnector::from(trust).connect(name, stream).await.map_err(ConnectionError::network)?;
    Ok((url, Box::new(stream), from))
}
