//! The packet that passes between the audio and the network.

use bytes::Bytes;

/// One Opus packet as it goes over RTP or the socket. 20 ms, 48 kHz mono.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Counts packets, over and over (RFC 3550, 5.1).
    pub sequence: u16,
    /// When its first sample was taken, in samples at 48 kHz (RFC 7587, 4.1), over and over.
    pub timestamp: u32,
    /// The Opus packet (RFC 6716), at most 1275 bytes.
    pub payload: Bytes,
}
