//! The live socket, or the event stream in its place: a task of its own, which reads frames, so that the controller
//! never waits for JSON.

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
use super::http::Door;
use crate::engine::{Fault, Input};
use crate::screen::Trouble;
use crate::store::Cursor;

/// The largest message that is taken, in bytes: a page of a thousand entries with long notes is a tenth of it.
pub(super) const LARGEST: usize = 16 * 1024 * 1024;

/// Frames that may wait to be sent. A client says little: more waiting means that the line is dead.
const WAITING: usize = 64;

/// How long one frame may take to leave.
const SEND_WITHIN: Duration = Duration::from_secs(10);

/// How long a try may take whether a socket gets through.
const TRY_WITHIN: Duration = Duration::from_secs(10);

/// A stream of bytes, encrypted or not.
trait Bytes: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Bytes for T {}

/// An open or opening socket; dropping it closes it.
#[derive(Debug)]
pub struct Socket {
    say: mpsc::Sender<FromClient>,
    task: JoinHandle<()>,
}

impl Socket {
    /// Opens a socket and says `hello`, once there is one to say. What comes of it goes to `tell`: frames, and in the end,
    /// once, why it ended. Nothing of what it carries is logged.
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

    /// Listens to the event stream after a cursor instead, by a door as soon as there is one; it is told and said as over a
    /// socket.
    pub fn listen<D, T, Told>(number: u64, door: D, cursor: Cursor, tell: T) -> Self
    where
        D: Future<Output = Result<Door, Fault>> + Send + 'static,
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

    /// Says something; false when so much waits to be sent that the line must be dead.
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

/// Whether a socket gets through to a server, both ways: it is opened, and a `hello` without a token is refused.
pub async fn is_let_through(base: &str, trust: Arc<ClientConfig>) -> bool {
    let trying = async {
        let (url, stream, _) = reach(base, trust).await?;
        let mut socket = shake_hands(&url, stream).await?;
        socket.send(Message::text(r#"{"t":"hello","token":""}"#)).await.map_err(Trouble::network)?;
        let answer = socket.next().await;
        Ok::<_, Trouble>(matches!(answer, Some(Ok(Message::Text(_)))))
    };
    matches!(tokio::time::timeout(TRY_WITHIN, trying).await, Ok(Ok(true)))
}

/// Runs a connection to its end, and tells once why it ended.
async fn until_the_end<T, Told>(number: u64, run: impl Future<Output = Result<(), Fault>>, tell: &T)
where
    T: Fn(Input) -> Told,
    Told: Future<Output = ()>,
{
    let end = futures_util::FutureExt::catch_unwind(std::panic::AssertUnwindSafe(run)).await;
    let why = match end {
        Ok(Ok(())) => Trouble::Closed,
        Ok(Err(Fault::Refused(refusal))) => {
            let frame = Box::new(FromServer::Refused { refusal });
            tell(Input::Frame { socket: number, frame }).await;
            Trouble::Closed
        }
        Ok(Err(fault)) => fault.into(),
        Err(_) => {
            tracing::error!(socket = number, "A connection's task panicked.");
            Trouble::Failed
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
) -> Result<(), Trouble>
where
    T: Fn(Input) -> Told + Send + Sync,
    Told: Future<Output = ()> + Send,
{
    let (url, stream, from) = reach(base, trust).await?;
    tell(Input::Opened { socket: number, from }).await;
    let (mut sink, mut frames) = shake_hands(&url, stream).await?.split();
    // Sending waits in a future beside reading: a line that takes nothing still gives.
    let AudioEnd { mut spoken, heard } = audio;
    let talk = async {
        let text = |frame: &FromClient| serde_json::to_string(frame).map(Message::text).map_err(Trouble::network);
        let mut next = text(&hello)?;
        loop {
            let sent = tokio::time::timeout(SEND_WITHIN, sink.send(next)).await;
            sent.map_err(|_| Trouble::Silent)?.map_err(Trouble::network)?;
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
        // What the server still said comes before that it takes nothing any more.
        biased;
        ended = listen => ended,
        ended = talk => ended,
    }
}

/// Opens the socket over a connection that stands.
async fn shake_hands(url: &Url, stream: Box<dyn Bytes>) -> Result<WebSocketStream<Box<dyn Bytes>>, Trouble> {
    let request = url.as_str().into_client_request().map_err(Trouble::network)?;
    let mut config = WebSocketConfig::default();
    config.max_message_size = Some(LARGEST);
    config.max_frame_size = Some(LARGEST);
    let opened = client_async_with_config(request, stream, Some(config)).await;
    opened.map(|(socket, _)| socket).map_err(|error| {
        // A gateway whose server is away says so; anything else is no to the socket itself.
        if let Error::Http(response) = &error
            && matches!(response.status().as_u16(), 408 | 429 | 500 | 502..=504)
        {
            return Trouble::network(response.status());
        }
        let is_no = matches!(error, Error::Http(_) | Error::Protocol(_));
        if is_no { Trouble::NoSocket } else { Trouble::network(error) }
    })
}

/// Why a socket that stood is over.
fn broken(error: Error) -> Trouble {
    if matches!(error, Error::Capacity(_)) { Trouble::TooLarge } else { Trouble::network(error) }
}

/// Connects, and encrypts where the address says so; tells the own address that it went from.
async fn reach(base: &str, trust: Arc<ClientConfig>) -> Result<(Url, Box<dyn Bytes>, IpAddr), Trouble> {
    let mut url = Url::parse(&format!("{base}/api/live")).map_err(Trouble::network)?;
    let secure = url.scheme() == "https";
    let unfit = |()| Trouble::network(base);
    url.set_scheme(if secure { "wss" } else { "ws" }).map_err(unfit)?;
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let port = url.port_or_known_default().unwrap_or(80);
    let stream = TcpStream::connect((host.as_str(), port)).await.map_err(Trouble::network)?;
    stream.set_nodelay(true).map_err(Trouble::network)?;
    let from = stream.local_addr().map_err(Trouble::network)?.ip();
    if !secure {
        return Ok((url, Box::new(stream), from));
    }
    let name = ServerName::try_from(host).map_err(Trouble::network)?;
    let stream = TlsConnector::from(trust).connect(name, stream).await.map_err(Trouble::network)?;
    Ok((url, Box::new(stream), from))
}
