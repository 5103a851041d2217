//! Packets over the live socket, where UDP is blocked: one packet as one binary message.
//!
//! ```text
//!  0                16            18             22
//!  | call id (UUID) | sequence BE | timestamp BE | Opus payload, 1 to 1275 bytes |
//! ```
//!
//! The server passes a frame on as it is to the other device of the call.

use bytes::{BufMut, Bytes, BytesMut};
use uuid::Uuid;

use crate::packet::Packet;

/// What stands before the payload, in bytes.
pub const HEADER: usize = 22;

/// The longest Opus packet of one frame, in bytes (RFC 6716, 3.2.1).
pub const LONGEST_PAYLOAD: usize = 1275;

/// Why a message is no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Shorter than a header and one byte of payload.
    #[error("a frame of {0} bytes is too short")]
    TooShort(usize),
    /// Longer than Opus can be.
    #[error("a frame of {0} bytes is too long")]
    TooLong(usize),
}

/// One packet as a binary message; `None` for one that is empty or longer than Opus can be.
pub fn encode(call: Uuid, packet: &Packet) -> Option<Bytes> {
    if packet.payload.is_empty() || packet.payload.len() > LONGEST_PAYLOAD {
        return None;
    }
    let mut frame = BytesMut::with_capacity(HEADER + packet.payload.len());
    frame.put_slice(call.as_bytes());
    frame.put_u16(packet.sequence);
    frame.put_u32(packet.timestamp);
    frame.put_slice(&packet.payload);
    Some(frame.freeze())
}

/// A binary message as the call's id and the packet, without copying the payload.
///
/// # Errors
/// When it is too short or too long for a frame.
pub fn decode(frame: &Bytes) -> Result<(Uuid, Packet), FrameError> {
    if frame.len() > HEADER + LONGEST_PAYLOAD {
        return Err(FrameError::TooLong(frame.len()));
    }
    let too_short = FrameError::TooShort(frame.len());
    let (call, rest) = frame.split_first_chunk::<16>().ok_or(too_short)?;
    let (sequence, rest) = rest.split_first_chunk::<2>().ok_or(too_short)?;
    let (timestamp, payload) = rest.split_first_chunk::<4>().ok_or(too_short)?;
    if payload.is_empty() {
        return Err(too_short);
    }
    let packet = Packet {
        sequence: u16::from_be_bytes(*sequence),
        timestamp: u32::from_be_bytes(*timestamp),
        payload: frame.slice(HEADER..),
    };
    Ok((Uuid::from_bytes(*call), packet))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn packet(payload: &[u8]) -> Packet {
        Packet { sequence: 0x0102, timestamp: 0x0304_0506, payload: Bytes::copy_from_slice(payload) }
    }

    #[test]
    fn a_frame_is_laid_out_as_the_server_reads_it() {
        let call = Uuid::from_u128(0x0011_2233_4455_6677_8899_aabb_ccdd_eeff);
        let frame = encode(call, &packet(&[0xf8, 0xff])).unwrap();
        let expected = "00112233445566778899aabbccddeeff0102030405 06f8ff".replace(' ', "");
        let hex: String = frame.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, expected);
    }

    #[test]
    fn what_opus_cannot_be_is_no_frame() {
        assert_eq!(encode(Uuid::nil(), &packet(&[])), None);
        assert_eq!(encode(Uuid::nil(), &packet(&[0; LONGEST_PAYLOAD + 1])), None);
        assert!(encode(Uuid::nil(), &packet(&[0; LONGEST_PAYLOAD])).is_some());
        assert_eq!(decode(&Bytes::new()), Err(FrameError::TooShort(0)));
        assert_eq!(decode(&Bytes::from(vec![0; HEADER])), Err(FrameError::TooShort(HEADER)));
        let long = HEADER + LONGEST_PAYLOAD + 1;
        assert_eq!(decode(&Bytes::from(vec![0; long])), Err(FrameError::TooLong(long)));
    }

    proptest! {
        #[test]
        fn a_packet_comes_out_as_it_went_in(
            call: u128, sequence: u16, timestamp: u32,
            payload in proptest::collection::vec(any::<u8>(), 1..=LONGEST_PAYLOAD),
        ) {
            let packet = Packet { sequence, timestamp, payload: payload.into() };
            let frame = encode(Uuid::from_u128(call), &packet).unwrap();
            prop_assert_eq!(decode(&frame), Ok((Uuid::from_u128(call), packet)));
        }

        #[test]
        fn whatever_comes_is_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..1400)) {
            let length = bytes.len();
            prop_assert_eq!(decode(&bytes.into()).is_ok(), (HEADER + 1..=HEADER + LONGEST_PAYLOAD).contains(&length));
        }
    }
}
