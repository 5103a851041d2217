//! The binary message that carries an audio packet of a call over the live socket, for networks that block UDP.
//!
//! ```text
//! 16 bytes call id │ 2 bytes sequence │ 4 bytes timestamp │ Opus, 1 to 1275 bytes
//! ```
//! Numbers are big-endian. The server relays the message unchanged and stores nothing.

use uuid::Uuid;

use crate::ids::CallId;

/// An audio packet of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AudioFrame<'a> {
    /// The call's id.
    pub call_id: CallId,
    /// The packet's sequence number; wraps around.
    pub sequence: u16,
    /// The time of capture, in samples of 48 kHz; wraps around.
    pub timestamp: u32,
    /// One Opus packet.
    pub payload: &'a [u8],
}

impl<'a> AudioFrame<'a> {
    /// Bytes before the payload.
    pub const HEADER: usize = 22;

    /// Bytes of an Opus packet, at most (RFC 6716, 3.4).
    pub const MAX_PAYLOAD: usize = 1275;

    /// Parses a message; none if it is malformed.
    pub fn read(message: &'a [u8]) -> Option<Self> {
        let (call_id, rest) = message.split_first_chunk::<16>()?;
        let (sequence, rest) = rest.split_first_chunk::<2>()?;
        let (timestamp, payload) = rest.split_first_chunk::<4>()?;
        (1..=Self::MAX_PAYLOAD).contains(&payload.len()).then(|| Self {
            call_id: CallId(Uuid::from_bytes(*call_id)),
            sequence: u16::from_be_bytes(*sequence),
            timestamp: u32::from_be_bytes(*timestamp),
            payload,
        })
    }

    /// Serializes the packet to a message.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut message = Vec::with_capacity(Self::HEADER + self.payload.len());
        message.extend_from_slice(self.call_id.0.as_bytes());
        message.extend_from_slice(&self.sequence.to_be_bytes());
        message.extend_from_slice(&self.timestamp.to_be_bytes());
        message.extend_from_slice(self.payload);
        message
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::id;

    #[test]
    fn a_packet_reads_back_as_it_was_written() {
        let frame = AudioFrame { call_id: id(80), sequence: 65_535, timestamp: 0x0102_0304, payload: &[7, 8, 9] };
        let message = frame.to_bytes();
        assert_eq!(message.len(), AudioFrame::HEADER + 3);
        assert_eq!(message[16..22], [255, 255, 1, 2, 3, 4]);
        assert_eq!(AudioFrame::read(&message), Some(frame));
    }

    #[test]
    fn what_is_too_short_or_too_long_is_no_packet() {
        let message = |payload: usize| vec![1; AudioFrame::HEADER + payload];
        assert!(AudioFrame::read(&message(1)).is_some() && AudioFrame::read(&message(1275)).is_some());
        for wrong in [message(0), message(1276), message(0)[..21].to_vec(), Vec::new()] {
            assert_eq!(AudioFrame::read(&wrong), None, "{} bytes", wrong.len());
        }
    }
}
