//! The interface by which the listener delegates its decisions to the rest of the server.

use std::{future::Future, net::SocketAddr};

use bytes::Bytes;

use crate::devices::delivery::{Message, Peer};
use crate::limits::Standing;

/// The decisions behind the listener: authenticates clients, takes messages and authorises subscriptions.
pub trait Intake: Send + Sync + 'static {
    /// The identity that a client authenticated as; opaque to the listener, and cheap to clone (such as an `Arc`).
    ///
    /// A second connection with the same client id takes over the first only if their principals are equal, so that a
    /// button can't disconnect another by using its client id.
    type Principal: Clone + PartialEq + Send + Sync + 'static;

    /// Called once for each accepted peer, before its first `take`. Must not block.
    fn came(&self, peer: &Peer<Self::Principal>) {
        let _ = peer;
    }

    /// Authenticates a client. Called once per connection, before CONNACK.
    fn authenticate(&self, login: Login) -> impl Future<Output = Result<Self::Principal, NotLetIn>> + Send;

    /// Returns the kind of secret with which the client has signed in, and its device, if it is one. The listener
    /// limits the connections of each device.
    fn standing(&self, principal: &Self::Principal) -> (Standing, Option<String>);

    /// Reports a problem with this peer's connection, for a person to read. Called rarely; must not block.
    fn troubled(&self, peer: &Peer<Self::Principal>, trouble: ClientIssue);

    /// Returns the client's scope: it receives only lamp messages published [within](super::Lamps::within) that scope.
    fn scope(&self, principal: &Self::Principal) -> u128;

    /// Takes a message; resolves when it is durable or has been judged worthless.
    ///
    /// Called, and its future first polled, in the order of arrival on a connection; up to
    /// [`Limits::in_flight`](super::Limits::in_flight) futures of one connection then run concurrently.
    /// A message that was received completely is taken even if the socket has failed since, but a future that outlives
    /// [`Limits::take_timeout`](super::Limits::take_timeout) is dropped.
    fn take(&self, peer: &Peer<Self::Principal>, message: Message) -> impl Future<Output = Taken> + Send + 'static;

    /// Authorises a subscription to `filter` (valid, possibly with wildcards), and returns the messages to send at
    /// once.
    ///
    /// The subscription is already active meanwhile, so a change that the returned messages miss is delivered after
    /// them. Nothing is delivered on a refused subscription.
    fn subscribed(
        &self,
        peer: &Peer<Self::Principal>,
        filter: &str,
    ) -> impl Future<Output = Result<Vec<Outgoing>, NotLetIn>> + Send;

    /// Called once for each accepted peer, after its last `take`. Must not block.
    fn gone(&self, peer: &Peer<Self::Principal>, how: Gone);
}

/// The credentials of a CONNECT.
#[derive(Clone)]
pub struct Login {
    /// The client id, assigned by the listener if the client sent none.
    pub client_id: String,
    /// User name, if any was sent.
    pub username: Option<String>,
    /// Password, if any was sent.
    pub password: Option<Bytes>,
    /// The remote address.
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

/// The reason for refusing a client or its subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotLetIn {
    /// Unknown user or wrong password.
    BadCredentials,
    /// The client is known, but not authorised for this.
    NotAuthorized,
    /// Authentication is unavailable at present (such as the database); the device retries.
    NotNow,
    /// Too many wrong passwords; this one wasn't verified.
    TooOften,
}

/// A problem with a client's connection, for which nothing is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientIssue {
    /// Several clients use its client id at the same time, or it reconnects again and again.
    SharedClientId,
    /// Its message rate exceeds the limit of a device, so it is read more slowly.
    Flood,
}

/// The result of taking a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// The message is durable, or was judged worthless: it is acknowledged.
    Done,
    /// The message is refused permanently. MQTT 5 is sent the reason; 3.1.1 has no reason codes and is sent a plain
    /// acknowledgement, since the client would resend for ever without it [MQTT-3.3.5-2 of 3.1.1].
    Refused(Why),
    /// The message couldn't be made durable: it isn't acknowledged, the connection is closed, the device resends.
    NotNow,
}

/// The reason for refusing a message permanently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// This peer may not publish to this topic.
    NotAuthorized,
    /// The payload is invalid for the topic.
    PayloadInvalid,
    /// The topic is unknown.
    TopicInvalid,
}

/// A message to a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// A topic name without wildcards.
    pub topic: String,
    /// The payload, which can be any bytes.
    pub payload: Bytes,
}

/// The way in which a peer's connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gone {
    /// The client sent DISCONNECT.
    Clean,
    /// The keep-alive expired, the socket failed, the client broke the protocol, or its device has too many
    /// connections, of which this was the oldest. Its last will has been taken; of a device that has a newer
    /// connection, it is for the intake to ignore.
    Lost,
    /// Another connection of the client took over, and may be authenticated already. No last will: the client is
    /// online.
    TakenOver,
    /// The server closed the connection: it shuts down, or couldn't take a message. No last will: the device isn't at
    /// fault.
    Closed,
}
