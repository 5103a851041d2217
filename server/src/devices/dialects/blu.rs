//! Shelly's Bluetooth buttons behind a gateway, in the three formats of the gateways. Each button is a device of its
//! own, regardless of the gateway's place. The maker's script and the older one identify it by its address. A gateway
//! with native Bluetooth numbers it (`bthomedevice:200`), so there its id is prefixed with the gateway's.
//!
//! A radio button repeats its press, and several gateways may receive it. A repetition is recognised by the key and
//! kind of the press and, where it is passed on, by the button's packet counter.

use crewbell_shared::button::{ButtonKey, Evidence, PressKind, SeenPress, Telemetry};

use super::super::reading::{self, Value};
use super::decoded::{Heard, Ignored, Said, press};
use super::fields::{Fields, says_something, whole};
use super::vocabulary::{self, WordMeaning};
use super::{Message, Understood};

/// Converts a button's press code (`BTHome` 2, object 0x3A) to a kind.
fn kind_of(number: u64) -> Option<PressKind> {
    match number {
        1 => Some(PressKind::Single),
        2 | 5 => Some(PressKind::Double),
        3 | 6 => Some(PressKind::Emergency),
        4 | 128 | 254 => Some(PressKind::Long),
        _ => None,
    }
}

/// Decodes the maker's script: `{"component": "blu", "event": "button", "data": {"device": "shellyblubutton1-…",
/// "value": 1, "event": "press"}}`; `value` is a list for remotes with several keys.
pub(super) fn decode_scripted(message: &Message<'_>, name: &str, event: Fields<'_>) -> Understood {
    if name != "button" {
        return Err(Ignored::NotAPress);
    }
    let data = event.object("data").ok_or(Ignored::UnknownShape("a Bluetooth event without data"))?;
    let device = data.text(&["device", "addr", "address"]).ok_or(NAMELESS)?;
    let word = data.text(&["event"]);
    let presses = presses(message, &device, data.get(&["value"]), word.as_deref())?;
    let heard = presses.into_iter().map(|(kind, key)| {
        let repeats = format!("{device} {} {}", key.as_str(), kind.as_str());
        Heard::press(press(kind, key), repeats).of(device.clone())
    });
    Ok(heard.collect())
}

/// Decodes the older script: `{"component": "script:1", "event": "shelly-blu", "data": {"pid": 5, "battery": 100,
/// "button": 1, "rssi": -60, "address": "aa:bb:cc:dd:ee:07"}}`.
pub(super) fn decode_emitted(message: &Message<'_>, name: &str, event: Fields<'_>) -> Understood {
    if name != "shelly-blu" {
        return Err(Ignored::NotAPress);
    }
    let data = event.object("data").ok_or(Ignored::UnknownShape("a Bluetooth event without data"))?;
    let device = data.text(&["address", "addr"]).ok_or(NAMELESS)?;
    let vitals = Telemetry {
        battery_percent: data.percent(&["battery"]),
        rssi_dbm: data.rssi(&["rssi"]),
        ..Telemetry::default()
    };
    let count = data.whole(&["pid"]);
    let presses = match presses(message, &device, data.get(&["button", "Button"]), None) {
        Ok(presses) => presses,
        Err(Ignored::NotAPress) if says_something(&vitals) => {
            return Ok(vec![Heard::itself(Said::Health(vitals)).of(device)]);
        }
        Err(why) => return Err(why),
    };
    let heard = presses.into_iter().map(|(kind, key)| {
        let evidence = count.map_or(Evidence::Nothing, |counter| Evidence::Counted { counter, uptime_ms: None });
        let device_press_id = count.map(|count| count.to_string());
        let seen = SeenPress { evidence, device_press_id, vitals: vitals.clone(), ..press(kind, key) };
        let repeats = format!("{device} {} {} {}", key.as_str(), kind.as_str(), count.unwrap_or_default());
        Heard::press(seen, repeats).of(device.clone())
    });
    Ok(heard.collect())
}

/// Decodes native Bluetooth events: `{"component": "bthomedevice:200", "event": "single_push", "idx": 0}`.
pub(super) fn decode_native(message: &Message<'_>, component: &str, name: &str, event: Fields<'_>) -> Understood {
    let device = format!("{}/{component}", message.device);
    let key = event.whole(&["idx"]).map_or(ButtonKey::Main, vocabulary::key_at);
    let (kind, key) = match (message.taught_of(&device, name), vocabulary::way(name)) {
        (Some(word), _) => (word.kind, word.key),
        (None, WordMeaning::Press(kind)) => (kind, key),
        (None, WordMeaning::Unknown) if name.ends_with("_push") || name.ends_with("_press") => {
            return Ok(vec![Heard::itself(Said::Nothing(Ignored::UnknownWord(name.to_owned().into()))).of(device)]);
        }
        (None, WordMeaning::NoPress | WordMeaning::Heartbeat | WordMeaning::Unknown) => return Err(Ignored::NotAPress),
    };
    Ok(vec![Heard { repeats: None, ..Heard::press(press(kind, key), name).of(device) }])
}

/// Decodes the maker's script with topics of its own: `{gateway}/blu/{device}/button` with the number alone.
pub(super) fn decode_plain(message: &Message<'_>) -> Understood {
    let text = reading::read_text(message.payload).map_err(|_| Ignored::NotUtf8)?;
    let numbers = text.trim_matches(['[', ']']).split(',').map(|number| number.trim().parse().ok());
    let numbers = numbers.collect::<Option<Vec<u64>>>().ok_or(Ignored::UnknownShape("a button that is no number"))?;
    let presses = keys(&numbers);
    if presses.is_empty() {
        return Err(Ignored::NotAPress);
    }
    Ok(presses.into_iter().map(|(kind, key)| Heard::itself(Said::Press(press(kind, key)))).collect())
}

/// Decodes the buttons' health from the maker's script: `{"blu": {"shellyblubutton1-…": {"battery": 100}}}`.
pub(super) fn decode_status(params: Fields<'_>) -> Vec<Heard> {
    let Some(blu) = params.object("blu") else { return Vec::new() };
    let health = blu.members().filter_map(|(device, _)| {
        let fields = blu.object(device)?;
        let vitals = Telemetry {
            battery_percent: fields.percent(&["battery"]),
            rssi_dbm: fields.rssi(&["rssi"]),
            ..Telemetry::default()
        };
        says_something(&vitals).then(|| Heard::itself(Said::Health(vitals)).of(device))
    });
    health.collect()
}

pub(super) const NAMELESS: Ignored = Ignored::UnknownShape("a Bluetooth event that names no button");

/// The pressed keys, by their code, or by the word where there is none.
fn presses(
    message: &Message<'_>,
    device: &str,
    value: Option<&Value>,
    word: Option<&str>,
) -> Result<Vec<(PressKind, ButtonKey)>, Ignored> {
    if let Some(known) = word.and_then(|word| message.taught_of(device, word)) {
        return Ok(vec![(known.kind, known.key)]);
    }
    let numbers: Vec<u64> = match value {
        Some(Value::List(list)) => list.iter().map(|number| whole(number).unwrap_or_default()).collect(),
        Some(value) => whole(value).into_iter().collect(),
        None => Vec::new(),
    };
    let pressed = keys(&numbers);
    if !pressed.is_empty() {
        return Ok(pressed);
    }
    match word.map(vocabulary::way) {
        Some(WordMeaning::Press(kind)) => Ok(vec![(kind, ButtonKey::Main)]),
        Some(WordMeaning::Unknown) if !numbers.iter().all(|&number| number == 0) => {
            Err(Ignored::UnknownWord(word.unwrap_or_default().to_owned().into()))
        }
        None if numbers.iter().any(|&number| number != 0) => Err(Ignored::UnknownShape("a press that is not known")),
        Some(WordMeaning::NoPress | WordMeaning::Heartbeat | WordMeaning::Unknown) | None => Err(Ignored::NotAPress),
    }
}

fn keys(numbers: &[u64]) -> Vec<(PressKind, ButtonKey)> {
    let pressed = (0..).zip(numbers).filter_map(|(place, &number)| Some((kind_of(number)?, vocabulary::key_at(place))));
    pressed.collect()
}
