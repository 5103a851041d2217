//! Options of a session.

use super::Addresses;
use super::impairment::ImpairedNetwork;

/// The options of a session.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The own addresses to open sockets at.
    pub addresses: Addresses,
    /// STUN and TURN servers; none are needed within one network.
    pub ice_servers: Vec<IceServer>,
    /// Whether only relayed candidates are used: for tests of a TURN server.
    pub relay_only: bool,
    /// Simulated impairments of the network: for tests and measurements.
    pub weather: Option<ImpairedNetwork>,
}

/// A STUN or TURN server, like `RTCIceServer` of the WebRTC API.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IceServer {
    /// The URLs, such as `stun:192.0.2.1:3478` (RFC 7064) or `turn:192.0.2.1:3478?transport=udp` (RFC 7065). TURN over
    /// TCP or TLS is ignored.
    pub urls: Vec<String>,
    /// The user name for TURN.
    pub username: String,
    /// The password for TURN.
    pub credential: String,
}
