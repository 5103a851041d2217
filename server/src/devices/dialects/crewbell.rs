//! Our own firmware: `{prefix}/button/{id}/pressed` with
//! `{"press_id": "<boot id>-<n>", "kind": "single", "key": "main", "battery": 87, "rssi": -61, "uptime_ms": 123456}`.
//!
//! A message with a press id is a press: an unknown kind or key rings as a single press of the main key, unless the
//! kind is a word that means no press. A damaged kind rings too, but without the press id as evidence: the same press
//! may be resent intact. A truncated message rings only if its kind is complete.

use crewbell_shared::button::{ButtonKey, Evidence, PressKind, SeenPress, Telemetry};

use super::decoded::{Ignored, Said};
use super::fields::Fields;
use super::vocabulary::{self, WordMeaning};
use super::{Message, original};

/// Maximum length of a press id used as evidence, in bytes; a press with a longer one rings without it.
const PRESS_ID_MAX: usize = 128;

/// Whether a message is our firmware's, and not the original firmware's on the same topic.
pub(super) fn is_ours(fields: Fields<'_>) -> bool {
    fields.has(&["press_id", "kind"])
}

pub(super) fn decode_press(message: &Message<'_>) -> Result<Said, Ignored> {
    let fields = message.fields()?;
    let press_id = fields.text(&["press_id"]).filter(|id| is_press_id(id));
    let key_word = fields.text(&["key"]);
    let kind_word = fields.text(&["kind"]);
    let taught_key = key_word.as_deref().and_then(|word| message.taught(word));
    let taught = kind_word.as_deref().and_then(|word| message.taught(word));
    let known_key = taught_key.map(|word| word.key).or_else(|| key_word.as_deref().and_then(vocabulary::key));
    let vitals = vitals(fields);
    if original::is_heartbeat(fields) {
        return original::no_press(vitals, Ignored::Heartbeat);
    }
    let is_damaged = fields.is_damaged(&["kind"]);
    let kind = match kind_word.as_deref().map(vocabulary::way) {
        _ if taught.is_some() => taught.map_or(PressKind::Single, |word| word.kind),
        Some(WordMeaning::Press(kind)) => kind,
        Some(WordMeaning::Heartbeat) => return original::no_press(vitals, Ignored::Heartbeat),
        Some(WordMeaning::NoPress) => return original::no_press(vitals, Ignored::NotAPress),
        None if !fields.is_whole() => return Err(Ignored::Damaged("it ends before it says how it was pressed")),
        Some(WordMeaning::Unknown) | None if press_id.is_some() => PressKind::Single,
        Some(WordMeaning::Unknown) => return Err(Ignored::UnknownWord(kind_word.unwrap_or_default().into())),
        None if is_damaged => return Err(Ignored::Damaged("how it was pressed can't be read")),
        None => return Err(Ignored::UnknownShape("neither a kind nor a press id")),
    };
    let kind = if key_word.as_deref().is_some_and(vocabulary::is_alarm) { PressKind::Emergency } else { kind };
    // The same press, resent intact, must ring with its real kind.
    let name = press_id.clone().filter(|_| !is_damaged);
    Ok(Said::Press(SeenPress {
        kind,
        key: known_key.or(taught.map(|word| word.key)).unwrap_or(ButtonKey::Main),
        evidence: name.map_or(Evidence::Nothing, Evidence::Named),
        device_press_id: press_id,
        device_time: fields.date(&["time", "timestamp"]),
        vitals,
        transcript: fields.text(&["transcript"]),
        audio_url: fields.text(&["audio_url"]),
    }))
}

fn vitals(fields: Fields<'_>) -> Telemetry {
    Telemetry {
        battery_percent: fields.battery(&["battery"]),
        rssi_dbm: fields.rssi(&["rssi"]),
        firmware: fields.text(&["firmware"]),
        uptime_ms: fields.whole(&["uptime_ms"]),
        ..Telemetry::default()
    }
}

fn is_press_id(id: &str) -> bool {
    id.len() <= PRESS_ID_MAX && !id.chars().any(char::is_control)
}
