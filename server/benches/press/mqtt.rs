//! A minimal MQTT 3.1.1 client for buttons (the numbers are the standard's sections).
//!
//! A client library would use more processor time than the press itself, on the cores that are being measured.

use anyhow::{Result, bail};

pub(crate) const CONNACK: u8 = 2;
pub(crate) const PUBLISH: u8 = 3;
pub(crate) const PUBACK: u8 = 4;
pub(crate) const SUBACK: u8 = 9;
/// The keep-alive in seconds; longer than any measurement, so that no pings are needed (3.1.2.10).
const KEEP_ALIVE: u16 = 300;

/// Builds a CONNECT with a clean session (3.1). Without a user name it is anonymous.
pub(crate) fn connect(client_id: &str, username: &str, password: &str) -> Vec<u8> {
    let mut body = Vec::new();
    string(&mut body, "MQTT");
    let flags = if username.is_empty() { 0b0000_0010 } else { 0b1100_0010 };
    body.extend([4, flags]);
    body.extend(KEEP_ALIVE.to_be_bytes());
    string(&mut body, client_id);
    if !username.is_empty() {
        string(&mut body, username);
        string(&mut body, password);
    }
    let mut packet = Vec::new();
    frame(&mut packet, 0x10, &body);
    packet
}

/// Appends a PUBLISH with QoS 1 (3.3).
pub(crate) fn publish(out: &mut Vec<u8>, topic: &str, packet_id: u16, payload: &str) {
    out.push(0x32);
    remaining_length(out, 2 + topic.len() + 2 + payload.len());
    string(out, topic);
    out.extend(packet_id.to_be_bytes());
    out.extend(payload.as_bytes());
}

/// Builds a SUBSCRIBE to one filter at QoS 1 (3.8).
pub(crate) fn subscribe(filter: &str) -> Vec<u8> {
    let mut body = 1_u16.to_be_bytes().to_vec();
    string(&mut body, filter);
    body.push(1);
    let mut packet = Vec::new();
    frame(&mut packet, 0x82, &body);
    packet
}

/// Builds a PUBACK (3.4).
pub(crate) fn puback(packet_id: u16) -> [u8; 4] {
    let [high, low] = packet_id.to_be_bytes();
    [0x40, 2, high, low]
}

fn string(out: &mut Vec<u8>, text: &str) {
    out.extend(u16::try_from(text.len()).unwrap_or(u16::MAX).to_be_bytes());
    out.extend(text.as_bytes());
}

fn frame(out: &mut Vec<u8>, first: u8, body: &[u8]) {
    out.push(first);
    remaining_length(out, body.len());
    out.extend(body);
}

/// Appends a remaining length: seven bits a byte, the lowest first (2.2.3).
fn remaining_length(out: &mut Vec<u8>, mut length: usize) {
    loop {
        let byte = u8::try_from(length % 128).unwrap_or_default();
        length /= 128;
        out.push(if length > 0 { byte | 0x80 } else { byte });
        if length == 0 {
            return;
        }
    }
}

/// A received packet.
pub(crate) struct Packet<'a> {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) body: &'a [u8],
}

impl<'a> Packet<'a> {
    /// Returns the packet id in the first two bytes of packets that have it there (PUBACK, SUBACK).
    pub(crate) fn packet_id(&self) -> u16 {
        number_at(self.body, 0)
    }

    /// Returns a PUBLISH's topic, packet id (0 at QoS 0) and payload.
    pub(crate) fn published(&self) -> (&'a [u8], u16, &'a [u8]) {
        let (topic, rest) = split(self.body.get(2..).unwrap_or_default(), number_at(self.body, 0).into());
        if self.flags & 0b0110 == 0 {
            return (topic, 0, rest);
        }
        (topic, number_at(rest, 0), rest.get(2..).unwrap_or_default())
    }
}

fn number_at(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..at + 2).map_or(0, |two| u16::from_be_bytes([two[0], two[1]]))
}

fn split(bytes: &[u8], at: usize) -> (&[u8], &[u8]) {
    bytes.split_at_checked(at).unwrap_or((bytes, &[]))
}

/// A buffer of received bytes, which is read as packets.
#[derive(Default)]
pub(crate) struct Inbox {
    bytes: Vec<u8>,
}

impl Inbox {
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Passes every complete packet to `each` and keeps the rest.
    pub(crate) fn drain(&mut self, mut each: impl FnMut(Packet<'_>)) -> Result<()> {
        let mut done = 0;
        while let Some((header, length)) = header_and_length(&self.bytes[done..])? {
            let Some(body) = self.bytes.get(done + header..done + header + length) else {
                break;
            };
            let first = self.bytes[done];
            each(Packet { kind: first >> 4, flags: first & 0x0f, body });
            done += header + length;
        }
        self.bytes.drain(..done);
        Ok(())
    }
}

fn header_and_length(bytes: &[u8]) -> Result<Option<(usize, usize)>> {
    let mut length = 0;
    for (index, byte) in bytes.iter().skip(1).take(4).enumerate() {
        length |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Ok(Some((index + 2, length)));
        }
    }
    if bytes.len() > 4 {
        bail!("a remaining length of more than four bytes");
    }
    Ok(None)
}
