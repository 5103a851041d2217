//! `Zigbee2MQTT`: `zigbee2mqtt/{friendly name}` with `{"action": "single", "battery": 87, …}`, and `…/availability`.
//!
//! After each press an empty `action` follows, and any report of the device's state comes on the same topic; both
//! are health at most. Actions are words joined by `_` that may name a key: `2_double`, `button_1_hold`,
//! `single_left`. The first key is the main one. Releases end a press that has rung. `linkquality` is not a
//! signal strength in dBm and is not read.

use crewbell_shared::button::{Evidence, Key, PressKind, SeenPress, Vitals};
use serde_json::Value;

use super::fields::{Fields, online, text_of};
use super::original::no_press;
use super::said::{Ignored, Said};
use super::words::{self, Way};
use super::{Message, Understood};

pub(super) fn decode(availability: bool, message: &Message<'_>) -> Understood {
    if availability {
        let word = match Fields::parse(message.payload) {
            Ok(fields) => fields.text(&["state"]).unwrap_or_default(),
            Err(_) => text_of(message.payload)?.to_owned(),
        };
        let online = online(&word).ok_or(Ignored::UnknownShape("an availability that is neither on nor off"))?;
        return Ok(Said::Health(Vitals { online: Some(online), ..Vitals::default() }));
    }
    let fields = Fields::parse(message.payload)?;
    let vitals = Vitals {
        battery_percent: fields.battery(&["battery"]),
        firmware: fields.text(&["software_build_id"]),
        ..Vitals::default()
    };
    let action = match fields.get(&["action"]) {
        // What the broker kept is the device's last state; its action rang when it happened.
        Some(_) if message.retained => return no_press(vitals, Ignored::Retained),
        Some(Value::String(action)) => action.trim().to_ascii_lowercase(),
        Some(_) => return Err(Ignored::UnknownShape("an action that is not text")),
        None if fields.has(&["action"]) => String::new(),
        None => return no_press(vitals, Ignored::NotAPress),
    };
    if action.is_empty() {
        return no_press(vitals, Ignored::EmptyAction);
    }
    match read_action(&action) {
        Way::Press(kind) => Ok(Said::Press(SeenPress {
            kind,
            key: key_of(&action),
            evidence: Evidence::Nothing,
            device_press_id: None,
            device_time: fields.date(&["last_seen"]),
            vitals,
            transcript: None,
            audio_url: None,
        })),
        Way::NoPress | Way::Heartbeat => no_press(vitals, Ignored::NotAPress),
        Way::Unknown => Err(Ignored::UnknownShape("an action that is not known")),
    }
}

/// Reads an action word by word: an alarm wins, then a release, then the most urgent way of pressing.
fn read_action(action: &str) -> Way {
    if words::is_alarm(action) {
        return Way::Press(PressKind::Emergency);
    }
    let ways = || {
        action.split('_').map(|word| match word {
            // Remotes name their keys by what they would do to a lamp.
            "on" | "off" | "toggle" => Way::Press(PressKind::Single),
            // A direction and a part of a key's name here; a release and a press elsewhere.
            "up" | "button" => Way::Unknown,
            word => words::way(word),
        })
    };
    if ways().any(|way| matches!(way, Way::NoPress | Way::Heartbeat)) {
        return Way::NoPress;
    }
    let kinds = ways().filter_map(|way| match way {
        Way::Press(kind) => Some(kind),
        Way::NoPress | Way::Heartbeat | Way::Unknown => None,
    });
    kinds.max_by_key(|&kind| words::urgency(kind)).map_or(Way::Unknown, Way::Press)
}

fn key_of(action: &str) -> Key {
    let numbered = action.split('_').find_map(|word| word.parse::<u64>().ok());
    match numbered {
        Some(number) => words::key_at(number.saturating_sub(1)),
        None if action.split('_').any(|word| word == "right") => Key::Aux1,
        None => Key::Main,
    }
}
