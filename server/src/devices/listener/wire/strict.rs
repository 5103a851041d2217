//! Validates a packet's bytes before they are passed to the protocol crate, where the crate itself doesn't.
//!
//! A well-formed packet can be read exactly to its end. Clauses are cited from MQTT 5; 3.1.1 has the same under other
//! numbers. The crate checks a packet's semantics (values, misplaced properties, reason codes).

use super::super::topics;

/// The kind of error in a packet, as distinguished by MQTT 5 (section 4.13).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Broken {
    /// Malformed Packet (0x81): the packet can't be parsed.
    Malformed,
    /// Protocol Error (0x82): the packet can be parsed, but its content isn't allowed.
    Protocol,
}

/// Identifier of the property Topic Alias Maximum; 0 means that the client accepts no topic aliases [MQTT-3.1.2-27].
const TOPIC_ALIAS_MAXIMUM: u8 = 0x22;
const TOPIC_ALIAS: u8 = 0x23;
const RESPONSE_TOPIC: u8 = 0x08;
const SUBSCRIPTION_IDENTIFIER: u8 = 0x0B;
const AUTHENTICATION_METHOD: u8 = 0x15;
const AUTHENTICATION_DATA: u8 = 0x16;

/// Checks a complete packet other than CONNECT.
pub(super) fn check(packet: &[u8], v5: bool) -> Result<(), Broken> {
    let (head, mut body) = Reader::open(packet, v5)?;
    match head >> 4 {
        3 => publish(head, &mut body, v5),
        4..=7 => {
            body.packet_id()?;
            body.reason_and_properties(v5)
        }
        8 | 10 => subscription(head >> 4 == 8, &mut body, v5),
        14 | 15 => body.reason_and_properties(v5),
        _ => Ok(()),
    }
}

/// Checks a CONNECT, and returns the offset of a Topic Alias Maximum of 0, on which the crate panics.
pub(super) fn check_connect(packet: &[u8], v5: bool) -> Result<Option<usize>, Broken> {
    let (_, mut body) = Reader::open(packet, v5)?;
    body.text()?;
    body.byte()?;
    let flags = body.byte()?;
    body.number()?;
    let (mut no_aliases, mut has_method, mut has_data) = (None, false, false);
    if v5 {
        body.properties(|id, value, at| {
            if id == TOPIC_ALIAS_MAXIMUM && value == [0, 0] {
                no_aliases = Some(at);
            }
            has_method |= id == AUTHENTICATION_METHOD;
            has_data |= id == AUTHENTICATION_DATA;
        })?;
    }
    // 3.1.2.11.10
    let says_what_it_must_not = has_data && !has_method;
    body.text()?;
    if flags & 0x04 != 0 {
        if v5 {
            body.properties(|_, _, _| {})?;
        }
        body.text()?;
        body.binary()?;
    }
    if flags & 0x80 != 0 {
        body.text()?;
    }
    if flags & 0x40 != 0 {
        body.binary()?;
    }
    if !body.is_at_end() {
        Err(Broken::Malformed)
    } else if says_what_it_must_not {
        Err(Broken::Protocol)
    } else {
        Ok(no_aliases)
    }
}

/// Whether an MQTT 5 CONNECT has a password but no user name, which the standard allows (3.1.2.9) and the crate
/// doesn't.
pub(super) fn has_only_a_password(flags: u8) -> bool {
    flags & 0xC0 == 0x40
}

fn publish(head: u8, body: &mut Reader<'_>, v5: bool) -> Result<(), Broken> {
    let (dup, qos) = (head & 0x08 != 0, head >> 1 & 3);
    // [MQTT-3.3.1-2]
    if dup && qos == 0 {
        return Err(Broken::Malformed);
    }
    let topic = body.text()?;
    if qos > 0 {
        body.packet_id()?;
    }
    if v5 {
        let (mut has_alias, mut says_what_it_must_not) = (false, false);
        body.properties(|id, value, _| {
            has_alias |= id == TOPIC_ALIAS;
            // A response topic has no wildcards [MQTT-3.3.2-14]; only a server sends subscription identifiers
            // [MQTT-3.3.4-6].
            says_what_it_must_not |= id == SUBSCRIPTION_IDENTIFIER
                || (id == RESPONSE_TOPIC && value.iter().any(|byte| matches!(byte, b'+' | b'#')));
        })?;
        // 3.3.2.1: an empty topic name requires an alias.
        if (topic.is_empty() && !has_alias) || says_what_it_must_not {
            return Err(Broken::Protocol);
        }
    }
    Ok(())
}

fn subscription(is_subscribe: bool, body: &mut Reader<'_>, v5: bool) -> Result<(), Broken> {
    body.packet_id()?;
    if v5 {
        body.properties(|_, _, _| {})?;
    }
    while !body.is_at_end() {
        let filter = body.text()?;
        // [MQTT-4.7.3-1]
        if filter.is_empty() {
            return Err(Broken::Malformed);
        }
        if is_subscribe {
            let options = body.byte()?;
            // [MQTT-3.8.3-5], and of 3.1.1 [MQTT-3-8.3-4].
            let reserved = if v5 { 0xC0 } else { 0xFC };
            if options & reserved != 0 {
                return Err(Broken::Malformed);
            }
            // QoS 3, Retain Handling 3 (3.8.3.1), No Local on a shared subscription [MQTT-3.8.3-4].
            if options & 3 == 3 || options & 0x30 == 0x30 || (options & 4 != 0 && topics::is_shared(filter)) {
                return Err(if v5 { Broken::Protocol } else { Broken::Malformed });
            }
        }
    }
    Ok(())
}

/// A cursor over the bytes of a packet.
struct Reader<'a> {
    packet: &'a [u8],
    at: usize,
    /// The end of the part being read: the packet, or its properties.
    end: usize,
}

impl<'a> Reader<'a> {
    /// Returns the first byte, and a reader positioned after the remaining length.
    fn open(packet: &'a [u8], v5: bool) -> Result<(u8, Self), Broken> {
        let mut reader = Self { packet, at: 0, end: packet.len() };
        let head = reader.byte()?;
        if v5 {
            reader.length()?;
        } else {
            // 3.1.1 doesn't require the shortest form.
            while reader.byte()? & 0x80 != 0 {}
        }
        Ok((head, reader))
    }

    fn is_at_end(&self) -> bool {
        self.at >= self.end
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], Broken> {
        let to = self.at.checked_add(count).filter(|to| *to <= self.end).ok_or(Broken::Malformed)?;
        let taken = self.packet.get(self.at..to).ok_or(Broken::Malformed)?;
        self.at = to;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, Broken> {
        self.take(1)?.first().copied().ok_or(Broken::Malformed)
    }

    fn number(&mut self) -> Result<u16, Broken> {
        let bytes = self.take(2)?.first_chunk::<2>().ok_or(Broken::Malformed)?;
        Ok(u16::from_be_bytes(*bytes))
    }

    /// Reads a packet identifier, which must not be 0 [MQTT-2.2.1-3].
    fn packet_id(&mut self) -> Result<(), Broken> {
        if self.number()? == 0 { Err(Broken::Malformed) } else { Ok(()) }
    }

    fn binary(&mut self) -> Result<&'a [u8], Broken> {
        let length = self.number()?;
        self.take(length.into())
    }

    /// Reads a UTF-8 string [MQTT-1.5.4-1] without NUL [MQTT-1.5.4-2].
    fn text(&mut self) -> Result<&'a str, Broken> {
        let text = std::str::from_utf8(self.binary()?).map_err(|_| Broken::Malformed)?;
        if text.contains('\0') { Err(Broken::Malformed) } else { Ok(text) }
    }

    /// Reads a Variable Byte Integer of four bytes at most, in its shortest form [MQTT-1.5.5-1].
    fn length(&mut self) -> Result<usize, Broken> {
        let mut value = 0;
        for index in 0..4 {
            let byte = self.byte()?;
            value |= usize::from(byte & 0x7F) << (7 * index);
            if byte & 0x80 == 0 {
                return if byte == 0 && index > 0 { Err(Broken::Malformed) } else { Ok(value) };
            }
        }
        Err(Broken::Malformed)
    }

    /// Reads the reason code and properties at the end of some MQTT 5 packets; both are optional.
    fn reason_and_properties(&mut self, v5: bool) -> Result<(), Broken> {
        if v5 && !self.is_at_end() {
            self.byte()?;
            if !self.is_at_end() {
                self.properties(|_, _, _| {})?;
            }
        }
        if self.is_at_end() { Ok(()) } else { Err(Broken::Malformed) }
    }

    /// Reads properties (section 2.2.2), and calls `each` with identifier, value and the value's offset in the packet.
    fn properties(&mut self, mut each: impl FnMut(u8, &[u8], usize)) -> Result<(), Broken> {
        let length = self.length()?;
        let after = self.end;
        self.end = self.at.checked_add(length).filter(|end| *end <= after).ok_or(Broken::Malformed)?;
        while !self.is_at_end() {
            let id = self.byte()?;
            let at = self.at;
            match id {
                0x01 | 0x17 | 0x19 | 0x24 | 0x25 | 0x28..=0x2A => drop(self.byte()?),
                0x13 | 0x21..=0x23 => drop(self.number()?),
                0x02 | 0x11 | 0x18 | 0x27 => drop(self.take(4)?),
                0x0B => drop(self.length()?),
                0x03 | 0x08 | 0x12 | 0x15 | 0x1A | 0x1C | 0x1F => drop(self.text()?),
                0x09 | 0x16 => drop(self.binary()?),
                0x26 => {
                    self.text()?;
                    self.text()?;
                }
                _ => return Err(Broken::Malformed),
            }
            each(id, self.packet.get(at..self.at).unwrap_or_default(), at);
        }
        self.end = after;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_alias_maximum_of_0_is_found_where_it_stands() {
        let connect = b"\x10\x13\0\x04MQTT\x05\x02\0\x3c\x06\x21\0\x09\x22\0\0\0\0";
        let at = check_connect(connect, true).unwrap().unwrap();
        assert_eq!((connect[at - 1], &connect[at..at + 2]), (0x22, &[0, 0][..]));
        let mut some = connect.to_vec();
        some[at + 1] = 9;
        assert_eq!(check_connect(&some, true), Ok(None));
    }

    #[test]
    fn the_same_two_bytes_elsewhere_are_no_topic_alias_maximum() {
        // A user property whose text contains the same bytes.
        let connect = b"\x10\x17\0\x04MQTT\x05\x02\0\x3c\x0a\x26\0\x03\x22ab\0\x02cd\0\0";
        assert_eq!(check_connect(connect, true), Ok(None));
    }

    #[test]
    fn properties_do_not_reach_beyond_their_length() {
        // Length 2, but the property needs 3 bytes.
        assert_eq!(check_connect(b"\x10\x0f\0\x04MQTT\x05\x02\0\x3c\x02\x21\0\x09\0\0", true), Err(Broken::Malformed));
    }
}
