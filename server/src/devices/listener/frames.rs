//! Framing: finds where a packet ends, and checks what the protocol crate doesn't check of its fixed header.

/// The state of the first packet in the input.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Front {
    /// The packet is incomplete.
    Part,
    /// A complete packet of this many bytes, fixed header included.
    Whole(usize),
    /// A packet longer than allowed, according to its fixed header.
    TooLong,
    /// Bytes that aren't valid in any MQTT version.
    Malformed,
}

/// Finds the end of the first packet in `bytes` (MQTT 5, sections 2.1.1 and 2.1.4).
pub(super) fn front(bytes: &[u8], longest: usize) -> Front {
    let Some((&head, rest)) = bytes.split_first() else {
        return Front::Part;
    };
    if !head_is_valid(head) {
        return Front::Malformed;
    }
    let mut length = 0;
    for (index, &byte) in rest.iter().take(4).enumerate() {
        length |= usize::from(byte & 0x7F) << (7 * index);
        if byte & 0x80 == 0 {
            let whole = index + 2 + length;
            return if whole > longest {
                Front::TooLong
            } else if whole > bytes.len() {
                Front::Part
            } else {
                Front::Whole(whole)
            };
        }
    }
    if rest.len() >= 4 { Front::Malformed } else { Front::Part }
}

/// Whether the fixed header's type and flags are valid [MQTT-2.1.3-1]. PUBLISH can't have `QoS` 3 [MQTT-3.3.1-4].
fn head_is_valid(head: u8) -> bool {
    match (head >> 4, head & 0x0F) {
        (3, flags) => flags & 0b0110 != 0b0110,
        (6 | 8 | 10, flags) => flags == 0b0010,
        (1 | 2 | 4 | 5 | 7 | 9 | 11..=15, flags) => flags == 0,
        _ => false,
    }
}

/// The kind of a connection's first packet, according to its first bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Opening {
    /// A CONNECT of MQTT 3.1.1 or 5 with valid flags.
    Connect { level: u8, flags: u8 },
    /// A CONNECT of MQTT 3.1.1 or 5 with invalid flags.
    BadFlags { level: u8 },
    /// A CONNECT of another MQTT version, with the CONNACK in that version's format.
    OtherVersion(&'static [u8]),
    /// Any other packet: the connection is closed without an answer [MQTT-3.1.0-1].
    Malformed,
}

/// Classifies the complete first packet of a connection.
pub(super) fn opening(packet: &[u8]) -> Opening {
    const CONNECT: u8 = 0x10;
    /// CONNACK "unacceptable protocol version" of 3.1 and 3.1.1 (section 3.2.2.3).
    const REFUSED_3: &[u8] = &[0x20, 2, 0, 1];
    /// CONNACK "Unsupported Protocol Version" of 5 (section 3.2.2.2).
    const REFUSED_5: &[u8] = &[0x20, 3, 0, 0x84, 0];

    if packet.first() != Some(&CONNECT) {
        return Opening::Malformed;
    }
    let Some(ends) = packet.iter().skip(1).position(|byte| byte & 0x80 == 0) else {
        return Opening::Malformed;
    };
    match &packet[ends + 2..] {
        [0, 4, b'M', b'Q', b'T', b'T', level @ (4 | 5), flags, ..] => {
            if flags_are_valid(*flags, *level) {
                Opening::Connect { level: *level, flags: *flags }
            } else {
                Opening::BadFlags { level: *level }
            }
        }
        [0, 4, b'M', b'Q', b'T', b'T', level, ..] if *level > 5 => Opening::OtherVersion(REFUSED_5),
        [0, 4, b'M', b'Q', b'T', b'T', _, ..] | [0, 6, b'M', b'Q', b'I', b's', b'd', b'p', ..] => {
            Opening::OtherVersion(REFUSED_3)
        }
        _ => Opening::Malformed,
    }
}

/// Whether the CONNECT flags are valid [MQTT-3.1.2-3, 3.1.2-11 to 3.1.2-14; 3.1.1 also 3.1.2-22].
fn flags_are_valid(flags: u8, level: u8) -> bool {
    let (username, password) = (flags & 0x80 != 0, flags & 0x40 != 0);
    let (will, will_qos, will_retain) = (flags & 0x04 != 0, (flags >> 3) & 3, flags & 0x20 != 0);
    flags & 1 == 0 && will_qos < 3 && (will || (will_qos == 0 && !will_retain)) && (level == 5 || username || !password)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_ends_where_its_length_says() {
        assert_eq!(front(&[], 100), Front::Part);
        assert_eq!(front(&[0xC0], 100), Front::Part);
        assert_eq!(front(&[0xC0, 0], 100), Front::Whole(2));
        assert_eq!(front(&[0x30, 0x80], 1000), Front::Part);
        assert_eq!(front(&[0x30, 0x80, 0x01], 1000), Front::Part);
        assert_eq!(front(&[0x30, 98], 100), Front::Part);
        assert_eq!(front(&[0x30, 99], 100), Front::TooLong);
        assert_eq!(front(&[0x30, 0xFF, 0xFF, 0xFF, 0xFF], 1 << 20), Front::Malformed);
        assert_eq!(front(&[0x30, 0xFF, 0xFF, 0xFF], 1 << 20), Front::Part);
    }

    #[test]
    fn a_head_with_wrong_flags_is_malformed() {
        for head in [0x00, 0x36, 0x80, 0x8A, 0x60, 0xC1, 0x11, 0xA0] {
            assert_eq!(front(&[head, 0], 100), Front::Malformed, "{head:#x}");
        }
    }

    #[test]
    fn only_a_sound_connect_opens() {
        let connect = |level, flags| opening(&[0x10, 12, 0, 4, b'M', b'Q', b'T', b'T', level, flags, 0, 60, 0, 0]);
        assert_eq!(connect(4, 2), Opening::Connect { level: 4, flags: 2 });
        assert_eq!(connect(5, 0x40), Opening::Connect { level: 5, flags: 0x40 });
        for (level, flags) in [(4, 0x40), (4, 3), (4, 0x1C), (5, 0x1E), (4, 0x08), (5, 0x20)] {
            assert_eq!(connect(level, flags), Opening::BadFlags { level }, "{level} {flags:#x}");
        }
        assert_eq!(connect(3, 2), Opening::OtherVersion(&[0x20, 2, 0, 1]));
        assert_eq!(connect(6, 2), Opening::OtherVersion(&[0x20, 3, 0, 0x84, 0]));
        assert_eq!(opening(b"\x10\x0c\0\x06MQIsdp\x03\x02\0\0"), Opening::OtherVersion(&[0x20, 2, 0, 1]));
        assert_eq!(opening(b"GET / HTTP/1.1"), Opening::Malformed);
        assert_eq!(opening(&[0xC0, 0]), Opening::Malformed);
    }
}
