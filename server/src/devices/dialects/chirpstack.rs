//! `ChirpStack` v4 (`LoRaWAN`): `application/{id}/device/{devEui}/event/up`, `…/status`, `…/join`.
//!
//! Our own payload, on port 1, is 4 bytes: kind (0 single, 1 double, 2 long, 3 shake, 4 emergency; 16 + n for
//! auxiliary key n), battery in percent, and a counter of presses in two bytes, high byte first: a button on the air
//! repeats its press in several uplinks. A payload cut short after the kind still rings. Other makers' payloads are read
//! by the site's [`RadioTable`]. An uplink is known by its frame counter `fCnt`, which rises until a join; its
//! `deduplicationId` is another when a gateway brings it late, and names it only where there is no counter.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crewbell_shared::button::{Evidence, Key, PressKind, SeenPress, Vitals};

use super::fields::{Fields, percent};
use super::original::no_press;
use super::radio_table::{RadioPort, RadioTable};
use super::said::{Ignored, Said};
use super::{Message, Understood};

/// Our own firmware's port.
const OUR_PORT: u64 = 1;

/// Which of a device's events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    Up,
    Status,
    Join,
    /// Acknowledgements, logs, positions.
    Other,
}

impl Event {
    pub(super) fn from_topic(event: &str) -> Option<Self> {
        match event {
            "up" => Some(Self::Up),
            "status" => Some(Self::Status),
            "join" => Some(Self::Join),
            "ack" | "txack" | "log" | "location" | "integration" => Some(Self::Other),
            _ => None,
        }
    }
}

pub(super) fn decode(event: Event, message: &Message<'_>, table: &RadioTable) -> Understood {
    if event == Event::Other {
        return Err(Ignored::NotAPress);
    }
    let fields = Fields::parse(message.payload)?;
    match event {
        Event::Up => decode_up(&fields, table),
        Event::Status => {
            let unavailable = fields.yes(&["batteryLevelUnavailable", "externalPowerSource"]);
            let battery_percent = fields.battery(&["batteryLevel"]).filter(|_| !unavailable);
            no_press(Vitals { battery_percent, ..Vitals::default() }, Ignored::Heartbeat)
        }
        // A join that the broker kept tells nothing about now.
        Event::Join if message.retained => Err(Ignored::Retained),
        Event::Join => Ok(Said::Health(Vitals { booted: true, ..Vitals::default() })),
        Event::Other => Err(Ignored::NotAPress),
    }
}

fn decode_up(fields: &Fields, table: &RadioTable) -> Understood {
    let best_rssi = fields.objects("rxInfo").iter().filter_map(|rx| rx.rssi(&["rssi"])).max();
    let mut vitals = Vitals { rssi_dbm: best_rssi, ..Vitals::default() };
    let port = fields.whole(&["fPort"]).unwrap_or(0);
    let data = match fields.text(&["data"]) {
        Some(text) => STANDARD.decode(text).map_err(|_| Ignored::UnknownShape("data that is not base64"))?,
        None => Vec::new(),
    };
    // Port 0, and frames without data, belong to the radio itself.
    if port == 0 || data.is_empty() {
        return no_press(vitals, Ignored::Heartbeat);
    }
    let name = fields.text(&["deduplicationId"]).filter(|id| id.len() <= 128);
    let frame = fields.whole(&["fCnt"]);
    let framed = |counter| frame.map(|frame| Evidence::Framed { frame, counter });
    let evidence = framed(None).unwrap_or_else(|| name.map_or(Evidence::Nothing, Evidence::Named));
    let frame = frame.map(|count| count.to_string());
    let (pressed, evidence, device_press_id) = if let Some(foreign) = table.port(port) {
        vitals.battery_percent = byte(&data, foreign.battery_offset).and_then(|b| percent(f64::from(b)));
        (read_foreign(&data, foreign), evidence, frame)
    } else if port == OUR_PORT {
        vitals.battery_percent = byte(&data, Some(1)).and_then(|b| percent(f64::from(b)));
        let pressed = read_ours(data[0]).ok_or(Ignored::UnknownShape("a kind that is not known on port 1"))?;
        match (data.get(2), data.get(3)) {
            (Some(&high), Some(&low)) => {
                let counter = u64::from(u16::from_be_bytes([high, low]));
                let numbered = framed(Some(counter)).unwrap_or(Evidence::Counted { counter, uptime_ms: None });
                (Some(pressed), numbered, Some(counter.to_string()))
            }
            _ => (Some(pressed), evidence, frame),
        }
    } else {
        return Err(Ignored::UnknownShape("a port that the radio table doesn't hold"));
    };
    let Some((kind, key)) = pressed else {
        return no_press(vitals, Ignored::Heartbeat);
    };
    Ok(Said::Press(SeenPress {
        kind,
        key,
        evidence,
        device_press_id,
        device_time: fields.date(&["time"]),
        vitals,
        transcript: None,
        audio_url: None,
    }))
}

fn read_ours(kind: u8) -> Option<(PressKind, Key)> {
    match kind {
        0 => Some((PressKind::Single, Key::Main)),
        1 => Some((PressKind::Double, Key::Main)),
        2 => Some((PressKind::Long, Key::Main)),
        3 => Some((PressKind::Shake, Key::Main)),
        4 => Some((PressKind::Emergency, Key::Main)),
        17 => Some((PressKind::Single, Key::Aux1)),
        18 => Some((PressKind::Single, Key::Aux2)),
        19 => Some((PressKind::Single, Key::Aux3)),
        20 => Some((PressKind::Single, Key::Aux4)),
        _ => None,
    }
}

fn read_foreign(data: &[u8], port: &RadioPort) -> Option<(PressKind, Key)> {
    let value = data.get(port.offset)?;
    port.presses.iter().find(|press| press.value == *value).map(|press| (press.kind, press.key))
}

fn byte(data: &[u8], offset: Option<usize>) -> Option<u8> {
    data.get(offset?).copied()
}
