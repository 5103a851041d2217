//! What the listener asks of the rest of the server. It decides nothing itself.

use std::{future::Future, net::SocketAddr};

use bytes::Bytes;

use crate::devices::delivery::{Message, Peer};
use crate::limits::Standing;

/// The judge behind the listener: who may come in, what a message is worth, who may listen.
pub trait Intake: Send + Sync + 'static {
    /// Who a client authenticated as; opaque to the listener, cloned freely (an `Arc` of something).
    ///
    /// A second connection with the same client id takes over the first only if their principals are equal:
    /// one button can't throw another off by borrowing its name.
    type Principal: Clone + PartialEq + Send + Sync + 'static;

    /// Called once for each peer that was let in, before its first `take`. Must not block.
    fn came(&self, peer: &Peer<Self::Principal>) {
        let _ = peer;
    }

    /// Says who this is. Asked once per connection, before CONNACK.
    fn authenticate(&self, login: Login) -> impl Future<Output = Result<Self::Principal, NotLetIn>> + Send;

    /// How it has signed in, and which device it is, if it is one: of those the listener bounds the connections.
    fn standing(&self, principal: &Self::Principal) -> (Standing, Option<String>);

    /// Something is wrong with how this peer is connected, for a person to read. Told seldom; must not block.
    fn troubled(&self, peer: &Peer<Self::Principal>, trouble: Trouble);

    /// Which lamps this client may see at all: those that are published [within](super::Lamps::within) the scope.
    fn scope(&self, principal: &Self::Principal) -> u128;

    /// Resolves when the message is durable, or judged worthless.
    ///
    /// Called, and its future first polled, in the order of arrival on a connection; up to
    /// [`Limits::in_flight`](super::Limits::in_flight) futures of one connection then run side by side.
    /// What was received whole is taken even if the socket has broken since, but a future that outlives
    /// [`Limits::take_timeout`](super::Limits::take_timeout) is dropped.
    fn take(&self, peer: &Peer<Self::Principal>, message: Message) -> impl Future<Output = Taken> + Send + 'static;

    /// Whether this peer may subscribe to `filter` (valid, perhaps with wildcards), and what to send it at once.
    ///
    /// The subscription is already in force while this runs, so a change that it misses is delivered after
    /// what it returns; nothing is delivered on a subscription that it refuses.
    fn subscribed(
        &self,
        peer: &Peer<Self::Principal>,
        filter: &str,
    ) -> impl Future<Output = Result<Vec<Outgoing>, NotLetIn>> + Send;

    /// Called once for each peer that was let in, after its last `take`. Must not block.
    fn gone(&self, peer: &Peer<Self::Principal>, how: Gone);
}

/// What a CONNECT brings along.
#[derive(Clone)]
pub struct Login {
    /// The client's name for itself, or the listener's for a client that gave none.
    pub client_id: String,
    /// User name, if any was sent.
    pub username: Option<String>,
    /// Password, if any was sent.
    pub password: Option<Bytes>,
    /// The other end of the socket.
    pub remote: SocketAddr,
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login")
            .field("client_id", &self.client_id)
            .field("username", &self.username)
            .field("password", &self.password.as_ref().map(|_| "…"))
            .field("remote", &self.remote)
            .finish()
    }
}

/// Why a client, or its subscription, isn't let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotLetIn {
    /// Unknown user or wrong password.
    BadCredentials,
    /// Known, but not for this.
    NotAuthorized,
    /// Can't be judged at present (the database is away); the device tries again.
    NotNow,
    /// Too many wrong passwords; this one wasn't judged.
    TooOften,
}

/// What may be wrong with how a client is connected, though nothing of it is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Several clients use its client id at the same time, or it comes anew again and again.
    SharedClientId,
    /// It says more than one device can have to say, and is held back.
    Flood,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It is durable, or was judged worthless: acknowledge it.
    Done,
    /// It will never be taken. MQTT 5 is told why; 3.1.1 has no words for it and is acknowledged, or it would
    /// resend for ever [MQTT-3.3.5-2 of 3.1.1].
    Refused(Why),
    /// It couldn't be made durable: no acknowledgement, the connection is closed, the device resends.
    NotNow,
}

/// Why a message will never be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// This peer may not publish to this topic.
    NotAuthorized,
    /// The payload can't be what the topic says.
    PayloadInvalid,
    /// Nobody publishes to such a topic here.
    TopicInvalid,
}

/// A message to a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// A topic name without wildcards.
    pub topic: String,
    /// Any bytes.
    pub payload: Bytes,
}

/// How a peer left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gone {
    /// It said DISCONNECT.
    Clean,
    /// It fell silent, its socket broke, or it broke the protocol. Its last will has been taken.
    Lost,
    /// It came in again by another connection (which may have been authenticated already). No last will: it isn't gone.
    TakenOver,
    /// The server closed: it shuts down, or couldn't take a message. No last will: nothing is known against the device.
    Closed,
}
