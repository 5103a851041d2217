//! Tasmota: `stat/{device}/RESULT` with `{"Button1":{"Action":"SINGLE"}}`; `tele/{device}/LWT` and `…/STATE`.
//!
//! `Button1` is the main key, `Button2` to `Button5` are the auxiliary ones. `TRIPLE` and more are an emergency,
//! `HOLD` is voice, `CLEAR` ends a hold. There is no identity but MQTT's own.

use crewbell_shared::button::{Evidence, SeenPress, Vitals};

use super::fields::{Fields, online, seconds_to_ms, text_of};
use super::original::no_press;
use super::said::{Ignored, Said};
use super::words::{self, Way};
use super::{Message, Understood};

/// Highest button that Tasmota numbers.
const BUTTONS: u64 = 32;

/// Which of Tasmota's topics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Result,
    LastWill,
    State,
}

pub(super) fn decode(part: Part, message: &Message<'_>) -> Understood {
    match part {
        Part::Result => decode_result(&Fields::parse(message.payload)?),
        Part::LastWill => {
            let online = online(text_of(message.payload)?)
                .ok_or(Ignored::UnknownShape("a last will that is neither online nor offline"))?;
            Ok(Said::Health(Vitals { online: Some(online), ..Vitals::default() }))
        }
        Part::State => {
            let fields = Fields::parse(message.payload)?;
            let vitals = Vitals {
                // `RSSI` is a quality in percent; `Signal` is in dBm.
                rssi_dbm: fields.object("Wifi").and_then(|wifi| wifi.rssi(&["Signal"])),
                uptime_ms: fields.number(&["UptimeSec"]).and_then(seconds_to_ms),
                ..Vitals::default()
            };
            no_press(vitals, Ignored::Heartbeat)
        }
    }
}

fn decode_result(fields: &Fields) -> Understood {
    let mut pressed = None;
    let mut seen = Err(Ignored::UnknownShape("a result without a button"));
    for number in 1..=BUTTONS {
        let Some(action) = fields.object(&format!("Button{number}")).and_then(|b| b.text(&["Action"])) else {
            continue;
        };
        match words::way(&action) {
            Way::Press(kind) => {
                let more_urgent = |&(other, _): &(_, _)| words::urgency(kind) > words::urgency(other);
                if pressed.as_ref().is_none_or(more_urgent) {
                    pressed = Some((kind, words::key_at(number - 1)));
                }
            }
            Way::NoPress | Way::Heartbeat => seen = Err(Ignored::NotAPress),
            Way::Unknown => seen = Err(Ignored::UnknownShape("an action that is not known")),
        }
    }
    let Some((kind, key)) = pressed else {
        return seen;
    };
    Ok(Said::Press(SeenPress {
        kind,
        key,
        evidence: Evidence::Nothing,
        device_press_id: None,
        device_time: None,
        vitals: Vitals::default(),
        transcript: None,
        audio_url: None,
    }))
}
