//! Tests of malformed input: it is refused, and other clients aren't affected.

use proptest::{prelude::*, test_runner::TestCaseError};
use rstest::rstest;

use super::{
    super::{
        Limits, Taken,
        wire::{Incoming, Wire},
    },
    handler::{Connect, Fixture, packet, publish, subscribe, text},
};

fn raw_topic(level: u8, topic: &[u8]) -> Vec<u8> {
    let mut body = u16::try_from(topic.len()).expect("short").to_be_bytes().to_vec();
    body.extend(topic);
    body.extend([0, 1]);
    body.extend((level == 5).then_some(0));
    packet(0x32, &body)
}

#[rstest]
#[case::invalid_utf8(raw_topic(4, b"a\xff"), raw_topic(5, b"a\xff"), 0x81)]
#[case::surrogate(raw_topic(4, b"a\xed\xa0\x80"), raw_topic(5, b"a\xed\xa0\x80"), 0x81)]
#[case::nul(raw_topic(4, b"a\0"), raw_topic(5, b"a\0"), 0x81)]
#[case::wildcard(raw_topic(4, b"a/#"), raw_topic(5, b"a/#"), 0x90)]
#[case::no_topic(raw_topic(4, b""), raw_topic(5, b""), 0x82)]
#[case::packet_id_0(publish(4, 1, 0, "t", b""), publish(5, 1, 0, "t", b""), 0x81)]
#[case::qos_3(packet(0x36, b"\0\x01t\0\x01"), packet(0x36, b"\0\x01t\0\x01\0"), 0x81)]
#[case::topic_longer_than_packet(packet(0x30, b"\0\x09t"), packet(0x30, b"\0\x09t"), 0x81)]
#[case::second_connect(Connect::default().bytes(), Connect { level: 5, ..Connect::default() }.bytes(), 0x82)]
#[case::a_servers_packet(vec![0x20, 2, 0, 0], vec![0x20, 3, 0, 0, 0], 0x82)]
#[case::unasked_puback(vec![0x40, 2, 0, 1], vec![0x40, 2, 0, 1], 0x82)]
#[case::endless_length(vec![0x30, 0xFF, 0xFF, 0xFF, 0xFF], vec![0x30, 0xFF, 0xFF, 0xFF, 0xFF], 0x81)]
#[case::subscribe_to_nothing(packet(0x82, &[0, 1]), packet(0x82, &[0, 1, 0]), 0x82)]
#[case::subscribe_flags(packet(0x80, b"\0\x01\0\x01t\0"), packet(0x80, b"\0\x01\0\0\x01t\0"), 0x81)]
#[case::too_long(packet(0x30, &[0; 5000]), packet(0x30, &[0; 5000]), 0x95)]
#[case::type_0(vec![0, 0], vec![0, 0], 0x81)]
#[case::auth(vec![0xF0, 0], vec![0xF0, 0], 0x82)]
#[tokio::test]
async fn a_broken_packet_ends_its_connection_and_no_other(
    #[case] old: Vec<u8>,
    #[case] new: Vec<u8>,
    #[case] reason: u8,
) {
    let mut fixture = Fixture::with(Limits { packet_size: 4096, ..Limits::default() }, None).await;
    let mut client = fixture.guest(4, "old").await;
    client.send(&old).await;
    assert_eq!(client.next().await, None);
    let mut client = fixture.guest(5, "new").await;
    client.send(&new).await;
    let told = client.packet().await;
    assert_eq!((told[0], told[2]), (0xE0, reason), "{told:02x?}");
    assert_eq!(client.next().await, None);
    assert!(fixture.is_quiet());
    fixture.lives().await;
}

#[tokio::test]
async fn a_topic_alias_is_refused() {
    let fixture = Fixture::open().await;
    let mut client = fixture.guest(5, "new").await;
    client.send(&packet(0x32, b"\0\x01t\0\x01\x03\x23\0\x01")).await;
    assert_eq!(client.packet().await[..3], [0xE0, 1, 0x94]);
}

#[rstest]
#[case::http(b"GET / HTTP/1.1\r\nHost: ship\r\n\r\n".to_vec())]
#[case::tls(b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03".to_vec())]
#[case::ping_first(vec![0xC0, 0])]
#[case::publish_first(publish(4, 1, 1, "t", b""))]
#[case::too_long(vec![0x10, 0xFF, 0xFF, 0x7F])]
#[case::reserved_flag(packet(0x10, b"\0\x04MQTT\x04\x03\0\x3c\0\x01a"))]
#[case::will_qos_3(packet(0x10, b"\0\x04MQTT\x04\x1e\0\x3c\0\x01a\0\x01w\0\0"))]
#[case::cut_short(packet(0x10, b"\0\x04MQTT\x04\x02\0"))]
#[case::trailing_bytes(packet(0x10, b"\0\x04MQTT\x04\x02\0\x3c\0\x01axx"))]
#[tokio::test]
async fn whoever_does_not_begin_with_a_sound_connect_is_closed_without_a_word(#[case] bytes: Vec<u8>) {
    let mut fixture = Fixture::open().await;
    let mut client = fixture.client().await;
    client.send(&bytes).await;
    assert_eq!(client.next().await, None);
    fixture.lives().await;
}

#[rstest]
#[tokio::test]
async fn frames_may_be_split_at_every_byte(#[values(4, 5)] level: u8) {
    let mut fixture = Fixture::open().await;
    let payload = [b'x'; 200];
    let said = [
        publish(level, 1, 1, "obedio/button/ü/pressed", &payload),
        vec![0xC0, 0],
        subscribe(level, 2, "obedio/button/ü/ack"),
        publish(level, 0, 0, "t", b""),
    ]
    .concat();
    for cut in 1..said.len() {
        let mut client = fixture.guest(level, &format!("cut {cut}")).await;
        client.send(&said[..cut]).await;
        // Lets the listener read the first part separately, if it is scheduled in time.
        tokio::task::yield_now().await;
        client.send(&said[cut..]).await;
        let handed = fixture.handed().await;
        assert_eq!(handed.message.topic, "obedio/button/ü/pressed");
        assert_eq!(handed.message.payload, payload[..]);
        handed.is(Taken::Done);
        let empty = fixture.handed().await;
        assert!(empty.message.topic == "t" && empty.message.payload.is_empty());
        empty.is(Taken::Done);
        let mut heads = [client.packet().await[0], client.packet().await[0], client.packet().await[0]];
        heads.sort_unstable();
        assert_eq!(heads, [0x40, 0x90, 0xD0], "cut at {cut}");
    }
}

/// Creates a protocol state after CONNECT and CONNACK, without a socket.
fn opened(level: u8) -> Wire {
    let mut wire = Wire::new();
    wire.input.extend_from_slice(&Connect { level, ..Connect::default() }.bytes());
    assert!(wire.open().expect("sound").is_some());
    wire.welcome(None, None, &Limits::default()).expect("room");
    wire
}

/// Returns valid packets of all types that a client may send.
fn sound(level: u8) -> Vec<Vec<u8>> {
    let none = if level == 5 { &[0][..] } else { &[] };
    let mut all = vec![
        publish(level, 0, 0, "a/b", b"payload"),
        publish(level, 1, 1, "a/b", b"payload"),
        publish(level, 2, 1, "a/b", b"payload"),
        subscribe(level, 2, "a/+"),
        packet(0xA2, &[&[0, 1][..], none, &text("a")].concat()),
        vec![0x62, 2, 0, 1],
        vec![0x40, 2, 0, 1],
        vec![0xC0, 0],
        vec![0xE0, 0],
        Connect { level, username: Some("u"), will: Some(("w", "x")), ..Connect::default() }.bytes(),
    ];
    if level == 5 {
        // All types of properties.
        let properties = b"\x01\x01\x02\0\0\0\x01\x03\0\x01c\x08\0\x01r\x09\0\x01d\x26\0\x01k\0\x01v";
        let length = u8::try_from(properties.len()).expect("short");
        all.push(packet(0x32, &[&text("t")[..], &[0, 1, length], properties, b"x"].concat()));
        let connect = b"\0\x04MQTT\x05\x02\0\x3c\x11\x11\0\0\0\x01\x21\0\x09\x22\0\0\x27\0\0\x10\0\x19\x01\0\x01c";
        all.push(packet(0x10, connect));
        all.push(vec![0xE0, 2, 4, 0]);
        all.push(packet(0xF0, b"\x18\x04\x15\0\x01m"));
    }
    all
}

/// Feeds bytes in pieces to a connection before and after its CONNECT. Checks that nothing panics, that all resulting
/// messages are valid, and that memory is at most a few times the input.
fn survive(level: u8, bytes: &[u8], pieces: usize) -> Result<(), TestCaseError> {
    for mut wire in [Wire::new(), opened(level)] {
        let mut is_open = wire.is_v5() || !wire.output.is_empty();
        let longest = if is_open { Limits::default().packet_size as usize } else { 64 * 1024 };
        wire.output.clear();
        for piece in bytes.chunks(bytes.len().div_ceil(pieces).max(1)) {
            wire.input.extend_from_slice(piece);
            loop {
                if is_open {
                    match wire.next(&mut false) {
                        Ok(Some(Incoming::Publish(message))) => {
                            prop_assert!(!message.topic.is_empty() && !message.topic.contains(['+', '#', '\0']));
                            prop_assert!(message.payload.len() <= bytes.len());
                            prop_assert!(message.packet_id != Some(0) && message.qos < 3);
                        }
                        Ok(Some(Incoming::Subscribe { packet_id, filters })) => {
                            prop_assert!(packet_id > 0 && !filters.is_empty());
                        }
                        Ok(Some(Incoming::Unsubscribe { packet_id, filters })) => {
                            prop_assert!(packet_id > 0 && !filters.is_empty());
                        }
                        Ok(Some(Incoming::Disconnect { .. }) | None) => break,
                        Err(_) => return Ok(()),
                    }
                } else {
                    match wire.open() {
                        Ok(Some(connect)) => {
                            prop_assert!(!connect.client_id.contains('\0') && connect.client_id.len() <= 256);
                            wire.welcome(None, None, &Limits::default()).expect("room");
                            is_open = true;
                        }
                        Ok(None) => break,
                        Err(_) => return Ok(()),
                    }
                }
            }
            prop_assert!(wire.input.len() <= longest.max(bytes.len()));
            prop_assert!(wire.input.capacity() <= 4096 + 4 * bytes.len());
            // PINGRESP, PUBREC and PUBCOMP are at most as long as the packets that they answer.
            prop_assert!(wire.output.len() <= 64 + 4 * bytes.len(), "{} for {}", wire.output.len(), bytes.len());
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(crate::fuzz::config(256))]

    #[test]
    fn no_bytes_make_the_protocol_panic(
        level in 4_u8..=5,
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
        pieces in 1..5_usize,
    ) {
        survive(level, &bytes, pieces)?;
    }

    #[test]
    fn no_damage_to_sound_packets_makes_the_protocol_panic(
        level in 4_u8..=5,
        which in proptest::collection::vec(any::<proptest::sample::Index>(), 1..4),
        damage in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>(), 0..4_u8), 0..4),
        pieces in 1..5_usize,
    ) {
        let all = sound(level);
        let mut bytes: Vec<u8> = which.iter().flat_map(|which| which.get(&all).clone()).collect();
        for (at, byte, how) in damage {
            if bytes.is_empty() {
                break;
            }
            let at = at.index(bytes.len());
            match how {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                2 => drop(bytes.remove(at)),
                _ => bytes.truncate(at),
            }
        }
        survive(level, &bytes, pieces)?;
    }
}
