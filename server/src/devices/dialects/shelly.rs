//! Shelly. Generation 2 and later: `{prefix}/events/rpc`. Generation 1: `shellies/{device}/input_event/{input}`.
//!
//! Input 0 is the main key, inputs 1 to 4 are the auxiliary ones; each event of a notification is a press. Three pushes
//! are an emergency, a long push is voice; `btn_down` and `btn_up` are the contact, not a press. Events of a Bluetooth
//! button behind a Shelly belong to that button, never to the Shelly (see `blu`).
//!
//! Generation 1 repeats its last event every 30 s and at each reconnect, with the same `event_cnt`. That counter is
//! therefore [`Evidence::Standing`], and a message without an event gives the counter's current value.

use crewbell_shared::button::{Evidence, PressKind, SeenPress, Telemetry};

use super::blu;
use super::decoded::{Heard, Ignored, Said, press};
use super::fields::{Fields, date_of_seconds, online, seconds_to_ms, text_of};
use super::original::no_press;
use super::vocabulary::{self, WordMeaning};
use super::{Message, Understood};

/// The topics of a Shelly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    InputEvent(u8),
    Online,
    Info,
    Rpc,
    /// A Bluetooth button on a topic of its own.
    BluButton,
    /// Relays, meters, raw contacts.
    Other,
}

pub(super) fn decode(part: Part, message: &Message<'_>) -> Understood {
    match part {
        Part::InputEvent(input) => message.one(decode_input_event(input, message.fields()?, message.retained)),
        Part::Online => {
            let online = online(&text_of(message.payload)?)
                .ok_or(Ignored::UnknownShape("a last will that is neither true nor false"))?;
            message.one(Ok(Said::Health(Telemetry { online: Some(online), ..Telemetry::default() })))
        }
        Part::Info => {
            let fields = message.fields()?;
            let vitals = Telemetry {
                battery_percent: fields.object("bat").and_then(|bat| bat.percent(&["value"])),
                rssi_dbm: fields.object("wifi_sta").and_then(|wifi| wifi.rssi(&["rssi"])),
                firmware: fields.object("update").and_then(|update| update.text(&["old_version"])),
                uptime_ms: fields.number(&["uptime"]).and_then(seconds_to_ms),
                ..Telemetry::default()
            };
            message.one(no_press(vitals, Ignored::Heartbeat))
        }
        Part::Rpc => decode_rpc(message, message.fields()?),
        Part::BluButton => blu::decode_plain(message),
        Part::Other => Err(Ignored::NotAPress),
    }
}

fn decode_input_event(input: u8, fields: Fields<'_>, retained: bool) -> Result<Said, Ignored> {
    let counter = fields.whole(&["event_cnt"]);
    let kind = match fields.text(&["event"]).as_deref() {
        Some("S") => PressKind::Single,
        Some("SS") => PressKind::Double,
        Some("SSS") => PressKind::Emergency,
        Some("L" | "SL" | "LS") => PressKind::Long,
        Some(other) => return Err(Ignored::UnknownWord(other.to_owned().into())),
        None if fields.is_damaged(&["event"]) => return Err(Ignored::Damaged("how it was pressed can't be read")),
        None => {
            // A retained counter is not the current one.
            let standing = counter.filter(|_| !retained).map(|counter| (input, counter));
            return no_press(Telemetry { standing, ..Telemetry::default() }, Ignored::EmptyAction);
        }
    };
    Ok(Said::Press(SeenPress {
        evidence: counter.map_or(Evidence::Nothing, |counter| Evidence::Standing { input, counter }),
        device_press_id: counter.map(|counter| counter.to_string()),
        ..press(kind, vocabulary::key_at(u64::from(input)))
    }))
}

fn decode_rpc(message: &Message<'_>, fields: Fields<'_>) -> Understood {
    let params = fields.object("params").ok_or(Ignored::UnknownShape("a notification without parameters"))?;
    match fields.text(&["method"]).as_deref() {
        Some("NotifyEvent") => decode_events(message, params),
        // Events are decoded under any method name.
        None if params.has(&["events"]) => decode_events(message, params),
        Some("NotifyStatus" | "NotifyFullStatus") => {
            let power = params.object("devicepower:0");
            // On external power, the level of the empty battery is not the device's charge.
            let is_external =
                power.and_then(|power| power.object("external")).is_some_and(|external| external.yes(&["present"]));
            let battery = power.and_then(|power| power.object("battery")).filter(|_| !is_external);
            let vitals = Telemetry {
                battery_percent: battery.and_then(|battery| battery.percent(&["percent"])),
                rssi_dbm: params.object("wifi").and_then(|wifi| wifi.rssi(&["rssi"])),
                uptime_ms: params.object("sys").and_then(|sys| sys.number(&["uptime"])).and_then(seconds_to_ms),
                ..Telemetry::default()
            };
            let mut heard = blu::decode_status(params);
            heard.extend(no_press(vitals, Ignored::NotAPress).ok().map(Heard::itself));
            if heard.is_empty() { Err(Ignored::NotAPress) } else { Ok(heard) }
        }
        _ => Err(Ignored::UnknownShape("a method that is not known")),
    }
}

fn decode_events(message: &Message<'_>, params: Fields<'_>) -> Understood {
    let mut heard = Vec::new();
    let mut seen = Ignored::UnknownShape("a notification without events");
    for event in params.objects("events") {
        let pressed_at = event.number(&["ts"]).or_else(|| params.number(&["ts"])).and_then(date_of_seconds);
        let at = |heard: Heard| match heard.said {
            Said::Press(press) => Heard { said: Said::Press(SeenPress { device_time: pressed_at, ..press }), ..heard },
            Said::Health(_) | Said::Voice(_) | Said::Nothing(_) => heard,
        };
        let component = event.text(&["component"]).unwrap_or_default();
        let name = event.text(&["event"]).unwrap_or_default();
        let understood = match component.split_once(':').map_or(component.as_str(), |(sort, _)| sort) {
            "blu" => blu::decode_scripted(message, &name, event),
            "script" => blu::decode_emitted(message, &name, event),
            sort if sort.starts_with("bthome") => blu::decode_native(message, &component, &name, event),
            _ => decode_input(message, &component, &name).map(|press| vec![press]),
        };
        match understood {
            Ok(pressed) => heard.extend(pressed.into_iter().map(at)),
            Err(_) if seen.word().is_some() => {}
            Err(why) => seen = why,
        }
    }
    if heard.is_empty() { Err(seen) } else { Ok(heard) }
}

/// Decodes an event of one of the device's own inputs.
fn decode_input(message: &Message<'_>, component: &str, name: &str) -> Result<Heard, Ignored> {
    let exact = format!("{component} {name}");
    if let Some(word) = message.taught(&exact) {
        return Ok(Heard::press(press(word.kind, word.key), exact));
    }
    let input = component.strip_prefix("input:").and_then(|input| input.parse().ok());
    let kind = match vocabulary::way(name) {
        WordMeaning::Press(kind) if name.ends_with("_push") => kind,
        WordMeaning::Unknown if name.ends_with("_push") => return Err(Ignored::UnknownWord(exact.into())),
        WordMeaning::Press(_) | WordMeaning::NoPress | WordMeaning::Heartbeat | WordMeaning::Unknown => {
            return Err(Ignored::NotAPress);
        }
    };
    let key = message.taught(component).map_or(vocabulary::key_at(input.unwrap_or(0)), |word| word.key);
    Ok(Heard { repeats: None, ..Heard::press(press(kind, key), exact) })
}
