//! How a session is to reach the other side.

use super::Addresses;
use super::weather::Weather;

/// How a session is to reach the other side.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The own addresses that it may be reached at.
    pub addresses: Addresses,
    /// STUN and TURN servers; none are needed within one network.
    pub ice_servers: Vec<IceServer>,
    /// Whether only relayed candidates are used: for trying a TURN server.
    pub relay_only: bool,
    /// A bad network in front of the sockets: for tests and measurements.
    pub weather: Option<Weather>,
}

/// A STUN or TURN server, as `RTCIceServer` of the WebRTC interface has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IceServer {
    /// Such as `stun:192.0.2.1:3478` (RFC 7064) or `turn:192.0.2.1:3478?transport=udp` (RFC 7065). TURN over TCP or TLS
    /// is passed over.
    pub urls: Vec<String>,
    /// For TURN.
    pub username: String,
    /// For TURN.
    pub credential: String,
}
