//! Tasmota: `…/RESULT` with `{"Button1":{"Action":"SINGLE"}}`; in firmware 8.4 `…/BUTTON1T` with `{"TRIG":"SINGLE"}`;
//! `…/LWT`, `…/STATE`, `…/SENSOR`.
//!
//! `Button1` is the main key, `Button2` to `Button5` are the auxiliary ones; each key in a message is a press. `TRIPLE`
//! and more are an emergency, `HOLD` is voice, `CLEAR` ends a hold. A switch is a button only if the site defines it as
//! one: its word is `Switch1`, which rings as it closes, or `Switch1 OFF` for one that rings as it opens. Presses have
//! no identity except MQTT's own.
//!
//! Its Zigbee bridge speaks for many buttons: each is a device of its own, under the bridge's name for it.

use crewbell_shared::button::{PressKind, SeenPress, Telemetry};

use super::super::reading::Value;
use super::decoded::{Heard, Ignored, Said, press};
use super::fields::{Fields, number, online, says_something, seconds_to_ms, text_of};
use super::original::no_press;
use super::vocabulary::{self, WordMeaning};
use super::{Message, Understood};

/// Highest button number in Tasmota.
const BUTTONS: u64 = 32;

/// The topics of a Tasmota device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Result,
    /// A message of a button or switch on a topic of its own.
    Trigger {
        is_switch: bool,
        number: u64,
    },
    LastWill,
    State,
    Sensor,
    /// Relays, versions, logs.
    Other,
}

impl Part {
    /// The topic for a last level.
    pub(super) fn from_level(level: &str) -> Self {
        let trigger = |name: &str| level.strip_prefix(name)?.strip_suffix('T')?.parse().ok();
        match level {
            "RESULT" => Self::Result,
            "LWT" => Self::LastWill,
            "STATE" => Self::State,
            "SENSOR" => Self::Sensor,
            _ => match (trigger("BUTTON"), trigger("SWITCH")) {
                (Some(number), _) => Self::Trigger { is_switch: false, number },
                (None, Some(number)) => Self::Trigger { is_switch: true, number },
                (None, None) => Self::Other,
            },
        }
    }
}

pub(super) fn decode(part: Part, message: &Message<'_>) -> Understood {
    match part {
        Part::Result => decode_result(message, message.fields()?),
        Part::Trigger { is_switch, number } => {
            let fields = message.fields()?;
            let name = if is_switch { "Switch" } else { "Button" };
            key_of(message, fields, "TRIG", &format!("{name}{number}")).map(|heard| vec![heard])
        }
        Part::LastWill => {
            let online = online(&text_of(message.payload)?)
                .ok_or(Ignored::UnknownShape("a last will that is neither online nor offline"))?;
            message.one(Ok(Said::Health(Telemetry { online: Some(online), ..Telemetry::default() })))
        }
        Part::State => {
            let fields = message.fields()?;
            let vitals = Telemetry {
                // `RSSI` is a quality in percent; `Signal` is in dBm.
                rssi_dbm: fields.object("Wifi").and_then(|wifi| wifi.rssi(&["Signal"])),
                uptime_ms: fields.number(&["UptimeSec"]).and_then(seconds_to_ms),
                ..Telemetry::default()
            };
            message.one(no_press(vitals, Ignored::Heartbeat))
        }
        Part::Sensor => match message.fields()?.object("ZbReceived") {
            Some(received) => decode_zigbee(message, received),
            None => Err(Ignored::Heartbeat),
        },
        Part::Other => Err(Ignored::NotAPress),
    }
}

fn decode_result(message: &Message<'_>, fields: Fields<'_>) -> Understood {
    let mut heard = Vec::new();
    let mut seen = Ignored::UnknownShape("a result without a button");
    for (name, value) in fields.members() {
        let Some(action) = fields.object(name).filter(|_| is_key(name)) else {
            if *value == Value::Unknown && is_key(name) {
                seen = Ignored::Damaged("what a key did can't be read");
            }
            continue;
        };
        match key_of(message, action, "Action", name) {
            Ok(press) => heard.push(press),
            // An unknown word, which the site can define, is a more useful reason than a release beside it.
            Err(_) if seen.word().is_some() => {}
            Err(why) => seen = why,
        }
    }
    if heard.is_empty() { Err(seen) } else { Ok(heard) }
}

fn is_key(name: &str) -> bool {
    number_of(name, "Button").or(number_of(name, "Switch")).is_some()
}

fn number_of(name: &str, sort: &str) -> Option<u64> {
    name.strip_prefix(sort)?.parse().ok().filter(|number| (1..=BUTTONS).contains(number))
}

/// Decodes the press of one key, if it is one.
fn key_of(message: &Message<'_>, fields: Fields<'_>, field: &str, name: &str) -> Result<Heard, Ignored> {
    let Some(action) = fields.text(&[field]) else {
        let is_damaged = fields.is_damaged(&[field]) || !fields.is_whole();
        return Err(if is_damaged { Ignored::Damaged("what a key did can't be read") } else { Ignored::EmptyAction });
    };
    let way = vocabulary::way(&action);
    let exact = format!("{name} {action}");
    if let Some(word) = message.taught(&exact) {
        return Ok(Heard::press(press(word.kind, word.key), exact));
    }
    let is_release = matches!(way, WordMeaning::NoPress | WordMeaning::Heartbeat) || action.eq_ignore_ascii_case("off");
    let taught = message.taught(name);
    let kind = match (number_of(name, "Switch"), way, taught) {
        (None, WordMeaning::Press(kind), _) => kind,
        (_, _, _) if is_release => return Err(Ignored::NotAPress),
        (None, _, _) => return Err(Ignored::UnknownWord(exact.into())),
        (Some(_), _, None) => return Err(Ignored::UnknownWord(name.to_owned().into())),
        // A kind of press from the switch itself is more precise than the site's definition.
        (Some(_), WordMeaning::Press(kind), Some(_)) if kind != PressKind::Single => kind,
        (Some(_), _, Some(word)) => word.kind,
    };
    let number = number_of(name, "Button").unwrap_or(1);
    Ok(Heard::press(press(kind, taught.map_or(vocabulary::key_at(number - 1), |word| word.key)), exact))
}

/// Decodes the messages of the buttons behind the bridge: `{"0x2916": {"Device": "0x2916", "Power": 1, "Endpoint":
/// 1}}`.
fn decode_zigbee(message: &Message<'_>, received: Fields<'_>) -> Understood {
    let mut heard = Vec::new();
    for (address, _) in received.members() {
        let Some(fields) = received.object(address) else { continue };
        let name = fields.text(&["Name", "IEEEAddr", "Device"]).unwrap_or_else(|| address.to_owned());
        let device = format!("{}/{name}", message.device);
        let vitals = Telemetry { battery_percent: fields.percent(&["BatteryPercentage"]), ..Telemetry::default() };
        let endpoint = fields.whole(&["Endpoint"]).unwrap_or(1);
        let key = vocabulary::key_at(endpoint.saturating_sub(1));
        let action = fields.text(&["Click", "click", "Action", "action"]);
        let power = fields.get(&["Power"]).map(|power| match number(power) {
            Some(number) => format!("Power {number}"),
            None => format!("Power {}", power.as_text().unwrap_or_default()),
        });
        let word = action.clone().or(power);
        let taught = word.as_deref().and_then(|word| message.taught_of(&device, word));
        let way = match (&action, &word) {
            (Some(action), _) => vocabulary::way(action),
            // The command of a remote to a lamp.
            (None, Some(_)) => WordMeaning::Press(PressKind::Single),
            (None, None) => WordMeaning::NoPress,
        };
        let (kind, key) = match (taught, way) {
            (Some(word), _) => (word.kind, word.key),
            (None, WordMeaning::Press(kind)) => (kind, key),
            (None, WordMeaning::Unknown) => {
                heard.push(
                    Heard::itself(Said::Nothing(Ignored::UnknownWord(word.unwrap_or_default().into()))).of(device),
                );
                continue;
            }
            (None, WordMeaning::NoPress | WordMeaning::Heartbeat) => {
                if says_something(&vitals) {
                    heard.push(Heard::itself(Said::Health(vitals)).of(device));
                }
                continue;
            }
        };
        let pressed = SeenPress { vitals, ..press(kind, key) };
        // The lamp's state differs from one press to the next, and between the two edges of one.
        heard.push(Heard::press(pressed, format!("{device} {}", key.as_str())).of(device));
    }
    if heard.is_empty() { Err(Ignored::NotAPress) } else { Ok(heard) }
}
