//! A received MQTT message and its sender, as the listener and the broker client pass them on. Both know MQTT only, not
//! buttons or presses.

use std::net::SocketAddr;

use bytes::Bytes;

/// One PUBLISH as received, or a last will; not yet decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Topic name: valid UTF-8, at least one character, no wildcards, no NUL.
    pub topic: String,
    /// Payload: any bytes, up to the maximum packet size.
    pub payload: Bytes,
    /// Whether it is the last will of a lost connection. It may be outdated, if the device has connected again.
    pub will: bool,
    /// RETAIN flag: the message may be old, so it never rings.
    pub retain: bool,
    /// DUP flag: the sender may have sent this before [MQTT-3.3.1-1].
    pub dup: bool,
    /// `QoS` level: 0, 1 or 2.
    pub qos: u8,
    /// Packet id while the message is in flight; `None` at `QoS` 0 and for a last will.
    pub packet_id: Option<u16>,
}

/// A connected client, from its CONNECT until its connection has ended.
#[derive(Clone, Debug)]
pub struct Peer<P> {
    /// Connection number: unique per TCP connection in this process, and increasing.
    pub connection: u64,
    /// Client id, as given by the client or assigned by the server.
    pub client_id: String,
    /// Clean Session (3.1.1) or Clean Start (5): the client has discarded its session, so it resends nothing.
    pub clean_start: bool,
    /// The authenticated identity.
    pub principal: P,
    /// Remote address of the socket.
    pub remote: SocketAddr,
}
