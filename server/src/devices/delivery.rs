//! What every MQTT door hands over: a message, and who sent it. A door knows MQTT and nothing of buttons or presses.

use std::net::SocketAddr;

use bytes::Bytes;

/// One PUBLISH as it arrived (or a last will), not yet judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// A topic name: valid UTF-8, at least one character, no wildcards, no NUL.
    pub topic: String,
    /// Any bytes, up to the door's packet size.
    pub payload: Bytes,
    /// The last will of a connection that broke off: it may be old news of a device that has come in again.
    pub will: bool,
    /// The sender asked for the message to be kept: it may be old, so it never rings.
    pub retain: bool,
    /// The sender says that it may have sent this before [MQTT-3.3.1-1].
    pub dup: bool,
    /// 0, 1 or 2.
    pub qos: u8,
    /// The sender's number for the message while it is in flight; `None` at `QoS` 0 and for a last will.
    pub packet_id: Option<u16>,
}

/// A connected client, from its CONNECT until its door says that it is gone.
#[derive(Clone, Debug)]
pub struct Peer<P> {
    /// Unique per TCP connection in this process, and growing.
    pub connection: u64,
    /// As the client named itself, or as it was named when it gave no name.
    pub client_id: String,
    /// Clean Session (3.1.1) or Clean Start (5): the client has forgotten what it sent before.
    pub clean_start: bool,
    /// Who it authenticated as.
    pub principal: P,
    /// The other end of the socket.
    pub remote: SocketAddr,
}
