//! `LoRaWAN` frames, common to all network servers.
//!
//! Our own payload, on port 1, is 4 bytes: kind (0 single, 1 double, 2 long, 3 shake, 4 emergency; 16 + n for auxiliary
//! key n), battery in percent, and a counter of presses in two bytes, high byte first. A radio button repeats its press
//! in several frames, so the counter identifies the press. The frame number identifies a frame that a network server
//! delivers twice under different ids. A payload truncated after the kind still rings.
//!
//! Other makers' payloads are read by the site's [`RadioTable`], or by a word of its vocabulary: the port, a colon, and
//! the payload in hexadecimal digits (`85:ff0103`).

use std::fmt::Write as _;

use crewbell_shared::button::{ButtonKey, Evidence, PressKind, SeenPress, Telemetry};
use jiff::Timestamp;

use super::battery::percent;
use super::decoded::{Heard, Ignored, Said, press};
use super::original::no_press;
use super::radio_table::{RadioPort, RadioTable};
use super::{Message, Understood};

/// Port of our own firmware.
const OUR_PORT: u64 = 1;
/// Maximum number of payload bytes in a word.
const WORD_BYTES: usize = 40;

/// The event types of a network server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    Up,
    Status,
    Join,
    /// Acknowledgements, logs, positions.
    Other,
}

impl Event {
    /// The event type for the last level of a topic.
    pub(super) fn from_level(level: &str) -> Option<Self> {
        match level {
            "up" | "uplink" => Some(Self::Up),
            "status" => Some(Self::Status),
            "join" => Some(Self::Join),
            "ack" | "txack" | "log" | "location" | "integration" | "error" | "downlink" => Some(Self::Other),
            _ => None,
        }
    }
}

/// An uplink frame.
#[derive(Debug, Default)]
pub(super) struct Frame {
    /// Port. Port 0 and frames without data belong to the radio itself.
    pub(super) port: u64,
    pub(super) data: Vec<u8>,
    /// Frame counter since the last join.
    pub(super) count: Option<u64>,
    /// The network server's id of this delivery.
    pub(super) name: Option<String>,
    pub(super) time: Option<Timestamp>,
    pub(super) vitals: Telemetry,
}

/// Decodes a join, which restarts the radio's counters. A retained join says nothing about the present.
pub(super) fn decode_join(message: &Message<'_>) -> Understood {
    if message.retained {
        return Err(Ignored::Retained);
    }
    message.one(Ok(Said::Health(Telemetry { booted: true, ..Telemetry::default() })))
}

pub(super) fn decode_frame(frame: Frame, message: &Message<'_>, table: &RadioTable) -> Understood {
    let Frame { port, data, count, name, time, mut vitals } = frame;
    if port == 0 || data.is_empty() {
        return message.one(no_press(vitals, Ignored::Heartbeat));
    }
    let named = || name.clone().filter(|name| name.len() <= 128).map_or(Evidence::Nothing, Evidence::Named);
    let framed = |counter| match (count, counter) {
        (Some(frame), counter) => Evidence::Framed { frame, counter },
        (None, Some(counter)) => Evidence::Counted { counter, uptime_ms: None },
        (None, None) => named(),
    };
    let mut word = format!("{port}:");
    for byte in data.iter().take(WORD_BYTES) {
        // Writing to a string never fails.
        let _ = write!(word, "{byte:02x}");
    }
    let mut counter = None;
    let pressed = if let Some(taught) = message.taught(&word) {
        Some((taught.kind, taught.key))
    } else if let Some(foreign) = table.port(port) {
        vitals.battery_percent = byte(&data, foreign.battery_offset).and_then(|b| percent(f64::from(b)));
        read_foreign(&data, foreign)
    } else if port == OUR_PORT {
        if let Some(&charge) = data.get(1) {
            vitals.battery_percent = percent(f64::from(charge));
        }
        counter = data.get(2..4).map(|bytes| u64::from(u16::from_be_bytes([bytes[0], bytes[1]])));
        Some(read_ours(data[0]).ok_or(Ignored::UnknownWord(word.clone().into()))?)
    } else {
        return Err(Ignored::UnknownWord(word.into()));
    };
    let Some((kind, key)) = pressed else {
        return message.one(no_press(vitals, Ignored::Heartbeat));
    };
    let device_press_id = counter.or(count).map(|count| count.to_string());
    let seen = SeenPress { evidence: framed(counter), device_press_id, device_time: time, vitals, ..press(kind, key) };
    // The network server's metadata differs from one delivery to the next.
    Ok(vec![Heard::press(seen, format!("{} {word}", count.unwrap_or_default()))])
}

fn read_ours(kind: u8) -> Option<(PressKind, ButtonKey)> {
    match kind {
        0 => Some((PressKind::Single, ButtonKey::Main)),
        1 => Some((PressKind::Double, ButtonKey::Main)),
        2 => Some((PressKind::Long, ButtonKey::Main)),
        3 => Some((PressKind::Shake, ButtonKey::Main)),
        4 => Some((PressKind::Emergency, ButtonKey::Main)),
        17 => Some((PressKind::Single, ButtonKey::Aux1)),
        18 => Some((PressKind::Single, ButtonKey::Aux2)),
        19 => Some((PressKind::Single, ButtonKey::Aux3)),
        20 => Some((PressKind::Single, ButtonKey::Aux4)),
        _ => None,
    }
}

fn read_foreign(data: &[u8], port: &RadioPort) -> Option<(PressKind, ButtonKey)> {
    let value = data.get(port.offset)?;
    port.presses.iter().find(|press| press.value == *value).map(|press| (press.kind, press.key))
}

fn byte(data: &[u8], offset: Option<usize>) -> Option<u8> {
    data.get(offset?).copied()
}
