//! Field access for device messages: tolerant of types, strict about ranges. A damaged field counts as absent.

use crewbell_shared::button::Telemetry;
use jiff::Timestamp;

use super::super::reading::{self, Damage, Object, Reading, Unreadable, Value};
use super::battery;
use super::decoded::Ignored;

/// Maximum length of a text taken from a device (an address, a transcript), in characters.
const TEXT_MAX: usize = 4096;
/// Lowest number read as a date, in Unix milliseconds: 2001-09-09. Smaller numbers count from boot (31 years).
const FIRST_DATE_MS: u64 = 1_000_000_000_000;
/// Upper limit of a date, in Unix milliseconds: 2286-11-20.
const LAST_DATE_MS: u64 = 10_000_000_000_000;

/// A JSON object from a device.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fields<'r> {
    object: &'r Object,
    damage: Option<Damage>,
    is_whole: bool,
}

impl<'r> From<&'r Reading> for Fields<'r> {
    fn from(reading: &'r Reading) -> Self {
        Self { object: &reading.object, damage: reading.damage, is_whole: reading.is_whole }
    }
}

impl<'r> Fields<'r> {
    fn within(self, object: &'r Object) -> Self {
        Self { object, ..self }
    }

    /// Whether the message is complete; a truncated one says nothing about the missing part.
    pub(super) fn is_whole(self) -> bool {
        self.is_whole
    }

    /// The damage in the message, if any. Unrecognised content is then blamed on the damage, not on the shape.
    pub(super) fn damage(self) -> Option<Damage> {
        self.damage
    }

    /// The first of the fields that is present, not null, and not damaged.
    pub(super) fn get(self, names: &[&str]) -> Option<&'r Value> {
        let there = |value: &&Value| !matches!(value, Value::Null | Value::Unknown);
        names.iter().filter_map(|name| self.object.get(name)).find(there)
    }

    /// Whether one of the fields is present, even as null, even damaged.
    pub(super) fn has(self, names: &[&str]) -> bool {
        names.iter().any(|name| self.object.get(name).is_some())
    }

    /// Whether one of the fields is present but damaged.
    pub(super) fn is_damaged(self, names: &[&str]) -> bool {
        names.iter().any(|name| self.object.get(name) == Some(&Value::Unknown))
    }

    /// All fields, in their original order.
    pub(super) fn members(self) -> impl Iterator<Item = (&'r str, &'r Value)> {
        self.object.members()
    }

    /// The text of a field, unless blank, without control characters, cut at 4,096 characters.
    pub(super) fn text(self, names: &[&str]) -> Option<String> {
        let text = self.get(names)?.as_text()?.chars();
        // PostgreSQL can't store NUL, and the other control characters are unreadable.
        let clean: String = text.filter(|&c| !c.is_control() || matches!(c, '\n' | '\t')).take(TEXT_MAX).collect();
        let clean = clean.trim();
        (!clean.is_empty()).then(|| clean.to_owned())
    }

    pub(super) fn number(self, names: &[&str]) -> Option<f64> {
        number(self.get(names)?)
    }

    pub(super) fn whole(self, names: &[&str]) -> Option<u64> {
        whole(self.get(names)?)
    }

    /// Whether any of the fields is `true`, a positive number, or the text `true`, `1` or `yes`.
    pub(super) fn yes(self, names: &[&str]) -> bool {
        names.iter().filter_map(|name| self.object.get(name)).any(|value| match value {
            Value::Bool(yes) => *yes,
            Value::Number(_) => number(value).is_some_and(|n| n > 0.0),
            Value::Text(text) => matches!(text.trim(), "true" | "1" | "yes"),
            Value::Unknown | Value::Null | Value::List(_) | Value::Object(_) => false,
        })
    }

    pub(super) fn object(self, name: &str) -> Option<Self> {
        Some(self.within(self.object.get(name)?.as_object()?))
    }

    pub(super) fn objects(self, name: &str) -> Vec<Self> {
        let list = self.object.get(name).and_then(Value::as_list).unwrap_or_default();
        list.iter().filter_map(Value::as_object).map(|object| self.within(object)).collect()
    }

    /// The charge in percent, from a field that names no unit.
    pub(super) fn battery(self, names: &[&str]) -> Option<u8> {
        battery::untold(self.get(names)?)
    }

    /// The charge in percent, from a field that is defined as percent.
    pub(super) fn percent(self, names: &[&str]) -> Option<u8> {
        battery::percent(self.number(names)?)
    }

    /// The signal strength in dBm; none for 0 and above, which mean "not connected" or "unknown".
    pub(super) fn rssi(self, names: &[&str]) -> Option<i16> {
        dbm(self.number(names)?)
    }

    /// A date: Unix milliseconds from 2001 to 2286, or RFC 3339 text.
    pub(super) fn date(self, names: &[&str]) -> Option<Timestamp> {
        let value = self.get(names)?;
        if let Some(ms) = whole(value).filter(|&ms| is_date_ms(ms)) {
            return Timestamp::from_millisecond(i64::try_from(ms).ok()?).ok();
        }
        value.as_text()?.trim().parse().ok()
    }

    /// The milliseconds since boot: a number too small for a date.
    pub(super) fn since_boot_ms(self, names: &[&str]) -> Option<u64> {
        self.whole(names).filter(|&ms| ms < FIRST_DATE_MS)
    }
}

fn is_date_ms(ms: u64) -> bool {
    (FIRST_DATE_MS..LAST_DATE_MS).contains(&ms)
}

/// Converts Unix seconds with decimals to a date; none for a count from boot, as a clock that isn't set gives.
pub(super) fn date_of_seconds(seconds: f64) -> Option<Timestamp> {
    let ms = seconds_to_ms(seconds).filter(|&ms| is_date_ms(ms))?;
    Timestamp::from_millisecond(i64::try_from(ms).ok()?).ok()
}

/// Reads the payload as a line of text.
pub(super) fn text_of(payload: &[u8]) -> Result<String, Ignored> {
    reading::read_text(payload).map_err(|_| Ignored::NotUtf8)
}

/// Converts the reason why a payload is unreadable.
pub(super) fn unreadable(why: Unreadable) -> Ignored {
    match why {
        Unreadable::Empty | Unreadable::NotAnObject => Ignored::NotJson,
        Unreadable::NotText => Ignored::NotUtf8,
    }
}

/// A JSON number, also one written as text.
pub(super) fn number(value: &Value) -> Option<f64> {
    let number = value.as_number().and_then(serde_json::Number::as_f64);
    number.or_else(|| value.as_text()?.trim().parse().ok()).filter(|number| number.is_finite())
}

/// A whole number, also one written as text or as `5.0`.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked against the exact range of f64")]
pub(super) fn whole(value: &Value) -> Option<u64> {
    let exact = value.as_number().and_then(serde_json::Number::as_u64);
    if let Some(exact) = exact.or_else(|| value.as_text()?.trim().parse().ok()) {
        return Some(exact);
    }
    let number = number(value)?;
    (number.fract() == 0.0 && (0.0..9_007_199_254_740_992.0).contains(&number)).then_some(number as u64)
}

#[expect(clippy::cast_possible_truncation, reason = "-200 to -1 fits")]
fn dbm(number: f64) -> Option<i16> {
    (-200.0..=-1.0).contains(&number).then(|| number.round() as i16)
}

/// Converts seconds to milliseconds, up to a thousand years.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
pub(super) fn seconds_to_ms(seconds: f64) -> Option<u64> {
    (0.0..3.2e10).contains(&seconds).then(|| (seconds * 1000.0).round() as u64)
}

/// Reads `online` and `offline`, in the spellings of the devices.
pub(super) fn online(word: &str) -> Option<bool> {
    match word.trim().to_ascii_lowercase().as_str() {
        "online" | "connected" | "true" => Some(true),
        "offline" | "disconnected" | "lost" | "false" => Some(false),
        _ => None,
    }
}

pub(super) fn says_something(vitals: &Telemetry) -> bool {
    *vitals != Telemetry::default()
}
