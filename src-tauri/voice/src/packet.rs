//! The audio packet: the interface between [`audio`](crate::audio) and the network.

use bytes::Bytes;

/// An Opus packet as sent over RTP or the socket. 20 ms, 48 kHz mono.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// The sequence number, one more than that of the packet before it; wraps around.
    pub sequence: u16,
    /// The timestamp of the first sample, 48,000 a second; wraps around. It advances while nothing is sent.
    pub timestamp: u32,
    /// The Opus data, at most 1275 bytes (RFC 6716).
    pub payload: Bytes,
}
