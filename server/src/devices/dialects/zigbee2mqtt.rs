//! `Zigbee2MQTT`: `{base}/{friendly name}` with `{"action": "single", "battery": 87, …}`, `…/availability`, and
//! `…/action` with the action as a plain word, alone or beside the JSON.
//!
//! After each press an empty `action` follows, and all reports of the device's state use the same topic; both are
//! health at most. Older bridges use `click` for `action`. `linkquality` is not a signal strength in dBm and is not
//! read.
//!
//! Actions are words joined by `_` or `-` that may name a key: `2_double`, `button_1_hold`, `single_left`, `scene_2`,
//! `bell1`. Numbered keys count from the main key. A key with another name (`right`, `up`) rings as the main key until
//! the site defines it: a guess could switch do-not-disturb. Releases end a press that has rung; actions that turn,
//! dim, move or lock are not presses.

use crewbell_shared::button::{ButtonKey, PressKind, SeenPress, Telemetry};

use super::super::reading::Value;
use super::battery::untold;
use super::decoded::{Heard, Ignored, Said, press};
use super::fields::{online, text_of};
use super::original::no_press;
use super::vocabulary::{self, WordMeaning};
use super::{Message, Understood};

/// The topics of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    State,
    Availability,
    /// The action as a plain word.
    Action,
}

pub(super) fn decode(part: Part, message: &Message<'_>) -> Understood {
    match part {
        Part::Availability => {
            let word = match message.fields() {
                Ok(fields) => fields.text(&["state"]).unwrap_or_default(),
                Err(_) => text_of(message.payload)?,
            };
            let online = online(&word).ok_or(Ignored::UnknownShape("an availability that is neither on nor off"))?;
            message.one(Ok(Said::Health(Telemetry { online: Some(online), ..Telemetry::default() })))
        }
        Part::Action => {
            let word = text_of(message.payload)?;
            decode_action(message, word.trim_matches('"'), press(PressKind::Single, ButtonKey::Main))
                .map(|heard| vec![heard])
        }
        Part::State => decode_state(message),
    }
}

fn decode_state(message: &Message<'_>) -> Understood {
    let fields = message.fields()?;
    let vitals = Telemetry {
        battery_percent: fields.battery(&["battery"]),
        firmware: fields.text(&["software_build_id"]),
        ..Telemetry::default()
    };
    let seen = SeenPress {
        device_time: fields.date(&["last_seen"]),
        vitals: vitals.clone(),
        ..press(PressKind::Single, ButtonKey::Main)
    };
    let action = match fields.get(&["action"]).or_else(|| fields.get(&["click"])) {
        // A retained message is the device's last state; its action rang when it happened.
        Some(_) if message.retained => return message.one(no_press(vitals, Ignored::Retained)),
        Some(Value::Text(action)) => action.trim(),
        Some(_) => return Err(Ignored::UnknownShape("an action that is not text")),
        None if fields.is_damaged(&["action", "click"]) => {
            return Err(Ignored::Damaged("its action can't be read"));
        }
        None if fields.has(&["action", "click"]) => "",
        None => return message.one(no_press(vitals, Ignored::NotAPress)),
    };
    match decode_action(message, action, seen) {
        Err(why @ (Ignored::EmptyAction | Ignored::NotAPress)) => message.one(no_press(vitals, why)),
        heard => heard.map(|heard| vec![heard]),
    }
}

/// Decodes an attribute on a topic of its own, as a bridge publishes them if so configured.
pub(super) fn decode_attribute(name: &str, payload: &[u8]) -> Result<Said, Ignored> {
    let charge = text_of(payload)?;
    let battery_percent = (name == "battery").then(|| untold(&Value::Text(charge))).flatten();
    no_press(Telemetry { battery_percent, ..Telemetry::default() }, Ignored::NotAPress)
}

fn decode_action(message: &Message<'_>, action: &str, seen: SeenPress) -> Result<Heard, Ignored> {
    if message.retained {
        return Err(Ignored::Retained);
    }
    if action.is_empty() {
        return Err(Ignored::EmptyAction);
    }
    if action.contains(char::is_control) {
        return Err(Ignored::Damaged("its action can't be read"));
    }
    let parts = parts(&action.to_ascii_lowercase());
    let (kind, key) = match (message.taught(action), read_action(action, &parts)) {
        (Some(word), _) => (word.kind, word.key),
        (None, WordMeaning::Press(kind)) => (kind, key_of(message, &parts)),
        (None, WordMeaning::NoPress | WordMeaning::Heartbeat) => return Err(Ignored::NotAPress),
        (None, WordMeaning::Unknown) => return Err(Ignored::UnknownWord(action.to_owned().into())),
    };
    // The same action arrives as JSON and as a plain word, and twice within milliseconds with different signal
    // strengths.
    Ok(Heard::press(SeenPress { kind, key, ..seen }, action.to_ascii_lowercase()))
}

/// Splits an action into words and numbers: `button1_hold` is `button`, `1`, `hold`.
fn parts(action: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut before = None;
    for c in action.chars() {
        let sort = if c.is_ascii_digit() { Some(true) } else { c.is_alphanumeric().then_some(false) };
        if sort.is_some() {
            if sort != before {
                parts.push(String::new());
            }
            if let Some(part) = parts.last_mut() {
                part.push(c);
            }
        }
        before = sort;
    }
    parts
}

/// Words for turning, dimming, moving, locking or arming: an action that contains one is not a press.
const NO_KEYS: [&str; 24] = [
    "brightness",
    "color",
    "colour",
    "hue",
    "saturation",
    "temperature",
    "volume",
    "rotate",
    "rotation",
    "dial",
    "cover",
    "open",
    "close",
    "stop",
    "lock",
    "unlock",
    "locked",
    "unlocked",
    "move",
    "step",
    "skip",
    "flip",
    "slide",
    "tilt",
];

/// Names of keys: a press if nothing else gives the kind.
const KEYS: [&str; 10] = ["on", "off", "toggle", "up", "down", "scene", "recall", "bell", "key", "button"];

/// Reads an action word by word. In order of precedence: an emergency, a release, a word that isn't a key, the most
/// urgent kind of press, the name of a key alone.
fn read_action(action: &str, parts: &[String]) -> WordMeaning {
    if vocabulary::is_alarm(action) {
        return WordMeaning::Press(PressKind::Emergency);
    }
    let ways = || parts.iter().filter(|part| !KEYS.contains(&part.as_str())).map(|part| vocabulary::way(part));
    if ways().any(|way| matches!(way, WordMeaning::NoPress | WordMeaning::Heartbeat)) {
        return WordMeaning::NoPress;
    }
    if parts.iter().any(|part| NO_KEYS.contains(&part.as_str())) {
        return WordMeaning::Unknown;
    }
    let kinds = ways().filter_map(|way| match way {
        WordMeaning::Press(kind) => Some(kind),
        WordMeaning::NoPress | WordMeaning::Heartbeat | WordMeaning::Unknown => None,
    });
    let named = || parts.iter().any(|part| KEYS.contains(&part.as_str())).then_some(PressKind::Single);
    kinds.max_by_key(|&kind| vocabulary::urgency(kind)).or_else(named).map_or(WordMeaning::Unknown, WordMeaning::Press)
}

fn key_of(message: &Message<'_>, parts: &[String]) -> ButtonKey {
    if let Some(word) = parts.iter().find_map(|part| message.taught(part)) {
        return word.key;
    }
    let numbered = parts.iter().find_map(|part| part.parse::<u64>().ok());
    numbered.map_or(ButtonKey::Main, |number| vocabulary::key_at(number.saturating_sub(1)))
}
