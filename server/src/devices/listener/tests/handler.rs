//! Test set-up: a listener whose intake is controlled by the test, and a client that sends raw bytes.

use std::{collections::HashMap, net::SocketAddr, sync::Arc, sync::Mutex};

use bytes::{Bytes, BytesMut};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::{mpsc, oneshot},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

use super::super::{
    ClientIssue, Gone, Intake, Lamps, Limits, Listener, ListenerConfig, Login, NotLetIn, Outgoing, Taken,
    frames::{Front, front},
};
use crate::devices::delivery::{Message, Peer};
use crate::limits::{Connections, MostConnections, Standing};

/// The tests' default connection limits.
pub(super) const ROOM: MostConnections = MostConnections {
    unauthenticated: 512,
    unauthenticated_per_address: 256,
    signed_in: 4096,
    shared: 3072,
    shared_per_address: 1024,
};

pub(super) use crate::props::soon;

/// A message handed to the intake; the test decides its result.
pub(super) struct Handed {
    pub(super) peer: Peer<Arc<str>>,
    pub(super) message: Message,
    reply: oneshot::Sender<Taken>,
}

impl Handed {
    pub(super) fn is(self, taken: Taken) {
        // The listener may have dropped the take.
        let _ = self.reply.send(taken);
    }
}

pub(super) struct TestHandler {
    handed: mpsc::UnboundedSender<Handed>,
    gone: mpsc::UnboundedSender<(u64, Gone)>,
    /// The current state of each lamp, sent to new subscribers.
    pub(super) state: Mutex<HashMap<String, Outgoing>>,
    /// The reported problems: client id and kind.
    pub(super) troubles: Mutex<Vec<(String, ClientIssue)>>,
}

impl Intake for TestHandler {
    type Principal = Arc<str>;

    fn scope(&self, _: &Arc<str>) -> u128 {
        0
    }

    fn standing(&self, principal: &Arc<str>) -> (Standing, Option<String>) {
        if &**principal == "nobody" { (Standing::Shared, None) } else { (Standing::Known, Some(principal.to_string())) }
    }

    fn troubled(&self, peer: &Peer<Arc<str>>, trouble: ClientIssue) {
        self.troubles.lock().expect("no panic").push((peer.client_id.clone(), trouble));
    }

    async fn authenticate(&self, login: Login) -> Result<Arc<str>, NotLetIn> {
        match login.username.as_deref() {
            Some("wrong") => Err(NotLetIn::BadCredentials),
            Some("barred") => Err(NotLetIn::NotAuthorized),
            Some("later") => Err(NotLetIn::NotNow),
            name => Ok(name.unwrap_or("nobody").into()),
        }
    }

    fn take(&self, peer: &Peer<Arc<str>>, message: Message) -> impl Future<Output = Taken> + Send + 'static {
        let (handed, peer) = (self.handed.clone(), peer.clone());
        // The message is sent on the first poll, so that the tests of order cover that order, too.
        async move {
            let (reply, answer) = oneshot::channel();
            drop(handed.send(Handed { peer, message, reply }));
            answer.await.unwrap_or(Taken::NotNow)
        }
    }

    async fn subscribed(&self, peer: &Peer<Arc<str>>, filter: &str) -> Result<Vec<Outgoing>, NotLetIn> {
        if filter.contains(['+', '#']) && &*peer.principal != "admin" {
            return Err(NotLetIn::NotAuthorized);
        }
        Ok(self.state.lock().expect("no panic").get(filter).cloned().into_iter().collect())
    }

    fn gone(&self, peer: &Peer<Arc<str>>, how: Gone) {
        // The test may be over.
        let _ = self.gone.send((peer.connection, how));
    }
}

pub(super) struct Fixture {
    pub(super) addr: SocketAddr,
    pub(super) lamps: Lamps,
    pub(super) judge: Arc<TestHandler>,
    pub(super) connections: Connections,
    pub(super) shutdown: CancellationToken,
    pub(super) running: JoinHandle<()>,
    handed: mpsc::UnboundedReceiver<Handed>,
    gone: mpsc::UnboundedReceiver<(u64, Gone)>,
}

impl Fixture {
    pub(super) async fn open() -> Self {
        Self::with(Limits::default(), None).await
    }

    pub(super) async fn with(limits: Limits, tls: Option<Arc<rustls::ServerConfig>>) -> Self {
        Self::for_most(ROOM, limits, tls).await
    }

    /// Starts a listener with these connection limits.
    pub(super) async fn for_most(
        most: MostConnections,
        limits: Limits,
        tls: Option<Arc<rustls::ServerConfig>>,
    ) -> Self {
        let addr = SocketAddr::from(([127, 0, 0, 1], 0));
        let settings = ListenerConfig { addr, tls, limits };
        let connections = Connections::new("test", most);
        let listener = Listener::bind(settings, connections.clone()).await.expect("a free port");
        let (handing, handed) = mpsc::unbounded_channel();
        let (going, gone) = mpsc::unbounded_channel();
        let judge =
            Arc::new(TestHandler { handed: handing, gone: going, state: Mutex::default(), troubles: Mutex::default() });
        let shutdown = CancellationToken::new();
        Self {
            addr: listener.local_addr().expect("bound"),
            lamps: listener.lamps(),
            running: tokio::spawn(listener.run(Arc::clone(&judge), shutdown.clone())),
            judge,
            connections,
            shutdown,
            handed,
            gone,
        }
    }

    pub(super) async fn handed(&mut self) -> Handed {
        soon(self.handed.recv()).await.expect("the judge lives")
    }

    /// Whether no message is waiting to be received by the test.
    pub(super) fn is_quiet(&mut self) -> bool {
        self.handed.try_recv().is_err()
    }

    pub(super) async fn gone(&mut self) -> (u64, Gone) {
        soon(self.gone.recv()).await.expect("the judge lives")
    }

    pub(super) async fn client(&self) -> Raw {
        Raw::connect(self.addr).await
    }

    /// Connects a client with MQTT protocol level 4 or 5; it has received CONNACK.
    pub(super) async fn guest(&self, level: u8, client_id: &str) -> Raw {
        Raw::guest(self.addr, level, client_id).await
    }

    /// Takes all messages from then on; returns the listener's address.
    pub(super) fn takes_all(mut self) -> SocketAddr {
        let addr = self.addr;
        tokio::spawn(async move {
            while let Some(handed) = self.handed.recv().await {
                handed.is(Taken::Done);
            }
        });
        addr
    }

    /// Asserts that the listener still serves: another client's press is acknowledged.
    pub(super) async fn lives(&mut self) {
        let mut client = self.guest(4, "another").await;
        client.send(&publish(4, 1, 9, "alive", b"")).await;
        let mut handed = self.handed().await;
        while handed.message.topic != "alive" {
            handed.is(Taken::Done);
            handed = self.handed().await;
        }
        handed.is(Taken::Done);
        assert_eq!(client.packet().await, [0x40, 2, 0, 9][..]);
    }
}

/// A client that sends and receives raw packets.
pub(super) struct Raw {
    pub(super) stream: TcpStream,
    input: BytesMut,
}

impl Raw {
    pub(super) async fn connect(to: SocketAddr) -> Self {
        let stream = TcpStream::connect(to).await.expect("it listens");
        stream.set_nodelay(true).expect("a socket");
        Self { stream, input: BytesMut::new() }
    }

    /// Connects, and receives a successful CONNACK.
    pub(super) async fn guest(to: SocketAddr, level: u8, client_id: &str) -> Self {
        let mut client = Self::connect(to).await;
        client.send(&Connect { level, client_id, ..Connect::default() }.bytes()).await;
        let connack = client.packet().await;
        assert_eq!((connack[0], connack[2], connack[3]), (0x20, 0, 0), "{connack:?}");
        client
    }

    pub(super) async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.expect("an open socket");
    }

    pub(super) async fn packet(&mut self) -> Bytes {
        self.next().await.expect("a packet, not the end")
    }

    /// Receives the next packet; `None` if the socket was closed.
    pub(super) async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Front::Whole(whole) = front(&self.input, 1 << 20) {
                return Some(self.input.split_to(whole).freeze());
            }
            if soon(self.stream.read_buf(&mut self.input)).await.unwrap_or(0) == 0 {
                assert!(self.input.is_empty(), "half a packet: {:?}", self.input);
                return None;
            }
        }
    }

    /// Asserts that PINGREQ is answered, with no other packet before the answer.
    pub(super) async fn ping(&mut self) {
        self.send(&[0xC0, 0]).await;
        assert_eq!(self.packet().await, [0xD0, 0][..], "an answer to PINGREQ, and nothing before it");
    }
}

/// The fields of a CONNECT.
pub(super) struct Connect<'a> {
    pub(super) level: u8,
    pub(super) client_id: &'a str,
    pub(super) clean: bool,
    pub(super) keep_alive: u16,
    pub(super) username: Option<&'a str>,
    /// Topic, payload.
    pub(super) will: Option<(&'a str, &'a str)>,
}

impl Default for Connect<'_> {
    fn default() -> Self {
        Self { level: 4, client_id: "button", clean: true, keep_alive: 60, username: None, will: None }
    }
}

impl Connect<'_> {
    pub(super) fn bytes(&self) -> Vec<u8> {
        let v5 = self.level == 5;
        let flags = u8::from(self.clean) << 1
            | if self.will.is_some() { 0b0010_1100 } else { 0 }
            | if self.username.is_some() { 0x80 } else { 0 };
        let mut body = b"\0\x04MQTT".to_vec();
        body.extend([self.level, flags]);
        body.extend(self.keep_alive.to_be_bytes());
        body.extend(v5.then_some(0));
        body.extend(text(self.client_id));
        if let Some((topic, payload)) = self.will {
            body.extend(v5.then_some(0));
            body.extend(text(topic));
            body.extend(text(payload));
        }
        if let Some(username) = self.username {
            body.extend(text(username));
        }
        packet(0x10, &body)
    }
}

pub(super) fn text(text: &str) -> Vec<u8> {
    let mut bytes = u16::try_from(text.len()).expect("short").to_be_bytes().to_vec();
    bytes.extend(text.as_bytes());
    bytes
}

pub(super) fn packet(head: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![head];
    let mut left = body.len();
    loop {
        let low = u8::try_from(left % 128).expect("below 128");
        left /= 128;
        bytes.push(if left > 0 { low | 0x80 } else { low });
        if left == 0 {
            break;
        }
    }
    bytes.extend(body);
    bytes
}

pub(super) fn publish(level: u8, qos: u8, packet_id: u16, topic: &str, payload: &[u8]) -> Vec<u8> {
    let mut body = text(topic);
    if qos > 0 {
        body.extend(packet_id.to_be_bytes());
    }
    body.extend((level == 5).then_some(0));
    body.extend(payload);
    packet(0x30 | qos << 1, &body)
}

pub(super) fn subscribe(level: u8, packet_id: u16, filter: &str) -> Vec<u8> {
    let mut body = packet_id.to_be_bytes().to_vec();
    body.extend((level == 5).then_some(0));
    body.extend(text(filter));
    body.push(1);
    packet(0x82, &body)
}
