//! The fallback transport over the live socket, for blocked UDP: one packet per binary message, an [`AudioFrame`].

use bytes::Bytes;
use crewbell_shared::ids::CallId;
use crewbell_shared::protocol::AudioFrame;

use crate::packet::Packet;

/// Encodes a packet as a binary message; none if it is empty or longer than Opus allows.
pub fn encode(call_id: CallId, packet: &Packet) -> Option<Bytes> {
    if !(1..=AudioFrame::MAX_PAYLOAD).contains(&packet.payload.len()) {
        return None;
    }
    let Packet { sequence, timestamp, payload } = packet;
    let frame = AudioFrame { call_id, sequence: *sequence, timestamp: *timestamp, payload };
    Some(frame.to_bytes().into())
}

/// Decodes a binary message to the call and the packet, without copying the payload; none if it is no frame.
pub fn decode(message: &Bytes) -> Option<(CallId, Packet)> {
    let frame = AudioFrame::read(message)?;
    let payload = message.slice_ref(frame.payload);
    Some((frame.call_id, Packet { sequence: frame.sequence, timestamp: frame.timestamp, payload }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    fn packet(payload: &[u8]) -> Packet {
        Packet { sequence: 0x0102, timestamp: 0x0304_0506, payload: Bytes::copy_from_slice(payload) }
    }

    #[test]
    fn a_frame_is_laid_out_as_the_server_reads_it() {
        let call = CallId(Uuid::from_u128(0x0011_2233_4455_6677_8899_aabb_ccdd_eeff));
        let frame = encode(call, &packet(&[0xf8, 0xff])).unwrap();
        let start = [0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff];
        assert_eq!(frame, [&start[..], &[1, 2, 3, 4, 5, 6, 0xf8, 0xff]].concat());
    }

    #[test]
    fn what_opus_cannot_be_is_no_frame() {
        let call = CallId(Uuid::nil());
        assert_eq!(encode(call, &packet(&[])), None);
        assert_eq!(encode(call, &packet(&[0; AudioFrame::MAX_PAYLOAD + 1])), None);
        assert!(encode(call, &packet(&[0; AudioFrame::MAX_PAYLOAD])).is_some());
    }

    proptest! {
        #[test]
        fn a_packet_comes_out_as_it_went_in(
            call: u128, sequence: u16, timestamp: u32,
            payload in proptest::collection::vec(any::<u8>(), 1..=AudioFrame::MAX_PAYLOAD),
        ) {
            let packet = Packet { sequence, timestamp, payload: payload.into() };
            let call = CallId(Uuid::from_u128(call));
            prop_assert_eq!(decode(&encode(call, &packet).unwrap()), Some((call, packet)));
        }

        #[test]
        fn whatever_comes_is_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..1400)) {
            let payload = bytes.len().checked_sub(AudioFrame::HEADER);
            let is_frame = payload.is_some_and(|length| (1..=AudioFrame::MAX_PAYLOAD).contains(&length));
            prop_assert_eq!(decode(&bytes.into()).is_some(), is_frame);
        }
    }
}
