//! Conformance tests, rule by rule: each violation is answered as the standard requires, while a valid client on
//! another connection is served without interruption.

use std::net::SocketAddr;

use tokio_util::sync::CancellationToken;

use super::{
    super::Limits,
    handler::{Connect, Fixture, Raw, packet, publish, text},
};

/// The expected reaction to a violation.
#[derive(Clone, Debug)]
enum Ends {
    /// The connection is closed without a packet: 3.1.1 has none for this.
    Silently,
    /// CONNACK with this code, then the connection is closed.
    TurnedAway(u8),
    /// DISCONNECT with this reason code, then the connection is closed.
    Told(u8),
    /// SUBACK with this code, and the connection stays open: a wrong filter for a lamp must not cost presses.
    Refused(u8),
}
use Ends::{Refused, Silently, Told, TurnedAway};

struct Rule {
    clause: &'static str,
    what: &'static str,
    /// Whether the bytes are the first packet of the connection.
    opens: bool,
    bytes: Vec<u8>,
    ends: Ends,
}

fn opens(clause: &'static str, what: &'static str, bytes: Vec<u8>, ends: Ends) -> Rule {
    Rule { clause, what, opens: true, bytes, ends }
}

fn then(clause: &'static str, what: &'static str, bytes: Vec<u8>, ends: Ends) -> Rule {
    Rule { clause, what, opens: false, bytes, ends }
}

/// Prefixes bytes with their two-byte length.
fn raw(bytes: &[u8]) -> Vec<u8> {
    [&u16::try_from(bytes.len()).expect("short").to_be_bytes()[..], bytes].concat()
}

/// Encodes a CONNECT with these flags; `rest` follows the keep-alive.
fn connect(level: u8, flags: u8, rest: &[u8]) -> Vec<u8> {
    packet(0x10, &[&b"\0\x04MQTT"[..], &[level, flags, 0, 60], rest].concat())
}

/// Encodes an MQTT 5 CONNECT with these properties.
fn with(properties: &[u8]) -> Vec<u8> {
    connect(5, 2, &[&block(properties)[..], &text("c")].concat())
}

/// Encodes an MQTT 5 CONNECT whose will has these properties.
fn with_will(flags: u8, properties: &[u8], topic: &[u8]) -> Vec<u8> {
    connect(5, 2 | flags, &[&[0][..], &text("c"), &block(properties), &raw(topic), &raw(b"x")].concat())
}

/// Prefixes properties with their one-byte length.
fn block(properties: &[u8]) -> Vec<u8> {
    [&[u8::try_from(properties.len()).expect("short")][..], properties].concat()
}

/// Encodes an MQTT 5 PUBLISH at `QoS` 1 with these properties.
fn said(topic: &[u8], properties: &[u8]) -> Vec<u8> {
    packet(0x32, &[&raw(topic)[..], &[0, 1], &block(properties), b"x"].concat())
}

#[expect(clippy::too_many_lines, reason = "a table: one rule a line")]
fn old() -> Vec<Rule> {
    let id = text("c");
    let body = |parts: &[&[u8]]| parts.concat();
    vec![
        opens("MQTT-3.1.0-1", "PUBLISH comes first", publish(4, 1, 1, "t", b""), Silently),
        opens("MQTT-3.1.0-1", "PINGREQ comes first", vec![0xC0, 0], Silently),
        opens(
            "MQTT-2.2.2-2",
            "CONNECT with a flag in its head",
            packet(0x11, b"\0\x04MQTT\x04\x02\0\x3c\0\x01c"),
            Silently,
        ),
        opens("2.2.3", "a remaining length of five bytes", vec![0x10, 0x8C, 0x80, 0x80, 0x80, 0], Silently),
        opens("MQTT-3.1.2-1", "another protocol's name", packet(0x10, b"\0\x04MQTX\x04\x02\0\x3c\0\x01c"), Silently),
        opens("MQTT-3.1.2-2", "a level that nobody speaks", connect(3, 2, &id), TurnedAway(1)),
        opens("MQTT-3.1.2-3", "the reserved flag", connect(4, 3, &id), Silently),
        opens("MQTT-3.1.2-9", "a will without its topic", connect(4, 6, &id), Silently),
        opens("MQTT-3.1.2-9", "a will without its payload", connect(4, 6, &body(&[&id, &text("w")])), Silently),
        opens(
            "MQTT-3.1.2-11",
            "a will that no flag tells of",
            connect(4, 2, &body(&[&id, &text("w"), &text("x")])),
            Silently,
        ),
        opens("MQTT-3.1.2-13", "QoS of no will", connect(4, 0x0A, &id), Silently),
        opens("MQTT-3.1.2-14", "a will at QoS 3", connect(4, 0x1E, &body(&[&id, &text("w"), &text("x")])), Silently),
        opens("MQTT-3.1.2-15", "no will is to be retained", connect(4, 0x22, &id), Silently),
        opens("MQTT-3.1.2-18", "a user name that no flag tells of", connect(4, 2, &body(&[&id, &text("u")])), Silently),
        opens("MQTT-3.1.2-19", "no user name where one is told of", connect(4, 0x82, &id), Silently),
        opens(
            "MQTT-3.1.2-20",
            "a password that no flag tells of",
            connect(4, 0x82, &body(&[&id, &text("u"), &text("p")])),
            Silently,
        ),
        opens(
            "MQTT-3.1.2-21",
            "no password where one is told of",
            connect(4, 0xC2, &body(&[&id, &text("u")])),
            Silently,
        ),
        opens("MQTT-3.1.2-22", "a password without a user name", connect(4, 0x42, &body(&[&id, &text("p")])), Silently),
        opens("MQTT-3.1.3-3", "no client id", connect(4, 2, &[]), Silently),
        opens("MQTT-3.1.3-3", "a client id longer than the packet", connect(4, 2, b"\0\x09c"), Silently),
        opens("MQTT-3.1.3-4", "a client id that is no UTF-8", connect(4, 2, &raw(b"c\xff")), Silently),
        opens("MQTT-1.5.3-2", "NUL in the client id", connect(4, 2, &raw(b"c\0")), Silently),
        opens("MQTT-3.1.3-8", "a nameless one that wants to be remembered", connect(4, 0, &text("")), TurnedAway(2)),
        opens(
            "MQTT-3.1.3-10",
            "a will topic that is no UTF-8",
            connect(4, 6, &body(&[&id, &raw(b"\xff"), &text("x")])),
            Silently,
        ),
        opens(
            "MQTT-3.1.3-11",
            "a user name that is no UTF-8",
            connect(4, 0x82, &body(&[&id, &raw(b"\xff")])),
            Silently,
        ),
        then("MQTT-3.1.0-2", "a second CONNECT", Connect::default().bytes(), Silently),
        then("MQTT-1.5.3-1", "a topic that is no UTF-8", packet(0x30, &raw(b"a\xff")), Silently),
        then("MQTT-1.5.3-1", "a surrogate in a topic", packet(0x30, &raw(b"\xed\xa0\x80")), Silently),
        then("MQTT-1.5.3-2", "NUL in a topic", packet(0x30, &raw(b"a\0")), Silently),
        then("MQTT-2.3.1-1", "PUBLISH with packet id 0", publish(4, 1, 0, "t", b""), Silently),
        then("MQTT-2.3.1-1", "SUBSCRIBE with packet id 0", packet(0x82, &body(&[&[0, 0], &text("t"), &[0]])), Silently),
        then("MQTT-2.3.1-1", "UNSUBSCRIBE with packet id 0", packet(0xA2, &body(&[&[0, 0], &text("t")])), Silently),
        then("MQTT-3.3.1-2", "DUP at QoS 0", packet(0x38, &text("t")), Silently),
        then("MQTT-3.3.1-4", "QoS 3", packet(0x36, &body(&[&text("t"), &[0, 1]])), Silently),
        then("MQTT-3.3.2-1", "no topic", packet(0x30, &[]), Silently),
        then("MQTT-3.3.2-1", "a topic longer than the packet", packet(0x30, b"\0\x09t"), Silently),
        then("MQTT-2.3.1-1", "QoS 1 without a packet id", packet(0x32, &text("t")), Silently),
        then("MQTT-3.3.2-2", "# in a topic", publish(4, 1, 1, "a/#", b""), Silently),
        then("MQTT-3.3.2-2", "+ in a topic", publish(4, 0, 0, "a/+/b", b""), Silently),
        then("MQTT-4.7.3-1", "an empty topic", publish(4, 1, 1, "", b""), Silently),
        then("MQTT-3.6.1-1", "PUBREL with wrong flags", vec![0x60, 2, 0, 1], Silently),
        then("MQTT-3.8.1-1", "SUBSCRIBE with wrong flags", packet(0x80, &body(&[&[0, 1], &text("t"), &[0]])), Silently),
        then(
            "MQTT-3.8.3-1",
            "a filter that is no UTF-8",
            packet(0x82, &body(&[&[0, 1], &raw(b"\xff"), &[0]])),
            Silently,
        ),
        then("MQTT-3.8.3-3", "SUBSCRIBE without a filter", packet(0x82, &[0, 1]), Silently),
        then(
            "MQTT-3-8.3-4",
            "reserved bits beside the QoS",
            packet(0x82, &body(&[&[0, 1], &text("t"), &[0x04]])),
            Silently,
        ),
        then("MQTT-3-8.3-4", "a subscription at QoS 3", packet(0x82, &body(&[&[0, 1], &text("t"), &[3]])), Silently),
        then("3.8.3", "a filter without its QoS", packet(0x82, &body(&[&[0, 1], &text("t")])), Silently),
        then("MQTT-4.7.3-1", "an empty filter", packet(0x82, &body(&[&[0, 1], &text(""), &[0]])), Silently),
        then("MQTT-4.7.3-2", "NUL in a filter", packet(0x82, &body(&[&[0, 1], &raw(b"a\0"), &[0]])), Silently),
        then("MQTT-4.7.1-2", "# within a filter", packet(0x82, &body(&[&[0, 1], &text("a/#/b"), &[0]])), Refused(0x80)),
        then(
            "MQTT-4.7.1-3",
            "+ beside letters in a filter",
            packet(0x82, &body(&[&[0, 1], &text("a+"), &[0]])),
            Refused(0x80),
        ),
        then("MQTT-3.10.1-1", "UNSUBSCRIBE with wrong flags", packet(0xA0, &body(&[&[0, 1], &text("t")])), Silently),
        then("MQTT-3.10.3-1", "UNSUBSCRIBE from no UTF-8", packet(0xA2, &body(&[&[0, 1], &raw(b"\xff")])), Silently),
        then("MQTT-3.10.3-2", "UNSUBSCRIBE from nothing", packet(0xA2, &[0, 1]), Silently),
        then("MQTT-3.14.1-1", "DISCONNECT with a flag", vec![0xE1, 0], Silently),
        then("3.14", "DISCONNECT with a body", vec![0xE0, 1, 0], Silently),
        then("MQTT-2.2.2-2", "PINGREQ with a flag", vec![0xC1, 0], Silently),
        then("3.12", "PINGREQ with a body", vec![0xC0, 1, 0], Silently),
        then("2.2.1", "a packet of type 0", vec![0, 0], Silently),
        then("2.2.1", "a packet of type 15", vec![0xF0, 0], Silently),
        then("2.2.1", "CONNACK from a client", vec![0x20, 2, 0, 0], Silently),
        then("2.2.1", "SUBACK from a client", vec![0x90, 3, 0, 1, 0], Silently),
        then("2.2.1", "UNSUBACK from a client", vec![0xB0, 2, 0, 1], Silently),
        then("2.2.1", "PINGRESP from a client", vec![0xD0, 0], Silently),
        then("MQTT-4.8.0-1", "PUBACK for nothing", vec![0x40, 2, 0, 1], Silently),
        then("2.2.3", "an endless remaining length", vec![0x30, 0xFF, 0xFF, 0xFF, 0xFF], Silently),
    ]
}

#[expect(clippy::too_many_lines, reason = "a table: one rule a line")]
fn new() -> Vec<Rule> {
    let id = text("c");
    let body = |parts: &[&[u8]]| parts.concat();
    // CONNECT without properties.
    let plain = |flags: u8, rest: &[u8]| connect(5, flags, &[&[0][..], rest].concat());
    // SUBSCRIBE, UNSUBSCRIBE without properties.
    let ask = |head: u8, rest: &[u8]| packet(head, &[&[0, 1, 0][..], rest].concat());
    vec![
        opens("MQTT-3.1.0-1", "PUBLISH comes first", publish(5, 1, 1, "t", b""), Silently),
        opens("MQTT-3.1.2-1", "another protocol's name", packet(0x10, b"\0\x04MQTX\x05\x02\0\x3c\0\0\x01c"), Silently),
        opens("MQTT-3.1.2-2", "a version that nobody speaks", connect(6, 2, &body(&[&[0], &id])), TurnedAway(0x84)),
        opens("MQTT-3.1.2-3", "the reserved flag", plain(3, &id), TurnedAway(0x81)),
        opens("MQTT-3.1.2-9", "a will without its topic", plain(6, &body(&[&id, &[0]])), TurnedAway(0x81)),
        opens("MQTT-3.1.2-11", "QoS of no will", plain(0x0A, &id), TurnedAway(0x81)),
        opens("MQTT-3.1.2-12", "a will at QoS 3", with_will(0x1C, &[], b"w"), TurnedAway(0x81)),
        opens("MQTT-3.1.2-13", "no will is to be retained", plain(0x22, &id), TurnedAway(0x81)),
        opens(
            "MQTT-3.1.2-16",
            "a user name that no flag tells of",
            plain(2, &body(&[&id, &text("u")])),
            TurnedAway(0x81),
        ),
        opens("MQTT-3.1.2-17", "no user name where one is told of", plain(0x82, &id), TurnedAway(0x81)),
        opens(
            "MQTT-3.1.2-18",
            "a password that no flag tells of",
            plain(0x82, &body(&[&id, &text("u"), &text("p")])),
            TurnedAway(0x81),
        ),
        opens(
            "MQTT-3.1.2-19",
            "no password where one is told of",
            plain(0xC2, &body(&[&id, &text("u")])),
            TurnedAway(0x81),
        ),
        opens("MQTT-3.1.3-3", "no client id", plain(2, &[]), TurnedAway(0x81)),
        opens("MQTT-3.1.3-4", "a client id that is no UTF-8", plain(2, &raw(b"c\xff")), TurnedAway(0x81)),
        opens("MQTT-1.5.4-2", "NUL in the client id", plain(2, &raw(b"c\0")), TurnedAway(0x81)),
        opens("MQTT-3.1.3-11", "a will topic that is no UTF-8", with_will(4, &[], b"\xff"), TurnedAway(0x81)),
        opens("MQTT-3.1.3-11", "a will topic with a wildcard", with_will(4, &[], b"a/#"), TurnedAway(0x90)),
        opens(
            "MQTT-3.1.3-12",
            "a user name that is no UTF-8",
            plain(0x82, &body(&[&id, &raw(b"\xff")])),
            TurnedAway(0x81),
        ),
        opens(
            "MQTT-1.5.5-1",
            "a property length longer than need be",
            connect(5, 2, &body(&[&[0x80, 0], &id])),
            TurnedAway(0x81),
        ),
        opens("MQTT-2.2.2-1", "properties beyond the packet", connect(5, 2, &[9]), TurnedAway(0x81)),
        opens("2.2.2.2", "a property that there isn't", with(&[0x7F, 0]), TurnedAway(0x81)),
        opens("2.2.2.2", "a property of another packet", with(&[0x23, 0, 1]), TurnedAway(0x82)),
        opens(
            "3.1.2.11.2",
            "Session Expiry Interval twice",
            with(&[0x11, 0, 0, 0, 1, 0x11, 0, 0, 0, 1]),
            TurnedAway(0x82),
        ),
        opens("3.1.2.11.3", "Receive Maximum 0", with(&[0x21, 0, 0]), TurnedAway(0x82)),
        opens("3.1.2.11.3", "Receive Maximum twice", with(&[0x21, 0, 1, 0x21, 0, 1]), TurnedAway(0x82)),
        opens("3.1.2.11.4", "Maximum Packet Size 0", with(&[0x27, 0, 0, 0, 0]), TurnedAway(0x82)),
        opens("3.1.2.11.5", "Topic Alias Maximum twice", with(&[0x22, 0, 0, 0x22, 0, 0]), TurnedAway(0x82)),
        opens("3.1.2.11.6", "Request Response Information 2", with(&[0x19, 2]), TurnedAway(0x82)),
        opens("3.1.2.11.7", "Request Problem Information 2", with(&[0x17, 2]), TurnedAway(0x82)),
        opens("MQTT-1.5.7-1", "a user property that is no UTF-8", with(b"\x26\0\x01\xff\0\x01v"), TurnedAway(0x81)),
        opens("3.1.2.11.10", "Authentication Data without a method", with(b"\x16\0\x01x"), TurnedAway(0x82)),
        opens("MQTT-4.12.0-1", "a method that isn't had here", with(b"\x15\0\x01x"), TurnedAway(0x8C)),
        opens("3.1.3.2.3", "a will's Payload Format Indicator 2", with_will(4, &[1, 2], b"w"), TurnedAway(0x82)),
        opens(
            "3.1.3.2.2",
            "Will Delay Interval twice",
            with_will(4, &[0x18, 0, 0, 0, 1, 0x18, 0, 0, 0, 1], b"w"),
            TurnedAway(0x82),
        ),
        opens("MQTT-3.2.2-12", "a will at QoS 2", with_will(0x14, &[], b"w"), TurnedAway(0x9B)),
        then("MQTT-3.1.0-2", "a second CONNECT", Connect { level: 5, ..Connect::default() }.bytes(), Told(0x82)),
        then("MQTT-1.5.4-1", "a topic that is no UTF-8", said(b"a\xff", &[]), Told(0x81)),
        then("MQTT-1.5.4-1", "a surrogate in a topic", said(b"\xed\xa0\x80", &[]), Told(0x81)),
        then("MQTT-1.5.4-2", "NUL in a topic", said(b"a\0", &[]), Told(0x81)),
        then("MQTT-1.5.5-1", "a remaining length longer than need be", vec![0xC0, 0x80, 0], Told(0x81)),
        then("MQTT-2.1.3-1", "PINGREQ with a flag", vec![0xC1, 0], Told(0x81)),
        then("MQTT-2.2.1-3", "PUBLISH with packet id 0", publish(5, 1, 0, "t", b""), Told(0x81)),
        then(
            "MQTT-2.2.1-3",
            "SUBSCRIBE with packet id 0",
            packet(0x82, &body(&[&[0, 0, 0], &text("t"), &[0]])),
            Told(0x81),
        ),
        then(
            "MQTT-2.2.1-3",
            "UNSUBSCRIBE with packet id 0",
            packet(0xA2, &body(&[&[0, 0, 0], &text("t")])),
            Told(0x81),
        ),
        then("MQTT-2.2.2-1", "PUBLISH without properties", packet(0x30, &text("t")), Told(0x81)),
        then("MQTT-3.3.1-2", "DUP at QoS 0", packet(0x38, &body(&[&text("t"), &[0]])), Told(0x81)),
        then("MQTT-3.3.1-4", "QoS 3", packet(0x36, &body(&[&text("t"), &[0, 1, 0]])), Told(0x81)),
        then("MQTT-3.3.2-1", "a topic longer than the packet", packet(0x30, b"\0\x09t"), Told(0x81)),
        then("MQTT-3.3.2-2", "# in a topic", said(b"a/#", &[]), Told(0x90)),
        then("3.3.2.1", "no topic and no alias", said(b"", &[]), Told(0x82)),
        then("3.3.2.3.2", "Payload Format Indicator 2", said(b"t", &[1, 2]), Told(0x82)),
        then("3.3.2.3.3", "Message Expiry Interval twice", said(b"t", &[2, 0, 0, 0, 1, 2, 0, 0, 0, 1]), Told(0x82)),
        then("MQTT-3.3.2-8", "topic alias 0", said(b"t", &[0x23, 0, 0]), Told(0x82)),
        then("MQTT-3.3.2-9", "a topic alias where none is taken", said(b"t", &[0x23, 0, 1]), Told(0x94)),
        then("MQTT-3.3.2-13", "a response topic that is no UTF-8", said(b"t", b"\x08\0\x01\xff"), Told(0x81)),
        then("MQTT-3.3.2-14", "a response topic with a wildcard", said(b"t", b"\x08\0\x03a/#"), Told(0x82)),
        then("MQTT-3.3.2-19", "a content type that is no UTF-8", said(b"t", b"\x03\0\x01\xff"), Told(0x81)),
        then("MQTT-3.3.4-6", "a subscription identifier from a client", said(b"t", &[0x0B, 1]), Told(0x82)),
        then("2.2.2.2", "a property of another packet", said(b"t", &[0x21, 0, 1]), Told(0x82)),
        then("MQTT-3.2.2-11", "QoS 2, which was ruled out", packet(0x34, &body(&[&text("t"), &[0, 1, 0]])), Told(0x9B)),
        then("MQTT-3.2.2-15", "a packet larger than was allowed", packet(0x30, &[0; 5000]), Told(0x95)),
        then("MQTT-3.6.1-1", "PUBREL with wrong flags", vec![0x60, 2, 0, 1], Told(0x81)),
        then("MQTT-3.8.1-1", "SUBSCRIBE with wrong flags", ask(0x80, &body(&[&text("t"), &[0]])), Told(0x81)),
        then("MQTT-3.8.3-1", "a filter that is no UTF-8", ask(0x82, &body(&[&raw(b"\xff"), &[0]])), Told(0x81)),
        then("MQTT-3.8.3-2", "SUBSCRIBE without a filter", ask(0x82, &[]), Told(0x82)),
        then(
            "MQTT-3.8.3-4",
            "No Local on a shared subscription",
            ask(0x82, &body(&[&text("$share/g/t"), &[0x04]])),
            Told(0x82),
        ),
        then("MQTT-3.8.3-5", "reserved bits in the options", ask(0x82, &body(&[&text("t"), &[0x40]])), Told(0x81)),
        then("3.8.3.1", "a subscription at QoS 3", ask(0x82, &body(&[&text("t"), &[3]])), Told(0x82)),
        then("3.8.3.1", "Retain Handling 3", ask(0x82, &body(&[&text("t"), &[0x30]])), Told(0x82)),
        then(
            "3.8.2.1.2",
            "Subscription Identifier 0",
            packet(0x82, &body(&[&[0, 1, 2, 0x0B, 0], &text("t"), &[0]])),
            Told(0x82),
        ),
        then(
            "3.2.2.3.12",
            "a Subscription Identifier, which was ruled out",
            packet(0x82, &body(&[&[0, 1, 2, 0x0B, 1], &text("t"), &[0]])),
            Told(0xA1),
        ),
        then("MQTT-4.7.3-1", "an empty filter", ask(0x82, &body(&[&text(""), &[0]])), Told(0x81)),
        then("MQTT-4.7.1-1", "# within a filter", ask(0x82, &body(&[&text("a/#/b"), &[0]])), Refused(0x8F)),
        then("MQTT-4.7.1-2", "+ beside letters in a filter", ask(0x82, &body(&[&text("a+"), &[0]])), Refused(0x8F)),
        then("MQTT-3.10.1-1", "UNSUBSCRIBE with wrong flags", ask(0xA0, &text("t")), Told(0x81)),
        then("MQTT-3.10.3-1", "UNSUBSCRIBE from no UTF-8", ask(0xA2, &raw(b"\xff")), Told(0x81)),
        then("MQTT-3.10.3-2", "UNSUBSCRIBE from nothing", ask(0xA2, &[]), Told(0x82)),
        then("MQTT-3.14.1-1", "DISCONNECT with a flag", vec![0xE1, 0], Told(0x81)),
        then("3.14.2", "DISCONNECT with more than it has", vec![0xE0, 3, 0, 0, 0], Told(0x81)),
        then("MQTT-3.15.1-1", "AUTH with a flag", vec![0xF1, 0], Told(0x81)),
        then("MQTT-4.12.0-6", "AUTH that nobody began", vec![0xF0, 0], Told(0x82)),
        then("3.12", "PINGREQ with a body", vec![0xC0, 1, 0], Told(0x81)),
        then("2.1.2", "a packet of type 0", vec![0, 0], Told(0x81)),
        then("2.1.2", "CONNACK from a client", vec![0x20, 3, 0, 0, 0], Told(0x82)),
        then("2.1.2", "SUBACK from a client", vec![0x90, 4, 0, 1, 0, 0], Told(0x82)),
        then("2.1.2", "PINGRESP from a client", vec![0xD0, 0], Told(0x82)),
        then("4.13.1", "PUBACK for nothing", vec![0x40, 2, 0, 1], Told(0x82)),
    ]
}

/// Sends presses, each after the previous one's acknowledgement, until it has sent 500 and `stop` is cancelled. Returns
/// their number.
async fn press_on(fixture: SocketAddr, level: u8, stop: CancellationToken) -> u32 {
    let mut client = Raw::guest(fixture, level, "good").await;
    let mut pressed = 0;
    while pressed < 500 || !stop.is_cancelled() {
        let id = u16::try_from(pressed % 60_000).expect("small") + 1;
        client.send(&publish(level, 1, id, "obedio/button/7/pressed", b"{}")).await;
        let [high, low] = id.to_be_bytes();
        assert_eq!(client.packet().await, [0x40, 2, high, low][..], "press {pressed}");
        pressed += 1;
    }
    pressed
}

/// Commits a violation; returns the listener's reaction if it differs from the rule's.
async fn objection(fixture: SocketAddr, level: u8, rule: &Rule) -> Option<String> {
    let mut client = if rule.opens { Raw::connect(fixture).await } else { Raw::guest(fixture, level, "bad").await };
    client.send(&rule.bytes).await;
    let told = client.next().await;
    let as_expected = match (&rule.ends, &told) {
        (Silently, None) => return None,
        (TurnedAway(code), Some(packet)) => packet[0] == 0x20 && packet[3] == *code,
        (Told(reason), Some(packet)) => packet[0] == 0xE0 && packet[2] == *reason,
        (Refused(code), Some(packet)) => {
            client.ping().await;
            return (packet[0] != 0x90 || packet.last() != Some(code)).then(|| format!("{packet:02x?}"));
        }
        (Silently, Some(_)) | (TurnedAway(_) | Told(_) | Refused(_), None) => false,
    };
    if !as_expected {
        return Some(format!("{told:02x?}, not {:02x?}", rule.ends));
    }
    client.next().await.map(|more| format!("goes on with {more:02x?}"))
}

async fn check(level: u8, rules: Vec<Rule>) {
    let fixture = Fixture::with(Limits { packet_size: 4096, ..Limits::default() }, None).await.takes_all();
    let stop = CancellationToken::new();
    let good = tokio::spawn(press_on(fixture, level, stop.clone()));
    let mut objections = Vec::new();
    for rule in &rules {
        if let Some(seen) = objection(fixture, level, rule).await {
            objections.push(format!("[{}] {}: {seen}", rule.clause, rule.what));
        }
    }
    stop.cancel();
    let pressed = good.await.expect("the good client is served throughout");
    assert!(objections.is_empty(), "{objections:#?}");
    assert!(pressed >= 500, "{pressed}");
}

#[tokio::test]
async fn each_rule_of_mqtt_3_1_1_ends_whoever_breaks_it_and_disturbs_nobody() {
    let rules = old();
    assert!(rules.len() >= 27);
    check(4, rules).await;
}

#[tokio::test]
async fn each_rule_of_mqtt_5_ends_whoever_breaks_it_with_the_right_code_and_disturbs_nobody() {
    let rules = new();
    assert!(rules.len() >= 36);
    check(5, rules).await;
}

#[tokio::test]
async fn a_client_that_takes_no_topic_aliases_is_served() {
    let fixture = Fixture::open().await.takes_all();
    for properties in [&[0x22, 0, 0][..], &[0x21, 0, 9, 0x22, 0, 0], &[0x22, 0xFF, 0xFF], &[0x22, 0, 1]] {
        let mut client = Raw::connect(fixture).await;
        client.send(&with(properties)).await;
        let connack = client.packet().await;
        assert_eq!((connack[0], connack[3]), (0x20, 0), "{properties:x?}: {connack:02x?}");
        client.send(&publish(5, 1, 1, "obedio/button/7/pressed", b"{}")).await;
        assert_eq!(client.packet().await, [0x40, 2, 0, 1][..]);
    }
}

#[tokio::test]
async fn a_password_without_a_user_name_is_answered_in_mqtt_5() {
    let fixture = Fixture::open().await.takes_all();
    let mut client = Raw::connect(fixture).await;
    client.send(&connect(5, 0x42, &[&[0][..], &text("c"), &text("secret")].concat())).await;
    assert_eq!(client.packet().await, [0x20, 3, 0, 0x86, 0][..]);
    assert_eq!(client.next().await, None);
}
