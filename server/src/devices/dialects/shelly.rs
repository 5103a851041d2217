//! Shelly. Generation 2 and later: `{device}/events/rpc`. Generation 1: `shellies/{device}/input_event/{input}`.
//!
//! Input 0 is the main key, inputs 1 to 4 are the auxiliary ones. Three pushes are an emergency, a long push is
//! voice; `btn_down` and `btn_up` are the contact, not a press. A push on a component that is not an input (a
//! Bluetooth button behind a gateway) is a push: it calls as the main key.
//!
//! Generation 1 states its last event again every 30 s and at each reconnect, with the same `event_cnt`, so that
//! count is [`Evidence::Standing`], and a statement without an event tells where the count stands.

use crewbell_shared::button::{Evidence, PressKind, SeenPress, Vitals};

use super::fields::{Fields, online, seconds_to_ms, text_of};
use super::original::no_press;
use super::said::{Ignored, Said};
use super::words::{self, Way};
use super::{Message, Understood};

/// Which of Shelly's topics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    InputEvent(u8),
    Online,
    Info,
    Rpc,
}

pub(super) fn decode(part: Part, message: &Message<'_>) -> Understood {
    match part {
        Part::InputEvent(input) => decode_input_event(input, &Fields::parse(message.payload)?, message.retained),
        Part::Online => {
            let online = online(text_of(message.payload)?)
                .ok_or(Ignored::UnknownShape("a last will that is neither true nor false"))?;
            Ok(Said::Health(Vitals { online: Some(online), ..Vitals::default() }))
        }
        Part::Info => {
            let fields = Fields::parse(message.payload)?;
            let vitals = Vitals {
                battery_percent: fields.object("bat").and_then(|bat| bat.battery(&["value"])),
                rssi_dbm: fields.object("wifi_sta").and_then(|wifi| wifi.rssi(&["rssi"])),
                firmware: fields.object("update").and_then(|update| update.text(&["old_version"])),
                uptime_ms: fields.number(&["uptime"]).and_then(seconds_to_ms),
                ..Vitals::default()
            };
            no_press(vitals, Ignored::Heartbeat)
        }
        Part::Rpc => decode_rpc(&Fields::parse(message.payload)?),
    }
}

fn decode_input_event(input: u8, fields: &Fields, retained: bool) -> Understood {
    let counter = fields.whole(&["event_cnt"]);
    let kind = match fields.text(&["event"]).as_deref() {
        Some("S") => PressKind::Single,
        Some("SS") => PressKind::Double,
        Some("SSS") => PressKind::Emergency,
        Some("L" | "SL" | "LS") => PressKind::Long,
        Some(_) => return Err(Ignored::UnknownShape("an event that is not known")),
        None => {
            // What a broker kept is not where the count stands now.
            let standing = counter.filter(|_| !retained).map(|counter| (input, counter));
            return no_press(Vitals { standing, ..Vitals::default() }, Ignored::EmptyAction);
        }
    };
    Ok(Said::Press(SeenPress {
        kind,
        key: words::key_at(u64::from(input)),
        evidence: counter.map_or(Evidence::Nothing, |counter| Evidence::Standing { input, counter }),
        device_press_id: counter.map(|counter| counter.to_string()),
        device_time: None,
        vitals: Vitals::default(),
        transcript: None,
        audio_url: None,
    }))
}

fn decode_rpc(fields: &Fields) -> Understood {
    let params = fields.object("params").ok_or(Ignored::UnknownShape("a notification without parameters"))?;
    match fields.text(&["method"]).as_deref() {
        Some("NotifyEvent") => decode_events(&params),
        Some("NotifyStatus" | "NotifyFullStatus") => {
            let battery = params.object("devicepower:0").and_then(|power| power.object("battery"));
            let vitals = Vitals {
                battery_percent: battery.and_then(|battery| battery.battery(&["percent"])),
                rssi_dbm: params.object("wifi").and_then(|wifi| wifi.rssi(&["rssi"])),
                uptime_ms: params.object("sys").and_then(|sys| sys.number(&["uptime"])).and_then(seconds_to_ms),
                ..Vitals::default()
            };
            no_press(vitals, Ignored::NotAPress)
        }
        _ => Err(Ignored::UnknownShape("a method that is not known")),
    }
}

fn decode_events(params: &Fields) -> Understood {
    let mut pressed: Option<SeenPress> = None;
    let mut seen = Err(Ignored::UnknownShape("a notification without events"));
    for event in params.objects("events") {
        let name = event.text(&["event"]).unwrap_or_default();
        let kind = match words::way(&name) {
            Way::Press(kind) if name.ends_with("_push") => kind,
            Way::Press(_) | Way::NoPress | Way::Heartbeat | Way::Unknown => {
                seen = Err(Ignored::NotAPress);
                continue;
            }
        };
        if pressed.as_ref().is_some_and(|other| words::urgency(kind) <= words::urgency(other.kind)) {
            continue;
        }
        let component = event.text(&["component"]).unwrap_or_default();
        let input = component.strip_prefix("input:").and_then(|input| input.parse().ok());
        pressed = Some(SeenPress {
            kind,
            key: words::key_at(input.unwrap_or(0)),
            evidence: Evidence::Nothing,
            device_press_id: None,
            device_time: event
                .number(&["ts"])
                .or_else(|| params.number(&["ts"]))
                .and_then(seconds_to_ms)
                .and_then(|ms| i64::try_from(ms).ok())
                // Without a set clock it counts from boot.
                .filter(|&ms| ms >= 1_000_000_000_000)
                .and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok()),
            vitals: Vitals::default(),
            transcript: None,
            audio_url: None,
        });
    }
    pressed.map_or(seen, |press| Ok(Said::Press(press)))
}
