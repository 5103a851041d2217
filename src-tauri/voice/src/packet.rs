//! What goes from one person's microphone to the other's ear: the seam between [`audio`](crate::audio) and the network.

use bytes::Bytes;

/// One Opus packet as it goes over RTP or the socket. 20 ms, 48 kHz mono.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// One more than the packet's before it; wraps around.
    pub sequence: u16,
    /// Of its first sample, 48,000 a second; wraps around. Goes on while nothing is sent.
    pub timestamp: u32,
    /// At most 1275 bytes (RFC 6716).
    pub payload: Bytes,
}
