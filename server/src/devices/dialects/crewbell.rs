//! Our own firmware: `{prefix}/button/{id}/pressed` with
//! `{"press_id": "<boot id>-<n>", "kind": "single", "key": "main", "battery": 87, "rssi": -61, "uptime_ms": 123456}`.
//!
//! A message that names its press is a press: a kind or key that this version doesn't know rings as a single
//! press of the main key, unless the kind is a word for no press at all.

use crewbell_shared::button::{Evidence, Key, PressKind, SeenPress, Vitals};

use super::fields::Fields;
use super::said::{Ignored, Said};
use super::words::{self, Way};
use super::{Understood, original};

/// Longest press id taken as a name, in bytes; a longer one still rings, unnamed.
const PRESS_ID_MAX: usize = 128;

/// Tells our firmware's messages from the original firmware's on the same topic.
pub(super) fn is_ours(fields: &Fields) -> bool {
    fields.has(&["press_id", "kind"])
}

pub(super) fn decode_press(fields: &Fields) -> Understood {
    let press_id = fields.text(&["press_id"]).filter(|id| is_press_id(id));
    let key = fields.text(&["key"]);
    let known_key = key.as_deref().map_or(Some(Key::Main), words::key);
    let vitals = vitals(fields);
    if original::is_heartbeat(fields) {
        return original::no_press(vitals, Ignored::Heartbeat);
    }
    let kind = match fields.text(&["kind"]).as_deref().map(words::way) {
        Some(Way::Press(kind)) => kind,
        Some(Way::Heartbeat) => return original::no_press(vitals, Ignored::Heartbeat),
        Some(Way::NoPress) => return original::no_press(vitals, Ignored::NotAPress),
        Some(Way::Unknown) | None if press_id.is_some() => PressKind::Single,
        Some(Way::Unknown) => {
            return Err(Ignored::UnknownShape("a kind that is not known, without a press id"));
        }
        None => return Err(Ignored::UnknownShape("neither a kind nor a press id")),
    };
    let kind = if key.as_deref().is_some_and(words::is_alarm) { PressKind::Emergency } else { kind };
    Ok(Said::Press(SeenPress {
        kind,
        key: known_key.unwrap_or(Key::Main),
        evidence: press_id.clone().map_or(Evidence::Nothing, Evidence::Named),
        device_press_id: press_id,
        device_time: fields.date(&["time", "timestamp"]),
        vitals,
        transcript: fields.text(&["transcript"]),
        audio_url: fields.text(&["audio_url"]),
    }))
}

fn vitals(fields: &Fields) -> Vitals {
    Vitals {
        battery_percent: fields.battery(&["battery"]),
        rssi_dbm: fields.rssi(&["rssi"]),
        firmware: fields.text(&["firmware"]),
        uptime_ms: fields.whole(&["uptime_ms"]),
        ..Vitals::default()
    }
}

fn is_press_id(id: &str) -> bool {
    id.len() <= PRESS_ID_MAX && !id.chars().any(char::is_control)
}
